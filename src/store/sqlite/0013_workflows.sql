-- Workflows and their steps. The texts of one on a conversation (task, request, answer, error, extra, outputs) are sealed
-- under its key (0010_conversations.sql), and its rows go with it.
CREATE TABLE workflows (
    number              INTEGER PRIMARY KEY,
    id                  TEXT    NOT NULL UNIQUE, -- begins with the time
    account_number      INTEGER NOT NULL,
    key_id              TEXT    NOT NULL,
    test                INTEGER NOT NULL CHECK (test IN (0, 1)), -- a test key's: it goes to the sandbox
    kind                INTEGER NOT NULL,
    chosen              INTEGER NOT NULL CHECK (chosen IN (0, 1)), -- by "auto"
    status              INTEGER NOT NULL CHECK (status BETWEEN 0 AND 5), -- 0: it runs
    model               TEXT    NOT NULL,
    max_steps           INTEGER NOT NULL,
    max_cost_nano       INTEGER NOT NULL, -- negative: no cap
    conversation_number INTEGER NOT NULL, -- 0: none, and not sealed
    created_ms          INTEGER NOT NULL,
    ended_ms            INTEGER NOT NULL, -- 0: not yet
    steps_executed      INTEGER NOT NULL, -- the sums of its steps, which move with them
    prompt_tokens       INTEGER NOT NULL,
    completion_tokens   INTEGER NOT NULL,
    cost_nano           INTEGER NOT NULL,
    scope_sha256        BLOB,             -- of its idempotency key; NULL: none, or it has expired
    body_sha256         BLOB    NOT NULL, -- of the request under that key
    task                BLOB    NOT NULL  -- the beginning of it
) STRICT;
CREATE INDEX workflows_by_account ON workflows (account_number, test, number);
CREATE INDEX workflows_by_status ON workflows (account_number, test, status, number);
CREATE INDEX workflows_by_model ON workflows (account_number, test, kind, model, number);
CREATE INDEX workflows_open ON workflows (number) WHERE status = 0;
CREATE INDEX workflows_ended ON workflows (ended_ms) WHERE status <> 0;
CREATE INDEX workflows_by_conversation ON workflows (conversation_number) WHERE conversation_number <> 0;
CREATE UNIQUE INDEX workflows_by_scope ON workflows (scope_sha256) WHERE scope_sha256 IS NOT NULL;

-- Beside the workflow's row, which every step writes anew.
CREATE TABLE workflow_texts (
    workflow_number INTEGER PRIMARY KEY,
    request         BLOB NOT NULL, -- JSON: what it was asked; emptied when it ends
    answer          BLOB NOT NULL,
    error           BLOB NOT NULL, -- JSON
    extra           BLOB NOT NULL  -- JSON
) STRICT;

CREATE TABLE workflow_steps (
    workflow_number   INTEGER NOT NULL,
    number            INTEGER NOT NULL, -- from 0
    name              INTEGER NOT NULL,
    state             INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3), -- ready, running, done, failed: the last two stay
    outcome           INTEGER NOT NULL,
    local             INTEGER NOT NULL CHECK (local IN (0, 1)), -- nobody generated
    round             INTEGER NOT NULL,
    part              INTEGER NOT NULL,
    run_id            TEXT    NOT NULL, -- of its settlement; empty of a local step
    prompt_sha256     BLOB    NOT NULL,
    max_tokens        INTEGER NOT NULL,
    hold_nano         INTEGER NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost_nano         INTEGER NOT NULL,
    provider_id       TEXT    NOT NULL,
    started_ms        INTEGER NOT NULL,
    ended_ms          INTEGER NOT NULL,
    output            BLOB    NOT NULL,
    PRIMARY KEY (workflow_number, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX workflow_steps_by_run ON workflow_steps (run_id) WHERE run_id <> '';
-- Has all that an estimate asks for.
CREATE INDEX workflow_steps_done ON workflow_steps (workflow_number, name, number, prompt_tokens, completion_tokens)
    WHERE state = 2 AND local = 0;

-- How many an account has of each kind of key: a list tells it, and counting the rows would take long.
CREATE TABLE workflow_counts (
    account_number INTEGER NOT NULL,
    test           INTEGER NOT NULL,
    total          INTEGER NOT NULL,
    PRIMARY KEY (account_number, test)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER workflows_added AFTER INSERT ON workflows BEGIN
    INSERT INTO workflow_counts (account_number, test, total) VALUES (NEW.account_number, NEW.test, 1)
        ON CONFLICT (account_number, test) DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER workflows_deleted AFTER DELETE ON workflows BEGIN
    UPDATE workflow_counts SET total = total - 1 WHERE account_number = OLD.account_number AND test = OLD.test;
    DELETE FROM workflow_texts WHERE workflow_number = OLD.number;
    DELETE FROM workflow_steps WHERE workflow_number = OLD.number;
END;

PRAGMA user_version = 13;
