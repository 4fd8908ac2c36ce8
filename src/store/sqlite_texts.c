#include "store/sqlite_texts.h"

#define ACCOUNT_COLUMNS                                                                                                \
    "a.number, a.id, a.name, a.owner, a.tier, a.suspended, a.created_ms, coalesce(b.amount_nano, 0)"                   \
    " FROM accounts a LEFT JOIN balances b ON b.ledger_account = 16 * a.number"
#define KEY_COLUMNS                                                                                                    \
    "k.number, k.id, k.account_id, k.kind, k.sha256, k.name, k.created_ms, k.expires_ms, k.revoked_ms, k.cap_nano,"    \
    " k.models, k.spent_nano, a.number, a.owner FROM keys k JOIN accounts a ON a.id = k.account_id"
#define DEVICE_COLUMNS                                                                                                 \
    "d.id, d.account_id, d.public_key, d.name, d.region, d.created_ms, d.verified, coalesce(r.jobs, 0),"               \
    " coalesce(r.failures, 0), coalesce(r.reviews, 0), coalesce(r.success, 0), coalesce(r.uptime, 0),"                 \
    " coalesce(r.kept_ms, 0), coalesce(r.prefill_factor, 0), coalesce(r.decode_factor, 0) FROM devices d"              \
    " LEFT JOIN device_records r ON r.device_number = d.number"
#define DEVICE "(SELECT number FROM devices WHERE id = ?1)"
#define JOB_COLUMNS                                                                                                    \
    " j.model, j.device_id, j.outcome, j.prompt_tokens, j.completion_tokens, j.attempts, j.ttft_ms, j.latency_ms,"     \
    " j.created_ms, j.charge_nano, j.provider_nano"
#define JOB_OF_CLIENT "j.id, coalesce(a.id, ''), coalesce(k.id, ''), j.label," JOB_COLUMNS
#define JOB_NAMES                                                                                                      \
    " FROM jobs j LEFT JOIN accounts a ON a.number = j.account_number"                                                 \
    " LEFT JOIN keys k ON k.number = j.key_number"
/* A page goes on before the place (created_ms, number), which the index has in this order. */
#define JOB_BEFORE " AND (j.created_ms, j.number) < (?, ?) ORDER BY j.created_ms DESC, j.number DESC LIMIT ?"
/* What the account ?1 earned with jobs that are not in `earned` yet: a slice at most. */
#define EARNER "(SELECT number FROM accounts WHERE id = ?1)"
#define EARNED_LATELY                                                                                                  \
    "jobs WHERE number > (SELECT job_number FROM earned_until) AND provider_nano > 0 AND provider_account_number "     \
    "= " EARNER
/* The same of the jobs that several devices made: a row for each job. */
#define PARTS_LATELY                                                                                                   \
    "job_parts p CROSS JOIN jobs j ON j.number = p.job_number"                                                         \
    " WHERE p.job_number > (SELECT job_number FROM earned_until) AND p.account_number = " EARNER
/* Of a job that an account earned from, what its own devices did of it. */
#define OWN_PARTS(sum)                                                                                                 \
    "(SELECT " sum " FROM job_parts p WHERE p.job_number = j.number AND p.account_number = " EARNER ")"
#define OWN(column, sum) "iif(j.provider_account_number > 0, " column ", " OWN_PARTS(sum) ")"
#define JOB_OF_EARNER                                                                                                  \
    "j.id, '', '', '', j.model, "                                                                                      \
    "iif(j.provider_account_number > 0, j.device_id, (SELECT p.device_id FROM job_parts p"                             \
    " WHERE p.job_number = j.number AND p.account_number = " EARNER " ORDER BY p.number DESC LIMIT 1)),"               \
    " j.outcome, " OWN("j.prompt_tokens", "sum(p.prompt_tokens)") ", " OWN(                                            \
        "j.completion_tokens", "sum(p.completion_tokens)") ", j.attempts, j.ttft_ms, j.latency_ms, j.created_ms,"      \
                                                           " j.charge_nano, " OWN("j.provider_nano",                   \
                                                                                  "sum(p.amount_nano)")
/* A page goes on behind the row with this id; none: from the first; an unknown one: nothing. */
#define PAGE_START(table, id)                                                                                          \
    "coalesce((SELECT number FROM " table " WHERE id = " id "), iif(" id " = '', 0, 9223372036854775807))"

const char *const SQLITE_TEXTS[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT one",
    [SQL_SAVEPOINT_RELEASE] = "RELEASE one",
    [SQL_SAVEPOINT_ROLLBACK] = "ROLLBACK TO one",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_ACCOUNT_ADD] = "INSERT INTO accounts (id, name, owner, tier, suspended, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_ACCOUNT_OWNER] = "SELECT " ACCOUNT_COLUMNS " WHERE a.owner = 1 ORDER BY a.number LIMIT 1",
    [SQL_ACCOUNT_EACH] = "SELECT " ACCOUNT_COLUMNS " ORDER BY a.number",
    [SQL_ACCOUNT_FIND] = "SELECT " ACCOUNT_COLUMNS " WHERE a.id = ?",
    [SQL_ACCOUNT_PAGE] =
        "SELECT " ACCOUNT_COLUMNS " WHERE a.number > " PAGE_START("accounts", "?1") " ORDER BY a.number LIMIT ?2",
    [SQL_ACCOUNT_TIER] = "UPDATE accounts SET tier = ? WHERE id = ?",
    [SQL_ACCOUNT_SUSPEND] = "UPDATE accounts SET suspended = ? WHERE id = ?",
    [SQL_KEY_ADD] =
        "INSERT INTO keys (id, account_id, kind, sha256, name, created_ms, expires_ms, revoked_ms, cap_nano,"
        " models) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_KEY_EACH] = "SELECT " KEY_COLUMNS " ORDER BY k.number",
    [SQL_KEY_FIND] = "SELECT " KEY_COLUMNS " WHERE k.sha256 = ?",
    [SQL_KEY_PAGE] = "SELECT " KEY_COLUMNS
                     " WHERE k.account_id = ?1 AND k.number > " PAGE_START("keys", "?2") " ORDER BY k.number LIMIT ?3",
    [SQL_KEY_BY_ID] = "SELECT " KEY_COLUMNS " WHERE k.id = ?",
    [SQL_KEY_REVOKE] = "UPDATE keys SET revoked_ms = ? WHERE id = ? AND revoked_ms = 0",
    [SQL_KEY_SPEND] = "UPDATE keys SET spent_nano = spent_nano + ? WHERE number = ?",
    [SQL_JOIN_TOKEN_ADD] =
        "INSERT INTO join_tokens (sha256, account_id, created_ms, expires_ms, uses_left) VALUES (?, ?, ?, ?, ?)",
    [SQL_JOIN_TOKEN_FIND] = "SELECT account_id FROM join_tokens WHERE sha256 = ? AND expires_ms > ? AND uses_left > 0",
    [SQL_JOIN_TOKEN_USE] = "UPDATE join_tokens SET uses_left = uses_left - 1 WHERE sha256 = ?",
    [SQL_DEVICE_ADD] =
        "INSERT INTO devices (id, account_id, public_key, name, region, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_DEVICE_FIND] = "SELECT " DEVICE_COLUMNS " WHERE d.public_key = ?",
    [SQL_DEVICE_BY_ID] = "SELECT " DEVICE_COLUMNS " WHERE d.id = ?",
    [SQL_DEVICE_PAGE] = "SELECT " DEVICE_COLUMNS " WHERE (?1 = '' OR d.account_id = ?1) AND d.number > " PAGE_START(
        "devices", "?2") " ORDER BY d.number LIMIT ?3",
    [SQL_DEVICE_VERIFY] = "UPDATE devices SET verified = ? WHERE id = ?",
    [SQL_RECORD_KEEP] =
        "REPLACE INTO device_records (device_number, jobs, failures, reviews, success, uptime, kept_ms,"
        " prefill_factor, decode_factor) SELECT number, ?, ?, ?, ?, ?, ?, ?, ? FROM devices WHERE id = ?",
    [SQL_REVIEW_ADD] = "INSERT INTO reviews (device_number, created_ms, reason, job_id)"
                       " SELECT number, ?, ?, ? FROM devices WHERE id = ?",
    [SQL_REVIEW_TRIM] = "DELETE FROM reviews WHERE number IN (SELECT number FROM reviews WHERE device_number = " DEVICE
                        " ORDER BY number DESC LIMIT -1 OFFSET ?2)",
    [SQL_REVIEW_CLEAR] = "DELETE FROM reviews WHERE device_number = " DEVICE,
    [SQL_REVIEW_PAGE] = "SELECT r.number, r.created_ms, d.id, d.name, r.reason, r.job_id FROM reviews r"
                        " JOIN devices d ON d.number = r.device_number"
                        " WHERE (?1 = '' OR r.device_number = " DEVICE ") AND r.number < ?2"
                        " ORDER BY r.number DESC LIMIT ?3",
    [SQL_JOB_ADD] = "INSERT INTO jobs (id, account_number, key_number, model, device_id, label, outcome, prompt_tokens,"
                    " completion_tokens, attempts, ttft_ms, latency_ms, created_ms, charge_nano, provider_nano,"
                    " provider_account_number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_JOB_PART_ADD] = "INSERT INTO job_parts (job_number, account_number, device_id, prompt_tokens,"
                         " completion_tokens, amount_nano) VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_JOB_EACH] = "SELECT " JOB_OF_CLIENT JOB_NAMES " ORDER BY j.number",
    [SQL_JOB_CURSOR] = "SELECT created_ms, number FROM jobs WHERE id = ?2"
                       " AND account_number = (SELECT number FROM accounts WHERE id = ?1)",
    [SQL_JOB_PAGE] = "SELECT " JOB_OF_CLIENT JOB_NAMES
                     " WHERE j.account_number = (SELECT number FROM accounts WHERE id = ?)" JOB_BEFORE,
    [SQL_EARNED_CURSOR] =
        "SELECT created_ms, number FROM jobs WHERE id = ?2 AND provider_nano > 0 AND (provider_account_number = " EARNER
        " OR EXISTS (SELECT 1 FROM job_parts WHERE job_number = jobs.number AND account_number = " EARNER
        " AND amount_nano > 0))",
    /* Who asked and how they named it is not the earner's business. */
    [SQL_EARNED_PAGE] = "WITH page AS (SELECT * FROM (SELECT job_number FROM earned WHERE account_number = " EARNER
                        " AND (created_ms, job_number) < (?2, ?3) ORDER BY created_ms DESC, job_number DESC LIMIT ?4)"
                        " UNION ALL SELECT number FROM " EARNED_LATELY " AND (created_ms, number) < (?2, ?3)"
                        " UNION ALL SELECT j.number FROM " PARTS_LATELY " AND (j.created_ms, j.number) < (?2, ?3)"
                        " GROUP BY j.number HAVING sum(p.amount_nano) > 0)"
                        " SELECT " JOB_OF_EARNER " FROM page CROSS JOIN jobs j"
                        " ON j.number = page.job_number ORDER BY j.created_ms DESC, j.number DESC LIMIT ?4",
    [SQL_USAGE_KEY] = "SELECT 1 FROM keys WHERE id = ? AND account_id = ?",
    [SQL_USAGE_BALANCE] = "SELECT coalesce((SELECT amount_nano FROM balances WHERE ledger_account = 16 * number), 0)"
                          " FROM accounts WHERE id = ?",
    [SQL_USAGE_MODELS] = "SELECT model, count(*), sum(prompt_tokens), sum(completion_tokens), sum(charge_nano)"
                         " FROM jobs WHERE account_number = (SELECT number FROM accounts WHERE id = ?1)"
                         " AND created_ms >= ?2 AND created_ms < ?3"
                         " AND (outcome = 0 OR (outcome = 2 AND charge_nano > 0))"
                         " AND (?4 = '' OR key_number = (SELECT number FROM keys WHERE id = ?4))"
                         " GROUP BY model ORDER BY model",
    [SQL_EARNINGS] =
        "WITH worked AS (SELECT amount_nano, tokens FROM earned WHERE account_number = " EARNER
        " AND created_ms >= ?2 AND created_ms < ?3"
        " UNION ALL SELECT provider_nano, prompt_tokens + completion_tokens FROM " EARNED_LATELY
        " AND created_ms >= ?2 AND created_ms < ?3"
        " UNION ALL SELECT sum(p.amount_nano), sum(p.prompt_tokens + p.completion_tokens) FROM " PARTS_LATELY
        " AND j.created_ms >= ?2 AND j.created_ms < ?3"
        " GROUP BY j.number HAVING sum(p.amount_nano) > 0)"
        " SELECT coalesce(sum(amount_nano), 0), (SELECT coalesce(sum(amount_nano), 0) FROM transactions"
        " WHERE account_number = " EARNER " AND kind = 3"
        " AND created_ms >= ?2 AND created_ms < ?3), count(*), coalesce(sum(tokens), 0) FROM worked",
    [SQL_ACCOUNT_NUMBER] = "SELECT number FROM accounts WHERE id = ?",
    [SQL_KEY_NUMBER] = "SELECT number FROM keys WHERE id = ?",
    [SQL_BALANCE_GET] = "SELECT amount_nano FROM balances WHERE ledger_account = ?",
    [SQL_BALANCE_SET] = "REPLACE INTO balances (ledger_account, amount_nano) VALUES (?, ?)",
    [SQL_TRANSACTION_ADD] = "INSERT INTO transactions (kind, job_number, account_number, amount_nano, created_ms, note)"
                            " VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_TRANSACTION_LAST] = "SELECT coalesce(max(number), 0) FROM transactions",
    [SQL_ENTRY_ADD] = "INSERT INTO entries (transaction_number, ledger_account, amount_nano) VALUES (?, ?, ?)",
    /* OR ROLLBACK: a failure undoes everything anyway, and the statement needs no journal of its own. */
    [SQL_SETTLEMENTS_ADD] = "INSERT OR ROLLBACK INTO transactions (kind, job_number, account_number, amount_nano,"
                            " created_ms, note) SELECT 0, number, NULL, charge_nano, created_ms, '' FROM jobs"
                            " WHERE number >= ? AND charge_nano > 0 ORDER BY number",
    [SQL_SETTLED_ENTRIES_ADD] =
        "INSERT OR ROLLBACK INTO entries (transaction_number, ledger_account, amount_nano)"
        " SELECT t.number, CASE part.n WHEN 0 THEN 16 * j.account_number"
        " WHEN 1 THEN 16 * j.provider_account_number + 1 ELSE 1 END, CASE part.n WHEN 0 THEN -j.charge_nano"
        " WHEN 1 THEN j.provider_nano ELSE j.charge_nano - j.provider_nano END AS amount"
        " FROM transactions t CROSS JOIN jobs j ON j.number = t.job_number"
        " CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2) part"
        " WHERE t.number > ? AND amount <> 0 AND (part.n <> 1 OR j.provider_account_number > 0)",
    [SQL_SETTLED_PARTS_ADD] = "INSERT OR ROLLBACK INTO entries (transaction_number, ledger_account, amount_nano)"
                              " SELECT t.number, 16 * p.account_number + 1, sum(p.amount_nano) FROM transactions t"
                              " CROSS JOIN job_parts p ON p.job_number = t.job_number WHERE t.number > ?"
                              " GROUP BY t.number, p.account_number HAVING sum(p.amount_nano) > 0",
    [SQL_EARNED_UNTIL] = "SELECT job_number FROM earned_until",
    [SQL_EARNED_ADD] =
        "INSERT OR ROLLBACK INTO earned (account_number, created_ms, job_number, amount_nano, tokens)"
        " SELECT provider_account_number, created_ms, number, provider_nano, prompt_tokens + completion_tokens"
        " FROM jobs WHERE number > (SELECT job_number FROM earned_until) AND number <= ? AND provider_nano > 0"
        " AND provider_account_number > 0 ORDER BY provider_account_number, created_ms, number",
    [SQL_EARNED_PARTS_ADD] =
        "INSERT OR ROLLBACK INTO earned (account_number, created_ms, job_number, amount_nano, tokens)"
        " SELECT p.account_number, j.created_ms, j.number, sum(p.amount_nano), sum(p.prompt_tokens +"
        " p.completion_tokens) FROM job_parts p CROSS JOIN jobs j ON j.number = p.job_number"
        " WHERE p.job_number > (SELECT job_number FROM earned_until) AND p.job_number <= ?"
        " GROUP BY p.account_number, j.number HAVING sum(p.amount_nano) > 0",
    [SQL_EARNED_UNTIL_SET] = "UPDATE earned_until SET job_number = ?",
    [SQL_ENTRY_EACH] = "SELECT number, transaction_number, amount_nano, created_ms, ledger_account, kind, job_id, note"
                       " FROM ledger ORDER BY number",
    [SQL_LEDGER_COUNT] = "SELECT (SELECT count(*) FROM transactions), (SELECT count(*) FROM entries),"
                         " (SELECT count(*) FROM balances)",
    [SQL_ANSWER_ADD] = "INSERT INTO answers (scope_sha256, body_sha256, expires_ms, stream, content)"
                       " VALUES (?, ?, ?, ?, ?)",
    [SQL_ANSWER_EXPIRY] = "SELECT expires_ms FROM answers WHERE scope_sha256 = ?",
    [SQL_ANSWER_FIND] =
        "SELECT body_sha256, expires_ms, stream, content FROM answers WHERE scope_sha256 = ? AND expires_ms > ?",
    [SQL_ANSWER_DELETE] = "DELETE FROM answers WHERE scope_sha256 = ?",
    [SQL_ANSWER_EXPIRE] = "DELETE FROM answers WHERE number IN"
                          " (SELECT number FROM answers WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)",
    [SQL_AUDIT_ADD] = "INSERT INTO audit (created_ms, actor, action, subject, amount_nano, note)"
                      " VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_AUDIT_EACH] =
        "SELECT number, created_ms, actor, action, subject, amount_nano, note FROM audit ORDER BY number",
    [SQL_AUDIT_PAGE] =
        "SELECT number, created_ms, actor, action, subject, amount_nano, note FROM audit WHERE number < ?"
        " ORDER BY number DESC LIMIT ?",
    [SQL_SETTING_GET] = "SELECT value FROM settings WHERE name = ?",
    [SQL_SETTING_SET] = "INSERT INTO settings (name, value) VALUES (?, ?)"
                        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
};
