/* Opening: creation, migration, and files that are not for us. */
#include "store/sqlite/db.h"
#include "support/temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static const struct sqlite_db_options no_options = {0};

struct fixture {
    struct temp_folder folder;
    char path[128];
    struct err err;
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    temp_folder_init(&fixture->folder);
    temp_folder_file(&fixture->folder, "test.db", fixture->path);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    temp_folder_clear(&fixture->folder);
    free(fixture);
    return 0;
}

/* What a query that gives one value says. */
static const char *value_of(sqlite3 *handle, const char *sql, char out[64]) {
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    snprintf(out, 64, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return out;
}

static void test_an_empty_file_is_brought_to_the_newest_schema(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct sqlite_db *db;
    char value[64];
    assert_true(sqlite_db_open(&db, fixture->path, &no_options, &fixture->err));
    assert_string_equal(value_of(db->handle, "PRAGMA user_version", value), "26");
    assert_string_equal(value_of(db->handle, "PRAGMA journal_mode", value), "wal");
    assert_string_equal(value_of(db->handle, "PRAGMA synchronous", value), "2"); /* FULL */
    assert_string_equal(value_of(db->handle, "PRAGMA foreign_keys", value), "1");
    assert_string_equal(value_of(db->handle, "SELECT count(*) FROM generations", value), "0");
    sqlite_db_close(db);
    assert_true(
        sqlite_db_open(&db, fixture->path, &no_options, &fixture->err)); /* a second time there is nothing to do */
    assert_string_equal(value_of(db->handle, "PRAGMA user_version", value), "26");
    sqlite_db_close(db);
}

static void test_files_are_the_users_own(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct sqlite_db *db;
    assert_true(sqlite_db_open(&db, fixture->path, &no_options, &fixture->err));
    static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[128];
        struct stat info;
        assert_int_equal(stat(temp_folder_file(&fixture->folder, names[i], path), &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    sqlite_db_close(db);
}

static void execute_raw(const char *path, const char *sql) {
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void test_a_newer_schema_is_refused_untouched(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct sqlite_db *db;
    execute_raw(fixture->path, "CREATE TABLE later (x); PRAGMA user_version = 77");
    assert_false(sqlite_db_open(&db, fixture->path, &no_options, &fixture->err));
    assert_null(db);
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
    assert_non_null(strstr(fixture->err.message, "version 77"));
    assert_non_null(strstr(fixture->err.message, "up to 26:"));
    sqlite3 *handle;
    char value[64];
    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    assert_string_equal(value_of(handle, "PRAGMA journal_mode", value), "delete");
    assert_string_equal(value_of(handle, "SELECT group_concat(name) FROM sqlite_schema", value), "later");
    sqlite3_close(handle);
}

static void test_a_migration_that_fails_leaves_nothing(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct sqlite_db *db;
    execute_raw(fixture->path, "CREATE TABLE settings (x)"); /* the last table of the first migration is in the way */
    assert_false(sqlite_db_open(&db, fixture->path, &no_options, &fixture->err));
    assert_non_null(strstr(fixture->err.message, "settings"));
    sqlite3 *handle;
    char value[64];
    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    assert_string_equal(value_of(handle, "SELECT group_concat(name) FROM sqlite_schema", value), "settings");
    assert_string_equal(value_of(handle, "PRAGMA user_version", value), "0");
    sqlite3_close(handle);
}

static void test_what_is_no_database_is_refused(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct sqlite_db *db;
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++) {
        fputs("not a database ", file);
    }
    fclose(file);
    assert_false(sqlite_db_open(&db, fixture->path, &no_options, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_IO);
    assert_non_null(strstr(fixture->err.message, "not a database"));
}

static void test_the_systems_words_are_told(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct sqlite_db *db;
    char path[256];
    snprintf(path, sizeof(path), "%s/no/such/folder", fixture->folder.path);
    assert_false(sqlite_db_open(&db, path, &no_options, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_IO);
    assert_non_null(strstr(fixture->err.message, "No such file or directory"));

    char long_path[FILE_PATH_MAX + 1];
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_false(sqlite_db_open(&db, long_path, &no_options, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_TOO_LARGE);
}

static void test_many_processes_create_one_database(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    enum { PROCESSES = 6 };
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct sqlite_db *db;
            bool ok = sqlite_db_open(&db, fixture->path, &no_options, &fixture->err);
            if (!ok) {
                fprintf(stderr, "%s\n", fixture->err.message);
            }
            sqlite_db_close(db);
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

#define DB_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        DB_TEST(test_an_empty_file_is_brought_to_the_newest_schema),
        DB_TEST(test_files_are_the_users_own),
        DB_TEST(test_a_newer_schema_is_refused_untouched),
        DB_TEST(test_a_migration_that_fails_leaves_nothing),
        DB_TEST(test_what_is_no_database_is_refused),
        DB_TEST(test_the_systems_words_are_told),
        DB_TEST(test_many_processes_create_one_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
