/* Tools and formats of answers, as bodies of chats ask for them. */
#include "call/tools.h"
#include "support/gbnf_match.h"
#include "support/request_reader.h"

#define PARAMETERS "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}"
#define WEATHER                                                                                                        \
    "{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"d\",\"parameters\":" PARAMETERS "}}"
#define NOW "{\"type\":\"function\",\"function\":{\"name\":\"now\"}}"
#define TOOLS "\"tools\":[" WEATHER "," NOW "]"
#define CALL "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>"
#define CALL_NOW "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>"

static const struct call_input *read_members(struct request_reader *reader, const char *members) {
    if (!reader_read_members(reader, members)) {
        fail_msg("%s: %s", members, reader->err.message);
    }
    return &reader->input;
}

static void test_tools_that_may_be_called(void **state) {
    static const char *const members[] = {
        TOOLS, TOOLS ",\"tool_choice\":\"auto\"", TOOLS ",\"tool_choice\":null",
        "\"functions\":[{\"name\":\"weather\",\"description\":\"d\",\"parameters\":" PARAMETERS
        "},{\"name\":\"now\"}]"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct call_input *input = read_members(*state, members[i]);
        assert_non_null(input->tools);
        assert_int_equal(input->tools->count, 2);
        assert_str_equal(input->tools->items[0].name, "weather");
        assert_str_equal(input->tools->items[0].description, "d");
        assert_str_equal(input->tools->items[0].parameters, PARAMETERS);
        assert_str_equal(input->tools->items[1].parameters, "");
        assert_str_equal(input->tools->names.items[1], "now");
        assert_false(input->tools->one_call);
        assert_int_equal(input->request.grammar.len, 0);
    }
    assert_true(read_members(*state, TOOLS ",\"parallel_tool_calls\":false")->tools->one_call);
}

static void test_tools_that_are_not_used(void **state) {
    static const char *const members[] = {TOOLS ",\"tool_choice\":\"none\"", "\"tools\":[]", "\"tools\":null",
                                          "\"tools\":[],\"tool_choice\":\"auto\"", "\"tool_choice\":\"none\""};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        assert_null(read_members(*state, members[i])->tools);
    }
}

static void test_calls_that_must_come(void **state) {
    struct str grammar = read_members(*state, TOOLS ",\"tool_choice\":\"required\"")->request.grammar;
    assert_true(gbnf_matches(grammar, STR(CALL)));
    assert_true(gbnf_matches(grammar, STR(CALL "\n" CALL_NOW)));
    assert_false(gbnf_matches(grammar, STR("Hello")));
    grammar =
        read_members(*state, TOOLS ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false")->request.grammar;
    assert_true(gbnf_matches(grammar, STR(CALL_NOW)));
    assert_false(gbnf_matches(grammar, STR(CALL "\n" CALL_NOW)));
    static const char *const named[] = {
        TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}",
        TOOLS ",\"function_call\":{\"name\":\"weather\"}",
    };
    for (size_t i = 0; i < COUNT_OF(named); i++) {
        const struct call_input *input = read_members(*state, named[i]);
        assert_true(gbnf_matches(input->request.grammar, STR(CALL)));
        assert_false(gbnf_matches(input->request.grammar, STR(CALL_NOW)));
        assert_true(input->tools->one_call);
    }
}

static void test_formats(void **state) {
    assert_int_equal(read_members(*state, "\"response_format\":{\"type\":\"text\"}")->request.grammar.len, 0);
    struct str grammar = read_members(*state, "\"response_format\":{\"type\":\"json_object\"}")->request.grammar;
    assert_true(gbnf_matches(grammar, STR("{\"a\": [1]}")));
    assert_false(gbnf_matches(grammar, STR("[1]")));
    grammar =
        read_members(*state, "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"strict\":"
                             "true,\"schema\":" PARAMETERS "}}")
            ->request.grammar;
    assert_true(gbnf_matches(grammar, STR("{\"city\": \"Rome\"}")));
    assert_false(gbnf_matches(grammar, STR("{}")));
    /* beside tools both may come */
    grammar = read_members(*state, TOOLS ",\"response_format\":{\"type\":\"json_object\"}")->request.grammar;
    assert_true(gbnf_matches(grammar, STR("{\"a\": 1}")) && gbnf_matches(grammar, STR(CALL)));
    assert_false(gbnf_matches(grammar, STR("Hello")));
}

static void test_what_is_refused(void **state) {
    static const struct refusal refusals[] = {
        {"\"tools\":{}", "tools", NULL},
        {"\"tools\":[7]", "tools[0]", NULL},
        {"\"tools\":[{\"type\":\"web_search\"}]", "tools[0].type", "function"},
        {"\"tools\":[{\"type\":\"function\"}]", "tools[0].function", "required"},
        {"\"tools\":[{\"type\":\"function\",\"function\":{}}]", "tools[0].function.name", "required"},
        {"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]", "tools[0].function.name", NULL},
        {"\"tools\":[" NOW "," NOW "]", "tools[1].function.name", "tools[0]"},
        {"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":[]}}]",
         "tools[0].function.parameters", NULL},
        {"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"strict\":1}}]", "tools[0].function.strict",
         NULL},
        {"\"functions\":[{}]", "functions[0].name", NULL},
        {TOOLS ",\"functions\":[{\"name\":\"b\"}]", "functions", NULL},
        {TOOLS ",\"tool_choice\":\"some\"", "tool_choice", NULL},
        {TOOLS ",\"tool_choice\":7", "tool_choice", NULL},
        {TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"rm\"}}", "tool_choice",
         "not in tools"},
        {TOOLS ",\"parallel_tool_calls\":\"no\"", "parallel_tool_calls", NULL},
        {"\"tool_choice\":\"required\"", "tool_choice", "no tools"},
        {"\"response_format\":\"json\"", "response_format", NULL},
        {"\"response_format\":{}", "response_format.type", NULL},
        {"\"response_format\":{\"type\":\"xml\"}", "response_format.type", NULL},
        {"\"response_format\":{\"type\":\"json_schema\"}", "response_format.json_schema", NULL},
        {"\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{}}", "response_format.json_schema.schema",
         NULL},
        {"\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"x\"}}}",
         "response_format.json_schema.schema.type", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct request_reader *reader = *state;
        assert_refused(reader, reader_read_members(reader, refusals[i].text), &refusals[i]);
    }
}

/* What a grammar cannot say: an error where it was to be kept to, else more is allowed. */
static void test_strictness(void **state) {
    struct request_reader *reader = *state;
    assert_false(reader_read_members(reader,
                                     "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"strict\":true,"
                                     "\"schema\":{\"items\":{},\"uniqueItems\":true}}}"));
    assert_int_equal(reader->err.code, ERR_UNSUPPORTED);
    assert_string_equal(reader->err.field, "response_format.json_schema.schema.uniqueItems");
    assert_false(reader_read_members(reader,
                                     "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"strict\":true,"
                                     "\"parameters\":{\"properties\":{\"x\":{\"not\":{}}}}}}]"));
    assert_string_equal(reader->err.field, "tools[0].function.parameters.properties.x.not");
    assert_true(reader_read_members(reader,
                                    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":{"
                                    "\"properties\":{\"x\":{\"not\":{}}}}}}]"));
    const struct call_input *input = read_members(reader, "\"response_format\":{\"type\":\"json_schema\",\"json_"
                                                          "schema\":{\"schema\":{\"items\":{},\"uniqueItems\":true}}}");
    assert_true(gbnf_matches(input->request.grammar, STR("[1, 1]")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools_that_may_be_called), cmocka_unit_test(test_tools_that_are_not_used),
        cmocka_unit_test(test_calls_that_must_come),     cmocka_unit_test(test_formats),
        cmocka_unit_test(test_what_is_refused),          cmocka_unit_test(test_strictness),
    };
    return cmocka_run_group_tests(tests, reader_setup, reader_teardown);
}
