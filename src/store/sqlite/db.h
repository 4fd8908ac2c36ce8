/* One SQLite connection: opened, migrated, with every statement prepared once. Used by one thread at a time.
 * Errors: ERR_CONFLICT a constraint refused one row (the transaction goes on), ERR_UNAVAILABLE another process held the
 * database for longer than the busy timeout, ERR_IO anything after which nothing written is certain. */
#ifndef NATARIS_STORE_SQLITE_DB_H
#define NATARIS_STORE_SQLITE_DB_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "store/driver.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/texts.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct sqlite_db_options { /* all zero: what the product uses */
    const char *vfs;       /* SQLite's name of the file system layer; NULL: the usual one */
    bool sync_less;        /* synchronous=NORMAL: an acknowledged commit may be lost when the power fails */
    int checkpoint_pages;  /* size of the WAL at which it is written back; 0: the usual one */
    bool bare;             /* without prepared statements */
    bool read_only;        /* a second connection beside a writer: the file exists with the newest schema */
    const struct sqlite_addition *added; /* a table of a test's own; NULL: none */
};

struct ledger;
struct checkpointer;

struct sqlite_db {
    struct store_connection connection; /* first */
    sqlite3 *handle;
    sqlite3_stmt **statements; /* by enum sql, and those that were added */
    size_t statement_count;
    char path[FILE_PATH_MAX];
    struct sqlite_db_options options;
    struct ledger *ledger;             /* driver.c; of the writing connection, else NULL */
    struct checkpointer *checkpointer; /* likewise, while it serves */
    bool wipe_log;                     /* the log holds what must not be read any more: sqlite_db_wipe_log is due */
};
static inline struct sqlite_db *sqlite_db_of(struct store_connection *connection) {
    return (struct sqlite_db *)connection;
}

/* Pages of the log before it is written back. */
int sqlite_db_checkpoint_pages(const struct sqlite_db_options *options);
MUST_CHECK bool sqlite_db_open(struct sqlite_db **out, const char *path, const struct sqlite_db_options *options,
                               struct err *err);
void sqlite_db_close(struct sqlite_db *db); /* NULL is fine; leaves a single file when it is the last user */

/* Takes the write lock at once, so that no statement of the transaction can meet a busy database. */
MUST_CHECK bool sqlite_db_begin(struct sqlite_db *db, struct err *err);
MUST_CHECK bool sqlite_db_commit(struct sqlite_db *db, struct err *err); /* rolled back when false */
void sqlite_db_rollback(struct sqlite_db *db);
/* After a commit: writes the log back and empties its file. It stays due when another connection is in the way. */
void sqlite_db_wipe_log(struct sqlite_db *db);
/* The file was deleted or renamed under us: what is written goes nowhere. */
bool sqlite_db_moved(struct sqlite_db *db);

/* Runs a script; every row of its queries goes to `row` as one text. */
MUST_CHECK bool sqlite_db_script(struct sqlite_db *db, const char *script, void (*row)(void *context, const char *text),
                                 void *context, struct err *err);

/* Parameters are bound in the order of the SQL text and must live until the statement was reset. */
struct sqlite_binder {
    sqlite3_stmt *statement;
    int column;
};
struct sqlite_binder sqlite_bind(struct sqlite_db *db, enum sql sql);
void sqlite_bind_text(struct sqlite_binder *binder, const char *text);
void sqlite_bind_int(struct sqlite_binder *binder, int64_t number);
void sqlite_bind_null(struct sqlite_binder *binder);
void sqlite_bind_blob(struct sqlite_binder *binder, const void *data, size_t size);

/* Runs a statement that gives no rows. */
MUST_CHECK bool sqlite_run(struct sqlite_db *db, enum sql sql, struct err *err);
/* The next row, if any: the caller reads it, and ends early with sqlite_reset. */
MUST_CHECK bool sqlite_next(struct sqlite_db *db, enum sql sql, bool *row, struct err *err);
void sqlite_reset(struct sqlite_db *db, enum sql sql);
/* Of the row that was inserted last. */
int64_t sqlite_last_number(const struct sqlite_db *db);
/* For what must not be refused any more, because something was written: such an error is one of the whole group. Gives
 * `ok`. */
bool sqlite_no_refusal(bool ok, struct err *err);
/* Rows that the statement before has changed. */
size_t sqlite_changes(const struct sqlite_db *db);

/* Columns are read in the order of the SQL text. */
struct sqlite_reader {
    sqlite3_stmt *statement;
    int column;
};
struct sqlite_reader sqlite_read(struct sqlite_db *db, enum sql sql);
void sqlite_read_text(struct sqlite_reader *reader, char *out, size_t out_size); /* cut when it does not fit */
int64_t sqlite_read_int(struct sqlite_reader *reader);
void sqlite_read_blob(struct sqlite_reader *reader, uint8_t *out, size_t size); /* zeroed when not of that size */
struct str sqlite_read_bytes(struct sqlite_reader *reader); /* borrowed until the statement is used again */
/* A number of an enum that has so many, from 0; another number, which only a changed database has, is 0. */
unsigned sqlite_read_choice(struct sqlite_reader *reader, unsigned count);

#endif
