/* What the operator looks at: accounts, keys and the audit log, by pages, on the reader's connection. */
#include "base/mem.h"
#include "store/internal.h"
#include "store/sqlite/rows.h"

#include <stdlib.h>

enum store_admin_read_kind {
    STORE_READ_ACCOUNTS,
    STORE_READ_KEYS,
    STORE_READ_AUDIT,
    STORE_READ_DEVICES,
    STORE_READ_REVIEWS,
};

/* One question; its rows are filled in by the reader's thread. */
struct store_admin_read {
    enum store_admin_read_kind kind;
    char id[STORE_ID_MAX], account_id[STORE_ID_MAX], after[STORE_ID_MAX];
    int64_t before;
    size_t limit, count;
    bool more;
    union { /* owned */
        void *rows;
        struct store_account *accounts;
        struct store_key *keys;
        struct store_audit *lines;
        struct store_device *devices;
        struct store_review *reviews;
    };
    union {
        void (*on_accounts)(void *context, const struct store_account *accounts, size_t count, bool more,
                            const struct err *err);
        void (*on_keys)(void *context, const struct store_key *keys, size_t count, bool more, const struct err *err);
        void (*on_audit)(void *context, const struct store_audit *lines, size_t count, bool more,
                         const struct err *err);
        void (*on_devices)(void *context, const struct store_device *devices, size_t count, bool more,
                           const struct err *err);
        void (*on_reviews)(void *context, const struct store_review *reviews, size_t count, bool more,
                           const struct err *err);
    };
};

/* --- The reader's side --- */

static enum sql read_statement(const struct store_admin_read *read) {
    switch (read->kind) {
    case STORE_READ_ACCOUNTS:
        return read->id[0] != '\0' ? SQL_ACCOUNT_FIND : SQL_ACCOUNT_PAGE;
    case STORE_READ_KEYS:
        return SQL_KEY_PAGE;
    case STORE_READ_DEVICES:
        return read->id[0] != '\0' ? SQL_DEVICE_BY_ID : SQL_DEVICE_PAGE;
    case STORE_READ_REVIEWS:
        return SQL_REVIEW_PAGE;
    case STORE_READ_AUDIT:
        break;
    }
    return SQL_AUDIT_PAGE;
}

/* One row more than the page, to know whether there are further ones. */
static void read_bind(struct sqlite_db *db, enum sql sql, const struct store_admin_read *read) {
    struct sqlite_binder binder = sqlite_bind(db, sql);
    if (sql == SQL_ACCOUNT_FIND || sql == SQL_DEVICE_BY_ID) {
        sqlite_bind_text(&binder, read->id);
        return;
    }
    if (sql == SQL_KEY_PAGE || sql == SQL_REVIEW_PAGE) {
        sqlite_bind_text(&binder, read->id);
    }
    if (sql == SQL_DEVICE_PAGE) {
        sqlite_bind_text(&binder, read->account_id);
    }
    if (sql == SQL_AUDIT_PAGE || sql == SQL_REVIEW_PAGE) {
        sqlite_bind_int(&binder, read->before);
    } else {
        sqlite_bind_text(&binder, read->after);
    }
    sqlite_bind_int(&binder, (int64_t)read->limit + 1);
}

static void read_row(struct sqlite_db *db, enum sql sql, struct store_admin_read *read) {
    const size_t at = read->count++;
    switch (read->kind) {
    case STORE_READ_ACCOUNTS:
        sqlite_account_read(db, sql, &read->accounts[at]);
        return;
    case STORE_READ_KEYS:
        sqlite_key_read(db, sql, &read->keys[at]);
        return;
    case STORE_READ_AUDIT:
        sqlite_audit_read(db, sql, &read->lines[at]);
        return;
    case STORE_READ_DEVICES:
        sqlite_device_read(db, sql, &read->devices[at]);
        return;
    case STORE_READ_REVIEWS:
        sqlite_review_read(db, sql, &read->reviews[at]);
        return;
    }
}

static size_t row_size(enum store_admin_read_kind kind) {
    switch (kind) {
    case STORE_READ_ACCOUNTS:
        return sizeof(struct store_account);
    case STORE_READ_KEYS:
        return sizeof(struct store_key);
    case STORE_READ_DEVICES:
        return sizeof(struct store_device);
    case STORE_READ_REVIEWS:
        return sizeof(struct store_review);
    case STORE_READ_AUDIT:
        break;
    }
    return sizeof(struct store_audit);
}

bool store_admin_read_run(struct sqlite_db *db, struct store_admin_read *read, struct err *err) {
    const enum sql sql = read_statement(read);
    bool ok, found;
    read->rows = mem_calloc(read->limit + 1, row_size(read->kind));
    read_bind(db, sql, read);
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        read_row(db, sql, read);
    }
    read->more = read->count > read->limit;
    read->count = read->more ? read->limit : read->count;
    return ok;
}

/* --- The loop's side --- */

void store_admin_read_answer(const struct store_admin_read *read, void *context, const struct err *err) {
    const size_t count = err == NULL ? read->count : 0;
    const bool more = err == NULL && read->more;
    switch (read->kind) {
    case STORE_READ_ACCOUNTS:
        read->on_accounts(context, read->accounts, count, more, err);
        return;
    case STORE_READ_KEYS:
        read->on_keys(context, read->keys, count, more, err);
        return;
    case STORE_READ_AUDIT:
        read->on_audit(context, read->lines, count, more, err);
        return;
    case STORE_READ_DEVICES:
        read->on_devices(context, read->devices, count, more, err);
        return;
    case STORE_READ_REVIEWS:
        read->on_reviews(context, read->reviews, count, more, err);
        return;
    }
}

void store_admin_read_free(struct store_admin_read *read) {
    free(read->rows);
    free(read);
}

static struct store_admin_read *admin_read_new(enum store_admin_read_kind kind, const char *id, const char *after,
                                               unsigned limit) {
    struct store_admin_read *read = MEM_NEW(struct store_admin_read);
    read->kind = kind;
    read->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    str_copy(read->id, sizeof(read->id), str_from(id));
    str_copy(read->after, sizeof(read->after), str_from(after));
    return read;
}

static void admin_read_queue(struct store *store, struct store_admin_read *read, void *context) {
    struct store_request *request = store_request_new(STORE_REQUEST_ADMIN_READ, context);
    request->admin_read = read;
    store_request_queue(store, request);
}

void store_accounts_read(struct store *store, const char *id, const char *after, unsigned limit,
                         void (*on_result)(void *context, const struct store_account *accounts, size_t count, bool more,
                                           const struct err *err),
                         void *context) {
    struct store_admin_read *read = admin_read_new(STORE_READ_ACCOUNTS, id, after, limit);
    read->on_accounts = on_result;
    admin_read_queue(store, read, context);
}

void store_keys_read(struct store *store, const char *account_id, const char *after, unsigned limit,
                     void (*on_result)(void *context, const struct store_key *keys, size_t count, bool more,
                                       const struct err *err),
                     void *context) {
    struct store_admin_read *read = admin_read_new(STORE_READ_KEYS, account_id, after, limit);
    read->on_keys = on_result;
    admin_read_queue(store, read, context);
}

void store_audit_read(struct store *store, int64_t before, unsigned limit,
                      void (*on_result)(void *context, const struct store_audit *lines, size_t count, bool more,
                                        const struct err *err),
                      void *context) {
    struct store_admin_read *read = admin_read_new(STORE_READ_AUDIT, "", "", limit);
    read->before = before > 0 ? before : INT64_MAX;
    read->on_audit = on_result;
    admin_read_queue(store, read, context);
}

void store_devices_read(struct store *store, const char *id, const char *account_id, const char *after, unsigned limit,
                        void (*on_result)(void *context, const struct store_device *devices, size_t count, bool more,
                                          const struct err *err),
                        void *context) {
    struct store_admin_read *read = admin_read_new(STORE_READ_DEVICES, id, after, limit);
    str_copy(read->account_id, sizeof(read->account_id), str_from(account_id));
    read->on_devices = on_result;
    admin_read_queue(store, read, context);
}

void store_reviews_read(struct store *store, const char *id, int64_t before, unsigned limit,
                        void (*on_result)(void *context, const struct store_review *reviews, size_t count, bool more,
                                          const struct err *err),
                        void *context) {
    struct store_admin_read *read = admin_read_new(STORE_READ_REVIEWS, id, "", limit);
    read->before = before > 0 ? before : INT64_MAX;
    read->on_reviews = on_result;
    admin_read_queue(store, read, context);
}
