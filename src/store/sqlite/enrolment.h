/* The rows of store/enrolment.h, and what the operator does with join tokens. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_ENROLMENT_H
#define NATARIS_STORE_SQLITE_ENROLMENT_H

#include "store/enrolment.h"
#include "store/sqlite/db.h"

extern const struct store_enrolment_rows sqlite_enrolment_rows;

MUST_CHECK bool sqlite_join_token_add(struct sqlite_db *db, const struct store_join_token *token, struct err *err);
MUST_CHECK bool sqlite_join_token_by_id(struct sqlite_db *db, const char *id, struct store_join_token *out,
                                        struct err *err); /* ERR_NOT_FOUND */
/* Changes nothing when the token is unknown, or revoked already. */
MUST_CHECK bool sqlite_join_token_revoke(struct sqlite_db *db, const char *id, int64_t now_ms, struct err *err);

#endif
