using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;
using Exchange.Tests.Recalling;

namespace Exchange.Tests.Relabelling;

/// <summary>What time does to labels, and what it must not (R15, T10, P14, P16).</summary>
public sealed class LabelTimeTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    long In(double hours) => gateway.Clock.GetUtcNow().AddHours(hours).ToUnixTimeMilliseconds();

    async Task Pass(double hours)
    {
        gateway.Clock.Advance(TimeSpan.FromHours(hours));
        await gateway.Host.Loops.StepAll();
    }

    Task<Relabel> Ending(double hours, string level = "mat") => Relabel.Accepted(gateway, level, "H41", r => r with
    {
        Label = r.Label with { Term = In(hours) }, Releasers = level == "mat" ? [] : [DevPkiFolder.Person("G22", "release-1"), DevPkiFolder.Person("G22", "release-2")],
    });

    [Fact]
    public async Task A_term_that_was_signed_ends_protection_when_it_is_over_and_not_before()
    {
        var dispatch = await Ending(24);
        await Pass(23.9);
        Assert.Equal(20, dispatch.InForce());
        await Pass(0.2);
        Assert.Equal(10, dispatch.InForce());

        var change = Assert.Single((await dispatch.Shown()).GetProperty("changes").EnumerateArray());
        Assert.Equal(("term", 0), (change.GetProperty("act").GetString(), change.GetProperty("words").GetArrayLength()));
        var (record, facts) = dispatch.Newest();
        Assert.True(Decision.Replay(record, gateway.Host.Shared.Worlds.Current.Policy));
        Assert.Equal(("term", 20), (facts.Cause, facts.Old.Class));
        Assert.Equal(["OK"], await dispatch.Receipts());
        await Pass(24);
        Assert.Single((await dispatch.Shown()).GetProperty("changes").EnumerateArray());
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task The_label_of_a_dispatch_ends_once_for_all_its_envelopes()
    {
        var (original, file) = await gateway.SendKept("H41", "H37", "mat", change: r => r with { Label = r.Label with { Term = In(24) } });
        var update = await gateway.Update(original, "H37");
        await Pass(25);
        await Pass(1);
        var dispatch = new Relabel(gateway, original, file);
        Assert.Equal(10, dispatch.InForce());
        Assert.Single((await dispatch.Shown()).GetProperty("changes").EnumerateArray());
        using var reader = gateway.Host.Shared.Engine.Reader();
        Assert.Empty(LabelTable.Of(reader, DispatchTable.Find(reader, "G22", update.IdOf())!.Id));
        Assert.Empty(LabelTable.Ending(reader, 20, default, In(0), In(0), 10));
    }

    [Fact]
    public async Task T10_a_term_that_ended_yesterday_with_an_extension_signed_before_still_protects()
    {
        var dispatch = await Ending(48);
        var extended = await dispatch.Say(await dispatch.Change(LabelAct.Extension, until: In(24 * 8), reason: "still-sensitive"));
        Assert.Equal((201, "OK"), (extended.Status, extended.Receipt.Code));
        await Pass(48 + 24);
        Assert.Equal(20, dispatch.InForce());
        // The extension is over in its turn.
        await Pass(24 * 6);
        Assert.Equal(10, dispatch.InForce());
    }

    [Fact]
    public async Task T10_a_term_that_ended_while_the_clock_is_unsure_still_protects()
    {
        var dispatch = await Ending(24);
        gateway.Clock.Jump(TimeSpan.FromHours(48));
        await gateway.Host.Loops.StepAll();
        Assert.False(gateway.Host.Shared.Circumstances.IsClockSure);
        Assert.Equal(20, dispatch.InForce());
        Assert.Empty(await dispatch.Receipts());
        // An administrator looked and started it again.
        await gateway.Restart();
        await gateway.Host.Loops.StepAll();
        Assert.Equal(10, dispatch.InForce());
    }

    [Theory, InlineData(-600), InlineData(600)]
    public async Task P16_a_clock_that_jumps_either_way_opens_nothing_more(int hours)
    {
        var (by, at) = (await Ending(400), await Ending(4000));
        var change = await at.Change(LabelAct.Succession, "thuong", at: In(200));
        await at.Say(change);
        await at.Say(change, office: "H41");
        gateway.Clock.Jump(TimeSpan.FromHours(hours));
        await gateway.Host.Loops.StepAll();
        Assert.Equal((20, 20), (by.InForce(), at.InForce()));
        gateway.Clock.Jump(TimeSpan.FromHours(-hours));
        await Pass(199);
        Assert.Equal((20, 20), (by.InForce(), at.InForce()));
        await Pass(2);
        Assert.Equal((20, 10), (by.InForce(), at.InForce()));
        await Pass(200);
        Assert.Equal((10, 10), (by.InForce(), at.InForce()));
    }

    [Fact]
    public async Task The_laws_term_ends_protection_too()
    {
        await gateway.Handle("mat", h => h with { Terms = [.. h.Terms.Select(t => t with { Years = 1 })] });
        var dispatch = await Relabel.Accepted(gateway, "mat", "H41");
        await Pass(24 * 364);
        Assert.Equal(20, dispatch.InForce());
        await Pass(24 * 3);
        Assert.Equal(10, dispatch.InForce());
    }

    [Fact]
    public async Task The_laws_term_of_a_raised_label_counts_from_when_it_was_raised()
    {
        await gateway.Govern(p => p with { Levels = [.. p.Levels.Select(l => l with { Handling = l.Handling with { Terms = [.. l.Handling.Terms.Select(t => t with { Years = 1 })] } })] });
        var dispatch = await Relabel.Accepted(gateway, "thuong", "H41");
        await Pass(24 * 300);
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Label, "mat"))).Status);
        await Pass(24 * 200);
        Assert.Equal(20, dispatch.InForce());
        await Pass(24 * 170);
        Assert.Equal(10, dispatch.InForce());
    }

    [Fact]
    public async Task Nothing_ends_while_a_stop_lies_on_it_and_two_persons_lift_it()
    {
        var dispatch = await Ending(24);
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Stop, reason: "inquiry"), office: "H41")).Status);
        await Pass(48);
        Assert.Equal((20, true), (dispatch.InForce(), (await dispatch.Shown()).GetProperty("stopped").GetBoolean()));

        // One who raises it does not take the stop away, nor does a later time.
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Label, "mat"))).Status);
        Assert.True((await dispatch.Shown()).GetProperty("stopped").GetBoolean());
        var sooner = await dispatch.Change(LabelAct.Label, "mat", term: In(1));
        Assert.Equal(202, (await dispatch.Say(sooner)).Status);
        await Pass(2);
        Assert.Equal(20, dispatch.InForce());
        sooner = await dispatch.Change(LabelAct.Label, "mat", term: In(1));
        Assert.Equal(202, (await dispatch.Say(sooner)).Status);
        Assert.Equal(201, (await dispatch.Say(sooner, office: "H41")).Status);
        Assert.False((await dispatch.Shown()).GetProperty("stopped").GetBoolean());
        await Pass(2);
        Assert.Equal(10, dispatch.InForce());
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task A_succession_needs_two_when_it_lowers_and_takes_its_turn_at_its_time()
    {
        var dispatch = await Ending(4000, "toi-mat");
        var change = await dispatch.Change(LabelAct.Succession, "mat", at: In(48));
        Assert.Equal(202, (await dispatch.Say(change)).Status);
        await Pass(1);
        Assert.Equal(201, (await dispatch.Say(change, office: "H41")).Status);
        await Pass(46.9);
        Assert.Equal(30, dispatch.InForce());
        await Pass(0.2);
        Assert.Equal(20, dispatch.InForce());
        Assert.Equal(change.Ref, await dispatch.Previous());
        Assert.Equal(["E_RELABEL_PERSONS", "OK", "OK"], await dispatch.Receipts());
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task A_succession_that_nobody_seconded_never_takes_its_turn()
    {
        var dispatch = await Ending(4000);
        await dispatch.Say(await dispatch.Change(LabelAct.Succession, "thuong", at: In(2)));
        await Pass(3);
        Assert.Equal(20, dispatch.InForce());
    }

    [Fact]
    public async Task One_person_takes_a_succession_back_by_raising_the_label_or_puts_it_off()
    {
        var (raised, extended, stopped) = (await Ending(4000), await Ending(4000), await Ending(4000));
        foreach (var dispatch in new[] { raised, extended, stopped })
        {
            var change = await dispatch.Change(LabelAct.Succession, "thuong", at: In(24));
            await dispatch.Say(change);
            await dispatch.Say(change, office: "H41");
        }
        await raised.Say(await raised.Change(LabelAct.Label, "toi-mat"));
        Assert.Equal(201, (await extended.Say(await extended.Change(LabelAct.Extension, until: In(5000)))).Status);
        Assert.Equal(201, (await stopped.Say(await stopped.Change(LabelAct.Stop))).Status);
        await Pass(25);
        Assert.Equal((30, 20, 20), (raised.InForce(), extended.InForce(), stopped.InForce()));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task One_persons_succession_does_not_lower_a_label_when_a_new_policy_turns_levels_round(bool round)
    {
        var dispatch = await Ending(4000);
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Succession, "toi-mat", at: In(24)))).Status);
        // Same classes, marks and codes; what is demanded stays with the place in the order.
        if (round) await gateway.Govern(p => p with { Levels = [p.Levels[0], p.Levels[2] with { Handling = p.Levels[1].Handling }, p.Levels[1] with { Handling = p.Levels[2].Handling }, p.Levels[3]] });
        await Pass(25);
        Assert.Equal(round ? 20 : 30, dispatch.InForce());
    }

    [Fact]
    public async Task A_time_that_is_over_and_an_end_that_is_no_later_are_refused()
    {
        var dispatch = await Ending(48);
        Assert.Equal((403, "E_LABEL_TERM"), await dispatch.Say(await dispatch.Change(LabelAct.Succession, "toi-mat", at: In(-1))) is var a ? (a.Status, a.Code) : default);
        Assert.Equal("E_LABEL_TERM", (await dispatch.Say(await dispatch.Change(LabelAct.Extension, until: In(47)))).Code);
        Assert.Equal("E_LABEL_TERM", (await dispatch.Say(await dispatch.Change(LabelAct.Extension, until: In(-1)))).Code);
        Assert.Equal("E_LABEL_TERM", (await dispatch.Say(await dispatch.Change(LabelAct.Label, "toi-mat", term: In(-1)))).Code);
        Assert.Equal(20, dispatch.InForce());
    }

    [Fact]
    public async Task An_extension_lies_on_a_term_that_is_over_and_has_ended_nothing_yet()
    {
        var dispatch = await Ending(24);
        gateway.Clock.Jump(TimeSpan.FromHours(48));
        await gateway.Host.Loops.StepAll();
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Extension, until: In(24)))).Status);
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Stop))).Status);
        await gateway.Restart();
        await Pass(25);
        Assert.Equal(20, dispatch.InForce());
    }

    [Fact]
    public async Task P14_no_sequence_of_single_persons_lowers_any_label()
    {
        var draw = new Random(14);
        Relabel[] dispatches = [await Ending(50_000), await Ending(50_000, "toi-mat")];
        string[] levels = ["thuong", "mat", "toi-mat", "tuyet-mat"], persons = ["signatory", "signatory", "clerk", "release-1"];
        var statuses = new HashSet<int>();
        for (var i = 0; i < 60; i++)
        {
            var dispatch = dispatches[draw.Next(2)];
            // Beyond what H41 may see it has no say, and no list to point into.
            var (before, office) = (dispatch.InForce(), draw.Next(3) == 0 && dispatch.InForce() < 40 ? "H41" : "G22");
            // Each signs a change of his own: nobody seconds anything.
            var change = draw.Next(6) switch
            {
                0 => await dispatch.Change(LabelAct.Extension, until: In(draw.Next(1, 80_000))),
                1 => await dispatch.Change(LabelAct.Stop),
                2 => await dispatch.Change(LabelAct.Succession, levels[draw.Next(3)], at: In(draw.Next(1, 40))),
                3 => await dispatch.Change(LabelAct.Label, levels[draw.Next(3)], term: In(draw.Next(1, 40))),
                _ => await dispatch.Change(LabelAct.Label, levels[draw.Next(draw.Next(10) == 0 ? 4 : 3)]),
            };
            statuses.Add((await dispatch.Say(change, office == "G22" ? persons[draw.Next(4)] : "signatory", office)).Status);
            if (draw.Next(4) == 0) await Pass(draw.Next(1, 20));
            Assert.True(dispatch.InForce() >= before, $"step {i}: from {before} to {dispatch.InForce()}");
        }
        // All of it happened: some counted, some waited, some were refused.
        Assert.Superset(new HashSet<int> { 201, 202, 403 }, statuses);
        Assert.All(dispatches, d => Assert.Empty(d.Findings()));
    }
}
