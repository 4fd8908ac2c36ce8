/* A question to a gateway over its public API, with an account's key: for those who are not on its machine. */
#ifndef NATARIS_CMD_GATEWAY_CLIENT_H
#define NATARIS_CMD_GATEWAY_CLIENT_H

#include "cmd/admin_client.h"

struct gateway_client {
    const char *url;     /* of the gateway; a path behind the port is ignored */
    const char *key;     /* "nat_live_..." */
    const char *ca_file; /* NULL: the system's authorities */
};

/* `path` with its query. False with the gateway's own words when it refuses. The reply is to be cleared in any case
 * (admin_reply_clear). */
MUST_CHECK bool gateway_client_get(const struct gateway_client *client, const char *path, struct admin_reply *reply,
                                   struct err *err);

#endif
