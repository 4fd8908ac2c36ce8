/* Bodies of POST /v1/messages: what they become, and what is refused, with its place. */
#include "format/anthropic.h"

#include "call/tools.h"
#include "support/gbnf_match.h"
#include "support/request_reader.h"

#define SCHEMA "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}"
#define WEATHER "{\"name\":\"weather\",\"description\":\"d\",\"input_schema\":" SCHEMA "}"
#define NOW "{\"type\":\"custom\",\"name\":\"now\",\"input_schema\":{\"type\":\"object\"}}"
#define TOOLS "\"tools\":[" WEATHER "," NOW "]"
#define CALL "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>"

static bool body_read(struct request_reader *reader, const char *text, bool counted) {
    struct json_value body;
    arena_clear(&reader->arena);
    err_clear(&reader->err);
    if (!json_parse(reader->parser, str_from(text), &body, &reader->err)) {
        fail_msg("%s: %s", text, reader->err.message);
    }
    return counted ? anthropic_read_counted(body, &reader->arena, &reader->input, &reader->err)
                   : FORMAT_MESSAGES.read(body, &reader->arena, &reader->input, &reader->err);
}

static bool members_read(struct request_reader *reader, const char *members) {
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_format(&text,
                      "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s%s}",
                      members[0] != '\0' ? "," : "", members);
    const bool read = body_read(reader, buf_cstr(&text), false);
    buf_clear(&text);
    return read;
}

static const struct call_input *good(struct request_reader *reader, const char *members) {
    if (!members_read(reader, members)) {
        fail_msg("%s: %s", members, reader->err.message);
    }
    return &reader->input;
}

static bool messages_read(struct request_reader *reader, const char *messages) {
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_format(&text, "{\"model\":\"m\",\"max_tokens\":9,\"messages\":%s}", messages);
    const bool read = body_read(reader, buf_cstr(&text), false);
    buf_clear(&text);
    return read;
}

/* --- Fields --- */

static void test_fields(void **state) {
    const struct gen_request *request = &good(*state, "")->request;
    assert_str_equal(request->model, "m");
    assert_int_equal(request->max_tokens, 9);
    assert_false(request->max_tokens_given); /* the most that may come; the context may end it before */
    assert_true(request->temperature > 0.999 && request->temperature < 1.001);
    assert_int_equal(request->message_count, 1);
    assert_str_equal(request->messages[0].content, "hi");
    const struct call_input *input = good(*state, "\"stream\":true,\"temperature\":0.25,\"top_p\":0.5,\"top_k\":7,"
                                                  "\"stop_sequences\":[\"a\",\"\",\"b\"]");
    assert_true(input->stream && input->request.stream);
    assert_true(input->request.temperature > 0.249 && input->request.temperature < 0.251);
    assert_true(input->request.top_p > 0.499 && input->request.top_p < 0.501);
    assert_int_equal(input->request.top_k, 7);
    assert_int_equal(input->request.stop_count, 2);
    assert_str_equal(input->request.stop[1], "b");
}

static void test_what_changes_nothing(void **state) {
    static const struct {
        const char *members, *ignored;
    } cases[] = {
        {"\"metadata\":{\"user_id\":\"u\"},\"cache_control\":{\"type\":\"ephemeral\"},\"stop_sequences\":[]", ""},
        {"\"thinking\":{\"type\":\"disabled\"},\"system\":null,\"tools\":null,\"n\":null", ""},
        {"\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}", "\"ignored\":[\"thinking\"]"},
        {"\"thinking\":{\"type\":\"adaptive\"},\"context_management\":{\"edits\":[]},\"service_tier\":\"auto\"",
         "\"ignored\":[\"thinking\",\"context_management\",\"service_tier\"]"},
        {"\"output_config\":{\"effort\":\"high\"}", "\"ignored\":[\"output_config.effort\"]"},
        {"\"endpoint\":\"/v1/messages\",\"type\":\"messages\"", ""}, /* of a job */
        {"\"tools\":[{\"name\":\"a\",\"input_schema\":{},\"defer_loading\":true,\"cache_control\":{\"type\":\"x\"}}]",
         "\"ignored\":[\"tools[].defer_loading\"]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_str_equal(good(*state, cases[i].members)->ignored, cases[i].ignored);
    }
}

static void test_fields_that_are_refused(void **state) {
    static const struct refusal cases[] = {
        {"\"temperature\":1.5", "temperature", "between 0 and 1"},
        {"\"temperature\":\"1\"", "temperature", NULL},
        {"\"top_p\":2", "top_p", NULL},
        {"\"top_k\":-1", "top_k", NULL},
        {"\"stream\":1", "stream", NULL},
        {"\"stop_sequences\":\"a\"", "stop_sequences", NULL},
        {"\"stop_sequences\":[\"a\",1]", "stop_sequences[1]", NULL},
        {"\"metadata\":1", "metadata", NULL},
        {"\"metadata\":{\"user_id\":1}", "metadata.user_id", NULL},
        {"\"thinking\":true", "thinking", NULL},
        {"\"thinking\":{}", "thinking.type", NULL},
        {"\"output_config\":1", "output_config", NULL},
        {"\"output_config\":{\"format\":{\"type\":\"text\"}}", "output_config.format.type", NULL},
        {"\"output_config\":{\"format\":{\"type\":\"json_schema\"}}", "output_config.format.schema", NULL},
        {"\"output_format\":1", "output_format", NULL},
        /* Fields of other forms. */
        {"\"stop\":\"a\"", "stop", "Use stop_sequences."},
        {"\"n\":2", "n", NULL},
        {"\"thread\":{\"type\":\"create\"}", "thread", "Use the whole conversation in messages."},
        {"\"seed\":1", "seed", NULL},
        {"\"response_format\":{\"type\":\"json_object\"}", "response_format", "Use output_config.format."},
        {"\"parallel_tool_calls\":true", "parallel_tool_calls", "tool_choice.disable_parallel_tool_use"},
        {"\"conversation_id\":\"conv_1\"", "conversation_id", NULL},
        {"\"guided_json\":{\"a\":1}", "guided_json", NULL},
        {"\"mcp_servers\":[{\"type\":\"url\"}]", "mcp_servers", NULL},
        {"\"maxTokens\":3", "maxTokens", "Use max_tokens."},
        {"\"StopSequences\":[\"a\"]", "StopSequences", "Use stop_sequences."},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(*state, members_read(*state, cases[i].text), &cases[i]);
    }
}

static void test_bodies_that_are_refused(void **state) {
    static const struct refusal cases[] = {
        {"[]", "", "must be a JSON object"},
        {"{}", "model", NULL},
        {"{\"model\":\"m\"}", "max_tokens", NULL},
        {"{\"model\":\"m\",\"max_tokens\":0}", "max_tokens", NULL},
        {"{\"model\":\"m\",\"max_tokens\":1}", "messages", NULL},
        {"{\"model\":\"m\",\"max_tokens\":1,\"messages\":{}}", "messages", NULL},
        {"{\"model\":\"m\",\"max_tokens\":1,\"messages\":[]}", "messages", NULL},
        {"{\"model\":\"m\",\"max_tokens\":1,\"messages\":[1]}", "messages[0]", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(*state, body_read(*state, cases[i].text, false), &cases[i]);
    }
    assert_true(body_read(*state, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", true));
    assert_false(body_read(*state, "{\"model\":\"m\",\"messages\":[]}", true));
}

/* --- System and messages --- */

static void test_system(void **state) {
    static const struct {
        const char *members, *text;
    } cases[] = {
        {"\"system\":\"Be brief.\"", "Be brief."},
        {"\"system\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\"}},"
         "{\"type\":\"text\",\"text\":\"b\\n\"},{\"type\":\"text\",\"text\":\"c\"}]",
         "a\nb\nc"},
        {"\"system\":[{\"type\":\"text\",\"text\":\"x-anthropic-billing-header: cc_version=1; cch=2;\"},"
         "{\"type\":\"text\",\"text\":\"b\"}]",
         "b"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct gen_request *request = &good(*state, cases[i].members)->request;
        assert_int_equal(request->message_count, 2);
        assert_int_equal(request->messages[0].role, GEN_ROLE_SYSTEM);
        assert_str_equal(request->messages[0].content, cases[i].text);
    }
    assert_int_equal(good(*state, "\"system\":\"\"")->request.message_count, 1);
    assert_int_equal(good(*state, "\"system\":[]")->request.message_count, 1);
    static const struct refusal refused[] = {
        {"\"system\":1", "system", NULL},
        {"\"system\":[1]", "system[0]", NULL},
        {"\"system\":[{\"text\":\"a\"}]", "system[0].type", NULL},
        {"\"system\":[{\"type\":\"image\"}]", "system[0].type", "blocks of type image"},
        {"\"system\":[{\"type\":\"text\",\"text\":1}]", "system[0].text", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_refused(*state, members_read(*state, refused[i].text), &refused[i]);
    }
}

/* A turn of an agent: thoughts are left out, results are turns of their own, before what the user says. */
static void test_turns(void **state) {
    static const char body[] =
        "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"h\",\"signature\":\"s\"},"
        "{\"type\":\"redacted_thinking\",\"data\":\"x\"},{\"type\":\"text\",\"text\":\"c\"},"
        "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"weather\",\"input\":{\"city\":\"Köln\"}},"
        "{\"type\":\"tool_use\",\"id\":\"toolu_2\",\"name\":\"now\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\",\"content\":["
        "{\"type\":\"text\",\"text\":\"21\"},{\"type\":\"text\",\"text\":\"degrees\"}]},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_2\",\"content\":\"no clock\",\"is_error\":true},"
        "{\"type\":\"text\",\"text\":\"go on\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"now\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"first\"},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"t\"}]}]";
    static const struct {
        enum gen_role role;
        const char *content, *id;
        size_t calls;
    } turns[] = {
        {GEN_ROLE_USER, "a\nb", "", 0},
        {GEN_ROLE_ASSISTANT, "c", "", 2},
        {GEN_ROLE_TOOL, "21\ndegrees", "toolu_1", 0},
        {GEN_ROLE_TOOL, "Error: no clock", "toolu_2", 0},
        {GEN_ROLE_USER, "go on", "", 0},
        {GEN_ROLE_ASSISTANT, "", "", 1},
        {GEN_ROLE_USER, "first", "", 0},
        {GEN_ROLE_TOOL, "", "t", 0},
    };
    struct request_reader *reader = *state;
    assert_true(messages_read(reader, body));
    const struct gen_request *request = &reader->input.request;
    assert_int_equal(request->message_count, COUNT_OF(turns));
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        assert_int_equal(request->messages[i].role, turns[i].role);
        assert_str_equal(request->messages[i].content, turns[i].content);
        assert_str_equal(request->messages[i].tool_call_id, turns[i].id);
        assert_int_equal(request->messages[i].tool_call_count, turns[i].calls);
    }
    assert_str_equal(request->messages[1].tool_calls[0].id, "toolu_1");
    assert_str_equal(request->messages[1].tool_calls[0].name, "weather");
    assert_str_equal(request->messages[1].tool_calls[0].arguments, "{\"city\":\"Köln\"}");
    assert_str_equal(request->messages[1].tool_calls[1].arguments, "{}");
}

#define USER(blocks) "[{\"role\":\"user\",\"content\":[" blocks "]}]"
#define ASSISTANT(blocks) "[{\"role\":\"assistant\",\"content\":[" blocks "]},{\"role\":\"user\",\"content\":\"a\"}]"

static void test_messages_that_are_refused(void **state) {
    static const struct refusal cases[] = {
        {"[{}]", "messages[0].role", NULL},
        {"[{\"role\":\"tool\"}]", "messages[0].role", "must be user or assistant"},
        {"[{\"role\":\"user\"}]", "messages[0].content", NULL},
        {"[{\"role\":\"user\",\"content\":1}]", "messages[0].content", NULL},
        {"[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":[1]}]", "messages[1].content[0]", NULL},
        {USER("{}"), "messages[0].content[0].type", NULL},
        {USER("{\"type\":\"text\"}"), "messages[0].content[0].text", NULL},
        {USER("{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\",\"source\":{}}"), "messages[0].content[1].type",
         "blocks of type image are not supported yet"},
        {USER("{\"type\":\"document\"}"), "messages[0].content[0].type", "type document"},
        {USER("{\"type\":\"secret words\"}"), "messages[0].content[0].type", "must be \"text\" or \"tool_result\""},
        {USER("{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"b\",\"input\":{}}"), "messages[0].content[0].type", NULL},
        {USER("{\"type\":\"thinking\",\"thinking\":\"a\"}"), "messages[0].content[0].type", NULL},
        {USER("{\"type\":\"tool_result\"}"), "messages[0].content[0].tool_use_id", NULL},
        {USER("{\"type\":\"tool_result\",\"tool_use_id\":\"\"}"), "messages[0].content[0].tool_use_id", NULL},
        {USER("{\"type\":\"tool_result\",\"tool_use_id\":\"a\",\"is_error\":1}"), "messages[0].content[0].is_error",
         NULL},
        {USER("{\"type\":\"tool_result\",\"tool_use_id\":\"a\",\"content\":1}"), "messages[0].content[0].content",
         NULL},
        {USER("{\"type\":\"tool_result\",\"tool_use_id\":\"a\",\"content\":[{\"type\":\"image\"}]}"),
         "messages[0].content[0].content[0].type", "type image"},
        {ASSISTANT("{\"type\":\"tool_use\",\"name\":\"b\",\"input\":{}}"), "messages[0].content[0].id", NULL},
        {ASSISTANT("{\"type\":\"tool_use\",\"id\":\"b\",\"input\":{}}"), "messages[0].content[0].name", NULL},
        {ASSISTANT("{\"type\":\"tool_use\",\"id\":\"b\",\"name\":\"b\"}"), "messages[0].content[0].input", NULL},
        {ASSISTANT("{\"type\":\"tool_use\",\"id\":\"b\",\"name\":\"b\",\"input\":\"{}\"}"),
         "messages[0].content[0].input", NULL},
        {ASSISTANT("{\"type\":\"tool_result\",\"tool_use_id\":\"a\"}"), "messages[0].content[0].type", NULL},
    };
    static const char prefill[] = "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"{\"}]";
    struct request_reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(reader, messages_read(reader, cases[i].text), &cases[i]);
    }
    assert_false(messages_read(reader, prefill));
    assert_string_equal(reader->err.field, "messages");
    assert_non_null(strstr(reader->err.message, "prefill"));
}

/* As many turns as a device may get, and no more, whatever they are made of. */
static void test_too_many(void **state) {
    struct request_reader *reader = *state;
    struct buf text;
    buf_init(&text, 4 << 20);
    for (int message = 0; message < 10; message++) {
        buf_append_cstr(&text, message == 0 ? "[" : ",");
        for (int block = 0; block < LIMIT_CONTENT_PARTS; block++) {
            buf_append_cstr(&text, block == 0 ? "{\"role\":\"user\",\"content\":[" : ",");
            buf_append_cstr(&text, "{\"type\":\"tool_result\",\"tool_use_id\":\"a\"}");
        }
        buf_append_cstr(&text, "]}");
    }
    buf_append_cstr(&text, "]");
    assert_false(messages_read(reader, buf_cstr(&text)));
    assert_string_equal(reader->err.field, "messages");
    buf_reset(&text);
    for (int block = 0; block <= LIMIT_CONTENT_PARTS; block++) {
        buf_append_cstr(&text, block == 0 ? "[{\"role\":\"user\",\"content\":[" : ",");
        buf_append_cstr(&text, "{\"type\":\"text\",\"text\":\"a\"}");
    }
    buf_append_cstr(&text, "]}]");
    assert_false(messages_read(reader, buf_cstr(&text)));
    assert_string_equal(reader->err.field, "messages[0].content");
    buf_clear(&text);
}

/* --- Tools --- */

static void test_tools(void **state) {
    const struct call_input *input = good(*state, TOOLS);
    assert_int_equal(input->tools->count, 2);
    assert_str_equal(input->tools->items[0].name, "weather");
    assert_str_equal(input->tools->items[0].description, "d");
    assert_str_equal(input->tools->items[0].parameters, SCHEMA);
    assert_str_equal(input->tools->names.items[1], "now");
    assert_false(input->tools->one_call);
    assert_int_equal(input->request.grammar.len, 0);
    assert_null(good(*state, TOOLS ",\"tool_choice\":{\"type\":\"none\"}")->tools);
    assert_null(good(*state, "\"tools\":[]")->tools);
    assert_true(
        good(*state, TOOLS ",\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}")->tools->one_call);
}

static void test_calls_that_must_come(void **state) {
    struct str grammar = good(*state, TOOLS ",\"tool_choice\":{\"type\":\"any\"}")->request.grammar;
    assert_true(gbnf_matches(grammar, STR(CALL)));
    assert_true(gbnf_matches(grammar, STR(CALL "\n" CALL)));
    assert_false(gbnf_matches(grammar, STR("Hello")));
    grammar =
        good(*state, TOOLS ",\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":true}")->request.grammar;
    assert_false(gbnf_matches(grammar, STR(CALL "\n" CALL)));
    grammar = good(*state, TOOLS ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"weather\"}")->request.grammar;
    assert_true(gbnf_matches(grammar, STR(CALL)));
    assert_false(gbnf_matches(grammar, STR("<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>")));
}

static void test_answers_of_a_schema(void **state) {
    static const char *const members[] = {"\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":" SCHEMA
                                          "}}",
                                          "\"output_format\":{\"type\":\"json_schema\",\"schema\":" SCHEMA "}"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct str grammar = good(*state, members[i])->request.grammar;
        assert_true(gbnf_matches(grammar, STR("{\"city\": \"Paris\"}")));
        assert_false(gbnf_matches(grammar, STR("Paris")));
    }
}

static void test_tools_that_are_refused(void **state) {
    static const struct refusal cases[] = {
        {"\"tools\":{}", "tools", NULL},
        {"\"tools\":[1]", "tools[0]", NULL},
        {"\"tools\":[{}]", "tools[0].name", NULL},
        {"\"tools\":[{\"name\":\"a b\",\"input_schema\":{}}]", "tools[0].name", NULL},
        {"\"tools\":[{\"name\":\"a\"}]", "tools[0].input_schema", NULL},
        {"\"tools\":[{\"name\":\"a\",\"input_schema\":[]}]", "tools[0].input_schema", NULL},
        {"\"tools\":[{\"name\":\"a\",\"input_schema\":{},\"description\":1}]", "tools[0].description", NULL},
        {"\"tools\":[" NOW "," NOW "]", "tools[1].name", "is the name of tools[0], too"},
        {"\"tools\":[" NOW ",{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]", "tools[1].type",
         "web_search_20250305"},
        {"\"tools\":[{\"type\":\"some words\",\"name\":\"a\"}]", "tools[0].type", "other than custom"},
        {"\"tools\":[{\"type\":1,\"name\":\"a\"}]", "tools[0].type", NULL},
        {TOOLS ",\"tool_choice\":\"auto\"", "tool_choice", NULL},
        {TOOLS ",\"tool_choice\":{}", "tool_choice.type", NULL},
        {TOOLS ",\"tool_choice\":{\"type\":\"required\"}", "tool_choice.type", NULL},
        {TOOLS ",\"tool_choice\":{\"type\":\"tool\"}", "tool_choice.name", NULL},
        {TOOLS ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"rm\"}", "tool_choice.name", NULL},
        {TOOLS ",\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":1}",
         "tool_choice.disable_parallel_tool_use", NULL},
        {"\"tool_choice\":{\"type\":\"any\"}", "tool_choice", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(*state, members_read(*state, cases[i].text), &cases[i]);
    }
}

/* What no grammar can keep to, where it was to be kept to. */
static void test_schemas_that_are_refused(void **state) {
    static const struct {
        const char *members, *place;
    } cases[] = {
        {"\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\",\"not\":{}}}}",
         "output_config.format.schema.not"},
        {"\"tools\":[{\"name\":\"a\",\"strict\":true,\"input_schema\":{\"type\":\"object\",\"not\":{}}}]",
         "tools[0].input_schema.not"},
    };
    struct request_reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(members_read(reader, cases[i].members));
        assert_int_equal(reader->err.code, ERR_UNSUPPORTED);
        assert_string_equal(reader->err.field, cases[i].place);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, reader_setup, reader_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_fields),
        TEST(test_what_changes_nothing),
        TEST(test_fields_that_are_refused),
        TEST(test_bodies_that_are_refused),
        TEST(test_system),
        TEST(test_turns),
        TEST(test_messages_that_are_refused),
        TEST(test_too_many),
        TEST(test_tools),
        TEST(test_calls_that_must_come),
        TEST(test_answers_of_a_schema),
        TEST(test_tools_that_are_refused),
        TEST(test_schemas_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
