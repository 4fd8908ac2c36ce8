/* Runs: from start to their one end, their stored answers, their cancel. */
#include "call/price.h"
#include "call/run.h"

#include "support/call_fixture.h"

#define MODEL CALL_FIXTURE_MODEL

static const struct call_result RESULT = {
    .finish = GEN_FINISH_LENGTH,
    .usage = {.prompt_tokens = 5, .completion_tokens = 2, .cached_tokens = 3},
    .provider_id = "prov_1",
    .provider_region = "IN",
    .inference_type = "p2p",
    .attempts = 2,
    .ttft_ms = 31,
    .latency_ms = 245,
    .continued = 1,
};

static void deliver(struct call *call, const char *text) {
    assert_int_equal(call->sink->deliver(call, str_from(text)), CALL_DELIVERED);
}

struct seen {
    int begun, ended, failed;
    bool repeated;
    char id[ID_SIZE], text[256], parts[256], model[64];
    int64_t created_ms;
    struct call_result result; /* its texts are gone */
    struct fault fault;
    struct run *cancel_in_text;
};

static void on_begun(void *context) {
    ((struct seen *)context)->begun++;
}

static void on_text(void *context, struct str text) {
    struct seen *seen = context;
    const size_t len = strlen(seen->parts);
    snprintf(seen->parts + len, sizeof(seen->parts) - len, "<%.*s>", STR_ARG(text));
    if (seen->cancel_in_text != NULL) {
        run_cancel(seen->cancel_in_text);
    }
}

static void on_end(void *context, const struct answer *answer) {
    struct seen *seen = context;
    seen->ended++;
    seen->repeated = answer->result->repeated;
    seen->result = *answer->result;
    seen->created_ms = answer->created_ms;
    (void)str_copy(seen->id, sizeof(seen->id), str_from(answer->id));
    (void)str_copy(seen->model, sizeof(seen->model), answer->model);
    (void)str_copy(seen->text, sizeof(seen->text), answer->text);
}

static void on_failed(void *context, const struct fault *fault) {
    struct seen *seen = context;
    seen->failed++;
    seen->fault = *fault;
}

static const struct run_events EVENTS = {
    .on_begun = on_begun, .on_text = on_text, .on_end = on_end, .on_failed = on_failed};

static const struct auth_identity IDENTITY = {.account_id = "acct_1", .key_id = "key_1"};

/* Its strings are gone when this returns: a run copies what it needs. */
static struct run *start(struct call_fixture *fixture, const char *id, bool again, int64_t cost_max_nano,
                         struct seen *seen) {
    char model[] = MODEL, text[] = "hello", stop[] = "END";
    struct gen_tool_call call = {.id = STR("c1"), .name = STR("add"), .arguments = STR("{}")};
    struct gen_message messages[] = {
        {.role = GEN_ROLE_USER, .content = str_from(text), .tool_call_id = STR("")},
        {.role = GEN_ROLE_ASSISTANT,
         .content = STR(""),
         .tool_call_id = STR(""),
         .tool_calls = &call,
         .tool_call_count = 1},
    };
    struct gen_request generation;
    gen_request_init(&generation);
    generation.model = str_from(model);
    generation.messages = messages;
    generation.message_count = COUNT_OF(messages);
    generation.stop[0] = str_from(stop);
    generation.stop_count = 1;
    const struct run_request asked = {.id = id,
                                      .identity = &IDENTITY,
                                      .generation = &generation,
                                      .region = "IN",
                                      .keep = true,
                                      .again = again,
                                      .cost_max_nano = cost_max_nano};
    struct run *run = run_start(fixture->calls, &asked, &EVENTS, seen);
    memset(model, 'x', sizeof(model) - 1);
    memset(text, 'x', sizeof(text) - 1);
    memset(stop, 'x', sizeof(stop) - 1);
    memset(&call, 0, sizeof(call));
    memset(messages, 0, sizeof(messages));
    return run;
}

static void test_ends_once_with_its_text(void **state) {
    struct call_fixture *fixture = *state;
    struct seen seen = {0};
    struct call_result result = RESULT;
    result.cost_nano = 77;
    start(fixture, "step_1", false, -1, &seen);
    assert_int_equal(fixture->submitted, 0); /* nothing happens before it returns */
    struct call *call = call_fixture_take(fixture);
    assert_string_equal(call->id, "step_1");
    assert_true(call->repeatable && call->generation.stream);
    assert_string_equal(call->region, "IN");
    assert_true(str_equal_cstr(call->generation.model, MODEL));
    assert_true(str_equal_cstr(call->generation.messages[0].content, "hello"));
    assert_true(str_equal_cstr(call->generation.messages[1].tool_calls[0].name, "add"));
    assert_true(str_equal_cstr(call->generation.stop[0], "END"));
    assert_int_equal(calls_count(fixture->calls), 1);
    call->sink->accepted(call);
    call->sink->accepted(call); /* a further attempt is no second beginning */
    deliver(call, "one");
    deliver(call, " two");
    call->sink->finished(call, &result);
    assert_int_equal(seen.begun, 1);
    assert_int_equal(seen.ended, 1);
    assert_int_equal(seen.failed, 0);
    assert_string_equal(seen.parts, "<one>< two>");
    assert_string_equal(seen.text, "one two");
    assert_int_equal(seen.result.cost_nano, 77);
    assert_string_equal(seen.id, "step_1");
    assert_int_equal(calls_count(fixture->calls), 0);
}

static void test_is_not_repeated_when_it_was_settled(void **state) {
    struct call_fixture *fixture = *state;
    struct seen first = {0}, second = {0}, third = {0};
    struct store_answer answer;
    struct call_result result = RESULT;
    result.cost_nano = 12345678901;
    start(fixture, "step_1", true, -1, &first);
    struct call *call = call_fixture_take(fixture);
    deliver(call, "a\nb");
    assert_true(call->sink->answer(call, &result, &answer));
    api_store_keep(&fixture->store, &answer);
    call->sink->finished(call, &result);
    assert_false(first.repeated);
    start(fixture, "step_1", true, 0, &second); /* a budget that is used up does not matter: it costs nothing */
    while (second.ended == 0) {
        call_fixture_turn(fixture);
    }
    assert_true(second.repeated);
    assert_string_equal(second.text, "a\nb");
    assert_true(second.created_ms == first.created_ms); /* all of it is as it was */
    assert_string_equal(second.model, MODEL);
    assert_int_equal(second.result.finish, RESULT.finish);
    assert_memory_equal(&second.result.usage, &RESULT.usage, sizeof(RESULT.usage));
    assert_int_equal(second.result.attempts, RESULT.attempts);
    assert_int_equal(second.result.continued, RESULT.continued);
    assert_int_equal(second.result.ttft_ms, RESULT.ttft_ms);
    assert_int_equal(second.result.latency_ms, RESULT.latency_ms);
    assert_int_equal(second.result.cost_nano, 12345678901);
    assert_int_equal(fixture->submitted, 1);
    start(fixture, "step_2", true, -1, &third); /* another id is another run */
    call = call_fixture_take(fixture);
    assert_string_equal(call->id, "step_2");
    call->sink->finished(call, &RESULT);
    assert_int_equal(third.ended, 1);
}

static void test_does_not_run_when_the_store_cannot_tell(void **state) {
    struct call_fixture *fixture = *state;
    struct seen seen = {0};
    err_set(&fixture->store.err, ERR_UNAVAILABLE, "busy");
    start(fixture, "step_1", true, -1, &seen);
    while (seen.failed == 0) {
        call_fixture_turn(fixture);
    }
    assert_int_equal(seen.fault.code, FAULT_UNAVAILABLE);
    assert_int_equal(fixture->submitted, 0);
    fixture->store.err = (struct err){0};
}

static void test_holds_its_cost_cap(void **state) {
    struct call_fixture *fixture = *state;
    struct seen poor = {0}, rich = {0};
    struct gen_message message = {.role = GEN_ROLE_USER, .content = STR("hello"), .tool_call_id = STR("")};
    struct gen_request generation;
    gen_request_init(&generation);
    generation.model = STR(MODEL);
    generation.messages = &message;
    generation.message_count = 1;
    const int64_t worst = run_cost_max(&generation), least = run_cost_enough(fixture->calls, &generation);
    int64_t prompt_nano, completion_nano;
    price_of_model(generation.model, &prompt_nano, &completion_nano);
    const int64_t completion = completion_nano * generation.max_tokens;
    assert_true(least < worst && completion < least);
    const struct run_request asked = {
        .id = "step_1", .identity = &IDENTITY, .generation = &generation, .cost_max_nano = completion};
    struct run_request enough = asked;
    enough.cost_max_nano = least;
    enough.id = "step_2";
    run_start(fixture->calls, &asked, &EVENTS, &poor);
    run_start(fixture->calls, &enough, &EVENTS, &rich);
    struct call *call = call_fixture_take(fixture);
    assert_int_equal(poor.failed, 1);
    assert_int_equal(poor.fault.code, FAULT_INSUFFICIENT_CREDITS);
    assert_string_equal(call->id, "step_2");
    assert_int_equal(call->prompt_tokens_max, (least - completion) / prompt_nano); /* it is not billed for more */
    struct store_answer answer;
    assert_false(call->sink->answer(call, &RESULT, &answer)); /* not asked to keep it */
    call->sink->failed(call, &(struct fault){.code = FAULT_MODEL_WARMING, .message = "soon"});
    assert_int_equal(rich.failed, 1);
    assert_int_equal(rich.fault.code, FAULT_MODEL_WARMING);
}

static void test_is_cancelled_anywhere(void **state) {
    struct call_fixture *fixture = *state;
    struct seen seen = {0};
    run_cancel(start(fixture, "step_1", false, -1, &seen)); /* before it is submitted */
    fixture->store.held = true;
    run_cancel(start(fixture, "step_2", true, -1, &seen)); /* while the store looks */
    api_store_answer_all(&fixture->store);
    fixture->store.held = false;
    struct run *run = start(fixture, "step_3", false, -1, &seen);
    struct call *call = call_fixture_take(fixture);
    deliver(call, "one");
    run_cancel(run);
    assert_int_equal(fixture->abandoned, 1);
    seen.cancel_in_text = start(fixture, "step_4", false, -1, &seen);
    call = call_fixture_take(fixture);
    assert_int_equal(call->sink->deliver(call, STR("two")), CALL_DELIVER_CUT);
    assert_int_equal(fixture->abandoned, 2);
    assert_int_equal(fixture->submitted, 2);
    assert_int_equal(seen.ended + seen.failed, 0);
    assert_int_equal(calls_count(fixture->calls), 0);
}

static void test_does_not_begin_while_draining(void **state) {
    struct call_fixture *fixture = *state;
    struct seen seen = {0};
    fixture->calls->draining = true;
    start(fixture, "step_1", false, -1, &seen);
    while (seen.failed == 0) {
        call_fixture_turn(fixture);
    }
    assert_int_equal(seen.fault.code, FAULT_UNAVAILABLE);
    assert_int_equal(fixture->submitted, 0);
}

/* It was paid for, so it must not run again. */
static void test_does_not_run_over_an_answer_that_cannot_be_read(void **state) {
    static const char *const contents[] = {"",
                                           "no line",
                                           "{}\ntext",
                                           "not JSON\ntext",
                                           "{\"created_ms\":1,\"model\":\"m\",\"finish\":\"never\",\"cost_nano\":1}\n",
                                           "{\"created_ms\":1,\"finish\":\"stop\",\"cost_nano\":1}\ntext"};
    struct call_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        struct seen seen = {0};
        struct store_answer answer = {.expires_ms = INT64_MAX, .content = str_from(contents[i])};
        run_scope("step_1", answer.scope_sha256);
        api_store_keep(&fixture->store, &answer);
        start(fixture, "step_1", true, -1, &seen);
        while (seen.failed == 0) {
            call_fixture_turn(fixture);
        }
        assert_int_equal(seen.fault.code, FAULT_INTERNAL);
    }
    assert_int_equal(fixture->submitted, 0);
}

/* The sandbox keeps nothing: what ran there runs anew. */
static void test_of_a_test_key(void **state) {
    struct call_fixture *fixture = *state;
    const struct auth_identity identity = {.account_id = "acct_1", .key_id = "key_1", .kind = STORE_KEY_TEST};
    const struct gen_request generation = {.model = STR(MODEL), .prompt = STR("hi"), .max_tokens = 1};
    const struct run_request asked = {.id = "job_1",
                                      .identity = &identity,
                                      .generation = &generation,
                                      .label = STR("conv_1"),
                                      .keep = true,
                                      .again = true,
                                      .cost_max_nano = -1};
    struct seen seen = {0};
    struct store_answer answer;
    (void)run_start(fixture->calls, &asked, &EVENTS, &seen);
    struct call *call = call_fixture_take(fixture);
    assert_int_equal(fixture->sandboxed, 1);
    assert_int_equal(fixture->store.answers_asked, 0);
    assert_false(call->sink->answer(call, &RESULT, &answer));
    assert_true(str_equal_cstr(call->label, "conv_1"));
    call->sink->note(call, &(struct call_note){.comment = STR("a step"), .nataris = STR("{}")}); /* nobody listens */
    call->sink->finished(call, &RESULT);
    assert_int_equal(seen.ended, 1);
}

static bool turn_of(void *context, struct str text, const struct call_result *result, struct store_turn *turn) {
    struct seen *seen = context;
    seen->result = *result;
    (void)str_copy(seen->parts, sizeof(seen->parts), text);
    turn->kind = STORE_TURN_TITLE;
    return true;
}

static void test_what_it_does_to_a_conversation(void **state) {
    static const struct run_events whole = {.on_turn = turn_of, .on_end = on_end, .on_failed = on_failed};
    struct call_fixture *fixture = *state;
    const struct gen_request generation = {.model = STR(MODEL), .prompt = STR("hi"), .max_tokens = 1};
    const struct run_request asked = {
        .id = "title_1", .identity = &IDENTITY, .generation = &generation, .cost_max_nano = -1};
    struct seen seen = {0};
    struct store_turn turn = {0};
    (void)run_start(fixture->calls, &asked, &whole, &seen);
    struct call *call = call_fixture_take(fixture);
    assert_false(call->generation.stream); /* nobody wants it in parts */
    call->sink->accepted(call);            /* nor to know when it begins */
    deliver(call, "a title");
    assert_true(call->sink->turn(call, &RESULT, &turn));
    assert_int_equal(turn.kind, STORE_TURN_TITLE);
    assert_string_equal(seen.parts, "a title");
    call->sink->finished(call, &RESULT);
    assert_string_equal(seen.text, "a title");
    /* One that wants no turn has none. */
    start(fixture, "step_1", false, -1, &seen);
    call = call_fixture_take(fixture);
    assert_false(call->sink->turn(call, &RESULT, &turn));
    call->sink->finished(call, &RESULT);
}

static void test_a_request_that_does_not_fit_fails(void **state) {
    struct call_fixture *fixture = *state;
    const size_t size = (size_t)5 * LIMIT_HTTP_BODY_BYTES;
    char *text = mem_calloc(1, size);
    const struct gen_request generation = {.model = STR(MODEL), .prompt = {text, size}, .max_tokens = 1};
    const struct run_request asked = {
        .id = "job_1", .identity = &IDENTITY, .generation = &generation, .cost_max_nano = -1};
    struct seen seen = {0};
    (void)run_start(fixture->calls, &asked, &EVENTS, &seen);
    free(text);
    while (seen.failed == 0) {
        call_fixture_turn(fixture);
    }
    assert_int_equal(seen.fault.code, FAULT_TOO_LARGE);
    assert_int_equal(fixture->submitted, 0);
}

static void test_an_answer_has_a_limit(void **state) {
    struct call_fixture *fixture = *state;
    char *text = mem_calloc(1, LIMIT_ANSWER_BYTES);
    struct seen seen = {0};
    start(fixture, "step_1", false, -1, &seen);
    struct call *call = call_fixture_take(fixture);
    assert_int_equal(call->sink->deliver(call, (struct str){text, LIMIT_ANSWER_BYTES}), CALL_DELIVERED);
    assert_int_equal(call->sink->deliver(call, STR("x")), CALL_DELIVER_TOO_LONG);
    call->sink->failed(call, &(struct fault){.code = FAULT_UNAVAILABLE, .message = "too long"});
    assert_int_equal(seen.failed, 1);
    free(text);
}

/* Each failure starts the next one. */
struct chain {
    struct call_fixture *fixture;
    int failed;
};

static void on_failed_again(void *context, const struct fault *fault);

static const struct run_events CHAIN_EVENTS = {.on_end = on_end, .on_failed = on_failed_again};

static void chain_start(struct chain *chain) {
    const struct gen_request generation = {.model = STR(MODEL), .prompt = STR("hi"), .max_tokens = 1};
    const struct run_request asked = {
        .id = "job_1", .identity = &IDENTITY, .generation = &generation, .cost_max_nano = 0};
    (void)run_start(chain->fixture->calls, &asked, &CHAIN_EVENTS, chain);
}

static void on_failed_again(void *context, const struct fault *fault) {
    struct chain *chain = context;
    assert_int_equal(fault->code, FAULT_INSUFFICIENT_CREDITS);
    chain->failed++;
    chain_start(chain);
}

/* One in an iteration of the loop: others come in between. */
static void test_a_chain_does_not_keep_the_loop(void **state) {
    struct call_fixture *fixture = *state;
    struct chain chain = {.fixture = fixture};
    chain_start(&chain);
    while (chain.failed < 3) {
        const int before = chain.failed;
        uv_run(loop_uv(fixture->net.loop), UV_RUN_NOWAIT);
        assert_in_range(chain.failed, before, before + 1);
    }
}

static void test_those_not_started_go_with_the_gateway(void **state) {
    struct call_fixture *fixture = *state;
    const struct gen_request generation = {.model = STR(MODEL), .prompt = STR("hi"), .max_tokens = 1};
    const struct run_request asked = {
        .id = "job_1", .identity = &IDENTITY, .generation = &generation, .cost_max_nano = -1};
    struct seen seen = {0};
    for (int i = 0; i < 3; i++) {
        (void)run_start(fixture->calls, &asked, &EVENTS, &seen);
    }
    runs_close(fixture->calls);
    runs_close(NULL);
    runs_open(fixture->calls); /* for the teardown */
    call_fixture_turn(fixture);
    assert_int_equal(seen.ended + seen.failed + fixture->submitted, 0);
}

static void test_ids_tell_their_purpose(void **state) {
    static const char *const prefixes[] = {"request_", "job_", "step_", "title_", "summary_"};
    char id[ID_SIZE], later[ID_SIZE];
    (void)state;
    for (int i = RUN_REQUEST; i <= RUN_SUMMARY; i++) {
        run_id_make((enum run_purpose)i, id);
        assert_true(str_starts_with(str_from(id), str_from(prefixes[i])));
        run_id_make((enum run_purpose)i, later);
        assert_string_not_equal(id, later);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, call_fixture_setup, call_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_ends_once_with_its_text),
        TEST(test_is_not_repeated_when_it_was_settled),
        TEST(test_does_not_run_when_the_store_cannot_tell),
        TEST(test_holds_its_cost_cap),
        TEST(test_is_cancelled_anywhere),
        TEST(test_does_not_begin_while_draining),
        TEST(test_does_not_run_over_an_answer_that_cannot_be_read),
        TEST(test_of_a_test_key),
        TEST(test_what_it_does_to_a_conversation),
        TEST(test_a_request_that_does_not_fit_fails),
        TEST(test_an_answer_has_a_limit),
        TEST(test_a_chain_does_not_keep_the_loop),
        TEST(test_those_not_started_go_with_the_gateway),
        cmocka_unit_test(test_ids_tell_their_purpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
