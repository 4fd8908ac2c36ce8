#include "support/store_doubt.h"

#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct store_doubt *doubt_of(const struct store_connection *connection) {
    return ((const struct store_doubt_driver *)connection->driver)->doubt;
}

static enum store_commit doubt_commit(struct store_connection *connection, struct err *err) {
    struct store_doubt *doubt = doubt_of(connection);
    if (doubt->loss == STORE_DOUBT_NONE || doubt->commits_before > 0) {
        doubt->commits_before -= doubt->commits_before > 0;
        return doubt->inner->commit(connection, err);
    }
    if (doubt->loss == STORE_DOUBT_WAS_DONE) {
        assert_int_equal(doubt->inner->commit(connection, err), STORE_COMMIT_DONE);
    } else {
        doubt->inner->rollback(connection);
    }
    err_set(err, ERR_IO, "the connection was lost");
    return STORE_COMMIT_IN_DOUBT;
}

static enum store_commit doubt_resolve(struct store_connection *connection, struct err *err) {
    struct store_doubt *doubt = doubt_of(connection);
    doubt->asked++;
    if (doubt->unreachable > 0) {
        doubt->unreachable--;
        err_set(err, ERR_IO, "the backend cannot be reached");
        return STORE_COMMIT_IN_DOUBT;
    }
    const bool done = doubt->loss == STORE_DOUBT_WAS_DONE;
    doubt->loss = STORE_DOUBT_NONE;
    return done ? STORE_COMMIT_DONE : STORE_COMMIT_NOT_DONE;
}

void store_doubt_init(struct store_doubt_driver *driver, struct store_doubt *doubt, const struct store_driver *inner) {
    *doubt = (struct store_doubt){.inner = inner};
    driver->driver = *inner;
    driver->driver.commit = doubt_commit;
    driver->driver.resolve = doubt_resolve;
    driver->doubt = doubt;
}

struct store *store_doubt_open(const struct store_doubt_driver *driver, const char *place,
                               const struct store_options *options) {
    struct store_connection *connection;
    struct err err;
    if (!driver->doubt->inner->open(&connection, place, &err)) {
        fail_msg("%s", err.message);
    }
    connection->driver = &driver->driver;
    return store_over(connection, options);
}
