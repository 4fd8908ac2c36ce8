/* The SQL of the ledger, of what was used and what was earned: those of texts.h that texts.c does not have. */
#ifndef NATARIS_STORE_SQLITE_TEXTS_MONEY_H
#define NATARIS_STORE_SQLITE_TEXTS_MONEY_H

#include "store/sqlite/texts.h"

/* Tables that each connection has for itself, before its statements are prepared. */
extern const char SQLITE_TEMPORARY_TABLES[];
extern const char *const SQLITE_TEXTS_MONEY[SQL_COUNT];

#endif
