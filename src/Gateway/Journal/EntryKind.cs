global using EntryKind = Exchange.Crypto.Ledger.EntryKind;

namespace Exchange.Gateway.Journaling;

/// <summary>The only changes that leave no entry. House rules list these three; all else logs.</summary>
internal enum QuietKind { Claim, Heartbeat, UploadProgress }
