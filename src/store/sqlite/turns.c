#include "store/sqlite/turns.h"

enum { TURN_ROOM_MAX = 64 * 1024 * 1024 };

static bool place_find(struct ledger *ledger, const char *account_id, bool test, const char *id, struct turn_place *out,
                       int64_t counts[3], struct err *err) {
    struct sqlite_db *db = ledger->db;
    struct ledger_account *account;
    bool found;
    *out = (struct turn_place){0};
    if (!ledger_find_account(ledger, account_id, &account, err)) {
        return false;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_CONVERSATION_PLACE);
    sqlite_bind_text(&binder, id);
    sqlite_bind_int(&binder, account->number);
    sqlite_bind_int(&binder, test);
    if (!sqlite_next(db, SQL_CONVERSATION_PLACE, &found, err)) {
        return false;
    }
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_CONVERSATION_PLACE);
        out->number = sqlite_read_int(&reader);
        for (size_t i = 0; i < 3; i++) {
            counts[i] = sqlite_read_int(&reader);
        }
        sqlite_read_blob(&reader, out->secret, sizeof(out->secret));
        sqlite_reset(db, SQL_CONVERSATION_PLACE);
    }
    return true;
}

bool sqlite_conversation_place(struct ledger *ledger, const char *account_id, bool test, const char *id,
                               struct turn_place *out, struct err *err) {
    int64_t counts[3];
    return place_find(ledger, account_id, test, id, out, counts, err);
}

bool sqlite_turn_find(struct ledger *ledger, const struct store_turn *turn, struct turn_place *out, struct err *err) {
    int64_t counts[3] = {0}; /* messages, who gave the title, where the summary ends */
    if (!place_find(ledger, turn->account_id, turn->test, turn->conversation_id, out, counts, err)) {
        return false;
    }
    if (out->number == 0) {
        return true;
    }
    switch (turn->kind) {
    case STORE_TURN_EXCHANGE:
        return counts[0] == turn->from ||
               err_set(err, ERR_CONFLICT, "The conversation %s has gone on meanwhile", turn->conversation_id);
    case STORE_TURN_TITLE:
        out->late = counts[1] != STORE_TITLED_NOT;
        break;
    case STORE_TURN_SUMMARY:
        out->late = counts[2] != turn->from;
        break;
    }
    return true;
}

static bool message_add(struct sqlite_db *db, const struct store_message *message, int64_t position,
                        const struct turn_place *place, struct err *err) {
    struct buf content;
    buf_init(&content, TURN_ROOM_MAX);
    struct sqlite_binder binder = sqlite_bind(db, SQL_MESSAGE_ADD);
    sqlite_bind_int(&binder, place->number);
    sqlite_bind_int(&binder, position);
    sqlite_bind_int(&binder, message->role);
    sqlite_bind_int(&binder, message->tokens);
    sqlite_bind_int(&binder, message->created_ms);
    sqlite_bind_sealed(&binder, place, message->content, &content);
    bool ok = sqlite_run(db, SQL_MESSAGE_ADD, err);
    buf_clear(&content);
    return ok;
}

/* Sets the text that `sql` is about; `number` is what stands behind it in the row, if anything. */
static bool text_set(struct sqlite_db *db, enum sql sql, const struct turn_place *place, struct str text,
                     const int64_t *number, struct err *err) {
    struct buf room;
    buf_init(&room, TURN_ROOM_MAX);
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_sealed(&binder, place, text, &room);
    if (number != NULL) {
        sqlite_bind_int(&binder, *number);
    }
    sqlite_bind_int(&binder, place->number);
    bool ok = sqlite_run(db, sql, err);
    buf_clear(&room);
    return ok;
}

static bool exchange_write(struct sqlite_db *db, const struct store_turn *turn, const struct turn_place *place,
                           struct err *err) {
    for (size_t i = 0; i < turn->message_count; i++) {
        if (!message_add(db, &turn->messages[i], turn->from + (int64_t)i, place, err)) {
            return false;
        }
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_CONVERSATION_EXCHANGE);
    sqlite_bind_int(&binder, (int64_t)turn->message_count);
    sqlite_bind_int(&binder, turn->prompt_tokens);
    sqlite_bind_int(&binder, turn->completion_tokens);
    sqlite_bind_int(&binder, turn->density);
    sqlite_bind_text(&binder, turn->counted_by);
    sqlite_bind_int(&binder, turn->now_ms);
    sqlite_bind_int(&binder, place->number);
    return sqlite_run(db, SQL_CONVERSATION_EXCHANGE, err) &&
           (!turn->system_given || text_set(db, SQL_CONVERSATION_SYSTEM, place, turn->text, NULL, err));
}

bool sqlite_turn_write(struct sqlite_db *db, const struct store_turn *turn, const struct turn_place *place,
                       struct err *err) {
    const int64_t titled_by = turn->titled_by;
    if (place->number == 0 || place->late) {
        return true;
    }
    switch (turn->kind) {
    case STORE_TURN_EXCHANGE:
        return exchange_write(db, turn, place, err);
    case STORE_TURN_TITLE:
        return text_set(db, SQL_CONVERSATION_TITLE, place, turn->text, &titled_by, err);
    case STORE_TURN_SUMMARY:
        break;
    }
    return text_set(db, SQL_CONVERSATION_SUMMARY, place, turn->text, &turn->until, err);
}

static bool turn_keep(struct store_connection *connection, const struct store_turn *turn, struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    struct turn_place place;
    return sqlite_turn_find(ledger, turn, &place, err) && sqlite_turn_write(ledger->db, turn, &place, err);
}

const struct store_turn_rows sqlite_turn_rows = {.keep = turn_keep};
