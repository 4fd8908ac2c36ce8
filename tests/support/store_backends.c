#include "support/store_backends.h"

#include "store/sqlite/driver.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static void sqlite_read_raw(const char *place, const char *query, struct store_raw *out) {
    sqlite3 *handle;
    sqlite3_stmt *statement;
    *out = (struct store_raw){0};
    assert_int_equal(sqlite3_open(place, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, query, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    out->number = sqlite3_column_int64(statement, 0);
    out->len = (size_t)sqlite3_column_bytes(statement, 0);
    assert_true(out->len <= sizeof(out->bytes));
    if (out->len > 0) {
        memcpy(out->bytes, sqlite3_column_blob(statement, 0), out->len);
    }
    sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void sqlite_change_raw(const char *place, const char *statement) {
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(place, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, statement, NULL, NULL, NULL), SQLITE_OK);
    assert_true(sqlite3_changes(handle) >= 1);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static const struct store_backend backends[] = {
    {"sqlite", &sqlite_driver, sqlite_read_raw, sqlite_change_raw},
};

static const struct store_backend *current = &backends[0];

const struct store_backend *store_backend(void) {
    return current;
}

int store_contract_run(const char *name, const struct CMUnitTest *tests, size_t count) {
    int failed = 0;
    for (size_t i = 0; i < COUNT_OF(backends); i++) {
        char group[128];
        current = &backends[i];
        snprintf(group, sizeof(group), "%s with %s", name, current->name);
        failed += _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    }
    return failed;
}
