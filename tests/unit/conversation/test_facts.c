/* What a user has told is kept word for word, however often a summary is summed up. */
#include "conversation/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 400 };

static void assert_facts(const char *message, const char *expected) {
    struct buf facts;
    buf_init(&facts, ROOM);
    conversation_facts_add(&facts, str_from(message), ROOM);
    assert_string_equal(buf_cstr(&facts), expected);
    buf_clear(&facts);
}

static void test_what_is_told_is_kept(void **state) {
    (void)state;
    assert_facts("My name is Ada.", "My name is Ada.");
    assert_facts("hi! i'm Ada and I live in Rome\nHow are you?", "i'm Ada and I live in Rome.");
    assert_facts("Remember the number 4711! What is 7 + 8?", "Remember the number 4711!");
    assert_facts("The code is 42. The sky is blue.", "The code is 42.");
    assert_facts("Version 1.5 is out.", "Version 1.5 is out.");
    assert_facts("My name is Ada. MY NAME IS ADA.", "My name is Ada.");
}

static void test_questions_and_orders_are_not(void **state) {
    (void)state;
    assert_facts("What is my name?", "");
    assert_facts("Tell me about the sea.", "");
    assert_facts("What is the capital of France?", "");
    assert_facts("", "");
    assert_facts(" \n.\n!?", "");
}

static void test_long_texts_are_not_facts(void **state) {
    (void)state;
    char text[4096];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "My name is Ada. ", 16);
    assert_facts(text, "");
}

static void test_when_full_the_first_stay(void **state) {
    (void)state;
    struct buf facts;
    buf_init(&facts, ROOM);
    conversation_facts_add(&facts, STR("My name is Ada."), 24);
    conversation_facts_add(&facts, STR("My dog is called Rex."), 24);
    assert_string_equal(buf_cstr(&facts), "My name is Ada.");
    buf_clear(&facts);
}

static void test_they_survive_any_number_of_summaries(void **state) {
    (void)state;
    struct buf summary, facts;
    buf_init(&summary, ROOM);
    buf_init(&facts, ROOM);
    conversation_facts_add(&facts, STR("My name is Ada."), ROOM);
    for (int i = 0; i < 5; i++) { /* a model that says nothing of it, and writes our own word */
        struct str prose;
        buf_reset(&summary);
        conversation_facts_join(STR("They talked.\nFacts: none"), buf_str(&facts), &summary);
        const struct str kept = conversation_facts_split(buf_str(&summary), &prose);
        assert_true(str_equal_cstr(kept, "My name is Ada."));
        assert_true(str_equal_cstr(prose, "They talked.\nFacts: none"));
    }
    struct str prose;
    assert_int_equal(conversation_facts_split(STR("Only words."), &prose).len, 0);
    assert_true(str_equal_cstr(prose, "Only words."));
    buf_clear(&summary);
    buf_clear(&facts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told_is_kept),
        cmocka_unit_test(test_questions_and_orders_are_not),
        cmocka_unit_test(test_long_texts_are_not_facts),
        cmocka_unit_test(test_when_full_the_first_stay),
        cmocka_unit_test(test_they_survive_any_number_of_summaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
