/* A body on its way to the server: how long it may take, and which one has to make room when all together are too many
 * bytes. Pure: the time is handed in. */
#ifndef NATARIS_NET_HTTP_UPLOAD_H
#define NATARIS_NET_HTTP_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An upload that moves is not cut: in each stretch of `stretch_ms` it has to bring `stretch_bytes`, or its end. With a
 * `total_ms` of 0 the whole body has one stretch. */
struct http_upload_pace {
    unsigned stretch_ms;
    size_t stretch_bytes;
    unsigned total_ms;    /* of the whole body, however well it moves */
    unsigned overstay_ms; /* one that takes longer has to make room when others need it */
};

/* Embedded in a connection; zeroed before its first use. */
struct http_upload {
    struct http_upload *prev, *next;
    uint64_t began_ms;
    size_t stretch_bytes; /* that came in this stretch */
    bool listed;
};

/* Those of a server, the oldest first. */
struct http_uploads {
    struct http_upload *list;
};

/* The body is not all there. Returns the ms after which it is late. */
unsigned http_upload_begin(struct http_uploads *uploads, struct http_upload *upload,
                           const struct http_upload_pace *pace, uint64_t now_ms);
/* So many bytes of it have come. Returns the ms after which it is late from now on; 0: as was said before. */
unsigned http_upload_moved(struct http_upload *upload, const struct http_upload_pace *pace, size_t bytes,
                           uint64_t now_ms);
/* It is all there, refused or gone; nothing when it had not begun. */
void http_upload_end(struct http_uploads *uploads, struct http_upload *upload);
/* The oldest, when it takes longer than overstay_ms: whoever needs its room may have it, so that slow senders cannot
 * keep others out. NULL: none does. */
struct http_upload *http_uploads_overstayed(const struct http_uploads *uploads, const struct http_upload_pace *pace,
                                            uint64_t now_ms);

#endif
