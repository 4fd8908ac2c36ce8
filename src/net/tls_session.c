#include "net/tls_session.h"

#include "base/mem.h"
#include "net/tls_bio.h"
#include "net/tls_context.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct tls_session {
    struct tls_context *context;
    SSL *ssl;
    struct tls_bio ends;
    struct chunk *kept; /* where the input lies when it is not borrowed */
};

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
        err_set(err, ERR_CLOSED, "TLS: %s", tls_reason(reason, sizeof(reason)));
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
