-- Append only: what a carrier said of a copy that it had on the way. Of each action and code once since the copy was last sent.
CREATE TABLE report (
    parcel BLOB NOT NULL REFERENCES parcel (id),
    action INTEGER NOT NULL CHECK (action IN (1, 2, 3, 4)),
    code   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    leaf   BLOB NOT NULL REFERENCES entry (leaf) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX report_parcel ON report (parcel, at);
CREATE INDEX report_leaf ON report (leaf);
