#include "net/conn.h"

#include "base/mem.h"
#include "net/address_book.h"
#include "net/conn_state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    /* What a peer may still send after conn_close before it is cut off. */
    CONN_DISCARD_MAX = 16 * 1024 * 1024,
    /* Between two reads of what is dropped: whoever goes on sending what was refused waits for those who are served. */
    CONN_DISCARD_PAUSE_MS = 20,
    /* Gathered within one iteration and sent before its end, so that conn_unsent speaks of the peer and not of the
     * iteration. */
    CONN_GATHER_MAX = 64 * 1024,
};

/* What the kernel did not take at once. */
struct conn_write {
    uv_write_t request;
    struct conn *conn;
    struct chunk *chunk;
};

static void conn_settle(struct loop_deferred *deferred);
static void conn_flush(struct loop_deferred *deferred);
static void conn_expired(struct deadline *deadline);
static void conn_start_reading(struct conn *conn);

static struct conn *conn_alloc(struct loop *loop) {
    struct conn *conn = MEM_NEW(struct conn);
    conn->loop = loop;
    conn->settle.run = conn_settle;
    conn->flush.run = conn_flush;
    conn->deadline.expired = conn_expired;
    return conn;
}

struct conn *conn_new(struct loop *loop) {
    struct conn *conn = conn_alloc(loop);
    uv_tcp_init(&loop->uv, &conn->tcp);
    conn->tcp.data = conn;
    return conn;
}

struct conn *conn_new_unix(struct loop *loop) {
    struct conn *conn = conn_alloc(loop);
    uv_pipe_init(&loop->uv, &conn->pipe, 0);
    conn->pipe.data = conn;
    return conn;
}

static void conn_closed(uv_handle_t *handle) {
    struct conn *conn = (struct conn *)handle->data;
    if (conn->listener != NULL) {
        conn->on_freed(conn->listener, conn);
    }
    if (conn->place != NULL) {
        if (!conn->proven) {
            address_place_close(conn->place, false);
        }
        address_place_release(conn->place, loop_now_ms(conn->loop));
    }
    tls_session_free(conn->tls);
    free(conn->failure);
    free(conn);
}

/* The one way out: after it nothing is called any more. */
static void conn_shut(struct conn *conn) {
    if (conn->state == CONN_CLOSED) {
        return;
    }
    conn->state = CONN_CLOSED;
    deadline_remove(loop_deadlines(conn->loop), &conn->deadline);
    chunk_release(&conn->loop->chunks, conn->gathered);
    conn->gathered = NULL;
    uv_close((uv_handle_t *)&conn->tcp, conn_closed);
}

void conn_discard(struct conn *conn) {
    conn_shut(conn);
}

/* on_close at the end of this iteration; `reason` is copied, NULL for a close that was asked for. */
static void conn_fail(struct conn *conn, const struct err *reason) {
    if (conn->state >= CONN_FAILED) {
        return;
    }
    if (reason != NULL && conn->state < CONN_CLOSING) {
        conn->failure = MEM_NEW(struct err);
        *conn->failure = *reason;
    }
    conn->state = CONN_FAILED;
    uv_read_stop((uv_stream_t *)&conn->tcp);
    loop_defer(conn->loop, &conn->settle);
}

static void conn_fail_uv(struct conn *conn, const char *what, int status) {
    struct err reason;
    enum err_code code = status == UV_ECONNRESET || status == UV_EPIPE || status == UV_EOF ? ERR_CLOSED : ERR_IO;
    err_set(&reason, code, "%s: %s", what, uv_strerror(status));
    conn_fail(conn, &reason);
}

static void conn_expired(struct deadline *deadline) {
    struct conn *conn = (struct conn *)((char *)deadline - offsetof(struct conn, deadline));
    const uint64_t now_ms = loop_now_ms(conn->loop);
    struct err reason;
    if ((conn->state == CONN_CLOSING || conn->state == CONN_LINGERING) && now_ms < conn->linger_until_ms) {
        conn_start_reading(conn); /* on with what is dropped */
        deadline_set(loop_deadlines(conn->loop), &conn->deadline, conn->linger_until_ms - now_ms);
        return;
    }
    err_set(&reason, ERR_TIMEOUT, "the TLS handshake took too long");
    conn_fail(conn, &reason);
}

/* --- Sending --- */

static void conn_written(uv_write_t *request, int status) {
    struct conn_write *writing = (struct conn_write *)request;
    struct conn *conn = writing->conn;
    conn->writing = NULL;
    chunk_release(&conn->loop->chunks, writing->chunk);
    free(writing);
    if (conn->state == CONN_CLOSED) {
        return;
    }
    if (status < 0) {
        conn_fail_uv(conn, "sending", status);
    } else {
        loop_defer_last(conn->loop, &conn->flush);
    }
}

/* Takes over the chunk. Called only while nothing else is under way. */
static void conn_send(struct conn *conn, struct chunk *chunk) {
    uv_buf_t rest = uv_buf_init(chunk->data, (unsigned)chunk->len);
    int sent = uv_try_write((uv_stream_t *)&conn->tcp, &rest, 1);
    if (sent == (int)chunk->len || (sent < 0 && sent != UV_EAGAIN)) {
        chunk_release(&conn->loop->chunks, chunk);
        if (sent < 0) {
            conn_fail_uv(conn, "sending", sent);
        }
        return;
    }
    if (sent > 0) {
        rest.base += sent;
        rest.len -= (size_t)sent;
    }
    struct conn_write *writing = MEM_NEW(struct conn_write);
    writing->conn = conn;
    writing->chunk = chunk;
    conn->writing = writing;
    conn->behind = true;
    int status = uv_write(&writing->request, (uv_stream_t *)&conn->tcp, &rest, 1, conn_written);
    if (status < 0) {
        conn->writing = NULL;
        chunk_release(&conn->loop->chunks, chunk);
        free(writing);
        conn_fail_uv(conn, "sending", status);
    }
}

/* What is to be sent next, encrypted where there is TLS; NULL when there is nothing. */
static struct chunk *conn_take_output(struct conn *conn) {
    struct chunk *chunk = conn->gathered;
    conn->gathered = NULL;
    if (conn->tls == NULL) {
        return chunk;
    }
    struct err reason;
    if (chunk != NULL) {
        bool written = tls_session_write(conn->tls, (struct str){.data = chunk->data, .len = chunk->len}, &reason);
        chunk_release(&conn->loop->chunks, chunk);
        if (!written) {
            conn_fail(conn, &reason);
            return NULL;
        }
    }
    if (conn->state == CONN_CLOSING) {
        tls_session_end(conn->tls);
    }
    return tls_session_take_output(conn->tls);
}

static void conn_send_gathered(struct conn *conn) {
    struct chunk *chunk = conn->writing == NULL ? conn_take_output(conn) : NULL;
    if (chunk != NULL) {
        conn_send(conn, chunk);
    }
}

/* All is sent and conn_close was called. */
static void conn_end_sending(struct conn *conn) {
    uv_os_fd_t fd;
    if (!conn->linger || conn->eof || uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0) {
        conn_fail(conn, NULL);
        return;
    }
    shutdown(fd, SHUT_WR);
    conn->state = CONN_LINGERING;
}

static void conn_flush(struct loop_deferred *deferred) {
    struct conn *conn = (struct conn *)((char *)deferred - offsetof(struct conn, flush));
    if (conn->state >= CONN_LINGERING) {
        if (conn->state == CONN_LINGERING && !conn->linger) {
            conn_fail(conn, NULL);
        }
        return; /* sent already, or too late */
    }
    conn_send_gathered(conn);
    if (conn->state == CONN_CLOSING && (conn->writing == NULL || !conn->linger)) {
        conn_end_sending(conn);
    } else if (conn->state == CONN_OPEN && conn->behind && conn->writing == NULL) {
        conn->behind = false;
        if (conn->events->on_drain != NULL) {
            conn->events->on_drain(conn->context);
        }
    }
}

char *conn_reserve(struct conn *conn, size_t len) {
    return conn->state == CONN_OPEN ? chunk_reserve(&conn->loop->chunks, &conn->gathered, len) : NULL;
}

static void conn_has_gathered(struct conn *conn) {
    loop_defer_last(conn->loop, &conn->flush);
    if (conn->gathered->len >= CONN_GATHER_MAX) {
        conn_send_gathered(conn);
    }
}

void conn_commit(struct conn *conn, size_t len) {
    conn->gathered->len += len;
    conn_has_gathered(conn);
}

void conn_write(struct conn *conn, struct str data) {
    if (conn->state == CONN_OPEN && data.len > 0) {
        chunk_append(&conn->loop->chunks, &conn->gathered, data.data, data.len);
        conn_has_gathered(conn);
    }
}

size_t conn_unsent(const struct conn *conn) {
    size_t gathered = conn->gathered != NULL ? conn->gathered->len : 0;
    return gathered + (conn->writing != NULL ? uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp) : 0);
}

bool conn_is_behind(const struct conn *conn) {
    return conn->behind;
}

/* --- Receiving --- */

static void conn_become_ready(struct conn *conn) {
    deadline_clear(&conn->deadline);
    conn->state = CONN_OPEN;
    conn->on_ready(conn->context, conn);
}

static void conn_tls_broken(struct conn *conn, enum tls_progress progress, const struct err *reason) {
    struct err early;
    err_set(&early, ERR_CLOSED, "the peer closed during the TLS handshake");
    if (progress == TLS_BROKEN) {
        conn_fail(conn, reason);
    } else {
        conn_fail(conn, conn->state == CONN_HANDSHAKE ? &early : NULL);
    }
}

/* Takes from the session what can be had: the handshake's end, then bytes for the owner. */
static void conn_pump_tls(struct conn *conn) {
    enum tls_progress progress = TLS_DONE;
    struct err reason;
    if (conn->state == CONN_HANDSHAKE) {
        progress = tls_session_handshake(conn->tls, &reason);
        if (progress == TLS_DONE) {
            conn_become_ready(conn);
        }
    }
    while (progress == TLS_DONE && conn->state == CONN_OPEN && !conn->paused) {
        size_t len = 0;
        progress = tls_session_read(conn->tls, conn->loop->plain_buffer, LOOP_PLAIN_BYTES, &len, &reason);
        if (progress == TLS_DONE) {
            conn->events->on_data(conn->context, (struct str){.data = conn->loop->plain_buffer, .len = len});
        }
    }
    tls_session_keep_input(conn->tls);
    if (tls_session_has_output(conn->tls) && conn->state < CONN_LINGERING) {
        loop_defer_last(conn->loop, &conn->flush);
    }
    if (progress == TLS_ENDED || progress == TLS_BROKEN) {
        conn_tls_broken(conn, progress, &reason);
    }
}

static void conn_input_ended(struct conn *conn, int status) {
    conn->eof = true;
    if (status != UV_EOF) {
        conn_fail_uv(conn, "receiving", status);
    } else if (conn->state == CONN_HANDSHAKE) {
        conn_tls_broken(conn, TLS_ENDED, NULL);
    } else if (conn->state != CONN_CLOSING) {
        conn_fail(conn, NULL);
    }
}

static void conn_discard_data(struct conn *conn, size_t len) {
    const uint64_t now_ms = loop_now_ms(conn->loop);
    conn->discarded += len;
    if (conn->discarded > CONN_DISCARD_MAX) {
        conn_fail(conn, NULL);
    } else if (now_ms + CONN_DISCARD_PAUSE_MS < conn->linger_until_ms) {
        uv_read_stop((uv_stream_t *)&conn->tcp);
        deadline_set(loop_deadlines(conn->loop), &conn->deadline, CONN_DISCARD_PAUSE_MS);
    }
}

static void conn_receive(struct conn *conn, struct str data) {
    if (conn->state >= CONN_CLOSING) {
        conn_discard_data(conn, data.len);
    } else if (conn->tls != NULL) {
        tls_session_feed(conn->tls, data);
        conn_pump_tls(conn);
    } else {
        conn->events->on_data(conn->context, data);
    }
}

static void conn_on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer) {
    struct conn *conn = (struct conn *)stream->data;
    if (len == 0 || conn->state >= CONN_FAILED) {
        return;
    }
    if (len < 0) {
        conn_input_ended(conn, (int)len);
    } else {
        conn_receive(conn, (struct str){.data = buffer->base, .len = (size_t)len});
    }
    loop_relieve(conn->loop);
}

static void conn_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    (void)suggested;
    struct conn *conn = (struct conn *)handle->data;
    *buffer = uv_buf_init(conn->loop->read_buffer, LOOP_READ_BYTES);
}

static void conn_start_reading(struct conn *conn) {
    int status = uv_read_start((uv_stream_t *)&conn->tcp, conn_on_alloc, conn_on_read);
    if (status < 0 && status != UV_EALREADY) {
        conn_fail_uv(conn, "receiving", status);
    }
}

void conn_read_pause(struct conn *conn) {
    if (conn->state == CONN_OPEN && !conn->paused) {
        conn->paused = true;
        uv_read_stop((uv_stream_t *)&conn->tcp);
    }
}

void conn_read_resume(struct conn *conn) {
    if (conn->paused && conn->state == CONN_OPEN) {
        conn->paused = false;
        loop_defer(conn->loop, &conn->settle);
    }
}

/* --- Life --- */

static void conn_settle(struct loop_deferred *deferred) {
    struct conn *conn = (struct conn *)((char *)deferred - offsetof(struct conn, settle));
    if (conn->state == CONN_OPEN && !conn->paused) {
        if (!conn->eof) {
            conn_start_reading(conn);
        }
        if (conn->tls != NULL) {
            conn_pump_tls(conn);
        }
    }
    if (conn->state != CONN_FAILED) {
        return;
    }
    conn_send_gathered(conn); /* an answer or alert written this iteration, before the peer's end was seen */
    conn_shut(conn);
    conn->events->on_close(conn->context, conn->failure);
}

void conn_close(struct conn *conn, unsigned linger_ms) {
    bool open = conn->state == CONN_OPEN;
    if (!open && (linger_ms > 0 || (conn->state != CONN_CLOSING && conn->state != CONN_LINGERING))) {
        return;
    }
    conn->linger = linger_ms > 0;
    if (open) {
        conn->state = CONN_CLOSING;
        if (conn->linger) {
            conn->linger_until_ms = loop_now_ms(conn->loop) + linger_ms;
            deadline_set(loop_deadlines(conn->loop), &conn->deadline, linger_ms);
        }
        if (conn->linger && conn->paused) {
            conn_start_reading(conn);
        }
    }
    loop_defer_last(conn->loop, &conn->flush);
}

void conn_abort(struct conn *conn) {
    if (conn->state < CONN_FAILED) {
        chunk_release(&conn->loop->chunks, conn->gathered);
        conn->gathered = NULL;
        conn_fail(conn, NULL);
    }
}

static void conn_note_peer(struct conn *conn) {
    struct sockaddr_storage address;
    if (uv_handle_get_type((const uv_handle_t *)&conn->tcp) == UV_NAMED_PIPE) {
        (void)str_copy(conn->peer, sizeof(conn->peer), STR("unix"));
        return;
    }
    int size = (int)sizeof(address);
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &size) == 0) {
        uv_ip_name((const struct sockaddr *)&address, conn->peer, sizeof(conn->peer));
    }
}

void conn_start(struct conn *conn, struct tls_session *tls, unsigned handshake_ms) {
    if (uv_handle_get_type((const uv_handle_t *)&conn->tcp) == UV_TCP) {
        uv_tcp_nodelay(&conn->tcp, 1);
    }
    conn_note_peer(conn);
    conn->tls = tls;
    if (tls == NULL) {
        conn_become_ready(conn);
    } else {
        conn->state = CONN_HANDSHAKE;
        deadline_set(loop_deadlines(conn->loop), &conn->deadline, handshake_ms);
        conn_pump_tls(conn);
    }
    if (conn->state < CONN_CLOSING && !conn->paused) {
        conn_start_reading(conn);
    }
}

void conn_set_events(struct conn *conn, const struct conn_events *events, void *context) {
    conn->events = events;
    conn->context = context;
}

const char *conn_peer(const struct conn *conn) {
    return conn->peer;
}

struct loop *conn_loop(const struct conn *conn) {
    return conn->loop;
}

struct address_place *conn_place(const struct conn *conn) {
    return conn->place;
}

bool conn_is_proxied(const struct conn *conn) {
    return conn->proxied;
}

void conn_prove(struct conn *conn) {
    if (!conn->proven && conn->place != NULL) {
        address_place_close(conn->place, true);
    }
    conn->proven = true;
}

bool conn_is_proven(const struct conn *conn) {
    return conn->proven;
}
