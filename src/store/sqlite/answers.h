/* The rows of store/answers.h. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_ANSWERS_H
#define NATARIS_STORE_SQLITE_ANSWERS_H

#include "store/answers.h"
#include "store/sqlite/db.h"

extern const struct store_answer_rows sqlite_answer_rows;

/* `room` false: one is there that had not expired by `now_ms` and may not be replaced; else what was there is gone. */
MUST_CHECK bool sqlite_answer_room(struct sqlite_db *db, const struct store_answer *answer, int64_t now_ms, bool *room,
                                   struct err *err);
/* `room` false: the account is past its quota of answers, or would be with this one. */
MUST_CHECK bool sqlite_answer_fits(struct sqlite_db *db, int64_t account_number, const struct store_answer *answer,
                                   bool *room, struct err *err);
/* It is sealed when `place` is that of a conversation. */
struct turn_place;
MUST_CHECK bool sqlite_answer_add(struct sqlite_db *db, const struct store_answer *answer, int64_t account_number,
                                  const struct turn_place *place, struct err *err);
/* Deletes at most `limit` answers that had expired by then. */
MUST_CHECK bool sqlite_answers_expire(struct sqlite_db *db, int64_t now_ms, int64_t limit, struct err *err);

#endif
