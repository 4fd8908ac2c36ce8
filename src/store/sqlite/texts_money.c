#include "store/sqlite/texts_money.h"

/* What the account ?1 earned with generations that are not in `earned` yet: a slice at most. */
#define EARNER "(SELECT number FROM accounts WHERE id = ?1)"
#define EARNED_LATELY                                                                                                  \
    "generations WHERE number > (SELECT generation_number FROM earned_until) AND provider_nano > 0 AND "               \
    "provider_account_number "                                                                                         \
    "= " EARNER
/* The same of those that several devices made: a row for each. */
#define PARTS_LATELY                                                                                                   \
    "generation_parts p CROSS JOIN generations j ON j.number = p.generation_number"                                    \
    " WHERE p.generation_number > (SELECT generation_number FROM earned_until) AND p.account_number = " EARNER
/* Of a generation that an account earned from, what its own devices did of it. */
#define OWN_PARTS(sum)                                                                                                 \
    "(SELECT " sum " FROM generation_parts p WHERE p.generation_number = j.number AND p.account_number = " EARNER ")"
#define OWN(column, sum) "iif(j.provider_account_number > 0, " column ", " OWN_PARTS(sum) ")"
#define GENERATION_OF_EARNER                                                                                           \
    "j.id, '', '', '', j.model, "                                                                                      \
    "iif(j.provider_account_number > 0, j.device_id, (SELECT p.device_id FROM generation_parts p"                      \
    " WHERE p.generation_number = j.number AND p.account_number = " EARNER " ORDER BY p.number DESC LIMIT 1)),"        \
    " j.outcome, " OWN("j.prompt_tokens", "sum(p.prompt_tokens)") ", " OWN(                                            \
        "j.completion_tokens",                                                                                         \
        "sum(p.completion_tokens)") ", j.attempts, j.ttft_ms, j.latency_ms, j.created_ms,"                             \
                                    " j.charge_nano, " OWN(                                                            \
                                        "j.provider_nano",                                                             \
                                        "sum(p.amount_nano)") ", j.purpose, j.kind, 0, " OWN("j.provider_given_nano",  \
                                                                                             "sum(p.given_nano)") ", " \
                                                                                                                  "0"
/* What counts as usage: what was completed, and what was cancelled after something had come of it. */
#define COUNTED "(outcome = 0 OR (outcome = 2 AND charge_nano > 0))"
/* What generations that are not in `earned` yet, up to the number ?1, say of those who earned from them: of one device
 * each, and of several. */
#define EARNED_ALONE                                                                                                   \
    "SELECT provider_account_number AS account_number, created_ms, number AS generation_number,"                       \
    " provider_nano AS amount_nano, prompt_tokens + completion_tokens AS tokens,"                                      \
    " provider_given_nano AS given_nano FROM generations"                                                              \
    " WHERE number > (SELECT generation_number FROM earned_until) AND number <= ?1 AND provider_nano > 0"              \
    " AND provider_account_number > 0"
#define EARNED_TOGETHER                                                                                                \
    "SELECT p.account_number, j.created_ms, j.number AS generation_number, sum(p.amount_nano) AS amount_nano,"         \
    " sum(p.prompt_tokens + p.completion_tokens) AS tokens, sum(p.given_nano) AS given_nano FROM generation_parts p"   \
    " CROSS JOIN generations j ON j.number = p.generation_number"                                                      \
    " WHERE p.generation_number > (SELECT generation_number FROM earned_until) AND p.generation_number <= ?1"          \
    " GROUP BY p.account_number, j.number HAVING sum(p.amount_nano) > 0"
/* The generations that a step of rolling up deletes: behind the number ?1, up to ?2, created before ?3. */
#define ROLLED(table) table "number > ?1 AND " table "number <= ?2 AND " table "created_ms < ?3"
#define ROLLED_ALONE                                                                                                   \
    "SELECT provider_account_number AS account_number, created_ms, number AS generation_number,"                       \
    " provider_nano AS amount_nano, prompt_tokens + completion_tokens AS tokens,"                                      \
    " provider_given_nano AS given_nano FROM generations"                                                              \
    " WHERE " ROLLED("") " AND provider_nano > 0 AND provider_account_number > 0"
#define ROLLED_TOGETHER                                                                                                \
    "SELECT p.account_number, j.created_ms, j.number AS generation_number, sum(p.amount_nano) AS amount_nano,"         \
    " sum(p.prompt_tokens + p.completion_tokens) AS tokens, sum(p.given_nano) AS given_nano FROM generations j"        \
    " CROSS JOIN generation_parts p ON p.generation_number = j.number WHERE " ROLLED(                                  \
        "j.") " GROUP BY p.account_number, j.number HAVING sum(p.amount_nano) > 0"

/* What a slice of generations comes to by earner and day, so that its totals take one look at it. */
const char SQLITE_TEMPORARY_TABLES[] =
    "CREATE TEMP TABLE earned_slice (account_number INTEGER, day INTEGER, generations INTEGER, amount_nano INTEGER,"
    " tokens INTEGER, given_nano INTEGER) STRICT";

const char *const SQLITE_TEXTS_MONEY[SQL_COUNT] = {
    [SQL_EARNED_CURSOR] =
        "SELECT created_ms, number FROM generations WHERE id = ?2 AND provider_nano > 0 AND (provider_account_number "
        "= " EARNER " OR EXISTS (SELECT 1 FROM generation_parts WHERE generation_number = generations.number AND "
        "account_number = " EARNER " AND amount_nano > 0))",
    [SQL_ROLL_UP_BOUND] =
        "SELECT min(?1, coalesce((SELECT created_ms FROM jobs WHERE state < 2 ORDER BY number LIMIT 1), ?1),"
        " coalesce((SELECT created_ms FROM workflows WHERE status = 0 ORDER BY number LIMIT 1), ?1))",
    /* Without the newest row: the next one would get its number again, which the ledger has for this one. */
    [SQL_ROLL_UP_LOOK] = "SELECT coalesce(max(number), 0), count(*), coalesce(sum(created_ms < ?2), 0), "
                         "coalesce(sum(created_ms > ?3), 0)"
                         " FROM (SELECT number, created_ms FROM generations WHERE number > ?1"
                         " AND number < (SELECT max(number) FROM generations) ORDER BY number LIMIT ?4)",
    /* A job tells its charge from its generation's row as long as there is one. */
    [SQL_ROLL_UP_JOBS] =
        "UPDATE jobs SET prompt_tokens = j.prompt_tokens, completion_tokens = j.completion_tokens,"
        " charge_nano = j.charge_nano FROM (SELECT * FROM generations WHERE " ROLLED("") " AND purpose = 1) j"
                                                                                         " WHERE jobs.id = j.id",
    [SQL_ROLL_UP_USAGE] =
        "INSERT INTO usage_totals (account_number, month, model, key_number, kind, requests, prompt_tokens,"
        " completion_tokens, charge_nano, rolled_requests, rolled_prompt_tokens, rolled_completion_tokens,"
        " rolled_charge_nano, rolled_given_nano) SELECT account_number, utc_month(created_ms), model, key_number, kind,"
        " 0, 0, 0, 0, 1, prompt_tokens, completion_tokens, charge_nano, given_nano FROM generations WHERE " ROLLED(
            "") " AND " COUNTED " ON CONFLICT (account_number, month, model, key_number, kind) DO UPDATE SET"
                " rolled_requests = rolled_requests + 1,"
                " rolled_prompt_tokens = rolled_prompt_tokens + excluded.rolled_prompt_tokens,"
                " rolled_completion_tokens = rolled_completion_tokens + excluded.rolled_completion_tokens,"
                " rolled_charge_nano = rolled_charge_nano + excluded.rolled_charge_nano,"
                " rolled_given_nano = rolled_given_nano + excluded.rolled_given_nano",
    [SQL_ROLL_UP_EARNED_TOTALS] =
        "INSERT INTO earned_totals (account_number, month, generations, amount_nano, tokens, rolled_generations,"
        " rolled_amount_nano, rolled_tokens, rolled_given_nano) SELECT account_number, utc_month(created_ms), 0, 0, 0,"
        " 1, amount_nano, tokens, given_nano FROM (" ROLLED_ALONE " UNION ALL SELECT * FROM (" ROLLED_TOGETHER
        ")) WHERE true"
        " ON CONFLICT (account_number, month) DO UPDATE SET rolled_generations = rolled_generations + 1,"
        " rolled_amount_nano = rolled_amount_nano + excluded.rolled_amount_nano,"
        " rolled_tokens = rolled_tokens + excluded.rolled_tokens,"
        " rolled_given_nano = rolled_given_nano + excluded.rolled_given_nano",
    [SQL_ROLL_UP_COUNT] =
        "UPDATE rolled_up SET generation_number = max(generation_number, j.last), generations = generations + j.count,"
        " settled = rolled_up.settled + j.settled FROM (SELECT max(number) AS last, count(*) AS count, sum(charge_nano "
        "> 0) AS"
        " settled FROM generations WHERE " ROLLED("") ") j WHERE j.count > 0",
    [SQL_ROLL_UP_EARNED] = "DELETE FROM earned WHERE (account_number, created_ms, generation_number) IN (SELECT "
                           "account_number, created_ms,"
                           " generation_number FROM (" ROLLED_ALONE " UNION ALL SELECT * FROM (" ROLLED_TOGETHER ")))",
    [SQL_ROLL_UP_PARTS] =
        "DELETE FROM generation_parts WHERE generation_number IN (SELECT number FROM generations WHERE " ROLLED("") ")",
    [SQL_ROLL_UP_DELETE] = "DELETE FROM generations WHERE " ROLLED(""),
    /* Who asked and how they named it is not the earner's business. */
    [SQL_EARNED_PAGE] =
        "WITH page AS (SELECT * FROM (SELECT generation_number FROM earned WHERE account_number = " EARNER
        " AND (created_ms, generation_number) < (?2, ?3) ORDER BY created_ms DESC, generation_number DESC LIMIT ?4)"
        " UNION ALL SELECT number FROM " EARNED_LATELY " AND (created_ms, number) < (?2, ?3)"
        " UNION ALL SELECT j.number FROM " PARTS_LATELY " AND (j.created_ms, j.number) < (?2, ?3)"
        " GROUP BY j.number HAVING sum(p.amount_nano) > 0)"
        " SELECT " GENERATION_OF_EARNER " FROM page CROSS JOIN generations j"
        " ON j.number = page.generation_number ORDER BY j.created_ms DESC, j.number DESC LIMIT ?4",
    [SQL_USAGE_KEY] = "SELECT 1 FROM keys WHERE id = ? AND account_id = ?",
    [SQL_USAGE_BALANCE] =
        "SELECT coalesce((SELECT amount_nano FROM balances WHERE ledger_account = 16 * number), 0),"
        " coalesce((SELECT amount_nano FROM balances WHERE ledger_account = 16 * number + 2), 0) FROM accounts"
        " WHERE id = ?",
    [SQL_USAGE_MODELS] =
        "SELECT model, sum(requests), sum(prompt_tokens), sum(completion_tokens), sum(charge_nano), sum(given_nano)"
        " FROM usage_totals"
        " WHERE account_number = (SELECT number FROM accounts WHERE id = ?1) AND month BETWEEN ?2 AND ?3"
        " AND (?4 = '' OR key_number = (SELECT number FROM keys WHERE id = ?4)) GROUP BY model ORDER BY model",
    [SQL_USAGE_ADD] =
        "INSERT OR ROLLBACK INTO usage_totals (account_number, month, model, key_number, kind, requests, prompt_tokens,"
        " completion_tokens, charge_nano, given_nano) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (account_number, month, model, key_number, kind) DO UPDATE SET"
        " requests = requests + excluded.requests,"
        " prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
        " completion_tokens = completion_tokens + excluded.completion_tokens,"
        " charge_nano = charge_nano + excluded.charge_nano, given_nano = given_nano + excluded.given_nano",
    [SQL_EARNINGS] =
        "WITH worked AS (SELECT generations, amount_nano, tokens, given_nano FROM earned_totals"
        " WHERE account_number = " EARNER " AND month BETWEEN ?2 AND ?3"
        " UNION ALL SELECT 1, provider_nano, prompt_tokens + completion_tokens, provider_given_nano FROM " EARNED_LATELY
        " AND utc_month(created_ms) BETWEEN ?2 AND ?3"
        " UNION ALL SELECT 1, sum(p.amount_nano), sum(p.prompt_tokens + p.completion_tokens), sum(p.given_nano)"
        " FROM " PARTS_LATELY " AND utc_month(j.created_ms) BETWEEN ?2 AND ?3"
        " GROUP BY j.number HAVING sum(p.amount_nano) > 0)"
        " SELECT coalesce(sum(amount_nano), 0), (SELECT coalesce(sum(amount_nano), 0) FROM transactions"
        " WHERE account_number = " EARNER " AND kind = 3 AND utc_month(created_ms) BETWEEN ?2 AND ?3),"
        " coalesce(sum(generations), 0), coalesce(sum(tokens), 0), coalesce(sum(given_nano), 0) FROM worked",
    [SQL_BALANCE_GET] = "SELECT amount_nano FROM balances WHERE ledger_account = ?",
    [SQL_BALANCE_SET] = "REPLACE INTO balances (ledger_account, amount_nano) VALUES (?, ?)",
    [SQL_TRANSACTION_ADD] =
        "INSERT INTO transactions (kind, generation_number, account_number, amount_nano, created_ms, note)"
        " VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_TRANSACTION_LAST] = "SELECT coalesce(max(number), 0) FROM transactions",
    [SQL_ENTRY_ADD] = "INSERT INTO entries (transaction_number, ledger_account, amount_nano) VALUES (?, ?, ?)",
    /* OR ROLLBACK: a failure undoes everything anyway, and the statement needs no journal of its own. */
    [SQL_SETTLEMENTS_ADD] =
        "INSERT OR ROLLBACK INTO transactions (kind, generation_number, account_number, amount_nano,"
        " created_ms, note) SELECT 0, number, NULL, charge_nano, created_ms, '' FROM generations"
        " WHERE number >= ? AND charge_nano > 0 ORDER BY number",
    [SQL_SETTLED_ENTRIES_ADD] =
        "INSERT OR ROLLBACK INTO entries (transaction_number, ledger_account, amount_nano)"
        " SELECT t.number, CASE part.n WHEN 0 THEN 16 * j.account_number WHEN 1 THEN 16 * j.provider_account_number + 1"
        " ELSE 1 END, CASE part.n WHEN 0 THEN j.given_nano - j.charge_nano"
        " WHEN 1 THEN j.provider_nano - j.provider_given_nano ELSE j.charge_nano - j.provider_nano END AS amount"
        " FROM transactions t CROSS JOIN generations j ON j.number = t.generation_number"
        " CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2) part"
        " WHERE t.number > ? AND amount <> 0 AND (part.n <> 1 OR j.provider_account_number > 0)",
    /* Most groups have no given credit in them. */
    [SQL_SETTLED_GIVEN_ADD] =
        "INSERT OR ROLLBACK INTO entries (transaction_number, ledger_account, amount_nano)"
        " SELECT t.number, iif(part.n = 0, 16 * j.account_number + 2, 16 * j.provider_account_number + 2),"
        " iif(part.n = 0, -j.given_nano, j.provider_given_nano) AS amount"
        " FROM transactions t CROSS JOIN generations j ON j.number = t.generation_number"
        " CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1) part"
        " WHERE t.number > ? AND amount <> 0 AND (part.n = 0 OR j.provider_account_number > 0)",
    [SQL_SETTLED_PARTS_ADD] =
        "INSERT OR ROLLBACK INTO entries (transaction_number, ledger_account, amount_nano)"
        " SELECT t.number, 16 * p.account_number + kind.n, sum(iif(kind.n = 1, p.amount_nano - p.given_nano,"
        " p.given_nano)) AS amount FROM transactions t"
        " CROSS JOIN generation_parts p ON p.generation_number = t.generation_number"
        " CROSS JOIN (SELECT 1 AS n UNION ALL SELECT 2) kind WHERE t.number > ?"
        " GROUP BY t.number, p.account_number, kind.n HAVING amount > 0",
    [SQL_EARNED_UNTIL] = "SELECT generation_number FROM earned_until",
    [SQL_EARNED_ADD] = "INSERT OR ROLLBACK INTO earned (account_number, created_ms, generation_number, amount_nano, "
                       "tokens, given_nano)"
                       " " EARNED_ALONE " ORDER BY provider_account_number, created_ms, number",
    [SQL_EARNED_PARTS_ADD] = "INSERT OR ROLLBACK INTO earned (account_number, created_ms, generation_number, "
                             "amount_nano, tokens, given_nano)"
                             " " EARNED_TOGETHER,
    [SQL_EARNED_SLICE_ADD] =
        "INSERT OR ROLLBACK INTO earned_slice SELECT account_number, created_ms / 86400000, count(*), sum(amount_nano),"
        " sum(tokens), sum(given_nano) FROM (" EARNED_ALONE " UNION ALL SELECT * FROM (" EARNED_TOGETHER "))"
        " GROUP BY 1, 2",
    [SQL_EARNED_TOTALS_ADD] =
        "INSERT OR ROLLBACK INTO earned_totals (account_number, month, generations, amount_nano, tokens, given_nano)"
        " SELECT account_number, utc_month(day * 86400000), generations, amount_nano, tokens, given_nano"
        " FROM earned_slice WHERE true"
        " ON CONFLICT (account_number, month) DO UPDATE SET generations = generations + excluded.generations,"
        " amount_nano = amount_nano + excluded.amount_nano, tokens = tokens + excluded.tokens,"
        " given_nano = given_nano + excluded.given_nano",
    [SQL_EARNED_DAYS_ADD] =
        "INSERT OR ROLLBACK INTO earned_days (account_number, day, paid_nano)"
        " SELECT account_number, day, amount_nano - given_nano FROM earned_slice WHERE amount_nano > given_nano"
        " ON CONFLICT (account_number, day) DO UPDATE SET paid_nano = paid_nano + excluded.paid_nano",
    [SQL_EARNED_SLICE_CLEAR] = "DELETE FROM earned_slice",
    /* What was earned of paid credit behind the time ?2, and does not wait in escrow or went from there to others: of
     * the day of ?2, all but what its list has before that time; of later days all; and what is in no list yet. */
    [SQL_RIPENING] =
        "SELECT coalesce((SELECT sum(paid_nano) FROM earned_days WHERE account_number = " EARNER
        " AND day >= ?2 / 86400000), 0)"
        " - coalesce((SELECT sum(amount_nano - given_nano) FROM earned WHERE account_number = " EARNER
        " AND created_ms BETWEEN ?2 / 86400000 * 86400000 AND ?2), 0)"
        " + coalesce((SELECT sum(provider_nano - provider_given_nano) FROM " EARNED_LATELY " AND created_ms > ?2), 0)"
        " + coalesce((SELECT sum(p.amount_nano - p.given_nano) FROM " PARTS_LATELY " AND j.created_ms > ?2), 0)"
        " - coalesce((SELECT sum(paid_nano) FROM escrow WHERE account_number = " EARNER
        " AND created_ms > ?2 AND state <> 1), 0),"
        " (SELECT amount_nano FROM balances WHERE ledger_account = 16 * " EARNER " + 1),"
        " (SELECT amount_nano FROM balances WHERE ledger_account = 16 * " EARNER " + 3),"
        " (SELECT amount_nano FROM balances WHERE ledger_account = 16 * " EARNER " + 4),"
        " (SELECT suspended FROM accounts WHERE id = ?1)",
    /* The days behind that of ?2, with what ripens of each. */
    [SQL_RIPENING_DAYS] =
        "SELECT day, sum(paid_nano) FROM ("
        "SELECT day, paid_nano FROM earned_days WHERE account_number = " EARNER " AND day >= ?2 / 86400000"
        " UNION ALL SELECT created_ms / 86400000, given_nano - amount_nano FROM earned WHERE account_number = " EARNER
        " AND created_ms BETWEEN ?2 / 86400000 * 86400000 AND ?2"
        " UNION ALL SELECT created_ms / 86400000, provider_nano - provider_given_nano FROM " EARNED_LATELY
        " AND created_ms > ?2"
        " UNION ALL SELECT j.created_ms / 86400000, p.amount_nano - p.given_nano FROM " PARTS_LATELY
        " AND j.created_ms > ?2"
        " UNION ALL SELECT created_ms / 86400000, -paid_nano FROM escrow WHERE account_number = " EARNER
        " AND created_ms > ?2 AND state <> 1)"
        " GROUP BY day HAVING sum(paid_nano) > 0 ORDER BY day LIMIT ?3",
    /* Paid credit that an account was granted; before there were two kinds, welcome credit was granted like that. */
    [SQL_GRANTED_PAID] = "SELECT coalesce(sum(amount_nano), 0) FROM transactions WHERE account_number = ? AND kind = 1"
                         " AND note <> 'welcome credit'",
    [SQL_ESCROW_ADD] =
        "INSERT INTO escrow (generation_number, generation_id, device_id, account_number, client_number, paid_nano,"
        " given_nano, created_ms, held_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT (generation_number, device_id) DO UPDATE SET paid_nano = paid_nano + excluded.paid_nano,"
        " given_nano = given_nano + excluded.given_nano",
    /* What a device earned since ?2, before the generation ?3, the newest first, and is not in escrow (nor was). */
    [SQL_ESCROW_EARNED] =
        "SELECT * FROM (SELECT j.number, j.id, j.provider_account_number, j.account_number, j.created_ms,"
        " j.provider_nano - j.provider_given_nano, j.provider_given_nano FROM generations j WHERE j.number < ?3 AND "
        "j.number >= ?4"
        " AND j.created_ms >= ?2 AND j.device_id = ?1 AND j.provider_nano > 0 AND j.provider_account_number > 0"
        " UNION ALL SELECT j.number, j.id, p.account_number, j.account_number, j.created_ms,"
        " sum(p.amount_nano - p.given_nano), sum(p.given_nano) FROM generation_parts p CROSS JOIN generations j"
        " ON j.number = p.generation_number WHERE p.generation_number < ?3 AND p.generation_number >= ?4"
        " AND j.created_ms >= ?2 AND p.device_id = ?1 GROUP BY j.number HAVING sum(p.amount_nano) > 0) w"
        " WHERE NOT EXISTS (SELECT 1 FROM escrow x WHERE x.generation_number = w.number AND x.device_id = ?1)"
        " ORDER BY 1 DESC",
    [SQL_ESCROW_NEXT] = "SELECT x.account_number, x.client_number, sum(x.paid_nano), sum(x.given_nano), count(*)"
                        " FROM escrow x WHERE x.state = 0 AND x.device_id = ?1 GROUP BY x.client_number,"
                        " x.account_number ORDER BY x.client_number LIMIT 1",
    [SQL_ESCROW_ALL] = "SELECT x.account_number, 0, sum(x.paid_nano), sum(x.given_nano), count(*)"
                       " FROM escrow x WHERE x.state = 0 AND x.device_id = ?1 GROUP BY x.account_number LIMIT 1",
    [SQL_ESCROW_END] = "UPDATE escrow SET state = ?2, ended_ms = ?3 WHERE state = 0 AND device_id = ?1"
                       " AND account_number = ?4 AND (?5 = 0 OR client_number = ?5)",
    [SQL_ESCROW_LEFT] = "SELECT count(*) FROM escrow WHERE state = 0 AND device_id = ?",
    [SQL_ESCROW_PAGE] =
        "SELECT x.device_id, coalesce(a.id, ''), count(*), sum(x.paid_nano), sum(x.given_nano), min(x.held_ms),"
        " coalesce(d.in_review, 0), coalesce(d.name, '') FROM escrow x LEFT JOIN accounts a ON a.number = "
        "x.account_number"
        " LEFT JOIN devices d ON d.id = x.device_id WHERE x.state = 0 AND x.device_id > ?1"
        " GROUP BY x.device_id, x.account_number ORDER BY x.device_id LIMIT ?2",
    [SQL_ACCOUNT_ID] = "SELECT id FROM accounts WHERE number = ?",
    [SQL_EARNED_UNTIL_SET] = "UPDATE earned_until SET generation_number = ?",
    [SQL_ENTRY_EACH] = "SELECT number, transaction_number, amount_nano, created_ms, ledger_account, kind, job_id, note"
                       " FROM ledger ORDER BY number",
    [SQL_LEDGER_COUNT] = "SELECT (SELECT count(*) FROM transactions), (SELECT count(*) FROM entries),"
                         " (SELECT count(*) FROM balances)",
};
