using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;

namespace Exchange.Tests.Ledger;

/// <summary>An export of two units of 65,536 entries, made once for all who need it: every kind of signature, checkpoints around every border.</summary>
static class LargeExport
{
    public const string Origin = "large.exchange/ledger";
    public const int Size = 66_000;
    static readonly CheckpointKey Key = CheckpointKey.Create(Origin);
    static readonly CosignerKey MlDsa = CosignerKey.Create(Origin, NoteKeyType.MlDsa44Cosignature), Witness = CosignerKey.Create("witness.example/1", NoteKeyType.Ed25519Cosignature);
    static readonly Lazy<TestExport> Made = new(() => TestExport.Make(Origin, Size, Sign, [1, 255, 256, 257, 1000, 65_535, 65_536, 65_537, Size]));

    public static VerifierKey VerifierKey => Key.VerifierKey;

    public static LedgerPins Pins => new(Origin, [Key.VerifierKey, MlDsa.VerifierKey]);

    public static string Sign(Checkpoint head) => Key.Sign(head) + MlDsa.SignLine(head, 0) + Witness.SignLine(head, 1_800_000_000);

    /// <summary>Replace files of it, do not write into their bytes.</summary>
    public static TestExport Fresh() => Made.Value.Share();
}
