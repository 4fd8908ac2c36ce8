#include "store/commit.h"

enum { COMMIT_PAUSE_MIN_MS = 10, COMMIT_PAUSE_MAX_MS = 1000 };

/* Asks until it is known, or patience is at its end. */
static enum store_commit commit_resolve(struct store_connection *connection, const struct store_patience *patience,
                                        struct err *err) {
    const struct store_driver *driver = connection->driver;
    uint32_t waited_ms = 0, pause_ms = COMMIT_PAUSE_MIN_MS;
    enum store_commit outcome;
    while ((outcome = driver->resolve(connection, err)) == STORE_COMMIT_IN_DOUBT && waited_ms < patience->limit_ms &&
           patience->pause(patience->context, pause_ms)) {
        waited_ms += pause_ms;
        pause_ms = 2 * pause_ms < COMMIT_PAUSE_MAX_MS ? 2 * pause_ms : COMMIT_PAUSE_MAX_MS;
    }
    return outcome;
}

enum store_commit store_commit(struct store_connection *connection, const struct store_patience *patience,
                               struct err *err) {
    enum store_commit outcome = connection->driver->commit(connection, err);
    if (outcome != STORE_COMMIT_IN_DOUBT) {
        return outcome;
    }
    outcome = commit_resolve(connection, patience, err);
    switch (outcome) {
    case STORE_COMMIT_DONE:
        return outcome;
    case STORE_COMMIT_NOT_DONE:
        err_set(err, ERR_UNAVAILABLE, "The connection to the database was lost; nothing was written");
        break;
    case STORE_COMMIT_IN_DOUBT:
        err_set(err, ERR_IN_DOUBT, "The connection to the database was lost; whether this was written is not known");
        break;
    }
    connection->driver->rollback(connection);
    return outcome;
}
