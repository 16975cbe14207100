-- Live work only: one row for each copy that a channel carries (parcel state Queued). It goes when the copy ends; its attempts stay.
CREATE TABLE job (
    parcel      BLOB PRIMARY KEY REFERENCES parcel (id),
    office      TEXT NOT NULL,
    class       INTEGER NOT NULL,
    state       INTEGER NOT NULL CHECK (state IN (0, 1)),
    due         INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    fence       INTEGER NOT NULL,
    lease_until INTEGER,
    ask         INTEGER NOT NULL
) STRICT;
-- A lane is (office, class); its head is its first row here.
CREATE INDEX job_lane ON job (office, class, due, parcel) WHERE state = 0;
CREATE INDEX job_lease ON job (lease_until) WHERE state = 1;

-- Append only: how each try of a channel ended. A late report stands beside the lost lease of the same fence.
CREATE TABLE attempt (
    parcel     BLOB NOT NULL REFERENCES parcel (id),
    fence      INTEGER NOT NULL,
    outcome    INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    next_at    INTEGER,
    detail     TEXT NOT NULL,
    leaf       BLOB NOT NULL REFERENCES entry (leaf) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (parcel, fence, outcome)
) STRICT;
CREATE INDEX attempt_leaf ON attempt (leaf);

CREATE INDEX parcel_queued ON parcel (id) WHERE state = 7;
