/* Every field that chat and inference requests share: what is taken, and what is refused with which param. */
#include "format/orchestration.h"
#include "support/request_reader.h"

static void test_defaults(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader, ""));
    const struct gen_request *request = &reader->input.request;
    assert_str_equal(request->model, "m");
    assert_int_equal(request->message_count, 1);
    assert_int_equal(request->messages[0].role, GEN_ROLE_USER);
    assert_str_equal(request->messages[0].content, "hi");
    assert_int_equal(request->max_tokens, 256);
    assert_false(request->max_tokens_given);
    assert_true(request->temperature == 0.7 && request->top_p == 0.9 && request->repeat_penalty == 1);
    assert_false(reader->input.repeat_penalty_given);
    assert_false(request->seed_given);
    assert_int_equal(request->stop_count, 0);
    assert_false(reader->input.stream || request->stream || reader->input.include_usage);
    assert_int_equal(reader->input.label.len, 0);
}

static void test_where_the_answer_may_be_made(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader, ""));
    assert_string_equal(reader->input.region, "");
    assert_false(reader->input.verified);
    assert_true(reader_read_members(reader, "\"region\":\"de\",\"privacyLevel\":\"verified\""));
    assert_string_equal(reader->input.region, "DE");
    assert_true(reader->input.verified);
    assert_true(reader_read_members(reader, "\"region\":null,\"privacyLevel\":\"standard\""));
    assert_false(reader->input.verified);
    static const char *const wrong[][2] = {
        {"\"region\":\"DEU\"", "region"},          {"\"region\":\"\"", "region"},
        {"\"region\":\"4x\"", "region"},           {"\"region\":49", "region"},
        {"\"privacyLevel\":\"\"", "privacyLevel"}, {"\"privacyLevel\":true", "privacyLevel"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(reader_read_members(reader, wrong[i][0]));
        assert_string_equal(reader->err.field, wrong[i][1]);
    }
}

static void test_every_value_is_taken(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader,
                                    "\"max_tokens\":7,\"temperature\":0,\"top_p\":1,\"stream\":true,"
                                    "\"stream_options\":{\"include_usage\":true},\"stop\":[\"a\",\"b\"],\"seed\":42,"
                                    "\"n\":1,\"frequency_penalty\":-2,\"presence_penalty\":2,\"top_k\":0,"
                                    "\"repetition_penalty\":1.5,\"conversation_id\":\"c1\",\"min_p\":0.05"));
    const struct gen_request *request = &reader->input.request;
    assert_int_equal(request->max_tokens, 7);
    assert_true(request->max_tokens_given);
    assert_true(request->temperature == 0 && request->top_p == 1);
    assert_true(request->frequency_penalty == -2 && request->presence_penalty == 2);
    assert_true(request->repeat_penalty == 1.5);
    assert_true(reader->input.repeat_penalty_given);
    assert_int_equal(request->top_k, 0);
    assert_true(request->min_p == 0.05);
    assert_true(request->seed_given && request->seed == 42);
    assert_int_equal(request->stop_count, 2);
    assert_str_equal(request->stop[1], "b");
    assert_true(reader->input.stream && request->stream && reader->input.include_usage);
    assert_str_equal(reader->input.label, "c1");
}

/* Strings must not point into the parser, which the next request uses. */
static void test_strings_outlive_the_document(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader, "\"stop\":\"END\",\"conversation_id\":\"label\""));
    struct call_input input = reader->input;
    struct json_value other;
    assert_true(json_parse(reader->parser, STR("[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]"),
                           &other, &reader->err));
    assert_str_equal(input.request.model, "m");
    assert_str_equal(input.request.messages[0].content, "hi");
    assert_str_equal(input.request.stop[0], "END");
    assert_str_equal(input.label, "label");
}

static void test_accepted(void **state) {
    static const char *const members[] = {
        "\"unknown\":{\"deep\":[1]}",
        "\"max_tokens\":3.0",
        "\"max_tokens\":131072",
        "\"max_tokens\":5,\"max_completion_tokens\":5",
        "\"temperature\":2",
        "\"top_p\":0",
        "\"seed\":-9223372036854775808",
        "\"seed\":3.0",
        "\"stop\":\"x\"",
        "\"stop\":[\"1\",\"2\",\"3\",\"4\"]",
        "\"n\":1",
        "\"tools\":[]",
        "\"functions\":[]",
        "\"tool_choice\":\"none\"",
        "\"tool_choice\":\"auto\"",
        "\"function_call\":\"none\"",
        "\"response_format\":{\"type\":\"text\"}",
        "\"logprobs\":false",
        "\"top_logprobs\":0",
        "\"logit_bias\":{}",
        "\"reasoning_effort\":\"none\"",
        "\"reasoning_effort\":\"high\"",
        "\"logit_bias\":{\"50256\":-100}",
        "\"logit_bias\":{\"50256\":0},\"orchestration\":{\"enabled\":true}",
        "\"modalities\":[\"text\"]",
        "\"orchestration\":{\"enabled\":false,\"workflow\":\"research\"}",
        "\"orchestration\":{}",
        "\"user\":\"u\",\"metadata\":{\"a\":\"b\"},\"store\":true,\"parallel_tool_calls\":false",
        "\"min_p\":0",
        "\"min_p\":1",
        "\"stop\":[]",
        "\"stop\":\"\"",
        "\"stop\":[\"\",\"\"]",
        "\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]",
        "\"repeat_penalty\":1.1,\"repetition_penalty\":1.1",
        "\"stream\":true,\"stream_options\":{}",
        "\"stream\":true,\"stream_options\":{\"include_usage\":null,\"include_obfuscation\":false}",
        "\"temperature\":1,\"temperature\":\"the first of duplicate keys counts\"",
    };
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!reader_read_members(*state, members[i])) {
            fail_msg("%s: %s", members[i], ((struct request_reader *)*state)->err.message);
        }
    }
}

static void test_null_is_absent(void **state) {
    static const char *const names[] = {
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "stream",
        "stop",
        "stream_options",
        "seed",
        "n",
        "frequency_penalty",
        "top_k",
        "presence_penalty",
        "conversation_id",
        "repeat_penalty",
        "repetition_penalty",
        "min_p",
        "user",
        "metadata",
        "store",
        "parallel_tool_calls",
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "response_format",
        "logprobs",
        "top_logprobs",
        "logit_bias",
        "modalities",
        "audio",
        "messages",
        "web_search_options",
        "orchestration",
        "prompt",
    };
    struct request_reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char members[64];
        snprintf(members, sizeof(members), "\"%s\":null", names[i]);
        if (!reader_read_members(reader, members)) {
            fail_msg("%s: %s", names[i], reader->err.message);
        }
        assert_int_equal(reader->input.request.max_tokens, 256);
    }
}

static void test_wrong_types_and_ranges(void **state) {
    static const struct refusal refusals[] = {
        {"\"max_tokens\":0", "max_tokens", "max_tokens must be a whole number between 1 and 131072."},
        {"\"max_tokens\":131073", "max_tokens", NULL},
        {"\"max_tokens\":-1", "max_tokens", NULL},
        {"\"max_tokens\":3.5", "max_tokens", "whole number"},
        {"\"max_tokens\":1e300", "max_tokens", NULL},
        {"\"max_tokens\":\"5\"", "max_tokens", "must be a whole number, not a string."},
        {"\"max_tokens\":true", "max_tokens", "not a boolean"},
        {"\"max_tokens\":[]", "max_tokens", NULL},
        {"\"max_completion_tokens\":0", "max_completion_tokens", NULL},
        {"\"max_tokens\":5,\"max_completion_tokens\":6", "max_completion_tokens", "must not differ"},
        {"\"temperature\":2.01", "temperature", "temperature must be between 0 and 2."},
        {"\"temperature\":-0.1", "temperature", NULL},
        {"\"temperature\":\"hot\"", "temperature", "must be a number, not a string."},
        {"\"temperature\":{}", "temperature", NULL},
        {"\"top_p\":1.1", "top_p", NULL},
        {"\"top_p\":-1", "top_p", NULL},
        {"\"top_p\":false", "top_p", NULL},
        {"\"stream\":\"true\"", "stream", "must be true or false, not a string."},
        {"\"stream\":1", "stream", NULL},
        {"\"stream_options\":{\"include_usage\":true}", "stream_options", "only with"},
        {"\"stream\":true,\"stream_options\":[]", "stream_options", NULL},
        {"\"stream\":true,\"stream_options\":{\"include_usage\":1}", "stream_options.include_usage", NULL},
        {"\"stop\":5", "stop", NULL},
        {"\"stop\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]", "stop", "at most 16"},
        {"\"stop\":[\"\",{}]", "stop[1]", NULL},
        {"\"stop\":[\"a\",3]", "stop[1]", NULL},
        {"\"stop\":[null]", "stop[0]", NULL},
        {"\"seed\":1.5", "seed", NULL},
        {"\"seed\":\"1\"", "seed", NULL},
        {"\"seed\":9223372036854775808", "seed", "64 bits"},
        {"\"n\":0", "n", "between 1 and 4"},
        {"\"n\":5", "n", "between 1 and 4"},
        {"\"n\":1.5", "n", NULL},
        {"\"n\":2", "n", "not supported yet"},
        {"\"n\":4", "n", "not supported yet"},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        assert_refused(*state, reader_read_members(*state, refusals[i].text), &refusals[i]);
    }
}

static void test_wrong_types_and_ranges_of_extras(void **state) {
    static const struct refusal refusals[] = {
        {"\"frequency_penalty\":2.1", "frequency_penalty", "between -2 and 2"},
        {"\"presence_penalty\":-2.1", "presence_penalty", NULL},
        {"\"presence_penalty\":\"0\"", "presence_penalty", NULL},
        {"\"top_k\":-1", "top_k", NULL},
        {"\"top_k\":1001", "top_k", NULL},
        {"\"top_k\":1.5", "top_k", NULL},
        {"\"repeat_penalty\":0", "repeat_penalty", "between 0.1 and 2"},
        {"\"repetition_penalty\":2.1", "repetition_penalty", NULL},
        {"\"repeat_penalty\":1.1,\"repetition_penalty\":1.2", "repetition_penalty", NULL},
        {"\"min_p\":1.01", "min_p", "between 0 and 1"},
        {"\"min_p\":-0.1", "min_p", NULL},
        {"\"min_p\":\"0.1\"", "min_p", "not a string"},
        {"\"conversation_id\":7", "conversation_id", NULL},
        {"\"user\":{}", "user", NULL},
        {"\"metadata\":\"x\"", "metadata", "must be an object, not a string."},
        {"\"store\":\"yes\"", "store", NULL},
        {"\"tools\":{}", "tools", "must be an array"},
        {"\"tool_choice\":5", "tool_choice", NULL},
        {"\"functions\":\"f\"", "functions", NULL},
        {"\"response_format\":\"json\"", "response_format", NULL},
        {"\"response_format\":{}", "response_format.type", NULL},
        {"\"response_format\":{\"type\":1}", "response_format.type", NULL},
        {"\"logprobs\":1", "logprobs", NULL},
        {"\"top_logprobs\":21", "top_logprobs", NULL},
        {"\"logit_bias\":[]", "logit_bias", NULL},
        {"\"reasoning_effort\":3", "reasoning_effort", NULL},
        {"\"reasoning_effort\":\"HIGH\"", "reasoning_effort", "must be none, minimal"},
        {"\"modalities\":\"text\"", "modalities", NULL},
        {"\"modalities\":[1]", "modalities", NULL},
        {"\"orchestration\":true", "orchestration", NULL},
        {"\"orchestration\":{\"workflow\":\"poetry\"}", "orchestration.workflow", NULL},
        {"\"orchestration\":{\"max_steps\":0}", "orchestration.max_steps", NULL},
        {"\"orchestration\":{\"max_cost_usd\":-1}", "orchestration.max_cost_usd", NULL},
        {"\"orchestration\":{\"enabled\":\"yes\"}", "orchestration.enabled", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        assert_refused(*state, reader_read_members(*state, refusals[i].text), &refusals[i]);
    }
}

#define TOOL "{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}"

static void test_orchestration(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader, ""));
    assert_null(reader->input.orchestration);
    assert_true(reader_read_members(reader, "\"orchestration\":{\"enabled\":true}"));
    const struct orchestration *asked = reader->input.orchestration;
    assert_true(asked->enabled && asked->automatic);
    assert_int_equal(asked->max_steps, ORCHESTRATION_STEPS_DEFAULT);
    assert_true(asked->max_cost_nano < 0);
    assert_true(reader_read_members(reader, "\"orchestration\":{\"enabled\":true,\"workflow\":\"MAP_REDUCE\","
                                            "\"max_steps\":7,\"max_cost_usd\":0.25}"));
    asked = reader->input.orchestration;
    assert_false(asked->automatic);
    assert_int_equal(asked->kind, CORE_WORKFLOW_MAP_REDUCE);
    assert_int_equal(asked->max_steps, 7);
    assert_int_equal(asked->max_cost_nano, 250000000);
}

static void test_tools_of_agents(void **state) {
    static const char *const kinds[] = {"agent", "auto"};
    struct request_reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        char members[256];
        snprintf(members, sizeof(members),
                 "\"tools\":[" TOOL "],\"orchestration\":{\"enabled\":true,\"workflow\":\"%s\"}", kinds[i]);
        assert_true(reader_read_members(reader, members));
        assert_int_equal(reader->input.orchestration->tool_count, 1);
        assert_str_equal(reader->input.orchestration->tools[0].name, "weather");
    }
    assert_true(reader_read_members(reader, "\"tools\":[" TOOL "],\"tool_choice\":\"none\","
                                            "\"orchestration\":{\"enabled\":true}"));
    assert_int_equal(reader->input.orchestration->tool_count, 0);
}

static void test_unsupported_by_name(void **state) {
    static const struct refusal refusals[] = {
        {"\"logprobs\":true,\"orchestration\":{\"enabled\":true}", "logprobs", "logprobs is not supported yet"},
        {"\"logit_bias\":{\"50256\":-100},\"orchestration\":{\"enabled\":true}", "logit_bias", NULL},
        {"\"modalities\":[\"text\",\"audio\"]", "modalities", "not supported yet"},
        {"\"audio\":{\"voice\":\"a\"}", "audio", NULL},
        {"\"web_search_options\":{}", "web_search_options", NULL},
        {"\"orchestration\":{\"enabled\":true},\"response_format\":{\"type\":\"json_object\"}", "response_format",
         NULL},
        {"\"orchestration\":{\"enabled\":true,\"workflow\":\"code\"},\"tools\":[" TOOL "]", "tools", "agent and auto"},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct request_reader *reader = *state;
        assert_refused(reader, reader_read_members(reader, refusals[i].text), &refusals[i]);
        assert_int_equal(reader->err.code, ERR_UNSUPPORTED);
    }
}

/* Clients send it with every request: it is told that it changed nothing. */
static void test_effort_is_ignored_and_told(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader, "\"reasoning_effort\":\"low\""));
    assert_str_equal(reader->input.ignored, "\"ignored\":[\"reasoning_effort\"]");
    assert_true(reader_read_members(reader, "\"reasoning_effort\":\"none\""));
    assert_str_equal(reader->input.ignored, "");
}

static void test_lengths_at_their_limits(void **state) {
    static const struct {
        const char *name;
        size_t limit;
    } cases[] = {
        {"conversation_id", LIMIT_NAME_BYTES},
        {"user", LIMIT_NAME_BYTES},
        {"stop", LIMIT_STOP_BYTES},
    };
    struct request_reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char members[1024];
        snprintf(members, sizeof(members), "\"%s\":\"%0*d\"", cases[i].name, (int)cases[i].limit, 0);
        assert_true(reader_read_members(reader, members));
        snprintf(members, sizeof(members), "\"%s\":\"%0*d\"", cases[i].name, (int)cases[i].limit + 1, 0);
        assert_false(reader_read_members(reader, members));
        assert_string_equal(reader->err.field, cases[i].name);
        assert_non_null(strstr(reader->err.message, "256 bytes"));
    }
    char body[1024];
    snprintf(body, sizeof(body), "{\"model\":\"%0129d\",\"messages\":[]}", 0);
    assert_false(reader_read(reader, str_from(body)));
    assert_string_equal(reader->err.field, "model");
}

/* The wire carries 63 bits of a seed; equal seeds stay equal and -1 is not "no seed". */
static void test_negative_seed(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader, "\"seed\":-1"));
    assert_true(reader->input.request.seed_given);
    assert_true(reader->input.request.seed == INT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_where_the_answer_may_be_made),
        cmocka_unit_test(test_every_value_is_taken),
        cmocka_unit_test(test_strings_outlive_the_document),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_null_is_absent),
        cmocka_unit_test(test_wrong_types_and_ranges),
        cmocka_unit_test(test_wrong_types_and_ranges_of_extras),
        cmocka_unit_test(test_orchestration),
        cmocka_unit_test(test_tools_of_agents),
        cmocka_unit_test(test_unsupported_by_name),
        cmocka_unit_test(test_effort_is_ignored_and_told),
        cmocka_unit_test(test_lengths_at_their_limits),
        cmocka_unit_test(test_negative_seed),
    };
    return cmocka_run_group_tests(tests, reader_setup, reader_teardown);
}
