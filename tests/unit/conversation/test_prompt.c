#include "conversation/prompt.h"

#include "conversation/prompts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CONTEXT = 1024, MESSAGES = 20 };

struct fixture {
    struct arena arena;
    struct store_conversation conversation;
    struct store_message messages[MESSAGES];
    struct gen_message asked[4];
    struct gen_request request;
    struct conversation_prompt prompt;
};

static struct conversation_prompt prompt_of(const struct fixture *fixture) {
    return (struct conversation_prompt){.conversation = &fixture->conversation,
                                        .messages = fixture->messages,
                                        .message_count = MESSAGES,
                                        .context_length = CONTEXT,
                                        .most = tokens_prior_of(STR("demo"))->rates,
                                        .likely = tokens_prior_of(STR("demo"))->rates};
}

/* Ten exchanges of 20 tokens a message, and one question. */
static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    arena_init(&fixture->arena, 1024 * 1024);
    fixture->conversation.system = STR("Be brief.");
    fixture->conversation.summary = STR("");
    fixture->conversation.density = 256;
    fixture->conversation.message_count = MESSAGES;
    (void)str_copy(fixture->conversation.counted_by, STORE_MODEL_MAX, STR("demo"));
    for (int i = 0; i < MESSAGES; i++) {
        fixture->messages[i] = (struct store_message){.position = i,
                                                      .role = i % 2 ? STORE_ROLE_ASSISTANT : STORE_ROLE_USER,
                                                      .tokens = 20,
                                                      .content = STR("said")};
    }
    fixture->asked[0] = (struct gen_message){.role = GEN_ROLE_USER, .content = STR("And now?")};
    gen_request_init(&fixture->request);
    fixture->request.model = STR("demo");
    fixture->request.messages = fixture->asked;
    fixture->request.message_count = 1;
    fixture->prompt = prompt_of(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    arena_clear(&fixture->arena);
    free(fixture);
    return 0;
}

static void make(struct fixture *fixture) {
    assert_true(conversation_prompt_make(&fixture->prompt, &fixture->arena, &fixture->request));
}

static void assert_text(struct str text, const char *expected) {
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
}

static void test_the_context_stands_in_front(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    make(fixture);
    const struct gen_request *request = &fixture->request;
    assert_int_equal(request->message_count, 1 + MESSAGES + 1);
    assert_int_equal(request->messages[0].role, GEN_ROLE_SYSTEM);
    assert_text(request->messages[0].content, "Be brief.");
    assert_int_equal(request->messages[1].role, GEN_ROLE_USER);
    assert_text(request->messages[1 + MESSAGES].content, "And now?");
    assert_false(fixture->prompt.cut);
    assert_int_equal(fixture->prompt.own_count, 1);
}

static void test_the_summary_stands_behind_the_system_text(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    fixture->conversation.summary = STR("The name is Ada.");
    make(fixture);
    assert_text(fixture->request.messages[0].content,
                "Be brief.\n\nSummary of the conversation so far: The name is Ada.");
}

static void test_without_system_text_and_summary_there_is_no_head(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    fixture->conversation.system = STR("");
    make(fixture);
    assert_int_equal(fixture->request.messages[0].role, GEN_ROLE_USER);
}

static void test_a_system_text_of_the_call_takes_the_place_of_the_stored_one(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    fixture->asked[1] = fixture->asked[0];
    fixture->asked[0] = (struct gen_message){.role = GEN_ROLE_SYSTEM, .content = STR("Be kind.")};
    fixture->asked[2] = (struct gen_message){.role = GEN_ROLE_SYSTEM, .content = STR("Be wise.")};
    fixture->request.message_count = 3;
    make(fixture);
    assert_true(fixture->prompt.system_given);
    assert_text(fixture->request.messages[0].content, "Be kind.\nBe wise.");
    assert_int_equal(fixture->prompt.own_count, 1);
    assert_text(fixture->prompt.own_messages[0].content, "And now?");
}

static void test_the_oldest_are_left_out_until_all_fits(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    fixture->request.max_tokens_given = true;
    for (uint32_t room = 1; room <= CONTEXT + 10; room += 7) {
        fixture->prompt = prompt_of(fixture);
        fixture->request.messages = fixture->asked;
        fixture->request.message_count = 1;
        fixture->request.max_tokens = room;
        make(fixture);
        const struct conversation_prompt *prompt = &fixture->prompt;
        const size_t kept = MESSAGES - prompt->first;
        if (kept > 0) {
            assert_true(prompt->known + prompt->own + room + 64 <= CONTEXT);
            assert_int_equal(fixture->messages[prompt->first].role, GEN_ROLE_USER);
        }
        assert_int_equal(prompt->cut, kept < MESSAGES);
    }
}

static void test_a_message_has_its_text_and_its_place_in_the_template(void **state) {
    const struct tokens_rates rates = tokens_prior_of(STR("demo"))->rates;
    (void)state;
    assert_int_equal(conversation_tokens(STR(""), &rates), TOKENS_PER_MESSAGE);
    assert_int_equal(conversation_tokens(STR("one two three"), &rates), 3 + TOKENS_PER_MESSAGE);
}

/* 1300 characters of one message leave room for what was said before, in whatever script. */
static void test_history_stays_in_every_script(void **state) {
    static const char *const units[] = {"海边的小镇有很多船，", "漁師たちは毎朝、",   "мы вышли в море ",
                                        "ชาวประมงออกจาก",       "يغادر الصيادون ",    "मछुआरे हर सुबह ",
                                        "The town by the sea ", "어부들은 매일 아침 "};
    struct fixture *fixture = (struct fixture *)*state;
    struct buf text;
    buf_init(&text, 64 * 1024);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        buf_reset(&text);
        for (size_t characters = 0; characters < 1300;) {
            buf_append_cstr(&text, units[i]);
            for (const char *c = units[i]; *c != '\0'; c++) {
                characters += ((unsigned char)*c & 0xc0) != 0x80;
            }
        }
        fixture->prompt = prompt_of(fixture);
        fixture->prompt.context_length = 4096;
        fixture->asked[0].content = buf_str(&text);
        fixture->request.messages = fixture->asked;
        fixture->request.message_count = 1;
        make(fixture);
        assert_true(fixture->prompt.first < MESSAGES);
        assert_true(fixture->prompt.known + fixture->prompt.own <= fixture->prompt.budget);
    }
    buf_clear(&text);
}

static void test_counts_of_another_model_do_not_hold(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    static const char text[] =
        "what was said before has some words, and some more, and then even more of them, so that it is "
        "much longer than what was counted, and when all of it is read again it takes more room";
    for (int i = 0; i < MESSAGES; i++) {
        fixture->messages[i].content = STR(text);
    }
    fixture->request.model = STR("other");
    make(fixture);
    assert_false(fixture->prompt.counted);
    assert_true(fixture->prompt.cut);
    assert_true(fixture->prompt.known + fixture->prompt.own <= fixture->prompt.budget);
}

static void test_a_summary_without_room_is_left_out(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    fixture->conversation.summary = STR("The name is Ada, and there is more to say than fits.");
    fixture->request.max_tokens_given = true;
    fixture->request.max_tokens = CONTEXT - 90;
    make(fixture);
    assert_text(fixture->request.messages[0].content, "Be brief.");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_context_stands_in_front),
        TEST(test_the_summary_stands_behind_the_system_text),
        TEST(test_without_system_text_and_summary_there_is_no_head),
        TEST(test_a_system_text_of_the_call_takes_the_place_of_the_stored_one),
        TEST(test_the_oldest_are_left_out_until_all_fits),
        TEST(test_a_message_has_its_text_and_its_place_in_the_template),
        TEST(test_history_stays_in_every_script),
        TEST(test_counts_of_another_model_do_not_hold),
        TEST(test_a_summary_without_room_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
