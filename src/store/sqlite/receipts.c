#include "store/sqlite/receipts.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* --- Adding --- */

static bool chain_read(struct sqlite_db *db, struct receipt_chain *chain, struct err *err) {
    bool found;
    if (!sqlite_next(db, SQL_RECEIPT_DAY_LAST, &found, err)) {
        return false;
    }
    *chain = (struct receipt_chain){.known = true};
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_DAY_LAST);
        chain->day_number = sqlite_read_int(&reader);
        chain->first_generation = sqlite_read_int(&reader);
        chain->head.day = sqlite_read_int(&reader);
        chain->head.count = sqlite_read_int(&reader);
        sqlite_read_blob(&reader, chain->head.hash, sizeof(chain->head.hash));
        sqlite_reset(db, SQL_RECEIPT_DAY_LAST);
    }
    return true;
}

/* Settlements come a little out of order around midnight: the day before takes none any more once the next has begun.
 * A clock that was set back further begins that day anew. */
static bool chain_turn(struct sqlite_db *db, struct receipt_chain *chain, int64_t generation_number, int64_t now_ms,
                       struct err *err) {
    const int64_t day = now_ms / DAY_MS;
    if (chain->day_number != 0 && (day == chain->head.day || day == chain->head.day - 1)) {
        return true;
    }
    if (!sqlite_receipts_flush(db, chain, err)) {
        return false;
    }
    chain->day_number++;
    chain->first_generation = generation_number;
    chain->head.day = day;
    chain->head.count = 0;
    return true;
}

bool sqlite_receipt_add(struct sqlite_db *db, struct receipt_chain *chain, int64_t generation_number, int64_t now_ms,
                        const uint8_t salt[RECEIPT_SALT_SIZE], struct str bytes, struct err *err) {
    struct receipt_link link;
    if ((!chain->known && !chain_read(db, chain, err)) || !chain_turn(db, chain, generation_number, now_ms, err)) {
        return false;
    }
    link = (struct receipt_link){.day = chain->head.day, .place = chain->head.count + 1};
    memcpy(link.previous, chain->head.hash, sizeof(link.previous));
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECEIPT_ADD);
    sqlite_bind_int(&binder, generation_number);
    sqlite_bind_int(&binder, chain->day_number);
    sqlite_bind_int(&binder, link.place);
    sqlite_bind_blob(&binder, link.previous, sizeof(link.previous));
    sqlite_bind_blob(&binder, salt, RECEIPT_SALT_SIZE);
    sqlite_bind_blob(&binder, bytes.data, bytes.len);
    if (!sqlite_run(db, SQL_RECEIPT_ADD, err)) {
        return false;
    }
    receipt_hash(&link, bytes, chain->head.hash);
    chain->head.count++;
    chain->changed = true;
    return true;
}

bool sqlite_receipts_flush(struct sqlite_db *db, struct receipt_chain *chain, struct err *err) {
    if (!chain->changed) {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECEIPT_DAY_SET);
    sqlite_bind_int(&binder, chain->day_number);
    sqlite_bind_int(&binder, chain->head.day);
    sqlite_bind_int(&binder, chain->first_generation);
    sqlite_bind_int(&binder, chain->head.count);
    sqlite_bind_blob(&binder, chain->head.hash, sizeof(chain->head.hash));
    chain->changed = false;
    return sqlite_run(db, SQL_RECEIPT_DAY_SET, err);
}

/* --- Reading --- */

static struct str bytes_copy(struct str bytes) {
    char *copy = mem_alloc(bytes.len + 1);
    memcpy(copy, bytes.data, bytes.len);
    return (struct str){copy, bytes.len};
}

static bool receipt_read(struct store_connection *connection, const char *account_id, const char *id,
                         struct store_receipt *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool found;
    *out = (struct store_receipt){0};
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECEIPT_FIND);
    sqlite_bind_text(&binder, id);
    sqlite_bind_text(&binder, account_id);
    if (!sqlite_next(db, SQL_RECEIPT_FIND, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "There is no settled request %s", id);
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_FIND);
    out->kept = sqlite_read_int(&reader) != 0;
    out->link.day = sqlite_read_int(&reader);
    out->link.place = sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->link.previous, sizeof(out->link.previous));
    sqlite_read_blob(&reader, out->salt, sizeof(out->salt));
    out->bytes = out->kept ? bytes_copy(sqlite_read_bytes(&reader)) : STR("");
    if (!out->kept) {
        out->bytes.data = NULL; /* nothing to be freed */
    }
    sqlite_reset(db, SQL_RECEIPT_FIND);
    return true;
}

static bool head_read(struct store_connection *connection, int64_t day, struct receipt_head *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    const enum sql sql = day == STORE_RECEIPTS_NEWEST ? SQL_RECEIPT_DAY_LAST : SQL_RECEIPT_DAY_FIND;
    bool found;
    if (day != STORE_RECEIPTS_NEWEST) {
        struct sqlite_binder binder = sqlite_bind(db, sql);
        sqlite_bind_int(&binder, day);
    }
    if (!sqlite_next(db, sql, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "There are no receipts of that day");
    }
    struct sqlite_reader reader = sqlite_read(db, sql);
    (void)sqlite_read_int(&reader);
    (void)sqlite_read_int(&reader);
    out->day = sqlite_read_int(&reader);
    out->count = sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->hash, sizeof(out->hash));
    sqlite_reset(db, sql);
    return true;
}

static bool leaves_read(struct store_connection *connection, int64_t day, int64_t after, size_t limit,
                        struct store_receipt_leaves *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    out->count = 0;
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECEIPT_LEAVES);
    sqlite_bind_int(&binder, day);
    sqlite_bind_int(&binder, after);
    sqlite_bind_int(&binder, (int64_t)limit);
    while ((ok = sqlite_next(db, SQL_RECEIPT_LEAVES, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_LEAVES);
        const bool next = sqlite_read_int(&reader) == after + (int64_t)out->count + 1;
        const struct str bytes = sqlite_read_bytes(&reader);
        if (!next) { /* some were rolled up: who follows the chain must not step over them */
            sqlite_reset(db, SQL_RECEIPT_LEAVES);
            break;
        }
        digest_sha256(bytes.data, bytes.len, out->items[out->count++]);
    }
    return ok;
}

const struct store_receipt_rows sqlite_receipt_rows = {.read = receipt_read, .head = head_read, .leaves = leaves_read};

/* --- The proof --- */

struct walk {
    void (*on_problem)(void *context, const char *text);
    void *context;
    int64_t day_number, day_count, missing, count;
    struct receipt_link link;
    uint8_t hash[DIGEST_SHA256_SIZE], head[DIGEST_SHA256_SIZE];
    bool begun; /* there was one before */
};

static void walk_problem(const struct walk *walk, const char *id, const char *what) {
    char text[256];
    snprintf(text, sizeof(text), "receipt %s: %s", id, what);
    walk->on_problem(walk->context, text);
}

/* What the record of its generation says of it; read from a row. */
struct walk_row {
    char id[STORE_ID_MAX], account_id[STORE_ID_MAX];
    int64_t day_number, day, day_count, prompt_tokens, completion_tokens, charge_nano;
    struct receipt_link link;
    uint8_t head[DIGEST_SHA256_SIZE];
    struct str bytes;
};

static void walk_row_read(struct sqlite_db *db, struct walk_row *row) {
    struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_EACH);
    row->day_number = sqlite_read_int(&reader);
    row->link.day = sqlite_read_int(&reader);
    row->day_count = sqlite_read_int(&reader);
    sqlite_read_blob(&reader, row->head, sizeof(row->head));
    row->link.place = sqlite_read_int(&reader);
    sqlite_read_blob(&reader, row->link.previous, sizeof(row->link.previous));
    row->bytes = sqlite_read_bytes(&reader);
    sqlite_read_text(&reader, row->id, sizeof(row->id));
    sqlite_read_text(&reader, row->account_id, sizeof(row->account_id));
    row->prompt_tokens = sqlite_read_int(&reader);
    row->completion_tokens = sqlite_read_int(&reader);
    row->charge_nano = sqlite_read_int(&reader);
}

/* The last row of a day is its head, unless it was rolled up. */
static void walk_day_over(const struct walk *walk, const char *id) {
    if (walk->begun && walk->link.place == walk->day_count && memcmp(walk->hash, walk->head, sizeof(walk->hash)) != 0) {
        walk_problem(walk, id, "the head of its day is another one");
    }
}

static bool walk_follows(const struct walk *walk, const struct walk_row *row) {
    return row->day_number == walk->day_number
               ? row->link.place == walk->link.place + 1
               : row->day_number == walk->day_number + 1 && row->link.place == 1 && walk->link.place == walk->day_count;
}

static void walk_check_bytes(const struct walk *walk, const struct walk_row *row) {
    struct receipt receipt;
    struct err err;
    if (!receipt_read_bytes(row->bytes, &receipt, &err)) {
        walk_problem(walk, row->id, "it cannot be read");
    } else if (!str_equal_cstr(receipt.id, row->id) || !str_equal_cstr(receipt.account_id, row->account_id) ||
               receipt.prompt_tokens != row->prompt_tokens || receipt.completion_tokens != row->completion_tokens ||
               receipt.charge_nano != row->charge_nano) {
        walk_problem(walk, row->id, "it says something else than the record of its request");
    }
}

static void walk_step(struct walk *walk, const struct walk_row *row) {
    if (walk->begun && walk_follows(walk, row) && memcmp(row->link.previous, walk->hash, sizeof(walk->hash)) != 0) {
        walk_problem(walk, row->id, "it does not follow from the one before");
    }
    if (walk->begun && (row->day_number < walk->day_number ||
                        (row->day_number == walk->day_number && row->link.place <= walk->link.place))) {
        walk_problem(walk, row->id, "it stands in the wrong place");
    }
    if (row->day_number != walk->day_number) {
        walk_day_over(walk, row->id);
    }
    if (row->link.place > row->day_count) {
        walk_problem(walk, row->id, "its day has fewer receipts");
    }
    walk_check_bytes(walk, row);
    walk->day_number = row->day_number;
    walk->day_count = row->day_count;
    walk->link = row->link;
    memcpy(walk->head, row->head, sizeof(walk->head));
    receipt_hash(&row->link, row->bytes, walk->hash);
    walk->begun = true;
    walk->count++;
}

/* Only what was rolled up may be missing. */
static bool walk_check_missing(struct sqlite_db *db, const struct walk *walk, struct err *err) {
    bool found;
    char text[128];
    if (!sqlite_next(db, SQL_RECEIPT_SUMS, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_SUMS);
    const int64_t made = sqlite_read_int(&reader), rolled = sqlite_read_int(&reader);
    const bool strays = sqlite_read_int(&reader) != 0;
    sqlite_reset(db, SQL_RECEIPT_SUMS);
    if (made - walk->count > rolled || walk->count > made) {
        snprintf(text, sizeof(text),
                 "receipts: %" PRId64 " were made, %" PRId64 " are here, %" PRId64 " requests were rolled up", made,
                 walk->count, rolled);
        walk->on_problem(walk->context, text);
    }
    if (strays) {
        walk->on_problem(walk->context, "receipts: there are some of no request, or of no day");
    }
    return true;
}

bool sqlite_receipts_check(struct sqlite_db *db, void (*on_problem)(void *context, const char *text), void *context,
                           int64_t *count, struct err *err) {
    struct walk walk = {.on_problem = on_problem, .context = context};
    struct walk_row row = {0};
    bool ok, found;
    while ((ok = sqlite_next(db, SQL_RECEIPT_EACH, &found, err)) && found) {
        walk_row_read(db, &row);
        walk_step(&walk, &row);
    }
    walk_day_over(&walk, row.id);
    *count = walk.count;
    return ok && walk_check_missing(db, &walk, err);
}
