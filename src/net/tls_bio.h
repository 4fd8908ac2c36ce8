/* The ends of a TLS session as OpenSSL sees them: reads from what was fed, writes into a chunk. */
#ifndef NATARIS_NET_TLS_BIO_H
#define NATARIS_NET_TLS_BIO_H

#include "base/str.h"
#include "net/chunk.h"

#include <openssl/bio.h>

struct tls_bio { /* set as the data of a BIO of this method */
    struct chunk_pool *pool;
    struct str input; /* ciphertext not yet taken; borrowed */
    struct chunk *output;
};

/* One for all sessions of a context, which frees it. NULL when OpenSSL has no memory. */
BIO_METHOD *tls_bio_method(void);

#endif
