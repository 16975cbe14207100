using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>An update brings no payload: that of its original serves both, under a name of its own, so that each is erased by itself.</summary>
sealed class LinkPayload(Shared shared)
{
    /// <summary>Before the commit, as any payload. A crash after it leaves a name that no row has, which is swept.</summary>
    /// <param name="dispatch">The gateway's id of what is to come.</param>
    /// <param name="header">Of an update whose target was checked.</param>
    /// <returns>The payload when it is small enough for its row; null when it is in the blob store.</returns>
    /// <exception cref="RefusedException">PayloadErased; RecallTarget: the original is not here.</exception>
    public byte[]? Run(Guid dispatch, Header header)
    {
        var original = Read(header);
        if (original.Payload is { } inRow) return inRow;
        try { shared.Blobs.Link(original.Id, dispatch); }
        catch (IOException)
        {
            // Erased in between: then this says so.
            Read(header);
            throw;
        }
        return null;
    }

    DispatchRow Read(Header header)
    {
        using var reader = shared.Engine.Reader();
        var original = DispatchTable.Read(reader, header.Sender, header.Target!.Id) ?? throw new RefusedException(Refusal.RecallTarget, "not accepted here");
        return original.PayloadErasedAt is null ? original : throw new RefusedException(Refusal.PayloadErased);
    }
}
