/* The sums of store/usage.h. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_USAGE_H
#define NATARIS_STORE_SQLITE_USAGE_H

#include "store/sqlite/db.h"
#include "store/usage.h"

extern const struct store_usage_rows sqlite_usage_rows;

#endif
