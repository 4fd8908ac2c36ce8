/* The rows of store_money.h. What writes runs inside a transaction of the database that ledger_begin has seen begin;
 * errors as in sqlite_db.h. */
#ifndef NATARIS_STORE_SQLITE_MONEY_H
#define NATARIS_STORE_SQLITE_MONEY_H

#include "store/sqlite/ledger.h"

/* sqlite_settle.c. A refused settlement (ERR_CONFLICT) has written nothing. */
MUST_CHECK bool sqlite_settle(struct ledger *ledger, const struct store_settlement *settlement, struct err *err);
/* A stored answer: `room` false when one is there that had not expired by `now_ms` and may not be replaced; else what was
 * there is gone. It is sealed when `place` is that of a conversation. */
struct turn_place;
MUST_CHECK bool sqlite_answer_room(struct sqlite_db *db, const struct store_answer *answer, int64_t now_ms, bool *room,
                                   struct err *err);
MUST_CHECK bool sqlite_answer_add(struct sqlite_db *db, const struct store_answer *answer,
                                  const struct turn_place *place, struct err *err);
/* Deletes at most `limit` answers that had expired by then. */
MUST_CHECK bool sqlite_answers_expire(struct sqlite_db *db, int64_t now_ms, int64_t limit, struct err *err);
MUST_CHECK bool sqlite_generation_each(struct sqlite_db *db,
                                       bool (*row)(void *context, const struct store_generation *job), void *context,
                                       struct err *err);
/* One row of a statement whose columns are those of a job. */
void sqlite_generation_read(struct sqlite_db *db, enum sql sql, struct store_generation *out);

/* sqlite_admin.c. When false with ERR_CONFLICT, ERR_NOT_FOUND or ERR_INVALID, nothing of it was written. */
MUST_CHECK bool sqlite_admin(struct ledger *ledger, const struct store_admin *admin, struct store_admin *result,
                             struct err *err);

/* sqlite_usage.c: for the reading connection. What is found on the heap is the caller's. */
MUST_CHECK bool sqlite_answer_find(struct sqlite_db *db, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                                   struct store_answer *out, bool *found, struct err *err); /* content on the heap */
struct sqlite_period {
    const char *account_id, *key_id;
    int64_t from_ms, to_ms;
};
MUST_CHECK bool sqlite_usage(struct sqlite_db *db, const struct sqlite_period *period, struct store_usage *out,
                             struct err *err); /* models on the heap, also when false */
struct sqlite_page {
    const char *account_id, *after;
    bool earned;
    unsigned limit;
};
MUST_CHECK bool sqlite_generations_page(struct sqlite_db *db, const struct sqlite_page *page,
                                        struct store_generation **jobs, size_t *count, bool *more, struct err *err);
MUST_CHECK bool sqlite_earnings(struct sqlite_db *db, const struct sqlite_period *period, struct store_earnings *out,
                                struct err *err);

/* sqlite_ledger_check.c */
MUST_CHECK bool sqlite_ledger_check(struct sqlite_db *db, void (*on_problem)(void *context, const char *text),
                                    void *context, struct store_ledger_report *report, struct err *err);
MUST_CHECK bool sqlite_entry_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_entry *entry),
                                  void *context, struct err *err);
/* One row of a statement whose columns are those of a line of the audit log. */
void sqlite_audit_read(struct sqlite_db *db, enum sql sql, struct store_audit *out);
MUST_CHECK bool sqlite_audit_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_audit *audit),
                                  void *context, struct err *err);

#endif
