#include "net/listener.h"

#include "base/mem.h"
#include "net/address_book.h"
#include "net/conn.h"
#include "net/conn_state.h"
#include "net/unix_path.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    LISTENER_BACKLOG = 4096,
    LISTENER_HOST_MAX = 256,
    STRANGERS_OF = 8, /* in a full house more than one in so many that is still coming in is too many */
};

struct listener {
    union {
        uv_tcp_t tcp;
        uv_pipe_t pipe; /* closing it also removes the socket's file */
    };
    bool is_unix;
    struct loop *loop;
    struct tls_context *tls;
    size_t max_connections, count;
    unsigned handshake_ms;
    const struct listener_events *events;
    void *context;
    struct conn_queue handshakes; /* connections not handed over yet */
    struct conn_queue strangers;  /* and those that were, whose peer has not shown yet who it is (listener_await) */
    struct address_book *addresses;
    struct str refusal;
    bool closing, closed;
    bool waiting;               /* a connection is not accepted yet, and libuv looks at no other */
    struct loop_deferred admit; /* accepts it */
};

static void listener_free_if_done(struct listener *listener) {
    if (listener->closed && listener->count == 0) {
        free(listener);
    }
}

static void listener_on_closed(uv_handle_t *handle) {
    struct listener *listener = (struct listener *)handle->data;
    listener->closed = true;
    listener_free_if_done(listener);
}

static void listener_enqueue(struct conn_queue *queue, struct conn *conn) {
    conn->queue = queue;
    conn->next = queue->newest;
    if (conn->next != NULL) {
        conn->next->previous = conn;
    } else {
        queue->oldest = conn;
    }
    queue->newest = conn;
    queue->count++;
}

static void listener_dequeue(struct conn *conn) {
    struct conn_queue *queue = conn->queue;
    if (queue == NULL) {
        return;
    }
    if (conn->previous != NULL) {
        conn->previous->next = conn->next;
    } else {
        queue->newest = conn->next;
    }
    if (conn->next != NULL) {
        conn->next->previous = conn->previous;
    } else {
        queue->oldest = conn->previous;
    }
    conn->previous = conn->next = NULL;
    conn->queue = NULL;
    queue->count--;
}

void listener_await(struct conn *conn) {
    if (conn->listener != NULL && conn->queue == NULL && !conn->proven) {
        listener_enqueue(&conn->listener->strangers, conn);
    }
}

void listener_came_in(struct conn *conn) {
    listener_dequeue(conn);
}

/* Those that only begin to come in must not keep others out: of too many the oldest goes. */
static bool listener_drop_stranger(struct listener *listener) {
    const struct conn_queue *handshakes = &listener->handshakes, *strangers = &listener->strangers;
    const size_t count = handshakes->count + strangers->count;
    if (count == 0 || count <= listener->max_connections / STRANGERS_OF) {
        return false;
    }
    const bool in_handshake = handshakes->count >= strangers->count;
    struct conn *oldest = in_handshake ? handshakes->oldest : strangers->oldest;
    listener_dequeue(oldest);
    if (in_handshake) {
        conn_discard(oldest);
    } else {
        conn_abort(oldest);
    }
    return true;
}

static void listener_forget_conn(struct listener *listener, struct conn *conn) {
    listener_dequeue(conn); /* it failed */
    listener->count--;
    if (listener->waiting && !listener->closing) {
        loop_defer(listener->loop, &listener->admit);
    }
    listener_free_if_done(listener);
}

static void listener_on_ready(void *context, struct conn *conn) {
    struct listener *listener = context;
    listener_dequeue(conn);
    listener->events->on_conn(listener->context, conn);
}

/* A TLS handshake that failed: that is the client's affair. */
static void listener_on_handshake_failed(void *context, const struct err *reason) {
    (void)context;
    (void)reason;
}

static void listener_ignore_data(void *context, struct str data) {
    (void)context;
    (void)data;
}

static const struct conn_events LISTENER_HANDSHAKE_EVENTS = {
    .on_data = listener_ignore_data,
    .on_close = listener_on_handshake_failed,
};

/* Whether its address may have one more; it counts as one more if so. */
static bool listener_place_conn(struct listener *listener, struct conn *conn) {
    struct sockaddr_storage address;
    int size = (int)sizeof(address);
    if (listener->addresses == NULL || listener->is_unix ||
        uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &size) != 0) {
        return true;
    }
    conn->proxied = address_book_is_proxy(listener->addresses, (const struct sockaddr *)&address);
    if (conn->proxied) {
        return true;
    }
    struct address_place *place = address_book_hold(listener->addresses, (const struct sockaddr *)&address);
    const uint64_t now_ms = loop_now_ms(listener->loop);
    if (!address_place_open(place, now_ms)) {
        address_place_release(place, now_ms);
        return false;
    }
    conn->place = place;
    return true;
}

/* Without a buffer or a wait: who is refused costs as little as can be. */
static void listener_refuse(const struct listener *listener, struct conn *conn) {
    if (listener->tls == NULL && listener->refusal.len > 0) {
        const uv_buf_t words = uv_buf_init((char *)(uintptr_t)listener->refusal.data, (unsigned)listener->refusal.len);
        (void)uv_try_write((uv_stream_t *)&conn->tcp, &words, 1);
    }
    conn_discard(conn);
}

static void listener_accept(struct listener *listener) {
    struct conn *conn = listener->is_unix ? conn_new_unix(listener->loop) : conn_new(listener->loop);
    conn->listener = listener;
    conn->on_freed = listener_forget_conn;
    listener->count++;
    struct tls_session *tls = NULL;
    if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&conn->tcp) != 0) {
        conn_discard(conn);
        return;
    }
    if (!listener_place_conn(listener, conn)) {
        listener_refuse(listener, conn);
        return;
    }
    if (listener->tls != NULL && !tls_session_new(&tls, listener->tls, NULL, &listener->loop->chunks, NULL)) {
        conn_discard(conn);
        return;
    }
    conn_set_events(conn, &LISTENER_HANDSHAKE_EVENTS, listener);
    conn->on_ready = listener_on_ready;
    listener_enqueue(&listener->handshakes, conn);
    conn_start(conn, tls, listener->handshake_ms);
}

/* As long as a connection is not accepted, libuv asks the kernel for no other (uv_accept(3)): a full house costs
 * nothing. */
static void listener_on_connection(uv_stream_t *stream, int status) {
    struct listener *listener = (struct listener *)stream->data;
    if (status < 0) {
        return; /* such as too many open files: libuv has dropped that connection, the next may work */
    }
    if (listener->count < listener->max_connections) {
        listener_accept(listener);
        return;
    }
    listener->waiting = true;
    if (!listener_drop_stranger(listener) && listener->events->on_full != NULL) {
        listener->events->on_full(listener->context);
    }
}

static void listener_admit(struct loop_deferred *deferred) {
    struct listener *listener = (struct listener *)((char *)deferred - offsetof(struct listener, admit));
    if (listener->waiting && !listener->closing && listener->count < listener->max_connections) {
        listener->waiting = false;
        listener_accept(listener);
    }
}

/* "HOST:PORT" or "[HOST]:PORT" into its parts. */
static bool split_address(const char *address, char host[LISTENER_HOST_MAX], char port[8], struct err *err) {
    const char *colon = strrchr(address, ':');
    uint64_t number;
    if (colon == NULL || !str_parse_u64(str_from(colon + 1), 65535, &number) || colon == address) {
        return err_set(err, ERR_INVALID, "listen address %s is not HOST:PORT", address);
    }
    struct str name = {.data = address, .len = (size_t)(colon - address)};
    if (name.len > 2 && name.data[0] == '[' && name.data[name.len - 1] == ']') {
        name = (struct str){.data = name.data + 1, .len = name.len - 2};
    } else if (memchr(name.data, ':', name.len) != NULL) {
        return err_set(err, ERR_INVALID, "listen address %s: write an IPv6 address as [ADDRESS]:PORT", address);
    }
    if (!str_copy(host, LISTENER_HOST_MAX, name)) {
        return err_set(err, ERR_INVALID, "listen address %s is too long", address);
    }
    snprintf(port, 8, "%u", (unsigned)number);
    return true;
}

/* Blocks for the name lookup: used once, at start-up. */
static bool resolve_address(struct loop *loop, const char *address, struct sockaddr_storage *out, struct err *err) {
    char host[LISTENER_HOST_MAX];
    char port[8];
    if (!split_address(address, host, port, err)) {
        return false;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
    uv_getaddrinfo_t request;
    int status = uv_getaddrinfo(&loop->uv, &request, NULL, host, port, &hints);
    if (status != 0) {
        return err_set(err, ERR_INVALID, "listen address %s: %s", address, uv_strerror(status));
    }
    memcpy(out, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
    uv_freeaddrinfo(request.addrinfo);
    return true;
}

static bool listener_start_tcp(struct listener *listener, const char *address, struct err *err) {
    struct sockaddr_storage bind_to;
    if (!resolve_address(listener->loop, address, &bind_to, err)) {
        return false;
    }
    int status = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&bind_to, 0);
    if (status == 0) {
        status = uv_listen((uv_stream_t *)&listener->tcp, LISTENER_BACKLOG, listener_on_connection);
    }
    if (status != 0) {
        return err_set(err, status == UV_EADDRINUSE ? ERR_CONFLICT : ERR_IO, "cannot listen on %s: %s", address,
                       uv_strerror(status));
    }
    return true;
}

static bool listener_start_unix(struct listener *listener, const char *path, struct err *err) {
    if (!unix_path_prepare(path, err)) {
        return false;
    }
    int status = uv_pipe_bind(&listener->pipe, path);
    /* Nobody can connect before the mode is right: that takes the listen. */
    if (status == 0 && chmod(path, 0600) != 0) {
        return err_set_errno(err, errno, "cannot set the mode of %s", path);
    }
    if (status == 0) {
        status = uv_listen((uv_stream_t *)&listener->pipe, LISTENER_BACKLOG, listener_on_connection);
    }
    if (status != 0) {
        return err_set(err, status == UV_EADDRINUSE ? ERR_CONFLICT : ERR_IO, "cannot listen on unix:%s: %s", path,
                       uv_strerror(status));
    }
    return true;
}

static bool listener_start(struct listener *listener, const char *address, struct err *err) {
    struct loop *loop = listener->loop;
    struct str prefix = STR("unix:");
    listener->is_unix = str_starts_with(str_from(address), prefix);
    if (listener->is_unix) {
        uv_pipe_init(&loop->uv, &listener->pipe, 0);
        listener->pipe.data = listener;
        return listener_start_unix(listener, address + prefix.len, err);
    }
    uv_tcp_init(&loop->uv, &listener->tcp);
    listener->tcp.data = listener;
    return listener_start_tcp(listener, address, err);
}

bool listener_open(struct listener **out, struct loop *loop, const struct listener_options *options,
                   const struct listener_events *events, void *context, struct err *err) {
    struct listener *listener = MEM_NEW(struct listener);
    listener->loop = loop;
    listener->tls = options->tls;
    listener->max_connections = options->max_connections;
    listener->handshake_ms = options->handshake_ms;
    listener->events = events;
    listener->context = context;
    listener->addresses = options->addresses;
    listener->refusal = options->refusal;
    listener->admit.run = listener_admit;
    if (!listener_start(listener, options->address, err)) {
        listener_close(listener);
        return false;
    }
    *out = listener;
    return true;
}

unsigned listener_port(const struct listener *listener) {
    struct sockaddr_storage address;
    int size = (int)sizeof(address);
    if (listener->is_unix || uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    return address.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&address)->sin6_port)
                                         : ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

size_t listener_connection_count(const struct listener *listener) {
    return listener->count;
}

void listener_close(struct listener *listener) {
    if (listener == NULL || listener->closing) {
        return;
    }
    listener->closing = true;
    while (listener->handshakes.newest != NULL) {
        struct conn *conn = listener->handshakes.newest;
        listener_dequeue(conn);
        conn_discard(conn);
    }
    uv_close((uv_handle_t *)&listener->tcp, listener_on_closed);
}
