using System.Text.Json;
using Exchange.Crypto;
using Exchange.Gateway.Operations;

namespace Exchange.Tests.Operations;

public sealed class RefusalsTests
{
    [Fact]
    public void Every_refusal_has_a_status_and_a_problem_in_two_languages()
    {
        foreach (var refusal in Refusal.All.Values)
        {
            Assert.InRange(Refusals.Status(refusal), 400, 599);
            var problem = JsonDocument.Parse(Refusals.Problem(refusal)).RootElement;
            Assert.Equal(["type", "title", "status", "code", "detail", "messages", "remedy"], problem.EnumerateObject().Select(m => m.Name));
            Assert.Equal((refusal.Vi, refusal.RemedyEn), (problem.GetProperty("messages").GetProperty("vi").GetString(), problem.GetProperty("remedy").GetProperty("en").GetString()));
        }
    }

    [Fact]
    public void Equal_refusals_are_equal_bytes_and_a_receipt_comes_last()
    {
        Assert.Equal(Refusals.Problem(Refusal.NotReleasable), Refusals.Problem(Refusal.NotReleasable));
        Assert.EndsWith(",\"receipt\":\"AQI\"}", System.Text.Encoding.UTF8.GetString(Refusals.Problem(Refusal.NotReleasable, [1, 2])), StringComparison.Ordinal);
    }
}
