#include "workflow/budget.h"
#include "workflow/choose.h"
#include "workflow/compose.h"
#include "workflow/fit.h"
#include "workflow/meaning.h"
#include "workflow/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct orchestration_tool caller_tools[] = {
    {STR("get_weather"), STR("The weather now"), STR("city"), STR("city")},
    {STR("add"), STR(""), STR("a, b"), STR("")},
};

static struct workflow_meaning meaning(enum core_step_name name, const char *output) {
    static struct core_step step;
    static struct core_workflow workflow = {.steps = &step, .step_count = 1};
    static const struct orchestration asked = {.tools = caller_tools, .tool_count = 2};
    const struct workflow_scene scene = {.asked = &asked, .workflow = &workflow};
    step.name = name;
    return workflow_step_meaning(&scene, 0, str_from(output));
}

#define assert_text(value, expected)                                                                                   \
    do {                                                                                                               \
        char text_[256];                                                                                               \
        (void)str_copy(text_, sizeof(text_), (value));                                                                 \
        assert_string_equal(text_, (expected));                                                                        \
    } while (0)

static void test_actions(void **state) {
    static const struct {
        const char *output, *name, *argument;
    } cases[] = {
        {"Action: calculator[2+2]", "calculator", "2+2"},
        {"Thought: I need it.\nAction: calculator[17*(3+4)]\nObservation: 119\nAnswer: 119", "calculator", "17*(3+4)"},
        {"Action: calculator(2 * (3 + 4))", "calculator", "2 * (3 + 4)"},
        {"**Action:** `calculator[2+2]`", "calculator", "2+2"},
        {"### Action: Calculator [ 2+2 ]\n", "Calculator", "2+2"},
        {"1. Action: calculator[1+1]", "calculator", "1+1"},
        {"Action 1: calculator[1+1]\nObservation 1: 2", "calculator", "1+1"},
        {"action:calculator[1]", "calculator", "1"},
        {"Action: calculator\nAction Input: 3*4\nObservation: 12", "calculator", "3*4"},
        {"Action: calculator\n\nInput: \"3*4\"", "calculator", "3*4"},
        {"Action: calculator\nAction Input: {\"expression\": \"3*4\"}", "calculator", "3*4"},
        {"Action: calculator: 3*4", "calculator", "3*4"},
        {"Action: calculator 3*4", "calculator", "3*4"},
        {"Action: calculator(expression=\"3*4\")", "calculator", "3*4"},
        {"Action: I will use the calculator[5-3] tool.", "calculator", "5-3"},
        {"Action: calculator[2*(3+4)", "calculator", "2*(3+4)"},
        {"Action: time[]", "time", ""},
        {"Action: time", "time", ""},
        {"Action: search[the name of my \"dog [Rex]\"]", "search", "the name of my \"dog [Rex]\""},
        {"Action: search['my dog']", "search", "my dog"},
        {"Action: search[it's [a] list]", "search", "it's [a] list"},
        {"Action: none\nAction: time[]", "time", ""},
        {"calculator[6*7]", "calculator", "6*7"},
        {"`calculator[6*7]`\nObservation: 42", "calculator", "6*7"},
        {"Action: calculator[1+1]\r\nObservation: 2\r\n", "calculator", "1+1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct workflow_meaning found = meaning(CORE_STEP_THINK, cases[i].output);
        assert_int_equal(found.outcome, CORE_OUTCOME_ACTION);
        assert_false(found.unknown_tool);
        assert_text(found.tool_name, cases[i].name);
        assert_text(found.argument, cases[i].argument);
    }
    assert_int_equal(meaning(CORE_STEP_THINK, "Action: search[x]").tool, WORKFLOW_TOOL_SEARCH);
    assert_int_equal(meaning(CORE_STEP_THINK, "Action: Current_Time[]").tool, WORKFLOW_TOOL_TIME);
}

static void test_unknown_tools(void **state) {
    static const char *const outputs[] = {"Action: google[cats]", "Action: tool[argument]", "Action: open the door"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        const struct workflow_meaning found = meaning(CORE_STEP_THINK, outputs[i]);
        assert_int_equal(found.outcome, CORE_OUTCOME_ACTION);
        assert_true(found.unknown_tool);
    }
}

static void test_calls_of_the_caller(void **state) {
    static const struct {
        const char *output, *arguments;
    } cases[] = {
        {"Action: get_weather[Berlin]", "{\"city\":\"Berlin\"}"},
        {"Action: Get_Weather(\"Berlin\")", "{\"city\":\"Berlin\"}"},
        {"Action: get_weather(city=\"Berlin\")", "{\"city\":\"Berlin\"}"},
        {"Action: get_weather[{\"city\": \"Ber]lin\"}]\nObservation: sunny", "{\"city\":\"Ber]lin\"}"},
        {"Action: get_weather {\"city\": \"Berlin\"}", "{\"city\":\"Berlin\"}"},
        {"Action: get_weather\nAction Input: {\n\"city\": \"Berlin\"\n}", "{\"city\":\"Berlin\"}"},
        {"Action: add[1, 2]", "{\"input\":\"1, 2\"}"},
        {"Action: add[]", "{}"},
        {"Action: get_weather[{broken]", "{\"city\":\"{broken\"}"},
    };
    (void)state;
    struct json_parser *parser = json_parser_new(64 * 1024, 32);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct workflow_meaning found = meaning(CORE_STEP_THINK, cases[i].output);
        struct buf out;
        buf_init(&out, 4096);
        assert_int_equal(found.outcome, CORE_OUTCOME_CALL);
        assert_non_null(found.called);
        workflow_call_arguments(parser, &found, &out);
        assert_string_equal(buf_cstr(&out), cases[i].arguments);
        buf_clear(&out);
    }
    json_parser_free(parser);
}

static void test_answers(void **state) {
    static const struct {
        const char *output, *answer;
    } cases[] = {
        {"Answer: 42", "42"},
        {"Thought: easy\nFinal Answer: Paris is\nthe capital.", "Paris is\nthe capital."},
        {"**Answer:** 42", "42"},
        {"Answer: 4\nObservation: none\nTask: another", "4"},
        {"Answer: 4\nAction: calculator[9]", "4"},
        {"Answer:\n```c\nint x;\n```", "```c\nint x;\n```"},
        {"Paris.", "Paris."},
        {"Thought: it is Paris.", "it is Paris."},
        {"The Answer: 7", "7"},
        {"Action: Finish[42]", "42"},
        {"Action: none\nAnswer: hello", "hello"},
        {"Action: none", "Action: none"},
        {"print(1)", "print(1)"},
        {"The action was taken in 1990.", "The action was taken in 1990."},
        {"", ""},
        {"  \n\n ", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct workflow_meaning found = meaning(CORE_STEP_THINK, cases[i].output);
        assert_int_equal(found.outcome, CORE_OUTCOME_ANSWER);
        assert_text(found.text, cases[i].answer);
        assert_text(workflow_answer_text(CORE_STEP_THINK, str_from(cases[i].output)), cases[i].answer);
    }
    assert_text(workflow_answer_text(CORE_STEP_THINK, STR("Thought: it is big.\nAction: time[]")), "it is big.");
    assert_text(workflow_answer_text(CORE_STEP_WRITE, STR("Final answer: Yes.\n")), "Yes.");
    assert_text(workflow_answer_text(CORE_STEP_IMPLEMENT, STR("```\nx\n```\n")), "```\nx\n```");
}

static void test_reviews(void **state) {
    static const char *const approved[] = {
        "APPROVED",
        "**APPROVED**",
        "Approved.\n- good names",
        "No faults found.",
        "The code looks good.",
        "The code is correct and does the task.",
        "",
        "I think so, it reads a file.",
        "FAULTS: none",
        "Let me see.\nAPPROVED",
        "The function reads the file line by line and returns the sum.",
        "LGTM",
        "```\n- faults\n1. x\n```",
    };
    static const char *const faulty[] = {
        "FAULTS:\n- no check of zero",
        "FAULTS",
        "**Faults:** it divides by zero",
        "- It never ends\n- wrong name",
        "Some remarks:\n1. off by one\n2. leak",
        "The code is not correct.",
        "Not approved: it fails",
        "This is incorrect.",
        "FAULTS\nno bounds are checked",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(approved); i++) {
        assert_int_equal(meaning(CORE_STEP_REVIEW, approved[i]).outcome, CORE_OUTCOME_APPROVED);
    }
    for (size_t i = 0; i < COUNT_OF(faulty); i++) {
        assert_int_equal(meaning(CORE_STEP_REVIEW, faulty[i]).outcome, CORE_OUTCOME_FAULTS);
    }
    assert_int_equal(meaning(CORE_STEP_PLAN, "Action: time[]").outcome, CORE_OUTCOME_TEXT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_unknown_tools),
        cmocka_unit_test(test_calls_of_the_caller),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_reviews),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
