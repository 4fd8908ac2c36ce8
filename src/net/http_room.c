#include "net/http_room.h"

#include "base/mem.h"

#include <stdlib.h>
#include <uthash.h>

struct http_share {
    UT_hash_handle hh;
    uint64_t owner;
    size_t holders, held;
};

struct http_share *http_room_share(struct http_room *room, uint64_t owner) {
    struct http_share *share;
    HASH_FIND(hh, room->shares, &owner, sizeof(owner), share);
    if (share == NULL) {
        share = MEM_NEW(struct http_share);
        share->owner = owner;
        HASH_ADD(hh, room->shares, owner, sizeof(share->owner), share);
    }
    share->holders++;
    return share;
}

void http_share_release(struct http_room *room, struct http_share *share) {
    if (share != NULL && --share->holders == 0) {
        HASH_DEL(room->shares, share);
        free(share);
    }
}

enum http_hold http_room_hold(struct http_room *room, struct http_share *share, size_t bytes) {
    const size_t free_bytes = room->limit - room->held;
    if (room->limit > 0 && bytes > free_bytes) {
        return HTTP_ROOM_FULL;
    }
    if (room->limit > 0 && share != NULL && share->held + bytes > free_bytes - bytes) {
        return HTTP_SHARE_FULL;
    }
    room->held += bytes;
    if (share != NULL) {
        share->held += bytes;
    }
    return HTTP_HELD;
}

enum http_hold http_room_assign(struct http_room *room, struct http_share *share, size_t bytes) {
    if (room->limit > 0 && share->held + bytes > room->limit - room->held) {
        return HTTP_SHARE_FULL;
    }
    share->held += bytes;
    return HTTP_HELD;
}

void http_room_give(struct http_room *room, struct http_share *share, size_t bytes) {
    room->held -= bytes;
    if (share != NULL) {
        share->held -= bytes;
    }
}
