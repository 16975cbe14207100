-- Ids: UUIDv7, 16 big-endian bytes. Times: Unix milliseconds. Digests: 32 bytes. Long columns last: a scan does not read them.

-- The head of the ledger: one row. Its root, size and frontier move in the commit that appends.
CREATE TABLE head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    size     INTEGER NOT NULL,
    root     BLOB NOT NULL CHECK (length(root) = 32),
    frontier BLOB NOT NULL,
    time     INTEGER NOT NULL,
    world    INTEGER NOT NULL
) STRICT;

-- Never updated, never deleted. seq runs from 0 without gaps.
CREATE TABLE entry (
    seq     INTEGER PRIMARY KEY,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    leaf    BLOB NOT NULL CHECK (length(leaf) = 32),
    kind    INTEGER NOT NULL,
    subject BLOB CHECK (length(subject) = 16),
    time    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_leaf ON entry (leaf);

-- Salt and detail of an entry; deleting the row erases them and leaves the tree whole.
CREATE TABLE entry_secret (
    seq    INTEGER PRIMARY KEY REFERENCES entry (seq),
    salt   BLOB NOT NULL CHECK (length(salt) = 32),
    detail BLOB NOT NULL
) STRICT;

-- Complete tiles of 256 hashes; root is one hash of the tile above.
CREATE TABLE tile (
    level INTEGER NOT NULL,
    idx   INTEGER NOT NULL,
    root  BLOB NOT NULL CHECK (length(root) = 32),
    data  BLOB NOT NULL CHECK (length(data) = 8192),
    PRIMARY KEY (level, idx)
) STRICT;

CREATE TABLE decision (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    salt   BLOB NOT NULL CHECK (length(salt) = 32),
    record BLOB NOT NULL
) STRICT;

CREATE TABLE dispatch (
    id              BLOB PRIMARY KEY CHECK (length(id) = 16),
    sender          TEXT NOT NULL,
    envelope        BLOB NOT NULL CHECK (length(envelope) = 16),
    ctx             BLOB NOT NULL CHECK (length(ctx) = 32),
    manifest_digest BLOB NOT NULL CHECK (length(manifest_digest) = 32),
    class           INTEGER NOT NULL,
    urgency         INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    expires         INTEGER NOT NULL,
    -- Not a reference: the decision is inserted later in the commit, and SQLite would then search all dispatches for each one. StoreCheck looks instead.
    decision        BLOB NOT NULL CHECK (length(decision) = 32),
    payload_bytes   INTEGER,
    size            INTEGER NOT NULL,
    header          BLOB NOT NULL,
    approvals       BLOB NOT NULL,
    manifest        BLOB NOT NULL,
    payload         BLOB
) STRICT;
CREATE UNIQUE INDEX dispatch_envelope ON dispatch (sender, envelope);
CREATE INDEX dispatch_sender ON dispatch (sender, id);

CREATE TABLE parcel (
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),
    dispatch     BLOB NOT NULL REFERENCES dispatch (id),
    office       TEXT NOT NULL,
    key          BLOB NOT NULL CHECK (length(key) = 32),
    role         TEXT NOT NULL,
    state        INTEGER NOT NULL,
    channel      TEXT NOT NULL,
    last_refusal TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX parcel_dispatch ON parcel (dispatch, id);
CREATE INDEX parcel_office ON parcel (office, id);
CREATE INDEX parcel_available ON parcel (office, id) WHERE state = 1;

CREATE TABLE receipt (
    id       BLOB PRIMARY KEY CHECK (length(id) = 16),
    dispatch BLOB REFERENCES dispatch (id),
    parcel   BLOB REFERENCES parcel (id),
    sender   TEXT NOT NULL,
    envelope BLOB CHECK (length(envelope) = 16),
    office   TEXT,
    event    TEXT NOT NULL,
    code     TEXT NOT NULL,
    issuer   TEXT NOT NULL,
    time     INTEGER NOT NULL,
    leaf     BLOB NOT NULL REFERENCES entry (leaf) DEFERRABLE INITIALLY DEFERRED,
    sha256   BLOB NOT NULL CHECK (length(sha256) = 32),
    der      BLOB NOT NULL
) STRICT;
CREATE INDEX receipt_dispatch ON receipt (dispatch, time) WHERE dispatch IS NOT NULL;
CREATE INDEX receipt_parcel ON receipt (parcel, time) WHERE parcel IS NOT NULL;
CREATE INDEX receipt_leaf ON receipt (leaf);

-- A header whose payload is awaited. Nothing is promised before the dispatch.
CREATE TABLE upload (
    id              BLOB PRIMARY KEY CHECK (length(id) = 16),
    sender          TEXT NOT NULL,
    envelope        BLOB NOT NULL CHECK (length(envelope) = 16),
    ctx             BLOB NOT NULL CHECK (length(ctx) = 32),
    manifest_digest BLOB NOT NULL CHECK (length(manifest_digest) = 32),
    payload_bytes   INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    header          BLOB NOT NULL,
    approvals       BLOB NOT NULL,
    manifest        BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX upload_envelope ON upload (sender, envelope);
CREATE INDEX upload_expires ON upload (expires_at);

-- Policies, directories, cards, standings and CRLs, as activated; the newest version of a kind and name is in force.
CREATE TABLE document (
    kind         INTEGER NOT NULL,
    name         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    ref          BLOB NOT NULL CHECK (length(ref) = 32),
    activated_at INTEGER NOT NULL,
    leaf         BLOB NOT NULL REFERENCES entry (leaf) DEFERRABLE INITIALLY DEFERRED,
    der          BLOB NOT NULL,
    PRIMARY KEY (kind, name, version)
) STRICT;
CREATE INDEX document_leaf ON document (leaf);

-- SHA-256 of nothing: RFC 9162 2.1.1.
INSERT INTO head VALUES (1, 0, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', x'', 0, 0);
