/* One TLS connection, without I/O: ciphertext in, plain text out, and the reverse. Not for other folders. */
#ifndef NATARIS_NET_TLS_SESSION_H
#define NATARIS_NET_TLS_SESSION_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "net/chunk.h"
#include "net/tls.h"

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_session;

enum tls_progress {
    TLS_DONE,  /* handshake complete, or bytes were read */
    TLS_WANT,  /* needs more ciphertext */
    TLS_ENDED, /* the peer said close_notify */
    TLS_BROKEN,
};

/* `host` is what a client verifies the certificate against (name or numeric); NULL for a server. */
MUST_CHECK bool tls_session_new(struct tls_session **out, struct tls_context *context, const char *host,
                                struct chunk_pool *pool, struct err *err);
void tls_session_free(struct tls_session *session);
/* Ciphertext that the following calls take from; borrowed until tls_session_keep_input. */
void tls_session_feed(struct tls_session *session, struct str ciphertext);
/* Copies what was not taken, so that the memory handed to feed may be reused. */
void tls_session_keep_input(struct tls_session *session);
enum tls_progress tls_session_handshake(struct tls_session *session, struct err *err);
enum tls_progress tls_session_read(struct tls_session *session, char *out, size_t size, size_t *len, struct err *err);
MUST_CHECK bool tls_session_write(struct tls_session *session, struct str plain, struct err *err);
void tls_session_end(struct tls_session *session); /* close_notify; a second call does nothing */
/* The ciphertext to send, now the caller's; NULL when there is none. */
struct chunk *tls_session_take_output(struct tls_session *session);
bool tls_session_has_output(const struct tls_session *session);

/* For tls.c: the ends of every session, to be freed with the context. */
BIO_METHOD *tls_session_bio_method(void);

#endif
