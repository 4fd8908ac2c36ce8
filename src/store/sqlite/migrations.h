/* The schema's history. Each migration is a script that brings the version before it to its own, which its last line
 * sets. A number may be left out. All that are missing run in one transaction (db.c). */
#ifndef NATARIS_STORE_SQLITE_MIGRATIONS_H
#define NATARIS_STORE_SQLITE_MIGRATIONS_H

#include <stddef.h>

struct sqlite_migration {
    int version;
    const char *script;
};
/* A table beside those of the product: its migration, and its statements, which are SQL_COUNT and those that follow. */
struct sqlite_addition {
    struct sqlite_migration migration;
    const char *const *texts;
    size_t text_count;
};

/* The version that this program writes. `added` NULL: none. */
int sqlite_newest(const struct sqlite_addition *added);
/* What a database of that version needs next; NULL: nothing. */
const struct sqlite_migration *sqlite_migration_after(int version, const struct sqlite_addition *added);

#endif
