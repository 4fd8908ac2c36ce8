/* WebSocket (RFC 6455): the codec, pure. Full framing: fragmentation, control frames in between, masking rules by role,
 * UTF-8 checks over fragments, close codes. No extensions. */
#ifndef NATARIS_NET_WEBSOCKET_H
#define NATARIS_NET_WEBSOCKET_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };
enum ws_role { WS_SERVER, WS_CLIENT }; /* who we are: a server demands masked frames, a client unmasked ones */
enum ws_close_code {                   /* RFC 6455 7.4.1 */
                     WS_CLOSE_NORMAL = 1000,
                     WS_CLOSE_GOING_AWAY = 1001,
                     WS_CLOSE_PROTOCOL = 1002,
                     WS_CLOSE_UNSUPPORTED = 1003,
                     WS_CLOSE_NO_STATUS = 1005, /* never sent */
                     WS_CLOSE_INVALID_DATA = 1007,
                     WS_CLOSE_POLICY = 1008,
                     WS_CLOSE_TOO_BIG = 1009,
                     WS_CLOSE_INTERNAL = 1011,
};

struct ws_events {
    /* A whole message (fragments joined); borrowed for the call. */
    void (*on_message)(void *context, enum ws_opcode text_or_binary, struct str payload);
    /* PING, PONG or CLOSE. For CLOSE `code` is its status (WS_CLOSE_NO_STATUS when absent) and payload the reason. */
    void (*on_control)(void *context, enum ws_opcode opcode, uint16_t code, struct str payload);
};

/* A decoder keeps no buffer while it is between frames, so an idle link costs its struct only. */
struct ws_decoder {
    enum ws_role role;
    size_t max_message;
    const struct ws_events *events;
    void *context;
    struct buf pending; /* bytes of an incomplete frame or message; freed when empty */
    uint8_t header[14];
    uint8_t header_len;
    uint8_t control_len;
    uint8_t control[125];
    bool in_frame, in_message, closed;
    enum ws_opcode frame_opcode, message_opcode;
    bool fin;
    uint64_t frame_remaining;
    uint8_t mask[4];
    uint8_t mask_at;
    struct utf8_stream utf8;
};

void ws_decoder_init(struct ws_decoder *decoder, enum ws_role role, size_t max_message, const struct ws_events *events,
                     void *context);
void ws_decoder_clear(struct ws_decoder *decoder);
/* Feeds bytes; calls the events as messages complete. Returns 0, or the close code to fail the connection with (and
 * *why, a constant sentence). After an error or a CLOSE, further bytes are ignored. Events must not free the decoder;
 * calling ws_decoder_stop inside one makes the feed return early. */
MUST_CHECK uint16_t ws_decoder_feed(struct ws_decoder *decoder, struct str data, const char **why);
void ws_decoder_stop(struct ws_decoder *decoder);

/* Appends one whole frame (FIN set). Clients pass four random bytes as mask, servers NULL. */
void ws_write_frame(struct buf *out, enum ws_opcode opcode, struct str payload, const uint8_t mask[4]);
void ws_write_close(struct buf *out, uint16_t code, struct str reason,
                    const uint8_t mask[4]); /* reason cut to 123 bytes */

/* The parts of ws_write_frame, for writers that copy the payload themselves: the header (its length is returned), and
 * the payload XOR the mask, `at` bytes into the frame. `out` may be `in`. */
enum { WS_HEADER_MAX = 14 };
size_t ws_write_header(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, size_t payload_len, const uint8_t mask[4]);
void ws_mask(char *out, const char *in, size_t len, const uint8_t mask[4], size_t at);

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 4.2.2); out has 29 bytes. */
void ws_accept_key(struct str key, char out[29]);

#endif
