/* The provider's side against a gateway played by hand. */
#include "link/part.h"
#include "support/link_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define CHALLENGE_2 "{\"type\":\"challenge\",\"version\":2,\"nonce\":\"" NONCE "\"}"
#define CHALLENGE "{\"type\":\"challenge\",\"version\":1,\"nonce\":\"" NONCE "\"}"
#define WELCOME "{\"type\":\"welcome\",\"provider_id\":\"prov_9\",\"heartbeat_ms\":20000}"
#define FAST_WELCOME "{\"type\":\"welcome\",\"provider_id\":\"prov_9\",\"heartbeat_ms\":10}"

static bool begins(const char *event, const char *expected) {
    return strncmp(event, expected, strlen(expected)) == 0;
}

static void end_on_lost(struct link_rig *rig, const char *event) {
    if (begins(event, "lost")) {
        link_rig_end(rig);
    }
}

/* What the gateway says at which step; NULL: nothing more. */
static const char *after_hello, *after_auth, *after_status;

static void play(struct link_rig *rig, const char *event) {
    const char *words = NULL;
    if (begins(event, "{\"type\":\"hello\"")) {
        words = after_hello;
    } else if (begins(event, "{\"type\":\"auth\"")) {
        words = after_auth;
    } else if (begins(event, "{\"type\":\"status\"")) {
        words = after_status;
    } else if (begins(event, "{\"type\":\"error\"")) {
        link_rig_end(rig);
    }
    if (words) {
        link_rig_ws_send(rig, words);
    }
}

static void run(struct link_rig *rig) {
    rig->on_request = link_rig_accept_ws;
    rig->on_ws = play;
    rig->on_provider = end_on_lost;
    link_rig_start_client(rig, "join_x");
    link_rig_run(rig);
}

static void expect_part(struct buf *log, const char *part) {
    if (!strstr(buf_cstr(log), part)) {
        fail_msg("expected %s in %s", part, buf_cstr(log));
    }
}

static void test_signs_the_challenge(void **state) {
    struct link_rig *rig = *state;
    after_hello = CHALLENGE;
    after_auth = "{\"type\":\"drain\"}"; /* out of turn: ends the link, after the auth was seen */
    run(rig);
    expect_part(&rig->ws_log, "{\"type\":\"hello\",\"versions\":[1,2],\"public_key\":\"");
    expect_part(&rig->ws_log, "\"join_token\":\"join_x\"");
    expect_part(&rig->provider_log, "lost message \"drain\" is not expected here\n");
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    size_t len = 0;
    const char *text = strstr(buf_cstr(&rig->ws_log), "\"signature\":\"") + 13;
    assert_true(digest_base64_decode((struct str){text, 88}, signature, sizeof(signature), &len));
    struct buf proof;
    uint8_t nonce[LINK_NONCE_SIZE];
    for (size_t i = 0; i < sizeof(nonce); i++) {
        nonce[i] = (uint8_t)i;
    }
    buf_init(&proof, 256);
    link_signed_bytes(&proof, nonce, rig->public_key);
    assert_true(ed25519_verify(rig->public_key, buf_str(&proof), signature));
    buf_clear(&proof);
}

static void test_violations(void **state) {
    (void)state;
    static const struct {
        const char *after_hello, *after_auth, *after_status, *lost;
    } CASES[] = {
        {"{\"type\":\"challenge\",\"version\":3,\"nonce\":\"" NONCE "\"}", NULL, NULL,
         "lost the gateway chose a version that was not offered\n"},
        {"{\"type\":\"challenge\",\"version\":0,\"nonce\":\"" NONCE "\"}", NULL, NULL,
         "lost the gateway chose a version that was not offered\n"},
        {WELCOME, NULL, NULL, "lost message \"welcome\" is not expected here\n"},
        {"{\"type\":\"job\",\"job\":1,\"request\":{}}", NULL, NULL, "lost model is missing\n"},
        {"{", NULL, NULL, "lost invalid JSON"},
        {CHALLENGE, CHALLENGE, NULL, "lost message \"challenge\" is not expected here\n"},
        {CHALLENGE, WELCOME, "{\"type\":\"accept\",\"job\":1,\"prompt_tokens\":1}",
         "lost message \"accept\" is not expected here\n"},
        {CHALLENGE, WELCOME, "{\"type\":\"cancel\"}", "lost job must be present\n"},
        {CHALLENGE, WELCOME, WELCOME, "lost message \"welcome\" is not expected here\n"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        void *context = NULL;
        link_rig_setup(&context);
        struct link_rig *rig = context;
        after_hello = CASES[i].after_hello;
        after_auth = CASES[i].after_auth;
        after_status = CASES[i].after_status;
        run(rig);
        expect_part(&rig->provider_log, CASES[i].lost);
        link_rig_teardown(&context);
    }
}

/* A request of the future, or of a broken gateway, costs its job and not the link. */
static void test_malformed_request_is_an_error_of_its_job(void **state) {
    struct link_rig *rig = *state;
    after_hello = CHALLENGE;
    after_auth = WELCOME;
    after_status = "{\"type\":\"job\",\"job\":5,\"request\":{\"model\":\"m\",\"prompt\":\"x\",\"top_p\":3}}";
    run(rig);
    expect_part(&rig->ws_log, "{\"type\":\"error\",\"job\":5,\"failure\":\"bad_request\",\"message\":\"");
    expect_part(&rig->ws_log, "\"param\":\"top_p\"}");
    assert_null(strstr(buf_cstr(&rig->provider_log), "lost"));
}

/* --- One job with a gateway of each version --- */

static void answer_the_job(struct link_rig *rig, const char *event) {
    if (!begins(event, "job 5 ")) {
        end_on_lost(rig, event);
        return;
    }
    uint32_t ids[] = {8, 9};
    struct buf parts;
    buf_init(&parts, 64);
    link_parts_add_token_ids(&parts, ids, COUNT_OF(ids));
    const struct link_delta delta = {.job = 5, .tokens = 2, .text = STR("hi"), .parts = buf_str(&parts)};
    const struct link_done done = {.job = 5,
                                   .finish = LINK_FINISH_TOOL_CALLS,
                                   .finish_word = STR(""),
                                   .usage = {.prompt_tokens = 3, .completion_tokens = 2},
                                   .timings = {.decode_ms = 1}};
    link_client_send_accept(rig->client, &(struct link_accept){.job = 5, .prompt_tokens = 3});
    link_client_send_delta(rig->client, &delta);
    link_client_send_done(rig->client, &done);
    link_client_send_error(rig->client, &(struct link_error){.job = 6, .message = STR(""), .param = STR("")});
    buf_clear(&parts);
}

static void run_a_job(struct link_rig *rig, const char *challenge, const char *job) {
    after_hello = challenge;
    after_auth = WELCOME;
    after_status = job;
    rig->on_request = link_rig_accept_ws;
    rig->on_ws = play;
    rig->on_provider = answer_the_job;
    link_rig_start_client(rig, "join_x");
    link_rig_run(rig);
}

/* What version 1 has no place for is left out, and its kind of job is not asked for. */
static void test_gateway_of_version_1(void **state) {
    struct link_rig *rig = *state;
    run_a_job(rig, CHALLENGE,
              "{\"type\":\"job\",\"job\":5,\"kind\":\"embed\",\"scope\":\"s\",\"request\":{\"model\":\"m\","
              "\"prompt\":\"x\"}}");
    expect_part(&rig->provider_log, "job 5 m 1\n");
    expect_part(&rig->ws_log, "{\"type\":\"status\",\"models\":[{\"id\":\"m\",\"state\":\"warm\",\"slots\":1,");
    expect_part(&rig->ws_log, "{\"type\":\"accept\",\"job\":5,\"prompt_tokens\":3}\n"
                              "binary 01000200000000000000056869\n"
                              "{\"type\":\"done\",\"job\":5,\"finish\":\"stop\",\"usage\":{\"prompt_tokens\":3,"
                              "\"completion_tokens\":2,\"cached_tokens\":0},\"timings\":{\"queue_ms\":0,"
                              "\"prefill_ms\":0,\"decode_ms\":1}}\n");
}

static void test_gateway_of_version_2(void **state) {
    struct link_rig *rig = *state;
    run_a_job(rig, CHALLENGE_2,
              "{\"type\":\"job\",\"job\":5,\"kind\":\"generate\",\"scope\":\"s\",\"request\":{\"model\":\"m\","
              "\"prompt\":\"x\"}}");
    expect_part(&rig->provider_log, "job 5 m 1 scope s\n");
    expect_part(&rig->ws_log, "{\"type\":\"status\",\"models\":[{\"id\":\"m\",\"state\":\"warm\","
                              "\"kinds\":[\"generate\"],\"slots\":1,");
    expect_part(&rig->ws_log, "binary 02000000000000000500000003\n"
                              "binary 0300000000000000050002010000026869020000080000000800000009\n"
                              "binary 04000000000000000504000000030000000200000000000000000000000000000001"
                              "00\n");
}

/* A gateway that was replaced by an older one: each link has the version that was agreed on for it. */
static void play_both_versions(struct link_rig *rig, const char *event) {
    if (begins(event, "{\"type\":\"hello\"")) {
        link_rig_ws_send(rig, rig->rounds++ == 0 ? CHALLENGE_2 : CHALLENGE);
    } else if (begins(event, "{\"type\":\"auth\"")) {
        link_rig_ws_send(rig, WELCOME);
    } else if (begins(event, "{\"type\":\"status\"")) {
        link_rig_ws_send(rig, "{\"type\":\"job\",\"job\":5,\"request\":{\"model\":\"m\",\"prompt\":\"x\"}}");
    } else if (begins(event, "binary 02")) {
        ws_conn_close(rig->ws, WS_CLOSE_GOING_AWAY, "older");
    } else if (begins(event, "{\"type\":\"accept\"")) {
        link_rig_end(rig);
    }
}

static void accept_the_job(struct link_rig *rig, const char *event) {
    if (begins(event, "job 5 ")) {
        link_client_send_accept(rig->client, &(struct link_accept){.job = 5, .prompt_tokens = 3});
    }
}

static void test_version_is_agreed_on_by_link(void **state) {
    struct link_rig *rig = *state;
    rig->on_request = link_rig_accept_ws;
    rig->on_ws = play_both_versions;
    rig->on_provider = accept_the_job;
    link_rig_start_client(rig, "join_x");
    link_rig_run(rig);
    assert_int_equal(rig->rounds, 2);
    assert_string_equal(
        buf_cstr(&rig->provider_log),
        "ready prov_9\nstatus due\njob 5 m 1\nlost older (1001)\nready prov_9\nstatus due\njob 5 m 1\n");
}

static void test_kind_of_job_that_was_not_listed(void **state) {
    static const char *const KINDS[] = {"embed", "dream"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        void *context = NULL;
        char job[128], error[160];
        link_rig_setup(&context);
        struct link_rig *rig = context;
        snprintf(job, sizeof(job), "{\"type\":\"job\",\"job\":5,\"kind\":\"%s\",\"request\":{}}", KINDS[i]);
        snprintf(error, sizeof(error),
                 "{\"type\":\"error\",\"job\":5,\"failure\":\"bad_request\",\"message\":\"this device does no jobs "
                 "of the kind \\\"%s\\\"\",\"param\":\"kind\"}\n",
                 KINDS[i]);
        run_a_job(rig, CHALLENGE_2, job);
        expect_part(&rig->ws_log, error);
        assert_string_equal(buf_cstr(&rig->provider_log), "ready prov_9\nstatus due\n"); /* the link held */
        link_rig_teardown(&context);
    }
}

static void end_when_closed(struct link_rig *rig, const char *event) {
    if (begins(event, "close")) {
        link_rig_end(rig);
    }
}

static void close_when_ready(struct link_rig *rig, const char *event) {
    if (begins(event, "ready")) {
        struct link_client *client = rig->client;
        rig->client = NULL;
        link_client_close(client, NULL, NULL);
        rig->on_ws = end_when_closed;
    }
}

static void test_closes_inside_an_event(void **state) {
    struct link_rig *rig = *state;
    after_hello = CHALLENGE;
    after_auth = WELCOME;
    rig->on_request = link_rig_accept_ws;
    rig->on_ws = play;
    rig->on_provider = close_when_ready;
    link_rig_start_client(rig, NULL);
    link_rig_run(rig);
    expect_part(&rig->ws_log, "close 1001 the provider leaves\n");
    assert_string_equal(buf_cstr(&rig->provider_log), "ready prov_9\n");
}

/* --- A gateway whose machine is gone: bytes vanish, nothing answers --- */

static void ignore_data(void *context, struct str data) {
    (void)context;
    (void)data;
}

static void ignore_close(void *context, const struct err *reason) {
    (void)context;
    (void)reason;
}

static void welcome_and_fall_silent(struct link_rig *rig, struct http_exchange *exchange) {
    static const struct conn_events EVENTS = {.on_data = ignore_data, .on_close = ignore_close};
    char accept[29];
    ws_accept_key(http_request_header(http_exchange_request(exchange), "sec-websocket-key"), accept);
    const struct http_response_header headers[] = {{"Upgrade", STR("websocket")},
                                                   {"Connection", STR("Upgrade")},
                                                   {"Sec-WebSocket-Accept", str_from(accept)},
                                                   {"Sec-WebSocket-Protocol", STR(LINK_SUBPROTOCOL)}};
    struct str early;
    struct conn *conn = http_upgrade(exchange, headers, COUNT_OF(headers), &early);
    conn_set_events(conn, &EVENTS, rig);
    struct buf out;
    buf_init(&out, 4096);
    ws_write_frame(&out, WS_TEXT, STR(CHALLENGE), NULL);
    ws_write_frame(&out, WS_TEXT, STR(FAST_WELCOME), NULL);
    conn_write(conn, buf_str(&out));
    buf_clear(&out);
}

static void test_silent_gateway(void **state) {
    struct link_rig *rig = *state;
    rig->on_request = welcome_and_fall_silent;
    rig->on_provider = end_on_lost;
    link_rig_start_client(rig, "join_x");
    link_rig_run(rig);
    expect_part(&rig->provider_log, "lost no sign of life from the gateway for three heartbeats\n");
}

static void refuse(struct link_rig *rig, struct http_exchange *exchange) {
    (void)rig;
    http_respond(exchange, 503, NULL, 0, STR(""));
}

static void end_on_third_loss(struct link_rig *rig, const char *event) {
    assert_string_equal(event, "lost the server answered HTTP 503 instead of opening a WebSocket");
    if (++rig->rounds == 3) {
        link_rig_end(rig);
    }
}

static void test_keeps_trying(void **state) {
    struct link_rig *rig = *state;
    rig->on_request = refuse;
    rig->on_provider = end_on_third_loss;
    link_rig_start_client(rig, "join_x");
    link_rig_run(rig);
    assert_int_equal(rig->rounds, 3);
}

static void test_close_before_connected(void **state) {
    struct link_rig *rig = *state;
    link_rig_start_client(rig, "join_x");
    link_rig_end(rig);
    link_rig_run(rig);
    assert_string_equal(buf_cstr(&rig->provider_log), "");
}

static void test_bad_addresses(void **state) {
    struct link_rig *rig = *state;
    static const char *const URLS[] = {"", "gateway", "ftp://h", "http://", "http://h/?x=1", "https://h", "wss://h"};
    const struct link_client_events events = {0};
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        struct link_client_config config = {.url = URLS[i]};
        struct err err = {0};
        memcpy(config.private_key, rig->private_key, sizeof(config.private_key));
        assert_false(link_client_new(&rig->client, rig->loop, &config, &events, rig, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    link_rig_end(rig);
    link_rig_run(rig);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, link_rig_setup, link_rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_signs_the_challenge),
        cmocka_unit_test(test_violations),
        CASE(test_malformed_request_is_an_error_of_its_job),
        CASE(test_gateway_of_version_1),
        CASE(test_gateway_of_version_2),
        CASE(test_version_is_agreed_on_by_link),
        cmocka_unit_test(test_kind_of_job_that_was_not_listed),
        CASE(test_closes_inside_an_event),
        CASE(test_silent_gateway),
        CASE(test_keeps_trying),
        CASE(test_close_before_connected),
        CASE(test_bad_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
