/* What `up` and `gateway` share: a data folder with its owner, and the gateway opened on it. */
#ifndef NATARIS_CMD_NETWORK_H
#define NATARIS_CMD_NETWORK_H

#include "base/json_write.h"
#include "cmd/owner.h"
#include "gateway/gateway.h"

enum { NETWORK_URL_SIZE = 300 };

struct network {
    struct owner owner;
    char join_token[JOIN_TOKEN_SIZE]; /* of this start; for the provider that `up` runs */
    char base_url[NETWORK_URL_SIZE];  /* "http://127.0.0.1:8080/v1" */
    char origin[NETWORK_URL_SIZE];    /* the same without "/v1", for providers */
    struct gateway *gateway;
};

/* Makes or reuses the folder, the store and the owner, then opens the gateway; `options` needs everything but
 * store_path. Remembers the origin in the store for `provider invite`. */
MUST_CHECK bool network_open(struct network *network, struct loop *loop, const char *data_folder,
                             struct gateway_options *options, const struct gateway_events *events, void *context,
                             struct err *err);
/* Where a client on this machine reaches a gateway that listens on `listen` ("HOST:PORT"; a wildcard address becomes
 * loopback) and got `port`. */
MUST_CHECK bool network_set_urls(struct network *network, const char *listen, bool tls, unsigned port, struct err *err);
/* The members of the line of --json, and the line itself, on stdout. */
void network_write_json(const struct network *network, struct json_writer *writer);
void network_print_json(const struct network *network);

#endif
