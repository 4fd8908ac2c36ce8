#include "store/sqlite/webhooks.h"

#include "store/ledger.h"
#include "store/sqlite/deliveries.h"
#include "store/sqlite/event_room.h"
#include "store/sqlite/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AMOUNTS_TEXT_MAX = STORE_WEBHOOK_AMOUNTS_MAX * 20 };

static void amounts_format(const struct store_webhook *webhook, char out[AMOUNTS_TEXT_MAX]) {
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < webhook->usage_count; i++) {
        len += (size_t)snprintf(out + len, AMOUNTS_TEXT_MAX - len, "%s%" PRId64, i == 0 ? "" : ",",
                                webhook->usage_nano[i]);
    }
}

size_t sqlite_amounts_parse(const char *text, int64_t out[STORE_WEBHOOK_AMOUNTS_MAX]) {
    struct str head, rest = str_from(text);
    size_t count = 0;
    uint64_t amount;
    for (bool more = rest.len > 0; more && count < STORE_WEBHOOK_AMOUNTS_MAX;) {
        more = str_split(rest, ',', &head, &rest);
        if (str_parse_u64(head, STORE_AMOUNT_MAX_NANO, &amount)) {
            count = store_webhook_amount_add(out, count, (int64_t)amount);
        }
    }
    return count;
}

static void webhook_read(struct sqlite_db *db, enum sql sql, struct store_webhook *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    char amounts[AMOUNTS_TEXT_MAX];
    out->number = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    sqlite_read_text(&reader, out->url, sizeof(out->url));
    sqlite_read_text(&reader, out->description, sizeof(out->description));
    out->events = (uint32_t)sqlite_read_int(&reader);
    out->state = (enum store_webhook_state)sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->secret, sizeof(out->secret));
    sqlite_read_blob(&reader, out->old_secret, sizeof(out->old_secret));
    out->old_until_ms = sqlite_read_int(&reader);
    out->balance_nano = sqlite_read_int(&reader);
    sqlite_read_text(&reader, amounts, sizeof(amounts));
    out->usage_count = sqlite_amounts_parse(amounts, out->usage_nano);
    out->created_ms = sqlite_read_int(&reader);
    out->waiting = sqlite_read_int(&reader);
    out->dropped = sqlite_read_int(&reader);
    out->dropped_ms = sqlite_read_int(&reader);
}

static bool webhook_missing(struct err *err) {
    return err_set_field(err, ERR_NOT_FOUND, "id", "There is no webhook with this id.");
}

static bool webhook_find(struct sqlite_db *db, const char *account_id, const char *id, struct store_webhook *out,
                         struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_WEBHOOK_FIND);
    sqlite_bind_text(&binder, id);
    sqlite_bind_text(&binder, account_id);
    if (!sqlite_next(db, SQL_WEBHOOK_FIND, &found, err)) {
        return false;
    }
    if (!found) {
        return webhook_missing(err);
    }
    webhook_read(db, SQL_WEBHOOK_FIND, out);
    sqlite_reset(db, SQL_WEBHOOK_FIND);
    return true;
}

static bool webhooks_read(struct store_connection *connection, const char *account_id, const char *id,
                          struct store_webhook *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    *count = 0;
    if (id[0] != '\0') {
        *count = 1;
        return webhook_find(db, account_id, id, rows, err);
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_WEBHOOK_LIST);
    sqlite_bind_text(&binder, account_id);
    while ((ok = sqlite_next(db, SQL_WEBHOOK_LIST, &found, err)) && found && *count < STORE_WEBHOOKS_MAX) {
        webhook_read(db, SQL_WEBHOOK_LIST, &rows[(*count)++]);
    }
    sqlite_reset(db, SQL_WEBHOOK_LIST);
    return ok;
}

static bool count_rows(struct sqlite_db *db, enum sql sql, int64_t *out, struct err *err) {
    bool found;
    if (!sqlite_next(db, sql, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(db, sql);
    *out = sqlite_read_int(&reader);
    sqlite_reset(db, sql);
    return true;
}

static bool webhook_create(struct ledger *ledger, const struct store_webhook *webhook, struct err *err) {
    struct ledger_account *account;
    char amounts[AMOUNTS_TEXT_MAX];
    int64_t count = 0;
    if (!ledger_find_account(ledger, webhook->account_id, &account, err)) {
        return false;
    }
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_WEBHOOK_COUNT);
    sqlite_bind_int(&binder, account->number);
    if (!count_rows(ledger->db, SQL_WEBHOOK_COUNT, &count, err)) {
        return false;
    }
    if (count >= STORE_WEBHOOKS_MAX) {
        return err_set(err, ERR_CONFLICT, "An account has at most %d webhooks.", STORE_WEBHOOKS_MAX);
    }
    amounts_format(webhook, amounts);
    binder = sqlite_bind(ledger->db, SQL_WEBHOOK_ADD);
    sqlite_bind_text(&binder, webhook->id);
    sqlite_bind_int(&binder, account->number);
    sqlite_bind_text(&binder, webhook->url);
    sqlite_bind_text(&binder, webhook->description);
    sqlite_bind_int(&binder, webhook->events);
    sqlite_bind_int(&binder, webhook->state);
    sqlite_bind_blob(&binder, webhook->secret, sizeof(webhook->secret));
    sqlite_bind_int(&binder, webhook->balance_nano);
    sqlite_bind_text(&binder, amounts);
    sqlite_bind_int(&binder, webhook->created_ms);
    return sqlite_run(ledger->db, SQL_WEBHOOK_ADD, err);
}

static bool webhook_set(struct sqlite_db *db, const struct store_webhook *webhook, struct err *err) {
    char amounts[AMOUNTS_TEXT_MAX];
    amounts_format(webhook, amounts);
    struct sqlite_binder binder = sqlite_bind(db, SQL_WEBHOOK_SET);
    sqlite_bind_text(&binder, webhook->url);
    sqlite_bind_text(&binder, webhook->description);
    sqlite_bind_int(&binder, webhook->events);
    sqlite_bind_int(&binder, webhook->state);
    sqlite_bind_blob(&binder, webhook->secret, sizeof(webhook->secret));
    sqlite_bind_blob(&binder, webhook->old_secret, webhook->old_until_ms == 0 ? 0 : sizeof(webhook->old_secret));
    sqlite_bind_int(&binder, webhook->old_until_ms);
    sqlite_bind_int(&binder, webhook->balance_nano);
    sqlite_bind_text(&binder, amounts);
    sqlite_bind_int(&binder, webhook->number);
    return sqlite_run(db, SQL_WEBHOOK_SET, err);
}

static void webhook_apply(struct store_webhook *webhook, const struct store_webhook_change *change) {
    const struct store_webhook *from = &change->webhook;
    if (change->set_url) {
        memcpy(webhook->url, from->url, sizeof(webhook->url));
    }
    if (change->set_description) {
        memcpy(webhook->description, from->description, sizeof(webhook->description));
    }
    webhook->events = change->set_events ? from->events : webhook->events;
    webhook->state = change->set_state ? from->state : webhook->state;
    webhook->balance_nano = change->set_balance ? from->balance_nano : webhook->balance_nano;
    if (change->set_usage) {
        webhook->usage_count = from->usage_count;
        memcpy(webhook->usage_nano, from->usage_nano, sizeof(webhook->usage_nano));
    }
}

static void webhook_rotate(struct store_webhook *webhook, const struct store_webhook_change *change) {
    memcpy(webhook->old_secret, webhook->secret, sizeof(webhook->secret));
    memcpy(webhook->secret, change->webhook.secret, sizeof(webhook->secret));
    webhook->old_until_ms = change->now_ms + STORE_WEBHOOK_ROTATION_MS;
}

/* Of a deleted one only what its deliveries need is left until they are gone too. */
static bool webhook_delete(struct sqlite_db *db, const struct store_webhook *webhook, struct err *err) {
    const struct store_webhook deleted = {.number = webhook->number, .state = STORE_WEBHOOK_DELETED};
    return webhook_set(db, &deleted, err);
}

static bool webhook_may_ask(struct sqlite_db *db, const struct store_webhook *webhook, int64_t now_ms,
                            struct err *err) {
    int64_t asked = 0;
    if (webhook->state != STORE_WEBHOOK_ENABLED) {
        return err_set(err, ERR_CONFLICT, "The webhook is disabled: enable it first.");
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_DELIVERY_ASKED);
    sqlite_bind_int(&binder, webhook->number);
    sqlite_bind_int(&binder, now_ms - STORE_WEBHOOK_ASKED_MS);
    return count_rows(db, SQL_DELIVERY_ASKED, &asked, err) &&
           (asked < STORE_WEBHOOK_ASKED_MAX ||
            err_set_field(err, ERR_CONFLICT, "rate", "At most %d tests and redeliveries of a webhook in a minute.",
                          STORE_WEBHOOK_ASKED_MAX));
}

static bool webhook_test(struct ledger *ledger, const struct store_webhook *webhook, int64_t now_ms,
                         char delivery_id[STORE_ID_MAX], struct err *err) {
    struct ledger_account *account;
    const struct store_event event = {
        .account_id = webhook->account_id, .kind = STORE_EVENT_TEST, .created_ms = now_ms, .data = STR("{}")};
    if (!ledger_find_account(ledger, webhook->account_id, &account, err)) {
        return false;
    }
    const struct sqlite_event_target target = {account->number, webhook->number, .asked = true};
    return sqlite_event_add(ledger, &event, &target, delivery_id, err);
}

/* For a further delivery of an event that is there. */
static bool webhook_room(struct ledger *ledger, const struct store_webhook *webhook, int64_t now_ms, struct err *err) {
    struct ledger_account *account;
    if (!ledger_find_account(ledger, webhook->account_id, &account, err)) {
        return false;
    }
    struct sqlite_event_targets one = {.account_number = account->number, .asked = true, .count = 1};
    return sqlite_event_room(ledger->db, &one, 0, now_ms, err);
}

static bool webhook_ask(struct ledger *ledger, const struct store_webhook_change *change,
                        const struct store_webhook *webhook, struct store_delivery *delivery, struct err *err) {
    char id[STORE_ID_MAX] = "";
    bool ok = webhook_may_ask(ledger->db, webhook, change->now_ms, err);
    if (ok && change->kind == STORE_WEBHOOK_TEST) {
        ok = webhook_test(ledger, webhook, change->now_ms, id, err);
    } else if (ok) {
        ok = webhook_room(ledger, webhook, change->now_ms, err) && /* which may take that very one, if it is old */
             sqlite_delivery_find(ledger->db, webhook->number, change->delivery_id, delivery, err) &&
             sqlite_delivery_add(ledger, webhook->number, delivery->event_number, true, change->now_ms, id, err);
    }
    return ok && sqlite_delivery_find(ledger->db, webhook->number, id, delivery, err);
}

static bool change_apply(struct ledger *ledger, const struct store_webhook_change *change,
                         struct store_webhook_result *result, struct err *err) {
    struct store_webhook *webhook = &result->webhook;
    switch (change->kind) {
    case STORE_WEBHOOK_CREATE:
        break;
    case STORE_WEBHOOK_UPDATE:
        webhook_apply(webhook, change);
        return webhook_set(ledger->db, webhook, err);
    case STORE_WEBHOOK_DELETE:
        return webhook_delete(ledger->db, webhook, err);
    case STORE_WEBHOOK_ROTATE:
        webhook_rotate(webhook, change);
        return webhook_set(ledger->db, webhook, err);
    case STORE_WEBHOOK_TEST:
    case STORE_WEBHOOK_REDELIVER:
        return webhook_ask(ledger, change, webhook, &result->delivery, err);
    }
    return webhook_create(ledger, &change->webhook, err) &&
           webhook_find(ledger->db, change->webhook.account_id, change->webhook.id, webhook, err);
}

static bool webhook_change(struct store_connection *connection, const struct store_webhook_change *change,
                           struct store_webhook_result *result, struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    struct ledger_account *account;
    const struct store_webhook *asked = &change->webhook;
    if (!ledger_find_account(ledger, asked->account_id, &account, err) ||
        (change->kind != STORE_WEBHOOK_CREATE &&
         !webhook_find(ledger->db, asked->account_id, asked->id, &result->webhook, err)) ||
        !change_apply(ledger, change, result, err)) {
        return false;
    }
    ledger_forget_alerts(account);
    return true;
}

const struct store_webhook_rows sqlite_webhook_rows = {.change = webhook_change, .read = webhooks_read};
