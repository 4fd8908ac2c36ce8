/* Streams: golden chunks, splitting, failures in the middle, slow readers, late headers and keep-alives. */
#include "api/http_call.h"
#include "call/call.h"
#include "support/api_calls.h"

#define CHUNK_HEAD                                                                                                     \
    "data: {\"id\":\"$ID\",\"object\":\"chat.completion.chunk\",\"created\":$TIME,\"model\":\"" MODEL "\","
#define FIRST_DELTA                                                                                                    \
    "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]"
#define DELTA(text) "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"},\"finish_reason\":null}]"
#define LAST_DELTA(reason) "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}]"

static void test_stream_chat(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    assert_true(call->generation.stream);
    call->sink->accepted(call);
    /* The headers and the first delta leave before there is any text. */
    api_fixture_expect(fixture, "\"finish_reason\":null}]}\n\n");
    assert_string_equal(api_fixture_header(fixture, "Content-Type"), "text/event-stream");
    assert_string_equal(api_fixture_header(fixture, "Cache-Control"), "no-cache");
    assert_string_equal(api_fixture_header(fixture, "X-Accel-Buffering"), "no");
    assert_string_equal(api_fixture_header(fixture, "Access-Control-Allow-Origin"), "*");
    assert_string_equal(api_fixture_header(fixture, "x-request-id"), fixture->request_id);
    call->sink->accepted(call);
    deliver(call, "He said \"hi\"\n");
    deliver(call, "");
    api_fixture_expect(fixture, "hi");
    deliver(call, "data: x\n\n\xf0\x9f\x99\x82");
    call->sink->finished(call, &RESULT);
    char *payload = api_fixture_stream(fixture);
    assert_golden(fixture, payload,
                  CHUNK_HEAD FIRST_DELTA "}\n\n" CHUNK_HEAD DELTA("He said \\\"hi\\\"\\n") "}\n\n" CHUNK_HEAD DELTA(
                      "data: x\\n\\n\xf0\x9f\x99\x82") "}\n\n" CHUNK_HEAD LAST_DELTA("stop") "}\n\ndata: [DONE]\n\n");
    free(payload);
}

static void test_stream_chat_with_usage(void **state) {
    struct api_fixture *fixture = *state;
    struct call_result result = RESULT;
    result.finish = GEN_FINISH_LENGTH;
    api_fixture_post(fixture, CHAT,
                     "{\"model\":\"" MODEL "\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," MESSAGES
                     "}");
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "a");
    call->sink->finished(call, &result);
    char *payload = api_fixture_stream(fixture);
    assert_golden(fixture, payload,
                  CHUNK_HEAD FIRST_DELTA ",\"usage\":null}\n\n" CHUNK_HEAD DELTA(
                      "a") ",\"usage\":null}\n\n" CHUNK_HEAD LAST_DELTA("length") ",\"usage\":null}\n\n" CHUNK_HEAD
                                                                                  "\"choices\":[],\"usage\":" USAGE
                                                                                  "}\n\ndata: [DONE]\n\n");
    free(payload);
}

static void test_stream_inference(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, "/v1/inference", "{\"model\":\"" MODEL "\",\"prompt\":\"p\",\"stream\":true}");
    struct call *call = api_fixture_await_call(fixture);
    call->sink->accepted(call);
    api_fixture_expect(fixture, "\r\n\r\n");
    deliver(call, "a");
    deliver(call, "\"b");
    call->sink->finished(call, &RESULT);
    char *payload = api_fixture_stream(fixture);
#define INFERENCE_HEAD "data: {\"id\":\"$ID\",\"object\":\"inference.chunk\",\"created\":$TIME,\"model\":\"" MODEL "\","
    assert_golden(fixture, payload,
                  INFERENCE_HEAD "\"output\":\"a\",\"finish_reason\":null}\n\n" INFERENCE_HEAD
                                 "\"output\":\"\\\"b\",\"finish_reason\":null}\n\n" INFERENCE_HEAD
                                 "\"output\":\"\",\"finish_reason\":\"stop\",\"usage\":" USAGE
                                 ",\"provider\":{\"region\":\"IN\",\"latency_ms\":245},\"nataris\":" NATARIS
                                 "}\n\ndata: [DONE]\n\n");
    free(payload);
}

/* A text over the limit of one chunk is cut between characters, and nothing is lost. */
static void test_long_delta_is_split(void **state) {
    struct api_fixture *fixture = *state;
    enum { COUNT = LIMIT_DELTA_BYTES }; /* times two bytes */
    char *text = mem_calloc(1, 2 * COUNT + 2);
    text[0] = 'x'; /* so that the limit falls into a character */
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(text + 1 + 2 * i, "\xc3\xa9", 2);
    }
    api_fixture_post(fixture, "/v1/inference", "{\"model\":\"" MODEL "\",\"prompt\":\"p\",\"stream\":true}");
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, text);
    call->sink->finished(call, &RESULT);
    char *payload = api_fixture_stream(fixture);
    size_t characters = 0, chunks = 0;
    for (const char *at = payload; (at = strstr(at, "\xc3\xa9")) != NULL; at += 2) {
        characters++;
    }
    for (const char *at = payload; (at = strstr(at, "data: {")) != NULL; at++) {
        chunks++;
    }
    assert_int_equal(characters, COUNT);
    assert_int_equal(chunks, 4);
    assert_null(strstr(payload, "\xef\xbf\xbd"));
    free(payload);
    free(text);
}

/* After the headers a failure is one event; the stream ends without [DONE], and its connection takes the next one. */
static void test_fail_in_mid_stream(void **state) {
    struct api_fixture *fixture = *state;
    const struct fault fault = {.code = FAULT_UNAVAILABLE, .message = "The device is gone."};
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "a");
    call->sink->failed(call, &fault);
    char *payload = api_fixture_stream(fixture);
    const char *event = strstr(payload, "data: {\"error\"");
    assert_non_null(event);
    assert_string_equal(event, "data: {\"error\":{\"message\":\"The device is gone.\",\"type\":"
                               "\"service_unavailable_error\",\"code\":\"SERVICE_UNAVAILABLE\",\"param\":null,"
                               "\"retry_after\":5}}\n\n");
    free(payload);
    fixture->call = NULL;
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    call = api_fixture_await_call(fixture);
    assert_false(fixture->closed);
    call->sink->failed(call, &fault);
    assert_int_equal(fixture->abandoned, 0);
}

/* A client that does not read its stream is cut; the backend hears of it once. */
static void test_slow_reader_is_cut(void **state) {
    enum { PIECE = 4096, PIECES_MAX = 16 * 1024 };
    struct api_fixture *fixture = *state;
    char piece[PIECE + 1];
    memset(piece, 'x', PIECE);
    piece[PIECE] = '\0';
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    uv_poll_stop(&fixture->poll);
    int pieces = 0;
    while (call->sink->deliver(call, str_from(piece)) == CALL_DELIVERED) {
        assert_in_range(++pieces, 1, PIECES_MAX);
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
    }
    assert_int_equal(fixture->abandoned, 1);
    assert_int_equal(calls_count(fixture->calls), 0);
    assert_true(pieces > LIMIT_STREAM_BACKLOG_BYTES / PIECE / 2);
    uv_poll_start(&fixture->poll, UV_READABLE | UV_DISCONNECT, api_fixture_on_bytes);
    while (!fixture->closed) {
        api_fixture_turn(fixture);
    }
    assert_null(strstr(api_fixture_text(fixture), "[DONE]"));
    assert_int_equal(fixture->abandoned, 1);
}

static void test_late_headers(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    http_calls_tick(fixture->api, call->started_ms + 700);
    assert_false(http_call_of(call)->headers_sent);
    http_calls_tick(fixture->api, call->started_ms + 1000);
    assert_true(http_call_of(call)->headers_sent);
    api_fixture_expect(fixture, "\"role\":\"assistant\"");
    call->sink->finished(call, &RESULT);
    char *payload = api_fixture_stream(fixture);
    assert_int_equal(count_of(payload, "\"role\""), 1);
    free(payload);
}

static void test_keep_alive(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "a");
    uint64_t written = http_call_of(call)->last_write_ms;
    http_calls_tick(fixture->api, written + LIMIT_STREAM_KEEPALIVE_MS - 1);
    deliver(call, "b");
    http_calls_tick(fixture->api, http_call_of(call)->last_write_ms + LIMIT_STREAM_KEEPALIVE_MS);
    deliver(call, "c");
    call->sink->finished(call, &RESULT);
    char *payload = api_fixture_stream(fixture);
    assert_int_equal(count_of(payload, ":"), count_of(payload, "\":") + count_of(payload, "data:") + 1);
    const char *comment = strstr(payload, "\n\n: keep-alive\n\n");
    assert_non_null(comment);
    assert_true(comment > strstr(payload, "\"b\"") && comment < strstr(payload, "\"c\""));
    free(payload);
}

/* While the model is being loaded: at once with the headers, then every two seconds, until there is text. */
static void test_progress_of_a_model(void **state) {
    struct api_fixture *fixture = *state;
    fixture->ready_in_ms = 11001;
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    const uint64_t start = call->started_ms;
    http_calls_tick(fixture->api, start + 1000);
    http_calls_tick(fixture->api, start + 2750);
    http_calls_tick(fixture->api, start + 3000);
    fixture->ready_in_ms = UINT64_MAX; /* nothing is known any more */
    http_calls_tick(fixture->api, start + 6000);
    fixture->ready_in_ms = 11001;
    deliver(call, "a");
    http_calls_tick(fixture->api, start + 9000);
    call->sink->finished(call, &RESULT);
    char *payload = api_fixture_stream(fixture);
    assert_int_equal(count_of(payload, "\n\n: loading " MODEL " 43% (about 12 s)\n\n"), 2);
    assert_int_equal(count_of(payload, ": loading"), 2);
    free(payload);
}

/* What a device is given that goes on with the answer. */
static void test_the_text_so_far_is_kept(void **state) {
    struct api_fixture *fixture = *state;
    struct call_result result = RESULT;
    struct str text;
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    assert_true(call_text(call, &text));
    assert_int_equal(text.len, 0);
    deliver(call, "Hel");
    deliver(call, "lo");
    assert_true(call_text(call, &text));
    assert_true(str_equal(text, STR("Hello")));
    call->text.limit = 6; /* as if it were LIMIT_ANSWER_BYTES */
    deliver(call, " world");
    assert_false(call_text(call, &text));
    result.continued = 1;
    call->sink->finished(call, &result);
    char *payload = api_fixture_stream(fixture);
    assert_int_equal(count_of(payload, " world"), 1); /* it reaches the client all the same */
    free(payload);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_stream_chat),         TEST(test_stream_chat_with_usage),
        TEST(test_stream_inference),    TEST(test_long_delta_is_split),
        TEST(test_fail_in_mid_stream),  TEST(test_slow_reader_is_cut),
        TEST(test_late_headers),        TEST(test_keep_alive),
        TEST(test_progress_of_a_model), TEST(test_the_text_so_far_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
