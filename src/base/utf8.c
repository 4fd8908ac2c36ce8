#include "base/utf8.h"

#include <string.h>

/* The well-formed byte sequences of Unicode table 3-7: only the second byte's range depends on the first byte. */
static bool utf8_step(struct utf8_stream *stream, uint8_t byte) {
    if (stream->needed > 0) {
        if (byte < stream->low || byte > stream->high) {
            return false;
        }
        stream->needed--;
        stream->low = 0x80;
        stream->high = 0xbf;
        return true;
    }
    if (byte < 0x80) {
        return true;
    }
    if (byte < 0xc2 || byte > 0xf4) {
        return false; /* a continuation byte, or a lead byte of overlong forms or of code points over U+10FFFF */
    }
    stream->needed = (uint8_t)(byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3);
    stream->low = (uint8_t)(byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80);  /* no overlong forms */
    stream->high = (uint8_t)(byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf); /* no surrogates, U+10FFFF at most */
    return true;
}

void utf8_stream_init(struct utf8_stream *stream) {
    *stream = (struct utf8_stream){0};
}

static size_t utf8_skip_ascii(const char *data, size_t at, size_t len) {
    uint64_t word;
    while (len - at >= sizeof(word)) {
        memcpy(&word, data + at, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        at += sizeof(word);
    }
    return at;
}

bool utf8_stream_feed(struct utf8_stream *stream, const char *data, size_t len) {
    if (stream->broken) {
        return false;
    }
    size_t at = 0;
    while (at < len) {
        if (stream->needed == 0) {
            at = utf8_skip_ascii(data, at, len);
            if (at == len) {
                break;
            }
        }
        if (!utf8_step(stream, (uint8_t)data[at])) {
            stream->broken = true;
            return false;
        }
        at++;
    }
    return true;
}

bool utf8_stream_done(const struct utf8_stream *stream) {
    return !stream->broken && stream->needed == 0;
}

bool utf8_valid(const char *data, size_t len) {
    struct utf8_stream stream;
    utf8_stream_init(&stream);
    return utf8_stream_feed(&stream, data, len) && utf8_stream_done(&stream);
}

size_t utf8_sequence(const char *data, size_t len, bool *valid) {
    struct utf8_stream stream;
    utf8_stream_init(&stream);
    size_t at = 0;
    *valid = false;
    while (at < len && utf8_step(&stream, (uint8_t)data[at])) {
        at++;
        if (stream.needed == 0) {
            *valid = true;
            return at;
        }
    }
    return at > 0 ? at : 1;
}

size_t utf8_whole_prefix(const char *data, size_t len) {
    /* An incomplete character is at most three bytes long and starts with a lead byte. */
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        uint8_t byte = (uint8_t)data[len - back];
        if (byte >= 0xc0) {
            struct utf8_stream stream;
            utf8_stream_init(&stream);
            bool possible = utf8_stream_feed(&stream, data + len - back, back);
            return possible && stream.needed > 0 ? len - back : len;
        }
        if (byte < 0x80) {
            break;
        }
    }
    return len;
}
