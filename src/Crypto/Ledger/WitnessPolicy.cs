using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// C2SP tlog-policy: which ledgers and which witnesses count, and when there are enough of them. A text of lines "log VKEY [URL]", "witness NAME VKEY [URL]",
/// "group NAME all|any|K MEMBER…", "quorum NAME|none"; "#" begins a comment. A checkpoint is valid if one of the logs signed it and the quorum cosigned it.
/// </summary>
/// <param name="Logs">Keys of type 01 or 06; the name of each is its ledger's origin.</param>
/// <param name="Witnesses">Keys of type 04 or 06.</param>
public sealed record WitnessPolicy(IReadOnlyList<PolicyLog> Logs, IReadOnlyList<PolicyWitness> Witnesses)
{
    public const int MaxBytes = 1 << 20;
    const int MaxLines = 10_000;
    const string None = "none";
    static readonly char[] White = [' ', '\t'];

    Member? quorum;

    /// <summary>False: no witness is asked for.</summary>
    public bool AsksForWitnesses => quorum is not null;

    /// <summary>Whether these cosigners are enough.</summary>
    /// <param name="cosigned">Keys by which a cosignature of the one checkpoint has been verified.</param>
    public bool IsQuorum(IReadOnlyCollection<VerifierKey> cosigned) => quorum is null || quorum.Holds(cosigned.ToHashSet());

    /// <summary>Keys of the ledger of this origin.</summary>
    public IReadOnlyList<VerifierKey> KeysOf(string origin) => [.. Logs.Select(l => l.Key).Where(k => k.Name == origin)];

    /// <summary>Verifies a note as the policy asks and reads the checkpoint in it.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>: of no listed ledger, not signed by it, a line of a known key that does not verify, or no quorum.</exception>
    public Checkpoint Open(ReadOnlySpan<byte> note)
    {
        var (checkpoint, cosigned) = OpenWithout(note);
        return IsQuorum(cosigned) ? checkpoint : throw new RefusedException(Refusal.Note, "not cosigned by enough witnesses");
    }

    /// <summary>As <see cref="Open"/>, but whether the witnesses are enough is left to the caller.</summary>
    public (Checkpoint Checkpoint, IReadOnlyList<VerifierKey> Cosigned) OpenWithout(ReadOnlySpan<byte> note)
    {
        var checkpoint = Checkpoint.Parse(SignedNote.Read(note).Text);
        var keys = KeysOf(checkpoint.Origin);
        if (keys.Count == 0) throw new RefusedException(Refusal.Note, "of a ledger that the policy does not list");
        // One key may be a witness's and the ledger's: then it is one key of the note.
        var witnesses = Witnesses.Select(w => w.Key).ToArray();
        var lines = SignedNote.Open(note, [.. keys.Union(witnesses)]).Verified;
        if (!lines.Any(l => keys.Any(l.IsBy))) throw new RefusedException(Refusal.Note, "no verifiable signatures");
        return (checkpoint, [.. witnesses.Where(w => lines.Any(l => l.IsBy(w)))]);
    }

    /// <exception cref="RefusedException"><see cref="Refusal.WitnessPolicy"/>; the detail names the line.</exception>
    public static WitnessPolicy Parse(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaxBytes) throw new RefusedException(Refusal.WitnessPolicy, "too long");
        if (text.ContainsAnyInRange((byte)0, (byte)8) || text.ContainsAnyInRange((byte)11, (byte)31) || text.Contains((byte)127)) throw new RefusedException(Refusal.WitnessPolicy, "control character");
        var reader = new Reader();
        var number = 0;
        // Names are octets to this format: one character per octet compares them as such.
        foreach (var line in Encoding.Latin1.GetString(text).Split('\n'))
        {
            if (++number > MaxLines) throw new RefusedException(Refusal.WitnessPolicy, "too many lines");
            var items = line.Split(White, StringSplitOptions.RemoveEmptyEntries);
            if (items.Length == 0 || items[0].StartsWith('#')) continue;
            if (!reader.Read(items)) throw new RefusedException(Refusal.WitnessPolicy, string.Create(CultureInfo.InvariantCulture, $"line {number}"));
        }
        return reader.Policy ?? throw new RefusedException(Refusal.WitnessPolicy, "no quorum line");
    }

    sealed class Reader
    {
        readonly List<PolicyLog> logs = [];
        readonly List<PolicyWitness> witnesses = [];
        readonly Dictionary<string, Member> named = [];
        readonly HashSet<string> taken = [];
        Member? quorum;
        bool hasQuorum;

        public WitnessPolicy? Policy => hasQuorum ? new WitnessPolicy(logs, witnesses) { quorum = quorum } : null;

        public bool Read(string[] items) => items switch
        {
            ["log", var key, .. { Length: <= 1 } url] => Log(key, Url(url)),
            ["witness", var name, var key, .. { Length: <= 1 } url] => Witness(name, key, Url(url)),
            ["group", var name, var threshold, .. { Length: >= 1 } of] => Group(name, threshold, of),
            ["quorum", var name] => Quorum(name),
            _ => false,
        };

        bool Log(string text, string? url)
        {
            if (Key(text) is not { Type: NoteKeyType.Ed25519 or NoteKeyType.MlDsa44Cosignature } key || logs.Any(l => IsSame(l.Key, key))) return false;
            logs.Add(new PolicyLog(key, url));
            return true;
        }

        bool Witness(string name, string text, string? url)
        {
            if (Key(text) is not { IsCosigner: true } key || witnesses.Any(w => IsSame(w.Key, key)) || !IsFree(name)) return false;
            witnesses.Add(new PolicyWitness(Utf8(name), key, url));
            named.Add(name, new Member(key, 1, []));
            return true;
        }

        bool Group(string name, string threshold, string[] of)
        {
            // Each name in one group and there once, so that nobody counts twice.
            if (!IsFree(name) || of.Any(m => !named.ContainsKey(m) || !taken.Add(m))) return false;
            var k = threshold switch { "any" => 1, "all" => of.Length, _ => Number(threshold) };
            if (k < 1 || k > of.Length) return false;
            named.Add(name, new Member(null, k, [.. of.Select(m => named[m])]));
            return true;
        }

        bool Quorum(string name)
        {
            if (hasQuorum || (name != None && !named.TryGetValue(name, out quorum))) return false;
            return hasQuorum = true;
        }

        bool IsFree(string name) => name != None && !named.ContainsKey(name);

        // The same key under another name or type is the same key.
        static bool IsSame(VerifierKey a, VerifierKey b) => a.PublicKey.Span.SequenceEqual(b.PublicKey.Span);

        static VerifierKey? Key(string text) => VerifierKey.TryParse(Utf8(text), out var key) ? key : null;

        static string? Url(string[] url) => url.Length == 0 ? null : Utf8(url[0]);

        static string Utf8(string octets) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(octets));

        static int Number(string text) =>
            text.All(char.IsAsciiDigit) && text[0] != '0' && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var k) ? k : 0;
    }

    /// <summary>A witness (its key) or a group (how many of which).</summary>
    sealed record Member(VerifierKey? Key, int Threshold, IReadOnlyList<Member> Of)
    {
        public bool Holds(IReadOnlySet<VerifierKey> cosigned) => Key is not null ? cosigned.Contains(Key) : Of.Count(m => m.Holds(cosigned)) >= Threshold;
    }
}

/// <param name="Url">Where it is found; the format says no more.</param>
public sealed record PolicyLog(VerifierKey Key, string? Url);

/// <param name="Name">In the policy only.</param>
/// <param name="Url">Submission prefix of tlog-witness.</param>
public sealed record PolicyWitness(string Name, VerifierKey Key, string? Url);
