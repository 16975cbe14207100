using System.Data.Common;
using Dapper;

namespace Exchange.Gateway.Store;

/// <summary>Tables of the audit index. They are derived: whoever changes them raises the version, and the next start makes them anew.</summary>
static class AuditIndexSchema
{
    public const long Version = 1;

    /// <summary>
    /// audience: what a clearance must cover to see an entry; the first two have no label. about: one row an entry, with what can be searched; every index has the audience before the place, so that
    /// a search touches no row that its auditor may not see. tally: how many, by day and office.
    /// </summary>
    public static void Create(DbConnection connection) => connection.Execute(
        """
        CREATE TABLE built (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, size INTEGER NOT NULL, last BLOB NOT NULL) STRICT;
        CREATE TABLE audience (id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE about (
            seq      INTEGER PRIMARY KEY,
            audience INTEGER NOT NULL,
            kind     INTEGER NOT NULL,
            verdict  INTEGER,
            sender   TEXT,
            office   TEXT,
            envelope BLOB,
            key      INTEGER,
            time     INTEGER NOT NULL,
            erased   INTEGER
        ) STRICT;
        CREATE INDEX about_seen ON about (audience, seq);
        CREATE INDEX about_kind ON about (kind, audience, seq);
        CREATE INDEX about_sender ON about (sender, audience, seq) WHERE sender IS NOT NULL;
        CREATE INDEX about_office ON about (office, audience, seq) WHERE office IS NOT NULL;
        CREATE INDEX about_envelope ON about (envelope, audience, seq) WHERE envelope IS NOT NULL;
        CREATE INDEX about_key ON about (key, audience, seq) WHERE key IS NOT NULL;
        CREATE INDEX about_verdict ON about (verdict, audience, seq) WHERE verdict IS NOT NULL;
        CREATE TABLE tally (
            day      INTEGER NOT NULL,
            office   TEXT NOT NULL,
            kind     INTEGER NOT NULL,
            audience INTEGER NOT NULL,
            n        INTEGER NOT NULL,
            PRIMARY KEY (day, office, kind, audience)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO audience VALUES (1, ''), (2, '*');
        """);
}
