#include "store/sqlite/db.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/month.h"
#include "store/sqlite/log_vfs.h"
#include "store/sqlite/texts_money.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SQLITE_DB_BUSY_MS = 10 * 1000,     /* how long another process may hold the write lock */
    SQLITE_DB_RETRY_MS = 10,           /* between tries where SQLite itself does not wait */
    SQLITE_DB_PROGRESS_MS = 1000,      /* between two lines about a migration */
    SQLITE_DB_PROGRESS_STEPS = 100000, /* of SQLite's machine between two looks at the clock: some milliseconds */
    SQLITE_DB_CHECKPOINT_PAGES = 4096, /* 16 MB of WAL; larger costs start-up after a crash, smaller costs writes */
};

/* What the newest rows and the upper levels of the indexes need. */
#define SQLITE_DB_CACHE_KIB "32768"

static bool sqlite_db_fail(struct sqlite_db *db, int result, struct err *err) {
    int last_errno = errno, primary = result & 0xff;
    if (primary == SQLITE_CONSTRAINT) {
        return err_set(err, ERR_CONFLICT, "The database refused a row: %s", sqlite3_errmsg(db->handle));
    }
    if (primary == SQLITE_BUSY) {
        return err_set(err, ERR_UNAVAILABLE, "Another program holds the database %s", db->path);
    }
    /* A failed COMMIT does not keep the system's error, but errno still has it. */
    int system = sqlite3_system_errno(db->handle) != 0 ? sqlite3_system_errno(db->handle) : last_errno;
    if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && system != 0) {
        return err_set_errno(err, system, "Database %s: %s", db->path, sqlite3_errstr(result));
    }
    const char *words = primary == SQLITE_FULL ? "the disk is full" : sqlite3_errmsg(db->handle);
    return err_set(err, ERR_IO, "Database %s: %s", db->path, words);
}

static bool sqlite_db_execute(struct sqlite_db *db, const char *sql, struct err *err) {
    errno = 0;
    int result = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return result == SQLITE_OK || sqlite_db_fail(db, result, err);
}

/* SQLite would make the file readable by everybody; its WAL and index copy the mode of the file. */
static bool sqlite_db_create_file(const char *path, struct err *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST || err_set_errno(err, errno, "Cannot create the database %s", path);
    }
    close(fd);
    return true;
}

static bool sqlite_db_version(struct sqlite_db *db, int *version, struct err *err) {
    sqlite3_stmt *statement;
    int result = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &statement, NULL);
    if (result != SQLITE_OK) {
        return sqlite_db_fail(db, result, err);
    }
    result = sqlite3_step(statement);
    *version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    if (result != SQLITE_ROW) {
        return sqlite_db_fail(db, result, err);
    }
    if (*version > sqlite_newest(db->options.added)) {
        return err_set(err, ERR_CONFLICT,
                       "The database %s has schema version %d, but this program knows only up to %d: "
                       "use the newer program that wrote it",
                       db->path, *version, sqlite_newest(db->options.added));
    }
    return true;
}

/* The busy timeout does not cover the change to WAL: two processes that create one database may refuse each other. */
static bool sqlite_db_use_wal(struct sqlite_db *db, struct err *err) {
    int result = SQLITE_BUSY;
    for (int waited = 0; waited < SQLITE_DB_BUSY_MS && (result & 0xff) == SQLITE_BUSY; waited += SQLITE_DB_RETRY_MS) {
        if (waited > 0) {
            sqlite3_sleep(SQLITE_DB_RETRY_MS);
        }
        result = sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    }
    return result == SQLITE_OK || sqlite_db_fail(db, result, err);
}

/* Of all connections, so that what is summed up by month is summed up by the same months everywhere. */
static void sqlite_db_utc_month(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    sqlite3_result_int64(context, store_month_of(sqlite3_value_int64(values[0])));
}

static bool sqlite_db_add_functions(struct sqlite_db *db, struct err *err) {
    const int result = sqlite3_create_function_v2(db->handle, "utc_month", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                                  sqlite_db_utc_month, NULL, NULL, NULL);
    return result == SQLITE_OK || sqlite_db_fail(db, result, err);
}

int sqlite_db_checkpoint_pages(const struct sqlite_db_options *options) {
    return options->checkpoint_pages != 0 ? options->checkpoint_pages : SQLITE_DB_CHECKPOINT_PAGES;
}

static bool sqlite_db_configure(struct sqlite_db *db, const struct sqlite_db_options *options, struct err *err) {
    const int pages = sqlite_db_checkpoint_pages(options);
    /* FULL: in WAL mode, NORMAL loses acknowledged commits when the power fails. */
    return sqlite_db_use_wal(db, err) &&
           sqlite_db_execute(db, options->sync_less ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
                             err) &&
           sqlite_db_execute(db, "PRAGMA foreign_keys = ON", err) &&
           sqlite_db_execute(db, "PRAGMA trusted_schema = OFF", err) &&
           sqlite_db_execute(db, "PRAGMA temp_store = MEMORY", err) &&
           /* What is deleted leaves the page it was on, which costs nothing; conversations do more (base/seal.h). */
           sqlite_db_execute(db, "PRAGMA secure_delete = FAST", err) &&
           sqlite_db_execute(db, "PRAGMA cache_size = -" SQLITE_DB_CACHE_KIB, err) &&
           sqlite_db_execute(db, SQLITE_TEMPORARY_TABLES, err) &&
           (!options->read_only || sqlite_db_execute(db, "PRAGMA query_only = ON", err)) &&
           (sqlite3_wal_autocheckpoint(db->handle, pages) == SQLITE_OK || sqlite_db_fail(db, SQLITE_NOMEM, err));
}

/* A large file takes a while: who waits is told, first after a second. */
struct migration_progress {
    const struct sqlite_db *db;
    uint64_t started_ms, told_ms;
};

static int sqlite_db_on_progress(void *context) {
    struct migration_progress *progress = context;
    const uint64_t now_ms = clock_monotonic_ms();
    if (now_ms - progress->told_ms >= SQLITE_DB_PROGRESS_MS) {
        progress->told_ms = now_ms;
        LOG_WARN_EVENT("store.migrating", LOG_TEXT("database", progress->db->path),
                       LOG_INT("seconds", (now_ms - progress->started_ms) / 1000));
    }
    return 0; /* go on */
}

static bool sqlite_db_migrate_locked(struct sqlite_db *db, struct err *err) {
    const struct sqlite_migration *migration;
    int version = 0; /* read again: another process may have been faster */
    if (!sqlite_db_version(db, &version, err)) {
        return false;
    }
    while ((migration = sqlite_migration_after(version, db->options.added)) != NULL) {
        if (!sqlite_db_execute(db, migration->script, err) || !sqlite_db_version(db, &version, err)) {
            return false;
        }
        assert(version == migration->version);
    }
    return sqlite_db_execute(db, "COMMIT", err);
}

static bool sqlite_db_migrate(struct sqlite_db *db, struct err *err) {
    const uint64_t now_ms = clock_monotonic_ms();
    struct migration_progress progress = {db, now_ms, now_ms};
    if (!sqlite_db_execute(db, "BEGIN IMMEDIATE", err)) {
        return false;
    }
    sqlite3_progress_handler(db->handle, SQLITE_DB_PROGRESS_STEPS, sqlite_db_on_progress, &progress);
    const bool ok = sqlite_db_migrate_locked(db, err);
    sqlite3_progress_handler(db->handle, 0, NULL, NULL);
    if (ok && progress.told_ms != progress.started_ms) {
        LOG_WARN_EVENT("store.migrated", LOG_TEXT("database", db->path),
                       LOG_INT("seconds", (clock_monotonic_ms() - progress.started_ms) / 1000));
    }
    if (!ok) {
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    }
    return ok;
}

static bool sqlite_db_prepare(struct sqlite_db *db, struct err *err) {
    const struct sqlite_addition *added = db->options.added;
    const size_t count = SQL_COUNT + (added != NULL ? added->text_count : 0);
    db->statements = mem_calloc(count, sizeof(*db->statements));
    for (; db->statement_count < count; db->statement_count++) {
        const size_t i = db->statement_count;
        const char *text = i >= SQL_COUNT            ? added->texts[i - SQL_COUNT]
                           : SQLITE_TEXTS[i] != NULL ? SQLITE_TEXTS[i]
                                                     : SQLITE_TEXTS_MONEY[i];
        const int result =
            sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);
        if (result != SQLITE_OK) {
            return sqlite_db_fail(db, result, err);
        }
    }
    return true;
}

static bool sqlite_db_open_file(struct sqlite_db *db, const struct sqlite_db_options *options, struct err *err) {
    /* No mutex inside: the connection belongs to one thread at a time. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const char *vfs = options->vfs;
    if (!options->sync_less && !sqlite_log_vfs(options->vfs, &vfs, err)) {
        return false;
    }
    int result = sqlite3_open_v2(db->path, &db->handle, flags, vfs);
    if (result != SQLITE_OK) {
        return sqlite_db_fail(db, result, err);
    }
    sqlite3_busy_timeout(db->handle, SQLITE_DB_BUSY_MS);
    return true;
}

bool sqlite_db_open(struct sqlite_db **out, const char *path, const struct sqlite_db_options *options,
                    struct err *err) {
    *out = NULL;
    struct sqlite_db *db = MEM_NEW(struct sqlite_db);
    int version = 0;
    db->options = *options;
    if (!str_copy(db->path, sizeof(db->path), str_from(path))) {
        sqlite_db_close(db);
        return err_set(err, ERR_TOO_LARGE, "The database's path is longer than %d bytes", FILE_PATH_MAX - 1);
    }
    /* Statistics that nobody reads would lock a mutex at each allocation. May be refused after the first time. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    /* The version comes first: a file of a newer program is not touched. */
    if (!sqlite_db_create_file(path, err) || !sqlite_db_open_file(db, options, err) ||
        !sqlite_db_version(db, &version, err) || !sqlite_db_configure(db, options, err) ||
        !sqlite_db_add_functions(db, err) ||
        (version < sqlite_newest(db->options.added) && !sqlite_db_migrate(db, err)) ||
        (!options->bare && !sqlite_db_prepare(db, err))) {
        sqlite_db_close(db);
        return false;
    }
    *out = db;
    return true;
}

void sqlite_db_close(struct sqlite_db *db) {
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < db->statement_count; i++) {
        sqlite3_finalize(db->statements[i]);
    }
    free(db->statements);
    int result = sqlite3_close(db->handle);
    assert(result == SQLITE_OK); /* a statement was not finalized */
    (void)result;
    free(db);
}

bool sqlite_db_begin(struct sqlite_db *db, struct err *err) {
    return sqlite_run(db, SQL_BEGIN, err);
}

bool sqlite_db_commit(struct sqlite_db *db, struct err *err) {
    if (sqlite_run(db, SQL_COMMIT, err)) {
        return true;
    }
    sqlite_db_rollback(db);
    return false;
}

void sqlite_db_rollback(struct sqlite_db *db) {
    /* Some errors have rolled back already. */
    if (sqlite3_get_autocommit(db->handle) == 0) {
        sqlite3_step(db->statements[SQL_ROLLBACK]);
        sqlite_reset(db, SQL_ROLLBACK);
    }
}

void sqlite_db_wipe_log(struct sqlite_db *db) {
    db->wipe_log = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK;
}

bool sqlite_db_moved(struct sqlite_db *db) {
    int moved = 0;
    return sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

bool sqlite_db_script(struct sqlite_db *db, const char *script, void (*row)(void *context, const char *text),
                      void *context, struct err *err) {
    int result = SQLITE_OK;
    while (result == SQLITE_OK && *script != '\0') {
        sqlite3_stmt *statement;
        errno = 0;
        result = sqlite3_prepare_v2(db->handle, script, -1, &statement, &script);
        while (result == SQLITE_OK && statement != NULL && (result = sqlite3_step(statement)) == SQLITE_ROW) {
            row(context, (const char *)sqlite3_column_text(statement, 0));
            result = SQLITE_OK;
        }
        if (result == SQLITE_DONE) {
            result = SQLITE_OK;
        }
        if (result != SQLITE_OK) {
            sqlite_db_fail(db, result, err);
        }
        sqlite3_finalize(statement);
    }
    return result == SQLITE_OK;
}

struct sqlite_binder sqlite_bind(struct sqlite_db *db, enum sql sql) {
    return (struct sqlite_binder){.statement = db->statements[sql]};
}

/* Binding a static value to a parameter that exists cannot fail; a wrong number of them is a mistake in this folder. */
static void sqlite_bind_checked(int result) {
    assert(result == SQLITE_OK);
    (void)result;
}

void sqlite_bind_text(struct sqlite_binder *binder, const char *text) {
    sqlite_bind_checked(sqlite3_bind_text(binder->statement, ++binder->column, text, -1, SQLITE_STATIC));
}

void sqlite_bind_int(struct sqlite_binder *binder, int64_t number) {
    sqlite_bind_checked(sqlite3_bind_int64(binder->statement, ++binder->column, number));
}

void sqlite_bind_null(struct sqlite_binder *binder) {
    sqlite_bind_checked(sqlite3_bind_null(binder->statement, ++binder->column));
}

/* No data is an empty blob, not NULL. */
void sqlite_bind_blob(struct sqlite_binder *binder, const void *data, size_t size) {
    sqlite_bind_checked(
        sqlite3_bind_blob64(binder->statement, ++binder->column, size == 0 ? "" : data, size, SQLITE_STATIC));
}

bool sqlite_run(struct sqlite_db *db, enum sql sql, struct err *err) {
    bool row;
    bool ok = sqlite_next(db, sql, &row, err);
    assert(!ok || !row);
    return ok;
}

bool sqlite_next(struct sqlite_db *db, enum sql sql, bool *row, struct err *err) {
    errno = 0;
    int result = sqlite3_step(db->statements[sql]);
    *row = result == SQLITE_ROW;
    if (*row) {
        return true;
    }
    bool ok = result == SQLITE_DONE || sqlite_db_fail(db, result, err);
    sqlite_reset(db, sql);
    return ok;
}

void sqlite_reset(struct sqlite_db *db, enum sql sql) {
    sqlite3_reset(db->statements[sql]);
}

int64_t sqlite_last_number(const struct sqlite_db *db) {
    return sqlite3_last_insert_rowid(db->handle);
}

bool sqlite_no_refusal(bool ok, struct err *err) {
    if (!ok && (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND || err->code == ERR_INVALID)) {
        err->code = ERR_INTERNAL;
    }
    return ok;
}

size_t sqlite_changes(const struct sqlite_db *db) {
    return (size_t)sqlite3_changes64(db->handle);
}

struct sqlite_reader sqlite_read(struct sqlite_db *db, enum sql sql) {
    return (struct sqlite_reader){.statement = db->statements[sql]};
}

void sqlite_read_text(struct sqlite_reader *reader, char *out, size_t out_size) {
    int column = reader->column++;
    const char *text = (const char *)sqlite3_column_text(reader->statement, column);
    (void)str_copy(out, out_size, str_from(text));
}

int64_t sqlite_read_int(struct sqlite_reader *reader) {
    return sqlite3_column_int64(reader->statement, reader->column++);
}

void sqlite_read_blob(struct sqlite_reader *reader, uint8_t *out, size_t size) {
    int column = reader->column++;
    const void *data = sqlite3_column_blob(reader->statement, column);
    if (data != NULL && (size_t)sqlite3_column_bytes(reader->statement, column) == size) {
        memcpy(out, data, size);
    } else {
        memset(out, 0, size);
    }
}

struct str sqlite_read_bytes(struct sqlite_reader *reader) {
    int column = reader->column++;
    const char *data = (const char *)sqlite3_column_blob(reader->statement, column);
    return (struct str){.data = data, .len = (size_t)sqlite3_column_bytes(reader->statement, column)};
}

unsigned sqlite_read_choice(struct sqlite_reader *reader, unsigned count) {
    const int64_t number = sqlite_read_int(reader);
    return number > 0 && number < count ? (unsigned)number : 0;
}
