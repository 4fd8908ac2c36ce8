/* How the gateway's listeners are set up: the limits of what comes in, and what passers-by may have. */
#ifndef NATARIS_GATEWAY_DOORS_H
#define NATARIS_GATEWAY_DOORS_H

#include "gateway/descriptors.h"
#include "link/server.h"
#include "net/address_book.h"
#include "net/http_server.h"

struct doors {
    struct descriptors descriptors;
    struct address_book *addresses; /* owned */
};

/* The documented defaults of what one address may do before a key is known. */
void doors_limits_init(struct address_limits *limits);
/* Raises the process's limit of open files. ERR_INVALID: one of the proxies is no address. */
MUST_CHECK bool doors_init(struct doors *doors, const struct address_limits *limits, const char *proxies,
                           struct err *err);
void doors_clear(struct doors *doors);
/* For strangers; `tls` may be NULL. */
struct listener_options doors_public(const struct doors *doors, const char *address, struct tls_context *tls);
/* For the operator. */
struct listener_options doors_admin(const char *address);
struct http_server_config doors_http_config(void);
/* For devices, which say something every so many milliseconds. */
struct link_server_config doors_links(uint32_t heartbeat_ms);

#endif
