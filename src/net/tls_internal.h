/* What a TLS context and its sessions share. Not for other folders. */
#ifndef NATARIS_NET_TLS_INTERNAL_H
#define NATARIS_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stddef.h>

struct tls_context {
    unsigned users; /* its owner and its sessions, all of one thread */
    SSL_CTX *ssl;
    BIO_METHOD *bio; /* a session's ends: reads from what was fed, writes into a chunk */
};

/* OpenSSL's reason for the last failure in words, and its error queue emptied. */
const char *tls_reason(char *out, size_t size);
BIO_METHOD *tls_session_bio_method(void);

#endif
