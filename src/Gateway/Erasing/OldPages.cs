namespace Exchange.Gateway.Erasing;

/// <summary>Whether the logs of store and index may still hold pages of before an erasure. Memory of one run: at its start nobody knows.</summary>
sealed class OldPages
{
    long erased, gone = -1;

    /// <summary>Commits that erased something.</summary>
    public long Erased => Interlocked.Read(ref erased);

    /// <summary>After such a commit.</summary>
    public void More() => Interlocked.Increment(ref erased);

    /// <summary>The logs were emptied after so many of them.</summary>
    public void AreGone(long after) => Interlocked.Exchange(ref gone, after);

    public bool AreAllGone => Interlocked.Read(ref gone) == Erased;

    public bool AreKnown => Interlocked.Read(ref gone) >= 0;
}
