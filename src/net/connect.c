#include "net/connect.h"

#include "base/mem.h"
#include "net/conn.h"
#include "net/conn_state.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

/* One outgoing connection in the making: name lookup, then each address in turn, then TLS. */
struct conn_attempt {
    struct loop *loop;
    char *host;
    unsigned port;
    struct tls_context *tls;
    void (*on_open)(void *context, struct conn *conn, const struct err *reason);
    void *context;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    struct addrinfo *next_address, *addresses;
    struct conn *conn; /* being connected or shaking hands; NULL during the lookup */
    struct deadline deadline;
    struct loop_deferred finish; /* reports a failure at the end of the iteration */
    struct err failure;
    bool looking_up, connecting; /* libuv holds `lookup` or `connect` */
    bool done;                   /* on_open was called, or must not be any more */
};

/* Once nobody can come back to it: libuv gives its requests back even after they are cancelled. */
static void attempt_free_if_done(struct conn_attempt *attempt) {
    if (!attempt->done || attempt->looking_up || attempt->connecting || attempt->finish.queued) {
        return;
    }
    deadline_remove(loop_deadlines(attempt->loop), &attempt->deadline);
    uv_freeaddrinfo(attempt->addresses);
    free(attempt->host);
    free(attempt);
}

static void attempt_stop(struct conn_attempt *attempt) {
    attempt->done = true;
    deadline_clear(&attempt->deadline);
    if (attempt->looking_up) {
        uv_cancel((uv_req_t *)&attempt->lookup);
    }
    if (attempt->conn != NULL) {
        conn_discard(attempt->conn);
        attempt->conn = NULL;
    }
}

static void attempt_fail(struct conn_attempt *attempt, enum err_code code, const char *why) {
    if (!attempt->done) {
        attempt_stop(attempt);
        err_set(&attempt->failure, code, "cannot connect to %s port %u: %s", attempt->host, attempt->port, why);
        loop_defer(attempt->loop, &attempt->finish);
    }
}

static void attempt_report_failure(struct loop_deferred *deferred) {
    struct conn_attempt *attempt = (struct conn_attempt *)((char *)deferred - offsetof(struct conn_attempt, finish));
    if (attempt->failure.code != ERR_NONE) {
        attempt->on_open(attempt->context, NULL, &attempt->failure);
    }
    attempt_free_if_done(attempt);
}

static void attempt_expired(struct deadline *deadline) {
    struct conn_attempt *attempt = (struct conn_attempt *)((char *)deadline - offsetof(struct conn_attempt, deadline));
    attempt_fail(attempt, ERR_TIMEOUT, "it took too long");
}

static void attempt_on_ready(void *context, struct conn *conn) {
    struct conn_attempt *attempt = context;
    attempt->conn = NULL;
    attempt->done = true;
    attempt->on_open(attempt->context, conn, NULL);
    attempt_free_if_done(attempt);
}

static void attempt_on_handshake_failed(void *context, const struct err *reason) {
    struct conn_attempt *attempt = context;
    attempt->conn = NULL;
    attempt_fail(attempt, reason != NULL ? reason->code : ERR_CLOSED,
                 reason != NULL ? reason->message : "connection closed");
}

static void attempt_ignore_data(void *context, struct str data) {
    (void)context;
    (void)data;
}

static const struct conn_events ATTEMPT_HANDSHAKE_EVENTS = {
    .on_data = attempt_ignore_data,
    .on_close = attempt_on_handshake_failed,
};

static void attempt_start_conn(struct conn_attempt *attempt) {
    struct tls_session *tls = NULL;
    struct err reason;
    if (attempt->tls != NULL && !tls_session_new(&tls, attempt->tls, attempt->host, &attempt->loop->chunks, &reason)) {
        attempt_fail(attempt, reason.code, reason.message);
        return;
    }
    conn_set_events(attempt->conn, &ATTEMPT_HANDSHAKE_EVENTS, attempt);
    attempt->conn->on_ready = attempt_on_ready;
    conn_start(attempt->conn, tls, UINT32_MAX); /* the attempt's own deadline covers the handshake */
}

static void attempt_try_next(struct conn_attempt *attempt, int last_status);

static void attempt_on_connected(uv_connect_t *request, int status) {
    struct conn_attempt *attempt = (struct conn_attempt *)request->data;
    attempt->connecting = false;
    if (attempt->done) {
        attempt_free_if_done(attempt);
    } else if (status == 0) {
        attempt_start_conn(attempt);
    } else {
        conn_discard(attempt->conn);
        attempt->conn = NULL;
        attempt_try_next(attempt, status);
    }
}

static void attempt_try_next(struct conn_attempt *attempt, int last_status) {
    int status = last_status;
    while (attempt->next_address != NULL) {
        const struct addrinfo *address = attempt->next_address;
        attempt->next_address = address->ai_next;
        attempt->conn = conn_new(attempt->loop);
        attempt->connect.data = attempt;
        status = uv_tcp_connect(&attempt->connect, &attempt->conn->tcp, address->ai_addr, attempt_on_connected);
        if (status == 0) {
            attempt->connecting = true;
            return;
        }
        conn_discard(attempt->conn);
        attempt->conn = NULL;
    }
    attempt_fail(attempt, ERR_UNAVAILABLE, uv_strerror(status));
}

static void attempt_on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses) {
    struct conn_attempt *attempt = (struct conn_attempt *)request->data;
    attempt->looking_up = false;
    attempt->addresses = attempt->next_address = addresses;
    if (attempt->done) {
        attempt_free_if_done(attempt);
    } else if (status != 0) {
        attempt_fail(attempt, ERR_UNAVAILABLE, uv_strerror(status));
    } else {
        attempt_try_next(attempt, UV_EADDRNOTAVAIL);
    }
}

struct conn_attempt *conn_connect(struct loop *loop, const struct conn_connect_options *options,
                                  void (*on_open)(void *context, struct conn *conn, const struct err *reason),
                                  void *context) {
    struct conn_attempt *attempt = MEM_NEW(struct conn_attempt);
    attempt->loop = loop;
    attempt->host = mem_strdup(options->host);
    attempt->port = options->port;
    attempt->tls = options->tls;
    attempt->on_open = on_open;
    attempt->context = context;
    attempt->finish.run = attempt_report_failure;
    attempt->deadline.expired = attempt_expired;
    attempt->lookup.data = attempt;
    deadline_set(loop_deadlines(loop), &attempt->deadline, options->timeout_ms);
    char port[16];
    snprintf(port, sizeof(port), "%u", options->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int status = uv_getaddrinfo(&loop->uv, &attempt->lookup, attempt_on_resolved, attempt->host, port, &hints);
    if (status == 0) {
        attempt->looking_up = true;
    } else {
        attempt_fail(attempt, ERR_UNAVAILABLE, uv_strerror(status));
    }
    return attempt;
}

void conn_connect_cancel(struct conn_attempt *attempt) {
    if (attempt == NULL) {
        return;
    }
    attempt_stop(attempt);
    err_clear(&attempt->failure);
    loop_defer(attempt->loop, &attempt->finish); /* frees it, unless libuv still holds a request */
}
