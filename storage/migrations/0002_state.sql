-- What the desks know, so that it is known after a restart: one row a thing, changed in the transaction of the events that
-- tell of the change. value: a JSON object.

CREATE TABLE state (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
