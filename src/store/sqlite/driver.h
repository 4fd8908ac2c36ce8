/* SQLite below the store: a file, its log beside it. Only who opens a store names this (and tests, with options of
 * their own). */
#ifndef NATARIS_STORE_SQLITE_DRIVER_H
#define NATARIS_STORE_SQLITE_DRIVER_H

#include "store/sqlite/db.h"

extern const struct store_driver sqlite_driver;

/* As sqlite_driver.open, with options. For store_over. */
MUST_CHECK bool sqlite_connect(struct store_connection **out, const char *path, const struct sqlite_db_options *options,
                               struct err *err);

#endif
