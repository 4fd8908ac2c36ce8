#include "format/orchestration.h"
#include "format/tools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct json_parser *parser;
    struct orchestration read;
    struct err err;
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    arena_init(&fixture->arena, 1024 * 1024);
    fixture->parser = json_parser_new(64 * 1024, 32);
    orchestration_init(&fixture->read);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    arena_clear(&fixture->arena);
    json_parser_free(fixture->parser);
    free(fixture);
    return 0;
}

static struct json_value parse(struct fixture *fixture, const char *text) {
    struct json_value value;
    assert_true(json_parse(fixture->parser, str_from(text), &value, NULL));
    return value;
}

static bool reads(struct fixture *fixture, const char *text) {
    err_clear(&fixture->err);
    return orchestration_read(parse(fixture, text), &fixture->read, &fixture->err);
}

static bool reads_tools(struct fixture *fixture, const char *text) {
    err_clear(&fixture->err);
    return tools_read(parse(fixture, text), &fixture->arena, &fixture->read.tools, &fixture->read.tool_count,
                      &fixture->err);
}

static void test_defaults(void **state) {
    struct fixture *fixture = *state;
    assert_true(reads(fixture, "{}"));
    assert_false(fixture->read.enabled);
    assert_true(reads(fixture, "{\"enabled\":true,\"workflow\":null,\"max_cost_usd\":null}"));
    assert_true(fixture->read.enabled && fixture->read.automatic);
    assert_int_equal(fixture->read.max_steps, 10);
    assert_true(fixture->read.max_cost_nano < 0);
}

static void test_what_is_given(void **state) {
    struct fixture *fixture = *state;
    assert_true(
        reads(fixture, "{\"enabled\":true,\"workflow\":\"Map_Reduce\",\"max_steps\":1000,\"max_cost_usd\":0.1}"));
    assert_false(fixture->read.automatic);
    assert_int_equal(fixture->read.kind, CORE_WORKFLOW_MAP_REDUCE);
    assert_int_equal(fixture->read.max_steps, 1000);
    assert_int_equal(fixture->read.max_cost_nano, 100000000);
    assert_true(reads(fixture, "{\"workflow\":\"auto\",\"max_cost_usd\":0}"));
    assert_true(fixture->read.automatic);
    assert_int_equal(fixture->read.max_cost_nano, 0);
    assert_true(reads(fixture, "{\"max_cost_usd\":1e-9}"));
    assert_int_equal(fixture->read.max_cost_nano, 1);
    assert_true(reads(fixture, "{\"max_cost_usd\":0.30000000000000004}")); /* 0.1 + 0.2 of doubles */
    assert_int_equal(fixture->read.max_cost_nano, 300000000);
    assert_true(reads(fixture, "{\"max_cost_usd\":1.9999999999}")); /* a cap is never rounded up */
    assert_int_equal(fixture->read.max_cost_nano, 1999999999);
}

static void test_refusals(void **state) {
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"[]", "orchestration"},
        {"\"research\"", "orchestration"},
        {"{\"enabled\":1}", "orchestration.enabled"},
        {"{\"workflow\":\"tree\"}", "orchestration.workflow"},
        {"{\"workflow\":7}", "orchestration.workflow"},
        {"{\"max_steps\":0}", "orchestration.max_steps"},
        {"{\"max_steps\":1001}", "orchestration.max_steps"},
        {"{\"max_steps\":2.5}", "orchestration.max_steps"},
        {"{\"max_steps\":\"3\"}", "orchestration.max_steps"},
        {"{\"max_cost_usd\":-0.01}", "orchestration.max_cost_usd"},
        {"{\"max_cost_usd\":1e-10}", "orchestration.max_cost_usd"},
        {"{\"max_cost_usd\":1e300}", "orchestration.max_cost_usd"},
        {"{\"max_cost_usd\":\"1\"}", "orchestration.max_cost_usd"},
        {"{\"enabled\":false,\"steps\":3}", "orchestration.steps"},
        {"{\"\":3}", "orchestration."},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(reads(fixture, cases[i].text));
        assert_string_equal(fixture->err.field, cases[i].field);
        assert_int_equal(fixture->err.code, ERR_INVALID);
        assert_memory_equal(fixture->err.message, cases[i].field, strlen(cases[i].field));
    }
}

static void test_tools(void **state) {
    struct fixture *fixture = *state;
    assert_true(reads_tools(fixture,
                            "[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"description\":\"Now\","
                            "\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}}},"
                            "{\"type\":\"function\",\"function\":{\"name\":\"add\",\"parameters\":{\"properties\":"
                            "{\"a\":{},\"b\":{}}}}},{\"type\":\"function\",\"function\":{\"name\":\"ping\"}}]"));
    const struct orchestration_tool *tools = fixture->read.tools;
    assert_int_equal(fixture->read.tool_count, 3);
    assert_true(str_equal(tools[0].name, STR("get_weather")) && str_equal(tools[0].description, STR("Now")));
    assert_true(str_equal(tools[0].only, STR("city")) && str_equal(tools[0].parameters, STR("city")));
    assert_true(str_equal(tools[1].parameters, STR("a, b")) && tools[1].only.len == 0);
    assert_true(tools[2].parameters.len == 0 && tools[2].only.len == 0);
    assert_true(reads(fixture, "{\"enabled\":true}"));
    assert_int_equal(fixture->read.tool_count, 3);
    assert_true(reads_tools(fixture, "[]"));
    assert_int_equal(fixture->read.tool_count, 0);
}

static void test_tool_refusals(void **state) {
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"{}", "tools"},
        {"[7]", "tools[0]"},
        {"[{\"function\":{\"name\":\"a\"}}]", "tools[0].type"},
        {"[{\"type\":\"web\"}]", "tools[0].type"},
        {"[{\"type\":\"function\"}]", "tools[0].function"},
        {"[{\"type\":\"function\",\"function\":3}]", "tools[0].function"},
        {"[{\"type\":\"function\",\"function\":{}}]", "tools[0].function.name"},
        {"[{\"type\":\"function\",\"function\":{\"name\":\"\"}}]", "tools[0].function.name"},
        {"[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]", "tools[0].function.name"},
        {"[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"description\":1}}]", "tools[0].function.description"},
        {"[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":[]}}]", "tools[0].function.parameters"},
        {"[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":{\"properties\":1}}}]",
         "tools[0].function.parameters.properties"},
        {"[{\"type\":\"function\",\"function\":{\"name\":\"a\"}},{\"type\":\"function\",\"function\":{\"name\":\"A\"}}"
         "]",
         "tools[1].function.name"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(reads_tools(fixture, cases[i].text));
        assert_string_equal(fixture->err.field, cases[i].field);
    }
    struct buf many;
    buf_init(&many, 64 * 1024);
    for (int i = 0; i <= ORCHESTRATION_TOOLS_MAX; i++) {
        buf_append_format(&many, "%s{\"type\":\"function\",\"function\":{\"name\":\"t%d\"}}", i > 0 ? "," : "[", i);
    }
    buf_append_cstr(&many, "]");
    assert_false(reads_tools(fixture, buf_cstr(&many)));
    assert_string_equal(fixture->err.field, "tools");
    buf_reset(&many);
    buf_append_cstr(&many, "[{\"type\":\"function\",\"function\":{\"name\":\"long\",\"description\":\"");
    for (int i = 0; i < ORCHESTRATION_TOOL_BYTES; i++) {
        buf_append_cstr(&many, "x");
    }
    buf_append_cstr(&many, "\"}}]");
    assert_false(reads_tools(fixture, buf_cstr(&many)));
    assert_string_equal(fixture->err.field, "tools[0].function");
    buf_clear(&many);
}

static void test_stored_and_read_back(void **state) {
    struct fixture *fixture = *state;
    struct orchestration again;
    struct json_writer writer;
    struct buf text;
    assert_true(reads(fixture, "{\"enabled\":true,\"workflow\":\"code\",\"max_steps\":7,\"max_cost_usd\":1.5}"));
    assert_true(reads_tools(fixture,
                            "[{\"type\":\"function\",\"function\":{\"name\":\"go\",\"description\":\"say \\\"x\\\"\","
                            "\"parameters\":{\"properties\":{\"where\":{}}}}}]"));
    buf_init(&text, 64 * 1024);
    json_writer_init(&writer, &text);
    orchestration_write(&fixture->read, &writer);
    assert_true(orchestration_read_stored(parse(fixture, buf_cstr(&text)), &fixture->arena, &again, &fixture->err));
    assert_true(again.enabled && !again.automatic);
    assert_int_equal(again.kind, CORE_WORKFLOW_CODE);
    assert_int_equal(again.max_steps, 7);
    assert_int_equal(again.max_cost_nano, 1500000000);
    assert_int_equal(again.tool_count, 1);
    assert_true(str_equal(again.tools[0].description, STR("say \"x\"")) &&
                str_equal(again.tools[0].only, STR("where")));
    buf_clear(&text);
    assert_false(
        orchestration_read_stored(parse(fixture, "{\"enabled\":true}"), &fixture->arena, &again, &fixture->err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_given, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tools, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tool_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stored_and_read_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
