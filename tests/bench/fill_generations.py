"""Fills the database of a data folder that no program has open with settled generations, as a network would have left
them: faster than settling them one by one. The ledger and the totals agree with the rows; schemas before the totals are
filled too, so that an older program can be measured on the same data."""

import sqlite3
import time

CHARGE_NANO, PROVIDER_NANO = 24_000, 20_400
SPAN_MS = 90 * 24 * 3600 * 1000  # the rows lie in the last 90 days
KEPT_MS = 3600 * 1000  # the newest is an hour old

ROWS = """
INSERT INTO generations (number, id, account_number, key_number, model, device_id, label, outcome, prompt_tokens,
    completion_tokens, attempts, ttft_ms, latency_ms, created_ms, charge_nano, provider_nano, provider_account_number)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT :first + i, printf('chatcmpl-%08x%08x', :first + i, i * 2654435761 % 4294967296), :account, :key,
    iif(i % 8 = 0, 'smollm2-135m-instruct-q8_0', 'qwen2.5-0.5b-instruct-q6_k'), 'prov_bench', '', 0, 40, 200, 1, 30,
    900, :begin + i * :span / :count, :charge, :provider, :account FROM n
"""

LEDGER = """
INSERT INTO transactions (kind, generation_number, account_number, amount_nano, created_ms, note)
    SELECT 0, number, NULL, charge_nano, created_ms, '' FROM generations WHERE number > :first ORDER BY number;
INSERT INTO entries (transaction_number, ledger_account, amount_nano)
    SELECT t.number, CASE part.n WHEN 0 THEN 16 * :account WHEN 1 THEN 16 * :account + 1 ELSE 1 END,
        CASE part.n WHEN 0 THEN -:charge WHEN 1 THEN :provider ELSE :charge - :provider END
    FROM transactions t CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2) part
    WHERE t.generation_number > :first ORDER BY t.number;
INSERT INTO earned SELECT provider_account_number, created_ms, number, provider_nano, prompt_tokens + completion_tokens
    FROM generations WHERE number > :first ORDER BY created_ms, number;
UPDATE earned_until SET generation_number = :first + :count;
UPDATE keys SET spent_nano = spent_nano + :count * :charge WHERE number = :key;
INSERT INTO balances VALUES (16 * :account, -:count * :charge), (16 * :account + 1, :count * :provider),
    (1, :count * (:charge - :provider))
    ON CONFLICT DO UPDATE SET amount_nano = amount_nano + excluded.amount_nano;
"""

TOTALS = """
INSERT INTO usage_totals (account_number, month, model, key_number, kind, requests, prompt_tokens, completion_tokens,
    charge_nano) SELECT account_number, utc_month(created_ms), model, key_number, kind, 1, prompt_tokens,
    completion_tokens, charge_nano FROM generations WHERE number > :first
    ON CONFLICT DO UPDATE SET requests = requests + 1, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
    completion_tokens = completion_tokens + excluded.completion_tokens,
    charge_nano = charge_nano + excluded.charge_nano;
INSERT INTO earned_totals (account_number, month, generations, amount_nano, tokens)
    SELECT account_number, utc_month(created_ms), 1, amount_nano, tokens FROM earned WHERE generation_number > :first
    ON CONFLICT DO UPDATE SET generations = generations + 1, amount_nano = amount_nano + excluded.amount_nano,
    tokens = tokens + excluded.tokens;
"""


def utc_month(wall_ms):
    date = time.gmtime(wall_ms // 1000)
    return (date.tm_year - 1970) * 12 + date.tm_mon - 1


def open_database(path):
    database = sqlite3.connect(path, isolation_level=None)
    database.create_function("utc_month", 1, utc_month, deterministic=True)
    database.execute("PRAGMA synchronous = OFF")
    return database


def run(database, script, values):
    for statement in script.split(";\n"):
        if statement.strip():
            database.execute(statement, {name: values[name] for name in values if f":{name}" in statement})


def fill_generations(path, count, now_ms=None):
    """All of the owner's account and its live key, which is also who earned them."""
    database = open_database(path)
    account, key = database.execute(
        "SELECT a.number, k.number FROM accounts a JOIN keys k ON k.account_id = a.id WHERE a.owner = 1 AND k.kind = 0"
    ).fetchone()
    (first,) = database.execute("SELECT coalesce(max(number), 0) FROM generations").fetchone()
    begin = (now_ms or int(time.time() * 1000)) - SPAN_MS - KEPT_MS
    values = {"count": count, "first": first, "account": account, "key": key, "begin": begin, "span": SPAN_MS,
              "charge": CHARGE_NANO, "provider": PROVIDER_NANO}
    database.execute("BEGIN IMMEDIATE")
    run(database, ROWS, values)
    run(database, LEDGER, values)
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'usage_totals'").fetchone():
        run(database, TOTALS, values)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def fill_accounts(path, count):
    """Accounts of clients with a key each, whose secrets nobody knows."""
    database = open_database(path)
    values = {"count": count}
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
    database.execute("BEGIN IMMEDIATE")
    database.execute(f"INSERT INTO accounts (id, name, owner, created_ms) {numbers}"
                     " SELECT printf('acct_bench%010d', i), 'bench', 0, 1 FROM n", values)
    database.execute(f"INSERT INTO keys (id, account_id, kind, sha256, name, created_ms) {numbers}"
                     " SELECT printf('key_bench%010d', i), printf('acct_bench%010d', i), 0, randomblob(32), '', 1"
                     " FROM n", values)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
