/* The WebSocket codec: first byte = role and way of splitting, the rest = what the peer sends. Property: however the
 * input is split, the same events and the same verdict come out; and what ws_write_frame writes reads back. */
#include "base/buf.h"
#include "base/mem.h"
#include "net/websocket.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_MESSAGE = 600, LOG_LIMIT = 64 << 20 };

static void log_event(struct buf *log, unsigned kind, unsigned code, struct str payload) {
    buf_append_format(log, "%u %u %zu:", kind, code, payload.len);
    buf_append_str(log, payload);
}

static void on_message(void *context, enum ws_opcode opcode, struct str payload) {
    log_event(context, (unsigned)opcode, 0, payload);
}

static void on_control(void *context, enum ws_opcode opcode, uint16_t code, struct str payload) {
    log_event(context, (unsigned)opcode, code, payload);
}

static const struct ws_events EVENTS = {.on_message = on_message, .on_control = on_control};

static void run(struct buf *log, enum ws_role role, struct str input, size_t split) {
    struct ws_decoder decoder;
    ws_decoder_init(&decoder, role, MAX_MESSAGE, &EVENTS, log);
    for (size_t at = 0; at < input.len;) {
        size_t piece = input.len - at < split ? input.len - at : split;
        char *copy = mem_alloc(piece);
        memcpy(copy, input.data + at, piece);
        const char *why = "";
        uint16_t verdict = ws_decoder_feed(&decoder, (struct str){copy, piece}, &why);
        free(copy);
        if (verdict) {
            buf_append_format(log, "failed %u %s;", verdict, why);
        }
        at += piece;
    }
    ws_decoder_clear(&decoder);
}

static void check_round_trip(enum ws_role role, struct str payload) {
    const uint8_t mask[4] = {0x12, 0xab, 0x00, 0xff};
    if (payload.len > MAX_MESSAGE) {
        payload.len = MAX_MESSAGE;
    }
    struct buf frame, log, expected;
    buf_init(&frame, LOG_LIMIT);
    buf_init(&log, LOG_LIMIT);
    buf_init(&expected, LOG_LIMIT);
    ws_write_frame(&frame, WS_BINARY, payload, role == WS_SERVER ? mask : NULL);
    run(&log, role, buf_str(&frame), SIZE_MAX);
    log_event(&expected, WS_BINARY, 0, payload);
    if (!str_equal(buf_str(&log), buf_str(&expected))) {
        abort();
    }
    buf_clear(&frame);
    buf_clear(&log);
    buf_clear(&expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    enum ws_role role = data[0] & 1 ? WS_SERVER : WS_CLIENT;
    size_t split = 1 + (data[0] >> 1) % 16;
    struct str input = {(const char *)data + 1, size - 1};
    struct buf whole, pieces;
    buf_init(&whole, LOG_LIMIT);
    buf_init(&pieces, LOG_LIMIT);
    run(&whole, role, input, SIZE_MAX);
    run(&pieces, role, input, split);
    if (!str_equal(buf_str(&whole), buf_str(&pieces))) {
        abort();
    }
    buf_clear(&whole);
    buf_clear(&pieces);
    check_round_trip(role, input);
    return 0;
}
