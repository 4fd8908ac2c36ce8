/* The room for bodies of requests that are not answered yet, and who holds how much of it. An owner may hold as much as
 * is still free besides: alone it gets half of the room, two get a third each, and some is always left for whoever
 * comes next (dynamic thresholds: Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet
 * Switches", 1998, with alpha = 1). Pure. */
#ifndef NATARIS_NET_HTTP_ROOM_H
#define NATARIS_NET_HTTP_ROOM_H

#include <stddef.h>
#include <stdint.h>

struct http_share;

struct http_room {
    size_t limit; /* bytes; 0: unbounded */
    size_t held;
    struct http_share *shares; /* of owners that have one now */
};

enum http_hold { HTTP_HELD, HTTP_ROOM_FULL, HTTP_SHARE_FULL };

/* The share of an owner, to be given back with http_share_release once nothing of it is held. */
struct http_share *http_room_share(struct http_room *room, uint64_t owner);
void http_share_release(struct http_room *room, struct http_share *share); /* NULL is fine */
/* So many bytes more, of an owner's share or (NULL) of nobody's yet. */
enum http_hold http_room_hold(struct http_room *room, struct http_share *share, size_t bytes);
/* What is held of nobody's is the share's from now on. */
enum http_hold http_room_assign(struct http_room *room, struct http_share *share, size_t bytes);
void http_room_give(struct http_room *room, struct http_share *share, size_t bytes);

#endif
