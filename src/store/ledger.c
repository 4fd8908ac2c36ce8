#include "store/ledger.h"

#include "store/state.h"

bool store_ledger_check(struct store *store, void (*on_problem)(void *context, const char *text), void *context,
                        struct store_ledger_report *report, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->ledger->check(connection, on_problem, context, report, err);
}

bool store_each_entry(struct store *store, bool (*row)(void *context, const struct store_entry *entry), void *context,
                      struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->ledger->entry_each(connection, row, context, err);
}
