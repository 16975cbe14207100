using Exchange.Crypto;
using Xunit;

namespace Exchange.Tests;

public class DigestTests
{
    [Fact]
    public void Only_the_one_spelling_of_a_digest_is_read()
    {
        var text = Digest.Of([1]).ToString();
        Assert.True(Digest.TryParse(text, out var read));
        Assert.Equal(Digest.Of([1]), read);
        for (var i = 0; i < text.Length; i++)
            foreach (var c in "=+/ \n!é\0")
                Assert.False(Digest.TryParse(text[..i] + c + text[(i + 1)..], out _));
        foreach (var other in new[] { null, "", text[1..], text + "A", text + "=", text[..42] + "B" }) Assert.False(Digest.TryParse(other, out _));
    }
}
