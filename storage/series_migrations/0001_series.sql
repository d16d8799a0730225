-- The chain's history: one row a minute, hour and day. span: 60, 3600 or 86400 seconds; at: when it began, Unix seconds, a
-- multiple of the span; cell: a JSON object of sums, so that rows can be added.

PRAGMA application_id = 1634624623;

CREATE TABLE series (
    span INTEGER NOT NULL,
    at INTEGER NOT NULL,
    cell TEXT NOT NULL,
    PRIMARY KEY (span, at)
) STRICT, WITHOUT ROWID;
