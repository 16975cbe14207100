-- Append only: what a receiving office says it does with its copy. sequence: the office's own number. n: rises by one for each of a sender's statuses, in the order of their commits: where the
-- sender's reading goes on, and tells nothing of anybody else's.
CREATE TABLE status (
    parcel      BLOB NOT NULL REFERENCES parcel (id),
    sequence    INTEGER NOT NULL,
    sender      TEXT NOT NULL,
    n           INTEGER NOT NULL,
    code        TEXT NOT NULL,
    reason      TEXT,
    ref         BLOB NOT NULL CHECK (length(ref) = 32),
    time        INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    leaf        BLOB NOT NULL REFERENCES entry (leaf) DEFERRABLE INITIALLY DEFERRED,
    sha256      BLOB NOT NULL CHECK (length(sha256) = 32),
    der         BLOB NOT NULL,
    PRIMARY KEY (parcel, sequence)
) STRICT;
CREATE UNIQUE INDEX status_of_sender ON status (sender, n);
CREATE INDEX status_leaf ON status (leaf);
