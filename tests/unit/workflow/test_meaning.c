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
    static const struct gen_message question = {GEN_ROLE_USER, STR("Tell me."), STR(""), NULL, 0};
    static const struct gen_request request = {.messages = &question, .message_count = 1};
    const struct workflow_scene scene = {.request = &request, .asked = &asked, .workflow = &workflow};
    step.name = name;
    return workflow_step_meaning(&scene, 0, str_from(output));
}

#define assert_text(value, expected)                                                                                   \
    do {                                                                                                               \
        char text_[256];                                                                                               \
        (void)str_copy(text_, sizeof(text_), (value));                                                                 \
        assert_string_equal(text_, (expected));                                                                        \
    } while (0)

static void assert_action(const char *output, const char *name, const char *argument) {
    const struct workflow_meaning found = meaning(CORE_STEP_THINK, output);
    if (found.outcome != CORE_OUTCOME_ACTION || found.unknown_tool) {
        print_message("%s\n", output);
    }
    assert_int_equal(found.outcome, CORE_OUTCOME_ACTION);
    assert_false(found.unknown_tool);
    assert_text(found.tool_name, name);
    assert_text(found.argument, argument);
}

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
        assert_action(cases[i].output, cases[i].name, cases[i].argument);
    }
    assert_int_equal(meaning(CORE_STEP_THINK, "Action: search[x]").tool, WORKFLOW_TOOL_SEARCH);
    assert_int_equal(meaning(CORE_STEP_THINK, "Action: Current_Time[]").tool, WORKFLOW_TOOL_TIME);
}

static void test_actions_in_the_shapes_of_models(void **state) {
    static const struct {
        const char *output, *name, *argument;
    } cases[] = {
        {"Action：calculator［6*7］", "calculator", "6*7"},
        {"行动：计算器【6*7】", "计算器", "6*7"},
        {"行動：calculator（6*7）", "calculator", "6*7"},
        {"Действие: calculator[6*7]", "calculator", "6*7"},
        {"Acción: calculator[6*7]", "calculator", "6*7"},
        {"Thought: I need it. Action: calculator[6*7]", "calculator", "6*7"},
        {"I need it. Action: calculator[6*7]. Then I know.", "calculator", "6*7"},
        {"思考：需要计算。行动：calculator[6*7]", "calculator", "6*7"},
        {"Action: calculator[“6*7”]", "calculator", "6*7"},
        {"Action: calculator[«6*7»]", "calculator", "6*7"},
        {"Action: `calculator`\nAction Input: `6*7`", "calculator", "6*7"},
        {"行动：calculator\n行动输入：6*7", "calculator", "6*7"},
        {"Aktion: calculator\nEingabe: 6*7", "calculator", "6*7"},
        {"Action: {\"name\": \"calculator\", \"arguments\": {\"expression\": \"6*7\"}}", "calculator", "6*7"},
        {"Action: {\"tool\": \"calculator\", \"tool_input\": \"6*7\"}", "calculator", "6*7"},
        {"Action:\n```json\n{\"action\": \"calculator\", \"action_input\": \"6*7\"}\n```", "calculator", "6*7"},
        {"Action: {'name': 'calculator', 'arguments': {'expression': '6*7'}}", "calculator", "6*7"},
        {"Action: {“name”: “calculator”, “arguments”: {“expression”: “6*7”}}", "calculator", "6*7"},
        {"Action: {name: calculator, arguments: {expression: 6*7}}", "calculator", "6*7"},
        {"Action: {\"calculator\": \"6*7\"}", "calculator", "6*7"},
        {"{\"name\": \"calculator\", \"arguments\": {\"expression\": \"6*7\"}}", "calculator", "6*7"},
        {"```json\n{\n  \"name\": \"calculator\",\n  \"arguments\": {\n    \"expression\": \"6*7\"\n  }\n}\n```",
         "calculator", "6*7"},
        {"I use it:\n```json\n{\"name\": \"calculator\", \"arguments\": {\"expression\": \"6*7\"}}\n```", "calculator",
         "6*7"},
        {"<tool_call>\n{\"name\": \"calculator\", \"arguments\": {\"expression\": \"6*7\"}}\n</tool_call>",
         "calculator", "6*7"},
        {"[TOOL_CALLS] [{\"name\": \"calculator\", \"arguments\": {\"expression\": \"6*7\"}}]", "calculator", "6*7"},
        {"<function=calculator>{\"expression\": \"6*7\"}</function>", "calculator", "6*7"},
        {"{\"function\": {\"name\": \"calculator\", \"arguments\": \"{\\\"expression\\\": \\\"6*7\\\"}\"}}",
         "calculator", "{\\\"expression\\\": \\\"6*7\\\"}"},
        {"<action>calculator[6*7]</action>", "calculator", "6*7"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_action(cases[i].output, cases[i].name, cases[i].argument);
    }
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
        {"Action: add[1, 2]", "{\"a\":1,\"b\":2}"},
        {"Action: add[]", "{}"},
        {"Action: get_weather[München]", "{\"city\":\"München\"}"},
        {"Action: get_weather[“München”]", "{\"city\":\"München\"}"},
        {"Action: get_weather[city=München]", "{\"city\":\"München\"}"},
        {"Action: get_weather[city: München]", "{\"city\":\"München\"}"},
        {"Action: get_weather[city：东京]", "{\"city\":\"东京\"}"},
        {"Action: get_weather[{'city': 'München'}]", "{\"city\":\"München\"}"},
        {"Action: get_weather[{“city”: “München”}]", "{\"city\":\"München\"}"},
        {"Action: get_weather[{city: \"München\",}]", "{\"city\":\"München\"}"},
        {"Action: get_weather{\"city\":\"München\"}", "{\"city\":\"München\"}"},
        {"Action: get_weather\nAction Input: {\"city\": \"München\"}", "{\"city\":\"München\"}"},
        {"Action: get_weather[L'Aquila]", "{\"city\":\"L'Aquila\"}"},
        {"{\"name\": \"get_weather\", \"arguments\": {\"city\": \"M\\u00fcnchen\"}}", "{\"city\":\"München\"}"},
        {"{\"function\": {\"name\": \"get_weather\", \"arguments\": \"{\\\"city\\\": \\\"Oslo\\\"}\"}}",
         "{\"city\":\"Oslo\"}"},
        {"get_weather(city=\"Oslo\")", "{\"city\":\"Oslo\"}"},
        {"Action: add(a=1, b=\"x, y\")", "{\"a\":1,\"b\":\"x, y\"}"},
        {"Action: add[{'a': [1, 2.5, 'x'], 'b': None}]", "{\"a\":[1,2.5,\"x\"],\"b\":null}"},
        {"Action: add(\"x\", true)", "{\"a\":\"x\",\"b\":true}"},
        {"Action: add[007, 1]", "{\"a\":\"007\",\"b\":1}"},
        {"Action: get_weather[{broken]", "{\"city\":\"{broken\"}"},
    };
    (void)state;
    struct json_parser *parser = json_parser_new(64 * 1024, 32);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct workflow_meaning found = meaning(CORE_STEP_THINK, cases[i].output);
        struct buf out;
        buf_init(&out, 4096);
        if (found.outcome != CORE_OUTCOME_CALL) {
            print_message("%s\n", cases[i].output);
        }
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
        {"Answer：四十二", "四十二"},
        {"答案：四十二", "四十二"},
        {"最终答案：42", "42"},
        {"Réponse : c'est 42", "c'est 42"},
        {"Antwort: 42", "42"},
        {"ОТВЕТ: 42", "42"},
        {"답변: 42", "42"},
        {"回答：42", "42"},
        {"الإجابة: 42", "42"},
        {"उत्तर: 42", "42"},
        {"Câu trả lời: 42", "42"},
        {"<answer>42</answer>", "42"},
        {"Thought: easy. Answer: 42", "42"},
        {"{\"time\": \"10:00\"}", "{\"time\": \"10:00\"}"},
        {"{\"name\": \"Time\", \"age\": 3}", "{\"name\": \"Time\", \"age\": 3}"},
        {"Use it so:\ntime()\n", "Use it so:\ntime()"},
        {"It needs no action: it is done.", "It needs no action: it is done."},
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
        assert_int_equal(found.outcome, cases[i].answer[0] != '\0' ? CORE_OUTCOME_ANSWER : CORE_OUTCOME_ECHO);
        assert_text(found.text, cases[i].answer);
        assert_text(workflow_answer_text(CORE_STEP_THINK, str_from(cases[i].output)), cases[i].answer);
    }
    assert_text(workflow_answer_text(CORE_STEP_THINK, STR("Thought: it is big.\nAction: time[]")), "it is big.");
    assert_text(workflow_answer_text(CORE_STEP_WRITE, STR("Final answer: Yes.\n")), "Yes.");
    assert_text(workflow_answer_text(CORE_STEP_IMPLEMENT, STR("```\nx\n```\n")), "```\nx\n```");
}

static void test_reviews(void **state) {
    (void)state;
    assert_int_equal(meaning(CORE_STEP_REVIEW, "APPROVED").outcome, CORE_OUTCOME_APPROVED);
    assert_int_equal(meaning(CORE_STEP_REVIEW, "FAULTS: it never ends").outcome, CORE_OUTCOME_FAULTS);
    assert_int_equal(meaning(CORE_STEP_PLAN, "Action: time[]").outcome, CORE_OUTCOME_TEXT);
}

/* Each of these took minutes, or would, if what is read of it had no bound. */
static void test_hostile_outputs_end(void **state) {
    static const char *const parts[] = {
        "Action: {\n", "a:\n",        "\"", "“",           "Action: calculator[", "{\n",
        "x. Action: ", "{\"a\":{",    "`",  "</a>",        "approved ",           "答案：\n",
        "1. ",         "Answer: a\n", "['", "<tool_call>", "Action Input:\n"};
    enum { HOSTILE_BYTES = 1024 * 1024 };
    char *text = malloc(HOSTILE_BYTES);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        for (size_t at = 0; at < HOSTILE_BYTES; at++) {
            text[at] = parts[i][at % strlen(parts[i])];
        }
        static struct core_step step;
        static struct core_workflow workflow = {.steps = &step, .step_count = 1};
        static const struct orchestration asked = {.tools = caller_tools, .tool_count = 2};
        static const struct gen_message question = {GEN_ROLE_USER, STR("Tell me."), STR(""), NULL, 0};
        static const struct gen_request request = {.messages = &question, .message_count = 1};
        const struct workflow_scene scene = {.request = &request, .asked = &asked, .workflow = &workflow};
        const struct str output = {text, HOSTILE_BYTES};
        step.name = CORE_STEP_THINK;
        assert_int_not_equal(workflow_step_meaning(&scene, 0, output).outcome, CORE_OUTCOME_TEXT);
        step.name = CORE_STEP_REVIEW;
        assert_int_equal(workflow_step_meaning(&scene, 0, output).outcome, CORE_OUTCOME_FAULTS);
    }
    free(text);
}

/* A call whose value is nothing but openings: each of them might be looked for an end, to the end of the text. */
static void test_values_of_nothing_but_brackets_end(void **state) {
    (void)state;
    static const char *const beginnings[] = {
        "{\"tool\":\"calculator\",\"arguments\":", "{\"name\":", "Action: calculator",
        "<tool_call>{\"name\":\"calculator\",\"arguments\":{\"a\":"};
    static const char *const parts[] = {"[", "{", "(", "[{(", "{\"a\":[", "[\"", "\u300c[", "({,", "'[", "{a:"};
    enum { BYTES = 20000, TIMES = 10 };
    char *text = malloc(BYTES + 1);
    assert_non_null(text);
    for (size_t i = 0; i < COUNT_OF(beginnings) * COUNT_OF(parts); i++) {
        const char *beginning = beginnings[i / COUNT_OF(parts)], *part = parts[i % COUNT_OF(parts)];
        const size_t length = strlen(beginning), repeated = strlen(part);
        memcpy(text, beginning, length);
        for (size_t at = length; at < BYTES; at++) {
            text[at] = part[(at - length) % repeated];
        }
        text[BYTES] = '\0';
        for (int again = 0; again < TIMES; again++) {
            (void)meaning(CORE_STEP_THINK, text);
        }
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_actions_in_the_shapes_of_models),
        cmocka_unit_test(test_unknown_tools),
        cmocka_unit_test(test_calls_of_the_caller),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_reviews),
        cmocka_unit_test(test_hostile_outputs_end),
        cmocka_unit_test(test_values_of_nothing_but_brackets_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
