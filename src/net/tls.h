/* TLS contexts (OpenSSL 3, memory BIOs, TLS 1.2 at least, SSL_MODE_RELEASE_BUFFERS). */
#ifndef NATARIS_NET_TLS_H
#define NATARIS_NET_TLS_H

#include "base/err.h"

#include <stddef.h>

struct tls_context;

/* PEM files: the certificate chain and its key. Errors say which file and why. */
MUST_CHECK bool tls_context_new_server(struct tls_context **out, const char *cert_path, const char *key_path,
                                       struct err *err);
/* Verifies servers against the system's authorities, or against `ca_path` (PEM) when not NULL. */
MUST_CHECK bool tls_context_new_client(struct tls_context **out, const char *ca_path, struct err *err);
/* Connections that still use it keep it alive. Of one thread, with everything that uses it. */
void tls_context_free(struct tls_context *context);

/* For the files of this folder: OpenSSL's reason for the last failure in words, and its error queue emptied. */
const char *tls_reason(char *out, size_t size);

#endif
