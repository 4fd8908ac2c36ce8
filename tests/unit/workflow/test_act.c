/* What an agent does by itself: its tools, its search in a conversation; and what it leaves in that conversation. On a
 * real store. */
#include "workflow/act.h"

#include "conversation/conversations.h"
#include "support/workflow_fixture.h"

/* --- Tools --- */

static void test_an_agent_acts(void **state) {
    static const struct {
        const char *says, *sees;
    } turns[] = {
        {"Action: calculator[6*7]", "(The calculator says: 6*7 = 42."},
        {"Action: time[]", "Z, "},                       /* and the day */
        {"Action: browse[the web]", "The clock says: "}, /* nothing new */
        {"Action: search[moon cheese]", "The moon is not of cheese"},
        {"Action: calculator[1/]", "The moon is not of cheese"}, /* and nothing of what is wrong with it */
    };
    static const struct orchestration_tool tool = {STR("get_weather"), STR(""), STR("city"), STR("city")};
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    struct asking asking;
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "");
    asking.messages[0].content = STR("Tell me of the moon.");
    asking.messages[1] = (struct gen_message){
        .role = GEN_ROLE_ASSISTANT, .content = STR("The moon is not of cheese."), .tool_call_id = STR("")};
    asking.messages[2] =
        (struct gen_message){.role = GEN_ROLE_USER, .content = STR("Do it all."), .tool_call_id = STR("")};
    asking.generation.message_count = 3;
    asking.orchestration.tools = &tool;
    asking.orchestration.tool_count = 1;
    assert_non_null(waiter_start(&waiter, &asking));
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        struct call *call = call_fixture_take(&fixture->calls);
        if (i > 0) {
            assert_non_null(strstr(prompt_text(call), turns[i - 1].sees));
        }
        workflow_fixture_finish(call, turns[i].says, GEN_FINISH_STOP, 1);
    }
    step_says(fixture, "Thought: enough.\nAnswer: done");
    waiter_await(&waiter);
    assert_string_equal(waiter.text, "done");
    assert_int_equal(waiter.answer.steps_executed, COUNT_OF(turns) + 1); /* what acts does not count */
}

static void test_a_tool_of_the_caller(void **state) {
    static const struct orchestration_tool tool = {STR("get_weather"), STR(""), STR("city"), STR("city")};
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture}, again = {.fixture = fixture};
    struct asking asking;
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "How warm is it in Oslo?");
    asking.orchestration.tools = &tool;
    asking.orchestration.tool_count = 1;
    asking.request.id = "wf_000000000000000000000001";
    assert_non_null(waiter_start(&waiter, &asking));
    step_says(fixture, "Action: get_weather[Oslo]");
    waiter_await(&waiter);
    assert_string_equal(waiter.text, "");
    assert_non_null(
        strstr(waiter.tool_calls, "\"name\":\"get_weather\",\"arguments\":\"{\\\"city\\\":\\\"Oslo\\\"}\""));
    /* Who comes back to it later gets the same. */
    assert_non_null(waiter_start(&again, &asking));
    waiter_await(&again);
    assert_true(again.answer.repeated);
    assert_string_equal(again.tool_calls, waiter.tool_calls);
    assert_int_equal(again.answer.usage.prompt_tokens, 10);
    assert_int_equal(again.answer.usage.cached_tokens, 1);
    assert_int_equal(fixture->calls.submitted, 1);
}

/* --- In a conversation --- */

#define CONVERSATION "conv_000000000000000000000001"

static void on_durable(void *context, const struct err *err) {
    assert_null(err);
    *(bool *)context = true;
}

static void conversation_add(struct workflow_fixture *fixture) {
    const struct store_message messages[] = {
        {.position = 0, .role = STORE_ROLE_USER, .tokens = 8, .content = STR("My cat is called Mimi.")},
        {.position = 1, .role = STORE_ROLE_ASSISTANT, .tokens = 8, .content = STR("A fine name.")}};
    struct store_conversation conversation = {.id = CONVERSATION,
                                              .account_id = "acct_1",
                                              .system = STR(""),
                                              .summary = STR(""),
                                              .created_ms = 1,
                                              .updated_ms = 1};
    const struct store_turn turn = {.kind = STORE_TURN_EXCHANGE,
                                    .conversation_id = CONVERSATION,
                                    .account_id = "acct_1",
                                    .now_ms = 1,
                                    .messages = messages,
                                    .message_count = COUNT_OF(messages),
                                    .text = STR("")};
    struct store *store = fixture->calls.files->store;
    bool added = false, kept = false;
    store_conversation_add(store, &conversation, on_durable, &added);
    NET_UNTIL(&fixture->calls.net, added);
    store_turn_keep(store, &turn, on_durable, &kept);
    NET_UNTIL(&fixture->calls.net, kept);
}

struct seen_messages {
    bool told;
    size_t count;
    char last[256], system[256];
};

static void on_conversation(void *context, const struct store_conversation *conversation,
                            const struct store_message *messages, size_t count, bool more, const struct err *err) {
    struct seen_messages *seen = context;
    (void)more;
    assert_null(err);
    seen->told = true;
    seen->count = count;
    (void)str_copy(seen->last, sizeof(seen->last), messages[count - 1].content);
    (void)str_copy(seen->system, sizeof(seen->system), conversation->system);
}

static struct seen_messages conversation_read(struct workflow_fixture *fixture) {
    struct seen_messages seen = {0};
    const struct store_conversation_ask ask = {.account_id = "acct_1",
                                               .id = CONVERSATION,
                                               .whole = true,
                                               .limit = 100,
                                               .tokens_max = INT64_MAX,
                                               .bytes_max = SIZE_MAX};
    store_conversation_read(fixture->calls.files->store, &ask, on_conversation, &seen);
    NET_UNTIL(&fixture->calls.net, seen.told);
    return seen;
}

static void test_an_agent_searches_its_conversation(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    struct asking asking;
    conversation_add(fixture);
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "What is my cat called?");
    asking.request.conversation_id = CONVERSATION;
    assert_non_null(waiter_start(&waiter, &asking));
    step_says(fixture, "Action: search[cat called]");
    struct call *call = call_fixture_take(&fixture->calls);
    assert_non_null(strstr(prompt_text(call), "My cat is called Mimi."));
    workflow_fixture_finish(call, "Answer: Mimi", GEN_FINISH_STOP, 1);
    waiter_await(&waiter);
    assert_string_equal(waiter.text, "Mimi");
}

static void test_cancelled_while_it_searches(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    struct asking asking;
    conversation_add(fixture);
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "What is my cat called?");
    asking.request.conversation_id = CONVERSATION;
    struct workflow *workflow = waiter_start(&waiter, &asking);
    step_says(fixture, "Action: search[cat called]");
    NET_UNTIL(&fixture->calls.net, workflow->step_count == 2 && workflow->steps[1]->phase == STEP_READING);
    workflow_leave(workflow, true);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_int_equal(fixture->calls.submitted, 1);
}

/* Nobody waits any more when it ends: its exchange is stored all the same. */
static void test_its_exchange_is_stored_without_a_waiter(void **state) {
    struct workflow_fixture *fixture = *state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct waiter waiter = {.fixture = fixture};
        struct conversation conversation = {.own_count = 1, .prompt.system_given = true, .system = STR("Be kind.")};
        struct asking asking;
        if (restarts == 0) {
            conversation_add(fixture);
        }
        (void)str_copy(conversation.stored.id, sizeof(conversation.stored.id), STR(CONVERSATION));
        conversation.stored.message_count = 2 + 2 * restarts;
        asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "Say something.");
        asking.request.conversation_id = CONVERSATION;
        asking.request.conversation = &conversation;
        struct workflow *workflow = waiter_start(&waiter, &asking);
        struct call *call = call_fixture_take(&fixture->calls);
        if (restarts > 0) {
            workflow_restart(fixture); /* it is read back with the rest */
            call = call_fixture_take(&fixture->calls);
        } else {
            workflow_leave(workflow, false); /* as a gateway that stops does */
        }
        workflow_fixture_finish(call, restarts == 0 ? "Answer: first" : "Answer: second", GEN_FINISH_STOP, 1);
        NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
        assert_int_equal(waiter.ended + waiter.failed, 0);
        const struct seen_messages seen = conversation_read(fixture);
        assert_int_equal(seen.count, 4 + 2 * (size_t)restarts);
        assert_string_equal(seen.last, restarts == 0 ? "first" : "second");
        assert_string_equal(seen.system, "Be kind.");
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, workflow_setup, workflow_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_an_agent_acts),
        TEST(test_a_tool_of_the_caller),
        TEST(test_an_agent_searches_its_conversation),
        TEST(test_cancelled_while_it_searches),
        TEST(test_its_exchange_is_stored_without_a_waiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
