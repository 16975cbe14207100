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

-- Accepted recalls, updates and replacements: which envelope of the same sender each is about. What stands here before its target is a tombstone for it. revision rises for each target.
CREATE TABLE recall (
    dispatch BLOB PRIMARY KEY REFERENCES dispatch (id),
    sender   TEXT NOT NULL,
    target   BLOB NOT NULL CHECK (length(target) = 16),
    ref      BLOB NOT NULL CHECK (length(ref) = 32),
    kind     TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX recall_target ON recall (sender, target, revision);

-- Append only: each copy that was asked back, by which recall. in_flight: it was under way at that moment, or may have arrived before.
CREATE TABLE asked_back (
    parcel    BLOB NOT NULL REFERENCES parcel (id),
    recall    BLOB NOT NULL REFERENCES recall (dispatch),
    in_flight INTEGER NOT NULL CHECK (in_flight IN (0, 1)),
    PRIMARY KEY (parcel, recall)
) STRICT;
CREATE INDEX asked_back_in_flight ON asked_back (parcel) WHERE in_flight = 1;
