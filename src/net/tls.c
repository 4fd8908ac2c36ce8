#include "net/tls.h"

#include "base/mem.h"
#include "base/str.h"
#include "net/tls_bio.h"
#include "net/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ALPN protocol lists are length-prefixed (RFC 7301 3.1). */
static const unsigned char TLS_ALPN[] = "\x08http/1.1";
enum { TLS_ALPN_SIZE = sizeof(TLS_ALPN) - 1 };

const char *tls_reason(char *out, size_t size) {
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (reason == NULL && code != 0 && ERR_SYSTEM_ERROR(code)) {
        reason = strerror(ERR_GET_REASON(code));
    }
    str_copy(out, size, str_from(reason != NULL ? reason : "unknown error"));
    ERR_clear_error();
    return out;
}

static int tls_select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *argument) {
    (void)ssl;
    (void)argument;
    unsigned char *selected = NULL;
    if (SSL_select_next_proto(&selected, out_len, TLS_ALPN, TLS_ALPN_SIZE, in, in_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 3.2: no_application_protocol */
    }
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

static struct tls_context *context_new(const SSL_METHOD *method) {
    struct tls_context *context = MEM_NEW(struct tls_context);
    context->users = 1;
    context->ssl = SSL_CTX_new(method);
    context->bio = tls_bio_method();
    if (context->ssl == NULL || context->bio == NULL) {
        abort(); /* out of memory */
    }
    SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS);
    /* Tickets resume sessions; a cache would keep state per client. */
    SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
    return context;
}

static bool check_readable(const char *what, const char *path, struct err *err) {
    if (access(path, R_OK) != 0) {
        return err_set_errno(err, errno, "%s file %s", what, path);
    }
    return true;
}

static bool load_certificate(struct tls_context *context, const char *cert_path, const char *key_path,
                             struct err *err) {
    char reason[128];
    if (!check_readable("certificate", cert_path, err) || !check_readable("private key", key_path, err)) {
        return false;
    }
    /* The key first: OpenSSL then takes a certificate of another key as well, and the check below can say so. */
    if (SSL_CTX_use_PrivateKey_file(context->ssl, key_path, SSL_FILETYPE_PEM) != 1) {
        return err_set(err, ERR_INVALID, "private key file %s: %s", key_path, tls_reason(reason, sizeof(reason)));
    }
    if (SSL_CTX_use_certificate_chain_file(context->ssl, cert_path) != 1) {
        return err_set(err, ERR_INVALID, "certificate file %s: %s", cert_path, tls_reason(reason, sizeof(reason)));
    }
    if (SSL_CTX_check_private_key(context->ssl) != 1) {
        ERR_clear_error();
        return err_set(err, ERR_INVALID, "private key file %s does not belong to certificate file %s", key_path,
                       cert_path);
    }
    return true;
}

bool tls_context_new_server(struct tls_context **out, const char *cert_path, const char *key_path, struct err *err) {
    struct tls_context *context = context_new(TLS_server_method());
    if (!load_certificate(context, cert_path, key_path, err)) {
        tls_context_free(context);
        return false;
    }
    SSL_CTX_set_alpn_select_cb(context->ssl, tls_select_alpn, NULL);
    *out = context;
    return true;
}

bool tls_context_new_client(struct tls_context **out, const char *ca_path, struct err *err) {
    char reason[128];
    if (ca_path != NULL && !check_readable("certificate authority", ca_path, err)) {
        return false;
    }
    struct tls_context *context = context_new(TLS_client_method());
    int loaded = ca_path != NULL ? SSL_CTX_load_verify_file(context->ssl, ca_path)
                                 : SSL_CTX_set_default_verify_paths(context->ssl);
    if (loaded != 1) {
        tls_context_free(context);
        return err_set(err, ERR_INVALID, "certificate authority file %s: %s",
                       ca_path != NULL ? ca_path : "of the system", tls_reason(reason, sizeof(reason)));
    }
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_alpn_protos(context->ssl, TLS_ALPN, TLS_ALPN_SIZE);
    *out = context;
    return true;
}

void tls_context_free(struct tls_context *context) {
    if (context != NULL && --context->users == 0) {
        SSL_CTX_free(context->ssl);
        BIO_meth_free(context->bio);
        free(context);
    }
}
