#include "net/http_chunks.h"

#include "net/http_guard.h"

enum chunks_state {
    CHUNKS_SIZE,
    CHUNKS_EXTENSION,
    CHUNKS_SIZE_LF,
    CHUNKS_DATA,
    CHUNKS_DATA_CR,
    CHUNKS_DATA_LF,
    CHUNKS_TRAILER,       /* after the size 0: a trailer field begins here, or the last line end */
    CHUNKS_TRAILER_NAME,  /* behind its first byte */
    CHUNKS_TRAILER_VALUE, /* behind its colon */
    CHUNKS_TRAILER_LF,
    CHUNKS_END_LF,
    CHUNKS_DONE,
};

enum { CHUNKS_DIGITS_MAX = 16, CHUNKS_LINE_MAX = 256, CHUNKS_TRAILERS_MAX = 4096 };

void http_chunks_init(struct http_chunks *chunks) {
    *chunks = (struct http_chunks){.state = CHUNKS_SIZE};
}

static int hex_value(unsigned char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    unsigned char lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool chunks_size_byte(struct http_chunks *chunks, unsigned char c) {
    int digit = hex_value(c);
    if (digit >= 0) {
        chunks->remaining = chunks->remaining * 16 + (size_t)digit;
        return ++chunks->digits <= CHUNKS_DIGITS_MAX;
    }
    chunks->state = c == ';' ? CHUNKS_EXTENSION : CHUNKS_SIZE_LF;
    return chunks->digits > 0 && (c == ';' || c == '\r');
}

static bool is_value_byte(unsigned char c) {
    return (c >= 0x20 || c == '\t') && c != 0x7f;
}

static bool chunks_extension_byte(struct http_chunks *chunks, unsigned char c) {
    if (c == '\r') {
        chunks->state = CHUNKS_SIZE_LF;
        return true;
    }
    return ++chunks->line_bytes <= CHUNKS_LINE_MAX && is_value_byte(c);
}

/* The first byte of a line is a name's: a folded line begins with a blank, which is none. */
static bool chunks_name_byte(struct http_chunks *chunks, unsigned char c) {
    const bool first = chunks->state == CHUNKS_TRAILER;
    if (first && c == '\r') {
        chunks->state = CHUNKS_END_LF;
        return true;
    }
    chunks->state = c == ':' && !first ? CHUNKS_TRAILER_VALUE : CHUNKS_TRAILER_NAME;
    const char byte = (char)c;
    return ++chunks->line_bytes <= CHUNKS_TRAILERS_MAX &&
           (chunks->state == CHUNKS_TRAILER_VALUE || http_guard_token_length((struct str){&byte, 1}) == 1);
}

static bool chunks_trailer_value_byte(struct http_chunks *chunks, unsigned char c) {
    if (c == '\r') {
        chunks->state = CHUNKS_TRAILER_LF;
        return true;
    }
    return ++chunks->line_bytes <= CHUNKS_TRAILERS_MAX && is_value_byte(c);
}

static bool chunks_expect(struct http_chunks *chunks, unsigned char c, char wanted, enum chunks_state next) {
    chunks->state = next;
    return c == (unsigned char)wanted;
}

static bool chunks_byte(struct http_chunks *chunks, unsigned char c) {
    switch ((enum chunks_state)chunks->state) {
    case CHUNKS_SIZE:
        return chunks_size_byte(chunks, c);
    case CHUNKS_EXTENSION:
        return chunks_extension_byte(chunks, c);
    case CHUNKS_SIZE_LF:
        chunks->digits = 0;
        chunks->line_bytes = 0;
        return chunks_expect(chunks, c, '\n', chunks->remaining > 0 ? CHUNKS_DATA : CHUNKS_TRAILER);
    case CHUNKS_DATA_CR:
        return chunks_expect(chunks, c, '\r', CHUNKS_DATA_LF);
    case CHUNKS_DATA_LF:
        return chunks_expect(chunks, c, '\n', CHUNKS_SIZE);
    case CHUNKS_TRAILER:
    case CHUNKS_TRAILER_NAME:
        return chunks_name_byte(chunks, c);
    case CHUNKS_TRAILER_VALUE:
        return chunks_trailer_value_byte(chunks, c);
    case CHUNKS_TRAILER_LF:
        return chunks_expect(chunks, c, '\n', CHUNKS_TRAILER);
    case CHUNKS_END_LF:
        return chunks_expect(chunks, c, '\n', CHUNKS_DONE);
    case CHUNKS_DATA:
    case CHUNKS_DONE:
        break;
    }
    return false;
}

bool http_chunks_next(struct http_chunks *chunks, struct str data, size_t *used, struct str *payload, bool *done) {
    size_t i = 0;
    bool valid = true;
    *payload = (struct str){.data = data.data};
    while (valid && i < data.len && chunks->state != CHUNKS_DATA && chunks->state != CHUNKS_DONE) {
        valid = chunks_byte(chunks, (unsigned char)data.data[i++]);
    }
    if (valid && i < data.len && chunks->state == CHUNKS_DATA) {
        size_t len = data.len - i < chunks->remaining ? data.len - i : chunks->remaining;
        *payload = (struct str){.data = data.data + i, .len = len};
        i += len;
        chunks->remaining -= len;
        if (chunks->remaining == 0) {
            chunks->state = CHUNKS_DATA_CR;
        }
    }
    *used = i;
    *done = valid && chunks->state == CHUNKS_DONE;
    return valid;
}

bool http_chunks_feed(struct http_chunks *chunks, struct str data, size_t *used, bool *done) {
    *used = 0;
    *done = false;
    do {
        size_t piece;
        struct str payload;
        struct str rest = {.data = data.data + *used, .len = data.len - *used};
        if (!http_chunks_next(chunks, rest, &piece, &payload, done)) {
            return false;
        }
        *used += piece;
    } while (!*done && *used < data.len);
    return true;
}
