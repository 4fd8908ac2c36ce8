#include "store/sqlite/deliveries.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "store/sqlite/sealed.h"
#include "wire/id.h"

#include <stdlib.h>
#include <string.h>

enum { DELIVERY_PURGE_ROWS = 500 };

bool sqlite_delivery_add(struct ledger *ledger, int64_t webhook, int64_t event, bool asked, int64_t now_ms,
                         char id[STORE_ID_MAX], struct err *err) {
    id_make("dlv_", now_ms, id);
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_DELIVERY_ADD);
    sqlite_bind_text(&binder, id);
    sqlite_bind_int(&binder, webhook);
    sqlite_bind_int(&binder, event);
    sqlite_bind_int(&binder, asked);
    sqlite_bind_int(&binder, now_ms);
    sqlite_bind_int(&binder, now_ms);
    if (!sqlite_run(ledger->db, SQL_DELIVERY_ADD, err)) {
        return false;
    }
    ledger->db->connection.deliveries_added = true;
    return true;
}

/* --- Lists --- */

static bool delivery_read_response(struct sqlite_reader *reader, char out[STORE_DELIVERY_RESPONSE_MAX + 1],
                                   struct err *err) {
    uint8_t secret[SEAL_KEY_SIZE];
    struct str stored = sqlite_read_bytes(reader), bytes;
    bool sealed;
    sqlite_read_secret(reader, secret, &sealed);
    if (!sqlite_copy_sealed(secret, sealed, stored, &bytes, err)) {
        return false;
    }
    char *copy = (char *)bytes.data;
    const void *nul = bytes.len > 0 ? memchr(bytes.data, '\0', bytes.len) : NULL;
    if (nul != NULL) {
        bytes.len = (size_t)((const char *)nul - bytes.data);
    }
    (void)str_copy(out, STORE_DELIVERY_RESPONSE_MAX + 1, bytes);
    free(copy);
    return true;
}

static bool delivery_read(struct sqlite_db *db, enum sql sql, struct store_delivery *out, struct err *err) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->number = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    out->event_number = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->event_id, sizeof(out->event_id));
    out->kind = (enum store_event_kind)sqlite_read_int(&reader);
    out->asked = sqlite_read_int(&reader) != 0;
    out->state = (enum store_delivery_state)sqlite_read_int(&reader);
    out->attempts = (uint32_t)sqlite_read_int(&reader);
    out->due_ms = sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
    out->tried_ms = sqlite_read_int(&reader);
    out->latency_ms = (uint32_t)sqlite_read_int(&reader);
    out->status = (int)sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->note, sizeof(out->note));
    return delivery_read_response(&reader, out->response, err);
}

bool sqlite_delivery_find(struct sqlite_db *db, int64_t webhook, const char *id, struct store_delivery *out,
                          struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_DELIVERY_FIND);
    sqlite_bind_text(&binder, id);
    sqlite_bind_int(&binder, webhook);
    if (!sqlite_next(db, SQL_DELIVERY_FIND, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "after", "There is no delivery with this id.");
    }
    const bool ok = delivery_read(db, SQL_DELIVERY_FIND, out, err);
    sqlite_reset(db, SQL_DELIVERY_FIND);
    return ok;
}

static bool delivery_find(struct store_connection *connection, int64_t webhook, const char *id,
                          struct store_delivery *out, struct err *err) {
    return sqlite_delivery_find(sqlite_db_of(connection), webhook, id, out, err);
}

static bool delivery_page(struct store_connection *connection, int64_t webhook, int64_t before, size_t limit,
                          struct store_delivery *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_DELIVERY_PAGE);
    sqlite_bind_int(&binder, webhook);
    sqlite_bind_int(&binder, before);
    sqlite_bind_int(&binder, (int64_t)limit);
    *count = 0;
    while ((ok = sqlite_next(db, SQL_DELIVERY_PAGE, &found, err)) && found) {
        ok = delivery_read(db, SQL_DELIVERY_PAGE, &rows[(*count)++], err);
        if (!ok) {
            break;
        }
    }
    sqlite_reset(db, SQL_DELIVERY_PAGE);
    return ok;
}

/* --- What is due --- */

struct due_room { /* what still fits into an answer */
    size_t deliveries, bytes;
};

static bool due_add(struct sqlite_db *db, struct store_due_webhook *webhook, struct due_room *room, struct err *err) {
    uint8_t secret[SEAL_KEY_SIZE];
    bool sealed;
    struct store_due_delivery *delivery = &webhook->deliveries[webhook->count++];
    struct sqlite_reader reader = sqlite_read(db, SQL_DELIVERY_DUE);
    delivery->number = sqlite_read_int(&reader);
    sqlite_read_text(&reader, delivery->event_id, sizeof(delivery->event_id));
    delivery->attempts = (uint32_t)sqlite_read_int(&reader);
    const struct str body = sqlite_read_bytes(&reader);
    sqlite_read_secret(&reader, secret, &sealed);
    if (!sqlite_copy_sealed(secret, sealed, body, &delivery->body, err)) {
        webhook->count--;
        return false;
    }
    room->deliveries--;
    room->bytes -= body.len < room->bytes ? body.len : room->bytes;
    return true;
}

static bool due_read_deliveries(struct sqlite_db *db, const struct store_due_query *query,
                                struct store_due_webhook *webhook, struct due_room *room, struct err *err) {
    const size_t most = room->deliveries < STORE_DUE_EACH_MAX ? room->deliveries : STORE_DUE_EACH_MAX;
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_DELIVERY_DUE);
    sqlite_bind_int(&binder, webhook->number);
    sqlite_bind_int(&binder, query->now_ms);
    sqlite_bind_int(&binder, (int64_t)most);
    webhook->deliveries = mem_calloc(most, sizeof(*webhook->deliveries));
    webhook->count = 0;
    while ((ok = sqlite_next(db, SQL_DELIVERY_DUE, &found, err)) && found) {
        ok = due_add(db, webhook, room, err);
        if (!ok || room->bytes == 0 || webhook->count == most) {
            break;
        }
    }
    sqlite_reset(db, SQL_DELIVERY_DUE);
    return ok;
}

static int compare_numbers(const void *a, const void *b) {
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool due_is_excepted(const struct store_due_query *query, int64_t webhook) {
    return query->except_count > 0 &&
           bsearch(&webhook, query->except, query->except_count, sizeof(webhook), compare_numbers) != NULL;
}

/* One row of the webhooks that have something waiting; `full` when there is no room for what it has. */
static bool due_visit(struct sqlite_db *db, const struct store_due_query *query, struct store_due *out,
                      struct due_room *room, bool *full, struct err *err) {
    struct store_due_webhook webhook = {0};
    struct sqlite_reader reader = sqlite_read(db, SQL_DELIVERY_HOOKS);
    webhook.number = sqlite_read_int(&reader);
    webhook.account_number = sqlite_read_int(&reader);
    sqlite_read_text(&reader, webhook.url, sizeof(webhook.url));
    sqlite_read_blob(&reader, webhook.secret, sizeof(webhook.secret));
    sqlite_read_blob(&reader, webhook.old_secret, sizeof(webhook.old_secret));
    webhook.old_until_ms = sqlite_read_int(&reader);
    const int64_t due_ms = sqlite_read_int(&reader);
    if (due_is_excepted(query, webhook.number)) {
        return true;
    }
    if (due_ms > query->now_ms) {
        out->next_ms = due_ms < out->next_ms ? due_ms : out->next_ms;
        return true;
    }
    *full = room->deliveries == 0 || room->bytes == 0;
    if (*full) {
        return true;
    }
    out->webhooks = mem_realloc(out->webhooks, (out->count + 1) * sizeof(*out->webhooks));
    bool ok = due_read_deliveries(db, query, &webhook, room, err);
    out->webhooks[out->count++] = webhook;
    return ok;
}

static bool deliveries_due(struct store_connection *connection, const struct store_due_query *query,
                           struct store_due *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct due_room room = {.deliveries = query->limit, .bytes = query->bytes};
    bool ok, found, full = false;
    struct sqlite_binder binder = sqlite_bind(db, SQL_DELIVERY_HOOKS);
    sqlite_bind_int(&binder, query->after);
    out->next_ms = INT64_MAX;
    while ((ok = sqlite_next(db, SQL_DELIVERY_HOOKS, &found, err)) && found && !full) {
        ok = due_visit(db, query, out, &room, &full, err);
        if (!ok) {
            break;
        }
    }
    out->resume = full && out->count > 0 ? out->webhooks[out->count - 1].number : 0;
    sqlite_reset(db, SQL_DELIVERY_HOOKS);
    return ok;
}

/* --- Attempts and the end --- */

static bool attempt_end(struct store_connection *connection, const struct store_attempt *attempt, struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    struct turn_place seal;
    struct buf room;
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_DELIVERY_SEAL);
    sqlite_bind_int(&binder, attempt->delivery);
    if (!sqlite_seal_find(ledger->db, SQL_DELIVERY_SEAL, &seal, err)) {
        return false;
    }
    buf_init(&room, attempt->response_len + SEAL_EXTRA);
    binder = sqlite_bind(ledger->db, SQL_DELIVERY_END);
    sqlite_bind_int(&binder, attempt->state);
    sqlite_bind_int(&binder, attempt->attempts);
    sqlite_bind_int(&binder, attempt->due_ms);
    sqlite_bind_int(&binder, attempt->tried_ms);
    sqlite_bind_int(&binder, attempt->latency_ms);
    sqlite_bind_int(&binder, attempt->status);
    sqlite_bind_text(&binder, attempt->note);
    sqlite_bind_sealed(&binder, &seal, (struct str){(const char *)attempt->response, attempt->response_len}, &room);
    sqlite_bind_int(&binder, seal.number);
    sqlite_bind_int(&binder, attempt->delivery);
    const bool ok = sqlite_run(ledger->db, SQL_DELIVERY_END, err);
    buf_clear(&room);
    if (!ok) {
        return false;
    }
    if (!attempt->gone) {
        return true;
    }
    binder = sqlite_bind(ledger->db, SQL_WEBHOOK_GONE);
    sqlite_bind_int(&binder, attempt->webhook);
    /* Whose alerts are kept in memory is not known here: they are read again. */
    for (struct ledger_account *account = ledger->accounts; account != NULL;
         account = (struct ledger_account *)account->hh.next) {
        ledger_forget_alerts(account);
    }
    return sqlite_run(ledger->db, SQL_WEBHOOK_GONE, err);
}

static bool purge_rows(struct sqlite_db *db, enum sql sql, const int64_t *before_ms, bool *more, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_int(&binder, DELIVERY_PURGE_ROWS);
    if (before_ms != NULL) {
        sqlite_bind_int(&binder, *before_ms);
    }
    if (!sqlite_run(db, sql, err)) {
        return false;
    }
    *more = *more || sqlite_changes(db) >= DELIVERY_PURGE_ROWS;
    return true;
}

static bool deliveries_purge(struct store_connection *connection, int64_t before_ms, bool *more, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    *more = false;
    return purge_rows(db, SQL_DELIVERY_PURGE_DELETED, NULL, more, err) &&
           purge_rows(db, SQL_DELIVERY_PURGE, &before_ms, more, err) &&
           purge_rows(db, SQL_EVENT_PURGE, &before_ms, more, err) && sqlite_run(db, SQL_WEBHOOK_PURGE, err);
}

const struct store_delivery_rows sqlite_delivery_rows = {
    .find = delivery_find,
    .page = delivery_page,
    .due = deliveries_due,
    .attempt_end = attempt_end,
    .purge = deliveries_purge,
};
