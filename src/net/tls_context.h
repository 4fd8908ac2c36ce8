/* What a TLS context consists of: for tls.c and tls_session.c. */
#ifndef NATARIS_NET_TLS_CONTEXT_H
#define NATARIS_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

struct tls_context {
    unsigned users; /* its owner and its sessions, all of one thread */
    SSL_CTX *ssl;
    BIO_METHOD *bio; /* a session's ends: reads from what was fed, writes into a chunk */
};

#endif
