/* A driver around a backend's own that loses the connection at a commit: whether the group was written is in doubt,
 * until the backend is reached again. */
#ifndef NATARIS_TESTS_SUPPORT_STORE_DOUBT_H
#define NATARIS_TESTS_SUPPORT_STORE_DOUBT_H

#include "store/driver.h"
#include "store/store.h"

enum { STORE_DOUBT_FOR_EVER = 1000 * 1000 };

struct store_doubt {
    const struct store_driver *inner;
    /* What comes: set while nothing is under way. */
    enum store_doubt_loss { STORE_DOUBT_NONE, STORE_DOUBT_WAS_DONE, STORE_DOUBT_WAS_NOT } loss; /* at a commit; once */
    unsigned commits_before; /* commits that come before it */
    unsigned unreachable;    /* so often it cannot be told what became of it */
    unsigned asked;          /* how often it was asked for */
};

struct store_doubt_driver {
    struct store_driver driver; /* first */
    struct store_doubt *doubt;
};

/* `driver` is one around `inner`. */
void store_doubt_init(struct store_doubt_driver *driver, struct store_doubt *doubt, const struct store_driver *inner);
/* Opens what lies there, over that driver. */
struct store *store_doubt_open(const struct store_doubt_driver *driver, const char *place,
                               const struct store_options *options);

#endif
