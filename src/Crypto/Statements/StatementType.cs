namespace Exchange.Crypto.Statements;

/// <summary>Closed list of statement types. The number is the last arc of the CMS content type; it never changes and is never reused.</summary>
public enum StatementType
{
    Dispatch = 1,
    Approval = 2,
    Header = 3,
    Receipt = 4,
    Status = 5,
    Recall = 6,
    Card = 7,
    Policy = 8,
    Directory = 9,
    Standing = 10,
    Activation = 11,
    Label = 12,
    Operation = 13,
}
