/* The rows of store/conversations.h. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_CONVERSATIONS_H
#define NATARIS_STORE_SQLITE_CONVERSATIONS_H

#include "store/conversations.h"
#include "store/sqlite/ledger.h"

extern const struct store_conversation_rows sqlite_conversation_rows;

#endif
