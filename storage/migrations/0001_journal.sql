-- The journal: every record once, the account of each priority's chain, and the word for the life of the log.

PRAGMA application_id = 1634624623;

CREATE TABLE journal (
    epoch TEXT NOT NULL
) STRICT;

-- deleted, newest: the places between which the records of a priority lie; seal: a hash over the row and the epoch.
CREATE TABLE lanes (
    priority INTEGER PRIMARY KEY,
    deleted INTEGER NOT NULL,
    deleted_hash BLOB NOT NULL,
    newest INTEGER NOT NULL,
    newest_hash BLOB NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    seal BLOB NOT NULL
) STRICT;

-- number: the order of writing over all priorities; place: dense from 1 within a priority, for a critical record its
-- number in the log of critical events; event: its JSON members; times: Unix seconds; hash: of all this and the hash of
-- the place before.
CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    priority INTEGER NOT NULL,
    place INTEGER NOT NULL,
    channel TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    recorded REAL NOT NULL,
    size INTEGER NOT NULL,
    event TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX records_by_place ON records (priority, place);
CREATE INDEX records_by_channel ON records (channel);
-- Only critical and high events are told apart by their name; the others come too often and matter too little. The id
-- comes first: most publishers count upwards, so that new entries lie side by side.
CREATE INDEX records_by_event ON records (id, source) WHERE priority < 2;
