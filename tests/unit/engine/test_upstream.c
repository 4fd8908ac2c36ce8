/* The upstream engine and servers of every kind: odd, busy, broken, hostile. What all engines promise is in
 * tests/contract/test_engine.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine_world.h"
#include "support/http_thread.h"

#include <stdlib.h>

/* What the server answers a chat with, in pieces that the test chooses. */
struct hand {
    struct http_thread http;
    const char *models, *props; /* NULL: 404 */
    int status;                 /* of a chat; 0: 200 */
    const char *answer;
    const char *second; /* to the second chat and all that follow; NULL: likewise */
    bool cut;           /* the connection breaks behind it */
    bool waits;         /* it goes on for ever */
    unsigned chats;
    char url[64];
};

static void on_gone(void *user) {
    (void)user; /* the exchange ends with it */
}

static void answer_chat(struct hand *hand, struct http_exchange *exchange) {
    const char *answer = hand->chats > 0 && hand->second != NULL ? hand->second : hand->answer;
    const int status = hand->chats > 0 && hand->second != NULL ? 200 : hand->status;
    hand->chats++;
    if (status != 0 && status != 200) {
        http_respond(exchange, status, NULL, 0, str_from(answer));
        return;
    }
    http_exchange_on_gone(exchange, on_gone, hand);
    http_stream_begin(exchange, 200, NULL, 0);
    http_stream_write(exchange, str_from(answer));
    if (hand->cut) {
        http_stream_abort(exchange);
    } else if (!hand->waits) {
        http_stream_end(exchange);
    }
}

static void on_request(void *context, struct http_exchange *exchange) {
    struct hand *hand = context;
    const struct http_request *request = http_exchange_request(exchange);
    const bool props = str_equal_cstr(request->path, "/props"), models = str_equal_cstr(request->path, "/v1/models");
    const char *text = props ? hand->props : hand->models;
    if (!props && !models) {
        answer_chat(hand, exchange);
    } else {
        http_respond(exchange, text != NULL ? 200 : 404, NULL, 0, str_from(text != NULL ? text : "{}"));
    }
}

static void open_hand(struct hand *hand, struct engine_world *world) {
    hand->http.on_request = on_request;
    hand->http.context = hand;
    hand->models = hand->models != NULL ? hand->models : "{\"data\":[{\"id\":\"other\"},{\"id\":\"demo:latest\"}]}";
    http_thread_start(&hand->http, "127.0.0.1:0");
    (void)snprintf(hand->url, sizeof(hand->url), "http://127.0.0.1:%u/v1", http_thread_port(&hand->http));
    const struct engine_options options = {.model_id = "demo", .upstream_url = hand->url, .upstream_key = "secret"};
    world_open(world, &ENGINE_UPSTREAM, &options);
    assert_int_equal(world->state, ENGINE_READY);
}

static void close_hand(struct hand *hand, struct engine_world *world) {
    world_close(world);
    http_thread_stop(&hand->http);
}

/* Asks such a server one question. */
static struct world_job ask_with(struct hand *hand, const struct gen_request *request, struct engine_world *world) {
    open_hand(hand, world);
    return *world_ask(world, 1, request);
}

#define CHUNK(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define END(word) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" word "\"}]}\n\n"
#define USAGE(prompt, completion)                                                                                      \
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":" prompt ",\"completion_tokens\":" completion                  \
    ",\"prompt_tokens_details\":{\"cached_tokens\":2}}}\n\n"
#define DONE "data: [DONE]\n\n"

static void answers_and_their_counts(void **state) {
    static const struct {
        const char *answer, *text;
        enum gen_finish finish;
        uint32_t prompt, completion, told;
    } CASES[] = {
        {CHUNK("a") CHUNK(" b") END("stop") USAGE("7", "2") DONE, "a b", GEN_FINISH_STOP, 7, 2, 2},
        {CHUNK("a") CHUNK(" b") END("length") USAGE("7", "9") DONE, "a b", GEN_FINISH_LENGTH, 7, 9, 9},
        {CHUNK("a") CHUNK(" b") CHUNK(" c") END("tool_calls") USAGE("7", "2"), "a b c", GEN_FINISH_STOP, 7, 2, 3},
        {CHUNK("a") CHUNK(" b") END("eos"), "a b", GEN_FINISH_STOP, 1, 2, 2}, /* 5 bytes of a prompt */
        {END("stop") DONE, "", GEN_FINISH_STOP, 1, 0, 0},
        {CHUNK("a") "data: {\"choices\":[{\"delta\":{\"content\":\" b\"},\"finish_reason\":\"stop\"}]}", "a b",
         GEN_FINISH_STOP, 1, 2, 2},
        {"data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n" CHUNK("a") END("stop"),
         "<think>hm</think>a", GEN_FINISH_STOP, 1, 2, 2},
        {CHUNK("a") END("stop") USAGE("7", "4000000000") DONE, "a", GEN_FINISH_STOP, 7, 256, 256},
        {CHUNK("a") END("stop") USAGE("-7", "\"x\"") DONE, "a", GEN_FINISH_STOP, 1, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct hand hand = {.answer = CASES[i].answer};
        struct engine_world world;
        struct gen_message message;
        const struct gen_request request = world_chat(&message, "Hello");
        const struct world_job job = ask_with(&hand, &request, &world);
        assert_int_equal(job.dones, 1);
        assert_string_equal(job.text.len > 0 ? buf_cstr(&world.jobs[1].text) : "", CASES[i].text);
        assert_int_equal(job.done.finish, CASES[i].finish);
        assert_int_equal(job.done.usage.prompt_tokens, CASES[i].prompt);
        assert_int_equal(job.done.usage.completion_tokens, CASES[i].completion);
        assert_int_equal(job.done.usage.cached_tokens, 0); /* nobody learns what others have asked */
        assert_int_equal(job.delta_tokens, CASES[i].told);
        assert_string_equal(hand.http.authorization, "Bearer secret");
        close_hand(&hand, &world);
    }
}

static void failures_and_what_they_mean(void **state) {
    static const struct {
        int status;
        const char *answer;
        enum gen_failure failure;
        bool cut;
    } CASES[] = {
        {400, "{\"error\":{\"code\":\"context_length_exceeded\"}}", GEN_FAILURE_CONTEXT_LENGTH, false},
        {400, "{\"error\":{\"type\":\"exceed_context_size_error\"}}", GEN_FAILURE_CONTEXT_LENGTH, false},
        {400, "{\"object\":\"error\",\"message\":\"This model's maximum context length is 9\"}",
         GEN_FAILURE_CONTEXT_LENGTH, false},
        {422, "no", GEN_FAILURE_BAD_REQUEST, false},
        {401, "{}", GEN_FAILURE_MODEL_MISSING, false},
        {404, "{}", GEN_FAILURE_MODEL_MISSING, false},
        {429, "{}", GEN_FAILURE_OVERLOADED, false},
        {503, "", GEN_FAILURE_OVERLOADED, false},
        {500, "<html>", GEN_FAILURE_ENGINE, false},
        {302, "", GEN_FAILURE_ENGINE, false},
        {0, CHUNK("a"), GEN_FAILURE_ENGINE, false}, /* no finish_reason */
        {0, CHUNK("a") DONE, GEN_FAILURE_ENGINE, false},
        {0, CHUNK("a"), GEN_FAILURE_ENGINE, true},
        {0, "", GEN_FAILURE_ENGINE, true},
        {0, "", GEN_FAILURE_ENGINE, false},
        {0, CHUNK("a") "data: {\"error\":{\"message\":\"x\"}}\n\n", GEN_FAILURE_ENGINE, false},
        {0, "data: {\"choices\":\n\n", GEN_FAILURE_ENGINE, false},
        {0, "data: []\n\n", GEN_FAILURE_ENGINE, false},
        {0, "data: {\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}\n\n", GEN_FAILURE_ENGINE, false},
        {0, "data: {\"choices\":{\"delta\":7},\"usage\":[]}\n\n", GEN_FAILURE_ENGINE, false},
        {0, "<html>hello</html>", GEN_FAILURE_ENGINE, false},
        {0, "{\"choices\":[{\"message\":{\"content\":\"whole\"}}]}", GEN_FAILURE_ENGINE, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct hand hand = {.status = CASES[i].status, .answer = CASES[i].answer, .cut = CASES[i].cut};
        struct engine_world world;
        struct gen_message message;
        struct gen_request request = world_chat(&message, "Hello");
        request.max_tokens_given = true;
        const struct world_job job = ask_with(&hand, &request, &world);
        assert_int_equal(job.failures, 1);
        assert_int_equal(job.failure, CASES[i].failure);
        assert_string_equal(job.param, job.failure == GEN_FAILURE_CONTEXT_LENGTH ? "messages" : "");
        close_hand(&hand, &world);
    }
}

/* Nothing of a server's words gets out, and none of its pieces can be too long. */
static void an_endless_line_ends(void **state) {
    char *line = malloc(3 * 1024 * 1024);
    struct hand hand = {.answer = line};
    struct engine_world world;
    struct gen_message message;
    const struct gen_request request = world_chat(&message, "Hello");
    (void)state;
    memset(line, 'x', 3 * 1024 * 1024);
    memcpy(line, "data: ", 6);
    line[3 * 1024 * 1024 - 1] = '\0';
    assert_int_equal(ask_with(&hand, &request, &world).failure, GEN_FAILURE_ENGINE);
    close_hand(&hand, &world);
    free(line);
}

static void stop_strings_and_max_tokens_hold_against_the_server(void **state) {
    struct hand hand = {.answer = CHUNK("one st") CHUNK("o") CHUNK("p two") END("stop"), .waits = true};
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello");
    (void)state;
    request.stop[0] = STR("stop");
    request.stop_count = 1;
    struct world_job job = ask_with(&hand, &request, &world);
    assert_int_equal(job.done.finish, GEN_FINISH_STOP);
    assert_string_equal(buf_cstr(&world.jobs[1].text), "one ");
    request.stop_count = 0;
    request.max_tokens = 2;
    job = *world_ask(&world, 2, &request);
    assert_int_equal(job.done.finish, GEN_FINISH_LENGTH);
    assert_string_equal(buf_cstr(&world.jobs[2].text), "one sto");
    assert_int_equal(job.done.usage.completion_tokens, 2);
    close_hand(&hand, &world);
}

static void a_field_that_is_refused_is_left_out(void **state) {
    struct hand hand = {.status = 400,
                        .answer = "Unrecognized request argument supplied: top_k",
                        .second = CHUNK("fine") END("stop") DONE};
    struct engine_world world;
    struct gen_message message;
    const struct gen_request request = world_chat(&message, "Hello");
    (void)state;
    assert_int_equal(ask_with(&hand, &request, &world).dones, 1);
    assert_int_equal(hand.chats, 2);
    assert_null(strstr(hand.http.seen, "top_k"));
    assert_int_equal(world_ask(&world, 2, &request)->dones, 1);
    assert_int_equal(hand.chats, 3); /* it is remembered */
    close_hand(&hand, &world);
}

static void a_default_maximum_that_does_not_fit_is_left_out(void **state) {
    struct hand hand = {.status = 400, .answer = "maximum context length", .second = CHUNK("fine") END("stop") DONE};
    struct engine_world world;
    struct gen_message message;
    const struct gen_request request = world_chat(&message, "Hello");
    (void)state;
    assert_int_equal(ask_with(&hand, &request, &world).dones, 1);
    assert_null(strstr(hand.http.seen, "max_tokens"));
    close_hand(&hand, &world);
}

static void llama_server_is_known(void **state) {
    struct hand hand = {
        .props = "{\"default_generation_settings\":{\"n_ctx\":2048},\"total_slots\":3}",
        .answer = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}],"
                  "\"prompt_progress\":{\"total\":50,\"cache\":0,\"processed\":20}}\n\n"
                  "data: {\"choices\":[{\"delta\":{\"content\":\"a b\"}}],\"timings\":{\"prompt_n\":30,\"cache_n\":20,"
                  "\"predicted_n\":2}}\n\n" END("stop")};
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello");
    (void)state;
    request.grammar = STR("root ::= \"a b\"");
    const struct world_job job = ask_with(&hand, &request, &world);
    assert_int_equal(world.facts.slots, 3);
    assert_int_equal(world.facts.context_length, 2048);
    assert_true(world.facts.grammars);
    assert_int_equal(job.dones, 1);
    assert_int_equal(job.reads, 1);
    assert_int_equal(job.read_tokens, 20);
    assert_int_equal(job.delta_tokens, 2);
    assert_int_equal(job.done.usage.prompt_tokens, 50);
    assert_non_null(strstr(hand.http.seen, "root ::="));
    close_hand(&hand, &world);
}

static void what_it_cannot_do_goes_elsewhere(void **state) {
    struct hand hand = {.answer = CHUNK("a") END("stop")};
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello");
    (void)state;
    request.continue_text = STR("So far");
    const struct world_job job = ask_with(&hand, &request, &world);
    assert_false(world.facts.grammars);
    assert_int_equal(job.accepts, 0);
    assert_int_equal(job.failure, GEN_FAILURE_OVERLOADED);
    assert_int_equal(hand.chats, 0);
    close_hand(&hand, &world);
}

static void it_is_away_and_comes_back(void **state) {
    struct hand hand = {.answer = CHUNK("a") END("stop")};
    struct engine_world world;
    struct gen_message message;
    const struct gen_request request = world_chat(&message, "Hello");
    char address[64];
    (void)state;
    assert_int_equal(ask_with(&hand, &request, &world).dones, 1);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", http_thread_port(&hand.http));
    http_thread_stop(&hand.http);
    assert_int_equal(world_ask(&world, 2, &request)->failure, GEN_FAILURE_ENGINE);
    world_run_until(&world, world_in_state, ENGINE_LOADING); /* it was asked at once */
    assert_int_equal(world_ask(&world, 3, &request)->failure, GEN_FAILURE_MODEL_MISSING);
    http_thread_start(&hand.http, address);
    world_run_until(&world, world_in_state, ENGINE_READY);
    assert_int_equal(world_ask(&world, 4, &request)->dones, 1);
    close_hand(&hand, &world);
}

static void options_that_are_none(void **state) {
    static const char *const URLS[] = {NULL, "", "ftp://h/v1", "http://h/v1/", "http://u:p@h/v1", "http://h/v1?x=1",
                                       "h"};
    struct engine *engine;
    struct loop *loop = loop_new();
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        const struct engine_options options = {.loop = loop, .model_id = "demo", .upstream_url = URLS[i]};
        assert_false(ENGINE_UPSTREAM.open(&engine, &options, NULL, NULL, &err));
    }
    const struct engine_options key = {
        .loop = loop, .model_id = "demo", .upstream_url = "http://h/v1", .upstream_key = "a\r\nX: y"};
    assert_false(ENGINE_UPSTREAM.open(&engine, &key, NULL, NULL, &err));
    loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_their_counts),
        cmocka_unit_test(failures_and_what_they_mean),
        cmocka_unit_test(an_endless_line_ends),
        cmocka_unit_test(stop_strings_and_max_tokens_hold_against_the_server),
        cmocka_unit_test(a_field_that_is_refused_is_left_out),
        cmocka_unit_test(a_default_maximum_that_does_not_fit_is_left_out),
        cmocka_unit_test(llama_server_is_known),
        cmocka_unit_test(what_it_cannot_do_goes_elsewhere),
        cmocka_unit_test(it_is_away_and_comes_back),
        cmocka_unit_test(options_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
