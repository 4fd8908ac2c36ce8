#include "net/websocket.h"

#include "base/digest.h"

#include <string.h>

enum {
    FIN_BIT = 0x80,
    RESERVED_BITS = 0x70,
    OPCODE_BITS = 0x0f,
    MASK_BIT = 0x80,
    LENGTH_BITS = 0x7f,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
    CONTROL_MAX = 125,
    MASK_SIZE = 4,
    /* Masked messages up to this size are unmasked on the stack instead of the heap. */
    STACK_MESSAGE = 4096,
};

void ws_decoder_init(struct ws_decoder *decoder, enum ws_role role, size_t max_message, const struct ws_events *events,
                     void *context) {
    *decoder = (struct ws_decoder){.role = role, .max_message = max_message, .events = events, .context = context};
    buf_init(&decoder->pending, max_message);
}

void ws_decoder_clear(struct ws_decoder *decoder) {
    buf_clear(&decoder->pending);
    decoder->closed = true;
}

void ws_decoder_stop(struct ws_decoder *decoder) {
    decoder->closed = true;
}

void ws_mask(char *out, const char *in, size_t len, const uint8_t mask[4], size_t at) {
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = mask[(at + i) % MASK_SIZE];
    }
    uint64_t wide = 0;
    memcpy(&wide, bytes, sizeof(wide));
    size_t i = 0;
    for (; i + sizeof(wide) <= len; i += sizeof(wide)) {
        uint64_t word = 0;
        memcpy(&word, in + i, sizeof(word));
        word ^= wide;
        memcpy(out + i, &word, sizeof(word));
    }
    for (; i < len; i++) {
        out[i] = (char)((uint8_t)in[i] ^ bytes[i % sizeof(bytes)]);
    }
}

static uint16_t refuse(uint16_t code, const char *sentence, const char **why) {
    *why = sentence;
    return code;
}

static bool opcode_is_control(unsigned opcode) {
    return opcode >= WS_CLOSE;
}

static uint16_t check_first_byte(const struct ws_decoder *decoder, uint8_t byte, const char **why) {
    if (byte & RESERVED_BITS) {
        return refuse(WS_CLOSE_PROTOCOL, "a reserved bit is set", why);
    }
    unsigned opcode = byte & OPCODE_BITS;
    if ((opcode > WS_BINARY && opcode < WS_CLOSE) || opcode > WS_PONG) {
        return refuse(WS_CLOSE_PROTOCOL, "unknown opcode", why);
    }
    if (opcode_is_control(opcode)) {
        return byte & FIN_BIT ? 0 : refuse(WS_CLOSE_PROTOCOL, "fragmented control frame", why);
    }
    if (opcode == WS_CONTINUATION && !decoder->in_message) {
        return refuse(WS_CLOSE_PROTOCOL, "continuation without a message to continue", why);
    }
    if (opcode != WS_CONTINUATION && decoder->in_message) {
        return refuse(WS_CLOSE_PROTOCOL, "new message inside a fragmented one", why);
    }
    return 0;
}

static uint16_t check_second_byte(const struct ws_decoder *decoder, const uint8_t *bytes, const char **why) {
    bool masked = (bytes[1] & MASK_BIT) != 0;
    if (masked != (decoder->role == WS_SERVER)) {
        return refuse(WS_CLOSE_PROTOCOL, masked ? "masked frame from a server" : "unmasked frame from a client", why);
    }
    if (opcode_is_control(bytes[0] & OPCODE_BITS) && (bytes[1] & LENGTH_BITS) > CONTROL_MAX) {
        return refuse(WS_CLOSE_PROTOCOL, "control frame over 125 bytes", why);
    }
    return 0;
}

/* RFC 6455 5.2: the minimal number of bytes, the most significant bit 0. */
static uint16_t read_length(const uint8_t *bytes, unsigned short_length, uint64_t *length, const char **why) {
    *length = short_length;
    if (short_length < LENGTH_16) {
        return 0;
    }
    size_t size = short_length == LENGTH_16 ? 2 : 8;
    *length = 0;
    for (size_t i = 0; i < size; i++) {
        *length = *length << 8 | bytes[i];
    }
    if (*length >> 63) {
        return refuse(WS_CLOSE_PROTOCOL, "frame length with its top bit set", why);
    }
    if (*length <= (size == 2 ? CONTROL_MAX : UINT16_MAX)) {
        return refuse(WS_CLOSE_PROTOCOL, "frame length not in its shortest form", why);
    }
    return 0;
}

static void begin_frame(struct ws_decoder *decoder, uint8_t first, uint64_t length) {
    decoder->in_frame = true;
    decoder->fin = (first & FIN_BIT) != 0;
    decoder->frame_opcode = (enum ws_opcode)(first & OPCODE_BITS);
    decoder->frame_remaining = length;
    decoder->mask_at = 0;
    decoder->control_len = 0;
    if (decoder->frame_opcode == WS_TEXT || decoder->frame_opcode == WS_BINARY) {
        decoder->message_opcode = decoder->frame_opcode;
        utf8_stream_init(&decoder->utf8);
    }
}

/* Each byte is judged as soon as it is there, so the verdict does not depend on how the input was split. *size is the
 * header's length, or 0 while some of it is missing. */
static uint16_t parse_header(struct ws_decoder *decoder, const uint8_t *bytes, size_t available, size_t *size,
                             const char **why) {
    *size = 0;
    uint16_t code = check_first_byte(decoder, bytes[0], why);
    if (code || available < 2) {
        return code;
    }
    code = check_second_byte(decoder, bytes, why);
    if (code) {
        return code;
    }
    unsigned short_length = bytes[1] & LENGTH_BITS;
    size_t length_end = 2 + (short_length < LENGTH_16 ? 0 : short_length == LENGTH_16 ? 2 : 8);
    if (available < length_end) {
        return 0;
    }
    uint64_t length = 0;
    code = read_length(bytes + 2, short_length, &length, why);
    if (code) {
        return code;
    }
    if (!opcode_is_control(bytes[0] & OPCODE_BITS) &&
        (length > decoder->max_message || decoder->pending.len > decoder->max_message - length)) {
        return refuse(WS_CLOSE_TOO_BIG, "message too large", why);
    }
    size_t total = length_end + (decoder->role == WS_SERVER ? MASK_SIZE : 0);
    if (available < total) {
        return 0;
    }
    if (decoder->role == WS_SERVER) {
        memcpy(decoder->mask, bytes + length_end, MASK_SIZE);
    }
    begin_frame(decoder, bytes[0], length);
    *size = total;
    return 0;
}

static uint16_t feed_header(struct ws_decoder *decoder, const char *data, size_t len, size_t *used, const char **why) {
    size_t size = 0;
    if (decoder->header_len == 0) {
        uint16_t code = parse_header(decoder, (const uint8_t *)data, len, &size, why);
        if (!code && !size) { /* len is below the longest header, 14 */
            memcpy(decoder->header, data, len);
            decoder->header_len = (uint8_t)len;
            size = len;
        }
        *used = size;
        return code;
    }
    size_t had = decoder->header_len;
    size_t room = sizeof(decoder->header) - had;
    size_t taken = len < room ? len : room;
    memcpy(decoder->header + had, data, taken);
    uint16_t code = parse_header(decoder, decoder->header, had + taken, &size, why);
    if (size) {
        decoder->header_len = 0;
        *used = size - had;
    } else {
        decoder->header_len = (uint8_t)(had + taken);
        *used = taken;
    }
    return code;
}

static uint16_t deliver(struct ws_decoder *decoder, struct str payload) {
    decoder->in_frame = false;
    decoder->in_message = false;
    decoder->events->on_message(decoder->context, decoder->message_opcode, payload);
    return 0;
}

/* A message that is one frame and lies whole in the input. */
static uint16_t finish_whole(struct ws_decoder *decoder, const char *data, size_t len, const char **why) {
    char stack[STACK_MESSAGE];
    const char *payload = data;
    if (decoder->role == WS_SERVER) {
        char *out = stack;
        if (len > sizeof(stack)) {
            decoder->pending.limit = decoder->max_message;
            out = buf_reserve(&decoder->pending, len);
            if (!out) {
                return refuse(WS_CLOSE_TOO_BIG, "message too large", why);
            }
        }
        ws_mask(out, data, len, decoder->mask, 0);
        payload = out;
    }
    if (decoder->message_opcode == WS_TEXT && !utf8_valid(payload, len)) {
        return refuse(WS_CLOSE_INVALID_DATA, "text that is not UTF-8", why);
    }
    deliver(decoder, (struct str){payload, len});
    if (len > sizeof(stack)) {
        buf_clear(&decoder->pending);
    }
    return 0;
}

static void copy_payload(struct ws_decoder *decoder, char *out, const char *data, size_t len) {
    if (decoder->role == WS_SERVER) {
        ws_mask(out, data, len, decoder->mask, decoder->mask_at);
        decoder->mask_at = (uint8_t)((decoder->mask_at + len) % MASK_SIZE);
    } else {
        memcpy(out, data, len);
    }
    decoder->frame_remaining -= len;
}

static uint16_t finish_message(struct ws_decoder *decoder, const char **why) {
    if (decoder->message_opcode == WS_TEXT && !utf8_stream_done(&decoder->utf8)) {
        return refuse(WS_CLOSE_INVALID_DATA, "text that is not UTF-8", why);
    }
    deliver(decoder, buf_str(&decoder->pending));
    buf_clear(&decoder->pending);
    return 0;
}

static uint16_t feed_data(struct ws_decoder *decoder, const char *data, size_t len, const char **why) {
    if (decoder->fin && !decoder->in_message && decoder->pending.len == 0 && len == decoder->frame_remaining) {
        return finish_whole(decoder, data, len, why);
    }
    if (len > 0) {
        decoder->pending.limit = decoder->max_message;
        char *out = buf_reserve(&decoder->pending, len);
        if (!out) { /* the limit was lowered in mid-message */
            return refuse(WS_CLOSE_TOO_BIG, "message too large", why);
        }
        copy_payload(decoder, out, data, len);
        decoder->pending.len += len;
        if (decoder->message_opcode == WS_TEXT && !utf8_stream_feed(&decoder->utf8, out, len)) {
            return refuse(WS_CLOSE_INVALID_DATA, "text that is not UTF-8", why);
        }
    }
    if (decoder->frame_remaining > 0) {
        return 0;
    }
    if (decoder->fin) {
        return finish_message(decoder, why);
    }
    decoder->in_frame = false;
    decoder->in_message = true;
    return 0;
}

/* RFC 6455 7.4 and the IANA registry (1012 to 1014). */
static bool close_code_may_be_sent(uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static uint16_t finish_close(struct ws_decoder *decoder, struct str payload, const char **why) {
    uint16_t code = WS_CLOSE_NO_STATUS;
    if (payload.len == 1) {
        return refuse(WS_CLOSE_PROTOCOL, "close frame with half a code", why);
    }
    if (payload.len >= 2) {
        code = (uint16_t)(decoder->control[0] << 8 | decoder->control[1]);
        if (!close_code_may_be_sent(code)) {
            return refuse(WS_CLOSE_PROTOCOL, "close code that must not be sent", why);
        }
        payload = (struct str){payload.data + 2, payload.len - 2};
        if (!utf8_valid(payload.data, payload.len)) {
            return refuse(WS_CLOSE_INVALID_DATA, "close reason that is not UTF-8", why);
        }
    }
    decoder->closed = true;
    decoder->events->on_control(decoder->context, WS_CLOSE, code, payload);
    return 0;
}

static uint16_t feed_control(struct ws_decoder *decoder, const char *data, size_t len, const char **why) {
    copy_payload(decoder, (char *)decoder->control + decoder->control_len, data, len);
    decoder->control_len = (uint8_t)(decoder->control_len + len);
    if (decoder->frame_remaining > 0) {
        return 0;
    }
    decoder->in_frame = false;
    struct str payload = {(const char *)decoder->control, decoder->control_len};
    if (decoder->frame_opcode == WS_CLOSE) {
        return finish_close(decoder, payload, why);
    }
    decoder->events->on_control(decoder->context, decoder->frame_opcode, 0, payload);
    return 0;
}

static uint16_t feed_payload(struct ws_decoder *decoder, const char *data, size_t len, size_t *used, const char **why) {
    size_t piece = len < decoder->frame_remaining ? len : (size_t)decoder->frame_remaining;
    *used = piece;
    if (opcode_is_control(decoder->frame_opcode)) {
        return feed_control(decoder, data, piece, why);
    }
    return feed_data(decoder, data, piece, why);
}

uint16_t ws_decoder_feed(struct ws_decoder *decoder, struct str data, const char **why) {
    const char *at = data.data;
    size_t left = data.len;
    uint16_t code = 0;
    /* An empty frame is complete with its header: it needs no further byte. */
    while (!code && !decoder->closed && (left > 0 || (decoder->in_frame && decoder->frame_remaining == 0))) {
        size_t used = 0;
        code = decoder->in_frame ? feed_payload(decoder, at, left, &used, why)
                                 : feed_header(decoder, at, left, &used, why);
        at += used;
        left -= used;
    }
    if (code) {
        decoder->closed = true;
    }
    if (decoder->closed) {
        buf_clear(&decoder->pending);
    }
    return code;
}

size_t ws_write_header(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, size_t payload_len, const uint8_t mask[4]) {
    uint8_t mask_bit = mask ? MASK_BIT : 0;
    out[0] = (uint8_t)(FIN_BIT | (unsigned)opcode);
    size_t len = 2;
    if (payload_len < LENGTH_16) {
        out[1] = (uint8_t)(mask_bit | payload_len);
    } else {
        size_t size = payload_len <= UINT16_MAX ? 2 : 8;
        out[1] = (uint8_t)(mask_bit | (size == 2 ? LENGTH_16 : LENGTH_64));
        for (size_t i = 0; i < size; i++) {
            out[len++] = (uint8_t)((uint64_t)payload_len >> (8 * (size - 1 - i)));
        }
    }
    if (mask) {
        memcpy(out + len, mask, MASK_SIZE);
        len += MASK_SIZE;
    }
    return len;
}

void ws_write_frame(struct buf *out, enum ws_opcode opcode, struct str payload, const uint8_t mask[4]) {
    uint8_t header[WS_HEADER_MAX];
    size_t header_len = ws_write_header(header, opcode, payload.len, mask);
    char *at = buf_reserve(out, header_len + payload.len);
    if (!at) {
        return; /* out->overflow is set */
    }
    memcpy(at, header, header_len);
    if (mask) {
        ws_mask(at + header_len, payload.data, payload.len, mask, 0);
    } else if (payload.len > 0) {
        memcpy(at + header_len, payload.data, payload.len);
    }
    out->len += header_len + payload.len;
}

void ws_write_close(struct buf *out, uint16_t code, struct str reason, const uint8_t mask[4]) {
    char payload[CONTROL_MAX];
    size_t len = 0;
    if (code != WS_CLOSE_NO_STATUS) {
        payload[len++] = (char)(code >> 8);
        payload[len++] = (char)(code & 0xff);
        size_t room = sizeof(payload) - len;
        size_t cut = reason.len > room ? utf8_whole_prefix(reason.data, room) : reason.len;
        if (cut > 0) {
            memcpy(payload + len, reason.data, cut);
        }
        len += cut;
    }
    ws_write_frame(out, WS_CLOSE, (struct str){payload, len}, mask);
}

void ws_accept_key(struct str key, char out[29]) {
    static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
    struct buf text;
    buf_init(&text, key.len + sizeof(GUID));
    buf_append_str(&text, key);
    buf_append_cstr(&text, GUID);
    uint8_t digest[DIGEST_SHA1_SIZE];
    digest_sha1(text.data, text.len, digest);
    buf_clear(&text);
    digest_base64_encode(digest, sizeof(digest), out);
}
