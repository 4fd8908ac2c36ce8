#include "store/sqlite/receipts.h"

#include "base/mem.h"
#include "store/sqlite/receipt_pack.h"
#include "wire/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* Of the newest day's row, count and head may be behind by so many generations: it is a page of its own, and what they
 * are now follows from the last receipt. */
enum { DAY_BEHIND_MAX = 256 };

/* In front of the packed bytes: the salt, and the hash before. */
enum { KEPT_HEAD = RECEIPT_SALT_SIZE + DIGEST_SHA256_SIZE };

/* --- A row --- */

struct receipt_row {
    int64_t number; /* of its generation */
    int64_t day_number;
    struct receipt_link link;
    uint8_t salt[RECEIPT_SALT_SIZE];
    struct store_generation record; /* what the receipt is packed with, not all of it */
    struct str bytes;               /* on the heap; NULL: they cannot be read */
};

static void row_unpack(struct receipt_row *row, struct str kept) {
    struct err err;
    memset(row->salt, 0, sizeof(row->salt));
    memset(row->link.previous, 0, sizeof(row->link.previous));
    row->bytes = (struct str){0};
    if (kept.len < KEPT_HEAD) {
        return;
    }
    memcpy(row->salt, kept.data, sizeof(row->salt));
    memcpy(row->link.previous, kept.data + sizeof(row->salt), sizeof(row->link.previous));
    if (!receipt_unpack(&row->record, (struct str){kept.data + KEPT_HEAD, kept.len - KEPT_HEAD}, &row->bytes, &err)) {
        row->bytes = (struct str){0}; /* damaged: whoever reads it says so */
    }
}

/* The columns of a receipt. */
static void row_read(struct sqlite_reader *reader, struct receipt_row *row) {
    struct store_generation *record = &row->record;
    row->number = sqlite_read_int(reader);
    row->day_number = sqlite_read_int(reader);
    row->link.day = sqlite_read_int(reader);
    row->link.place = sqlite_read_int(reader);
    sqlite_read_text(reader, record->id, sizeof(record->id));
    sqlite_read_text(reader, record->account_id, sizeof(record->account_id));
    sqlite_read_text(reader, record->model, sizeof(record->model));
    sqlite_read_text(reader, record->device_id, sizeof(record->device_id));
    record->purpose = (enum store_purpose)sqlite_read_choice(reader, STORE_PURPOSES);
    record->outcome = (enum store_outcome)sqlite_read_int(reader);
    record->created_ms = sqlite_read_int(reader);
    record->prompt_tokens = (uint32_t)sqlite_read_int(reader);
    record->completion_tokens = (uint32_t)sqlite_read_int(reader);
    record->charge_nano = sqlite_read_int(reader);
    row_unpack(row, sqlite_read_bytes(reader));
}

static void row_clear(struct receipt_row *row) {
    free((void *)(uintptr_t)row->bytes.data);
    row->bytes = (struct str){0};
}

static void row_hash(const struct receipt_row *row, uint8_t out[DIGEST_SHA256_SIZE]) {
    receipt_hash(&row->link, row->bytes.data != NULL ? row->bytes : STR(""), out);
}

/* --- The chain's end --- */

static void day_read(struct sqlite_db *db, enum sql sql, struct receipt_chain *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->day_number = sqlite_read_int(&reader);
    out->first_generation = sqlite_read_int(&reader);
    out->head.day = sqlite_read_int(&reader);
    out->head.count = sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->head.hash, sizeof(out->head.hash));
    out->last_generation = out->told_generation = sqlite_read_int(&reader);
    sqlite_reset(db, sql);
}

/* The newest day's row, and what came since it was written. */
static bool chain_read(struct sqlite_db *db, struct receipt_chain *chain, struct err *err) {
    bool found;
    if (!sqlite_next(db, SQL_RECEIPT_DAY_LAST, &found, err)) {
        return false;
    }
    *chain = (struct receipt_chain){.known = true};
    if (!found) {
        return true;
    }
    day_read(db, SQL_RECEIPT_DAY_LAST, chain);
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECEIPT_NEWEST);
    sqlite_bind_int(&binder, chain->told_generation);
    if (!sqlite_next(db, SQL_RECEIPT_NEWEST, &found, err)) {
        return false;
    }
    if (found) {
        struct receipt_row row;
        struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_NEWEST);
        row_read(&reader, &row);
        sqlite_reset(db, SQL_RECEIPT_NEWEST);
        chain->last_generation = row.number;
        chain->head.count = row.link.place;
        row_hash(&row, chain->head.hash);
        row_clear(&row);
    }
    return true;
}

static bool day_write(struct sqlite_db *db, struct receipt_chain *chain, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECEIPT_DAY_SET);
    sqlite_bind_int(&binder, chain->day_number);
    sqlite_bind_int(&binder, chain->head.day);
    sqlite_bind_int(&binder, chain->first_generation);
    sqlite_bind_int(&binder, chain->head.count);
    sqlite_bind_blob(&binder, chain->head.hash, sizeof(chain->head.hash));
    sqlite_bind_int(&binder, chain->last_generation);
    chain->told_generation = chain->last_generation;
    chain->new_day = false;
    return sqlite_run(db, SQL_RECEIPT_DAY_SET, err);
}

/* --- Adding --- */

/* Settlements come a little out of order around midnight: the day before takes none any more once the next has begun.
 * A clock that was set back further begins that day anew. */
bool sqlite_receipt_next(struct sqlite_db *db, struct receipt_chain *chain, int64_t now_ms, struct receipt_next *out,
                         struct err *err) {
    const int64_t day = now_ms / DAY_MS;
    if (!chain->known && !chain_read(db, chain, err)) {
        return false;
    }
    out->turns = chain->day_number == 0 || (day != chain->head.day && day != chain->head.day - 1);
    out->day_number = chain->day_number + out->turns;
    out->link.day = out->turns ? day : chain->head.day;
    out->link.place = out->turns ? 1 : chain->head.count + 1;
    memcpy(out->link.previous, chain->head.hash, sizeof(out->link.previous));
    return true;
}

uint8_t *sqlite_receipt_pack(const struct receipt_next *next, const uint8_t salt[RECEIPT_SALT_SIZE],
                             const struct store_generation *record, struct str bytes, size_t *size) {
    uint8_t *kept = mem_alloc(KEPT_HEAD + RECEIPT_PACK_EXTRA + bytes.len);
    memcpy(kept, salt, RECEIPT_SALT_SIZE);
    memcpy(kept + RECEIPT_SALT_SIZE, next->link.previous, sizeof(next->link.previous));
    *size = KEPT_HEAD + receipt_pack(record, bytes, kept + KEPT_HEAD);
    return kept;
}

bool sqlite_receipt_added(struct sqlite_db *db, struct receipt_chain *chain, const struct receipt_next *next,
                          int64_t generation_number, struct str bytes, struct err *err) {
    if (next->turns) {
        if (chain->day_number != 0 && chain->told_generation != chain->last_generation && !day_write(db, chain, err)) {
            return false;
        }
        chain->day_number = next->day_number;
        chain->first_generation = generation_number;
        chain->head.day = next->link.day;
        chain->new_day = true;
    }
    receipt_hash(&next->link, bytes, chain->head.hash);
    chain->head.count = next->link.place;
    chain->last_generation = generation_number;
    return true;
}

bool sqlite_receipts_flush(struct sqlite_db *db, struct receipt_chain *chain, int64_t last_generation, bool all,
                           struct err *err) {
    if (!chain->known && !chain_read(db, chain, err)) {
        return false;
    }
    if (chain->last_generation < last_generation && chain->day_number != 0) {
        chain->last_generation = last_generation; /* those behind the last receipt have none */
    }
    const int64_t behind = chain->last_generation - chain->told_generation;
    return chain->day_number == 0 || !(chain->new_day || behind >= DAY_BEHIND_MAX || (all && behind > 0)) ||
           day_write(db, chain, err);
}

/* --- Reading --- */

static bool receipt_find(struct sqlite_db *db, const char *account_id, const char *id, bool *found, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECEIPT_FIND);
    sqlite_bind_text(&binder, id);
    sqlite_bind_text(&binder, account_id);
    return sqlite_next(db, SQL_RECEIPT_FIND, found, err);
}

/* A job's answer has a name of its own in the format that was asked for: the job's with another prefix. */
static bool receipt_read(struct store_connection *connection, const char *account_id, const char *id,
                         struct store_receipt *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct receipt_row row;
    char job_id[ID_SIZE];
    bool found;
    *out = (struct store_receipt){0};
    id_rename("job_", id, job_id);
    if (!receipt_find(db, account_id, id, &found, err) ||
        (!found && !receipt_find(db, account_id, job_id, &found, err))) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "There is no settled request %s", id);
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_FIND);
    out->kept = sqlite_read_int(&reader) != 0;
    row_read(&reader, &row);
    sqlite_reset(db, SQL_RECEIPT_FIND);
    if (!out->kept) {
        row_clear(&row);
        return true;
    }
    if (row.bytes.data == NULL) {
        return err_set(err, ERR_IO, "The receipt of %s is damaged: see nataris ledger check", id);
    }
    out->link = row.link;
    memcpy(out->salt, row.salt, sizeof(out->salt));
    out->bytes = row.bytes;
    return true;
}

static bool head_read(struct store_connection *connection, int64_t day, struct receipt_head *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct receipt_chain chain;
    if (!chain_read(db, &chain, err)) {
        return false;
    }
    bool found = chain.day_number != 0;
    if (found && day != STORE_RECEIPTS_NEWEST && day != chain.head.day) {
        struct sqlite_binder binder = sqlite_bind(db, SQL_RECEIPT_DAY_FIND);
        sqlite_bind_int(&binder, day);
        if (!sqlite_next(db, SQL_RECEIPT_DAY_FIND, &found, err)) {
            return false;
        }
        if (found) {
            day_read(db, SQL_RECEIPT_DAY_FIND, &chain);
        }
    }
    *out = chain.head;
    return found || err_set(err, ERR_NOT_FOUND, "There are no receipts of that day");
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
        struct receipt_row row;
        struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_LEAVES);
        row_read(&reader, &row);
        const bool next = row.bytes.data != NULL && row.link.place == after + (int64_t)out->count + 1;
        if (next) {
            digest_sha256(row.bytes.data, row.bytes.len, out->items[out->count++]);
        }
        row_clear(&row);
        if (!next) { /* some were rolled up: who follows the chain must not step over them */
            sqlite_reset(db, SQL_RECEIPT_LEAVES);
            break;
        }
    }
    return ok;
}

const struct store_receipt_rows sqlite_receipt_rows = {.read = receipt_read, .head = head_read, .leaves = leaves_read};

/* --- The proof --- */

struct walk {
    void (*on_problem)(void *context, const char *text);
    void *context;
    int64_t day_number, day_count, count;
    struct receipt_link link; /* of the one before */
    uint8_t hash[DIGEST_SHA256_SIZE];
    bool begun; /* there was one before */
};

/* A receipt with what the row of its day says. */
struct walk_row {
    struct receipt_row row;
    int64_t day_count, told_generation;
    bool newest_day;
    uint8_t head[DIGEST_SHA256_SIZE];
};

static void walk_problem(const struct walk *walk, const struct walk_row *at, const char *what) {
    char text[256];
    snprintf(text, sizeof(text), "receipt %s: %s", at->row.record.id, what);
    walk->on_problem(walk->context, text);
}

static void walk_row_read(struct sqlite_db *db, struct walk_row *out) {
    struct sqlite_reader reader = sqlite_read(db, SQL_RECEIPT_EACH);
    out->day_count = sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->head, sizeof(out->head));
    out->told_generation = sqlite_read_int(&reader);
    out->newest_day = sqlite_read_int(&reader) != 0;
    row_read(&reader, &out->row);
}

static bool walk_follows(const struct walk *walk, const struct receipt_row *row) {
    return row->day_number == walk->day_number
               ? row->link.place == walk->link.place + 1
               : row->day_number == walk->day_number + 1 && row->link.place == 1 && walk->link.place == walk->day_count;
}

static void walk_check_bytes(const struct walk *walk, const struct walk_row *at) {
    const struct store_generation *record = &at->row.record;
    struct receipt receipt;
    struct err err;
    if (at->row.bytes.data == NULL || !receipt_read_bytes(at->row.bytes, &receipt, &err)) {
        walk_problem(walk, at, "it cannot be read");
    } else if (!str_equal_cstr(receipt.id, record->id) || !str_equal_cstr(receipt.account_id, record->account_id) ||
               receipt.prompt_tokens != record->prompt_tokens ||
               receipt.completion_tokens != record->completion_tokens || receipt.charge_nano != record->charge_nano) {
        walk_problem(walk, at, "it says something else than the record of its request");
    }
}

static void walk_check_place(const struct walk *walk, const struct walk_row *at) {
    const struct receipt_row *row = &at->row;
    if (walk->begun && walk_follows(walk, row) && memcmp(row->link.previous, walk->hash, sizeof(walk->hash)) != 0) {
        walk_problem(walk, at, "it does not follow from the one before");
    }
    if (walk->begun && (row->day_number < walk->day_number ||
                        (row->day_number == walk->day_number && row->link.place <= walk->link.place))) {
        walk_problem(walk, at, "it stands in the wrong place");
    }
    if (row->link.place > at->day_count && (!at->newest_day || row->number <= at->told_generation)) {
        walk_problem(walk, at, "its day has fewer receipts");
    }
}

static void walk_step(struct walk *walk, const struct walk_row *at) {
    walk_check_place(walk, at);
    walk_check_bytes(walk, at);
    walk->day_number = at->row.day_number;
    walk->day_count = at->day_count;
    walk->link = at->row.link;
    row_hash(&at->row, walk->hash);
    if (at->row.link.place == at->day_count && memcmp(walk->hash, at->head, sizeof(walk->hash)) != 0) {
        walk_problem(walk, at, "the head of its day is another one");
    }
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
    const int64_t without = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_RECEIPT_SUMS);
    if (made - walk->count > rolled || walk->count > made) {
        snprintf(text, sizeof(text),
                 "receipts: %" PRId64 " were made, %" PRId64 " are here, %" PRId64 " requests were rolled up", made,
                 walk->count, rolled);
        walk->on_problem(walk->context, text);
    }
    if (strays) {
        walk->on_problem(walk->context, "receipts: there are some of no day");
    }
    if (without > 0) {
        snprintf(text, sizeof(text), "receipts: %" PRId64 " completed requests have none", without);
        walk->on_problem(walk->context, text);
    }
    return true;
}

bool sqlite_receipts_check(struct sqlite_db *db, void (*on_problem)(void *context, const char *text), void *context,
                           int64_t *count, struct err *err) {
    struct walk walk = {.on_problem = on_problem, .context = context};
    struct walk_row at;
    bool ok, found;
    while ((ok = sqlite_next(db, SQL_RECEIPT_EACH, &found, err)) && found) {
        walk_row_read(db, &at);
        walk_step(&walk, &at);
        row_clear(&at.row);
    }
    *count = walk.count;
    return ok && walk_check_missing(db, &walk, err);
}
