using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Tests;

/// <summary>Two kinds of signature under each checkpoint, and how keys change.</summary>
public sealed class CheckpointKeyTests : IDisposable
{
    readonly TestStore store = new();
    readonly List<LedgerKeys> owned = [];
    int number;

    static LedgerKey New(NoteKeyType type = NoteKeyType.Ed25519) => LedgerKey.Create(TestStore.Origin, type);

    LedgerKeys Keys(params LedgerKey[] keys)
    {
        owned.Add(new LedgerKeys(keys));
        return owned[^1];
    }

    void Start(LedgerKeys keys)
    {
        store.Keys = keys;
        store.Reopen();
    }

    void Enter()
    {
        var entry = TestStore.Entry(++number);
        store.Commit(b => { b.Log(entry, EntryKind.Start); return true; });
    }

    /// <summary>One more entry, and a checkpoint over it.</summary>
    void Grow()
    {
        Enter();
        Assert.True(store.Checkpoints.Step(TestStore.Start.AddSeconds(number * 10)));
    }

    static VerifierKey[] Signers(string note, params IEnumerable<VerifierKey> known) =>
        [.. SignedNote.Open(Encoding.UTF8.GetBytes(note), [.. known]).Verified.Select(l => known.First(l.IsBy))];

    [Fact]
    public void Each_checkpoint_is_signed_with_Ed25519_and_ML_DSA_44_and_who_pins_both_demands_both()
    {
        Grow();
        var note = store.Checkpoints.Newest!.Note;
        var pinned = TestStore.SharedKeys.VerifierKeys;
        Assert.Equal([NoteKeyType.Ed25519, NoteKeyType.MlDsa44Cosignature], Signers(note, pinned).Select(k => k.Type));
        Assert.Equal(1, Checkpoint.OpenBoth(Encoding.UTF8.GetBytes(note), pinned, TestStore.Origin).Size);
        // Same head, same bytes.
        Assert.Equal(note, TestStore.SharedKeys.Sign(new Checkpoint(TestStore.Origin, 1, store.Checkpoints.Newest.Root)));
        foreach (var line in SignedNote.Read(Encoding.UTF8.GetBytes(note)).Lines)
        {
            var less = Encoding.UTF8.GetBytes(note.Replace(line.Line + "\n", "", StringComparison.Ordinal));
            Assert.Equal(Refusal.Note, Assert.Throws<RefusedException>(() => Checkpoint.OpenBoth(less, pinned, TestStore.Origin)).Refusal);
        }
        // A head under a name that nobody pinned tells what to do, and not the name that it gives itself.
        Assert.Equal(Checkpoint.OtherLedger, Assert.Throws<RefusedException>(() => Checkpoint.OpenBoth(Encoding.UTF8.GetBytes(note), pinned, TestStore.Origin + "-2")).Detail);
    }

    [Fact]
    public void A_kept_note_stays_as_it_was_published_whichever_keys_sign_now()
    {
        var (first, second) = (New(), New(NoteKeyType.MlDsa44Cosignature));
        Start(Keys(first));
        Grow();
        var note = store.Checkpoints.Newest!.Note;
        Start(Keys(first, second));
        Assert.Equal(note, store.Checkpoints.Newest!.Note);
        Assert.Equal(note, Assert.Single(store.Guard.Notes()).Note);
        Grow();
        Assert.Equal(2, Signers(store.Checkpoints.Newest!.Note, first.VerifierKey, second.VerifierKey).Length);
    }

    [Fact]
    public void A_crash_between_swap_and_publication_is_finished_with_the_keys_of_the_next_start()
    {
        var (old, next) = (New(), New());
        Start(Keys(old));
        Grow();
        Enter();
        var head = store.Head();
        Assert.True(store.Guard.CompareAndSwap(store.Guard.Head, (head.Size, head.Root)));
        Start(Keys(old, next));
        Assert.Equal(2, Signers(store.Checkpoints.Newest!.Note, old.VerifierKey, next.VerifierKey).Length);
    }

    [Fact]
    public void Keys_that_change_with_an_overlap_leave_a_ledger_that_fsck_finds_good()
    {
        var (old, next, mldsa, mldsaNext) = (New(), New(), New(NoteKeyType.MlDsa44Cosignature), New(NoteKeyType.MlDsa44Cosignature));
        Start(Keys(old));
        Grow();
        Start(Keys(old, mldsa));
        Grow();
        Start(Keys(old, mldsa, next));
        Grow();
        Start(Keys(next, mldsa));
        Grow();
        Start(Keys(next, mldsa, mldsaNext));
        Grow();
        Start(Keys(next, mldsaNext));
        Grow();
        var pins = new LedgerPins(TestStore.Origin, [.. new[] { old, next, mldsa, mldsaNext }.Select(k => k.VerifierKey)]);
        var findings = LedgerCheck.Check(new Exported(store), pins);
        Assert.True(findings.ExitCode == 0, string.Join('\n', findings.All));
    }

    [Fact]
    public void Keys_without_an_overlap_do_not_start_and_are_what_fsck_refuses()
    {
        var (old, next) = (New(), New());
        Start(Keys(old));
        Grow();
        var refused = Assert.Throws<CannotStartException>(() => Start(Keys(next)));
        Assert.Contains("overlap", refused.Message, StringComparison.Ordinal);

        Start(Keys(old, New()));
        Grow();
        // What a gateway without that check would have left.
        var export = new Exported(store);
        export.Resign(2, Keys(next));
        var findings = LedgerCheck.Check(export, new LedgerPins(TestStore.Origin, [old.VerifierKey, next.VerifierKey]));
        Assert.Contains(findings.All, f => f.Kind == FindingKind.Bad && f.Check == "key" && f.Detail!.Contains("overlap", StringComparison.Ordinal));
    }

    [Fact]
    public void A_kind_of_signature_that_was_there_does_not_go_missing()
    {
        var (classic, mldsa) = (New(), New(NoteKeyType.MlDsa44Cosignature));
        Start(Keys(classic, mldsa));
        Grow();
        Grow();
        Assert.Contains("ML-DSA-44", Assert.Throws<CannotStartException>(() => Start(Keys(classic))).Message, StringComparison.Ordinal);

        Start(Keys(classic, mldsa));
        var export = new Exported(store);
        export.Resign(2, Keys(classic));
        var findings = LedgerCheck.Check(export, new LedgerPins(TestStore.Origin, [classic.VerifierKey, mldsa.VerifierKey]));
        Assert.Contains(findings.All, f => f.Kind == FindingKind.Bad && f.Check == "key" && f.Detail!.Contains("lacks a kind", StringComparison.Ordinal));
    }

    [Fact]
    public void The_first_key_is_Ed25519_and_none_stands_twice_or_of_another_ledger()
    {
        using var classic = New();
        Assert.Throws<ArgumentException>(() => new LedgerKeys(New(NoteKeyType.MlDsa44Cosignature), classic));
        Assert.Throws<ArgumentException>(() => new LedgerKeys(classic, classic));
        Assert.Throws<ArgumentException>(() => new LedgerKeys(classic, LedgerKey.Create("another/ledger", NoteKeyType.Ed25519)));
        Assert.Throws<ArgumentException>(() => new LedgerKeys());
    }

    public void Dispose()
    {
        store.Dispose();
        foreach (var keys in owned) keys.Dispose();
    }

    /// <summary>What an auditor gets of a ledger of fewer than 256 entries.</summary>
    sealed class Exported : ILedgerFiles
    {
        readonly Dictionary<string, byte[]> files = [];

        public Exported(TestStore store)
        {
            var ledger = new LedgerReader(store.Engine, store.Checkpoints);
            var size = (int)store.Checkpoints.Newest!.Size;
            files[new TilePath(0, 0, size).ToString()] = ledger.Tile(0, 0, size)!;
            files[new TilePath(TilePath.Entries, 0, size).ToString()] = ledger.EntryBundle(0, size)!;
            files[LedgerCheck.Newest] = Encoding.UTF8.GetBytes(store.Checkpoints.Newest.Note);
            foreach (var note in store.Guard.Notes()) files[LedgerCheck.KeptPath(note.Size)] = Encoding.UTF8.GetBytes(note.Note);
        }

        public void Resign(long size, LedgerKeys keys)
        {
            var path = LedgerCheck.KeptPath(size);
            var head = Checkpoint.Parse(SignedNote.Read(files[path]).Text);
            files[path] = files[LedgerCheck.Newest] = Encoding.UTF8.GetBytes(keys.Sign(head));
        }

        public byte[]? Read(string path, int limit) => files.GetValueOrDefault(path);

        public IEnumerable<string> List(string folder) => files.Keys.Where(f => f.StartsWith(folder + "/", StringComparison.Ordinal))
            .Select(f => f[(folder.Length + 1)..]).Select(f => f.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? f[..(slash + 1)] : f).Distinct();
    }
}
