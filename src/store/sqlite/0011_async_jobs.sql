-- Jobs that nobody waits for (POST /v1/jobs): the request until the job has ended, then what came of it. What it was
-- charged stands in jobs, under the same id.
CREATE TABLE async_jobs (
    number            INTEGER PRIMARY KEY,
    id                TEXT    NOT NULL UNIQUE,
    account_number    INTEGER NOT NULL,
    key_id            TEXT    NOT NULL,
    test              INTEGER NOT NULL CHECK (test IN (0, 1)), -- a test key's: it goes to the sandbox
    kind              INTEGER NOT NULL, -- of answer: chat or inference
    state             INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4), -- queued, running, completed, failed, cancelled
    model             TEXT    NOT NULL,
    created_ms        INTEGER NOT NULL,
    started_ms        INTEGER NOT NULL, -- 0: not yet
    ended_ms          INTEGER NOT NULL, -- 0: not yet
    prompt_tokens     INTEGER NOT NULL, -- of the sandbox, which leaves no row in jobs; likewise the next two
    completion_tokens INTEGER NOT NULL,
    charge_nano       INTEGER NOT NULL,
    scope_sha256      BLOB,             -- of its idempotency key; NULL: none, or it has expired
    body_sha256       BLOB    NOT NULL, -- of the request under that key
    body              BLOB    NOT NULL, -- the request; emptied when the job ends
    result            BLOB    NOT NULL  -- JSON: the answer of a completed job, the error of a failed one
) STRICT;
CREATE INDEX async_jobs_by_account ON async_jobs (account_number, test, number);
CREATE INDEX async_jobs_by_state ON async_jobs (account_number, test, state, number);
CREATE INDEX async_jobs_open ON async_jobs (number) WHERE state < 2;
CREATE INDEX async_jobs_ended ON async_jobs (ended_ms) WHERE state >= 2;
CREATE UNIQUE INDEX async_jobs_by_scope ON async_jobs (scope_sha256) WHERE scope_sha256 IS NOT NULL;

PRAGMA user_version = 11;
