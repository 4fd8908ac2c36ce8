/* The URL of somebody else's server, told by a stranger: read strictly, so that nobody understands it in another way.
 * Plain ASCII, no user, no fragment; an address only in its usual form; a name with at least one dot. */
#ifndef NATARIS_NET_WEB_URL_H
#define NATARIS_NET_WEB_URL_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/socket.h>

enum { WEB_URL_HOST_MAX = 254, WEB_URL_MAX = 2048, WEB_URL_PORT_MIN = 1024 };

struct web_url {
    bool tls;
    unsigned port;
    char host[WEB_URL_HOST_MAX]; /* in lower case; an IPv6 address without its brackets */
    bool is_address;
    struct sockaddr_storage address; /* of such a one, with the port */
};

/* `lax` also lets through http, names without a dot, every port, and addresses that are not global. Else the port is
 * 443 or WEB_URL_PORT_MIN and above. ERR_INVALID with a sentence for who told it. */
MUST_CHECK bool web_url_parse(struct str text, bool lax, struct web_url *out, struct err *err);

#endif
