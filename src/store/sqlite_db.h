/* One SQLite connection: opened, migrated, with every statement prepared once. Used by one thread at a time.
 * Errors: ERR_CONFLICT a constraint refused one row (the transaction goes on), ERR_UNAVAILABLE another process held the
 * database for longer than the busy timeout, ERR_IO anything after which nothing written is certain. */
#ifndef NATARIS_STORE_SQLITE_DB_H
#define NATARIS_STORE_SQLITE_DB_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_ACCOUNT_ADD,
    SQL_ACCOUNT_OWNER,
    SQL_ACCOUNT_EACH,
    SQL_KEY_ADD,
    SQL_KEY_EACH,
    SQL_KEY_FIND,
    SQL_JOIN_TOKEN_ADD,
    SQL_JOIN_TOKEN_FIND,
    SQL_DEVICE_ADD,
    SQL_DEVICE_FIND,
    SQL_JOB_ADD,
    SQL_JOB_EACH,
    SQL_SETTING_GET,
    SQL_SETTING_SET,
    SQL_COUNT,
};

struct sqlite_db {
    sqlite3 *handle;
    sqlite3_stmt *statements[SQL_COUNT];
    char path[FILE_PATH_MAX];
};

MUST_CHECK bool sqlite_db_open(struct sqlite_db **out, const char *path, struct err *err);
void sqlite_db_close(struct sqlite_db *db); /* NULL is fine; leaves a single file when it is the last user */

/* Takes the write lock at once, so that no statement of the transaction can meet a busy database. */
MUST_CHECK bool sqlite_db_begin(struct sqlite_db *db, struct err *err);
MUST_CHECK bool sqlite_db_commit(struct sqlite_db *db, struct err *err); /* rolled back when false */
void sqlite_db_rollback(struct sqlite_db *db);
/* The file was deleted or renamed under us: what is written goes nowhere. */
bool sqlite_db_moved(struct sqlite_db *db);

/* Parameters are bound in the order of the SQL text and must live until the statement was reset. */
struct sqlite_binder {
    sqlite3_stmt *statement;
    int column;
};
struct sqlite_binder sqlite_bind(struct sqlite_db *db, enum sql sql);
void sqlite_bind_text(struct sqlite_binder *binder, const char *text);
void sqlite_bind_int(struct sqlite_binder *binder, int64_t number);
void sqlite_bind_blob(struct sqlite_binder *binder, const uint8_t *data, int size);

/* Runs a statement that gives no rows. */
MUST_CHECK bool sqlite_run(struct sqlite_db *db, enum sql sql, struct err *err);
/* The next row, if any: the caller reads it, and ends early with sqlite_reset. */
MUST_CHECK bool sqlite_next(struct sqlite_db *db, enum sql sql, bool *row, struct err *err);
void sqlite_reset(struct sqlite_db *db, enum sql sql);

/* Columns are read in the order of the SQL text. */
struct sqlite_reader {
    sqlite3_stmt *statement;
    int column;
};
struct sqlite_reader sqlite_read(struct sqlite_db *db, enum sql sql);
bool sqlite_read_text(struct sqlite_reader *reader, char *out, size_t out_size); /* false: cut */
int64_t sqlite_read_int(struct sqlite_reader *reader);
void sqlite_read_blob(struct sqlite_reader *reader, uint8_t *out, size_t size); /* zeroed when not of that size */

#endif
