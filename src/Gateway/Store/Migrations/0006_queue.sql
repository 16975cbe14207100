-- Live work, made anew for a third state: 2 waits until the copy of "after" has ended (conversation order). lost: leases that ran out in a row.
CREATE TABLE job_next (
    parcel      BLOB PRIMARY KEY REFERENCES parcel (id),
    office      TEXT NOT NULL,
    class       INTEGER NOT NULL,
    state       INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    due         INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    fence       INTEGER NOT NULL,
    lease_until INTEGER,
    ask         INTEGER NOT NULL,
    lost        INTEGER NOT NULL,
    after       BLOB CHECK (length(after) = 16)
) STRICT;
INSERT INTO job_next SELECT parcel, office, class, state, due, attempt, fence, lease_until, ask, 0, NULL FROM job;
DROP TABLE job;
ALTER TABLE job_next RENAME TO job;
-- A lane is (office, class); its head is its first row here. What is claimed, ended or put back leaves its old place in the same commit: a lane has no dead rows.
CREATE INDEX job_lane ON job (office, class, due, parcel) WHERE state = 0;
CREATE INDEX job_lease ON job (lease_until) WHERE state = 1;
CREATE INDEX job_after ON job (after) WHERE after IS NOT NULL;

-- A copy's life. expires: its end, the header's or that of its class, whichever is sooner. alarm_at, half_at: when the administrator, and when the sender, is told that it is
-- still not there; null: told, or nothing to tell. look_at: the first of the three.
ALTER TABLE parcel ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
ALTER TABLE parcel ADD COLUMN alarm_at INTEGER;
ALTER TABLE parcel ADD COLUMN half_at INTEGER;
ALTER TABLE parcel ADD COLUMN look_at INTEGER NOT NULL DEFAULT 0;
UPDATE parcel SET expires = (SELECT d.expires FROM dispatch d WHERE d.id = parcel.dispatch), look_at = (SELECT d.expires FROM dispatch d WHERE d.id = parcel.dispatch);
CREATE INDEX parcel_look ON parcel (look_at) WHERE state IN (1, 7);

-- By which adapter it was tried; empty: before this column, or none.
ALTER TABLE attempt ADD COLUMN channel TEXT NOT NULL DEFAULT '';

-- How an office is reached by one of its channels. at_once: attempts that may be under way at once, in thousandths. run: attempts in a row that did not deliver; failures: those of them that were the channel's fault.
-- recent: good and failed attempts in slots of five seconds. open_until: the breaker is open, and one attempt may see from then on whether the office is back; null: it is closed.
-- changes: how often the row was changed.
CREATE TABLE office_state (
    office        TEXT NOT NULL,
    channel       TEXT NOT NULL,
    at_once       INTEGER NOT NULL,
    run           INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    recent        TEXT NOT NULL,
    open_until    INTEGER,
    open_for      INTEGER NOT NULL,
    opened_at     INTEGER,
    last_error    TEXT NOT NULL,
    last_error_at INTEGER,
    changes       INTEGER NOT NULL,
    PRIMARY KEY (office, channel)
) STRICT, WITHOUT ROWID;

-- Given up, and nobody has decided yet what becomes of it: redriven (a job again, under a higher fence) or discarded; both take the row away. Everything else of the copy stays.
CREATE TABLE dead (
    parcel  BLOB PRIMARY KEY REFERENCES parcel (id),
    office  TEXT NOT NULL,
    reason  TEXT NOT NULL,
    died_at INTEGER NOT NULL,
    fence   INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_reason ON dead (office, reason, died_at, parcel);
INSERT INTO dead SELECT id, office, coalesce(last_refusal, 'E_CHANNEL_REFUSED'), updated_at, coalesce((SELECT max(a.fence) FROM attempt a WHERE a.parcel = parcel.id), 0) FROM parcel WHERE state = 5;
