/* The gateway's side against a provider played by hand: handshakes that fail and every kind of violation. */
#include "support/link_rig.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Offers one version. */
static void send_hello(struct link_rig *rig, uint32_t version) {
    struct link_hello hello = {.versions = {version}, .version_count = 1, .join_token = STR(LINK_RIG_TOKEN)};
    memcpy(hello.public_key, rig->public_key, sizeof(hello.public_key));
    struct buf out;
    buf_init(&out, 4096);
    link_encode_hello(&out, &hello);
    link_rig_ws_send(rig, buf_cstr(&out));
    buf_clear(&out);
}

/* Answers the challenge in `event`, with a key of our choice. */
static void send_auth(struct link_rig *rig, const char *event, const uint8_t *private_key) {
    struct json_parser *parser = json_parser_new(4096, 8);
    struct arena arena;
    struct link_message message;
    struct link_auth auth;
    struct buf out;
    arena_init(&arena, 4096);
    buf_init(&out, 4096);
    assert_true(link_decode_text(LINK_VERSION_1, parser, &arena, str_from(event), &message, NULL));
    assert_int_equal(message.kind, LINK_CHALLENGE);
    link_signed_bytes(&out, message.challenge.nonce, rig->public_key);
    assert_true(ed25519_sign(private_key, buf_str(&out), auth.signature));
    buf_reset(&out);
    link_encode_auth(&out, &auth);
    link_rig_ws_send(rig, buf_cstr(&out));
    buf_clear(&out);
    arena_clear(&arena);
    json_parser_free(parser);
}

static bool begins(const char *event, const char *expected) {
    return strncmp(event, expected, strlen(expected)) == 0;
}

static void expect_close(struct link_rig *rig, const char *close) {
    link_rig_run(rig);
    if (!strstr(buf_cstr(&rig->ws_log), close)) {
        fail_msg("expected %s, got %s", close, buf_cstr(&rig->ws_log));
    }
}

static void sign_with_another_key(struct link_rig *rig, const char *event) {
    uint8_t private_key[ED25519_KEY_SIZE], public_key[ED25519_KEY_SIZE];
    if (begins(event, "open")) {
        send_hello(rig, 1);
    } else if (begins(event, "close")) {
        link_rig_end(rig);
    } else {
        ed25519_generate(private_key, public_key);
        send_auth(rig, event, private_key);
    }
}

static void test_bad_signature(void **state) {
    struct link_rig *rig = *state;
    rig->on_ws = sign_with_another_key;
    link_rig_start_ws(rig);
    expect_close(rig, "close 1008 the signature does not match the public key\n");
    assert_string_equal(buf_cstr(&rig->gateway_log), "");
}

/* A signature that was good for one link opens no second one. */
static void replay(struct link_rig *rig, const char *event) {
    if (begins(event, "open")) {
        send_hello(rig, 1);
    } else if (begins(event, "close")) {
        link_rig_end(rig);
    } else {
        link_rig_ws_send(rig, "{\"type\":\"auth\",\"signature\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm"
                              "JygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==\"}");
    }
}

static void test_signature_of_another_nonce(void **state) {
    struct link_rig *rig = *state;
    rig->on_ws = replay;
    link_rig_start_ws(rig);
    expect_close(rig, "close 1008 the signature does not match the public key\n");
}

static void speak_version_7(struct link_rig *rig, const char *event) {
    if (begins(event, "open")) {
        send_hello(rig, 7);
    } else if (begins(event, "close")) {
        link_rig_end(rig);
    }
}

static void test_no_common_version(void **state) {
    struct link_rig *rig = *state;
    rig->on_ws = speak_version_7;
    link_rig_start_ws(rig);
    expect_close(rig, "close 1008 no common protocol version: this gateway speaks 1 and 2\n");
}

/* What is sent right after the WebSocket is open. */
static const char *first_words;

static void say_first_words(struct link_rig *rig, const char *event) {
    if (begins(event, "open")) {
        link_rig_ws_send(rig, first_words);
    } else if (begins(event, "close")) {
        link_rig_end(rig);
    }
}

static void test_violations_before_hello(void **state) {
    (void)state;
    static const struct {
        const char *words, *close;
    } CASES[] = {
        {"{\"type\":\"status\",\"models\":[]}", "close 1002 message \"status\" is not expected here\n"},
        {"{\"type\":\"drain\"}", "close 1002 message \"drain\" is not expected here\n"},
        {"{\"type\":\"done\"}", "close 1002 job must be present\n"},
        {"{\"type\":\"hello\",\"versions\":[1]}", "close 1002 public_key must be 32 bytes in base64\n"},
        {"{}", "close 1002 type must be a string\n"},
        {"{", "close 1002 invalid JSON"},
        {"", "close 1002 invalid JSON"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        void *context = NULL;
        link_rig_setup(&context);
        struct link_rig *rig = context;
        first_words = CASES[i].words;
        rig->on_ws = say_first_words;
        link_rig_start_ws(rig);
        expect_close(rig, CASES[i].close);
        assert_string_equal(buf_cstr(&rig->gateway_log), "");
        link_rig_teardown(&context);
    }
}

static void send_a_delta(struct link_rig *rig, const char *event) {
    if (begins(event, "open")) {
        ws_conn_send(rig->ws, WS_BINARY, STR("\x01\0\x01\0\0\0\0\0\0\0\x07hi"));
    } else if (begins(event, "close")) {
        link_rig_end(rig);
    }
}

static void test_delta_before_hello(void **state) {
    struct link_rig *rig = *state;
    rig->on_ws = send_a_delta;
    link_rig_start_ws(rig);
    expect_close(rig, "close 1002 message \"delta\" is not expected here\n");
}

static void test_large_hello(void **state) {
    struct link_rig *rig = *state;
    static char words[LIMIT_LINK_HELLO_BYTES + 2];
    memset(words, ' ', sizeof(words) - 1);
    first_words = words;
    rig->on_ws = say_first_words;
    link_rig_start_ws(rig);
    expect_close(rig, "close 1009 message too large\n");
}

static void say_nothing(struct link_rig *rig, const char *event) {
    if (begins(event, "close")) {
        link_rig_end(rig);
    }
}

static void test_handshake_deadline(void **state) {
    struct link_rig *rig = *state;
    rig->server_config.handshake_ms = 20;
    rig->on_ws = say_nothing;
    link_rig_start_ws(rig);
    expect_close(rig, "close 1002 the handshake took too long\n");
}

static void hello_twice(struct link_rig *rig, const char *event) {
    if (begins(event, "open")) {
        send_hello(rig, 1);
    } else if (begins(event, "close")) {
        link_rig_end(rig);
    } else {
        send_hello(rig, 1);
    }
}

static void test_hello_twice(void **state) {
    struct link_rig *rig = *state;
    rig->on_ws = hello_twice;
    link_rig_start_ws(rig);
    expect_close(rig, "close 1002 message \"hello\" is not expected here\n");
}

/* --- After admission --- */

/* A provider of one version, and what it says last. */
static uint32_t spoken_version;
static const char *last_words, *last_hex; /* NULL: silence */

static void say_last_words(struct link_rig *rig, const char *event) {
    if (begins(event, "open")) {
        link_rig_ws_send(rig, "{\"type\":\"unknown before hello\"}");
        send_hello(rig, spoken_version);
    } else if (begins(event, "{\"type\":\"challenge\"")) {
        send_auth(rig, event, rig->private_key);
    } else if (begins(event, "{\"type\":\"welcome\"")) {
        link_rig_ws_send(rig, "{\"type\":\"attest\",\"level\":[{}]}");
        link_rig_ws_send_hex(rig, "09206f6620746865206675747572652e");
        if (last_words != NULL) {
            link_rig_ws_send(rig, last_words);
        }
        if (last_hex != NULL) {
            link_rig_ws_send_hex(rig, last_hex);
        }
    } else if (begins(event, "close")) {
        link_rig_end(rig);
    }
}

struct violation {
    uint32_t version;
    const char *words, *hex, *close;
};

static const struct violation VIOLATIONS[] = {
    {1, "{\"type\":\"hello\"}", NULL, "close 1002 versions must be an array of 1 to 8 numbers\n"},
    {1, "{\"type\":\"cancel\",\"job\":1}", NULL, "close 1002 message \"cancel\" is not expected here\n"},
    {1, "{\"type\":\"job\",\"job\":1,\"request\":{\"model\":\"m\",\"prompt\":\"\"}}", NULL,
     "close 1002 message \"job\" is not expected here\n"},
    {1, "{\"type\":\"welcome\",\"provider_id\":\"p\",\"heartbeat_ms\":1}", NULL,
     "close 1002 message \"welcome\" is not expected here\n"},
    {1, "{\"type\":\"accept\",\"job\":0,\"prompt_tokens\":1}", NULL, "close 1002 job must be above 0\n"},
    {1, "nonsense", NULL, "close 1002 invalid JSON"},
    {1, NULL, "010001", "close 1002 delta shorter than its header\n"},
    {1, NULL, "0100010000000000000007ff", "close 1002 delta whose text is not whole UTF-8 characters\n"},
    {2, "{\"type\":\"accept\",\"job\":1,\"prompt_tokens\":1}", NULL,
     "close 1002 message \"accept\" must be binary in version 2\n"},
    {2, NULL, "01000100000000000000076869", "close 1002 a delta of version 1 on a link of version 2\n"},
    {2, NULL, "030000000000000007000101000003", "close 1002 delta whose part is cut short\n"},
    {2, NULL, "02000000000000000000000001", "close 1002 binary message with an impossible job number\n"},
};

static void test_violations_after_admission(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(VIOLATIONS); i++) {
        void *context = NULL;
        link_rig_setup(&context);
        struct link_rig *rig = context;
        spoken_version = VIOLATIONS[i].version;
        last_words = VIOLATIONS[i].words;
        last_hex = VIOLATIONS[i].hex;
        rig->on_ws = say_last_words;
        link_rig_start_ws(rig);
        expect_close(rig, VIOLATIONS[i].close);
        assert_non_null(strstr(buf_cstr(&rig->gateway_log), "gone "));
        link_rig_teardown(&context);
    }
}

/* --- One job with a provider of each version --- */

#define STATUS "{\"type\":\"status\",\"models\":[{\"id\":\"m\",\"state\":\"warm\"}]}"

static void send_a_job(struct link_rig *rig, const char *event) {
    if (begins(event, "status")) {
        struct gen_request request = link_rig_request(1);
        request.scope = STR("s");
        link_peer_send_job(rig->peer, 7, &request);
        free((char *)request.prompt.data);
    } else if (begins(event, "done")) {
        link_rig_end(rig);
    }
}

static void answer_in_version_1(struct link_rig *rig, const char *event) {
    if (begins(event, "{\"type\":\"job\"")) {
        link_rig_ws_send(rig, "{\"type\":\"accept\",\"job\":7,\"prompt_tokens\":3}");
        link_rig_ws_send_hex(rig, "01000100000000000000076869");
        link_rig_ws_send(rig, "{\"type\":\"done\",\"job\":7,\"finish\":\"length\",\"usage\":{\"prompt_tokens\":3,"
                              "\"completion_tokens\":1}}");
    } else {
        say_last_words(rig, event);
    }
}

/* With parts that nobody here uses, and a finish of the future. */
static void answer_in_version_2(struct link_rig *rig, const char *event) {
    if (begins(event, "{\"type\":\"job\"")) {
        link_rig_ws_send_hex(rig, "02000000000000000700000003");
        link_rig_ws_send_hex(rig, "0300000000000000070001010000026869c8000001ff"); /* "hi" and a part of the future */
        link_rig_ws_send_hex(rig, "0300000000000000070002030000024861");           /* reasoning alone */
        link_rig_ws_send_hex(rig, "040000000000000007fa000000030000000300000000000000000000000000000000"
                                  "05626f726564");
    } else {
        say_last_words(rig, event);
    }
}

static void run_a_job(struct link_rig *rig, uint32_t version, void (*answer)(struct link_rig *, const char *)) {
    spoken_version = version;
    last_words = STATUS;
    last_hex = NULL;
    rig->on_gateway = send_a_job;
    rig->on_ws = answer;
    link_rig_start_ws(rig);
    link_rig_run(rig);
}

static void test_provider_of_version_1(void **state) {
    struct link_rig *rig = *state;
    run_a_job(rig, 1, answer_in_version_1);
    assert_non_null(strstr(buf_cstr(&rig->ws_log), "{\"type\":\"challenge\",\"version\":1,"));
    assert_non_null(strstr(buf_cstr(&rig->ws_log), "{\"type\":\"job\",\"job\":7,\"request\":{\"model\":\"m\","));
    assert_non_null(strstr(buf_cstr(&rig->gateway_log), "status 1 m\naccept 7 3\ndelta 7 1 hi\ndone 7 length 1\n"));
}

static void test_provider_of_version_2(void **state) {
    struct link_rig *rig = *state;
    run_a_job(rig, 2, answer_in_version_2);
    assert_non_null(strstr(buf_cstr(&rig->ws_log), "{\"type\":\"challenge\",\"version\":2,"));
    assert_non_null(strstr(buf_cstr(&rig->ws_log), "{\"type\":\"job\",\"job\":7,\"kind\":\"generate\",\"scope\":"
                                                   "\"s\",\"request\":{\"model\":\"m\","));
    assert_non_null(
        strstr(buf_cstr(&rig->gateway_log), "status 1 m\naccept 7 3\ndelta 7 1 hi\ndelta 7 2 \ndone 7 other 3\n"));
    assert_int_equal(rig->part_bytes, 5 + 6);
}

static void test_silent_provider(void **state) {
    struct link_rig *rig = *state;
    spoken_version = 1;
    last_words = last_hex = NULL;
    rig->server_config.heartbeat_ms = 20;
    rig->on_ws = say_last_words;
    link_rig_start_ws(rig);
    expect_close(rig, "close 1002 no sign of life for three heartbeats\n");
    assert_non_null(strstr(buf_cstr(&rig->gateway_log), "gone no sign of life for three heartbeats (1002)\n"));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, link_rig_setup, link_rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_bad_signature),
        CASE(test_signature_of_another_nonce),
        CASE(test_no_common_version),
        cmocka_unit_test(test_violations_before_hello),
        CASE(test_delta_before_hello),
        CASE(test_large_hello),
        CASE(test_handshake_deadline),
        CASE(test_hello_twice),
        cmocka_unit_test(test_violations_after_admission),
        CASE(test_provider_of_version_1),
        CASE(test_provider_of_version_2),
        CASE(test_silent_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
