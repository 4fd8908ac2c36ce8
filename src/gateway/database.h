/* Which backend keeps what is kept: the one place that names it. */
#ifndef NATARIS_GATEWAY_DATABASE_H
#define NATARIS_GATEWAY_DATABASE_H

#include "store/store.h"

/* As store_open, of the gateway's database file. */
MUST_CHECK bool gateway_database_open(struct store **out, const char *path, struct err *err);

#endif
