#include "workflow/echo.h"

#include "base/compiler.h"
#include "workflow/prompts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct case_ {
    const char *answer, *question;
};

static void test_what_only_repeats_is_no_answer(void **state) {
    static const struct case_ cases[] = {
        {"", "Who built the lighthouse of Alexandria?"},
        {" \n", "Who built the lighthouse of Alexandria?"},
        {"Who built the lighthouse of Alexandria?", "Who built the lighthouse of Alexandria?"},
        {"**who built the lighthouse of alexandria**", "Who built the lighthouse of Alexandria?"},
        {"the lighthouse of Alexandria?", "Who built the lighthouse of Alexandria?"},
        {"Who built the lighthouse of Alexandria? Who built the lighthouse of Alexandria?",
         "Who built the lighthouse of Alexandria?"},
        {"谁建造了亚历山大的灯塔？", "谁建造了亚历山大的灯塔？"},
        {"Кто построил маяк в Александрии", "Кто построил маяк в Александрии?"},
        {"من بنى منارة الإسكندرية؟", "من بنى منارة الإسكندرية؟"},
        {"the answer", "What is it?"},
        {"Answer.", "What is it?"},
        {"name[argument]", "What is it?"},
        {"Answer, or call one of these tools:", "What is it?"},
        {"- calculator: sums, percentages, roots, units", "What is it?"},
        {"Tell the user the result.", "What is it?"},
        {"Jupiter has the Great Red Spot.", "Who built the lighthouse of Alexandria?"},
        {"A word that rhymes with mouse is egg.", "A box holds 24 eggs. How many eggs are in 13 boxes?"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (!echo_is(str_from(cases[i].answer), str_from(cases[i].question))) {
            print_message("%s\n", cases[i].answer);
        }
        assert_true(echo_is(str_from(cases[i].answer), str_from(cases[i].question)));
    }
}

static void test_other_answers_are_answers(void **state) {
    static const struct case_ cases[] = {
        {"Sostratus of Cnidus.", "Who built the lighthouse of Alexandria?"},
        {"The lighthouse of Alexandria was built by Sostratus.", "Who built the lighthouse of Alexandria?"},
        {"Hello!", "Hello"},
        {"Good morning!", "Good morning!"},
        {"red", "Red or blue?"},
        {"The quick brown fox jumps over the dog.", "Repeat after me: The quick brown fox jumps over the dog."},
        {"ok", "Who built the lighthouse of Alexandria?"},
        {"42", "What is six times seven?"},
        {"A word that rhymes with house is mouse.", "Which word rhymes with house?"},
        {"A word that rhymes with mouse is louse.", "Name a word that rhymes with mouse is what I want"},
        {"Jupiter has the Great Red Spot.",
         "Which planet has the Great Red Spot? Jupiter has the Great Red Spot, I think"},
        {"Jupiter has the Great Red Spot.", "Which planet has the Great Red Spot?"},
        {"Paris", "What is the capital of France?"},
        {"👍", "Is it fine?"},
        {"谁知道呢。", "谁建造了亚历山大的灯塔？"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (echo_is(str_from(cases[i].answer), str_from(cases[i].question))) {
            print_message("%s\n", cases[i].answer);
        }
        assert_false(echo_is(str_from(cases[i].answer), str_from(cases[i].question)));
    }
}

/* Each of our own words alone is no answer to another question. */
static void test_all_that_an_agent_is_told(void **state) {
    (void)state;
    for (size_t i = 0; i < PROMPT_AGENT_WORDS; i++) {
        assert_true(prompt_agent_words(i).len > 0);
        struct buf folded;
        buf_init(&folded, 1024);
        echo_fold(prompt_agent_words(i), &folded);
        assert_true(folded.len < 14 || echo_is(prompt_agent_words(i), STR("Who is it?")));
        buf_clear(&folded);
    }
}

static void test_what_says_more_than_the_question(void **state) {
    static const struct {
        const char *answer, *question;
        bool more;
    } cases[] = {
        {"The day is today.", "What day is it today?", false},
        {"It is the time.", "What time is it?", false},
        {"", "What time is it?", false},
        {"Heute ist der Tag.", "Welcher Tag ist heute?", false},
        {"It is Monday.", "What day is it today?", true},
        {"12:40", "What time is it?", true},
        {"Heute ist Montag.", "Welcher Tag ist heute?", true},
        {"Сегодня понедельник.", "Какой сегодня день?", true},
        {"今天星期一。", "今天星期几？", true},
        {"오늘은 월요일입니다.", "오늘 무슨 요일이야?", true},
        {"اليوم هو الاثنين", "ما هو اليوم؟", true},
        {"It is ١٢ o'clock", "What time is it?", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (echo_says_more(str_from(cases[i].answer), str_from(cases[i].question)) != cases[i].more) {
            fail_msg("%s", cases[i].answer);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_only_repeats_is_no_answer),
        cmocka_unit_test(test_other_answers_are_answers),
        cmocka_unit_test(test_all_that_an_agent_is_told),
        cmocka_unit_test(test_what_says_more_than_the_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
