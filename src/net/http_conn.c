#include "net/http_conn.h"

#include "base/mem.h"
#include "net/http_conn_state.h"
#include "net/http_reading.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    LINGER_MS = 2000,     /* how long a client may take to read our last answer and close (conn_close) */
    EVICT_LOOKED_AT = 64, /* connections that are looked at to find an idle one */
};

static void http_conn_close(struct http_conn *http) {
    http->state = HTTP_CONN_CLOSING;
    deadline_clear(&http->deadline);
    conn_close(http->conn, LINGER_MS);
}

static void http_conn_close_if_idle(struct http_conn *http) {
    if (http->state == HTTP_CONN_HEAD && http->early.len == 0 && !http->processing) {
        http_conn_close(http);
    }
}

/* Keeps what `rest` still holds for the next iteration; with nothing left, no memory is held. */
static void http_conn_keep_rest(struct http_conn *http) {
    if (http->state == HTTP_CONN_UPGRADED) {
        return; /* http_upgrade has dealt with it */
    }
    bool kept = http->early.len > 0;
    if (http->rest.len == 0) {
        buf_clear(&http->early);
    } else if (kept) {
        buf_consume(&http->early, http->early.len - http->rest.len);
    } else {
        buf_append_str(&http->early, http->rest);
    }
    http->rest = (struct str){0};
    bool full = http->state == HTTP_CONN_ANSWERING && http->early.len > http->host->config.pipeline_bytes;
    full = full || (http->state == HTTP_CONN_ASKING && !http_reading_count_asked(http));
    bool behind = http->state == HTTP_CONN_HEAD && conn_is_behind(http->conn);
    if (full || behind) {
        conn_read_pause(http->conn);
    } else {
        conn_read_resume(http->conn);
    }
    if (http->host->exchanges.draining) {
        http_conn_close_if_idle(http);
    }
}

static void http_conn_process(struct http_conn *http) {
    http->processing = true;
    while (http_reading_step(http)) {
    }
    http->processing = false;
    http_conn_keep_rest(http);
}

static void http_conn_on_data(void *context, struct str data) {
    struct http_conn *http = context;
    http->rest = data;
    if (http->early.len > 0) {
        buf_append_str(&http->early, data);
        http->rest = buf_str(&http->early);
    }
    http_conn_process(http);
}

static void http_conn_on_drain(void *context) {
    struct http_conn *http = context;
    loop_defer(http->loop, &http->proceed);
}

static void http_conn_proceed(struct loop_deferred *deferred) {
    struct http_conn *http = (struct http_conn *)((char *)deferred - offsetof(struct http_conn, proceed));
    if (http->state == HTTP_CONN_UPGRADED) {
        http->state = HTTP_CONN_GONE;
        loop_defer_last(http->loop, &http->proceed);
    } else if (http->state == HTTP_CONN_GONE) {
        buf_clear(&http->early);
        free(http);
    } else if (http->state == HTTP_CONN_HEAD || http->state == HTTP_CONN_LENGTH || http->state == HTTP_CONN_CHUNKED) {
        http->rest = buf_str(&http->early);
        http_conn_process(http);
    }
}

static void http_conn_answered(void *owner, bool close) {
    struct http_conn *http = owner;
    http_reading_drop_exchange(http);
    if (close || http->host->exchanges.draining || http->host->crowded) {
        http_conn_close(http);
        return;
    }
    http->state = HTTP_CONN_HEAD;
    DL_DELETE(http->host->conns, http);
    DL_PREPEND(http->host->conns, http); /* the one that has been idle for longest is the last */
    deadline_set(loop_deadlines(http->loop), &http->deadline, http->host->config.idle_timeout_ms);
    if (!http->processing && http->early.len > 0) {
        loop_defer(http->loop, &http->proceed);
    }
}

static void http_conn_expired(struct deadline *deadline) {
    struct http_conn *http = (struct http_conn *)((char *)deadline - offsetof(struct http_conn, deadline));
    switch (http->state) {
    case HTTP_CONN_HEAD:
        if (http->head_started) {
            http_reading_refuse(http, 408, "the request head took too long");
        } else {
            http_conn_close(http);
        }
        break;
    case HTTP_CONN_LENGTH:
    case HTTP_CONN_CHUNKED:
        http_reading_refuse(http, 408, "the request body took too long");
        break;
    case HTTP_CONN_ASKING:
    case HTTP_CONN_ANSWERING:
    case HTTP_CONN_REFUSING:
    case HTTP_CONN_CLOSING:
    case HTTP_CONN_UPGRADED:
    case HTTP_CONN_GONE:
        break; /* a deadline of the past request */
    }
}

/* Its memory goes at the end of this iteration. */
static void http_conn_leave(struct http_conn *http) {
    struct http_conn_host *host = http->host;
    http_upload_end(&host->uploads, &http->upload);
    deadline_remove(loop_deadlines(http->loop), &http->deadline);
    DL_DELETE(host->conns, http);
    host->count--;
    host->crowded = false;
    host->on_left(host);
    http->host = NULL;
    loop_defer(http->loop, &http->proceed);
}

static void http_conn_on_close(void *context, const struct err *reason) {
    (void)reason;
    struct http_conn *http = context;
    struct http_exchange *exchange = http->exchange;
    bool answering =
        http->state == HTTP_CONN_ASKING || http->state == HTTP_CONN_ANSWERING || http->state == HTTP_CONN_REFUSING;
    http->state = HTTP_CONN_GONE;
    http_reading_drop_exchange(http);
    if (exchange != NULL && answering) {
        http_exchange_lose_client(exchange);
    } else if (exchange != NULL) {
        exchange->conn = NULL; /* no handler has seen it */
        http_exchange_end(exchange);
    }
    http_conn_leave(http);
}

static struct str http_conn_upgraded(void *owner) {
    struct http_conn *http = owner;
    if (http->early.len == 0) {
        buf_append_str(&http->early, http->rest); /* out of the read buffer */
        http->rest = buf_str(&http->early);
    }
    http->state = HTTP_CONN_UPGRADED;
    http_reading_drop_exchange(http);
    http_conn_leave(http);
    return http->rest;
}

static void http_conn_admitted(void *owner, bool keep_body) {
    http_reading_admit(owner, keep_body);
}

static bool http_conn_owned(void *owner, uint64_t account) {
    return http_reading_own(owner, account);
}

static const struct conn_events HTTP_CONN_EVENTS = {
    .on_data = http_conn_on_data,
    .on_close = http_conn_on_close,
    .on_drain = http_conn_on_drain,
};

void http_conn_open(struct http_conn_host *host, struct conn *conn) {
    struct http_conn *http = MEM_NEW(struct http_conn);
    http->host = host;
    http->loop = host->exchanges.loop;
    http->conn = conn;
    http->deadline.expired = http_conn_expired;
    http->proceed.run = http_conn_proceed;
    buf_init(&http->early, SIZE_MAX); /* bounded by pausing, and by the limits of a head */
    DL_PREPEND(host->conns, http);
    host->count++;
    conn_set_events(conn, &HTTP_CONN_EVENTS, http);
    deadline_set(loop_deadlines(http->loop), &http->deadline, host->config.idle_timeout_ms);
}

/* --- All of a server's --- */

void http_conn_host_init(struct http_conn_host *host, struct loop *loop, const struct http_server_config *config,
                         const struct http_server_events *events, void *context) {
    *host = (struct http_conn_host){.exchanges = {.loop = loop,
                                                  .head_bytes = config->head_limits.head_bytes,
                                                  .body_bytes = config->body_bytes,
                                                  .admitted = http_conn_admitted,
                                                  .owned = http_conn_owned,
                                                  .answered = http_conn_answered,
                                                  .upgraded = http_conn_upgraded},
                                    .config = *config,
                                    .room = {.limit = config->bodies_bytes},
                                    .events = events,
                                    .context = context};
}

void http_conn_drain(struct http_conn_host *host) {
    host->exchanges.draining = true;
    struct http_conn *http;
    DL_FOREACH (host->conns, http) {
        http_conn_close_if_idle(http);
    }
}

/* Whether nothing is lost by closing it: it is between two requests, or nobody known has it. */
static bool http_conn_is_idle(const struct http_conn *http) {
    return http->state == HTTP_CONN_HEAD && !http->processing && (http->early.len == 0 || !conn_is_proven(http->conn));
}

/* Whether somebody unknown holds it, who does not read its answer, or has it and does not go. */
static bool http_conn_overstays(const struct http_conn *http) {
    const bool ended = http->state == HTTP_CONN_CLOSING,
               answering = http->state == HTTP_CONN_ANSWERING || http->state == HTTP_CONN_REFUSING;
    return !conn_is_proven(http->conn) && (ended || (answering && conn_unsent(http->conn) > 0));
}

static bool http_conn_give_way(struct http_conn *http) {
    const bool idle = http_conn_is_idle(http);
    if (!idle && !http_conn_overstays(http)) {
        return false;
    }
    if (idle) {
        http->state = HTTP_CONN_CLOSING;
        deadline_clear(&http->deadline);
    }
    conn_close(http->conn, 0);
    return true;
}

void http_conn_make_room(struct http_conn_host *host) {
    struct http_conn *http = host->conns != NULL ? host->conns->prev : NULL;
    for (size_t i = 0; http != NULL && i < EVICT_LOOKED_AT; i++) {
        if (http_conn_give_way(http)) {
            return;
        }
        http = http != host->conns ? http->prev : NULL;
    }
    host->crowded = true;
}

void http_conn_close_all(struct http_conn_host *host) {
    struct http_conn *http;
    DL_FOREACH (host->conns, http) {
        conn_close(http->conn, 0);
    }
}
