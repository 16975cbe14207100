using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Trust;

/// <summary>Each rule about the form of directory, cards and standing, broken alone in one that is good besides.</summary>
public sealed class DirectoryFormTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly Digest Some = Digest.Of("some"u8);

    static readonly DirectoryStatement Directory = Pki.NewDirectory(1, null, Pki.Offices.Values.Select(o => Pki.SignCard(TestPki.NewCard(o))));
    static readonly Card Card = TestPki.NewCard(Pki["H41"]);
    static readonly Clearance Clearance = new() { Policy = "2.25.1.3.1", Classes = [10], Categories = [], ValidFrom = 0, ValidTo = 4_000_000_000_000 };
    static readonly StandingOffice Office = new("H41", Clearance, new StandingChannel("mailbox", Clearance, []), ["a", "b"]);
    static readonly StandingStatement Standing = new() { V = 1, Type = StandingStatement.TypeName, Signers = [.. Pki.DirectoryOfficerKeys], Version = 1, Issued = 0, Note = "", Offices = [Office] };

    static void Refused(IEnumerable<Action> checks) => Assert.All(checks, check => Assert.Equal(Refusal.Json, Assert.Throws<RefusedException>(check).Refusal));

    [Fact]
    public void A_directory()
    {
        DirectoryForm.Check(Directory);
        DirectoryForm.Check(Directory with { Version = 2, Previous = Some });
        var first = Directory.Offices[0];
        DirectoryOffice[] Many(int count) => [.. Enumerable.Range(0, count).Select(i => first with { Code = $"A{i:d6}" })];
        DirectoryForm.Check(Directory with { Offices = Many(100_000) });
        DirectoryStatement[] bad =
        [
            Directory with { Version = 0 }, Directory with { Version = StrictJson.MaxInteger + 1, Previous = Some }, Directory with { Issued = -1 }, Directory with { Issued = LabelForm.MaxTime + 1 },
            Directory with { Previous = Some }, Directory with { Version = 2 }, Directory with { Offices = [null!] }, Directory with { Offices = Many(100_001) }, Directory with { Offices = [.. Directory.Offices.Reverse()] },
            .. new[]
            {
                first with { Code = "g22" }, first with { Code = "-G" }, first with { Code = null! }, first with { Name = new("", "x") }, first with { Name = new("x", "") }, first with { Name = new("x", new string('x', 201)) },
                first with { Name = new("x\n", "x") }, first with { Vouched = -1 }, first with { Vouched = LabelForm.MaxTime + 1 }, first with { Parent = "H99" }, first with { Parent = first.Code },
            }.Select(o => Directory with { Offices = [o] }),
        ];
        Refused(bad.Select(d => (Action)(() => DirectoryForm.Check(d))));
    }

    [Fact]
    public void A_card()
    {
        DirectoryForm.Check(Card);
        DirectoryForm.Check(Card with { Version = 2, Previous = Some, Keys = [.. Enumerable.Repeat(Card.Keys[0], 14), .. Card.Keys[1..]], Persons = [.. Enumerable.Repeat(Card.Persons[0], 256)] });
        Card[] bad =
        [
            Card with { Office = "h41" }, Card with { Version = 0 }, Card with { Issued = -1 }, Card with { Issued = LabelForm.MaxTime + 1 }, Card with { Previous = Some },
            Card with { Keys = [] }, Card with { Keys = [.. Enumerable.Repeat(Card.Keys[0], 15), .. Card.Keys[1..]] }, Card with { Keys = [.. Card.Keys, null!] }, Card with { Keys = [.. Card.Keys, new("smile", [1])] },
            .. Card.Keys.Select(missing => Card with { Keys = [.. Card.Keys.Where(k => k != missing)] }),
            Card with { Persons = [.. Enumerable.Repeat(Card.Persons[0], 257)] }, Card with { Persons = [null!] },
            .. new string[][] { [], ["owner"], ["signatory", "clerk"], ["clerk", "clerk"] }.Select(roles => Card with { Persons = [Card.Persons[0] with { Roles = roles }] }),
        ];
        Refused(bad.Select(c => (Action)(() => DirectoryForm.Check(c))));
    }

    [Fact]
    public void A_standing()
    {
        StandingChannel folder = new("folder", null, []), mail = new("mail", null, []), sftp = new("sftp", null, []), https = new("https", null, []), gateway = new("gateway", null, []), mailbox = Office.Channel;
        StandingStatement With(StandingOffice office) => Standing with { Offices = [office] };
        StandingOffice Settings(int count, string key, string value) => Office with { Channel = folder with { Settings = new(Enumerable.Range(0, count).ToDictionary(i => $"{key}{i}", _ => value)) } };
        string[] Groups(int count) => [.. Enumerable.Range(0, count).Select(i => $"{i:d3}")];
        foreach (var good in new[] { Office, Office with { Channel = folder, Fallbacks = [mail, sftp, mailbox] }, Settings(32, "k", new string('v', 1000)), Office with { NeedToKnow = Groups(256) } }) DirectoryForm.Check(With(good));
        DirectoryForm.Check(Standing with { Note = new string('x', 1000) });
        StandingOffice[] Many(int count) => [.. Enumerable.Range(0, count).Select(i => Office with { Code = $"A{i:d6}" })];
        StandingStatement[] bad =
        [
            Standing with { Version = 0 }, Standing with { Issued = -1 }, Standing with { Note = new string('x', 1001) }, Standing with { Note = "x\n" }, Standing with { Offices = [null!] }, Standing with { Offices = Many(100_001) },
            Standing with { Offices = [Office, Office] }, Standing with { Offices = [Office, Office with { Code = "G22" }] },
            .. new[]
            {
                Office with { Code = "h41" }, Office with { Channel = folder, Fallbacks = [] }, Office with { Channel = folder, Fallbacks = [mail, sftp, https, gateway] }, Office with { Channel = folder, Fallbacks = [folder] },
                Office with { Channel = folder, Fallbacks = [null!] }, Office with { Fallbacks = [folder] }, Office with { Channel = new("pigeon", null, []) },
                Office with { NeedToKnow = Groups(257) }, Office with { NeedToKnow = [""] }, Office with { NeedToKnow = [new string('x', 65)] }, Office with { NeedToKnow = ["b", "a"] },
                Settings(33, "k", "v"), Settings(1, new string('k', 64), "v"), Settings(1, "k", new string('v', 1001)),
            }.Select(With),
        ];
        Refused(bad.Select(s => (Action)(() => DirectoryForm.Check(s))));
    }
}
