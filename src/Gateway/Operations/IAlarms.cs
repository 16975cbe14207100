namespace Exchange.Gateway.Operations;

/// <summary>What an administrator must hear of: a closed list. docs/operations.md says for each what it means and what to do.</summary>
enum AlarmCode
{
    /// <summary>An office's channel fails, and copies wait or go another way.</summary>
    BreakerOpened,
    /// <summary>It works again.</summary>
    BreakerClosed,
    /// <summary>A flash copy is not delivered after the time that it is worth.</summary>
    FlashUndelivered,
    /// <summary>A copy was given up.</summary>
    ParcelDead,
    /// <summary>A certificate of the gateway, or the last of an office's for a use, ends soon.</summary>
    CertificateEnding,
    /// <summary>A revocation list says nothing any more soon: then certificates of its CA are refused.</summary>
    RevocationEnding,
    /// <summary>A source of revocation lists or OCSP responses fails: what is here grows old.</summary>
    RevocationUnfetched,
    /// <summary>Little room is left; below the reserve nothing new is taken in.</summary>
    DiskLow,
    /// <summary>The clock was set while the gateway ran.</summary>
    ClockUnsure,
    /// <summary>An entry is in no checkpoint although a receipt promised that it would be.</summary>
    LedgerBehind,
    /// <summary>Newest checkpoints lack the cosignatures of enough witnesses.</summary>
    WitnessPending,
    /// <summary>A witness has a head that this ledger does not continue.</summary>
    WitnessContradicts,
    /// <summary>A head waits for its time-stamp for an hour.</summary>
    TimeStampPending,
    /// <summary>Something erased an hour ago may still be read in this data folder.</summary>
    ErasurePending,
    /// <summary>The gateway started, and found channels that are down, copies that were given up or flash copies that are late.</summary>
    StartedWithTrouble,
    /// <summary>What was raised before is over.</summary>
    Over,
}

/// <param name="Office">Whom it concerns; null: this gateway.</param>
/// <param name="Detail">Ids, codes, channels and times; never content.</param>
sealed record Alarm(AlarmCode Code, string? Office, string Detail);

/// <summary>Where alarms go. Raise returns at once and never throws: whoever raises it has other work, and it may be a worker or a loop. Called once for each event, from any thread.</summary>
interface IAlarms
{
    void Raise(Alarm alarm);
}
