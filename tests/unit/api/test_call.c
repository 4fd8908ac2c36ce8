/* Calls from the request to the end of a plain answer: golden answers, failures, clients that go away. */
#include "api/http_call.h"
#include "call/call.h"
#include "support/api_calls.h"

static void test_plain_chat(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    api_fixture_post(fixture, CHAT, PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    assert_string_equal(call->identity.account_id, "acct_1");
    assert_int_equal(calls_count(fixture->calls), 1);
    call->sink->accepted(call);
    deliver(call, "Hel");
    deliver(call, "");
    deliver(call, "lo \"you\"\n\xc3\xa9");
    assert_int_equal(fixture->received.len, 0);
    call->sink->finished(call, &RESULT);
    assert_int_equal(calls_count(fixture->calls), 0);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_golden(fixture, body,
                  "{\"id\":\"$ID\",\"object\":\"chat.completion\",\"created\":$TIME,\"model\":\"" MODEL
                  "\",\"choices\":"
                  "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello \\\"you\\\"\\n\xc3\xa9\"},"
                  "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":" USAGE ",\"nataris\":" NATARIS "}");
    assert_memory_equal(fixture->call_id, "chatcmpl-", 9);
    assert_int_equal(strlen(fixture->call_id), 9 + 24);
    assert_string_equal(api_fixture_header(fixture, "Content-Type"), "application/json");
    assert_string_equal(api_fixture_header(fixture, "x-request-id"), fixture->request_id);
    assert_int_equal(fixture->abandoned, 0);
}

static void test_plain_inference(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    struct call_result result = RESULT;
    result.finish = GEN_FINISH_LENGTH;
    result.provider_id = NULL;
    result.provider_region = "";
    result.inference_type = "sandbox";
    result.continued = 1;
    api_fixture_post(fixture, "/v1/inference", "{\"model\":\"nataris-fast\",\"prompt\":\"Write\",\"max_tokens\":50}");
    struct call *call = api_fixture_await_call(fixture);
    assert_int_equal(call->generation.max_tokens, 50);
    deliver(call, "Silicon");
    call->sink->finished(call, &result);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    /* The alias has become the model that served. */
    assert_golden(fixture, body,
                  "{\"id\":\"$ID\",\"object\":\"inference\",\"created\":$TIME,\"model\":\"qwen2.5-0.5b-instruct-q6_k\","
                  "\"output\":\"Silicon\",\"finish_reason\":\"length\",\"usage\":" USAGE
                  ",\"provider\":{\"region\":null,\"latency_ms\":245},\"nataris\":{\"inference_type\":\"sandbox\","
                  "\"provider\":{\"id\":null,\"region\":null},\"attempts\":2,\"continued\":1,\"latency_ms\":245,\"ttft_"
                  "ms\":31}}");
    assert_memory_equal(fixture->call_id, "inf_", 4);
}

/* One line for each call; neither what was asked nor what was answered is in it. */
static void test_log_line(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    int ends[2], stderr_copy = dup(STDERR_FILENO);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    api_fixture_post(fixture, CHAT "?key=secret-query",
                     "{\"model\":\"" MODEL "\",\"messages\":[{\"role\":\"user\",\"content\":\"secret-prompt\"}]}");
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "secret-answer");
    log_set_level(LOG_INFO);
    dup2(ends[1], STDERR_FILENO);
    call->sink->finished(call, &RESULT);
    dup2(stderr_copy, STDERR_FILENO);
    char line[2048];
    ssize_t len = read(ends[0], line, sizeof(line) - 1);
    assert_in_range(len, 1, sizeof(line) - 1);
    line[len] = '\0';
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    char expected[256];
    snprintf(expected, sizeof(expected),
             " info http.request request_id=%s method=POST path=" CHAT " status=200 ms=", fixture->request_id);
    assert_non_null(strstr(line, expected));
    snprintf(expected, sizeof(expected),
             " call=%s model=" MODEL " account=acct_1 stream=0 outcome=completed prompt_tokens=5 completion_tokens=2\n",
             fixture->call_id);
    assert_non_null(strstr(line, expected));
    assert_null(strstr(line, "secret"));
    close(ends[0]);
    close(ends[1]);
    close(stderr_copy);
}

static void finish_inside(struct api_fixture *fixture, struct call *call) {
    (void)fixture;
    call->sink->accepted(call);
    deliver(call, "at once");
    call->sink->finished(call, &RESULT);
}

static void fail_inside(struct api_fixture *fixture, struct call *call) {
    (void)fixture;
    const struct fault fault = {.code = FAULT_MODEL_WARMING, .message = "Later.", .retry_after_ms = 300000};
    call->sink->failed(call, &fault);
}

static void test_finish_inside_submit(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->on_submit = finish_inside;
    api_fixture_post(fixture, CHAT, PLAIN_CHAT);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_non_null(strstr(body, "\"content\":\"at once\""));
    /* The connection goes on. */
    api_fixture_forget(fixture);
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    char *payload = api_fixture_stream(fixture);
    assert_non_null(strstr(payload, "at once"));
    free(payload);
    assert_int_equal(fixture->submitted, 2);
    assert_int_equal(calls_count(fixture->calls), 0);
}

static void test_fail_inside_submit(void **state) {
    struct api_fixture *fixture = *state;
    static const char *const bodies[] = {PLAIN_CHAT, STREAM_CHAT};
    fixture->on_submit = fail_inside;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        const char *body;
        api_fixture_forget(fixture);
        api_fixture_post(fixture, CHAT, bodies[i]);
        assert_int_equal(api_fixture_answer(fixture, &body), 503);
        assert_string_equal(body, "{\"error\":{\"message\":\"Later.\",\"type\":\"service_unavailable_error\",\"code\":"
                                  "\"model_warming\",\"param\":null,\"retry_after\":300}}");
        assert_string_equal(api_fixture_header(fixture, "Content-Type"), "application/json");
        assert_string_equal(api_fixture_header(fixture, "Retry-After"), "300");
        assert_string_equal(api_fixture_header(fixture, "retry-after-ms"), "300000");
        /* Minutes are for a person to wait, not for an SDK. */
        assert_string_equal(api_fixture_header(fixture, "x-should-retry"), "false");
    }
}

static void test_fail_with_param(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    const struct fault fault = {.code = FAULT_CONTEXT_LENGTH, .message = "Too long.", .param = "max_tokens"};
    api_fixture_post(fixture, CHAT, PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "text that is not sent");
    call->sink->failed(call, &fault);
    assert_int_equal(api_fixture_answer(fixture, &body), 400);
    assert_string_equal(body, "{\"error\":{\"message\":\"Too long.\",\"type\":\"invalid_request_error\",\"code\":"
                              "\"context_length_exceeded\",\"param\":\"max_tokens\"}}");
    const struct fault timeout = {.code = FAULT_REQUEST_TIMEOUT, .message = "Nobody answered."};
    fixture->call = NULL;
    api_fixture_forget(fixture);
    api_fixture_post(fixture, CHAT, STREAM_CHAT);
    api_fixture_await_call(fixture)->sink->failed(api_fixture_await_call(fixture), &timeout);
    assert_int_equal(api_fixture_answer(fixture, &body), 408);
    assert_string_equal(api_fixture_header(fixture, "Retry-After"), "1");
    assert_string_equal(api_fixture_header(fixture, "x-should-retry"), "");
    assert_null(strstr(body, "retry_after"));
}

static void test_client_goes_away(void **state) {
    static const char *const bodies[] = {PLAIN_CHAT, STREAM_CHAT, STREAM_CHAT};
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        api_fixture_post(fixture, CHAT, bodies[i]);
        struct call *call = api_fixture_await_call(fixture);
        deliver(call, "a");
        if (i == 2) {
            api_fixture_expect(fixture, "\"a\"");
        }
        api_fixture_disconnect(fixture);
        while (fixture->abandoned <= (int)i) {
            api_fixture_turn(fixture);
        }
        assert_int_equal(fixture->abandoned, i + 1);
        assert_int_equal(calls_count(fixture->calls), 0);
        api_fixture_connect(fixture);
    }
}

static void test_plain_answer_has_a_limit(void **state) {
    enum { PIECE = 64 * 1024 };
    struct api_fixture *fixture = *state;
    char *piece = mem_calloc(1, PIECE + 1);
    memset(piece, 'x', PIECE);
    const char *body;
    api_fixture_post(fixture, CHAT, PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    for (size_t sent = 0; sent < LIMIT_ANSWER_BYTES; sent += PIECE) {
        deliver(call, piece);
    }
    /* The backend must be able to charge nothing, so it is no client that has gone, and the call is its to end. */
    assert_int_equal(call->sink->deliver(call, STR("x")), CALL_DELIVER_TOO_LONG);
    assert_int_equal(fixture->abandoned, 0);
    const struct fault fault = {.code = FAULT_UNAVAILABLE, .message = "too long"};
    call->sink->failed(call, &fault);
    assert_int_equal(api_fixture_answer(fixture, &body), 503);
    assert_non_null(strstr(body, "\"code\":\"SERVICE_UNAVAILABLE\""));
    free(piece);
}

/* Every byte of the longest answer may need an escape of six. */
static void test_longest_plain_answer(void **state) {
    struct api_fixture *fixture = *state;
    char *text = mem_calloc(1, LIMIT_ANSWER_BYTES);
    memset(text, 1, LIMIT_ANSWER_BYTES);
    const char *body;
    api_fixture_post(fixture, CHAT, PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    assert_int_equal(call->sink->deliver(call, (struct str){text, LIMIT_ANSWER_BYTES}), CALL_DELIVERED);
    call->sink->finished(call, &RESULT);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_true(strlen(body) > (size_t)6 * LIMIT_ANSWER_BYTES);
    assert_string_equal(body + strlen(body) - strlen(NATARIS) - 1, NATARIS "}");
    free(text);
}

static void test_plain_calls_are_not_ticked(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    api_fixture_post(fixture, CHAT, PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    http_calls_tick(fixture->api, call->started_ms + 3600 * 1000);
    call->sink->finished(call, &RESULT);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_golden(fixture, strstr(body, "\"usage\""), "\"usage\":" USAGE ",\"nataris\":" NATARIS "}");
}

static void count_call(void *context, struct call *call) {
    assert_non_null(call->calls);
    ++*(size_t *)context;
}

/* Calls are unlinked wherever they stand in the list. */
static void test_many_calls(void **state) {
    enum { COUNT = 3 };
    struct api_fixture *fixture = *state;
    struct call *calls[COUNT];
    int sockets[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        fixture->call = NULL;
        api_fixture_post(fixture, CHAT, STREAM_CHAT);
        calls[i] = api_fixture_await_call(fixture);
        uv_close((uv_handle_t *)&fixture->poll, NULL);
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
        sockets[i] = fixture->socket;
        api_fixture_connect(fixture);
    }
    assert_int_equal(calls_count(fixture->calls), COUNT);
    size_t seen = 0;
    call_each(fixture->calls, count_call, &seen);
    assert_int_equal(seen, COUNT);
    calls[1]->sink->finished(calls[1], &RESULT);
    http_calls_tick(fixture->api, calls[0]->started_ms + 1000);
    assert_true(http_call_of(calls[0])->headers_sent && http_call_of(calls[2])->headers_sent);
    calls[2]->sink->finished(calls[2], &RESULT);
    calls[0]->sink->finished(calls[0], &RESULT);
    assert_int_equal(calls_count(fixture->calls), 0);
    for (size_t i = 0; i < COUNT; i++) {
        close(sockets[i]);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plain_chat),
        TEST(test_plain_inference),
        TEST(test_log_line),
        TEST(test_finish_inside_submit),
        TEST(test_fail_inside_submit),
        TEST(test_fail_with_param),
        TEST(test_client_goes_away),
        TEST(test_plain_answer_has_a_limit),
        TEST(test_longest_plain_answer),
        TEST(test_plain_calls_are_not_ticked),
        TEST(test_many_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
