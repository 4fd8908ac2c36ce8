/* What a group of settlements adds to usage_totals (0016_totals.sql): summed up in memory, and written once for each
 * account, key and model at the group's end, instead of once for each job. */
#ifndef NATARIS_STORE_SQLITE_TOTALS_H
#define NATARIS_STORE_SQLITE_TOTALS_H

#include "store/generations.h"
#include "store/sqlite/db.h"

struct usage_total;

struct usage_totals { /* all zeros: empty */
    struct usage_total *items;
    size_t count, capacity;
};

/* A job whose row was added, by the numbers of its account and key. Those that usage does not count add nothing. */
void usage_totals_add(struct usage_totals *totals, const struct store_generation *job, int64_t account_number,
                      int64_t key_number);
/* Writes them and forgets them. */
MUST_CHECK bool usage_totals_write(struct usage_totals *totals, struct sqlite_db *db, struct err *err);
void usage_totals_clear(struct usage_totals *totals);

#endif
