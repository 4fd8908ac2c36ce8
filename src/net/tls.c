#include "net/tls.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ALPN protocol lists are length-prefixed (RFC 7301 3.1). */
static const unsigned char TLS_ALPN[] = "\x08http/1.1";
enum { TLS_ALPN_SIZE = sizeof(TLS_ALPN) - 1 };

struct tls_context {
    unsigned users; /* its owner and its sessions, all of one thread */
    SSL_CTX *ssl;
    BIO_METHOD *bio; /* of the ends of all its sessions */
};

/* The ends of a session as OpenSSL sees them: reads from what was fed, writes into a chunk. */
struct tls_ends { /* the data of a BIO */
    struct chunk_pool *pool;
    struct str input; /* ciphertext not yet taken; borrowed */
    struct chunk *output;
};

struct tls_session {
    struct tls_context *context;
    SSL *ssl;
    struct tls_ends ends;
    struct chunk *kept; /* where the input lies when it is not borrowed */
};

/* --- The ends --- */

static int bio_write(BIO *bio, const char *data, size_t len, size_t *written) {
    struct tls_ends *ends = BIO_get_data(bio);
    chunk_append(ends->pool, &ends->output, data, len);
    *written = len;
    return 1;
}

static int bio_read(BIO *bio, char *out, size_t size, size_t *len) {
    struct tls_ends *ends = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (ends->input.len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    *len = size < ends->input.len ? size : ends->input.len;
    memcpy(out, ends->input.data, *len);
    ends->input.data += *len;
    ends->input.len -= *len;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* NULL when OpenSSL has no memory. */
static BIO_METHOD *new_bio_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "connection");
    if (method != NULL) {
        BIO_meth_set_write_ex(method, bio_write);
        BIO_meth_set_read_ex(method, bio_read);
        BIO_meth_set_ctrl(method, bio_control);
    }
    return method;
}

/* --- Contexts --- */

/* OpenSSL's reason for the last failure in words, and its error queue emptied. */
static const char *take_reason(char *out, size_t size) {
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
    context->bio = new_bio_method();
    if (context->ssl == NULL || context->bio == NULL) {
        abort(); /* out of memory */
    }
    SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
    /* Of TLS 1.2 only what has forward secrecy and authenticates what it encrypts; of TLS 1.3 all has. */
    if (SSL_CTX_set_cipher_list(context->ssl, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK") != 1) {
        abort(); /* an OpenSSL without them */
    }
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
        return err_set(err, ERR_INVALID, "private key file %s: %s", key_path, take_reason(reason, sizeof(reason)));
    }
    if (SSL_CTX_use_certificate_chain_file(context->ssl, cert_path) != 1) {
        return err_set(err, ERR_INVALID, "certificate file %s: %s", cert_path, take_reason(reason, sizeof(reason)));
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
                       ca_path != NULL ? ca_path : "of the system", take_reason(reason, sizeof(reason)));
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

/* --- Sessions --- */

static bool is_numeric_address(const char *host) {
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* RFC 6066 3: server names in the hello are DNS names, never addresses. */
static bool session_expect_host(SSL *ssl, const char *host) {
    if (is_numeric_address(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

bool tls_session_new(struct tls_session **out, struct tls_context *context, const char *host, struct chunk_pool *pool,
                     struct err *err) {
    struct tls_session *session = MEM_NEW(struct tls_session);
    session->ends.pool = pool;
    session->context = context;
    context->users++;
    session->ssl = SSL_new(context->ssl);
    BIO *bio = session->ssl != NULL ? BIO_new(context->bio) : NULL;
    if (bio == NULL) {
        abort(); /* out of memory */
    }
    BIO_set_data(bio, &session->ends);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    if (host == NULL) {
        SSL_set_accept_state(session->ssl);
    } else {
        SSL_set_connect_state(session->ssl);
        if (!session_expect_host(session->ssl, host)) {
            ERR_clear_error();
            tls_session_free(session);
            return err_set(err, ERR_INVALID, "%s is not a host name that TLS can verify", host);
        }
    }
    *out = session;
    return true;
}

void tls_session_free(struct tls_session *session) {
    if (session != NULL) {
        SSL_free(session->ssl);
        tls_context_free(session->context);
        chunk_release(session->ends.pool, session->kept);
        chunk_release(session->ends.pool, session->ends.output);
        free(session);
    }
}

void tls_session_feed(struct tls_session *session, struct str ciphertext) {
    if (session->ends.input.len == 0) {
        session->ends.input = ciphertext;
        return;
    }
    tls_session_keep_input(session);
    chunk_append(session->ends.pool, &session->kept, ciphertext.data, ciphertext.len);
    session->ends.input = (struct str){.data = session->kept->data, .len = session->kept->len};
}

void tls_session_keep_input(struct tls_session *session) {
    struct chunk *kept = NULL;
    if (session->ends.input.len > 0) {
        chunk_append(session->ends.pool, &kept, session->ends.input.data, session->ends.input.len);
        session->ends.input.data = kept->data;
    }
    chunk_release(session->ends.pool, session->kept);
    session->kept = kept;
}

static enum tls_progress session_failed(struct tls_session *session, int result, struct err *err) {
    int kind = SSL_get_error(session->ssl, result);
    char reason[128];
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
        return TLS_WANT;
    }
    if (kind == SSL_ERROR_ZERO_RETURN) {
        return TLS_ENDED;
    }
    long verified = SSL_get_verify_result(session->ssl);
    if (verified != X509_V_OK) {
        ERR_clear_error();
        err_set(err, ERR_DENIED, "TLS: the server's certificate is refused: %s",
                X509_verify_cert_error_string(verified));
    } else {
        err_set(err, ERR_CLOSED, "TLS: %s", take_reason(reason, sizeof(reason)));
    }
    return TLS_BROKEN;
}

enum tls_progress tls_session_handshake(struct tls_session *session, struct err *err) {
    ERR_clear_error();
    int result = SSL_do_handshake(session->ssl);
    return result == 1 ? TLS_DONE : session_failed(session, result, err);
}

enum tls_progress tls_session_read(struct tls_session *session, char *out, size_t size, size_t *len, struct err *err) {
    ERR_clear_error();
    int result = SSL_read_ex(session->ssl, out, size, len);
    return result == 1 ? TLS_DONE : session_failed(session, result, err);
}

bool tls_session_write(struct tls_session *session, struct str plain, struct err *err) {
    size_t written;
    ERR_clear_error();
    int result = SSL_write_ex(session->ssl, plain.data, plain.len, &written);
    if (result != 1) {
        /* Our end takes every byte and renegotiation is off, so waiting for more input is an error as well. */
        if (session_failed(session, result, err) != TLS_BROKEN) {
            err_set(err, ERR_CLOSED, "TLS: the session has ended");
        }
        return false;
    }
    return true;
}

void tls_session_end(struct tls_session *session) {
    if ((SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN) == 0) {
        ERR_clear_error();
        SSL_shutdown(session->ssl);
    }
}

struct chunk *tls_session_take_output(struct tls_session *session) {
    struct chunk *output = session->ends.output;
    session->ends.output = NULL;
    return output;
}

bool tls_session_has_output(const struct tls_session *session) {
    return session->ends.output != NULL;
}
