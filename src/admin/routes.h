/* The routes of the admin API (admin/admin.h lists them), from a request to its answer, without HTTP: also for a
 * command that has opened the store itself. */
#ifndef NATARIS_ADMIN_ROUTES_H
#define NATARIS_ADMIN_ROUTES_H

#include "admin/admin.h"
#include "base/str.h"

struct admin_request {
    struct str method, path, query, body;
    struct str actor; /* cut at STORE_ID_MAX - 1 */
};

struct admin_answer { /* borrowed for the call */
    int status;
    const char *route; /* the path as in the list; "-" when there is none */
    const char *content_type;
    struct str body;
};

/* `on_answer` is called exactly once, now or later. */
void admin_handle(struct admin *admin, const struct admin_request *request,
                  void (*on_answer)(void *context, const struct admin_answer *answer), void *context);

#endif
