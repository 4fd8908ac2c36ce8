#include "net/http_upload.h"

#include <utlist.h>

unsigned http_upload_begin(struct http_uploads *uploads, struct http_upload *upload,
                           const struct http_upload_pace *pace, uint64_t now_ms) {
    upload->began_ms = now_ms;
    upload->stretch_bytes = 0;
    upload->listed = true;
    DL_APPEND(uploads->list, upload);
    return pace->stretch_ms;
}

unsigned http_upload_moved(struct http_upload *upload, const struct http_upload_pace *pace, size_t bytes,
                           uint64_t now_ms) {
    const uint64_t taken_ms = now_ms - upload->began_ms;
    upload->stretch_bytes += bytes;
    if (upload->stretch_bytes < pace->stretch_bytes || taken_ms >= pace->total_ms) {
        return 0;
    }
    const uint64_t left_ms = pace->total_ms - taken_ms;
    upload->stretch_bytes = 0;
    return left_ms < pace->stretch_ms ? (unsigned)left_ms : pace->stretch_ms;
}

void http_upload_end(struct http_uploads *uploads, struct http_upload *upload) {
    if (upload->listed) {
        upload->listed = false;
        DL_DELETE(uploads->list, upload);
    }
}

struct http_upload *http_uploads_overstayed(const struct http_uploads *uploads, const struct http_upload_pace *pace,
                                            uint64_t now_ms) {
    struct http_upload *oldest = uploads->list;
    return oldest != NULL && now_ms - oldest->began_ms > pace->overstay_ms ? oldest : NULL;
}
