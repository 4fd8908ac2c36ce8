/* The same request twice: keys, SDK retries, replays, and 64 at once. */
#include "api/http_call.h"
#include "base/clock.h"
#include "call/call.h"
#include "call/claim.h"
#include "support/api_calls.h"

#define KEY(text) "Idempotency-Key: " text "\r\n"
#define RETRY(count) "x-stainless-retry-count: " count "\r\n"
#define POST "POST " CHAT

static const char other_chat[] = "{\"model\":\"" MODEL "\",\"messages\":[{\"role\":\"user\",\"content\":\"ho\"}]}";

/* A settlement that is durable at once. */
static void settle(struct api_fixture *fixture, struct call *call) {
    struct store_answer answer;
    if (call->sink->answer(call, &RESULT, &answer)) {
        api_store_keep(&fixture->store, &answer);
    }
}

static void settle_and_finish(struct api_fixture *fixture, struct call *call) {
    deliver(call, "the ");
    deliver(call, "answer");
    settle(fixture, call);
    call->sink->finished(call, &RESULT);
    fixture->call = NULL;
}

static int exchange(struct api_fixture *fixture, const char *headers, const char *content, const char **body) {
    api_fixture_forget(fixture);
    api_fixture_request(fixture, POST, headers, content);
    return api_fixture_answer(fixture, body);
}

static void assert_conflict(struct api_fixture *fixture, const char *headers, const char *content, bool running) {
    const char *body;
    assert_int_equal(exchange(fixture, headers, content, &body), 409);
    assert_non_null(strstr(body, "\"type\":\"invalid_request_error\",\"code\":\"IDEMPOTENCY_CONFLICT\""));
    assert_string_equal(api_fixture_header(fixture, "Retry-After"), running ? "1" : "");
    assert_string_equal(api_fixture_header(fixture, "retry-after-ms"), running ? "1000" : "");
    assert_string_equal(api_fixture_header(fixture, "x-should-retry"), running ? "" : "false");
}

static void test_replay(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->on_submit = settle_and_finish;
    assert_int_equal(exchange(fixture, KEY("k1"), PLAIN_CHAT, &body), 200);
    assert_string_equal(api_fixture_header(fixture, "Idempotent-Replayed"), "");
    char *first = mem_strdup(body);
    assert_non_null(strstr(first, "\"content\":\"the answer\""));
    assert_int_equal(exchange(fixture, KEY("k1"), PLAIN_CHAT, &body), 200);
    assert_string_equal(body, first);
    assert_string_equal(api_fixture_header(fixture, "Idempotent-Replayed"), "true");
    assert_string_equal(api_fixture_header(fixture, "Content-Type"), "application/json");
    assert_string_not_equal(api_fixture_header(fixture, "x-request-id"), fixture->request_id);
    assert_int_equal(fixture->submitted, 1);
    /* The kept answer is the one request's, and says so for a day. */
    assert_false(fixture->store.answers[0].replaces);
    const int64_t kept_ms = fixture->store.answers[0].expires_ms - clock_wall_ms();
    assert_in_range(kept_ms, IDEMPOTENCY_KEY_KEPT_MS - 60 * 1000, IDEMPOTENCY_KEY_KEPT_MS);
    /* Another key, and another kind of key, is another request; without one nothing is kept. */
    assert_int_equal(exchange(fixture, KEY("k2"), PLAIN_CHAT, &body), 200);
    assert_int_equal(exchange(fixture, "", PLAIN_CHAT, &body), 200);
    fixture->auth.kind = STORE_KEY_TEST;
    assert_int_equal(exchange(fixture, KEY("k1"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 4);
    assert_int_equal(fixture->store.answers_asked, 3);
    free(first);
}

static void test_replay_of_a_stream(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->on_submit = settle_and_finish;
    api_fixture_request(fixture, POST, KEY("k"), STREAM_CHAT);
    free(api_fixture_stream(fixture));
    assert_int_equal(exchange(fixture, KEY("k"), STREAM_CHAT, &body), 200);
    assert_string_equal(api_fixture_header(fixture, "Content-Type"), "text/event-stream");
    assert_string_equal(api_fixture_header(fixture, "Cache-Control"), "no-cache");
    assert_string_equal(api_fixture_header(fixture, "Idempotent-Replayed"), "true");
#define HEAD "data: {\"id\":\"$ID\",\"object\":\"chat.completion.chunk\",\"created\":$TIME,\"model\":\"" MODEL "\","
    assert_golden(fixture, body,
                  HEAD
                  "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                  "\"finish_reason\":null}]}\n\n" HEAD
                  "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"the answer\"},\"finish_reason\":null}]}\n\n" HEAD
                  "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    assert_int_equal(fixture->submitted, 1);
    api_fixture_forget(fixture);
    api_fixture_request(fixture, "POST /v1/inference", KEY("i"),
                        "{\"model\":\"" MODEL "\",\"prompt\":\"p\",\"stream\":true}");
    free(api_fixture_stream(fixture));
    api_fixture_forget(fixture);
    api_fixture_request(fixture, "POST /v1/inference", KEY("i"),
                        "{\"model\":\"" MODEL "\",\"prompt\":\"p\",\"stream\":true}");
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_int_equal(count_of(body, "data: "), 3);
    assert_non_null(strstr(body, "\"output\":\"the answer\""));
    assert_int_equal(fixture->submitted, 2);
}

static void test_other_request_with_the_same_key(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->on_submit = settle_and_finish;
    assert_int_equal(exchange(fixture, KEY("k"), PLAIN_CHAT, &body), 200);
    assert_conflict(fixture, KEY("k"), other_chat, false);
    assert_conflict(fixture, KEY("k"), PLAIN_CHAT " ", false); /* to the byte */
    api_fixture_forget(fixture);
    api_fixture_request(fixture, "POST /v1/inference", KEY("k"), "{\"model\":\"" MODEL "\",\"prompt\":\"p\"}");
    assert_int_equal(api_fixture_answer(fixture, &body), 409);
    assert_non_null(strstr(body, "\"param\":\"Idempotency-Key\""));
    assert_int_equal(fixture->submitted, 1);
}

static void test_bad_keys(void **state) {
    struct api_fixture *fixture = *state;
    char longest[300], header[400];
    const char *body;
    memset(longest, 'x', sizeof(longest));
    fixture->on_submit = settle_and_finish;
    for (size_t len = 255; len <= 256; len++) {
        snprintf(header, sizeof(header), "Idempotency-Key: %.*s\r\n", (int)len, longest);
        assert_int_equal(exchange(fixture, header, PLAIN_CHAT, &body), len == 255 ? 200 : 400);
    }
    static const char *const headers[] = {KEY(""), KEY(" "), KEY("caf\xc3\xa9"), KEY("a\tb")};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        assert_int_equal(exchange(fixture, headers[i], PLAIN_CHAT, &body), 400);
        assert_non_null(strstr(body, "\"code\":\"INVALID_REQUEST\",\"param\":\"Idempotency-Key\""));
    }
    assert_int_equal(fixture->submitted, 1);
}

/* A failed call stores nothing: the next one runs. */
static void test_failure_is_not_kept(void **state) {
    struct api_fixture *fixture = *state;
    const struct fault fault = {.code = FAULT_REQUEST_TIMEOUT, .message = "Nobody answered."};
    const char *body;
    for (int i = 1; i <= 2; i++) {
        api_fixture_forget(fixture);
        fixture->call = NULL;
        api_fixture_request(fixture, POST, KEY("k"), PLAIN_CHAT);
        struct call *call = api_fixture_await_call(fixture);
        if (i == 2) {
            settle(fixture, call); /* which then fails: the answer is not in the store */
            fixture->store.answers[0].expires_ms = 0;
        }
        call->sink->failed(call, &fault);
        assert_int_equal(api_fixture_answer(fixture, &body), 408);
    }
    fixture->on_submit = settle_and_finish;
    assert_int_equal(exchange(fixture, KEY("k"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 3);
}

/* What is too large to keep is answered all the same. */
static void test_large_answer_is_not_kept(void **state) {
    struct api_fixture *fixture = *state;
    struct store_answer answer;
    const char *body;
    char *text = mem_calloc(1, LIMIT_ANSWER_BYTES);
    memset(text, 'x', LIMIT_ANSWER_BYTES);
    api_fixture_request(fixture, POST, KEY("k"), PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    assert_int_equal(call->sink->deliver(call, (struct str){text, LIMIT_ANSWER_BYTES}), CALL_DELIVERED);
    assert_false(call->sink->answer(call, &RESULT, &answer));
    call->sink->finished(call, &RESULT);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_true(strlen(body) > LIMIT_ANSWER_BYTES);
    fixture->call = NULL;
    api_fixture_forget(fixture);
    api_fixture_request(fixture, POST, KEY("k2"), STREAM_CHAT);
    call = api_fixture_await_call(fixture);
    for (size_t sent = 0; sent <= LIMIT_ANSWER_BYTES; sent += LIMIT_DELTA_BYTES) {
        assert_int_equal(call->sink->deliver(call, (struct str){text, LIMIT_DELTA_BYTES}), CALL_DELIVERED);
        while (http_exchange_unsent(http_call_of(call)->exchange) > 0) {
            api_fixture_turn(fixture);
        }
    }
    assert_false(call->sink->answer(call, &RESULT, &answer));
    call->sink->finished(call, &RESULT);
    free(api_fixture_stream(fixture));
    free(text);
}

/* --- Many clients --- */

enum { CLIENTS = 64 };

struct client {
    int socket;
    struct buf received;
};

static void client_send(struct api_fixture *fixture, struct client *client, const char *headers, const char *content) {
    api_fixture_disconnect(fixture);
    api_fixture_connect(fixture);
    api_fixture_request(fixture, POST, headers, content);
    uv_close((uv_handle_t *)&fixture->poll, NULL);
    uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
    client->socket = dup(fixture->socket);
    buf_init(&client->received, 1 << 20);
    uv_poll_init(loop_uv(fixture->loop), &fixture->poll, fixture->socket);
    fixture->poll.data = fixture;
}

/* The status of the answer, or 0 before it is there. */
static int client_status(struct client *client) {
    char bytes[4096];
    ssize_t got;
    while ((got = recv(client->socket, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
        buf_append(&client->received, bytes, (size_t)got);
    }
    const char *text = buf_cstr(&client->received);
    const char *end = strstr(text, "\r\n\r\n");
    return end != NULL && end[4] != '\0' ? (int)strtol(text + 9, NULL, 10) : 0;
}

static size_t count_status(struct client *clients, int status) {
    size_t count = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        count += client_status(&clients[i]) == status;
    }
    return count;
}

static void clients_close(struct client *clients) {
    for (size_t i = 0; i < CLIENTS; i++) {
        close(clients[i].socket);
        buf_clear(&clients[i].received);
    }
}

/* However the iterations of the loop fall, one of them runs, and the others are told to come back, before and after the
 * store answers. */
static void test_64_at_once(void **state) {
    struct api_fixture *fixture = *state;
    struct client *clients = mem_calloc(CLIENTS, sizeof(*clients));
    fixture->store.held = true;
    for (size_t i = 0; i < CLIENTS; i++) {
        client_send(fixture, &clients[i], KEY("one"), PLAIN_CHAT);
        if (i == CLIENTS / 2) {
            while (fixture->store.question_count == 0) {
                api_fixture_turn(fixture);
            }
            assert_int_equal(fixture->submitted, 0);
            api_store_answer_all(&fixture->store);
            assert_int_equal(fixture->submitted, 1);
        }
    }
    while (count_status(clients, 409) < CLIENTS - 1) {
        api_fixture_turn(fixture);
    }
    assert_int_equal(fixture->submitted, 1);
    assert_int_equal(fixture->store.answers_asked, 1);
    settle_and_finish(fixture, fixture->call);
    while (count_status(clients, 200) < 1) {
        api_fixture_turn(fixture);
    }
    /* All of them come back, and get what the first one got. */
    clients_close(clients);
    fixture->store.held = false;
    for (size_t i = 0; i < CLIENTS; i++) {
        client_send(fixture, &clients[i], KEY("one"), i % 8 == 7 ? other_chat : PLAIN_CHAT);
    }
    while (count_status(clients, 200) + count_status(clients, 409) < CLIENTS) {
        api_fixture_turn(fixture);
    }
    assert_int_equal(fixture->submitted, 1);
    for (size_t i = 0; i < CLIENTS; i++) {
        /* In the iterations in which one of them asks the store, its twins are told to come back. */
        assert_true(i % 8 != 7 || client_status(&clients[i]) == 409);
        assert_true(client_status(&clients[i]) == 409 ||
                    strstr(buf_cstr(&clients[i].received), fixture->call_id) != NULL);
    }
    assert_true(count_status(clients, 200) >= 1);
    clients_close(clients);
    free(clients);
    api_fixture_disconnect(fixture);
    api_fixture_connect(fixture);
}

static void test_while_it_runs(void **state) {
    struct api_fixture *fixture = *state;
    struct client *clients = mem_calloc(CLIENTS, sizeof(*clients));
    client_send(fixture, &clients[0], KEY("k"), PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    api_fixture_disconnect(fixture);
    api_fixture_connect(fixture);
    assert_conflict(fixture, KEY("k"), PLAIN_CHAT, true);
    assert_conflict(fixture, KEY("k"), other_chat, false);
    assert_int_equal(fixture->submitted, 1);
    settle_and_finish(fixture, call);
    const char *body;
    assert_int_equal(exchange(fixture, KEY("k"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 1);
    close(clients[0].socket);
    free(clients);
}

/* --- SDKs --- */

static void test_sdk_retries(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->on_submit = settle_and_finish;
    /* Two new requests that happen to be equal are two; a retry is not a third. */
    assert_int_equal(exchange(fixture, RETRY("0"), PLAIN_CHAT, &body), 200);
    assert_int_equal(exchange(fixture, RETRY("0"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 2);
    assert_int_equal(fixture->store.answers_asked, 0);
    assert_int_equal(fixture->store.answer_count, 1);
    assert_int_equal(exchange(fixture, RETRY("1"), PLAIN_CHAT, &body), 200);
    assert_string_equal(api_fixture_header(fixture, "Idempotent-Replayed"), "true");
    assert_non_null(strstr(body, fixture->call_id));
    assert_int_equal(exchange(fixture, RETRY("2"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 2);
    assert_true(fixture->store.answers[0].replaces); /* of equal ones the newest is kept */
    const int64_t kept_ms = fixture->store.answers[0].expires_ms - clock_wall_ms();
    assert_in_range(kept_ms, IDEMPOTENCY_SDK_KEPT_MS - 60 * 1000, IDEMPOTENCY_SDK_KEPT_MS);
    /* A retry of what never came here runs; so does one with another body, or with a key of its own. */
    assert_int_equal(exchange(fixture, RETRY("1"), other_chat, &body), 200);
    assert_int_equal(fixture->submitted, 3);
    assert_int_equal(exchange(fixture, RETRY("1") KEY("k"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 4);
    /* After ten minutes it is a new one. */
    fixture->store.answers[0].expires_ms = clock_wall_ms();
    assert_int_equal(exchange(fixture, RETRY("1"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 5);
    /* What is no count is no SDK's. */
    assert_int_equal(exchange(fixture, RETRY("x"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 6);
}

static void test_sdk_retry_while_it_runs(void **state) {
    struct api_fixture *fixture = *state;
    struct client *clients = mem_calloc(CLIENTS, sizeof(*clients));
    struct call *calls[2];
    const char *body;
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        fixture->call = NULL;
        client_send(fixture, &clients[i], RETRY("0"), PLAIN_CHAT);
        calls[i] = api_fixture_await_call(fixture);
    }
    assert_int_equal(fixture->submitted, 2);
    api_fixture_disconnect(fixture);
    api_fixture_connect(fixture);
    assert_conflict(fixture, RETRY("1"), PLAIN_CHAT, true);
    settle_and_finish(fixture, calls[0]);
    assert_conflict(fixture, RETRY("1"), PLAIN_CHAT, true);
    settle_and_finish(fixture, calls[1]);
    assert_int_equal(exchange(fixture, RETRY("1"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 2);
    close(clients[0].socket);
    close(clients[1].socket);
    free(clients);
}

/* --- Clients that go away --- */

static void gone(struct api_fixture *fixture) {
    api_fixture_disconnect(fixture);
    while (calls_count(fixture->calls) > 0) {
        api_fixture_turn(fixture);
    }
    api_fixture_connect(fixture);
}

static void test_client_gone(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    /* While the store is asked: nothing has run, and the next one may. */
    fixture->store.held = true;
    api_fixture_request(fixture, POST, KEY("k"), PLAIN_CHAT);
    while (fixture->store.question_count == 0) {
        api_fixture_turn(fixture);
    }
    assert_int_equal(calls_count(fixture->calls), 1);
    gone(fixture);
    fixture->store.held = false;
    /* While it runs: it is cancelled, and the next one runs. */
    api_fixture_request(fixture, POST, KEY("k"), PLAIN_CHAT);
    api_fixture_await_call(fixture);
    gone(fixture);
    assert_int_equal(fixture->abandoned, 1);
    fixture->on_submit = settle_and_finish;
    assert_int_equal(exchange(fixture, KEY("k"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 2);
}

/* Its answer is on its way into the store when the client goes away: a retry must not run, although nothing is stored
 * yet. */
static void test_client_gone_while_settling(void **state) {
    struct api_fixture *fixture = *state;
    struct store_answer answer;
    const char *body;
    api_fixture_request(fixture, POST, KEY("k"), PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "the answer");
    assert_true(call->sink->answer(call, &RESULT, &answer));
    struct store_answer late = answer;
    late.content.data = mem_strndup(answer.content.data, answer.content.len);
    gone(fixture);
    assert_conflict(fixture, KEY("k"), PLAIN_CHAT, true);
    assert_conflict(fixture, KEY("k"), other_chat, false);
    claims_sweep(fixture->calls->claims, loop_now_ms(fixture->loop) + IDEMPOTENCY_LINGER_MS - 1000);
    assert_conflict(fixture, KEY("k"), PLAIN_CHAT, true);
    api_store_keep(&fixture->store, &late);
    assert_int_equal(exchange(fixture, KEY("k"), PLAIN_CHAT, &body), 200);
    assert_non_null(strstr(body, "the answer"));
    assert_int_equal(fixture->submitted, 1);
    /* It does not linger for ever. */
    claims_sweep(fixture->calls->claims, loop_now_ms(fixture->loop) + IDEMPOTENCY_LINGER_MS + 1000);
    fixture->store.answers[0].expires_ms = 0;
    fixture->on_submit = settle_and_finish;
    assert_int_equal(exchange(fixture, KEY("k"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 2);
    free((void *)late.content.data);
}

/* Without the store's word nothing runs. */
static void test_store_cannot_tell(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    err_set(&fixture->store.err, ERR_UNAVAILABLE, "queue full");
    fixture->on_submit = settle_and_finish;
    assert_int_equal(exchange(fixture, KEY("k"), PLAIN_CHAT, &body), 503);
    assert_int_equal(fixture->submitted, 0);
    fixture->store.err.code = ERR_NONE;
    assert_int_equal(exchange(fixture, KEY("k"), PLAIN_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 1);
}

/* The sandbox stores nothing; its calls exclude each other all the same. */
static void test_sandbox(void **state) {
    struct api_fixture *fixture = *state;
    struct client client;
    fixture->auth.kind = STORE_KEY_TEST;
    client_send(fixture, &client, KEY("k"), PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    api_fixture_disconnect(fixture);
    api_fixture_connect(fixture);
    assert_conflict(fixture, KEY("k"), PLAIN_CHAT, true);
    call->sink->finished(call, &RESULT);
    assert_int_equal(fixture->store.answers_asked, 0);
    close(client.socket);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_replay),
        TEST(test_replay_of_a_stream),
        TEST(test_other_request_with_the_same_key),
        TEST(test_bad_keys),
        TEST(test_failure_is_not_kept),
        TEST(test_large_answer_is_not_kept),
        TEST(test_64_at_once),
        TEST(test_while_it_runs),
        TEST(test_sdk_retries),
        TEST(test_sdk_retry_while_it_runs),
        TEST(test_client_gone),
        TEST(test_client_gone_while_settling),
        TEST(test_store_cannot_tell),
        TEST(test_sandbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
