#include "store/sqlite/driver.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/sqlite/accounts.h"
#include "store/sqlite/admin.h"
#include "store/sqlite/answers.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/conversations.h"
#include "store/sqlite/deliveries.h"
#include "store/sqlite/devices.h"
#include "store/sqlite/enrolment.h"
#include "store/sqlite/escrow.h"
#include "store/sqlite/events.h"
#include "store/sqlite/generations.h"
#include "store/sqlite/jobs.h"
#include "store/sqlite/ledger_check.h"
#include "store/sqlite/owed.h"
#include "store/sqlite/quotas.h"
#include "store/sqlite/receipts.h"
#include "store/sqlite/settings.h"
#include "store/sqlite/settlements.h"
#include "store/sqlite/turns.h"
#include "store/sqlite/usage.h"
#include "store/sqlite/webhooks.h"
#include "store/sqlite/workflows.h"

#include <stdlib.h>

enum { DRIVER_EXPIRE_AT_ONCE = 64 }; /* answers that a group deletes beside twice as many as it adds */

/* --- Connections --- */

bool sqlite_connect(struct store_connection **out, const char *path, const struct sqlite_db_options *options,
                    struct err *err) {
    struct sqlite_db *db;
    if (!sqlite_db_open(&db, path, options, err)) {
        return false;
    }
    db->connection.driver = &sqlite_driver;
    if (!options->read_only) {
        db->ledger = MEM_NEW(struct ledger);
        ledger_init(db->ledger, db);
    }
    *out = &db->connection;
    return true;
}

static bool driver_open(struct store_connection **out, const char *place, struct err *err) {
    return sqlite_connect(out, place, &(struct sqlite_db_options){0}, err);
}

/* SQLite's WAL gives the reader a state that the writer does not disturb. */
static bool driver_open_reader(struct store_connection **out, const struct store_connection *writer, struct err *err) {
    const struct sqlite_db *db = (const struct sqlite_db *)writer;
    struct sqlite_db_options options = db->options;
    options.read_only = true;
    return sqlite_connect(out, db->path, &options, err);
}

static void driver_close(struct store_connection *connection) {
    struct sqlite_db *db = sqlite_db_of(connection);
    checkpointer_close(db->checkpointer);
    if (db->ledger != NULL) {
        ledger_clear(db->ledger);
        free(db->ledger);
    }
    sqlite_db_close(db);
}

static void driver_serve(struct store_connection *connection) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct err err;
    db->wipe_log = true;                                   /* a crash may have left what was deleted before it */
    if (!checkpointer_open(&db->checkpointer, db, &err)) { /* then the writer does it, as ever */
        LOG_WARN_EVENT("store.no_checkpointer", LOG_TEXT("error", err.message));
    }
}

/* --- Transactions --- */

static void driver_rollback(struct store_connection *connection) {
    struct sqlite_db *db = sqlite_db_of(connection);
    sqlite_db_rollback(db);
    ledger_forget(db->ledger);
    connection->deliveries_added = false;
    connection->deliveries_dropped = 0;
}

static bool driver_begin(struct store_connection *connection, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    if (sqlite_db_moved(db)) {
        return err_set(err, ERR_IO, "The database %s was deleted or renamed while in use", db->path);
    }
    if (!sqlite_db_begin(db, err)) {
        return false;
    }
    if (ledger_begin(db->ledger, err)) {
        return true;
    }
    driver_rollback(connection);
    return false;
}

static bool driver_flush(struct store_connection *connection, int64_t now_ms, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    return sqlite_answers_expire(db, now_ms, DRIVER_EXPIRE_AT_ONCE + 2 * db->ledger->answers, err) &&
           ledger_flush(db->ledger, err);
}

/* Never in doubt: either the sync of the log has succeeded, or the store is at its end. */
static enum store_commit driver_commit(struct store_connection *connection, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    if (!sqlite_db_commit(db, err)) {
        driver_rollback(connection);
        return STORE_COMMIT_NOT_DONE;
    }
    if (db->wipe_log) {
        sqlite_db_wipe_log(db); /* before anybody is told that it is deleted */
    }
    return STORE_COMMIT_DONE;
}

static bool driver_begin_read(struct store_connection *connection, struct err *err) {
    return sqlite_run(sqlite_db_of(connection), SQL_BEGIN_READ, err);
}

static void driver_end_read(struct store_connection *connection) {
    sqlite_db_rollback(sqlite_db_of(connection)); /* nothing was written */
}

const struct store_driver sqlite_driver = {
    .name = "sqlite",
    .open = driver_open,
    .open_reader = driver_open_reader,
    .close = driver_close,
    .serve = driver_serve,
    .begin = driver_begin,
    .flush = driver_flush,
    .commit = driver_commit,
    .rollback = driver_rollback,
    .begin_read = driver_begin_read,
    .end_read = driver_end_read,
    .settings = &sqlite_setting_rows,
    .accounts = &sqlite_account_rows,
    .devices = &sqlite_device_rows,
    .enrolment = &sqlite_enrolment_rows,
    .generations = &sqlite_generation_rows,
    .usage = &sqlite_usage_rows,
    .owed = &sqlite_owed_rows,
    .settlements = &sqlite_settlement_rows,
    .escrow = &sqlite_escrow_rows,
    .receipts = &sqlite_receipt_rows,
    .answers = &sqlite_answer_rows,
    .quotas = &sqlite_quota_rows,
    .admin = &sqlite_admin_rows,
    .ledger = &sqlite_ledger_rows,
    .conversations = &sqlite_conversation_rows,
    .turns = &sqlite_turn_rows,
    .jobs = &sqlite_job_rows,
    .events = &sqlite_event_rows,
    .webhooks = &sqlite_webhook_rows,
    .deliveries = &sqlite_delivery_rows,
    .workflows = &sqlite_workflow_rows,
};
