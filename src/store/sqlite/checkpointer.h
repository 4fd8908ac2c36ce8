/* A thread that writes the log (WAL) back into the database file beside the writer, so that no settlement waits for it:
 * writing some thousand pages back and syncing them takes as long as dozens of groups. */
#ifndef NATARIS_STORE_SQLITE_CHECKPOINTER_H
#define NATARIS_STORE_SQLITE_CHECKPOINTER_H

#include "store/sqlite/db.h"

struct checkpointer;

/* For the writing connection, which from now on writes its log back itself only for the short rest that a thread can
 * never catch up with, or when the log has become four times as long as it should. */
MUST_CHECK bool checkpointer_open(struct checkpointer **out, struct sqlite_db *writer, struct err *err);
void checkpointer_close(struct checkpointer *checkpointer); /* before the writer's connection; NULL is fine */

#endif
