/* Turns (store/turns.h) on the writer's side. A refusal (ERR_CONFLICT: an exchange that does not follow on what is
 * there) has written nothing. */
#ifndef NATARIS_STORE_SQLITE_TURNS_H
#define NATARIS_STORE_SQLITE_TURNS_H

#include "store/sqlite/ledger.h"
#include "store/sqlite/sealed.h"
#include "store/turns.h"

extern const struct store_turn_rows sqlite_turn_rows;

/* `out` has number 0 when there is no such conversation. */
MUST_CHECK bool sqlite_conversation_place(struct ledger *ledger, const char *account_id, bool test, const char *id,
                                          struct turn_place *out, struct err *err);
/* The same for a turn, with what there is to refuse. */
MUST_CHECK bool sqlite_turn_find(struct ledger *ledger, const struct store_turn *turn, struct turn_place *out,
                                 struct err *err);
MUST_CHECK bool sqlite_turn_write(struct sqlite_db *db, const struct store_turn *turn, const struct turn_place *place,
                                  struct err *err);

#endif
