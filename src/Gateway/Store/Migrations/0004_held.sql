-- A dispatch that waits for persons. It is none yet: nothing that carries, lists or erases dispatches sees it. Released, it becomes a dispatch of the same id.
-- The row stays; its payload goes with the end. code: why it is held, later why it ended. approved: rows of held_approval.
CREATE TABLE held (
    id              BLOB PRIMARY KEY CHECK (length(id) = 16),
    sender          TEXT NOT NULL,
    envelope        BLOB NOT NULL CHECK (length(envelope) = 16),
    ctx             BLOB NOT NULL CHECK (length(ctx) = 32),
    manifest_digest BLOB NOT NULL CHECK (length(manifest_digest) = 32),
    class           INTEGER NOT NULL,
    urgency         INTEGER NOT NULL,
    state           INTEGER NOT NULL CHECK (state IN (1, 2, 3)),
    code            TEXT NOT NULL,
    held_at         INTEGER NOT NULL,
    until           INTEGER NOT NULL,
    ended_at        INTEGER,
    approved        INTEGER NOT NULL,
    decision        BLOB NOT NULL CHECK (length(decision) = 32),
    payload_bytes   INTEGER,
    header          BLOB NOT NULL,
    approvals       BLOB NOT NULL,
    manifest        BLOB NOT NULL,
    payload         BLOB
) STRICT;
CREATE UNIQUE INDEX held_envelope ON held (sender, envelope);
CREATE INDEX held_waiting ON held (until) WHERE state = 1;
CREATE INDEX held_of_sender ON held (sender, id) WHERE state = 1;

-- Append only: one word of one person.
CREATE TABLE held_approval (
    held   BLOB NOT NULL REFERENCES held (id),
    person BLOB NOT NULL CHECK (length(person) = 32),
    act    TEXT NOT NULL,
    time   INTEGER NOT NULL,
    leaf   BLOB NOT NULL REFERENCES entry (leaf) DEFERRABLE INITIALLY DEFERRED,
    der    BLOB NOT NULL,
    PRIMARY KEY (held, person, act)
) STRICT;
CREATE INDEX held_approval_leaf ON held_approval (leaf);

-- Receipts about the holding; those of the dispatch that it became name that.
ALTER TABLE receipt ADD COLUMN held BLOB REFERENCES held (id);
CREATE INDEX receipt_held ON receipt (held, time) WHERE held IS NOT NULL;
