/* The codec, case by case, in the order of the Autobahn suite: framing, pings, reserved bits, opcodes, fragmentation,
 * UTF-8, close handling, limits. Every case runs in both roles and with the input split in several ways. */
#include "base/buf.h"
#include "base/mem.h"
#include "net/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_MESSAGE = 100000, FRAMES_MAX = 8, LOG_LIMIT = 8 << 20 };

static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};
static const enum ws_role ROLES[] = {WS_SERVER, WS_CLIENT};
static const size_t SPLITS[] = {SIZE_MAX, 1, 2, 3, 7, 13, 126, 1021};

/* What the decoder reported, as text: "text(Hello) ping() close(1000,bye)". */
struct recorder {
    struct buf log;
    struct ws_decoder *stop_at_message; /* stop it there */
};

static void record_payload(struct buf *log, struct str payload) {
    for (size_t i = 0; i < payload.len; i++) {
        unsigned char byte = (unsigned char)payload.data[i];
        if (byte >= ' ' && byte < 0x7f) {
            buf_append(log, &payload.data[i], 1);
        } else {
            buf_append_format(log, "\\%02x", byte);
        }
    }
}

static void on_message(void *context, enum ws_opcode opcode, struct str payload) {
    struct recorder *recorder = context;
    assert_true(opcode == WS_TEXT || opcode == WS_BINARY);
    buf_append_format(&recorder->log, "%s%s(", recorder->log.len ? " " : "", opcode == WS_TEXT ? "text" : "binary");
    record_payload(&recorder->log, payload);
    buf_append_cstr(&recorder->log, ")");
    if (recorder->stop_at_message) {
        ws_decoder_stop(recorder->stop_at_message);
    }
}

static void on_control(void *context, enum ws_opcode opcode, uint16_t code, struct str payload) {
    struct recorder *recorder = context;
    const char *space = recorder->log.len ? " " : "";
    if (opcode == WS_CLOSE) {
        buf_append_format(&recorder->log, "%sclose(%u%s", space, code, payload.len ? "," : "");
    } else {
        buf_append_format(&recorder->log, "%s%s(", space, opcode == WS_PING ? "ping" : "pong");
    }
    record_payload(&recorder->log, payload);
    buf_append_cstr(&recorder->log, ")");
}

static const struct ws_events EVENTS = {.on_message = on_message, .on_control = on_control};

/* Returns the verdict; the log is in `recorder`. */
static uint16_t run(struct recorder *recorder, enum ws_role role, struct str input, size_t split, size_t max_message) {
    struct ws_decoder decoder;
    ws_decoder_init(&decoder, role, max_message, &EVENTS, recorder);
    uint16_t verdict = 0;
    const char *why = NULL;
    for (size_t at = 0; at < input.len;) {
        size_t piece = input.len - at < split ? input.len - at : split;
        char *copy = mem_alloc(piece); /* exactly sized, so that a sanitizer sees every read past the piece */
        memcpy(copy, input.data + at, piece);
        uint16_t code = ws_decoder_feed(&decoder, (struct str){copy, piece}, &why);
        free(copy);
        at += piece;
        if (code) {
            assert_int_equal(verdict, 0);
            assert_non_null(why);
            verdict = code;
        }
    }
    if (!decoder.in_frame && !decoder.in_message) {
        assert_null(decoder.pending.data);
    }
    ws_decoder_clear(&decoder);
    return verdict;
}

static void expect(enum ws_role role, struct str input, const char *events, uint16_t verdict, size_t max_message,
                   const char *name) {
    for (size_t i = 0; i < COUNT_OF(SPLITS); i++) {
        struct recorder recorder = {0};
        buf_init(&recorder.log, LOG_LIMIT);
        uint16_t got = run(&recorder, role, input, SPLITS[i], max_message);
        if (got != verdict || strcmp(buf_cstr(&recorder.log), events) != 0) {
            fail_msg("%s, %s, split %zu: got verdict %u and \"%.200s\"", name, role == WS_SERVER ? "server" : "client",
                     SPLITS[i], got, buf_cstr(&recorder.log));
        }
        buf_clear(&recorder.log);
    }
}

/* A frame as the peer of `role` would send it, with any first byte. */
static void append_frame(struct buf *out, enum ws_role role, uint8_t first, struct str payload) {
    const uint8_t *mask = role == WS_SERVER ? MASK : NULL;
    size_t at = out->len;
    ws_write_frame(out, WS_BINARY, payload, mask);
    out->data[at] = (char)first;
}

struct frame {
    uint8_t first;
    struct str payload;
};

struct message_case {
    const char *name;
    struct frame frames[FRAMES_MAX];
    const char *events;
    uint16_t verdict;
};

#define F(first_byte, literal)                                                                                         \
    {                                                                                                                  \
        first_byte, {                                                                                                  \
            "" literal, sizeof(literal) - 1                                                                            \
        }                                                                                                              \
    }
enum { CONT = 0x00, TEXT = 0x01, BIN = 0x02, FIN = 0x80, CLOSE = 0x88, PING = 0x89, PONG = 0x8a };

static void run_message_cases(const struct message_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t r = 0; r < COUNT_OF(ROLES); r++) {
            struct buf input;
            buf_init(&input, 1 << 20);
            for (size_t f = 0; f < FRAMES_MAX && cases[i].frames[f].payload.data; f++) {
                append_frame(&input, ROLES[r], cases[i].frames[f].first, cases[i].frames[f].payload);
            }
            expect(ROLES[r], buf_str(&input), cases[i].events, cases[i].verdict, MAX_MESSAGE, cases[i].name);
            buf_clear(&input);
        }
    }
}

static const struct message_case MESSAGE_CASES[] = {
    {"1 empty text", {F(FIN | TEXT, "")}, "text()", 0},
    {"1 text", {F(FIN | TEXT, "Hello")}, "text(Hello)", 0},
    {"1 empty binary", {F(FIN | BIN, "")}, "binary()", 0},
    {"1 binary of any bytes", {F(FIN | BIN, "\xff\x00\x80")}, "binary(\\ff\\00\\80)", 0},
    {"1 several messages",
     {F(FIN | TEXT, "a"), F(FIN | BIN, "bb"), F(FIN | TEXT, ""), F(FIN | TEXT, "ccc")},
     "text(a) binary(bb) text() text(ccc)",
     0},
    {"2 empty ping", {F(PING, "")}, "ping()", 0},
    {"2 ping with payload", {F(PING, "\x00\xff hi")}, "ping(\\00\\ff hi)", 0},
    {"2 unsolicited pong", {F(PONG, "x"), F(PING, "y")}, "pong(x) ping(y)", 0},
    {"2 ten pings in a row, cut to eight",
     {F(PING, "1"), F(PING, "2"), F(PING, "3"), F(PING, "4"), F(PING, "5"), F(PING, "6"), F(PING, "7"), F(PING, "8")},
     "ping(1) ping(2) ping(3) ping(4) ping(5) ping(6) ping(7) ping(8)",
     0},
    {"3 RSV1", {F(0x40 | FIN | TEXT, "x")}, "", 1002},
    {"3 RSV2", {F(FIN | TEXT, "a"), F(0x20 | FIN | TEXT, "x")}, "text(a)", 1002},
    {"3 RSV3", {F(FIN | TEXT, "a"), F(0x10 | FIN | BIN, "x")}, "text(a)", 1002},
    {"3 RSV1 and 3 on ping", {F(0x50 | PING, "x")}, "", 1002},
    {"3 RSV1 on close", {F(0x40 | CLOSE, "")}, "", 1002},
    {"4 opcode 3", {F(FIN | 3, "")}, "", 1002},
    {"4 opcode 4", {F(FIN | 4, "x")}, "", 1002},
    {"4 opcode 5", {F(FIN | TEXT, "a"), F(FIN | 5, ""), F(PING, "")}, "text(a)", 1002},
    {"4 opcode 6", {F(FIN | 6, "x")}, "", 1002},
    {"4 opcode 7", {F(FIN | 7, "x")}, "", 1002},
    {"4 opcode 11", {F(FIN | 11, "")}, "", 1002},
    {"4 opcode 12", {F(FIN | 12, "x")}, "", 1002},
    {"4 opcode 13", {F(FIN | TEXT, "a"), F(FIN | 13, "")}, "text(a)", 1002},
    {"4 opcode 14", {F(FIN | 14, "x")}, "", 1002},
    {"4 opcode 15", {F(FIN | 15, "x")}, "", 1002},
    {"5 fragmented ping", {F(0x09, "a"), F(FIN | CONT, "b")}, "", 1002},
    {"5 fragmented pong", {F(0x0a, "a"), F(FIN | CONT, "b")}, "", 1002},
    {"5 fragmented close", {F(0x08, "")}, "", 1002},
    {"5 two fragments", {F(TEXT, "frag"), F(FIN | CONT, "ment")}, "text(fragment)", 0},
    {"5 ping in the middle", {F(TEXT, "frag"), F(PING, "p"), F(FIN | CONT, "ment")}, "ping(p) text(fragment)", 0},
    {"5 pings between five fragments",
     {F(BIN, "1"), F(CONT, "2"), F(PING, "a"), F(CONT, "3"), F(CONT, "4"), F(PONG, "b"), F(FIN | CONT, "5")},
     "ping(a) pong(b) binary(12345)",
     0},
    {"5 empty fragments", {F(TEXT, ""), F(CONT, ""), F(FIN | CONT, "")}, "text()", 0},
    {"5 only the middle fragment is filled", {F(TEXT, ""), F(CONT, "mid"), F(FIN | CONT, "")}, "text(mid)", 0},
    {"5 continuation first", {F(FIN | CONT, "x"), F(FIN | TEXT, "y")}, "", 1002},
    {"5 open continuation first", {F(CONT, "x"), F(FIN | TEXT, "y")}, "", 1002},
    {"5 continuation after a whole message", {F(FIN | TEXT, "a"), F(FIN | CONT, "b")}, "text(a)", 1002},
    {"5 text inside a fragmented text", {F(TEXT, "a"), F(FIN | TEXT, "b")}, "", 1002},
    {"5 binary inside a fragmented text", {F(TEXT, "a"), F(BIN, "b")}, "", 1002},
    {"5 fragmented, then whole",
     {F(TEXT, "a"), F(FIN | CONT, "b"), F(FIN | BIN, "c"), F(BIN, "d"), F(FIN | CONT, "e")},
     "text(ab) binary(c) binary(de)",
     0},
    {"5 close in the middle", {F(TEXT, "a"), F(CLOSE, "\x03\xe8"), F(FIN | CONT, "b")}, "close(1000)", 0},
    {"7 empty close", {F(CLOSE, "")}, "close(1005)", 0},
    {"7 close with a reason", {F(CLOSE, "\x03\xe9gone")}, "close(1001,gone)", 0},
    {"7 nothing counts after close", {F(CLOSE, "\x03\xe8"), F(FIN | TEXT, "x"), F(FIN | 15, "")}, "close(1000)", 0},
    {"7 half a code", {F(CLOSE, "\x03")}, "", 1002},
    {"7 bad UTF-8 in the reason", {F(CLOSE, "\x03\xe8\xce\xba\xed\xa0\x80")}, "", 1007},
    {"7 cut UTF-8 in the reason", {F(CLOSE, "\x03\xe8\xce")}, "", 1007},
};

static void test_messages(void **state) {
    (void)state;
    run_message_cases(MESSAGE_CASES, COUNT_OF(MESSAGE_CASES));
}

static const struct message_case UTF8_CASES[] = {
    {"6 two-byte characters", {F(FIN | TEXT, "\xc3\xa4\xc3\xb6")}, "text(\\c3\\a4\\c3\\b6)", 0},
    {"6 character over three fragments",
     {F(TEXT, "\xf0\x9f"), F(CONT, "\x98"), F(FIN | CONT, "\x80!")},
     "text(\\f0\\9f\\98\\80!)",
     0},
    {"6 character over an empty fragment",
     {F(TEXT, "\xe2\x82"), F(CONT, ""), F(FIN | CONT, "\xac")},
     "text(\\e2\\82\\ac)",
     0},
    {"6 a ping between the bytes of a character",
     {F(TEXT, "\xe2"), F(PING, "\xff"), F(FIN | CONT, "\x82\xac")},
     "ping(\\ff) text(\\e2\\82\\ac)",
     0},
    {"6 highest code point", {F(FIN | TEXT, "\xf4\x8f\xbf\xbf")}, "text(\\f4\\8f\\bf\\bf)", 0},
    {"6 NUL is a character", {F(FIN | TEXT, "\0")}, "text(\\00)", 0},
    {"6 just below and above the surrogates",
     {F(FIN | TEXT, "\xed\x9f\xbf\xee\x80\x80")},
     "text(\\ed\\9f\\bf\\ee\\80\\80)",
     0},
    {"6 lone continuation byte", {F(FIN | TEXT, "\x80")}, "", 1007},
    {"6 surrogate", {F(FIN | TEXT, "\xed\xa0\x80")}, "", 1007},
    {"6 overlong slash", {F(FIN | TEXT, "\xc0\xaf")}, "", 1007},
    {"6 overlong three bytes", {F(FIN | TEXT, "\xe0\x80\xaf")}, "", 1007},
    {"6 overlong four bytes", {F(FIN | TEXT, "\xf0\x80\x80\xaf")}, "", 1007},
    {"6 over U+10FFFF", {F(FIN | TEXT, "\xf4\x90\x80\x80")}, "", 1007},
    {"6 five-byte form", {F(FIN | TEXT, "\xf8\x88\x80\x80\x80")}, "", 1007},
    {"6 byte FF", {F(FIN | TEXT, "a\xff")}, "", 1007},
    {"6 ends inside a character", {F(FIN | TEXT, "a\xe2\x82")}, "", 1007},
    {"6 ends inside a character over fragments", {F(TEXT, "a\xe2"), F(FIN | CONT, "\x82")}, "", 1007},
    {"6 bad in the first fragment, before the end of the message", {F(TEXT, "a\xff"), F(PING, "never seen")}, "", 1007},
    {"6 bad in the second fragment", {F(TEXT, "\xce\xba"), F(CONT, "\xf4\x90"), F(PING, "")}, "", 1007},
    {"6 the check starts anew",
     {F(FIN | TEXT, "a"), F(FIN | BIN, "\xe2"), F(FIN | TEXT, "b")},
     "text(a) binary(\\e2) text(b)",
     0},
};

static void test_utf8(void **state) {
    (void)state;
    run_message_cases(UTF8_CASES, COUNT_OF(UTF8_CASES));
}

/* A bad byte is refused when it comes in, not at the end of its frame. */
static void test_utf8_fails_early(void **state) {
    (void)state;
    struct recorder recorder = {0};
    struct ws_decoder decoder;
    ws_decoder_init(&decoder, WS_CLIENT, MAX_MESSAGE, &EVENTS, &recorder);
    const char *why = NULL;
    assert_int_equal(ws_decoder_feed(&decoder, STR("\x81\x64ok \xf4"), &why), 0);
    assert_int_equal(ws_decoder_feed(&decoder, STR("\x90"), &why), 1007);
    assert_int_equal(ws_decoder_feed(&decoder, STR("\x90"), &why), 0); /* ignored */
    assert_null(decoder.pending.data);
    ws_decoder_clear(&decoder);
}

struct raw_case {
    const char *name;
    enum ws_role role;
    struct str input;
    const char *events;
    uint16_t verdict;
};

static const struct raw_case RAW_CASES[] = {
    {"RFC 6455 5.7: unmasked Hello", WS_CLIENT, {"\x81\x05Hello", 7}, "text(Hello)", 0},
    {"RFC 6455 5.7: masked Hello", WS_SERVER, {"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11}, "text(Hello)", 0},
    {"RFC 6455 5.7: fragmented Hello", WS_CLIENT, {"\x01\x03Hel\x80\x02lo", 9}, "text(Hello)", 0},
    {"RFC 6455 5.7: ping", WS_CLIENT, {"\x89\x05Hello", 7}, "ping(Hello)", 0},
    {"masked frame from the server", WS_CLIENT, {"\x81\x81\0\0\0\0x", 7}, "", 1002},
    {"unmasked frame from the client", WS_SERVER, {"\x81\x01x", 3}, "", 1002},
    {"unmasked empty frame from the client", WS_SERVER, {"\x81\x00", 2}, "", 1002},
    {"unmasked ping from the client", WS_SERVER, {"\x89\x00", 2}, "", 1002},
    {"ping of 126", WS_CLIENT, {"\x89\x7e\x00\x7e", 4}, "", 1002},
    {"pong with a 64-bit length", WS_CLIENT, {"\x8a\x7f\0\0\0\0\0\0\0\x01", 10}, "", 1002},
    {"close of 126", WS_SERVER, {"\x88\xfe\x00\x7e", 4}, "", 1002},
    {"16-bit length for 125", WS_CLIENT, {"\x82\x7e\x00\x7d", 4}, "", 1002},
    {"16-bit length for 0", WS_SERVER, {"\x82\xfe\x00\x00", 4}, "", 1002},
    {"64-bit length for 65535", WS_CLIENT, {"\x82\x7f\0\0\0\0\0\0\xff\xff", 10}, "", 1002},
    {"64-bit length with the top bit", WS_CLIENT, {"\x82\x7f\x80\0\0\0\0\x01\0\0", 10}, "", 1002},
    {"huge length", WS_CLIENT, {"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10}, "", 1009},
    {"one over the limit", WS_CLIENT, {"\x82\x7f\0\0\0\0\0\x01\x86\xa1", 10}, "", 1009},
    {"garbage", WS_SERVER, {"GET / HTTP/1.1\r\n", 16}, "", 1002},
    {"an incomplete header is no error", WS_CLIENT, {"\x82\x7f\0\0\0\0", 6}, "", 0},
    {"an incomplete payload is no error",
     WS_CLIENT,
     {"\x82\x04"
      "abc",
      5},
     "",
     0},
};

static void test_raw(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(RAW_CASES); i++) {
        const struct raw_case *c = &RAW_CASES[i];
        expect(c->role, c->input, c->events, c->verdict, MAX_MESSAGE, c->name);
    }
}

static void test_sizes(void **state) {
    (void)state;
    static const size_t SIZES[] = {0,   1,    7,    8,    9,     124,   125,   126,   127,
                                   128, 4095, 4096, 4097, 65535, 65536, 99999, 100000};
    char *payload = mem_alloc(MAX_MESSAGE);
    for (size_t i = 0; i < MAX_MESSAGE; i++) {
        payload[i] = (char)('!' + i % 89);
    }
    for (size_t i = 0; i < COUNT_OF(SIZES) * COUNT_OF(ROLES) * 2; i++) {
        enum ws_role role = ROLES[i % 2];
        bool text = i / 2 % 2;
        struct str message = {payload, SIZES[i / 4]};
        struct buf input, events;
        buf_init(&input, 1 << 20);
        buf_init(&events, 1 << 20);
        append_frame(&input, role, text ? FIN | TEXT : FIN | BIN, message);
        buf_append_format(&events, "%s(%.*s)", text ? "text" : "binary", STR_ARG(message));
        expect(role, buf_str(&input), buf_cstr(&events), 0, MAX_MESSAGE, "size");
        buf_clear(&input);
        buf_clear(&events);
    }
    free(payload);
}

static void test_close_codes(void **state) {
    (void)state;
    static const uint16_t GOOD[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                                    1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
    static const uint16_t BAD[] = {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535};
    for (size_t i = 0; i < COUNT_OF(GOOD) + COUNT_OF(BAD); i++) {
        bool good = i < COUNT_OF(GOOD);
        uint16_t code = good ? GOOD[i] : BAD[i - COUNT_OF(GOOD)];
        for (size_t r = 0; r < COUNT_OF(ROLES); r++) {
            struct buf input, events;
            buf_init(&input, 1024);
            buf_init(&events, 1024);
            ws_write_close(&input, code, STR("why"), ROLES[r] == WS_SERVER ? MASK : NULL);
            if (code == 1005) { /* ws_write_close knows that it is never sent */
                buf_reset(&input);
                append_frame(&input, ROLES[r], CLOSE, STR("\x03\xed"));
            }
            buf_append_format(&events, "close(%u,why)", code);
            expect(ROLES[r], buf_str(&input), good ? buf_cstr(&events) : "", good ? 0 : 1002, MAX_MESSAGE,
                   "close code");
            buf_clear(&input);
            buf_clear(&events);
        }
    }
}

static void test_limit(void **state) {
    (void)state;
    static const struct message_case CASES[] = {
        {"at the limit", {F(FIN | TEXT, "12345678")}, "text(12345678)", 0},
        {"over the limit", {F(FIN | TEXT, "123456789")}, "", 1009},
        {"at the limit in fragments", {F(TEXT, "1234"), F(CONT, "567"), F(FIN | CONT, "8")}, "text(12345678)", 0},
        {"over the limit in fragments", {F(TEXT, "1234"), F(CONT, "567"), F(FIN | CONT, "89")}, "", 1009},
        {"control frames do not count",
         {F(TEXT, "1234567"), F(PING, "123456789"), F(FIN | CONT, "8")},
         "ping(123456789) text(12345678)",
         0},
        {"messages do not add up",
         {F(FIN | TEXT, "12345678"), F(FIN | TEXT, "12345678")},
         "text(12345678) text(12345678)",
         0},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        for (size_t r = 0; r < COUNT_OF(ROLES); r++) {
            struct buf input;
            buf_init(&input, 1 << 20);
            for (size_t f = 0; f < FRAMES_MAX && CASES[i].frames[f].payload.data; f++) {
                append_frame(&input, ROLES[r], CASES[i].frames[f].first, CASES[i].frames[f].payload);
            }
            expect(ROLES[r], buf_str(&input), CASES[i].events, CASES[i].verdict, 8, CASES[i].name);
            buf_clear(&input);
        }
    }
}

/* A peer that announces much and sends little costs little. */
static void test_announced_length_allocates_nothing(void **state) {
    (void)state;
    struct recorder recorder = {0};
    struct ws_decoder decoder;
    ws_decoder_init(&decoder, WS_CLIENT, MAX_MESSAGE, &EVENTS, &recorder);
    const char *why = NULL;
    assert_int_equal(ws_decoder_feed(&decoder,
                                     STR("\x82\x7e\xff\xff"
                                         "abc"),
                                     &why),
                     0);
    assert_true(decoder.pending.capacity < 4096);
    ws_decoder_clear(&decoder);
}

static void test_stop_inside_an_event(void **state) {
    (void)state;
    struct recorder recorder = {0};
    struct ws_decoder decoder;
    buf_init(&recorder.log, 1024);
    ws_decoder_init(&decoder, WS_CLIENT, MAX_MESSAGE, &EVENTS, &recorder);
    recorder.stop_at_message = &decoder;
    const char *why = NULL;
    assert_int_equal(ws_decoder_feed(&decoder,
                                     STR("\x01\x01"
                                         "a\x80\x01"
                                         "b\x81\x01"
                                         "c"),
                                     &why),
                     0);
    assert_int_equal(ws_decoder_feed(&decoder,
                                     STR("\x81\x01"
                                         "d"),
                                     &why),
                     0);
    assert_string_equal(buf_cstr(&recorder.log), "text(ab)");
    assert_null(decoder.pending.data);
    ws_decoder_clear(&decoder);
    buf_clear(&recorder.log);
}

/* The limit of a decoder may change between messages. */
static void test_limit_raised(void **state) {
    (void)state;
    struct recorder recorder = {0};
    struct ws_decoder decoder;
    buf_init(&recorder.log, 1024);
    ws_decoder_init(&decoder, WS_CLIENT, 2, &EVENTS, &recorder);
    const char *why = NULL;
    assert_int_equal(ws_decoder_feed(&decoder,
                                     STR("\x81\x02"
                                         "ab"),
                                     &why),
                     0);
    decoder.max_message = 5;
    assert_int_equal(ws_decoder_feed(&decoder,
                                     STR("\x81\x05"
                                         "abc"),
                                     &why),
                     0);
    assert_int_equal(ws_decoder_feed(&decoder, STR("de"), &why), 0);
    assert_string_equal(buf_cstr(&recorder.log), "text(ab) text(abcde)");
    ws_decoder_clear(&decoder);
    buf_clear(&recorder.log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_fails_early),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_close_codes),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_announced_length_allocates_nothing),
        cmocka_unit_test(test_stop_inside_an_event),
        cmocka_unit_test(test_limit_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
