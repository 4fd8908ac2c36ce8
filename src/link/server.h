/* The gateway's side of the link: the set of links, one peer (link/peer.h) for each connected provider. Handshake:
 * hello -> challenge -> auth (signature checked here) -> on_hello -> admit or deny. Every violation closes the link
 * with a reason (docs/PROTOCOL.md). */
#ifndef NATARIS_LINK_SERVER_H
#define NATARIS_LINK_SERVER_H

#include "link/message.h"
#include "net/http_server.h"
#include "net/loop.h"

struct link_server;
struct link_peer;

struct link_server_events {
    /* The provider proved that it holds the key of `hello`. Decide now or later with link_peer_admit / link_peer_deny;
     * `hello` is valid until then. */
    void (*on_hello)(void *context, struct link_peer *peer, const struct link_hello *hello);
    /* The rest only after admission. Borrowed for the call. */
    void (*on_status)(void *context, struct link_peer *peer, const struct link_status *status);
    void (*on_accept)(void *context, struct link_peer *peer, const struct link_accept *accept);
    void (*on_delta)(void *context, struct link_peer *peer, const struct link_delta *delta);
    void (*on_done)(void *context, struct link_peer *peer, const struct link_done *done);
    void (*on_error)(void *context, struct link_peer *peer, const struct link_error *error);
    void (*on_drain)(void *context, struct link_peer *peer);
    /* A watched link (link_peer_watch) has said nothing for watch_silence_ms although it was pinged; and the first word
     * after that. The link stays open in between: a device may only be busy or asleep. */
    void (*on_silent)(void *context, struct link_peer *peer); /* both may be NULL */
    void (*on_alive)(void *context, struct link_peer *peer);
    /* The link is closed (also after a denial or without admission, but only if on_hello was called). Last event of a
     * peer; it is freed after this returns. */
    void (*on_gone)(void *context, struct link_peer *peer, const char *reason);
};

struct link_server_config {
    uint32_t heartbeat_ms; /* asked of providers; a link without any frame for three of these is closed */
    uint32_t handshake_ms;
    size_t backlog_bytes; /* unsent bytes over which a link is closed */
    /* Watched links are pinged so often while nothing comes in, and reported after so long a silence. 0: never. A time
     * in which this loop itself stood still is nobody's silence. */
    uint32_t watch_ping_ms, watch_silence_ms;
};

struct link_server *link_server_new(struct loop *loop, const struct link_server_config *config,
                                    const struct link_server_events *events, void *context);
/* Takes over an HTTP exchange for LINK_PATH; answers 400/426 itself when it is no proper WebSocket handshake. */
void link_server_accept(struct link_server *server, struct http_exchange *exchange);
size_t link_server_peer_count(const struct link_server *server); /* admitted ones */
/* Tells every provider that the gateway drains. */
void link_server_drain(struct link_server *server);
/* Closes every link (1001), on_gone for each, then on_closed; then the server is freed. */
void link_server_close(struct link_server *server, void (*on_closed)(void *context), void *context);

#endif
