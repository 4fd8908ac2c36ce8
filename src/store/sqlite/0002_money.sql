-- Money: tiers, limits of keys, the ledger, stored answers, the audit log. Amounts are nano-dollars (10^-9 USD).
-- Accounts of version 1 get the welcome credit (STORE_WELCOME_CREDIT_NANO), the operator's own the tier without limits.

ALTER TABLE accounts ADD COLUMN tier INTEGER NOT NULL DEFAULT 0 CHECK (tier BETWEEN 0 AND 3); -- free .. unlimited
ALTER TABLE accounts ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1));
UPDATE accounts SET tier = 3 WHERE owner = 1;

ALTER TABLE keys ADD COLUMN expires_ms INTEGER NOT NULL DEFAULT 0; -- 0: never
ALTER TABLE keys ADD COLUMN revoked_ms INTEGER NOT NULL DEFAULT 0; -- 0: not
ALTER TABLE keys ADD COLUMN cap_nano INTEGER NOT NULL DEFAULT -1;  -- negative: none
ALTER TABLE keys ADD COLUMN models TEXT NOT NULL DEFAULT '';       -- separated by commas; empty: all
ALTER TABLE keys ADD COLUMN spent_nano INTEGER NOT NULL DEFAULT 0; -- a cache: what its jobs were charged

-- A job refers to its account and key by number: shorter rows, and indexes whose new entries lie together. Its id is
-- indexed because it must be unique (a job is settled once); that is cheap only while ids begin with the time.
ALTER TABLE jobs RENAME TO jobs_version_1;
CREATE TABLE jobs (
    number                  INTEGER PRIMARY KEY,
    id                      TEXT    NOT NULL,
    account_number          INTEGER NOT NULL, -- 0: was unknown in version 1
    key_number              INTEGER NOT NULL, -- likewise
    model                   TEXT    NOT NULL,
    device_id               TEXT    NOT NULL, -- empty: no device finished it
    label                   TEXT    NOT NULL,
    outcome                 INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 2), -- completed, failed, cancelled
    prompt_tokens           INTEGER NOT NULL,
    completion_tokens       INTEGER NOT NULL,
    attempts                INTEGER NOT NULL,
    ttft_ms                 INTEGER NOT NULL,
    latency_ms              INTEGER NOT NULL,
    created_ms              INTEGER NOT NULL,
    charge_nano             INTEGER NOT NULL,
    provider_nano           INTEGER NOT NULL,
    provider_account_number INTEGER NOT NULL  -- 0: nobody earns
) STRICT;
INSERT INTO jobs
    SELECT j.number, j.id, coalesce(a.number, 0), coalesce(k.number, 0), j.model, j.device_id, j.label, j.outcome,
           j.prompt_tokens, j.completion_tokens, j.attempts, j.ttft_ms, j.latency_ms, j.created_ms, 0, 0, 0
    FROM jobs_version_1 j LEFT JOIN accounts a ON a.id = j.account_id LEFT JOIN keys k ON k.id = j.key_id
    ORDER BY j.number;
DROP TABLE jobs_version_1;
CREATE UNIQUE INDEX jobs_by_id ON jobs (id);
CREATE INDEX jobs_by_account ON jobs (account_number, created_ms);
CREATE INDEX jobs_by_earner ON jobs (provider_account_number, created_ms) WHERE provider_nano > 0;

-- The ledger. Ledger accounts have numbers: 1 revenue, 2 promotions, 3 payouts, 4 refunds;
-- of the account with number n: 16 n its wallet, 16 n + 1 its earnings.
CREATE TABLE transactions (
    number         INTEGER PRIMARY KEY,
    kind           INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3), -- settlement, grant, refund, payout
    job_number     INTEGER, -- of a settlement
    account_number INTEGER, -- of the others
    amount_nano    INTEGER NOT NULL CHECK (amount_nano > 0), -- how much moved: the sum of its positive entries
    created_ms     INTEGER NOT NULL,
    note           TEXT    NOT NULL,
    CHECK ((kind = 0) = (job_number IS NOT NULL) AND (kind = 0) = (account_number IS NULL))
) STRICT;
CREATE INDEX transactions_by_account ON transactions (account_number, kind, created_ms)
    WHERE account_number IS NOT NULL;

CREATE TABLE entries (
    number             INTEGER PRIMARY KEY,
    transaction_number INTEGER NOT NULL,
    ledger_account     INTEGER NOT NULL,
    amount_nano        INTEGER NOT NULL CHECK (amount_nano <> 0)
) STRICT;

-- A cache of the sums of entries; an account without a row has nothing.
CREATE TABLE balances (
    ledger_account INTEGER PRIMARY KEY,
    amount_nano    INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    number      INTEGER PRIMARY KEY,
    created_ms  INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    subject     TEXT    NOT NULL, -- id of the account or key
    amount_nano INTEGER NOT NULL,
    note        TEXT    NOT NULL
) STRICT;

CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT raise(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT raise(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER transactions_no_update BEFORE UPDATE ON transactions
    BEGIN SELECT raise(ABORT, 'transactions are never changed'); END;
CREATE TRIGGER transactions_no_delete BEFORE DELETE ON transactions
    BEGIN SELECT raise(ABORT, 'transactions are never deleted'); END;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit log is never cut'); END;

-- The ledger in words, for export and for people with a shell.
CREATE VIEW ledger AS
    SELECT e.number, e.transaction_number, e.amount_nano, t.created_ms,
           CASE WHEN e.ledger_account = 1 THEN 'revenue' WHEN e.ledger_account = 2 THEN 'promotions'
                WHEN e.ledger_account = 3 THEN 'payouts' WHEN e.ledger_account = 4 THEN 'refunds'
                ELSE CASE e.ledger_account % 16 WHEN 0 THEN 'wallet:' WHEN 1 THEN 'earnings:' ELSE 'unknown:' END
                     || coalesce(a.id, e.ledger_account) END AS ledger_account,
           CASE t.kind WHEN 0 THEN 'settlement' WHEN 1 THEN 'grant' WHEN 2 THEN 'refund' WHEN 3 THEN 'payout' END
               AS kind,
           coalesce(j.id, '') AS job_id, t.note
    FROM entries e LEFT JOIN transactions t ON t.number = e.transaction_number
         LEFT JOIN accounts a ON a.number = e.ledger_account / 16 LEFT JOIN jobs j ON j.number = t.job_number;

-- Rows lie in order of arrival, so that only the small index entry goes to a random place.
CREATE TABLE answers (
    number       INTEGER PRIMARY KEY,
    scope_sha256 BLOB    NOT NULL UNIQUE CHECK (length(scope_sha256) = 32),
    body_sha256  BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    expires_ms   INTEGER NOT NULL,
    stream       INTEGER NOT NULL,
    content      BLOB    NOT NULL
) STRICT;
CREATE INDEX answers_by_expiry ON answers (expires_ms);

INSERT INTO transactions (number, kind, account_number, amount_nano, created_ms, note)
    SELECT number, 1, number, 5000000000, CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'welcome credit' FROM accounts
    ORDER BY number;
INSERT INTO entries (transaction_number, ledger_account, amount_nano)
    SELECT number, part.of_account * 16 * number + part.fixed, part.amount
    FROM accounts, (SELECT 0 AS of_account, 2 AS fixed, -5000000000 AS amount UNION ALL SELECT 1, 0, 5000000000) part
    ORDER BY number;
INSERT INTO balances SELECT ledger_account, sum(amount_nano) FROM entries GROUP BY ledger_account;
INSERT INTO audit (created_ms, actor, action, subject, amount_nano, note)
    SELECT created_ms, 'migration', 'credit.grant', (SELECT id FROM accounts WHERE number = account_number),
           amount_nano, note
    FROM transactions ORDER BY number;

PRAGMA user_version = 2;
