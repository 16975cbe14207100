-- Append only: submissions that a channel brought, in place of a connection of their sender. id: of the dispatch, or of what is held and may become it. answered: the receipt that went back at once.
CREATE TABLE brought (
    id       BLOB PRIMARY KEY CHECK (length(id) = 16),
    channel  TEXT NOT NULL,
    answered BLOB NOT NULL REFERENCES receipt (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- What was signed about them since and is still to go back by that channel. A row goes, with an entry, when the channel has taken it.
CREATE TABLE reply (
    receipt BLOB PRIMARY KEY REFERENCES receipt (id),
    channel TEXT NOT NULL,
    office  TEXT NOT NULL
) STRICT;
CREATE INDEX reply_office ON reply (channel, office);
