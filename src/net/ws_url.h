/* The address of a WebSocket server: ws://host[:port][/path][?query] or wss://...; http and https mean the same. */
#ifndef NATARIS_NET_WS_URL_H
#define NATARIS_NET_WS_URL_H

#include "base/err.h"

#include <stdbool.h>

enum { WS_URL_HOST_SIZE = 256, WS_URL_TARGET_SIZE = 1024 };

struct ws_url {
    bool secure;
    unsigned port;                        /* 80 or 443 when the URL names none */
    char host[WS_URL_HOST_SIZE];          /* a name or an address; an IPv6 address without its brackets */
    char authority[WS_URL_HOST_SIZE + 8]; /* for the Host header: brackets and a port that is not the default */
    char target[WS_URL_TARGET_SIZE];      /* path and query, at least "/" */
};

/* ERR_INVALID with a sentence for the person who typed it. User names and fragments are refused. */
MUST_CHECK bool ws_url_parse(struct ws_url *out, const char *url, struct err *err);

#endif
