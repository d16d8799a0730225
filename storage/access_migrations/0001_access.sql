-- Local users. id: never changes; name_key, email_key: as names are compared; password: argon2id, encoded; roles, places:
-- JSON arrays of texts; moments: Unix seconds. families: one row a login, gone when it has ended; number: of its newest
-- tokens. withdrawals: tokens that were taken back; scope: token, session or subject; issued_before, until: null: none.
-- keys: what our own tokens are signed with.

PRAGMA application_id = 1634624623;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_key TEXT UNIQUE,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    tenant TEXT NOT NULL,
    places TEXT NOT NULL,
    department TEXT NOT NULL,
    shift TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    created_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    password_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE families (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    began_at REAL NOT NULL,
    renewed_at REAL NOT NULL,
    number INTEGER NOT NULL,
    host TEXT NOT NULL,
    door TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX families_of_user ON families (user_id);

CREATE TABLE withdrawals (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    issued_before REAL,
    until REAL,
    user_id TEXT NOT NULL,
    why TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
