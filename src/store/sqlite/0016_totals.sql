-- What GET /v1/usage and /v1/provider/earnings tell, kept by calendar month in UTC (utc_month() is of sqlite/db.c: months
-- since January 1970), so that no question reads every generation. What is rolled up (`--keep-jobs-days`) is in here, and
-- only in here: `rolled_...` is the part whose rows are gone, so that the rest can be checked against those that are there.

-- Completed generations, and cancelled ones that were charged. The writer adds each group with its rows.
CREATE TABLE usage_totals (
    account_number           INTEGER NOT NULL,
    month                    INTEGER NOT NULL,
    model                    TEXT    NOT NULL,
    key_number               INTEGER NOT NULL,
    kind                     INTEGER NOT NULL, -- chat, inference
    requests                 INTEGER NOT NULL,
    prompt_tokens            INTEGER NOT NULL,
    completion_tokens        INTEGER NOT NULL,
    charge_nano              INTEGER NOT NULL,
    rolled_requests          INTEGER NOT NULL DEFAULT 0,
    rolled_prompt_tokens     INTEGER NOT NULL DEFAULT 0,
    rolled_completion_tokens INTEGER NOT NULL DEFAULT 0,
    rolled_charge_nano       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_number, month, model, key_number, kind)
) STRICT, WITHOUT ROWID;

-- The sums of `earned`, and like that behind by a slice at most.
CREATE TABLE earned_totals (
    account_number     INTEGER NOT NULL,
    month              INTEGER NOT NULL,
    generations        INTEGER NOT NULL,
    amount_nano        INTEGER NOT NULL,
    tokens             INTEGER NOT NULL,
    rolled_generations INTEGER NOT NULL DEFAULT 0,
    rolled_amount_nano INTEGER NOT NULL DEFAULT 0,
    rolled_tokens      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_number, month)
) STRICT, WITHOUT ROWID;

-- One row: of the generations whose rows are gone, the last one's number, how many, and how many of them were charged.
CREATE TABLE rolled_up (
    number            INTEGER PRIMARY KEY CHECK (number = 1),
    generation_number INTEGER NOT NULL,
    generations       INTEGER NOT NULL,
    settled           INTEGER NOT NULL
) STRICT;

-- Row by row: what belongs together lies together, or the groups are few, and GROUP BY would sort all of it.
INSERT INTO usage_totals
    (account_number, month, model, key_number, kind, requests, prompt_tokens, completion_tokens, charge_nano)
    SELECT account_number, utc_month(created_ms), model, key_number, kind, 1, prompt_tokens, completion_tokens, charge_nano
    FROM generations WHERE outcome = 0 OR (outcome = 2 AND charge_nano > 0)
    ON CONFLICT DO UPDATE SET requests = requests + 1, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
        completion_tokens = completion_tokens + excluded.completion_tokens, charge_nano = charge_nano + excluded.charge_nano;
INSERT INTO earned_totals (account_number, month, generations, amount_nano, tokens)
    SELECT account_number, utc_month(created_ms), 1, amount_nano, tokens FROM earned WHERE true
    ON CONFLICT DO UPDATE SET generations = generations + 1, amount_nano = amount_nano + excluded.amount_nano,
        tokens = tokens + excluded.tokens;
INSERT INTO rolled_up VALUES (1, 0, 0, 0);

PRAGMA user_version = 16;
