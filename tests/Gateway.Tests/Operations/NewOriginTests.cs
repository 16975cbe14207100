using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

/// <summary>The way on for a store that its guard refuses: the same tree under a new name, whose first entry admits what is lost.</summary>
public sealed class NewOriginTests : IAsyncLifetime
{
    const string Next = "gateway.dev.exchange/ledger-2";
    static readonly FileKey[] Administrators = [DevPkiFolder.Key("officers", "directory-1.p12"), DevPkiFolder.Key("officers", "directory-2.p12")];
    // Beside the data folder, so that it can be moved there.
    readonly string outside = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "work", "origin-" + Guid.CreateVersion7().ToString("N"))).FullName;
    TestGateway gateway = null!;
    string Old { get; set; } = "";
    string At(string name) => Path.Combine(outside, name);
    string GuardFile => Guard.FileIn(gateway.Data + ".guard");

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start(options: o => o with { Administrators = [.. Administrators.Select(a => a.Certificate.Key)] });
        Old = gateway.Host.Shared.Options.Origin;
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        Directory.Delete(outside, recursive: true);
    }

    /// <summary>One dispatch before a copy was taken and one after it; then the copy is put back. On return the gateway is stopped, behind its guard.</summary>
    async Task<((SealedEnvelope Envelope, byte[] File) Kept, (SealedEnvelope Envelope, byte[] File) Lost, SignedHead Copied, SignedHead Signed)> Restored()
    {
        var kept = await Accepted();
        await gateway.Host.DisposeAsync();
        var copied = HeadOf(Old);
        Copy(gateway.Data, At("copy"));
        await gateway.Restart();
        var lost = await Accepted();
        await gateway.Host.DisposeAsync();
        var signed = HeadOf(Old);
        Assert.True(signed.Size > copied.Size);
        PutBack("copy", "newer");
        return (kept, lost, copied, signed);
    }

    async Task<(SealedEnvelope, byte[])> Accepted()
    {
        var (envelope, file) = await gateway.SealFile("H41");
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        await Grown();
        return (envelope, file);
    }

    // A checkpoint is due after a while only.
    async Task Grown()
    {
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        await gateway.Host.Loops.StepAll();
    }

    void PutBack(string copy, string aside)
    {
        Directory.Move(gateway.Data, At(aside));
        Copy(At(copy), gateway.Data);
    }

    static void Copy(string from, string to)
    {
        foreach (var folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories).Prepend(from)) Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories)) File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    SignedHead HeadOf(string origin)
    {
        using var guard = Guard.OpenReadOnly(GuardFile, origin);
        return new(guard.Head.Size, guard.Head.Root);
    }

    OperationStatement Wanted(string origin = Next)
    {
        var order = JsonDocument.Parse(NewOrigin.Order(gateway.Data, origin, "RESTORED")).RootElement;
        var next = order.GetProperty("succession");
        return new()
        {
            V = 1, Type = OperationStatement.TypeName, Signers = [.. Administrators.Select(a => a.Certificate.Key)], Gateway = order.GetProperty("gateway").GetString()!, Act = order.GetProperty("act").GetString()!, Parcels = [],
            Succession = new(next.GetProperty("origin").GetString()!, next.GetProperty("size").GetInt64(), Digest.TryParse(next.GetProperty("root").GetString(), out var root) ? root : default),
            Code = order.GetProperty("code").GetString()!, Issued = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds(),
        };
    }

    byte[] Signed(OperationStatement wanted, params FileKey[] by) => Statement.Sign(wanted with { Signers = [.. by.Select(k => k.Certificate.Key)] }, by, gateway.Clock.GetUtcNow()).Der.ToArray();

    NewOriginRequest Request(byte[] operation, string origin = Next) => new(gateway.Data, origin, operation, At(Slug(origin) + ".key"), At(Slug(origin) + "-mldsa.key"));

    static string Slug(string origin) => origin.Replace('/', '-');

    Task<SuccessionDetail> Run(byte[] operation, string origin = Next, Action<string>? step = null) => NewOrigin.Run(Request(operation, origin), gateway.Clock, step);

    async Task<string> Refused() => (await Assert.ThrowsAsync<CannotStartException>(gateway.Restart)).Message;

    Task<Answer> Get(string path, string office = "G22") => TestGateway.Send(gateway.As(office), HttpMethod.Get, path);

    async Task<Checkpoint> Newest()
    {
        var options = gateway.Host.Shared.Options;
        return Checkpoint.OpenBoth((await Get("/ledger/checkpoint")).Body, [.. CheckpointKeys.List(gateway.Data).Select(k => k.Key)], options.Origin);
    }

    async Task<bool> Continues(SignedHead old, Checkpoint now) => await Get($"/ledger/consistency?from={old.Size}&to={now.Size}") is { Status: 200 } answer
        && MerkleTree.VerifyConsistency(old.Size, old.Root, now.Size, now.Root, [.. answer.Json.GetProperty("proof").EnumerateArray().Select(d => Digest.TryParse(d.GetString(), out var node) ? node : default)]);

    async Task<SuccessionDetail> Shown(Checkpoint now)
    {
        var begun = (await Get("/ledger/succession")).Json;
        var entry = new LedgerEntry(Digest.TryParse(begun.GetProperty("salt").GetString(), out var salt) ? salt.ToArray() : [], Encoding.UTF8.GetBytes(begun.GetProperty("detail").GetString()!));
        var proof = (await Get($"/ledger/inclusion?leaf={entry.Leaf}&size={now.Size}")).Json;
        return Succession.Open(entry, proof.GetProperty("index").GetInt64(), [.. proof.GetProperty("proof").EnumerateArray().Select(d => Digest.TryParse(d.GetString(), out var node) ? node : default)], now);
    }

    [Fact]
    public async Task A_restored_store_goes_on_under_a_new_name_and_its_first_entry_admits_what_is_lost()
    {
        var (kept, lost, copied, signed) = await Restored();
        Assert.Contains("new-origin", await Refused(), StringComparison.Ordinal);

        var done = await Run(Signed(Wanted(), Administrators));
        Assert.Equal((Next, "RESTORED", copied.Size), (done.Origin, done.Code, done.Had));
        var ended = Assert.Single(done.Follows);
        Assert.Equal((Old, signed.Size, signed.Root, copied.Size, true), (ended.Origin, ended.Size, ended.Root, ended.Common, ended.HasGap));
        await gateway.Restart();
        await Grown();

        // One proof leads from what was signed before the copy; the admission is in the tree, and is what the ledger begins with.
        var now = await Newest();
        Assert.Equal(Next, now.Origin);
        Assert.True(await Continues(copied, now));
        Assert.False(await Continues(signed, now));
        Assert.Equal(done, await Shown(now));
        Assert.Equal(SuccessionVerdict.AdmittedLost, Succession.Judge(done, new Checkpoint(Old, signed.Size, signed.Root), false).Verdict);

        // What the store had goes on, also what is asked for under the old name; what it has lost comes back sealed anew only.
        Assert.Equal(1, (await Get("/mailbox", "H41")).Json.GetProperty("parcels").GetArrayLength());
        var again = await gateway.Submit(kept.File);
        Assert.Equal((200, Old), (again.Status, again.Receipt.Issuer));
        var refused = await gateway.Submit(lost.File);
        Assert.Equal((422, "E_OTHER_GATEWAY"), (refused.Status, refused.Code));
        var (_, fresh) = await gateway.SealFile("H41");
        var taken = await gateway.Submit(fresh);
        Assert.Equal((201, Next), (taken.Status, taken.Receipt.Issuer));

        // Heads of the old name may be asked for by it, those of names that are nobody's here may not.
        Assert.Contains((await Get($"/ledger/checkpoints?origin={Old}")).Json.GetProperty("checkpoints").EnumerateArray(), c => c.GetProperty("size").GetInt64() == signed.Size);
        Assert.Equal(200, (await Get($"/ledger/checkpoints/{signed.Size}?origin={Old}")).Status);
        Assert.Equal(404, (await Get($"/ledger/checkpoints/{signed.Size}")).Status);
        Assert.Equal(404, (await Get("/ledger/checkpoints?origin=other/ledger")).Status);
        Assert.Equal(400, (await Get("/ledger/checkpoints?origin=")).Status);

        // Whoever takes the new pins finds the old keys in them.
        var target = At("pins");
        using (var equipment = Equipment.Open(gateway.Data, Configuration.Read(gateway.Data), gateway.Clock)) Export.Run(Configuration.Read(gateway.Data), equipment, gateway.Host.Shared.Worlds.Current, target, officers: false);
        var pins = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(target, "pins.json"))).RootElement;
        Assert.Equal(Next, pins.GetProperty("origin").GetString());
        Assert.Equal([Next, Next, Old, Old], pins.GetProperty("checkpointKeys").EnumerateArray().Select(k => VerifierKey.Parse(k.GetString()!).Name).Prepend(VerifierKey.Parse(pins.GetProperty("checkpointKey").GetString()!).Name));
        Assert.Empty(StoreCheck.Run(gateway.Host.Shared.Engine, gateway.Host.Shared.Blobs, []));
    }

    [Fact]
    public async Task Only_two_administrators_who_name_the_very_head_change_anything()
    {
        await Restored();
        var (wanted, settings) = (Wanted(), File.ReadAllBytes(Path.Combine(gateway.Data, "gateway.json")));
        var next = wanted.Succession!;
        var stranger = DevPkiFolder.Key("officers", "policy-1.p12");
        (OperationStatement Wanted, FileKey[] By, Refusal Told)[] wrong =
        [
            (wanted, [Administrators[0], stranger], Crypto.Refusal.Officers),
            (wanted with { Succession = next with { Root = Digest.Of([1]) } }, Administrators, Crypto.Refusal.Fork),
            (wanted with { Succession = next with { Size = next.Size - 1 } }, Administrators, Crypto.Refusal.Fork),
            (wanted with { Succession = next with { Origin = "gateway.dev.exchange/ledger-3" } }, Administrators, Crypto.Refusal.Request),
            (wanted with { Gateway = "other/ledger" }, Administrators, Crypto.Refusal.OtherGateway),
            (wanted with { Succession = null }, Administrators, Crypto.Refusal.Request),
            (wanted with { Act = OperationStatement.Discard, Parcels = [Guid.CreateVersion7()] }, Administrators, Crypto.Refusal.Request),
        ];
        foreach (var (content, by, told) in wrong) Assert.Equal(told, (await Assert.ThrowsAsync<RefusedException>(() => Run(Signed(content, by)))).Refusal);
        // One signature of two makes no statement at all.
        await Assert.ThrowsAsync<RefusedException>(() => Run(PartlySigned.Begin(wanted, Administrators[0], gateway.Clock.GetUtcNow()).Der.ToArray()));
        // Nobody named who may sign; the name that it has; no name.
        var good = Signed(wanted, Administrators);
        Change(json => json.Remove("administrators"));
        Assert.Contains("administrators", (await Assert.ThrowsAsync<OptionsException>(() => Run(good))).Message, StringComparison.Ordinal);
        File.WriteAllBytes(Path.Combine(gateway.Data, "gateway.json"), settings);
        await Assert.ThrowsAsync<OptionsException>(() => Run(good, Old));
        await Assert.ThrowsAsync<OptionsException>(() => Run(good, "two words"));
        // A key that signed under the old name.
        File.Copy(DevPkiFolder.At("gateway", "checkpoint.key"), At(Slug(Next) + ".key"));
        Assert.Contains("a ledger that ended", (await Assert.ThrowsAsync<OptionsException>(() => Run(good))).Message, StringComparison.Ordinal);
        File.Delete(At(Slug(Next) + ".key"));

        Assert.Equal(settings, File.ReadAllBytes(Path.Combine(gateway.Data, "gateway.json")));
        Assert.Contains("restored from an older copy", await Refused(), StringComparison.Ordinal);
        Assert.Equal((next.Size, next.Root), (HeadOf(Old).Size, HeadOf(Old).Root));
        Assert.Throws<CannotStartException>(() => Guard.Open(GuardFile, Next));
        await Run(good);
        await gateway.Restart();
    }

    [Fact]
    public async Task A_running_gateway_is_left_alone()
    {
        await Accepted();
        var operation = Signed(Wanted(), Administrators);
        Assert.Contains("Another gateway runs", (await Assert.ThrowsAsync<CannotStartException>(() => Run(operation))).Message, StringComparison.Ordinal);
        await Accepted();
        // The head has moved since it was signed.
        await gateway.Host.DisposeAsync();
        Assert.Equal(Crypto.Refusal.Fork, (await Assert.ThrowsAsync<RefusedException>(() => Run(operation))).Refusal);
        await gateway.Restart();
    }

    [Fact]
    public async Task Dead_at_any_step_the_same_command_finishes_it_and_nothing_is_signed_under_the_old_name_in_between()
    {
        await Restored();
        var operation = Signed(Wanted(), Administrators);
        SuccessionDetail? first = null;
        foreach (var at in new[] { "keys", "guard", "entry", "settings" })
        {
            await Assert.ThrowsAsync<KilledHere>(() => Run(operation, step: name => { if (name == at) throw new KilledHere(); }));
            var refused = await Refused();
            Assert.Contains(at is "keys" or "guard" ? "restored from an older copy" : $"{Next} follows it", refused, StringComparison.Ordinal);
            if (at is "keys" or "guard") continue;
            using var any = Guard.OpenAny(GuardFile, Old);
            using var guard = any.Of(Next);
            var begun = (SuccessionDetail)EntryDetails.Read(guard.Succession!.Detail);
            Assert.Equal(first ??= begun, begun);
            // Another operation does not get hold of what this one began.
            Assert.Contains("another operation", (await Assert.ThrowsAsync<OptionsException>(() => Run(Signed(Wanted2(operation), Administrators)))).Message, StringComparison.Ordinal);
        }
        Assert.Equal(first, await Run(operation));
        // And again, when all is done.
        Assert.Equal(first, await Run(operation));
        await gateway.Restart();
        using (var reader = gateway.Host.Shared.Engine.Reader()) Assert.Single(EntryTable.Walk(reader), e => e.Entry.Kind == EntryKind.Succession);
        await Grown();
        Assert.Equal(first, await Shown(await Newest()));
        await gateway.Host.DisposeAsync();
        Assert.Equal(first, await Run(operation));
        await gateway.Restart();
    }

    static OperationStatement Wanted2(byte[] operation) => Statement.Read(operation, StatementType.Operation).As<OperationStatement>() with { Code = "OTHER" };

    sealed class KilledHere : Exception;

    [Fact]
    public async Task No_store_of_the_old_name_signs_again_neither_the_lost_one_nor_a_clone_that_runs()
    {
        var (_, _, _, signed) = await Restored();
        // A clone that is running holds the guard open.
        using var clone = Guard.Open(GuardFile, Old);
        var operation = Signed(Wanted(), Administrators);
        await Run(operation);
        Assert.False(clone.CompareAndSwap((signed.Size, signed.Root), (signed.Size + 5, Digest.Of([5]))));
        Assert.Throws<CannotStartException>(() => Guard.Create(GuardFile, Old));
        await gateway.Restart();
        await Grown();
        await gateway.Host.DisposeAsync();

        // The lost store is found again: under its own settings, and under those of the new name.
        Directory.Move(gateway.Data, At("good"));
        Directory.Move(At("newer"), gateway.Data);
        Assert.Contains($"{Next} follows it", await Refused(), StringComparison.Ordinal);
        // Nor does the command take it for the store that it began with.
        Assert.Contains("has gone on", (await Assert.ThrowsAsync<OptionsException>(() => Run(operation))).Message, StringComparison.Ordinal);
        File.Copy(Path.Combine(At("good"), "gateway.json"), Path.Combine(gateway.Data, "gateway.json"), overwrite: true);
        Assert.Contains("continues another copy", await Refused(), StringComparison.Ordinal);
        Directory.Delete(gateway.Data, recursive: true);
        Directory.Move(At("good"), gateway.Data);
        await gateway.Restart();
    }

    [Fact]
    public async Task When_the_new_ledger_is_lost_as_well_the_same_old_copy_goes_on_once_more_and_both_losses_are_admitted()
    {
        var (_, _, copied, signed) = await Restored();
        var first = await Run(Signed(Wanted(), Administrators));
        await gateway.Restart();
        await Accepted();
        await gateway.Host.DisposeAsync();
        var second = HeadOf(Next);
        PutBack("copy", "lost again");
        Assert.Contains($"{Next} follows it", await Refused(), StringComparison.Ordinal);

        const string third = "gateway.dev.exchange/ledger-3";
        var wanted = Wanted(third);
        Assert.Equal((Next, second.Size), (wanted.Gateway, wanted.Succession!.Size));
        var done = await Run(Signed(wanted, Administrators), third);
        // Nothing that was signed under the second name is in the copy, not even the entry with which it began.
        Assert.Equal([(Next, second.Size, second.Root, 0L), (Old, signed.Size, signed.Root, copied.Size)], done.Follows.Select(f => (f.Origin, f.Size, f.Root, f.Common)));
        Assert.NotEqual(first, done);
        await gateway.Restart();
        await Grown();
        var now = await Newest();
        Assert.True(await Continues(copied, now));
        Assert.Equal(done, await Shown(now));
        Assert.Equal(200, (await Get($"/ledger/checkpoints/{second.Size}?origin={Next}")).Status);
        // A gateway that goes on needs no gap: here its keys are said to be lost.
        await gateway.Host.DisposeAsync();
        const string fourth = "gateway.dev.exchange/ledger-4";
        var last = await Run(Signed(Wanted(fourth) with { Code = "KEYS_LOST" }, Administrators), fourth);
        Assert.Equal([false, true, true], last.Follows.Select(f => f.HasGap));
        await gateway.Restart();
        await Grown();
        Assert.True(await Continues(new(last.Follows[0].Size, last.Follows[0].Root), await Newest()));
    }

    [Fact]
    public async Task What_was_held_under_the_old_name_is_released_under_the_new_one()
    {
        var (envelope, file) = await gateway.SealFile("H41", "toi-mat");
        Assert.Equal(202, (await gateway.Submit(file)).Status);
        await Grown();
        await gateway.Host.DisposeAsync();
        await Run(Signed(Wanted(), Administrators));
        await gateway.Restart();
        var id = EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;
        foreach (var person in new[] { "release-1", "release-2" })
            Assert.Equal(201, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, $"/dispatches/{id}/approvals", gateway.Word(envelope, person))).Status);
        Assert.Equal("accepted", (await Get($"/dispatches/{id}")).Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task The_new_ledger_is_good_for_fsck_with_what_was_kept_of_the_old_one()
    {
        var (_, _, copied, signed) = await Restored();
        string NoteOf(long size)
        {
            using var guard = Guard.OpenReadOnly(GuardFile, Old);
            return guard.Notes().Single(n => n.Size == size).Note;
        }
        var (before, gone) = (NoteOf(copied.Size), NoteOf(signed.Size));
        await Run(Signed(Wanted(), Administrators));
        await gateway.Restart();
        await Grown();
        var options = gateway.Host.Shared.Options;
        using var equipment = Equipment.Open(gateway.Data, options, gateway.Clock);
        var pins = new LedgerPins(Next, [.. equipment.Checkpoint.VerifierKeys, .. options.Keys.CheckpointFormer.Select(VerifierKey.Parse)]);
        var files = new ExportedLedger(gateway.Host.Shared.Ledger, gateway.Host.Shared.Engine);

        EvidencePart Part(string name, string note) => new(name, Encoding.UTF8.GetBytes(note));
        var good = LedgerCheck.Check(files, pins with { Known = [Part("before", before)] });
        Assert.True(good.ExitCode == 0, string.Join('\n', good.All));
        var admitted = LedgerCheck.Check(files, pins with { Known = [Part("gone", gone)] });
        Assert.Equal((2, "succession"), (admitted.ExitCode, Assert.Single(admitted.All, f => f.Kind == FindingKind.Incomplete).Check));
        // Somebody with the old keys shows a head that nobody admitted.
        using var old = LedgerKey.Load(DevPkiFolder.At("gateway", "checkpoint.key"), DevPkiFolder.Passphrase, Old);
        foreach (var forged in new[] { new Checkpoint(Old, signed.Size, Digest.Of([1])), new Checkpoint(Old, signed.Size + 1, Digest.Of([1])), new Checkpoint(Old, copied.Size, Digest.Of([1])) })
            Assert.Contains(LedgerCheck.Check(files, pins with { Known = [Part("forged", $"{forged.Text}\n{old.SignLine(forged)}")] }).All, f => f is { Kind: FindingKind.Bad, Part: "forged", Check: "succession", Code: "E_FORK" });
    }

    void Change(Action<JsonObject> change)
    {
        var file = Path.Combine(gateway.Data, "gateway.json");
        var settings = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
        change(settings);
        File.WriteAllText(file, settings.ToJsonString());
    }
}
