#include "base/utf8.h"

#include "base/compiler.h"

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

/* The code point of a valid character. */
static uint32_t code_point(const unsigned char *data, size_t used) {
    static const uint8_t FIRST_BITS[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = data[0] & FIRST_BITS[used < COUNT_OF(FIRST_BITS) ? used : 0];
    for (size_t i = 1; i < used; i++) {
        code = code << 6 | (data[i] & 0x3FU);
    }
    return code;
}

bool utf8_steers(const char *data, size_t used) {
    static const struct {
        uint32_t first, last;
    } RANGES[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x61C, 0x61C},  {0x200E, 0x200F},
                  {0x2028, 0x202E}, {0x2066, 0x206F}, {0xFEFF, 0xFEFF}};
    const uint32_t code = code_point((const unsigned char *)data, used);
    for (size_t i = 0; i < COUNT_OF(RANGES); i++) {
        if (code >= RANGES[i].first && code <= RANGES[i].last) {
            return true;
        }
    }
    return false;
}

char *utf8_neutralise(char *text) {
    const size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        bool valid;
        const size_t used = utf8_sequence(text + at, len - at, &valid);
        if (!valid || utf8_steers(text + at, used)) {
            memset(text + at, '?', used);
        }
        at += used;
    }
    return text;
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
