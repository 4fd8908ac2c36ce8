-- The first schema. `number` keeps the order of creation. Times are wall clock, milliseconds since 1970, UTC.
-- Enumerations are stored by number, in the order of the enums in store.h: never renumber.

CREATE TABLE accounts (
    number     INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    owner      INTEGER NOT NULL CHECK (owner IN (0, 1)),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    number     INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    kind       INTEGER NOT NULL CHECK (kind IN (0, 1)), -- live, test
    sha256     BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE join_tokens (
    sha256     BLOB    NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    number     INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    public_key BLOB    NOT NULL UNIQUE CHECK (length(public_key) = 32),
    name       TEXT    NOT NULL,
    region     TEXT    NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

-- History: it outlives what it names, so nothing here references another table. Written for every request, so it costs
-- what an append costs: no index over the random ids (three times the work), and a CHECK without a list (twice).
CREATE TABLE jobs (
    number            INTEGER PRIMARY KEY,
    id                TEXT    NOT NULL,
    account_id        TEXT    NOT NULL,
    key_id            TEXT    NOT NULL,
    model             TEXT    NOT NULL,
    device_id         TEXT    NOT NULL, -- empty: no device finished it
    label             TEXT    NOT NULL,
    outcome           INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 2), -- completed, failed, cancelled
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    ttft_ms           INTEGER NOT NULL,
    latency_ms        INTEGER NOT NULL,
    created_ms        INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
