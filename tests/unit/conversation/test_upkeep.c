/* Titles and summaries: when they are written, by whom, and what becomes of what a model writes. On a real store. */
#include "conversation/upkeep.h"

#include "support/talk.h"

static const struct store_conversation TITLED = {.auto_title = true};
static const struct store_conversation SUMMED_UP = {.auto_summary = true};

/* The run of a purpose, once it has come. */
static struct call *run_of(struct talk_fixture *fixture, const char *prefix) {
    struct call *call = call_fixture_take(&fixture->calls);
    assert_memory_equal(call->id, prefix, strlen(prefix));
    assert_string_equal(call->identity.account_id, "acct_1"); /* who pays */
    assert_true(str_equal_cstr(call->label, TALK_ID));
    return call;
}

static const char *prompt_of(const struct call *call) {
    static char text[32 * 1024];
    assert_int_equal(call->generation.message_count, 2);
    assert_int_equal(call->generation.messages[0].role, GEN_ROLE_SYSTEM);
    (void)str_copy(text, sizeof(text), call->generation.messages[1].content);
    return text;
}

static void await_quiet(struct talk_fixture *fixture) {
    NET_UNTIL(&fixture->calls.net, fixture->conversations->desks == NULL);
}

/* --- Titles --- */

static void test_a_title_after_the_first_call(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, TITLED);
    talk_say(fixture, "How far is the moon?", "Very far.", 20);
    struct call *call = run_of(fixture, "title_");
    assert_non_null(strstr(prompt_of(call), "User: How far is the moon?\nAssistant: Very far.\n"));
    assert_true(str_equal_cstr(call->generation.model, CALL_FIXTURE_MODEL));
    talk_answer(fixture, call, "Title: \"The Moon\"\nand more", 30);
    assert_string_equal(talk_stored(fixture)->title, "The Moon");
    assert_int_equal(fixture->stored.titled_by, STORE_TITLED_BY_MODEL);
    await_quiet(fixture);
    talk_say(fixture, "And the sun?", "Farther.", 40); /* it has one now */
    assert_int_equal(fixture->calls.submitted, 3);
    await_quiet(fixture);
}

/* A model that gives nothing of use: the first words of the user. */
static void test_a_title_of_words(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, TITLED);
    talk_say(fixture, "One two three four five six seven eight nine ten", "eleven", 20);
    talk_answer(fixture, run_of(fixture, "title_"), "\n***\n", 30);
    assert_string_equal(talk_stored(fixture)->title, "One two three four five six seven eight");
    assert_int_equal(fixture->stored.titled_by, STORE_TITLED_BY_WORDS);
    await_quiet(fixture);
}

static void test_one_that_fails_is_tried_after_the_next_call(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, TITLED);
    talk_say(fixture, "hi", "hello", 20);
    struct call *call = run_of(fixture, "title_");
    call->sink->failed(call, &(struct fault){.code = FAULT_RATE_LIMIT_EXCEEDED, .message = "later"});
    assert_null(fixture->conversations->desks);
    assert_int_equal(talk_stored(fixture)->titled_by, STORE_TITLED_NOT);
    talk_say(fixture, "again", "hello", 20);
    talk_answer(fixture, run_of(fixture, "title_"), "Greetings", 30);
    assert_string_equal(talk_stored(fixture)->title, "Greetings");
    await_quiet(fixture);
}

static void test_one_at_a_time(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, TITLED);
    talk_say(fixture, "hi", "hello", 20);
    struct call *title = run_of(fixture, "title_");
    talk_say(fixture, "again", "hello", 20); /* the conversation goes on meanwhile */
    assert_int_equal(fixture->calls.submitted, 3);
    talk_answer(fixture, title, "Greetings", 30);
    await_quiet(fixture);
    assert_string_equal(talk_stored(fixture)->title, "Greetings");
}

static void test_in_the_sandbox(void **state) {
    struct talk_fixture *fixture = *state;
    fixture->calls.auth.kind = STORE_KEY_TEST;
    talk_add(fixture, TITLED);
    talk_say(fixture, "hi", "hello", 20);
    struct call *call = run_of(fixture, "title_");
    assert_int_equal(fixture->calls.sandboxed, 2);
    talk_answer(fixture, call, "Greetings", 30);
    await_quiet(fixture);
    assert_string_equal(talk_stored(fixture)->title, "Greetings");
}

/* The model that the conversation was made for writes them, if this key may use it. */
static void test_whose_model_writes(void **state) {
    static const struct {
        const char *made_for, *writes;
    } cases[] = {{"qwen2.5-0.5b-instruct-q6_k", "qwen2.5-0.5b-instruct-q6_k"},
                 {"gone-since", CALL_FIXTURE_MODEL},
                 {"", CALL_FIXTURE_MODEL}};
    struct talk_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct store_conversation conversation = TITLED;
        (void)str_copy(conversation.model, sizeof(conversation.model), str_from(cases[i].made_for));
        if (i > 0) {
            bool deleted = false;
            store_conversation_delete(fixture->calls.files->store, "acct_1", false, TALK_ID, talk_on_durable, &deleted);
            NET_UNTIL(&fixture->calls.net, deleted);
        }
        talk_add(fixture, conversation);
        talk_say(fixture, "hi", "hello", 20);
        struct call *call = run_of(fixture, "title_");
        assert_true(str_equal_cstr(call->generation.model, cases[i].writes));
        talk_answer(fixture, call, "Greetings", 30);
        await_quiet(fixture);
    }
}

static void test_nobody_wants_them(void **state) {
    struct talk_fixture *fixture = *state;
    fixture->conversations->titles_off = fixture->conversations->summaries_off = true;
    talk_add(fixture, (struct store_conversation){.auto_title = true, .auto_summary = true});
    fixture->calls.context_length = 64; /* so small that a summary would be due */
    talk_say(fixture, "hi", "hello", 20);
    assert_null(fixture->conversations->desks);
    assert_int_equal(fixture->calls.submitted, 1);
}

/* --- Summaries --- */

/* `count` exchanges, so long that a summary becomes due; its run. */
static struct call *talk_until_due(struct talk_fixture *fixture, const char *text, const char *answer) {
    for (int i = 0; i < 16; i++) {
        talk_say(fixture, text, answer, 100 + 60 * (uint32_t)i);
        if (fixture->conversations->desks != NULL) {
            return run_of(fixture, "summary_");
        }
    }
    fail_msg("no summary was due");
    return NULL;
}

#define LONG_TEXT                                                                                                      \
    "My name is Ada and I live in Bern. Please tell me something long about the mountains there, their snow, their "   \
    "lakes and the people who go up to them."
#define LONG_ANSWER                                                                                                    \
    "The mountains near Bern are high and white for most of the year, and many people go there by train to walk, to "  \
    "ski and to look down at the lakes."

static void test_a_summary_when_the_prompt_grows(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, SUMMED_UP);
    struct call *call = talk_until_due(fixture, LONG_TEXT, LONG_ANSWER);
    assert_memory_equal(prompt_of(call), "User: My name is Ada", 20); /* nothing was summed up before */
    assert_non_null(strstr(prompt_of(call), "Assistant: The mountains"));
    talk_answer(fixture, call, "  Ada asked about mountains.\n", 80);
    await_quiet(fixture);
    const int64_t until = talk_stored(fixture)->summary_until;
    assert_true(until > 0 && until < fixture->stored.message_count); /* the last exchange stays */
    assert_memory_equal(fixture->summary, "Ada asked about mountains.", 26);
    assert_non_null(strstr(fixture->summary, "\nFacts:\n- My name is Ada and I live in Bern.")); /* word for word */
    /* It stands in front of the next call, in place of what it is about. */
    struct talk *talk = talk_new(fixture, TALK_ID, "Where do I live?");
    talk_begin(talk);
    talk_settle_in(talk);
    assert_int_equal(talk->call.generation.messages[0].role, GEN_ROLE_SYSTEM);
    char head[1024];
    (void)str_copy(head, sizeof(head), talk->call.generation.messages[0].content);
    assert_non_null(strstr(head, "Ada asked about mountains."));
    assert_int_equal(talk->call.generation.messages[1].role, GEN_ROLE_USER);
    talk_answer(fixture, &talk->call, "In Bern.", 100);
    talk_free(talk);
    /* The next summary goes on from this one. */
    call = fixture->conversations->desks != NULL ? run_of(fixture, "summary_")
                                                 : talk_until_due(fixture, LONG_TEXT, LONG_ANSWER);
    assert_memory_equal(prompt_of(call), "Summary so far:\nAda asked about mountains.", 42);
    assert_non_null(strstr(prompt_of(call), "What was said then:\n"));
    talk_answer(fixture, call, "Ada asked again.", 80);
    await_quiet(fixture);
    assert_true(talk_stored(fixture)->summary_until > until);
}

static void test_a_summary_of_nothing(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, SUMMED_UP);
    talk_answer(fixture, talk_until_due(fixture, LONG_TEXT, LONG_ANSWER), " \n\t", 80);
    await_quiet(fixture);
    assert_int_equal(talk_stored(fixture)->summary_until, 0);
    assert_string_equal(fixture->summary, "");
}

/* The conversation is deleted while the store reads for a summary: there is nothing to sum up. */
static void test_a_summary_of_what_is_gone(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, SUMMED_UP);
    fixture->calls.context_length = 96;
    talk_say(fixture, LONG_TEXT, LONG_ANSWER, 60);
    await_quiet(fixture);
    struct talk *talk = talk_new(fixture, TALK_ID, LONG_TEXT);
    struct call_result result = talk_result(80, 30);
    struct store_turn turn;
    bool deleted = false;
    talk_begin(talk);
    talk_settle_in(talk);
    (void)talk->call.sink->deliver(&talk->call, STR(LONG_ANSWER));
    assert_true(talk->call.sink->turn(&talk->call, &result, &turn));
    talk_keep(fixture, &turn);
    store_conversation_delete(fixture->calls.files->store, "acct_1", false, TALK_ID, talk_on_durable, &deleted);
    NET_UNTIL(&fixture->calls.net, deleted);
    talk->call.sink->finished(&talk->call, &result); /* asks for a summary */
    talk_free(talk);
    await_quiet(fixture);
    assert_int_equal(fixture->calls.submitted, 2);
}

/* --- The end of the gateway --- */

static void test_what_is_not_written_goes_with_the_gateway(void **state) {
    struct talk_fixture *fixture = *state;
    talk_add(fixture, (struct store_conversation){.auto_title = true, .auto_summary = true});
    fixture->calls.context_length = 96;
    talk_say(fixture, LONG_TEXT, LONG_ANSWER, 60); /* its runs have not begun */
    assert_non_null(fixture->conversations->desks);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, talk_setup, talk_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_title_after_the_first_call),
        TEST(test_a_title_of_words),
        TEST(test_one_that_fails_is_tried_after_the_next_call),
        TEST(test_one_at_a_time),
        TEST(test_in_the_sandbox),
        TEST(test_whose_model_writes),
        TEST(test_nobody_wants_them),
        TEST(test_a_summary_when_the_prompt_grows),
        TEST(test_a_summary_of_nothing),
        TEST(test_a_summary_of_what_is_gone),
        TEST(test_what_is_not_written_goes_with_the_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
