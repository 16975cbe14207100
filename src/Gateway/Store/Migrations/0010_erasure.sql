-- What two administrators signed, of which something was done that an entry names: its statement stays, so that whoever reads the entry finds basis and approvers.
CREATE TABLE operation (
    ref  BLOB PRIMARY KEY CHECK (length(ref) = 32),
    code TEXT NOT NULL,
    at   INTEGER NOT NULL,
    der  BLOB NOT NULL
) STRICT;

-- What was erased: a dispatch, what was held under the same id, or both. From begun_at on nobody is told anything of it but that; ended_at: no salt and no detail about it is left; null: the next step
-- goes on. A table of its own: rows that are erased are overwritten in place and keep their length, because SQLite moves the neighbours of a row that shrinks and may leave a copy of them behind.
CREATE TABLE erasure (
    id        BLOB PRIMARY KEY CHECK (length(id) = 16),
    operation BLOB NOT NULL REFERENCES operation (ref),
    begun_at  INTEGER NOT NULL,
    ended_at  INTEGER
) STRICT;
CREATE INDEX erasure_open ON erasure (begun_at) WHERE ended_at IS NULL;

-- How what is about a dispatch is found where no row of it names the leaf: payload-erased, redrive, discard, flash-alarm, reply; and refusals of what came under its name.
CREATE INDEX entry_alone ON entry (subject) WHERE kind IN (15, 21, 22, 23, 30);
CREATE INDEX receipt_refused ON receipt (sender, envelope) WHERE dispatch IS NULL AND held IS NULL;
