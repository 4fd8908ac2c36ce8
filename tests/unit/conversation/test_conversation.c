/* Calls on a conversation: what is put in front of them, what is stored of them, one at a time, and clients that go. On
 * a real store. */
#include "support/talk.h"

static void plain(struct talk_fixture *fixture) { /* nothing that a model would have to write */
    talk_add(fixture, (struct store_conversation){0});
}

static struct str message_of(const struct talk *talk, size_t index) {
    assert_true(index < talk->call.generation.message_count);
    return talk->call.generation.messages[index].content;
}

static void test_remembers_what_was_said(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, (struct store_conversation){.system = STR("Be brief.")});
    talk_say(fixture, "My name is Ada.", "Hello Ada.", 20);
    const struct store_conversation *stored = talk_stored(fixture);
    assert_int_equal(stored->message_count, 2);
    assert_int_equal(stored->prompt_tokens, 20);
    assert_int_equal(stored->completion_tokens, 4);
    assert_string_equal(stored->counted_by, CALL_FIXTURE_MODEL);
    assert_true(stored->density > 0);
    assert_int_equal(fixture->roles[0], GEN_ROLE_USER);
    assert_string_equal(fixture->contents[0], "My name is Ada.");
    assert_int_equal(fixture->roles[1], GEN_ROLE_ASSISTANT);
    assert_string_equal(fixture->contents[1], "Hello Ada.");
    struct talk *talk = talk_new(fixture, TALK_ID, "Who am I?");
    talk_begin(talk);
    assert_int_equal(calls_count(fixture->calls.calls), 1); /* it waits for the store */
    talk_settle_in(talk);
    assert_int_equal(talk->call.generation.message_count, 4);
    assert_int_equal(talk->call.generation.messages[0].role, GEN_ROLE_SYSTEM);
    assert_true(str_equal_cstr(message_of(talk, 0), "Be brief."));
    assert_true(str_equal_cstr(message_of(talk, 1), "My name is Ada."));
    assert_true(str_equal_cstr(message_of(talk, 2), "Hello Ada."));
    assert_true(str_equal_cstr(message_of(talk, 3), "Who am I?"));
    talk_answer(fixture, &talk->call, "Ada.", 40);
    assert_int_equal(talk_stored(fixture)->message_count, 4);
    assert_string_equal(fixture->contents[3], "Ada.");
    assert_null(fixture->conversations->desks); /* nothing is under way */
    talk_free(talk);
}

/* A system text of the call's own becomes the conversation's. */
static void test_a_system_text_stays(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, (struct store_conversation){.system = STR("Old words.")});
    struct talk *talk = talk_new(fixture, TALK_ID, "hi");
    struct gen_message *messages = ARENA_ARRAY(&talk->arena, struct gen_message, 2);
    messages[0] = (struct gen_message){.role = GEN_ROLE_SYSTEM, .content = STR("New words."), .tool_call_id = STR("")};
    messages[1] = talk->draft.input.request.messages[0];
    talk->draft.input.request.messages = messages;
    talk->draft.input.request.message_count = 2;
    talk_begin(talk);
    talk_settle_in(talk);
    assert_true(str_equal_cstr(message_of(talk, 0), "New words."));
    talk_answer(fixture, &talk->call, "hello", 10);
    (void)talk_stored(fixture);
    assert_string_equal(fixture->system, "New words.");
    assert_int_equal(fixture->message_count, 2); /* the system text is none of the messages */
    talk_free(talk);
}

/* Nobody can tell one that is another's from one that never was: both are labels. */
static void test_any_other_id_is_a_label(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    for (int i = 0; i < 2; i++) {
        if (i == 1) {
            fixture->calls.auth.kind = STORE_KEY_TEST; /* it was made with a live key */
        }
        struct talk *talk = talk_new(fixture, i == 0 ? "conv_000000000000000000000002" : TALK_ID, "hi");
        talk_begin(talk);
        talk_settle_in(talk);
        assert_int_equal(talk->state, TALK_RUNNING);
        assert_null(talk->call.hook);
        assert_int_equal(talk->call.generation.message_count, 1);
        talk_answer(fixture, &talk->call, "hello", 10);
        talk_free(talk);
    }
    fixture->calls.auth.kind = STORE_KEY_LIVE;
    assert_int_equal(talk_stored(fixture)->message_count, 0);
    assert_null(fixture->conversations->desks);
}

static void assert_busy(const struct talk *talk) {
    assert_int_equal(talk->state, TALK_REFUSED);
    assert_int_equal(talk->fault.code, FAULT_CONVERSATION_BUSY);
    assert_string_equal(talk->fault.param, "conversation_id");
    assert_int_equal(talk->fault.retry_after_ms, CONVERSATION_BUSY_RETRY_MS);
}

static void test_one_call_at_a_time(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    struct talk *first = talk_new(fixture, TALK_ID, "first"), *second = talk_new(fixture, TALK_ID, "second");
    struct talk *third = talk_new(fixture, TALK_ID, "third");
    talk_begin(first);
    talk_begin(second); /* both read; who comes to its answer first has it */
    talk_settle_in(first);
    NET_UNTIL(&fixture->calls.net, second->state != TALK_READING);
    assert_int_equal(first->state, TALK_RUNNING);
    assert_busy(second);
    talk_begin(third); /* at once, without asking the store */
    assert_busy(third);
    assert_int_equal(calls_count(fixture->calls.calls), 1);
    talk_answer(fixture, &first->call, "hello", 10);
    talk_say(fixture, "fourth", "hello again", 20);
    assert_int_equal(talk_stored(fixture)->message_count, 4);
    talk_free(first);
    talk_free(second);
    talk_free(third);
}

/* What was read before another call came and went is out of date. */
static void test_what_was_read_is_out_of_date(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    struct talk *slow = talk_new(fixture, TALK_ID, "slow");
    struct conversation_desk *desk = conversation_desk_get(fixture->conversations, &slow->identity, STR(TALK_ID));
    talk_begin(slow);
    desk->calls++; /* as another one does that has come and gone meanwhile */
    NET_UNTIL(&fixture->calls.net, slow->state != TALK_READING);
    assert_busy(slow);
    talk_free(slow);
}

static void test_a_failed_call_leaves_no_trace(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, "hi");
    talk_begin(talk);
    talk_settle_in(talk);
    talk->call.sink->failed(&talk->call, &(struct fault){.code = FAULT_UNAVAILABLE, .message = "no"});
    talk_free(talk);
    assert_null(fixture->conversations->desks);
    assert_int_equal(talk_stored(fixture)->message_count, 0);
    talk_say(fixture, "hi", "hello", 10); /* the next one may come */
}

static void test_tool_calls_are_not_kept(void **state) {
    struct talk_fixture *fixture = *state;
    const struct gen_tool_call call = {STR("c1"), STR("add"), STR("{}")};
    plain(fixture);
    for (int i = 0; i < 2; i++) {
        struct talk *talk = talk_new(fixture, TALK_ID, "hi");
        struct gen_message *message = ARENA_NEW(&talk->arena, struct gen_message);
        *message = talk->draft.input.request.messages[0];
        message->role = i == 0 ? GEN_ROLE_TOOL : GEN_ROLE_ASSISTANT;
        message->tool_calls = i == 0 ? NULL : &call;
        message->tool_call_count = (size_t)i;
        talk->draft.input.request.messages = message;
        talk_begin(talk);
        NET_UNTIL(&fixture->calls.net, talk->state != TALK_READING);
        assert_int_equal(talk->state, TALK_REFUSED);
        assert_int_equal(talk->fault.code, FAULT_INVALID_REQUEST);
        assert_string_equal(talk->fault.param, "messages");
        assert_null(fixture->conversations->desks);
        talk_free(talk);
    }
}

static struct gen_message said(enum gen_role role, struct str text) {
    return (struct gen_message){.role = role, .content = text, .tool_call_id = STR("")};
}

/* A client that sends all that was said: it counts once, in the prompt and in the store. */
static void test_the_whole_history_is_not_doubled(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    talk_say(fixture, "hi", "hello", 20);
    struct talk *talk = talk_new(fixture, TALK_ID, "more");
    struct gen_message *messages = ARENA_ARRAY(&talk->arena, struct gen_message, 3);
    messages[0] = said(GEN_ROLE_USER, STR("hi"));
    messages[1] = said(GEN_ROLE_ASSISTANT, STR(" hello\n"));
    messages[2] = said(GEN_ROLE_USER, STR("more"));
    talk->draft.input.request.messages = messages;
    talk->draft.input.request.message_count = 3;
    talk_begin(talk);
    talk_settle_in(talk);
    const struct gen_request *generation = &talk->call.generation;
    assert_int_equal(generation->message_count, 3);
    assert_true(str_equal(generation->messages[1].content, STR("hello"))); /* as it was stored */
    assert_true(str_equal(generation->messages[2].content, STR("more")));
    talk_answer(fixture, &talk->call, "yes", 30);
    assert_int_equal(talk_stored(fixture)->message_count, 4);
    talk_free(talk);
}

static void test_a_request_without_room(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, "hi");
    struct arena small;
    for (size_t room = 0; room < 512; room += 128) { /* for what waits, then for the prompt */
        arena_init(&small, room);
        talk->draft.arena = &small;
        talk->state = TALK_READING;
        talk_begin(talk);
        NET_UNTIL(&fixture->calls.net, talk->state != TALK_READING);
        if (talk->state == TALK_RUNNING) {
            talk_settle_in(talk);
            talk_answer(fixture, &talk->call, "hello", 10);
            arena_clear(&small);
            break;
        }
        assert_int_equal(talk->state, TALK_REFUSED);
        assert_int_equal(talk->fault.code, FAULT_TOO_LARGE);
        assert_null(fixture->conversations->desks);
        arena_clear(&small);
    }
    assert_int_equal(talk->state, TALK_ENDED); /* it was refused before for nothing but that */
    talk_free(talk);
}

/* Too long to be stored: it is told, and the conversation stays as it was. */
static void test_an_answer_without_end(void **state) {
    struct talk_fixture *fixture = *state;
    char *text = mem_calloc(1, LIMIT_ANSWER_BYTES);
    struct call_result result = talk_result(10, 4);
    struct store_turn turn;
    plain(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, "hi");
    talk_begin(talk);
    talk_settle_in(talk);
    (void)talk->call.sink->deliver(&talk->call, (struct str){text, LIMIT_ANSWER_BYTES});
    (void)talk->call.sink->deliver(&talk->call, STR("x"));
    assert_false(talk->call.sink->turn(&talk->call, &result, &turn));
    talk->call.sink->finished(&talk->call, &result);
    assert_int_equal(talk_stored(fixture)->message_count, 0);
    assert_null(fixture->conversations->desks);
    talk_free(talk);
    free(text);
}

/* Made of several generations: nobody has counted its prompt, so the density stays as it was. */
static void test_a_workflows_answer(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    talk_say(fixture, "hi", "hello", 20);
    const int64_t density = talk_stored(fixture)->density;
    struct talk *talk = talk_new(fixture, TALK_ID, "do it");
    struct call_result result = talk_result(5000, 900);
    struct store_turn turn;
    result.composed = true;
    talk_begin(talk);
    talk_settle_in(talk);
    (void)talk->call.sink->deliver(&talk->call, STR("done"));
    assert_true(talk->call.sink->turn(&talk->call, &result, &turn));
    assert_int_equal(turn.density, density);
    assert_string_equal(turn.counted_by, CALL_FIXTURE_MODEL);
    assert_int_equal(turn.prompt_tokens, 5000); /* what was paid for */
    assert_true(turn.messages[1].tokens < 100); /* what it takes in a prompt */
    talk_keep(fixture, &turn);
    talk->call.sink->finished(&talk->call, &result);
    assert_int_equal(talk_stored(fixture)->message_count, 4);
    talk_free(talk);
}

/* --- Clients that go --- */

static void test_its_client_goes_while_the_store_reads(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, "hi"), *other = talk_new(fixture, TALK_ID, "hi");
    talk_begin(talk);
    talk_begin(other);
    draft_gone(&talk->draft);
    assert_non_null(fixture->conversations->desks); /* the other one reads */
    draft_gone(&other->draft);
    assert_null(fixture->conversations->desks);
    assert_int_equal(calls_count(fixture->calls.calls), 0);
    talk_free(talk);
    talk_free(other);
    talk_say(fixture, "hi", "hello", 10); /* the store's answers have found nobody */
}

/* As the owner of a call does it: the executor forgets it, then the hook hears of it and is freed. */
static void leave(struct talk *talk) {
    call_abandon(&talk->call);
    talk->call.hook->kind->gone(talk->call.hook);
    call_unlink(&talk->call);
    call_clear(&talk->call);
}

static void test_its_client_goes_while_it_runs(void **state) {
    struct talk_fixture *fixture = *state;
    plain(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, "hi");
    talk_begin(talk);
    talk_settle_in(talk);
    leave(talk);
    talk_free(talk);
    assert_null(fixture->conversations->desks); /* nothing of it will be stored */
    talk_say(fixture, "hi", "hello", 10);
}

static void test_its_client_goes_while_it_settles(void **state) {
    struct talk_fixture *fixture = *state;
    struct call_result result = talk_result(10, 4);
    struct store_turn turn;
    plain(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, "hi"), *next = talk_new(fixture, TALK_ID, "next");
    talk_begin(talk);
    talk_settle_in(talk);
    (void)talk->call.sink->deliver(&talk->call, STR("hello"));
    assert_true(talk->call.sink->turn(&talk->call, &result, &turn));
    talk_keep(fixture, &turn); /* on its way, whoever listens */
    leave(talk);
    talk_begin(next);
    assert_busy(next);
    const uint64_t now_ms = loop_now_ms(fixture->calls.net.loop);
    conversations_sweep(fixture->conversations, now_ms);
    assert_non_null(fixture->conversations->desks);
    conversations_sweep(fixture->conversations, now_ms + CONVERSATION_LINGER_MS);
    assert_null(fixture->conversations->desks);
    talk_say(fixture, "next", "hello again", 20);
    assert_int_equal(talk_stored(fixture)->message_count, 4);
    talk_free(talk);
    talk_free(next);
}

/* It lingers when the gateway ends. */
static void test_the_gateway_ends_while_it_lingers(void **state) {
    struct talk_fixture *fixture = *state;
    struct call_result result = talk_result(10, 4);
    struct store_turn turn;
    plain(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, "hi");
    talk_begin(talk);
    talk_settle_in(talk);
    assert_true(talk->call.sink->turn(&talk->call, &result, &turn));
    leave(talk);
    talk_free(talk);
    assert_non_null(fixture->conversations->lingering);
}

/* --- The sandbox --- */

static void test_in_the_sandbox(void **state) {
    struct talk_fixture *fixture = *state;
    fixture->calls.auth.kind = STORE_KEY_TEST;
    plain(fixture);
    struct talk *first = talk_new(fixture, TALK_ID, "hi"), *second = talk_new(fixture, TALK_ID, "hi");
    talk_begin(first);
    talk_settle_in(first);
    assert_int_equal(fixture->calls.sandboxed, 1);
    talk_begin(second);
    assert_busy(second);
    talk_answer(fixture, &first->call, "hello", 10);
    assert_int_equal(first->state, TALK_ENDED);
    assert_null(fixture->conversations->desks); /* at once: it is stored */
    assert_int_equal(talk_stored(fixture)->message_count, 2);
    talk_say(fixture, "again", "hello again", 20);
    assert_int_equal(talk_stored(fixture)->message_count, 4);
    talk_free(first);
    talk_free(second);
}

/* A workflow stores its turn with its end, there too. */
static void test_a_workflow_in_the_sandbox(void **state) {
    struct talk_fixture *fixture = *state;
    struct call_result result = talk_result(10, 4);
    struct store_turn turn;
    fixture->calls.auth.kind = STORE_KEY_TEST;
    result.composed = true;
    plain(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, "hi");
    talk_begin(talk);
    talk_settle_in(talk);
    (void)talk->call.sink->deliver(&talk->call, STR("hello"));
    assert_true(talk->call.sink->turn(&talk->call, &result, &turn));
    assert_true(turn.test);
    talk_keep(fixture, &turn);
    talk->call.sink->finished(&talk->call, &result);
    assert_null(fixture->conversations->desks); /* at once: it is stored */
    assert_int_equal(talk_stored(fixture)->message_count, 2);
    talk_free(talk);
}

static void test_of_no_hook(void **state) {
    (void)state;
    assert_null(conversation_of(NULL));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, talk_setup, talk_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_remembers_what_was_said),
        TEST(test_a_system_text_stays),
        TEST(test_any_other_id_is_a_label),
        TEST(test_one_call_at_a_time),
        TEST(test_what_was_read_is_out_of_date),
        TEST(test_a_failed_call_leaves_no_trace),
        TEST(test_tool_calls_are_not_kept),
        TEST(test_the_whole_history_is_not_doubled),
        TEST(test_a_request_without_room),
        TEST(test_an_answer_without_end),
        TEST(test_a_workflows_answer),
        TEST(test_its_client_goes_while_the_store_reads),
        TEST(test_its_client_goes_while_it_runs),
        TEST(test_its_client_goes_while_it_settles),
        TEST(test_the_gateway_ends_while_it_lingers),
        TEST(test_in_the_sandbox),
        TEST(test_a_workflow_in_the_sandbox),
        cmocka_unit_test(test_of_no_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
