-- Conversations. What was said in one (title, system text, summary, messages, stored answers) is sealed under its key
-- (base/seal.h): when it is deleted the key is overwritten where it stands, and whatever copies SQLite has left of the rows
-- in its pages are unreadable. So a row of the keys is never deleted, and never changes its size.
CREATE TABLE conversation_keys (
    number INTEGER PRIMARY KEY,
    secret BLOB    NOT NULL CHECK (length(secret) = 32) -- all zero: deleted
) STRICT;

CREATE TABLE conversations (
    number            INTEGER PRIMARY KEY, -- that of its key
    id                TEXT    NOT NULL UNIQUE, -- begins with the time
    account_number    INTEGER NOT NULL,
    test              INTEGER NOT NULL CHECK (test IN (0, 1)), -- made with a test key: only those see it
    model             TEXT    NOT NULL, -- as asked for; empty: any
    auto_title        INTEGER NOT NULL CHECK (auto_title IN (0, 1)),
    auto_summary      INTEGER NOT NULL CHECK (auto_summary IN (0, 1)),
    titled_by         INTEGER NOT NULL CHECK (titled_by BETWEEN 0 AND 3), -- nobody, its client, a model, its first words
    summary_until     INTEGER NOT NULL, -- messages before this position are in the summary
    message_count     INTEGER NOT NULL,
    prompt_tokens     INTEGER NOT NULL, -- of all its calls
    completion_tokens INTEGER NOT NULL,
    density           INTEGER NOT NULL, -- tokens for 1024 bytes of the last prompt; 0: none was counted
    counted_by        TEXT    NOT NULL, -- the model that counted
    created_ms        INTEGER NOT NULL,
    updated_ms        INTEGER NOT NULL,
    title             BLOB    NOT NULL,
    summary           BLOB    NOT NULL,
    system            BLOB    NOT NULL
) STRICT;
CREATE INDEX conversations_by_account ON conversations (account_number, test, number);

CREATE TABLE conversation_messages (
    conversation_number INTEGER NOT NULL,
    position            INTEGER NOT NULL, -- from 0, without gaps
    role                INTEGER NOT NULL,
    tokens              INTEGER NOT NULL, -- counted, or estimated from what was
    created_ms          INTEGER NOT NULL,
    content             BLOB    NOT NULL,
    PRIMARY KEY (conversation_number, position)
) STRICT, WITHOUT ROWID;

-- 0: of no conversation, and not sealed.
ALTER TABLE answers ADD COLUMN conversation_number INTEGER NOT NULL DEFAULT 0;
CREATE INDEX answers_by_conversation ON answers (conversation_number) WHERE conversation_number <> 0;
CREATE INDEX jobs_by_conversation ON jobs (label) WHERE label GLOB 'conv_*';

PRAGMA user_version = 10;
