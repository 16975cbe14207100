-- End of protection that the author's label states; null: the law's, or a dispatch of before this column.
ALTER TABLE dispatch ADD COLUMN term INTEGER;

-- Whose term may be over.
CREATE INDEX dispatch_term ON dispatch (class, term) WHERE term IS NOT NULL;
CREATE INDEX dispatch_law ON dispatch (class, received_at);

-- What persons signed about a label, or what time did to it. Never deleted; the dispatch's own header stays what it is. n: place in the chain of labels that were in force, from 1;
-- null: it gives no label, or not yet. class and term: of the label that it gives. state: waits, counts, ended. code: why it waits or ended. words: rows of label_word.
CREATE TABLE label_change (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    dispatch    BLOB NOT NULL REFERENCES dispatch (id),
    ref         BLOB NOT NULL CHECK (length(ref) = 32),
    previous    BLOB NOT NULL CHECK (length(previous) = 32),
    act         TEXT NOT NULL,
    state       INTEGER NOT NULL CHECK (state IN (1, 2, 3)),
    code        TEXT NOT NULL,
    n           INTEGER,
    class       INTEGER,
    term        INTEGER,
    at          INTEGER,
    until       INTEGER,
    created_at  INTEGER NOT NULL,
    waits_until INTEGER,
    accepted_at INTEGER,
    in_force_at INTEGER,
    words       INTEGER NOT NULL,
    decision    BLOB NOT NULL CHECK (length(decision) = 32),
    change      BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX label_change_ref ON label_change (dispatch, ref);
CREATE UNIQUE INDEX label_chain ON label_change (dispatch, n) WHERE n IS NOT NULL;
CREATE INDEX label_waiting ON label_change (waits_until) WHERE state = 1;
CREATE INDEX label_succession ON label_change (at) WHERE state = 2 AND n IS NULL AND act = 'succession';
CREATE INDEX label_term ON label_change (class, in_force_at) WHERE n IS NOT NULL;

-- Append only: one statement of one person.
CREATE TABLE label_word (
    change BLOB NOT NULL REFERENCES label_change (id),
    person BLOB NOT NULL CHECK (length(person) = 32),
    office TEXT NOT NULL,
    time   INTEGER NOT NULL,
    leaf   BLOB NOT NULL REFERENCES entry (leaf) DEFERRABLE INITIALLY DEFERRED,
    der    BLOB NOT NULL,
    PRIMARY KEY (change, person)
) STRICT;
CREATE INDEX label_word_leaf ON label_word (leaf);
