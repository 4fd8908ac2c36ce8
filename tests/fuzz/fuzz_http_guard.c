/* The guard in front of llhttp: first byte = way of splitting, the rest = a request head and a chunked body.
 * Properties: however the input is split, the verdict is the same; where the guard says yes, llhttp sees the same head
 * end, the same kind of body and the same body bytes. */
#include "base/buf.h"
#include "base/mem.h"
#include "net/http_chunks.h"
#include "net/http_guard.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

static const struct http_guard_limits LIMITS = {.head_bytes = 2000, .header_count = 30, .url_bytes = 200};

static void demand(bool condition) {
    if (!condition) {
        abort();
    }
}

/* Where the head ends when it arrives `step` bytes at a time; 0 when it does not, or never can. */
static size_t find_end_in_steps(struct str data, size_t step) {
    size_t from = 0;
    for (size_t len = step;; len += step) {
        bool bare_lf;
        struct str so_far = {.data = data.data, .len = len < data.len ? len : data.len};
        size_t end = http_guard_find_end(so_far, from, &bare_lf);
        if (end > 0 || bare_lf || so_far.len == data.len) {
            return end;
        }
        from = so_far.len;
    }
}

static int pause_at_body(llhttp_t *parser) {
    (void)parser;
    return HPE_PAUSED;
}

/* Targets are llhttp's to judge, and methods are hidden from it; the rest of a head that the guard accepts is good. */
static void check_head(struct str head) {
    const char *why = NULL;
    char *copy = mem_alloc(head.len);
    memcpy(copy, head.data, head.len);
    enum http_guard_verdict verdict = http_guard_check_head((struct str){.data = copy, .len = head.len}, &LIMITS, &why);
    demand(verdict == HTTP_GUARD_OK || why != NULL);
    if (verdict == HTTP_GUARD_OK) {
        llhttp_settings_t settings = {.on_headers_complete = pause_at_body};
        llhttp_t parser;
        llhttp_init(&parser, HTTP_REQUEST, &settings);
        const size_t method = http_guard_token_length((struct str){.data = copy, .len = head.len}) + 1;
        demand(llhttp_execute(&parser, "POST ", 5) == HPE_OK);
        llhttp_errno_t error = llhttp_execute(&parser, copy + method, head.len - method);
        if (error == HPE_PAUSED) {
            unsigned framing = parser.flags & (F_CHUNKED | F_CONTENT_LENGTH);
            demand(framing != (F_CHUNKED | F_CONTENT_LENGTH));
            demand((parser.flags & F_TRANSFER_ENCODING) == 0 || framing == F_CHUNKED);
            demand(parser.http_major == 1 && parser.http_minor <= 1);
            size_t position = (size_t)(llhttp_get_error_pos(&parser) - copy);
            demand(position == head.len || position + 1 == head.len); /* it may stop at the last LF or behind it */
        } else {
            demand(error == HPE_INVALID_URL || error == HPE_INVALID_CONSTANT);
        }
    }
    free(copy);
}

struct outcome {
    bool valid, done, trailers;
    size_t used;
    struct buf body;
};

static void read_chunks(struct outcome *outcome, struct str data, size_t step) {
    struct http_chunks chunks;
    http_chunks_init(&chunks);
    *outcome = (struct outcome){.valid = true};
    buf_init(&outcome->body, 1 << 20);
    while (outcome->valid && !outcome->done && outcome->used < data.len) {
        size_t left = data.len - outcome->used;
        struct str piece = {.data = data.data + outcome->used, .len = left < step ? left : step};
        struct str payload;
        size_t used;
        outcome->valid = http_chunks_next(&chunks, piece, &used, &payload, &outcome->done);
        demand(used <= piece.len && (used > 0 || outcome->done));
        demand(payload.len == 0 ||
               (payload.data >= piece.data && payload.data + payload.len <= piece.data + piece.len));
        buf_append_str(&outcome->body, payload);
        outcome->used += used;
    }
    outcome->trailers = chunks.line_bytes > 0;
}

static int gather_body(llhttp_t *parser, const char *at, size_t len) {
    buf_append((struct buf *)parser->data, at, len);
    return 0;
}

static int note_end(llhttp_t *parser) {
    (void)parser;
    return HPE_PAUSED;
}

static void check_against_llhttp(struct str chunks, struct str body) {
    struct buf request;
    struct buf seen;
    buf_init(&request, 1 << 20);
    buf_init(&seen, 1 << 20);
    buf_append_cstr(&request, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    buf_append_str(&request, chunks);
    llhttp_settings_t settings = {.on_body = gather_body, .on_message_complete = note_end};
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &seen;
    demand(llhttp_execute(&parser, request.data, request.len) == HPE_PAUSED);
    demand(str_equal(buf_str(&seen), body));
    buf_clear(&request);
    buf_clear(&seen);
}

static void check_chunks(struct str data, size_t step) {
    struct outcome whole;
    struct outcome pieces;
    read_chunks(&whole, data, SIZE_MAX);
    read_chunks(&pieces, data, step);
    demand(whole.valid == pieces.valid && whole.done == pieces.done);
    demand(!whole.valid || (whole.used == pieces.used && str_equal(buf_str(&whole.body), buf_str(&pieces.body))));
    /* llhttp judges the inside of extensions and trailers, which we only skip. */
    if (whole.done && !whole.trailers && memchr(data.data, ';', whole.used) == NULL) {
        check_against_llhttp((struct str){.data = data.data, .len = whole.used}, buf_str(&whole.body));
    }
    buf_clear(&whole.body);
    buf_clear(&pieces.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    if (len < 2) {
        return 0;
    }
    size_t step = bytes[0] % 40 + 1;
    struct str data = {.data = (const char *)bytes + 1, .len = len - 1};
    bool bare_lf;
    size_t end = http_guard_find_end(data, 0, &bare_lf);
    demand(end == find_end_in_steps(data, step));
    demand(end == http_guard_head_length(data));
    if (end > 0) {
        check_head((struct str){.data = data.data, .len = end});
    }
    check_chunks((struct str){.data = data.data + end, .len = data.len - end}, step);
    return 0;
}
