/* TLS (OpenSSL 3, memory BIOs, TLS 1.3 or 1.2 with forward secrecy, SSL_MODE_RELEASE_BUFFERS): contexts, and for the
 * files of this folder the sessions of their connections. */
#ifndef NATARIS_NET_TLS_H
#define NATARIS_NET_TLS_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "net/chunk.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_context;

/* PEM files: the certificate chain and its key. Errors say which file and why. */
MUST_CHECK bool tls_context_new_server(struct tls_context **out, const char *cert_path, const char *key_path,
                                       struct err *err);
/* Verifies servers against the system's authorities, or against `ca_path` (PEM) when not NULL. */
MUST_CHECK bool tls_context_new_client(struct tls_context **out, const char *ca_path, struct err *err);
/* Connections that still use it keep it alive. Of one thread, with everything that uses it. */
void tls_context_free(struct tls_context *context);

/* --- For the files of this folder --- */

/* One TLS connection, without I/O: ciphertext in, plain text out, and the reverse. */
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

#endif
