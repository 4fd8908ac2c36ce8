#include "net/http_server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_conn.h"
#include "net/http_state.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HTTP_DATE_CHECK_MS = 50 };

static const struct listener_events HTTP_LISTENER_EVENTS = {.on_conn = http_conn_accept};

static void http_server_closed(struct loop_deferred *deferred) {
    struct http_server *server = (struct http_server *)((char *)deferred - offsetof(struct http_server, closed));
    if (server->on_closed != NULL) {
        server->on_closed(server->on_closed_context);
    }
    free(server);
}

bool http_server_open(struct http_server **out, struct loop *loop, const struct listener_options *options,
                      const struct http_server_config *config, const struct http_server_events *events, void *context,
                      struct err *err) {
    struct http_server *server = MEM_NEW(struct http_server);
    server->loop = loop;
    server->config = *config;
    server->events = events;
    server->context = context;
    server->closed.run = http_server_closed;
    if (!listener_open(&server->listener, loop, options, &HTTP_LISTENER_EVENTS, server, err)) {
        free(server);
        return false;
    }
    server->port = listener_port(server->listener);
    *out = server;
    return true;
}

unsigned http_server_port(const struct http_server *server) {
    return server->port;
}

size_t http_server_connection_count(const struct http_server *server) {
    return server->conn_count;
}

void http_server_drain(struct http_server *server) {
    server->draining = true;
    listener_close(server->listener);
    server->listener = NULL;
    for (struct http_conn *http = server->conns; http != NULL; http = http->next) {
        http_conn_close_if_idle(http);
    }
}

void http_server_close(struct http_server *server, void (*on_closed)(void *context), void *context) {
    if (server->closing) {
        return;
    }
    http_server_drain(server);
    server->closing = true;
    server->on_closed = on_closed;
    server->on_closed_context = context;
    for (struct http_conn *http = server->conns; http != NULL; http = http->next) {
        conn_close(http->conn, 0); /* answers given in this turn still leave */
    }
    if (server->conns == NULL) {
        loop_defer(server->loop, &server->closed);
    }
}

void http_server_forget(struct http_server *server, struct http_conn *http) {
    if (http->previous != NULL) {
        http->previous->next = http->next;
    } else {
        server->conns = http->next;
    }
    if (http->next != NULL) {
        http->next->previous = http->previous;
    }
    server->conn_count--;
    if (server->closing && server->conns == NULL) {
        loop_defer(server->loop, &server->closed);
    }
}

/* RFC 9110 5.6.7, in English whatever the locale. */
static void format_date(int64_t second, char out[HTTP_DATE_SIZE]) {
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)second;
    struct tm utc;
    gmtime_r(&when, &utc);
    snprintf(out, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT", DAYS[utc.tm_wday], (unsigned)utc.tm_mday % 100,
             MONTHS[utc.tm_mon], (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)utc.tm_hour % 100,
             (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100);
}

struct str http_server_date(struct http_server *server) {
    uint64_t now = loop_now_ms(server->loop);
    if (server->date[0] == '\0' || now - server->date_checked_ms >= HTTP_DATE_CHECK_MS) {
        int64_t second = clock_wall_ms() / 1000;
        server->date_checked_ms = now;
        if (second != server->date_second || server->date[0] == '\0') {
            server->date_second = second;
            format_date(second, server->date);
        }
    }
    return (struct str){.data = server->date, .len = HTTP_DATE_LENGTH};
}
