-- Webhooks: where an account wants to be told of what happens, what happened, and each telling of it.

CREATE TABLE webhooks (
    number         INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    account_number INTEGER NOT NULL,
    url            TEXT    NOT NULL,
    description    TEXT    NOT NULL,
    events         INTEGER NOT NULL, -- bit n: events of kind n (enum store_event_kind)
    state          INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3), -- enabled, disabled, gone (it answered 410), deleted
    secret         BLOB    NOT NULL, -- it must sign, so it is kept as it is
    old_secret     BLOB    NOT NULL, -- signs too until then; empty: none
    old_until_ms   INTEGER NOT NULL,
    balance_nano   INTEGER NOT NULL, -- balance.low is when the balance falls below it
    usage_nano     TEXT    NOT NULL, -- usage.threshold: amounts of a month's spending, separated by commas
    created_ms     INTEGER NOT NULL
) STRICT;
CREATE INDEX webhooks_by_account ON webhooks (account_number, number);
CREATE INDEX webhooks_deleted ON webhooks (number) WHERE state = 3;

CREATE TABLE webhook_events (
    number         INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE, -- begins with the time, as ids of jobs do; the header webhook-id
    account_number INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL,
    body           BLOB    NOT NULL -- the JSON text that is sent
) STRICT;

CREATE TABLE deliveries (
    number         INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    webhook_number INTEGER NOT NULL,
    event_number   INTEGER NOT NULL,
    asked          INTEGER NOT NULL, -- by the account: a test, or a further delivery
    state          INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- waiting, delivered, failed
    attempts       INTEGER NOT NULL,
    due_ms         INTEGER NOT NULL, -- of the next attempt
    created_ms     INTEGER NOT NULL,
    tried_ms       INTEGER NOT NULL, -- the last attempt; 0: none. Likewise what follows
    latency_ms     INTEGER NOT NULL,
    status         INTEGER NOT NULL, -- of HTTP; 0: no answer
    note           TEXT    NOT NULL, -- why it failed
    response       BLOB    NOT NULL  -- the beginning of the answer's body
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (webhook_number, due_ms, number) WHERE state = 0;
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_number, number);
CREATE INDEX deliveries_by_event ON deliveries (event_number);

-- What an account spent in the month that began then: kept from its first usage threshold on.
CREATE TABLE account_months (
    account_number INTEGER PRIMARY KEY,
    from_ms        INTEGER NOT NULL,
    spent_nano     INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 12;
