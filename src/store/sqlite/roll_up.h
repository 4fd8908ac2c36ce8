/* Old rows of generations are deleted; what they add up to is in the totals (0016_totals.sql) and stays. */
#ifndef NATARIS_STORE_SQLITE_ROLL_UP_H
#define NATARIS_STORE_SQLITE_ROLL_UP_H

#include "store/generations.h"

/* As in store/generations.h. */
bool sqlite_roll_up(struct store_connection *connection, const struct store_roll_up *step, size_t limit, int64_t *next,
                    struct err *err);

#endif
