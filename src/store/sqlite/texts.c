#include "store/sqlite/texts.h"

#include "store/sqlite/enrolment_texts.h"

#define ACCOUNT_COLUMNS                                                                                                \
    "a.number, a.id, a.name, a.owner, a.tier, a.suspended, a.unaudited, a.created_ms,"                                 \
    " coalesce(b.amount_nano, 0) + coalesce(g.amount_nano, 0), coalesce(g.amount_nano, 0)"                             \
    " FROM accounts a LEFT JOIN balances b ON b.ledger_account = 16 * a.number"                                        \
    " LEFT JOIN balances g ON g.ledger_account = 16 * a.number + 2"
#define KEY_COLUMNS                                                                                                    \
    "k.number, k.id, k.account_id, k.kind, k.sha256, k.name, k.created_ms, k.expires_ms, k.revoked_ms, k.cap_nano,"    \
    " k.models, k.spent_nano, a.number, a.owner FROM keys k JOIN accounts a ON a.id = k.account_id"
#define DEVICE_COLUMNS                                                                                                 \
    "d.id, d.account_id, d.public_key, d.name, d.region, d.created_ms, d.verified, d.standing, d.standing_reason,"     \
    " d.standing_ms, coalesce((SELECT suspended FROM accounts WHERE id = d.account_id), 0), coalesce(r.jobs, 0),"      \
    " coalesce(r.failures, 0), coalesce(r.reviews, 0), coalesce(r.success, 0), coalesce(r.uptime, 0),"                 \
    " coalesce(r.kept_ms, 0), coalesce(r.prefill_factor, 0), coalesce(r.decode_factor, 0), coalesce(r.audits, 0),"     \
    " coalesce(r.earned, 0), coalesce((SELECT a.number FROM accounts a WHERE a.id = d.account_id), 0), d.in_review"    \
    " FROM devices d LEFT JOIN device_records r ON r.device_number = d.number"
#define DEVICE "(SELECT number FROM devices WHERE id = ?1)"
#define GENERATION_COLUMNS                                                                                             \
    " j.model, j.device_id, j.outcome, j.prompt_tokens, j.completion_tokens, j.attempts, j.ttft_ms, j.latency_ms,"     \
    " j.created_ms, j.charge_nano, j.provider_nano, j.purpose, j.kind"
/* By devices of the client alone: the only one, or all that made a part of it. */
#define GENERATION_OWN                                                                                                 \
    "iif(j.provider_account_number > 0, j.provider_account_number = j.account_number, coalesce((SELECT"                \
    " min(p.account_number = j.account_number) FROM generation_parts p WHERE p.generation_number = j.number), 0))"
#define GENERATION_OF_CLIENT                                                                                           \
    "j.id, coalesce(a.id, ''), coalesce(k.id, ''), j.label," GENERATION_COLUMNS ", j.given_nano, 0, " GENERATION_OWN
/* In the order of receipts.c. */
#define RECEIPT_COLUMNS                                                                                                \
    " j.number, j.receipt_day, d.day, j.receipt_place, j.id, a.id, j.model, j.device_id, j.purpose, j.outcome,"        \
    " j.created_ms, j.prompt_tokens, j.completion_tokens, j.charge_nano, j.receipt"
#define GENERATION_NAMES                                                                                               \
    " FROM generations j LEFT JOIN accounts a ON a.number = j.account_number"                                          \
    " LEFT JOIN keys k ON k.number = j.key_number"
/* A page goes on before the place (created_ms, number), which the index has in this order. */
#define GENERATION_BEFORE " AND (j.created_ms, j.number) < (?, ?) ORDER BY j.created_ms DESC, j.number DESC LIMIT ?"
/* A page goes on behind the row with this id; none: from the first; an unknown one: nothing. */
#define PAGE_START(table, id)                                                                                          \
    "coalesce((SELECT number FROM " table " WHERE id = " id "), iif(" id " = '', 0, 9223372036854775807))"

#define WEBHOOK_COLUMNS                                                                                                \
    "w.number, w.id, a.id, w.url, w.description, w.events, w.state, w.secret, w.old_secret, w.old_until_ms,"           \
    " w.balance_nano, w.usage_nano, w.created_ms, w.waiting, w.dropped, w.dropped_ms FROM webhooks w"                  \
    " JOIN accounts a ON a.number = w.account_number"
/* The key of a row's texts; none: they are not sealed. */
#define SEAL_KEY(table) " LEFT JOIN conversation_keys k ON k.number = " table ".seal_number"
#define DELIVERY_COLUMNS                                                                                               \
    "d.number, d.id, d.event_number, e.id, e.kind, d.asked, d.state, d.attempts, d.due_ms, d.created_ms, d.tried_ms,"  \
    " d.latency_ms, d.status, d.note, d.response, k.secret FROM deliveries d JOIN webhook_events e"                    \
    " ON e.number = d.event_number" SEAL_KEY("d")
/* The oldest rows of a table, so many at most: what has no index by time is old in its order. */
#define OLDEST(table) "(SELECT number, created_ms FROM " table " ORDER BY number LIMIT ?)"

#define CONVERSATION_COLUMNS                                                                                           \
    "c.number, c.id, a.id, c.test, c.model, c.auto_title, c.auto_summary, c.titled_by, c.summary_until,"               \
    " c.message_count, c.prompt_tokens, c.completion_tokens, c.density, c.counted_by, c.created_ms, c.updated_ms,"     \
    " k.secret, c.title"
#define CONVERSATION_TABLES                                                                                            \
    " FROM conversations c JOIN conversation_keys k ON k.number = c.number JOIN accounts a"                            \
    " ON a.number = c.account_number"
#define MESSAGE_COLUMNS                                                                                                \
    "position, role, tokens, created_ms, content FROM conversation_messages"                                           \
    " WHERE conversation_number = ? AND position >= ? AND position < ?"

/* A job of the network has its charge in its generation's record; one of the sandbox or a workflow keeps it here. */
#define JOB_COLUMNS                                                                                                    \
    "x.id, a.id, x.key_id, x.test, x.kind, x.state, x.model, x.created_ms, x.started_ms, x.ended_ms,"                  \
    " coalesce(j.prompt_tokens, x.prompt_tokens), coalesce(j.completion_tokens, x.completion_tokens),"                 \
    " coalesce(j.charge_nano, x.charge_nano), x.body_sha256"
#define JOB_FROM " FROM jobs x JOIN accounts a ON a.number = x.account_number LEFT JOIN generations j ON j.id = x.id"
#define JOB_OF " WHERE x.account_number = (SELECT number FROM accounts WHERE id = ?) AND x.test = ?"

#define WORKFLOW_COLUMNS                                                                                               \
    "w.number, w.conversation_number, k.secret, w.id, a.id, w.key_id, w.test, w.kind, w.chosen, w.status, w.model,"    \
    " w.max_steps, w.max_cost_nano, coalesce(c.id, ''), w.created_ms, w.ended_ms, w.steps_executed, w.prompt_tokens,"  \
    " w.completion_tokens, w.cost_nano, w.body_sha256, w.task"
#define WORKFLOW_KEY " LEFT JOIN conversation_keys k ON k.number = w.conversation_number"
#define WORKFLOW_FROM                                                                                                  \
    " FROM workflows w JOIN accounts a ON a.number = w.account_number" WORKFLOW_KEY                                    \
    " LEFT JOIN conversations c ON c.number = w.conversation_number"
#define WORKFLOW_OF " WHERE w.account_number = (SELECT number FROM accounts WHERE id = ?) AND w.test = ?"
#define STEP_COLUMNS                                                                                                   \
    "number, name, state, outcome, local, round, part, scale, shrunk, run_id, prompt_sha256, max_tokens, hold_nano, "  \
    "prompt_tokens,"                                                                                                   \
    " completion_tokens, cost_nano, provider_id, started_ms, ended_ms, output"

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
    [SQL_ACCOUNT_UNAUDITED] = "UPDATE accounts SET unaudited = ? WHERE id = ?",
    [SQL_KEY_ADD] =
        "INSERT INTO keys (id, account_id, kind, sha256, name, created_ms, expires_ms, revoked_ms, cap_nano,"
        " models) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_KEY_EACH] = "SELECT " KEY_COLUMNS " ORDER BY k.number",
    [SQL_KEY_OPEN_EACH] = "SELECT " KEY_COLUMNS " WHERE k.id IN (SELECT key_id FROM jobs WHERE state < 2"
                          " UNION SELECT key_id FROM workflows WHERE status = 0)",
    [SQL_KEY_LAST] = "SELECT coalesce(max(number), 0) FROM keys",
    [SQL_KEY_HASHES] = "SELECT sha256 FROM keys WHERE sha256 > ? ORDER BY sha256 LIMIT ?",
    [SQL_KEY_FIND] = "SELECT " KEY_COLUMNS " WHERE k.sha256 = ?",
    [SQL_KEY_PAGE] = "SELECT " KEY_COLUMNS
                     " WHERE k.account_id = ?1 AND k.number > " PAGE_START("keys", "?2") " ORDER BY k.number LIMIT ?3",
    [SQL_KEY_BY_ID] = "SELECT " KEY_COLUMNS " WHERE k.id = ?",
    [SQL_KEY_REVOKE] = "UPDATE keys SET revoked_ms = ? WHERE id = ? AND revoked_ms = 0",
    [SQL_KEY_SPEND] = "UPDATE keys SET spent_nano = spent_nano + ? WHERE number = ?",
    ENROLMENT_TEXTS,
    [SQL_DEVICE_ADD] =
        "INSERT INTO devices (id, account_id, public_key, name, region, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_DEVICE_FIND] = "SELECT " DEVICE_COLUMNS " WHERE d.public_key = ?",
    [SQL_DEVICE_BY_ID] = "SELECT " DEVICE_COLUMNS " WHERE d.id = ?",
    [SQL_DEVICE_PAGE] = "SELECT " DEVICE_COLUMNS " WHERE (?1 = '' OR d.account_id = ?1) AND d.number > " PAGE_START(
        "devices", "?2") " ORDER BY d.number LIMIT ?3",
    [SQL_DEVICE_IN_REVIEW] = "UPDATE devices SET in_review = ? WHERE id = ?",
    [SQL_DEVICE_VERIFY] = "UPDATE devices SET verified = ? WHERE id = ?",
    [SQL_RECORD_KEEP] =
        "REPLACE INTO device_records (device_number, jobs, failures, reviews, success, uptime, kept_ms,"
        " prefill_factor, decode_factor, audits, earned) SELECT number, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM devices"
        " WHERE id = ?",
    [SQL_REVIEW_ADD] = "INSERT INTO reviews (device_number, created_ms, reason, job_id)"
                       " SELECT number, ?, ?, ? FROM devices WHERE id = ?",
    [SQL_REVIEW_TRIM] = "DELETE FROM reviews WHERE number IN (SELECT number FROM reviews WHERE device_number = " DEVICE
                        " ORDER BY number DESC LIMIT -1 OFFSET ?2)",
    [SQL_REVIEW_CLEAR] = "DELETE FROM reviews WHERE device_number = " DEVICE,
    [SQL_REVIEW_COUNT] = "SELECT count(*) FROM reviews WHERE device_number = " DEVICE,
    [SQL_REVIEW_PAGE] = "SELECT r.number, r.created_ms, d.id, d.name, r.reason, r.job_id FROM reviews r"
                        " JOIN devices d ON d.number = r.device_number"
                        " WHERE (?1 = '' OR r.device_number = " DEVICE ") AND r.number < ?2"
                        " ORDER BY r.number DESC LIMIT ?3",
    [SQL_GENERATION_ADD] =
        "INSERT INTO generations (id, account_number, key_number, model, device_id, label, outcome, prompt_tokens,"
        " completion_tokens, attempts, ttft_ms, latency_ms, created_ms, charge_nano, provider_nano,"
        " provider_account_number, purpose, kind, given_nano, provider_given_nano, receipt_day, receipt_place, receipt)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_GENERATION_PART_ADD] =
        "INSERT INTO generation_parts (generation_number, account_number, device_id, prompt_tokens,"
        " completion_tokens, amount_nano, given_nano) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [SQL_GENERATION_EACH] = "SELECT " GENERATION_OF_CLIENT GENERATION_NAMES " ORDER BY j.number",
    [SQL_GENERATION_CURSOR] = "SELECT created_ms, number FROM generations WHERE id = ?2"
                              " AND account_number = (SELECT number FROM accounts WHERE id = ?1)",
    [SQL_GENERATION_PAGE] = "SELECT " GENERATION_OF_CLIENT GENERATION_NAMES
                            " WHERE j.account_number = (SELECT number FROM accounts WHERE id = ?)" GENERATION_BEFORE,
    [SQL_GENERATION_LAST] = "SELECT coalesce(max(number), 0) FROM generations",
    [SQL_ACCOUNT_NUMBER] = "SELECT number FROM accounts WHERE id = ?",
    [SQL_KEY_NUMBER] = "SELECT number FROM keys WHERE id = ?",
    [SQL_KEPT_ONE] = "SELECT a.tier, coalesce(k.row_count, 0), coalesce(k.byte_count, 0) FROM accounts a"
                     " LEFT JOIN kept k ON k.account_number = a.number AND k.kind = ?2 WHERE a.number = ?1",
    [SQL_ANSWER_ADD] = "INSERT INTO answers (scope_sha256, body_sha256, expires_ms, stream, conversation_number,"
                       " content, account_number) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [SQL_ANSWER_EXPIRY] = "SELECT expires_ms FROM answers WHERE scope_sha256 = ?",
    [SQL_ANSWER_FIND] =
        "SELECT a.body_sha256, a.expires_ms, a.stream, a.conversation_number, k.secret, a.content FROM answers a"
        " LEFT JOIN conversation_keys k ON k.number = a.conversation_number"
        " WHERE a.scope_sha256 = ? AND a.expires_ms > ?",
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
    [SQL_ACCOUNT_SEAL] = "SELECT s.seal_number, k.secret FROM account_seals s"
                         " LEFT JOIN conversation_keys k ON k.number = s.seal_number WHERE s.account_number = ?",
    [SQL_ACCOUNT_SEAL_ADD] = "INSERT INTO account_seals (account_number, seal_number) VALUES (?, ?)",
    [SQL_CONVERSATION_KEY_ADD] = "INSERT INTO conversation_keys (secret) VALUES (?)",
    /* Of the same size, so that SQLite writes it over the old one. */
    [SQL_CONVERSATION_KEY_WIPE] = "UPDATE conversation_keys SET secret = zeroblob(32) WHERE number = ?",
    [SQL_CONVERSATION_ADD] =
        "INSERT INTO conversations (number, id, account_number, test, model, auto_title, auto_summary, titled_by,"
        " created_ms, title, summary, system, summary_until, message_count, prompt_tokens, completion_tokens, density,"
        " counted_by, updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, 0, 0, 0, 0, '', ?9)",
    [SQL_CONVERSATION_FIND] =
        "SELECT " CONVERSATION_COLUMNS ", c.summary, c.system" CONVERSATION_TABLES " WHERE c.id = ? AND a.id = ?"
        " AND c.test = ?",
    [SQL_CONVERSATION_CURSOR] = "SELECT number FROM conversations WHERE id = ?"
                                " AND account_number = (SELECT number FROM accounts WHERE id = ?) AND test = ?",
    [SQL_CONVERSATION_PAGE] = "SELECT " CONVERSATION_COLUMNS CONVERSATION_TABLES
                              " WHERE c.account_number = (SELECT number FROM accounts WHERE id = ?) AND c.test = ?"
                              " AND c.number < ? ORDER BY c.number DESC LIMIT ?",
    [SQL_CONVERSATION_PLACE] = "SELECT c.number, c.message_count, c.titled_by, c.summary_until, k.secret"
                               " FROM conversations c JOIN conversation_keys k ON k.number = c.number"
                               " WHERE c.id = ? AND c.account_number = ? AND c.test = ?",
    [SQL_CONVERSATION_EXCHANGE] =
        "UPDATE conversations SET message_count = message_count + ?, prompt_tokens = prompt_tokens + ?,"
        " completion_tokens = completion_tokens + ?, density = ?, counted_by = ?, updated_ms = ? WHERE number = ?",
    [SQL_CONVERSATION_SYSTEM] = "UPDATE conversations SET system = ? WHERE number = ?",
    [SQL_CONVERSATION_TITLE] = "UPDATE conversations SET title = ?, titled_by = ? WHERE number = ?",
    [SQL_CONVERSATION_SUMMARY] = "UPDATE conversations SET summary = ?, summary_until = ? WHERE number = ?",
    [SQL_CONVERSATION_LABELS_CLEAR] =
        /* GLOB for the index, which has only the labels that can be a conversation's. */
    "UPDATE generations SET label = '' WHERE label = ? AND label GLOB 'conv_*' AND account_number = ?",
    [SQL_CONVERSATION_ANSWERS_DELETE] =
        "DELETE FROM answers WHERE conversation_number = ? AND conversation_number <> 0",
    [SQL_CONVERSATION_DELETE] = "DELETE FROM conversations WHERE number = ?",
    [SQL_MESSAGE_ADD] = "INSERT INTO conversation_messages (conversation_number, position, role, tokens, created_ms,"
                        " content) VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_MESSAGES_LATEST] = "SELECT " MESSAGE_COLUMNS " ORDER BY position DESC",
    [SQL_MESSAGES_OLDEST] = "SELECT " MESSAGE_COLUMNS " ORDER BY position",
    [SQL_MESSAGES_DELETE] = "DELETE FROM conversation_messages WHERE conversation_number = ?",
    [SQL_WEBHOOK_ADD] = "INSERT INTO webhooks (id, account_number, url, description, events, state, secret, old_secret,"
                        " old_until_ms, balance_nano, usage_nano, created_ms)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, x'', 0, ?, ?, ?)",
    [SQL_WEBHOOK_COUNT] = "SELECT count(*) FROM webhooks WHERE account_number = ? AND state < 3",
    [SQL_WEBHOOK_FIND] = "SELECT " WEBHOOK_COLUMNS " WHERE w.id = ? AND a.id = ? AND w.state < 3",
    [SQL_WEBHOOK_LIST] = "SELECT " WEBHOOK_COLUMNS " WHERE a.id = ? AND w.state < 3 ORDER BY w.number",
    [SQL_WEBHOOK_SET] =
        "UPDATE webhooks SET url = ?, description = ?, events = ?, state = ?, secret = ?, old_secret = ?,"
        " old_until_ms = ?, balance_nano = ?, usage_nano = ? WHERE number = ?",
    [SQL_WEBHOOK_GONE] = "UPDATE webhooks SET state = 2 WHERE number = ? AND state = 0",
    [SQL_WEBHOOK_ALERTS] = "SELECT number, events, balance_nano, usage_nano FROM webhooks"
                           " WHERE account_number = ? AND state = 0 ORDER BY number",
    [SQL_WEBHOOK_PURGE] = "DELETE FROM webhooks WHERE state = 3 AND NOT EXISTS"
                          " (SELECT 1 FROM deliveries d WHERE d.webhook_number = webhooks.number)",
    [SQL_WEBHOOK_DROPPED] = "UPDATE webhooks SET dropped = dropped + 1, dropped_ms = ? WHERE number = ?",
    [SQL_EVENT_TARGET] = "SELECT number, waiting, dropped_ms FROM webhooks WHERE number = ?",
    [SQL_EVENT_TARGETS] = "SELECT number, waiting, dropped_ms FROM webhooks WHERE account_number = ? AND state = 0"
                          " AND (events >> ?) & 1 = 1 ORDER BY number",
    [SQL_EVENT_ADD] = "INSERT INTO webhook_events (id, account_number, kind, created_ms, body, seal_number)"
                      " VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_EVENT_PURGE] = "DELETE FROM webhook_events WHERE number IN (SELECT o.number FROM " OLDEST(
        "webhook_events") " o WHERE o.created_ms < ? AND NOT EXISTS"
                          " (SELECT 1 FROM deliveries d WHERE d.event_number = o.number))",
    [SQL_DELIVERY_ADD] =
        "INSERT INTO deliveries (id, webhook_number, event_number, asked, state, attempts, due_ms, "
        "created_ms, tried_ms,"
        " latency_ms, status, note, response, account_number) VALUES (?, ?2, ?, ?, 0, 0, ?, ?, 0, 0, 0,"
        " '', x'', (SELECT account_number FROM webhooks WHERE number = ?2))",
    [SQL_DELIVERY_ASKED] = "SELECT count(*) FROM (SELECT asked, created_ms FROM deliveries WHERE webhook_number = ?"
                           " ORDER BY number DESC LIMIT 1000) WHERE asked = 1 AND created_ms > ?",
    [SQL_DELIVERY_FIND] = "SELECT " DELIVERY_COLUMNS " WHERE d.id = ? AND d.webhook_number = ?",
    [SQL_DELIVERY_PAGE] =
        "SELECT " DELIVERY_COLUMNS " WHERE d.webhook_number = ? AND d.number < ? ORDER BY d.number DESC LIMIT ?",
    /* From one webhook with something waiting to the next, without a look at each of its deliveries. */
    [SQL_DELIVERY_HOOKS] =
        "WITH RECURSIVE hook (number) AS (SELECT min(webhook_number) FROM deliveries WHERE state = 0 AND"
        " webhook_number > ? UNION ALL SELECT (SELECT min(d.webhook_number) FROM deliveries d WHERE d.state = 0 AND"
        " d.webhook_number > hook.number) FROM hook WHERE hook.number IS NOT NULL)"
        " SELECT w.number, w.account_number, w.url, w.secret, w.old_secret, w.old_until_ms,"
        " (SELECT min(d.due_ms) FROM deliveries d WHERE d.state = 0 AND d.webhook_number = w.number)"
        " FROM hook CROSS JOIN webhooks w ON w.number = hook.number WHERE w.state = 0",
    [SQL_DELIVERY_DUE] =
        "SELECT d.number, e.id, d.attempts, e.body, k.secret FROM deliveries d JOIN webhook_events e"
        " ON e.number = d.event_number" SEAL_KEY("e") " WHERE d.state = 0 AND d.webhook_number = ? AND d.due_ms <= ?"
                                                      " ORDER BY d.due_ms, d.number LIMIT ?",
    [SQL_DELIVERY_SEAL] = "SELECT e.seal_number, k.secret FROM deliveries d JOIN webhook_events e"
                          " ON e.number = d.event_number" SEAL_KEY("e") " WHERE d.number = ?",
    [SQL_DELIVERY_END] = "UPDATE deliveries SET state = ?, attempts = ?, due_ms = ?, tried_ms = ?, latency_ms = ?,"
                         " status = ?, note = ?, response = ?, seal_number = ? WHERE number = ? AND state = 0",
    [SQL_DELIVERY_PURGE] =
        "DELETE FROM deliveries WHERE number IN (SELECT number FROM " OLDEST("deliveries") " WHERE created_ms < ?)",
    [SQL_DELIVERY_PURGE_DELETED] =
        "DELETE FROM deliveries WHERE number IN (SELECT d.number FROM webhooks w JOIN deliveries d"
        " ON d.webhook_number = w.number WHERE w.state = 3 LIMIT ?)",
    /* An event goes with the last of its deliveries. */
    [SQL_DELIVERY_DELETE_ENDED] = "DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries"
                                  " WHERE account_number = ? AND state > 0 ORDER BY number LIMIT ?)",
    [SQL_MONTH_GET] = "SELECT from_ms, spent_nano FROM account_months WHERE account_number = ?",
    [SQL_MONTH_SET] = "INSERT INTO account_months (account_number, from_ms, spent_nano) VALUES (?, ?, ?)"
                      " ON CONFLICT (account_number) DO UPDATE SET from_ms = excluded.from_ms,"
                      " spent_nano = excluded.spent_nano",
    [SQL_MONTH_SUM] =
        /* The totals, and what this group is about to add to them. */
    "SELECT coalesce((SELECT sum(charge_nano) FROM usage_totals WHERE account_number = ?1 AND month = ?2), 0)"
    " + coalesce((SELECT sum(charge_nano) FROM generations WHERE number >= ?3 AND +account_number = ?1"
    " AND utc_month(created_ms) = ?2), 0)",
    [SQL_JOB_ADD] =
        "INSERT INTO jobs (id, account_number, key_id, test, kind, state, model, created_ms,"
        " started_ms, ended_ms, prompt_tokens, completion_tokens, charge_nano, scope_sha256, body_sha256,"
        " body, result, seal_number, reserved_bytes) VALUES (?, ?, ?, ?, ?, 0, ?, ?, 0, 0, 0, 0, 0, ?, ?, ?, x'', ?,"
        " ?)",
    [SQL_JOB_BY_SCOPE] = "SELECT id, created_ms FROM jobs WHERE scope_sha256 = ?",
    [SQL_JOB_UNSCOPE] = "UPDATE jobs SET scope_sha256 = NULL WHERE scope_sha256 = ?",
    [SQL_JOB_FIND] = "SELECT " JOB_COLUMNS ", k.secret, x.body, x.result" JOB_FROM SEAL_KEY("x") " WHERE x.id = ?",
    [SQL_JOB_MOVE] = "UPDATE jobs SET state = ?, started_ms = ? WHERE id = ? AND state < 2",
    [SQL_JOB_SEAL] = "SELECT x.seal_number, k.secret FROM jobs x" SEAL_KEY("x") " WHERE x.id = ?",
    [SQL_JOB_END] = "UPDATE jobs SET state = ?, ended_ms = ?, prompt_tokens = ?, completion_tokens = ?,"
                    " charge_nano = ?, body = x'', result = ?, reserved_bytes = 0 WHERE id = ? AND state < 2",
    [SQL_JOB_CURSOR] = "SELECT x.number FROM jobs x" JOB_OF " AND x.id = ?",
    [SQL_JOB_PAGE] = "SELECT " JOB_COLUMNS JOB_FROM JOB_OF " AND x.number < ? ORDER BY x.number DESC LIMIT ?",
    [SQL_JOB_PAGE_STATE] =
        "SELECT " JOB_COLUMNS JOB_FROM JOB_OF " AND x.number < ? AND x.state = ? ORDER BY x.number DESC LIMIT ?",
    [SQL_JOB_OPEN] = "SELECT " JOB_COLUMNS JOB_FROM " WHERE x.state < 2 ORDER BY x.number LIMIT ?",
    [SQL_JOB_FORGET] = "DELETE FROM jobs WHERE id = ? AND state >= 2",
    [SQL_JOB_PURGE] = "DELETE FROM jobs WHERE number IN"
                      " (SELECT number FROM jobs WHERE state >= 2 AND ended_ms < ? LIMIT ?)",
    [SQL_WORKFLOW_ADD] =
        "INSERT INTO workflows (id, account_number, key_id, test, kind, chosen, status, model, max_steps,"
        " max_cost_nano, conversation_number, created_ms, ended_ms, steps_executed, prompt_tokens, completion_tokens,"
        " cost_nano, scope_sha256, body_sha256, task) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?, ?,"
        " ?)",
    [SQL_WORKFLOW_TEXTS_ADD] =
        "INSERT INTO workflow_texts (workflow_number, request, answer, error, extra) VALUES (?, ?, x'', x'', x'')",
    [SQL_WORKFLOW_BY_SCOPE] = "SELECT id, created_ms FROM workflows WHERE scope_sha256 = ?",
    [SQL_WORKFLOW_UNSCOPE] = "UPDATE workflows SET scope_sha256 = NULL WHERE scope_sha256 = ?",
    [SQL_WORKFLOW_FIND] = "SELECT " WORKFLOW_COLUMNS ", x.request, x.answer, x.error, x.extra" WORKFLOW_FROM
                          " JOIN workflow_texts x ON x.workflow_number = w.number WHERE w.id = ?",
    [SQL_WORKFLOW_PLACE] =
        "SELECT w.number, w.conversation_number, k.secret, w.status, w.account_number FROM workflows w" WORKFLOW_KEY
        " WHERE w.id = ?",
    [SQL_WORKFLOW_SUM] = "UPDATE workflows SET steps_executed = steps_executed + ?, prompt_tokens = prompt_tokens + ?,"
                         " completion_tokens = completion_tokens + ?, cost_nano = cost_nano + ? WHERE number = ?",
    [SQL_WORKFLOW_END] = "UPDATE workflows SET status = ?, ended_ms = ? WHERE number = ?",
    [SQL_WORKFLOW_TEXTS_END] =
        "UPDATE workflow_texts SET request = x'', answer = ?, error = ?, extra = ? WHERE workflow_number = ?",
    [SQL_WORKFLOW_CURSOR] = "SELECT w.number FROM workflows w" WORKFLOW_OF " AND w.id = ?",
    [SQL_WORKFLOW_PAGE] =
        "SELECT " WORKFLOW_COLUMNS WORKFLOW_FROM WORKFLOW_OF " AND w.number < ? ORDER BY w.number DESC LIMIT ?",
    [SQL_WORKFLOW_PAGE_STATUS] = "SELECT " WORKFLOW_COLUMNS WORKFLOW_FROM WORKFLOW_OF
                                 " AND w.number < ? AND w.status = ? ORDER BY w.number DESC LIMIT ?",
    [SQL_WORKFLOW_TOTAL] = "SELECT total FROM workflow_counts"
                           " WHERE account_number = (SELECT number FROM accounts WHERE id = ?) AND test = ?",
    [SQL_WORKFLOW_OPEN] = "SELECT w.id, a.id, w.test FROM workflows w JOIN accounts a ON a.number = w.account_number"
                          " WHERE w.status = 0 ORDER BY w.number",
    [SQL_WORKFLOW_FORGET] = "DELETE FROM workflows WHERE id = ? AND status <> 0",
    [SQL_WORKFLOW_PURGE] = "DELETE FROM workflows WHERE number IN"
                           " (SELECT number FROM workflows WHERE status <> 0 AND ended_ms < ? LIMIT ?)",
    [SQL_CONVERSATION_WORKFLOWS_DELETE] =
        "DELETE FROM workflows WHERE conversation_number = ? AND conversation_number <> 0",
    [SQL_STEP_STATE] = "SELECT state, prompt_tokens, completion_tokens, cost_nano, ended_ms, run_id FROM workflow_steps"
                       " WHERE workflow_number = ? AND number = ?",
    [SQL_STEP_PUT] = "REPLACE INTO workflow_steps (workflow_number, " STEP_COLUMNS
                     ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_STEP_EACH] = "SELECT " STEP_COLUMNS " FROM workflow_steps WHERE workflow_number = ? ORDER BY number",
    [SQL_STEP_PAID] = "UPDATE workflow_steps SET prompt_tokens = ?, completion_tokens = ?, cost_nano = ?"
                      " WHERE run_id = ? AND run_id <> '' RETURNING workflow_number",
    [SQL_STEP_PLACE] =
        "SELECT w.conversation_number, k.secret FROM workflow_steps s"
        " JOIN workflows w ON w.number = s.workflow_number" WORKFLOW_KEY " WHERE s.run_id = ? AND s.run_id <> ''",
    /* The newest workflows first: the inner order stays, because it has a limit and CROSS JOIN keeps it outside. */
    [SQL_STEP_HISTORY] =
        "SELECT s.prompt_tokens, s.completion_tokens FROM (SELECT w.number FROM workflows w" WORKFLOW_OF
        " AND w.kind = ? AND w.model = ? ORDER BY w.number DESC LIMIT ?) n"
        " CROSS JOIN workflow_steps s ON s.workflow_number = n.number"
        " WHERE s.name = ? AND s.state = 2 AND s.local = 0 LIMIT ?",
    [SQL_ACCOUNT_ERASED] = "SELECT EXISTS (SELECT 1 FROM account_seals WHERE account_number = ? AND seal_number = 0)",
    [SQL_RECEIPT_FIND] =
        "SELECT j.receipt_day IS NOT NULL, " RECEIPT_COLUMNS " FROM generations j"
        " LEFT JOIN receipt_days d ON d.number = j.receipt_day LEFT JOIN accounts a ON a.number = j.account_number"
        " WHERE j.id = ?1 AND (?2 = '' OR j.account_number = (SELECT number FROM accounts WHERE id = ?2))",
    [SQL_RECEIPT_EACH] =
        "SELECT d.count, d.head, d.last_generation, d.number = (SELECT max(number) FROM receipt_days)," RECEIPT_COLUMNS
        " FROM generations j CROSS JOIN receipt_days d ON d.number = j.receipt_day"
        " LEFT JOIN accounts a ON a.number = j.account_number ORDER BY j.number",
    /* Behind the generation ?1: the newest day's row knows of those before. */
    [SQL_RECEIPT_NEWEST] =
        "SELECT " RECEIPT_COLUMNS " FROM generations j CROSS JOIN receipt_days d ON d.number = j.receipt_day"
        " LEFT JOIN accounts a ON a.number = j.account_number WHERE j.number > ?1 ORDER BY j.number DESC LIMIT 1",
    /* Each receipt has a number of its own, so that of place n is at least n - 1 behind that of the first. */
    [SQL_RECEIPT_LEAVES] =
        "WITH the_day AS (SELECT number, first_generation, iif(number = (SELECT max(number) FROM receipt_days),"
        " 9223372036854775807, last_generation) AS last FROM receipt_days WHERE day = ?1 ORDER BY number DESC LIMIT 1)"
        " SELECT " RECEIPT_COLUMNS " FROM generations j CROSS JOIN receipt_days d ON d.number = j.receipt_day"
        " LEFT JOIN accounts a ON a.number = j.account_number"
        " WHERE j.number >= (SELECT first_generation FROM the_day) + ?2 AND j.number <= (SELECT last FROM the_day)"
        " AND j.receipt_day = (SELECT number FROM the_day) AND j.receipt_place > ?2 ORDER BY j.number LIMIT ?3",
    [SQL_RECEIPT_SUMS] =
        "SELECT (SELECT coalesce(sum(count), 0) FROM receipt_days) + (SELECT count(*) FROM generations WHERE"
        " receipt_day IS NOT NULL AND number > (SELECT last_generation FROM receipt_days ORDER BY number DESC LIMIT "
        "1)),"
        " (SELECT generations FROM rolled_up),"
        " EXISTS (SELECT 1 FROM generations WHERE receipt_day IS NOT NULL AND receipt_day NOT IN"
        " (SELECT number FROM receipt_days)),"
        " (SELECT count(*) FROM generations WHERE receipt_day IS NULL AND outcome = 0"
        " AND number >= (SELECT min(first_generation) FROM receipt_days))",
    [SQL_RECEIPT_DAY_SET] = "REPLACE INTO receipt_days (number, day, first_generation, count, head, last_generation)"
                            " VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_RECEIPT_DAY_LAST] = "SELECT number, first_generation, day, count, head, last_generation FROM receipt_days"
                             " ORDER BY number DESC LIMIT 1",
    [SQL_RECEIPT_DAY_FIND] = "SELECT number, first_generation, day, count, head, last_generation FROM receipt_days"
                             " WHERE day = ? ORDER BY number DESC LIMIT 1",
};
