using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Statements;

/// <summary>What the author signs, once; it survives resend, roll-over and new copies. The only statement with free text; it travels sealed.</summary>
public sealed record Dispatch : IStatementContent
{
    public const string TypeName = "dispatch";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }

    /// <summary>32 random bytes: the ref shows nothing of the content.</summary>
    [JsonConverter(typeof(BytesJson))] public required byte[] Salt { get; init; }
    public required string From { get; init; }
    /// <summary>Office codes, in the author's order, distinct.</summary>
    public required string[] To { get; init; }
    public required Label Label { get; init; }
    public required Sheet Sheet { get; init; }
    public required Document[] Documents { get; init; }
    /// <summary>Ref of the dispatch that this one revises.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public Digest? Revises { get; init; }
    /// <summary>Statements forwarded, DER.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public EnclosedStatement[]? Encloses { get; init; }
}

/// <summary>The registration sheet of an official dispatch (Decree 30/2020/NĐ-CP, Art. 8).</summary>
public sealed record Sheet
{
    /// <summary>số, as printed ("7816"); null where none is issued.</summary>
    public required string? Number { get; init; }
    /// <summary>ký hiệu ("VPCP-TTĐT").</summary>
    public required string? Notation { get; init; }
    /// <summary>trích yếu.</summary>
    public required string Subject { get; init; }
    /// <summary>tên loại ("Công văn").</summary>
    public required string DocumentType { get; init; }
    /// <summary>địa danh.</summary>
    public required string? Place { get; init; }
    /// <summary>ngày ban hành, yyyy-MM-dd.</summary>
    public required string Date { get; init; }
    public required Signatory? Signatory { get; init; }
}

/// <param name="Authority">quyền hạn ("TM.", "KT.").</param>
/// <param name="Position">chức vụ.</param>
/// <param name="Name">họ tên.</param>
public sealed record Signatory(string? Authority, string Position, string Name);

/// <param name="Name">File name, 1..200 characters, no path, no control characters.</param>
/// <param name="MediaType">RFC 6838.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Pages">Number of pages, null when not counted.</param>
public sealed record Document(string Name, string MediaType, long Length, Digest Sha256, int? Pages);

public sealed record EnclosedStatement([property: JsonConverter(typeof(BytesJson))] byte[] Statement);
