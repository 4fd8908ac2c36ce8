/* Which backend keeps what is kept: the one place that names it. */
#ifndef NATARIS_GATEWAY_DATABASE_H
#define NATARIS_GATEWAY_DATABASE_H

#include "store/kept.h"
#include "store/store.h"

/* As store_open, of the gateway's database file. */
MUST_CHECK bool gateway_database_open(struct store **out, const char *path, struct err *err);
/* So many days are what earnings need to ripen (store/owed.h), from now on and for those who open it later. Before
 * store_start. */
MUST_CHECK bool gateway_database_tell(struct store *store, uint32_t days, const struct store_quotas *quotas,
                                      struct err *err);

#endif
