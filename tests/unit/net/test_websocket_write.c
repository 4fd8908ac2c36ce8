/* The writing half of the codec, masking, and the handshake's key. */
#include "base/buf.h"
#include "net/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

static void expect_bytes(struct buf *out, struct str bytes) {
    assert_int_equal(out->len, bytes.len);
    assert_memory_equal(out->data, bytes.data, bytes.len);
    buf_reset(out);
}

static void test_write_frame(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 20);
    ws_write_frame(&out, WS_TEXT, STR("Hello"), NULL);
    expect_bytes(&out, STR("\x81\x05Hello"));
    ws_write_frame(&out, WS_TEXT, STR("Hello"), MASK);
    expect_bytes(&out, STR("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
    ws_write_frame(&out, WS_PING, (struct str){NULL, 0}, NULL);
    expect_bytes(&out, STR("\x89\x00"));
    char big[65536] = {0};
    ws_write_frame(&out, WS_BINARY, (struct str){big, 126}, NULL);
    assert_memory_equal(out.data, "\x82\x7e\x00\x7e", 4);
    buf_reset(&out);
    ws_write_frame(&out, WS_BINARY, (struct str){big, 65535}, NULL);
    assert_memory_equal(out.data, "\x82\x7e\xff\xff", 4);
    buf_reset(&out);
    ws_write_frame(&out, WS_BINARY, (struct str){big, 65536}, MASK);
    assert_memory_equal(out.data, "\x82\xff\0\0\0\0\0\x01\0\0\x37\xfa\x21\x3d\x37\xfa", 16);
    assert_int_equal(out.len, 65536 + 14);
    buf_clear(&out);
    buf_init(&out, 6);
    ws_write_frame(&out, WS_TEXT, STR("Hello"), NULL);
    assert_true(out.overflow);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void test_write_close(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    ws_write_close(&out, 1000, STR("bye"), NULL);
    expect_bytes(&out, STR("\x88\x05\x03\xe8"
                           "bye"));
    ws_write_close(&out, WS_CLOSE_NO_STATUS, STR("unsaid"), NULL);
    expect_bytes(&out, STR("\x88\x00"));
    char reason[200];
    memset(reason, 'x', sizeof(reason));
    memcpy(reason + 122, "\xe2\x82\xac", 3); /* a cut at 123 would split it */
    ws_write_close(&out, 1011, (struct str){reason, sizeof(reason)}, NULL);
    assert_int_equal(out.len, 2 + 2 + 122);
    assert_int_equal(out.data[1], 2 + 122);
    buf_clear(&out);
}

static void test_mask_at_any_offset(void **state) {
    (void)state;
    char plain[41], out[41], piece[41];
    for (size_t i = 0; i < sizeof(plain); i++) {
        plain[i] = (char)(i * 7);
    }
    ws_mask(out, plain, sizeof(plain), MASK, 0);
    for (size_t i = 0; i < sizeof(plain); i++) {
        assert_int_equal((uint8_t)out[i], (uint8_t)plain[i] ^ MASK[i % 4]);
    }
    for (size_t cut = 0; cut <= sizeof(plain); cut++) {
        ws_mask(piece, plain, cut, MASK, 0);
        ws_mask(piece + cut, plain + cut, sizeof(plain) - cut, MASK, cut);
        assert_memory_equal(piece, out, sizeof(out));
    }
    ws_mask(out, out, sizeof(out), MASK, 0);
    assert_memory_equal(out, plain, sizeof(plain));
}

static void test_accept_key(void **state) {
    (void)state;
    char out[29];
    ws_accept_key(STR("dGhlIHNhbXBsZSBub25jZQ=="), out); /* RFC 6455 1.3 */
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_frame),
        cmocka_unit_test(test_write_close),
        cmocka_unit_test(test_mask_at_any_offset),
        cmocka_unit_test(test_accept_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
