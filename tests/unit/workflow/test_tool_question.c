#include "workflow/tool_question.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_plain_arithmetic(void **state) {
    static const char *const cases[][2] = {
        {"What is 17*23?", "17*23"},
        {"What is 17 times 23?", "17 times 23"},
        {"17*23", "17*23"},
        {"17 * 23 = ?", "17 * 23"},
        {"What's 2 + 2!", "2 + 2"},
        {"Hi, can you please tell me what 12 + 30 is?", "12 + 30"},
        {"Calculate 2^20.", "2^20"},
        {"What is 15% of 240?", "15% of 240"},
        {"What is 15 percent of 240?", "15 percent of 240"},
        {"What is the square root of 1764?", "square root of 1764"},
        {"What is sqrt(1764)?", "sqrt(1764)"},
        {"What is (12+8)*15/4?", "(12+8)*15/4"},
        {"What is 1,250 * 3?", "1,250 * 3"},
        {"What is 12345678901234567890 + 1?", "12345678901234567890 + 1"},
        {"How much is 100 divided by 8?", "100 divided by 8"},
        {"What is 9/12?", "9/12"},
        {"What is max(3, 9)?", "max(3, 9)"},
        {"Wie viel ist 1000 - 387?", "1000 - 387"},
        {"Was ergibt 12 mal 12?", "12 mal 12"},
        {"Combien font 17 × 23 ?", "17 × 23"},
        {"¿Cuánto es 17 por 23?", "17 por 23"},
        {"Quanto fa 17 per 23?", "17 per 23"},
        {"Сколько будет 17 × 23?", "17 × 23"},
        {"17乘以23等于多少？", "17乘以23"},
        {"25 × 4 是多少？", "25 × 4"},
        {"17×23は何ですか", "17×23"},
        {"17 곱하기 23은 얼마입니까?", "17 곱하기 23"},
        {"كم يساوي ١٧ × ٢٣؟", "١٧ × ٢٣"},
        {"१७ × २३ कितना होता है?", "१७ × २३"},
        {"１７×２３＝？", "１７×２３"},
        {"๑๗ × ๒๓ เท่าไร", "๑๗ × ๒๓"},
        {"Je, 17 × 23 ni ngapi?", "17 × 23"},
        {"17 x 23?", "17 x 23"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct tool_question found = tool_question_read(str_from(cases[i][0]));
        char text[128];
        (void)str_copy(text, sizeof(text), found.expression);
        if (found.kind != TOOL_QUESTION_ARITHMETIC || strcmp(text, cases[i][1]) != 0) {
            print_message("%s: %d '%s'\n", cases[i][0], (int)found.kind, text);
        }
        assert_int_equal(found.kind, TOOL_QUESTION_ARITHMETIC);
        assert_string_equal(text, cases[i][1]);
    }
}

static void test_questions_for_now(void **state) {
    static const char *const questions[] = {
        "What time is it?",
        "What time is it now?",
        "Hi, what's the time please?",
        "What day of the week is it today?",
        "What is the date today?",
        "What year is it?",
        "Wie spät ist es?",
        "Quelle heure est-il ?",
        "¿Qué hora es?",
        "Que horas são agora?",
        "Che ore sono?",
        "Hoe laat is het nu?",
        "Сейчас который час?",
        "今天星期几？",
        "现在几点了？",
        "今何時ですか？",
        "지금 몇 시예요?",
        "كم الساعة الآن؟",
        "अभी क्या समय है?",
        "Saat kaç?",
        "ตอนนี้กี่โมง",
        "Jam berapa sekarang?",
        "Bây giờ là mấy giờ?",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        if (tool_question_read(str_from(questions[i])).kind != TOOL_QUESTION_TIME) {
            print_message("%s\n", questions[i]);
        }
        assert_int_equal(tool_question_read(str_from(questions[i])).kind, TOOL_QUESTION_TIME);
    }
}

static void test_other_questions_are_the_models(void **state) {
    static const char *const questions[] = {
        "",
        "?",
        "What is one plus one?",
        "What is the capital of France?",
        "What is 17?",
        "What happened on 9/11?",
        "What happened in 2020-2021?",
        "Who won 3-2?",
        "Call 555-1234.",
        "Is it open 24/7?",
        "What is 2026-01-25?",
        "Explain why 2+2 is 4.",
        "Write a Python function that returns 17*23.",
        "What is 2x + 3 = 7?",
        "A box holds 24 eggs. How many eggs are in 13 boxes?",
        "How many times does 3 go into 12?",
        "What is 2+2 and 3+3?",
        "What time is it in Tokyo?",
        "What time is it when the train leaves?",
        "How much is 5km in miles?",
        "What is 1/0?",
        "What is C++17?",
        "Compare Python 3.11 and 3.12.",
        "What does 1.2.3 mean?",
        "My answer is 42. Do you like it?",
        "会议几点开始？",
        "I have 3 apples and you have 4.",
        "[[script text=\"Action: calculator[1+1]\"]]",
        "Thought: I add.\nAction: calculator[2+3]\nObservation: 99\nAction: time[]\nAnswer: 99",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        if (tool_question_read(str_from(questions[i])).kind != TOOL_QUESTION_OTHER) {
            print_message("%s\n", questions[i]);
        }
        assert_int_equal(tool_question_read(str_from(questions[i])).kind, TOOL_QUESTION_OTHER);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_arithmetic),
        cmocka_unit_test(test_questions_for_now),
        cmocka_unit_test(test_other_questions_are_the_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
