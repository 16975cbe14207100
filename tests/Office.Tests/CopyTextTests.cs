using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

public sealed class CopyTextTests
{
    static readonly long At = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    [Fact]
    public void A_waiting_copy_says_what_was_tried_and_what_happens_next_and_when()
    {
        var next = CopyText.Next(View("queued", attempts: 3, last: "TryLater", lastAt: At, nextAt: At + 60_000), Say(false))!;
        Assert.Contains("tried 3 times", next, StringComparison.Ordinal);
        Assert.Contains("could not be reached", next, StringComparison.Ordinal);
        Assert.Contains("next try 2026-11-24", next, StringComparison.Ordinal);
        Assert.Contains("given up at 2026-11-29", next, StringComparison.Ordinal);
        Assert.Contains("đã thử 3 lần", CopyText.Next(View("queued", attempts: 3, last: "TryLater", lastAt: At, nextAt: At), Say(true)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("available", "in the office's mailbox, not fetched yet"), InlineData("queued", "on its way"), InlineData("delivered", "delivered")]
    [InlineData("dead", "ended: the office's system refused it"), InlineData("expired", "ended: its time ran out"), InlineData("refused", "ended: may no longer be released")]
    public void Where_it_is_stands_in_plain_words(string state, string words) => Assert.Equal(words, CopyText.Where(View(state), Say(false)));

    [Theory, InlineData("delivered"), InlineData("dead"), InlineData("expired"), InlineData("refused")]
    public void Of_a_copy_that_has_ended_nothing_more_is_to_come(string state) => Assert.Null(CopyText.Next(View(state, attempts: 2, last: "Refused", lastAt: At), Say(false)));

    static CopyView View(string state, int attempts = 0, string? last = null, long? lastAt = null, long? nextAt = null) =>
        new("H41", "to", state, CopyEvidence.None, null, null, new CopyStatus("H41", "to", state, At, "https", null, attempts, last, lastAt, nextAt, At + 5L * 86_400_000));

    static Output Say(bool vietnamese) => new(TextWriter.Null, TextWriter.Null, vietnamese, json: false, TimeProvider.System);
}
