#include "store/sqlite/events.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "store/sqlite/account_seal.h"
#include "store/sqlite/deliveries.h"
#include "store/sqlite/event_room.h"
#include "wire/id.h"

#include <assert.h>

enum {
    EVENT_EXTRA = 128, /* bytes of an event beside its data, about */
    EVENT_BODY_MAX = STORE_EVENT_DATA_MAX + 256,
};

static bool event_write(struct sqlite_db *db, const struct store_event *event, int64_t account_number, struct str body,
                        struct err *err) {
    char id[STORE_ID_MAX];
    struct turn_place seal;
    struct buf room;
    if (!sqlite_account_seal_live(db, account_number, &seal, err)) {
        return false;
    }
    id_make("evt_", event->created_ms, id);
    buf_init(&room, body.len + SEAL_EXTRA);
    struct sqlite_binder binder = sqlite_bind(db, SQL_EVENT_ADD);
    sqlite_bind_text(&binder, id);
    sqlite_bind_int(&binder, account_number);
    sqlite_bind_int(&binder, event->kind);
    sqlite_bind_int(&binder, event->created_ms);
    sqlite_bind_sealed(&binder, &seal, body, &room);
    sqlite_bind_int(&binder, seal.number);
    const bool ok = sqlite_run(db, SQL_EVENT_ADD, err);
    buf_clear(&room);
    return ok;
}

/* As Standard Webhooks 1.0 recommends: type, timestamp, data. */
static bool event_make(struct sqlite_db *db, const struct store_event *event, int64_t account_number, struct err *err) {
    struct json_writer writer;
    struct buf body;
    char time[CLOCK_TEXT_SIZE];
    if (event->data.len > STORE_EVENT_DATA_MAX) {
        return err_set(err, ERR_INTERNAL, "The data of an event is longer than %d bytes", STORE_EVENT_DATA_MAX);
    }
    clock_format_utc(event->created_ms, time);
    buf_init(&body, EVENT_BODY_MAX);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_cstr(&writer, "type", store_event_name(event->kind));
    json_member_cstr(&writer, "timestamp", time);
    json_write_key(&writer, "data");
    json_write_raw(&writer, event->data);
    json_end_object(&writer);
    assert(!body.overflow);
    bool ok = event_write(db, event, account_number, buf_str(&body), err);
    buf_clear(&body);
    return ok;
}

static bool event_targets(struct sqlite_db *db, const struct sqlite_event_target *target, enum store_event_kind kind,
                          struct sqlite_event_targets *out, struct err *err) {
    const enum sql sql = target->webhook != 0 ? SQL_EVENT_TARGET : SQL_EVENT_TARGETS;
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_int(&binder, target->webhook != 0 ? target->webhook : target->account_number);
    if (target->webhook == 0) {
        sqlite_bind_int(&binder, kind);
    }
    out->account_number = target->account_number;
    out->asked = target->asked;
    out->count = 0;
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, sql);
        out->webhooks[out->count].number = sqlite_read_int(&reader);
        out->webhooks[out->count].waiting = sqlite_read_int(&reader);
        out->webhooks[out->count++].dropped_ms = sqlite_read_int(&reader);
        if (out->count == STORE_WEBHOOKS_MAX) {
            break;
        }
    }
    sqlite_reset(db, sql);
    return ok;
}

bool sqlite_event_add(struct ledger *ledger, const struct store_event *event, const struct sqlite_event_target *target,
                      char delivery_id[STORE_ID_MAX], struct err *err) {
    struct sqlite_event_targets targets;
    char id[STORE_ID_MAX];
    if (!event_targets(ledger->db, target, event->kind, &targets, err)) {
        return false;
    }
    if (targets.count == 0) {
        return true;
    }
    if (!sqlite_event_room(ledger->db, &targets, event->data.len + EVENT_EXTRA, event->created_ms, err)) {
        return false;
    }
    if (targets.count == 0) {
        return true;
    }
    if (!event_make(ledger->db, event, target->account_number, err)) {
        return false;
    }
    const int64_t number = sqlite_last_number(ledger->db);
    for (size_t i = 0; i < targets.count; i++) {
        if (!sqlite_delivery_add(ledger, targets.webhooks[i].number, number, target->asked, event->created_ms,
                                 delivery_id != NULL ? delivery_id : id, err)) {
            return false;
        }
    }
    return true;
}

static bool event_add(struct store_connection *connection, const struct store_event *event, struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    struct ledger_account *account;
    const bool ok =
        ledger_find_account(ledger, event->account_id, &account, err) &&
        sqlite_event_add(ledger, event, &(struct sqlite_event_target){.account_number = account->number}, NULL, err);
    return sqlite_no_refusal(ok, err);
}

const struct store_event_rows sqlite_event_rows = {.add = event_add};
