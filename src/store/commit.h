/* How a transaction ends: committed, not, or in doubt until it is known what became of it. */
#ifndef NATARIS_STORE_COMMIT_H
#define NATARIS_STORE_COMMIT_H

#include "store/driver.h"

/* How long what is in doubt is asked after. `pause` waits for that time; false: there is no time any more. */
struct store_patience {
    uint32_t limit_ms; /* of pauses, in all */
    bool (*pause)(void *context, uint32_t pause_ms);
    void *context;
};

/* Commits what was begun. NOT_DONE: as the driver says, and ERR_UNAVAILABLE when it was in doubt before: nothing was
 * written, the next may be. IN_DOUBT: ERR_IN_DOUBT. Unless it is DONE, the connection has forgotten the transaction. */
MUST_CHECK enum store_commit store_commit(struct store_connection *connection, const struct store_patience *patience,
                                          struct err *err);

#endif
