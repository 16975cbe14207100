using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Exchange.Tests;

/// <summary>One thing that a type of ours names in its IL.</summary>
/// <param name="From">The type as written in source: state machines and closures count as the type that holds them.</param>
/// <param name="Type">Full name of the type named, without generic arguments.</param>
/// <param name="Member">Name of the member named; null: the type itself.</param>
/// <param name="Parameters">Full names of the member's parameters, comma separated; "" also where there are none.</param>
sealed record Use(TypeDefinition From, string Type, string? Member, string Parameters)
{
    public string Namespace => Type.LastIndexOf('.') is >= 0 and var dot ? Type[..dot] : "";
    public override string ToString() => $"{From.FullName} names {Type}{(Member is null ? "" : "." + Member)}";
}

/// <summary>What the built assemblies name, read with Mono.Cecil. Rules are functions of uses, so that each can be tried on a type that breaks it.</summary>
static class Il
{
    public static readonly ModuleDefinition Crypto = Load("Exchange.Crypto.dll");
    public static readonly ModuleDefinition Adapters = Load("Exchange.Adapters.dll");
    public static readonly ModuleDefinition Gateway = Load("exchange-gateway.dll");
    public static readonly ModuleDefinition Office = Load("exchange.dll");
    public static readonly ModuleDefinition Witness = Load("exchange-witness.dll");
    public static readonly IReadOnlyList<ModuleDefinition> Source = [Crypto, Adapters, Gateway, Office, Witness];

    static readonly ModuleDefinition Own = Load("Exchange.HouseRules.dll");

    /// <summary>A type of this test assembly, for trying a rule on.</summary>
    public static TypeDefinition Fixture<T>() => Own.GetType(typeof(T).FullName!.Replace('+', '/'));

    /// <summary>All types as written in source: nested ones that the compiler made belong to their holder.</summary>
    public static IEnumerable<TypeDefinition> Types(ModuleDefinition module) => module.Types.SelectMany(WithNested).Where(t => t.Name != "<Module>" && !Made(t));

    public static IEnumerable<Use> Uses(ModuleDefinition module) => Types(module).SelectMany(Uses);

    /// <summary>Everything one type names: bases, signatures, attributes, bodies, those of its state machines and closures included.</summary>
    public static IEnumerable<Use> Uses(TypeDefinition type)
    {
        var found = new HashSet<(string, string?, string)>();
        foreach (var part in Parts(type))
        {
            var from = new List<TypeReference?> { part.BaseType };
            from.AddRange(part.Interfaces.Select(i => i.InterfaceType));
            from.AddRange(part.CustomAttributes.Select(a => a.AttributeType));
            from.AddRange(part.Fields.Select(f => f.FieldType));
            from.AddRange(part.Properties.Select(p => p.PropertyType));
            from.AddRange(part.GenericParameters.SelectMany(g => g.Constraints).Select(c => c.ConstraintType));
            foreach (var method in part.Methods)
            {
                from.AddRange(method.Parameters.Select(p => p.ParameterType).Append(method.ReturnType));
                from.AddRange(method.CustomAttributes.Select(a => a.AttributeType));
                if (!method.HasBody) continue;
                from.AddRange(method.Body.Variables.Select(v => v.VariableType));
                from.AddRange(method.Body.ExceptionHandlers.Select(h => h.CatchType));
                foreach (var operand in method.Body.Instructions.Select(i => i.Operand)) Add(operand, from, found);
            }
            foreach (var named in from.SelectMany(Flat)) found.Add((named, null, ""));
        }
        return found.Where(f => f.Item1.Length > 0).Select(f => new Use(type, f.Item1, f.Item2, f.Item3));
    }

    static void Add(object? operand, List<TypeReference?> from, HashSet<(string, string?, string)> found)
    {
        switch (operand)
        {
            case TypeReference named: from.Add(named); break;
            case FieldReference field:
                from.Add(field.FieldType);
                found.Add((Flat(field.DeclaringType).First(), field.Name, ""));
                break;
            case MethodReference method:
                from.Add(method.DeclaringType);
                from.Add(method.ReturnType);
                from.AddRange(method.Parameters.Select(p => p.ParameterType));
                if (method is GenericInstanceMethod generic) from.AddRange(generic.GenericArguments);
                found.Add((Flat(method.DeclaringType).First(), method.Name, string.Join(',', method.Parameters.Select(p => p.ParameterType.FullName))));
                break;
        }
    }

    /// <summary>Names in a type: itself and its generic arguments, arrays and pointers taken off.</summary>
    static IEnumerable<string> Flat(TypeReference? type)
    {
        switch (type)
        {
            case null or GenericParameter: yield break;
            case GenericInstanceType generic:
                foreach (var name in Flat(generic.ElementType).Concat(generic.GenericArguments.SelectMany(Flat))) yield return name;
                break;
            case TypeSpecification wrapped:
                foreach (var name in Flat(wrapped.ElementType)) yield return name;
                break;
            default:
                yield return type.FullName.Replace('/', '.');
                break;
        }
    }

    /// <summary>The type and what the compiler made inside it.</summary>
    public static IEnumerable<TypeDefinition> Parts(TypeDefinition type) => type.NestedTypes.Where(Made).SelectMany(Parts).Prepend(type);

    public static bool Made(TypeDefinition type) => type.Name.Contains('<', StringComparison.Ordinal) || (type.DeclaringType is { } holder && Made(holder));

    /// <summary>Namespace of a type or of the type that holds it.</summary>
    public static string NamespaceOf(TypeDefinition type) => type.DeclaringType is { } holder ? NamespaceOf(holder) : type.Namespace;

    static IEnumerable<TypeDefinition> WithNested(TypeDefinition type) => type.NestedTypes.SelectMany(WithNested).Prepend(type);

    static ModuleDefinition Load(string file)
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(AppContext.BaseDirectory);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location)!);
        return ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, file), new ReaderParameters { AssemblyResolver = resolver, InMemory = true });
    }
}
