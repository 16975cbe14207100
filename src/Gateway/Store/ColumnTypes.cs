using System.Data;
using Dapper;
using Exchange.Crypto;

namespace Exchange.Gateway.Store;

/// <summary>How our values stand in columns, in both directions: ids as 16 big-endian bytes, digests as 32 bytes, enums as their number.</summary>
internal static class ColumnTypes
{
    /// <summary>Once per process; again is harmless.</summary>
    public static void Register()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.RemoveTypeMap(typeof(Guid));
        SqlMapper.RemoveTypeMap(typeof(Guid?));
        SqlMapper.AddTypeHandler(new GuidColumn());
        SqlMapper.AddTypeHandler(new DigestColumn());
    }

    /// <summary>A value as the driver takes it.</summary>
    public static object ToColumn(object? value) => value switch
    {
        null => DBNull.Value,
        Guid id => id.ToByteArray(bigEndian: true),
        Digest digest => digest.ToArray(),
        Enum number => Convert.ToInt64(number, System.Globalization.CultureInfo.InvariantCulture),
        _ => value,
    };

    sealed class GuidColumn : SqlMapper.TypeHandler<Guid>
    {
        public override Guid Parse(object value) => new((byte[])value, bigEndian: true);
        public override void SetValue(IDbDataParameter parameter, Guid value) => parameter.Value = value.ToByteArray(bigEndian: true);
    }

    sealed class DigestColumn : SqlMapper.TypeHandler<Digest>
    {
        public override Digest Parse(object value) => new((byte[])value);
        public override void SetValue(IDbDataParameter parameter, Digest value) => parameter.Value = value.ToArray();
    }
}
