#include "store/sqlite/conversations.h"

#include "base/mem.h"
#include "base/random.h"
#include "store/sqlite/quotas.h"
#include "store/sqlite/turns.h"

#include <string.h>

enum { CONVERSATION_ROOM_MAX = 64 * 1024 * 1024, MESSAGES_STEP = 64 };

/* --- For the writer --- */

static bool conversation_add(struct store_connection *connection, const struct store_conversation *conversation,
                             struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    struct sqlite_db *db = ledger->db;
    struct ledger_account *account;
    struct turn_place place = {0};
    struct buf title, summary, system;
    const struct store_amount more = {.rows = 1, .bytes = (int64_t)conversation->system.len};
    if (!ledger_find_account(ledger, conversation->account_id, &account, err) ||
        !sqlite_quota_check(db, account->number, STORE_KEPT_CONVERSATIONS, &more, err)) {
        return false;
    }
    random_bytes(place.secret, sizeof(place.secret));
    struct sqlite_binder binder = sqlite_bind(db, SQL_CONVERSATION_KEY_ADD);
    sqlite_bind_blob(&binder, place.secret, sizeof(place.secret));
    if (!sqlite_run(db, SQL_CONVERSATION_KEY_ADD, err)) {
        return false;
    }
    place.number = sqlite_last_number(db);
    buf_init(&title, CONVERSATION_ROOM_MAX);
    buf_init(&summary, CONVERSATION_ROOM_MAX);
    buf_init(&system, CONVERSATION_ROOM_MAX);
    binder = sqlite_bind(db, SQL_CONVERSATION_ADD);
    sqlite_bind_int(&binder, place.number);
    sqlite_bind_text(&binder, conversation->id);
    sqlite_bind_int(&binder, account->number);
    sqlite_bind_int(&binder, conversation->test);
    sqlite_bind_text(&binder, conversation->model);
    sqlite_bind_int(&binder, conversation->auto_title);
    sqlite_bind_int(&binder, conversation->auto_summary);
    sqlite_bind_int(&binder, conversation->titled_by);
    sqlite_bind_int(&binder, conversation->created_ms);
    sqlite_bind_sealed(&binder, &place, str_from(conversation->title), &title);
    sqlite_bind_sealed(&binder, &place, STR(""), &summary);
    sqlite_bind_sealed(&binder, &place, conversation->system, &system);
    bool ok = sqlite_run(db, SQL_CONVERSATION_ADD, err);
    if (!ok && err->code == ERR_CONFLICT) {
        err->code = ERR_INTERNAL; /* an id that is there: its key is written already */
    }
    buf_clear(&title);
    buf_clear(&summary);
    buf_clear(&system);
    return ok;
}

static bool run_with_number(struct sqlite_db *db, enum sql sql, int64_t number, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_int(&binder, number);
    return sqlite_run(db, sql, err);
}

static bool conversation_remove(struct store_connection *connection, const char *account_id, bool test, const char *id,
                                struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    struct sqlite_db *db = ledger->db;
    struct turn_place place;
    struct ledger_account *account;
    if (!sqlite_conversation_place(ledger, account_id, test, id, &place, err) ||
        !ledger_find_account(ledger, account_id, &account, err)) {
        return false;
    }
    if (place.number == 0) {
        return err_set(err, ERR_NOT_FOUND, "There is no such conversation");
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_CONVERSATION_LABELS_CLEAR);
    sqlite_bind_text(&binder, id);
    sqlite_bind_int(&binder, account->number);
    db->wipe_log = true; /* the log still has the key */
    return sqlite_run(db, SQL_CONVERSATION_LABELS_CLEAR, err) &&
           run_with_number(db, SQL_CONVERSATION_KEY_WIPE, place.number, err) &&
           run_with_number(db, SQL_CONVERSATION_ANSWERS_DELETE, place.number, err) &&
           run_with_number(db, SQL_CONVERSATION_WORKFLOWS_DELETE, place.number, err) &&
           run_with_number(db, SQL_MESSAGES_DELETE, place.number, err) &&
           run_with_number(db, SQL_CONVERSATION_DELETE, place.number, err);
}

/* --- For the reader --- */

static bool open_into(struct arena *arena, const uint8_t secret[SEAL_KEY_SIZE], struct str sealed, struct str *out,
                      struct err *err) {
    char *text = arena_alloc(arena, sealed.len + 1);
    if (text == NULL) {
        return err_set(err, ERR_TOO_LARGE, "The conversation is too large");
    }
    out->data = text;
    return sqlite_open_sealed(secret, sealed, text, &out->len, err);
}

/* The columns up to the title; `title` is still sealed. */
static void columns_read(struct sqlite_reader *reader, struct store_conversation *out, int64_t *number,
                         uint8_t secret[SEAL_KEY_SIZE], struct str *title) {
    *out = (struct store_conversation){.system = STR(""), .summary = STR("")};
    *number = sqlite_read_int(reader);
    sqlite_read_text(reader, out->id, sizeof(out->id));
    sqlite_read_text(reader, out->account_id, sizeof(out->account_id));
    out->test = sqlite_read_int(reader) != 0;
    sqlite_read_text(reader, out->model, sizeof(out->model));
    out->auto_title = sqlite_read_int(reader) != 0;
    out->auto_summary = sqlite_read_int(reader) != 0;
    out->titled_by = (enum store_titled_by)sqlite_read_int(reader);
    out->summary_until = sqlite_read_int(reader);
    out->message_count = sqlite_read_int(reader);
    out->prompt_tokens = sqlite_read_int(reader);
    out->completion_tokens = sqlite_read_int(reader);
    out->density = sqlite_read_int(reader);
    sqlite_read_text(reader, out->counted_by, sizeof(out->counted_by));
    out->created_ms = sqlite_read_int(reader);
    out->updated_ms = sqlite_read_int(reader);
    sqlite_read_blob(reader, secret, SEAL_KEY_SIZE);
    *title = sqlite_read_bytes(reader);
}

static bool title_open(const uint8_t secret[SEAL_KEY_SIZE], struct str sealed, char out[STORE_TITLE_MAX],
                       struct err *err) {
    char text[STORE_TITLE_MAX + SEAL_EXTRA];
    size_t length = 0;
    if (sealed.len > sizeof(text)) {
        return err_set(err, ERR_INTERNAL, "A title is too long: the database was changed");
    }
    bool ok = sqlite_open_sealed(secret, sealed, text, &length, err);
    (void)str_copy(out, STORE_TITLE_MAX, (struct str){text, length});
    return ok;
}

static bool conversation_find(struct sqlite_db *db, const struct store_conversation_ask *ask, struct arena *arena,
                              struct store_conversation *out, int64_t *number, uint8_t secret[SEAL_KEY_SIZE],
                              struct err *err) {
    bool found;
    struct str title;
    struct sqlite_binder binder = sqlite_bind(db, SQL_CONVERSATION_FIND);
    sqlite_bind_text(&binder, ask->id);
    sqlite_bind_text(&binder, ask->account_id);
    sqlite_bind_int(&binder, ask->test);
    if (!sqlite_next(db, SQL_CONVERSATION_FIND, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "id", "There is no such conversation");
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_CONVERSATION_FIND);
    columns_read(&reader, out, number, secret, &title);
    bool ok = title_open(secret, title, out->title, err) &&
              open_into(arena, secret, sqlite_read_bytes(&reader), &out->summary, err) &&
              open_into(arena, secret, sqlite_read_bytes(&reader), &out->system, err);
    sqlite_reset(db, SQL_CONVERSATION_FIND);
    return ok;
}

static struct store_message *list_grow(struct store_message_list *list) {
    if (list->count == list->capacity) {
        list->capacity += MESSAGES_STEP + list->capacity / 2;
        list->items = mem_realloc(list->items, list->capacity * sizeof(*list->items));
    }
    return &list->items[list->count++];
}

/* What the bounds leave out is not opened. */
static bool message_fits(const struct store_conversation_ask *ask, const struct store_message_list *list,
                         const struct store_message *message, size_t sealed, int64_t tokens, size_t bytes) {
    return list->count == 0 || (list->count < ask->limit && tokens + message->tokens <= ask->tokens_max &&
                                bytes + sealed <= ask->bytes_max);
}

static void list_reverse(struct store_message_list *list) {
    for (size_t i = 0; i < list->count / 2; i++) {
        const struct store_message first = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = first;
    }
}

static void messages_bind(struct sqlite_db *db, enum sql sql, const struct store_conversation_ask *ask, int64_t number,
                          int64_t from) {
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_int(&binder, number);
    sqlite_bind_int(&binder, from);
    sqlite_bind_int(&binder, ask->before > 0 ? ask->before : INT64_MAX);
}

static bool messages_read(struct sqlite_db *db, const struct store_conversation_ask *ask, int64_t number, int64_t from,
                          const uint8_t secret[SEAL_KEY_SIZE], struct arena *arena, struct store_message_list *out,
                          struct err *err) {
    const enum sql sql = ask->oldest ? SQL_MESSAGES_OLDEST : SQL_MESSAGES_LATEST;
    int64_t tokens = 0;
    size_t bytes = 0;
    bool ok, found;
    messages_bind(db, sql, ask, number, from);
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, sql);
        struct store_message message = {.position = sqlite_read_int(&reader)};
        message.role = (enum store_role)sqlite_read_choice(&reader, STORE_ROLES);
        message.tokens = (uint32_t)sqlite_read_int(&reader);
        message.created_ms = sqlite_read_int(&reader);
        const struct str sealed = sqlite_read_bytes(&reader);
        if (!message_fits(ask, out, &message, sealed.len, tokens, bytes)) {
            out->more = true;
            break;
        }
        tokens += message.tokens;
        bytes += sealed.len;
        ok = open_into(arena, secret, sealed, &message.content, err);
        if (!ok) {
            break;
        }
        *list_grow(out) = message;
    }
    sqlite_reset(db, sql);
    if (!ask->oldest) {
        list_reverse(out);
    }
    return ok;
}

static bool conversation_read(struct store_connection *connection, const struct store_conversation_ask *ask,
                              struct arena *arena, struct store_conversation *out, struct store_message_list *messages,
                              struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    uint8_t secret[SEAL_KEY_SIZE];
    int64_t number = 0;
    return conversation_find(db, ask, arena, out, &number, secret, err) &&
           (ask->adds == 0 || sqlite_quota_check_of(db, ask->account_id, STORE_KEPT_CONVERSATIONS,
                                                    &(struct store_amount){.bytes = (int64_t)ask->adds}, err)) &&
           messages_read(db, ask, number, ask->whole ? 0 : out->summary_until, secret, arena, messages, err);
}

static bool page_start(struct sqlite_db *db, const struct store_conversation_ask *ask, int64_t *number,
                       struct err *err) {
    bool found;
    *number = INT64_MAX;
    if (ask->id[0] == '\0') {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_CONVERSATION_CURSOR);
    sqlite_bind_text(&binder, ask->id);
    sqlite_bind_text(&binder, ask->account_id);
    sqlite_bind_int(&binder, ask->test);
    if (!sqlite_next(db, SQL_CONVERSATION_CURSOR, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "after", "There is no such conversation");
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_CONVERSATION_CURSOR);
    *number = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_CONVERSATION_CURSOR);
    return true;
}

static bool conversation_page(struct store_connection *connection, const struct store_conversation_ask *ask,
                              struct store_conversation *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    int64_t number;
    bool ok, found;
    *count = 0;
    if (!page_start(db, ask, &number, err)) {
        return false;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_CONVERSATION_PAGE);
    sqlite_bind_text(&binder, ask->account_id);
    sqlite_bind_int(&binder, ask->test);
    sqlite_bind_int(&binder, number);
    sqlite_bind_int(&binder, (int64_t)ask->limit);
    while ((ok = sqlite_next(db, SQL_CONVERSATION_PAGE, &found, err)) && found) {
        uint8_t secret[SEAL_KEY_SIZE];
        struct str title;
        struct sqlite_reader reader = sqlite_read(db, SQL_CONVERSATION_PAGE);
        struct store_conversation *row = &rows[(*count)++];
        columns_read(&reader, row, &number, secret, &title);
        ok = title_open(secret, title, row->title, err);
        if (!ok) {
            break;
        }
    }
    sqlite_reset(db, SQL_CONVERSATION_PAGE);
    return ok;
}

const struct store_conversation_rows sqlite_conversation_rows = {
    .add = conversation_add,
    .remove = conversation_remove,
    .read = conversation_read,
    .page = conversation_page,
};
