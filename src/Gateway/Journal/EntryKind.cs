namespace Exchange.Gateway.Journaling;

/// <summary>Closed list of ledger entries. The number stands in the store: it never changes and is never reused. The detail's "kind" is in EntryDetails.</summary>
internal enum EntryKind
{
    /// <summary>Subject: dispatch. Promises the dispatch, its parcels, its decision and its SubmissionAcceptance receipt.</summary>
    Submission = 1,
    /// <summary>Subject: none. Promises a SubmissionRejection receipt.</summary>
    Rejection = 2,
    /// <summary>Subject: none. Promises the decision record.</summary>
    DryRun = 3,
    /// <summary>Subject: parcel. Promises that it is delivered, the office's ContentHandover and our ContentConsignment.</summary>
    Consignment = 4,
    /// <summary>Subject: parcel. Promises the office's ContentOpening.</summary>
    Opening = 5,
    /// <summary>Subject: parcel. Promises the office's ContentOpeningFailure.</summary>
    OpeningFailure = 6,
    /// <summary>Unauthenticated failures, counted. Promises nothing.</summary>
    SignInFailures = 7,
    /// <summary>Promises the document.</summary>
    Activation = 8,
    Start = 9,
    Stop = 10,
}

/// <summary>The only changes that leave no entry. House rules list these three; all else logs.</summary>
internal enum QuietKind { Claim, Heartbeat, UploadProgress }
