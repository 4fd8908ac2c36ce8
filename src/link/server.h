/* The gateway's side of the link: the set of links, one peer (link/peer.h) for each connected provider. Handshake:
 * hello -> challenge -> auth (signature checked here) -> on_hello -> admit or deny. Every violation closes the link
 * with a reason (docs/PROTOCOL.md). */
#ifndef NATARIS_LINK_SERVER_H
#define NATARIS_LINK_SERVER_H

#include "link/peer.h"

struct link_server;

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
