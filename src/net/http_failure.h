/* How a transfer of net/http_client.h fails. */
#ifndef NATARIS_NET_HTTP_FAILURE_H
#define NATARIS_NET_HTTP_FAILURE_H

#include <stdbool.h>

enum http_failure {
    HTTP_FAILURE_NONE,      /* the whole answer came, whatever its status */
    HTTP_FAILURE_REQUEST,   /* the URL is none, or its protocol is not allowed */
    HTTP_FAILURE_NAME,      /* the host's name was not found */
    HTTP_FAILURE_ADDRESS,   /* the host's address is not allowed */
    HTTP_FAILURE_CONNECT,   /* nobody accepts connections there */
    HTTP_FAILURE_TLS,       /* no handshake, or not with a certificate that is good for the host */
    HTTP_FAILURE_TIME,      /* one of the times was over */
    HTTP_FAILURE_BROKEN,    /* the connection ended before the answer did */
    HTTP_FAILURE_TOO_LARGE, /* the body was longer than body_max; the answer's head had come */
    HTTP_FAILURE_STOPPED,   /* on_body said so */
    HTTP_FAILURE_OTHER,
};

/* What a CURLcode means. */
enum http_failure http_failure_of(int code);
/* The same in a few words that name nothing of the request; static. `ours`: the client broke it off, not libcurl. */
const char *http_failure_reason(enum http_failure failure, bool ours, int code);

#endif
