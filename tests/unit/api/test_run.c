/* Runs: from start to their one end, their stored answers, their cancel. */
#include "call/run.h"
#include "format/chat.h"
#include "support/api_calls.h"

struct seen {
    int begun, ended, failed;
    bool repeated;
    char text[256], parts[256], object[4096];
    struct call_result result;
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
    struct buf object;
    seen->ended++;
    seen->repeated = answer->result->repeated;
    seen->result = *answer->result;
    (void)str_copy(seen->text, sizeof(seen->text), answer->text);
    buf_init(&object, sizeof(seen->object) - 1);
    struct answer whole = *answer;
    char id[ID_SIZE];
    id_rename(FORMAT_CHAT.id_prefix, answer->id, id);
    whole.id = id;
    FORMAT_CHAT.whole(&whole, &object);
    (void)str_copy(seen->object, sizeof(seen->object), buf_str(&object));
    buf_clear(&object);
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
static struct run *start(struct api_fixture *fixture, const char *id, bool again, int64_t cost_max_nano,
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
    struct api_fixture *fixture = *state;
    struct seen seen = {0};
    struct call_result result = RESULT;
    result.cost_nano = 77;
    start(fixture, "step_1", false, -1, &seen);
    assert_int_equal(fixture->submitted, 0); /* nothing happens before it returns */
    struct call *call = api_fixture_await_call(fixture);
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
    fixture->call = NULL;
    call->sink->finished(call, &result);
    assert_int_equal(seen.begun, 1);
    assert_int_equal(seen.ended, 1);
    assert_int_equal(seen.failed, 0);
    assert_string_equal(seen.parts, "<one>< two>");
    assert_string_equal(seen.text, "one two");
    assert_int_equal(seen.result.cost_nano, 77);
    assert_non_null(strstr(seen.object, "\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\""));
    assert_non_null(strstr(seen.object, "\"content\":\"one two\""));
    assert_int_equal(calls_count(fixture->calls), 0);
}

static void test_is_not_repeated_when_it_was_settled(void **state) {
    struct api_fixture *fixture = *state;
    struct seen first = {0}, second = {0}, third = {0};
    struct store_answer answer;
    struct call_result result = RESULT;
    result.cost_nano = 12345678901;
    start(fixture, "step_1", true, -1, &first);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "a\nb");
    assert_true(call->sink->answer(call, &result, &answer));
    api_store_keep(&fixture->store, &answer);
    fixture->call = NULL;
    call->sink->finished(call, &result);
    assert_false(first.repeated);
    start(fixture, "step_1", true, 0, &second); /* a budget that is used up does not matter: it costs nothing */
    while (second.ended == 0) {
        api_fixture_turn(fixture);
    }
    assert_true(second.repeated);
    assert_string_equal(second.text, "a\nb");
    assert_string_equal(second.object, first.object);
    assert_int_equal(second.result.cost_nano, 12345678901);
    assert_int_equal(fixture->submitted, 1);
    start(fixture, "step_2", true, -1, &third); /* another id is another run */
    call = api_fixture_await_call(fixture);
    assert_string_equal(call->id, "step_2");
    fixture->call = NULL;
    call->sink->finished(call, &RESULT);
    assert_int_equal(third.ended, 1);
}

static void test_does_not_run_when_the_store_cannot_tell(void **state) {
    struct api_fixture *fixture = *state;
    struct seen seen = {0};
    err_set(&fixture->store.err, ERR_UNAVAILABLE, "busy");
    start(fixture, "step_1", true, -1, &seen);
    while (seen.failed == 0) {
        api_fixture_turn(fixture);
    }
    assert_int_equal(seen.fault.code, FAULT_UNAVAILABLE);
    assert_int_equal(fixture->submitted, 0);
    fixture->store.err = (struct err){0};
}

static void test_holds_its_cost_cap(void **state) {
    struct api_fixture *fixture = *state;
    struct seen poor = {0}, rich = {0};
    struct gen_message message = {.role = GEN_ROLE_USER, .content = STR("hello"), .tool_call_id = STR("")};
    struct gen_request generation;
    gen_request_init(&generation);
    generation.model = STR(MODEL);
    generation.messages = &message;
    generation.message_count = 1;
    const int64_t worst = run_cost_max(&generation);
    const struct run_request asked = {
        .id = "step_1", .identity = &IDENTITY, .generation = &generation, .cost_max_nano = worst - 1};
    struct run_request enough = asked;
    enough.cost_max_nano = worst;
    enough.id = "step_2";
    run_start(fixture->calls, &asked, &EVENTS, &poor);
    run_start(fixture->calls, &enough, &EVENTS, &rich);
    struct call *call = api_fixture_await_call(fixture);
    assert_int_equal(poor.failed, 1);
    assert_int_equal(poor.fault.code, FAULT_INSUFFICIENT_CREDITS);
    assert_string_equal(call->id, "step_2");
    struct store_answer answer;
    assert_false(call->sink->answer(call, &RESULT, &answer)); /* not asked to keep it */
    fixture->call = NULL;
    call->sink->failed(call, &(struct fault){.code = FAULT_MODEL_WARMING, .message = "soon"});
    assert_int_equal(rich.failed, 1);
    assert_int_equal(rich.fault.code, FAULT_MODEL_WARMING);
}

static void test_is_cancelled_anywhere(void **state) {
    struct api_fixture *fixture = *state;
    struct seen seen = {0};
    run_cancel(start(fixture, "step_1", false, -1, &seen)); /* before it is submitted */
    fixture->store.held = true;
    run_cancel(start(fixture, "step_2", true, -1, &seen)); /* while the store looks */
    api_store_answer_all(&fixture->store);
    fixture->store.held = false;
    struct run *run = start(fixture, "step_3", false, -1, &seen);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "one");
    run_cancel(run);
    assert_int_equal(fixture->abandoned, 1);
    seen.cancel_in_text = start(fixture, "step_4", false, -1, &seen);
    call = api_fixture_await_call(fixture);
    assert_int_equal(call->sink->deliver(call, STR("two")), CALL_DELIVER_CUT);
    assert_int_equal(fixture->abandoned, 2);
    assert_int_equal(fixture->submitted, 2);
    assert_int_equal(seen.ended + seen.failed, 0);
    assert_int_equal(calls_count(fixture->calls), 0);
}

static void test_does_not_begin_while_draining(void **state) {
    struct api_fixture *fixture = *state;
    struct seen seen = {0};
    api_drain(fixture->api);
    start(fixture, "step_1", false, -1, &seen);
    while (seen.failed == 0) {
        api_fixture_turn(fixture);
    }
    assert_int_equal(seen.fault.code, FAULT_UNAVAILABLE);
    assert_int_equal(fixture->submitted, 0);
}

static void test_ids_tell_their_purpose(void **state) {
    char id[ID_SIZE], later[ID_SIZE];
    enum run_purpose purpose;
    (void)state;
    for (int i = RUN_JOB; i <= RUN_SUMMARY; i++) {
        run_id_make((enum run_purpose)i, id);
        assert_true(run_purpose_of(id, &purpose));
        assert_int_equal(purpose, i);
        run_id_make((enum run_purpose)i, later);
        assert_string_not_equal(id, later);
    }
    assert_false(run_purpose_of("chatcmpl-1", &purpose));
    assert_false(run_purpose_of("jobs_1", &purpose));
    assert_false(run_purpose_of("", &purpose));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_ends_once_with_its_text),
        TEST(test_is_not_repeated_when_it_was_settled),
        TEST(test_does_not_run_when_the_store_cannot_tell),
        TEST(test_holds_its_cost_cap),
        TEST(test_is_cancelled_anywhere),
        TEST(test_does_not_begin_while_draining),
        cmocka_unit_test(test_ids_tell_their_purpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
