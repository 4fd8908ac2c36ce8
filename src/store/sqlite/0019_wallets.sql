-- Two kinds of credit, escrow, and earnings that ripen (docs/LEDGER.md "Two wallets").
--
-- Ledger accounts of the account with number n: 16 n its wallet of paid credit, 16 n + 1 what it earned of paid credit,
-- 16 n + 2 its wallet of given credit (what it earned of given credit goes there, too), 16 n + 3 and 16 n + 4 what of
-- these two kinds waits in escrow. Kinds of transactions: 4 into escrow, 5 released to who earned it, 6 returned to the
-- client, 7 forfeited to revenue, 8 paid credit that is given credit from now on (below), 9 a grant of given credit.

-- A CHECK has nothing to do with how rows are kept (as in 0015_no_answer.sql).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (kind BETWEEN 0 AND 3)', 'CHECK (kind BETWEEN 0 AND 9)')
WHERE type = 'table' AND name = 'transactions';
PRAGMA writable_schema = RESET;

-- Of a charge, of what its device earned (of one of several: in its part), and of the sums of both: given credit.
ALTER TABLE generations ADD COLUMN given_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE generations ADD COLUMN provider_given_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE generation_parts ADD COLUMN given_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE earned ADD COLUMN given_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_totals ADD COLUMN given_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_totals ADD COLUMN rolled_given_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE earned_totals ADD COLUMN given_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE earned_totals ADD COLUMN rolled_given_nano INTEGER NOT NULL DEFAULT 0;

-- What of the paid kind was earned on each day (of UTC, since 1970), so that what is not ripe yet is known without a look
-- at every generation of a week. As `earned`, behind by a slice at most.
CREATE TABLE earned_days (
    account_number INTEGER NOT NULL,
    day            INTEGER NOT NULL,
    paid_nano      INTEGER NOT NULL,
    PRIMARY KEY (account_number, day)
) STRICT, WITHOUT ROWID;
INSERT INTO earned_days SELECT account_number, created_ms / 86400000, amount_nano FROM earned WHERE true
    ON CONFLICT DO UPDATE SET paid_nano = paid_nano + excluded.paid_nano;
-- Of what was rolled up only the month is known: its last day, or today, is the latest that it can have been.
INSERT INTO earned_days
    SELECT account_number, min(CAST(strftime('%s', '1970-01-01', printf('+%d months', month + 1), '-1 day') AS INTEGER),
                               CAST(strftime('%s', 'now') AS INTEGER)) / 86400, rolled_amount_nano
    FROM earned_totals WHERE rolled_amount_nano > 0
    ON CONFLICT DO UPDATE SET paid_nano = paid_nano + excluded.paid_nano;

-- A device of which something is under review: what it earns goes into escrow.
ALTER TABLE devices ADD COLUMN in_review INTEGER NOT NULL DEFAULT 0 CHECK (in_review IN (0, 1));

-- What waits for the operator's word, or did: a row for a generation and a device.
CREATE TABLE escrow (
    number            INTEGER PRIMARY KEY,
    generation_number INTEGER NOT NULL,
    generation_id     TEXT    NOT NULL,
    device_id         TEXT    NOT NULL,
    account_number    INTEGER NOT NULL, -- who earned it
    client_number     INTEGER NOT NULL, -- who paid it
    paid_nano         INTEGER NOT NULL CHECK (paid_nano >= 0),
    given_nano        INTEGER NOT NULL CHECK (given_nano >= 0),
    created_ms        INTEGER NOT NULL, -- the generation's
    held_ms           INTEGER NOT NULL, -- since when it waits
    state             INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3), -- held, released, returned, forfeited
    ended_ms          INTEGER NOT NULL DEFAULT 0,
    UNIQUE (generation_number, device_id)
) STRICT;
CREATE INDEX escrow_held ON escrow (device_id, client_number) WHERE state = 0;
CREATE INDEX escrow_by_account ON escrow (account_number, created_ms);

DROP VIEW ledger;
CREATE VIEW ledger AS
    SELECT e.number, e.transaction_number, e.amount_nano, t.created_ms,
           CASE WHEN e.ledger_account = 1 THEN 'revenue' WHEN e.ledger_account = 2 THEN 'promotions'
                WHEN e.ledger_account = 3 THEN 'payouts' WHEN e.ledger_account = 4 THEN 'refunds'
                ELSE CASE e.ledger_account % 16 WHEN 0 THEN 'wallet:' WHEN 1 THEN 'earnings:' WHEN 2 THEN 'given:'
                                                WHEN 3 THEN 'escrow:' WHEN 4 THEN 'given-escrow:' ELSE 'unknown:' END
                     || coalesce(a.id, e.ledger_account) END AS ledger_account,
           CASE t.kind WHEN 0 THEN 'settlement' WHEN 1 THEN 'grant' WHEN 2 THEN 'refund' WHEN 3 THEN 'payout'
                       WHEN 4 THEN 'escrow' WHEN 5 THEN 'release' WHEN 6 THEN 'return' WHEN 7 THEN 'forfeit'
                       WHEN 8 THEN 'conversion' WHEN 9 THEN 'grant' END AS kind,
           coalesce(j.id, '') AS job_id, t.note
    FROM entries e LEFT JOIN transactions t ON t.number = e.transaction_number
         LEFT JOIN accounts a ON a.number = e.ledger_account / 16 LEFT JOIN generations j ON j.number = t.generation_number;

-- What is left of the welcome credit of accounts that are not the operator's, as if it had been spent first: all that came
-- into a wallet less what is in it was spent. What it earned others stays owed, as it was when they worked for it.
CREATE TEMP TABLE welcome_left AS
    SELECT a.number AS account_number,
           (SELECT coalesce(sum(t.amount_nano), 0) FROM transactions t
            WHERE t.account_number = a.number AND t.kind = 1 AND t.note = 'welcome credit')
           - (SELECT coalesce(sum(t.amount_nano), 0) FROM transactions t
              WHERE t.account_number = a.number AND t.kind IN (1, 2))
           + coalesce((SELECT b.amount_nano FROM balances b WHERE b.ledger_account = 16 * a.number), 0) AS amount_nano
    FROM accounts a WHERE a.owner = 0 ORDER BY a.number;
DELETE FROM welcome_left WHERE amount_nano <= 0;
INSERT INTO audit (created_ms, actor, action, subject, amount_nano, note)
    SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'migration', 'credit.convert', a.id, w.amount_nano,
           'what is left of the welcome credit is given credit'
    FROM welcome_left w JOIN accounts a ON a.number = w.account_number ORDER BY w.account_number;
INSERT INTO transactions (kind, account_number, amount_nano, created_ms, note)
    SELECT 8, account_number, amount_nano, CAST(strftime('%s', 'now') AS INTEGER) * 1000,
           'what is left of the welcome credit is given credit'
    FROM welcome_left ORDER BY account_number;
INSERT INTO entries (transaction_number, ledger_account, amount_nano)
    SELECT t.number, 16 * t.account_number + part.kind, part.sign * t.amount_nano
    FROM transactions t, (SELECT 0 AS kind, -1 AS sign UNION ALL SELECT 2, 1) part
    WHERE t.kind = 8 ORDER BY t.number, part.kind;
UPDATE balances SET amount_nano = balances.amount_nano - w.amount_nano FROM welcome_left w
    WHERE balances.ledger_account = 16 * w.account_number;
INSERT INTO balances SELECT 16 * account_number + 2, amount_nano FROM welcome_left;
DROP TABLE welcome_left;

PRAGMA user_version = 19;
