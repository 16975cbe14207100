using Exchange.Crypto;

namespace Exchange.Gateway.Journaling;

/// <summary>A signed head as published: size and root of the tree, and the signed note (C2SP tlog-checkpoint).</summary>
internal sealed record PublishedCheckpoint(long Size, Digest Root, string Note);
