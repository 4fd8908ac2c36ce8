/* Every field of a chat request: what is taken, and what is refused with which param. */
#include "api/generation_fields.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 8 << 20 };

struct reader {
    struct json_parser *parser;
    struct arena arena;
    struct generation_input input;
    struct err err;
};

static int setup(void **state) {
    struct reader *reader = calloc(1, sizeof(*reader));
    reader->parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    arena_init(&reader->arena, ARENA_BYTES);
    *state = reader;
    return 0;
}

static int teardown(void **state) {
    struct reader *reader = *state;
    json_parser_free(reader->parser);
    arena_clear(&reader->arena);
    free(reader);
    return 0;
}

static bool read_text(struct reader *reader, struct str text) {
    struct json_value body;
    arena_clear(&reader->arena);
    err_clear(&reader->err);
    assert_true(json_parse(reader->parser, text, &body, &reader->err));
    return chat_request_read(body, &reader->arena, &reader->input, &reader->err);
}

/* A good request but for `members`, which are added to it. */
static bool read_members(struct reader *reader, const char *members) {
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_format(&text, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s%s}",
                      members[0] != '\0' ? "," : "", members);
    bool read = read_text(reader, buf_str(&text));
    buf_clear(&text);
    return read;
}

static bool read_messages(struct reader *reader, const char *messages) {
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_format(&text, "{\"model\":\"m\",\"messages\":%s}", messages);
    bool read = read_text(reader, buf_str(&text));
    buf_clear(&text);
    return read;
}

static void assert_str(struct str actual, const char *expected) {
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.len);
}

static void test_defaults(void **state) {
    struct reader *reader = *state;
    assert_true(read_members(reader, ""));
    const struct gen_request *request = &reader->input.request;
    assert_str(request->model, "m");
    assert_int_equal(request->message_count, 1);
    assert_int_equal(request->messages[0].role, GEN_ROLE_USER);
    assert_str(request->messages[0].content, "hi");
    assert_int_equal(request->max_tokens, 256);
    assert_false(request->max_tokens_given);
    assert_true(request->temperature == 0.7 && request->top_p == 0.9 && request->repeat_penalty == 1);
    assert_false(request->seed_given);
    assert_int_equal(request->stop_count, 0);
    assert_false(reader->input.stream || request->stream || reader->input.include_usage);
    assert_int_equal(reader->input.label.len, 0);
}

static void test_every_value_is_taken(void **state) {
    struct reader *reader = *state;
    assert_true(read_members(reader, "\"max_tokens\":7,\"temperature\":0,\"top_p\":1,\"stream\":true,"
                                     "\"stream_options\":{\"include_usage\":true},\"stop\":[\"a\",\"b\"],\"seed\":42,"
                                     "\"n\":1,\"frequency_penalty\":-2,\"presence_penalty\":2,\"top_k\":0,"
                                     "\"repetition_penalty\":1.5,\"conversation_id\":\"c1\""));
    const struct gen_request *request = &reader->input.request;
    assert_int_equal(request->max_tokens, 7);
    assert_true(request->max_tokens_given);
    assert_true(request->temperature == 0 && request->top_p == 1);
    assert_true(request->frequency_penalty == -2 && request->presence_penalty == 2);
    assert_true(request->repeat_penalty == 1.5);
    assert_int_equal(request->top_k, 0);
    assert_true(request->seed_given && request->seed == 42);
    assert_int_equal(request->stop_count, 2);
    assert_str(request->stop[1], "b");
    assert_true(reader->input.stream && request->stream && reader->input.include_usage);
    assert_str(reader->input.label, "c1");
}

/* Strings must not point into the parser, which the next request uses. */
static void test_strings_outlive_the_document(void **state) {
    struct reader *reader = *state;
    assert_true(read_members(reader, "\"stop\":\"END\",\"conversation_id\":\"label\""));
    struct generation_input input = reader->input;
    struct json_value other;
    assert_true(json_parse(reader->parser, STR("[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]"),
                           &other, &reader->err));
    assert_str(input.request.model, "m");
    assert_str(input.request.messages[0].content, "hi");
    assert_str(input.request.stop[0], "END");
    assert_str(input.label, "label");
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
        "\"modalities\":[\"text\"]",
        "\"orchestration\":{\"enabled\":false,\"workflow\":\"research\"}",
        "\"orchestration\":{}",
        "\"user\":\"u\",\"metadata\":{\"a\":\"b\"},\"store\":true,\"parallel_tool_calls\":false",
        "\"min_p\":0",
        "\"repeat_penalty\":1.1,\"repetition_penalty\":1.1",
        "\"stream\":true,\"stream_options\":{}",
        "\"stream\":true,\"stream_options\":{\"include_usage\":null,\"include_obfuscation\":false}",
        "\"temperature\":1,\"temperature\":\"the first of duplicate keys counts\"",
    };
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!read_members(*state, members[i])) {
            fail_msg("%s: %s", members[i], ((struct reader *)*state)->err.message);
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
    struct reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char members[64];
        snprintf(members, sizeof(members), "\"%s\":null", names[i]);
        if (!read_members(reader, members)) {
            fail_msg("%s: %s", names[i], reader->err.message);
        }
        assert_int_equal(reader->input.request.max_tokens, 256);
    }
}

struct refusal {
    const char *text, *param, *words; /* words: part of the message, or NULL */
};

static void assert_refused(struct reader *reader, bool read, const struct refusal *refusal) {
    if (read) {
        fail_msg("accepted: %s", refusal->text);
    }
    if (strcmp(reader->err.field, refusal->param) != 0) {
        fail_msg("%s: param %s, expected %s", refusal->text, reader->err.field, refusal->param);
    }
    bool unsupported = strstr(reader->err.message, "not supported yet") != NULL;
    assert_int_equal(reader->err.code, unsupported ? ERR_UNSUPPORTED : ERR_INVALID);
    if (refusal->words != NULL && strstr(reader->err.message, refusal->words) == NULL) {
        fail_msg("%s: %s", refusal->text, reader->err.message);
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
        {"\"stop\":\"\"", "stop", "must not be empty"},
        {"\"stop\":5", "stop", NULL},
        {"\"stop\":[]", "stop", "1 to 4"},
        {"\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\"]", "stop", NULL},
        {"\"stop\":[\"a\",\"\"]", "stop[1]", NULL},
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
        {"\"frequency_penalty\":2.1", "frequency_penalty", "between -2 and 2"},
        {"\"presence_penalty\":-2.1", "presence_penalty", NULL},
        {"\"presence_penalty\":\"0\"", "presence_penalty", NULL},
        {"\"top_k\":-1", "top_k", NULL},
        {"\"top_k\":1001", "top_k", NULL},
        {"\"top_k\":1.5", "top_k", NULL},
        {"\"repeat_penalty\":0", "repeat_penalty", "between 0.1 and 2"},
        {"\"repetition_penalty\":2.1", "repetition_penalty", NULL},
        {"\"repeat_penalty\":1.1,\"repetition_penalty\":1.2", "repetition_penalty", NULL},
        {"\"min_p\":2", "min_p", NULL},
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
        {"\"modalities\":\"text\"", "modalities", NULL},
        {"\"modalities\":[1]", "modalities", NULL},
        {"\"orchestration\":true", "orchestration", NULL},
        {"\"orchestration\":{\"enabled\":\"yes\"}", "orchestration.enabled", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        assert_refused(*state, read_members(*state, refusals[i].text), &refusals[i]);
    }
}

static void test_unsupported_by_name(void **state) {
    static const struct refusal refusals[] = {
        {"\"tools\":[{\"type\":\"function\"}]", "tools", "tools is not supported yet"},
        {"\"tool_choice\":\"required\"", "tool_choice", "tool_choice is not"},
        {"\"tool_choice\":{\"type\":\"function\"}", "tool_choice", NULL},
        {"\"functions\":[{}]", "functions", "functions is not"},
        {"\"function_call\":{\"name\":\"f\"}", "function_call", NULL},
        {"\"response_format\":{\"type\":\"json_object\"}", "response_format", "not supported yet"},
        {"\"response_format\":{\"type\":\"json_schema\"}", "response_format", NULL},
        {"\"logprobs\":true", "logprobs", "logprobs is not supported yet"},
        {"\"top_logprobs\":3", "top_logprobs", NULL},
        {"\"logit_bias\":{\"50256\":-100}", "logit_bias", NULL},
        {"\"modalities\":[\"text\",\"audio\"]", "modalities", "not supported yet"},
        {"\"audio\":{\"voice\":\"a\"}", "audio", NULL},
        {"\"web_search_options\":{}", "web_search_options", NULL},
        {"\"min_p\":0.05", "min_p", NULL},
        {"\"orchestration\":{\"enabled\":true}", "orchestration.enabled", "not supported yet"},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct reader *reader = *state;
        assert_refused(reader, read_members(reader, refusals[i].text), &refusals[i]);
        assert_int_equal(reader->err.code, ERR_UNSUPPORTED);
    }
}

static void test_bad_bodies(void **state) {
    static const struct refusal refusals[] = {
        {"[]", "", "must be a JSON object, not an array."},
        {"\"text\"", "", NULL},
        {"null", "", NULL},
        {"{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "model", "model is required"},
        {"{\"model\":null,\"messages\":[]}", "model", "required"},
        {"{\"model\":\"\",\"messages\":[]}", "model", "required"},
        {"{\"model\":5,\"messages\":[]}", "model", "must be a string, not a number."},
        {"{\"model\":\"m\"}", "messages", "messages is required."},
        {"{\"model\":\"m\",\"messages\":[]}", "messages", "1 to 2048"},
        {"{\"model\":\"m\",\"messages\":\"hi\"}", "messages", "must be an array"},
        {"{\"model\":\"m\",\"messages\":{\"role\":\"user\"}}", "messages", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        assert_refused(*state, read_text(*state, str_from(refusals[i].text)), &refusals[i]);
    }
}

static void test_bad_messages(void **state) {
#define USER "{\"role\":\"user\",\"content\":\"a\"},"
#define CALL "{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
    static const struct refusal refusals[] = {
        {"[5]", "messages[0]", "must be an object, not a number."},
        {"[" USER "null]", "messages[1]", NULL},
        {"[{\"content\":\"a\"}]", "messages[0].role", "required"},
        {"[{\"role\":null,\"content\":\"a\"}]", "messages[0].role", "required"},
        {"[{\"role\":7,\"content\":\"a\"}]", "messages[0].role", "must be a string"},
        {"[" USER USER "{\"role\":\"wizard\",\"content\":\"a\"}]", "messages[2].role",
         "must be one of system, developer, user, assistant, tool."},
        {"[{\"role\":\"User\",\"content\":\"a\"}]", "messages[0].role", NULL},
        {"[{\"role\":\"user\"}]", "messages[0].content", "required"},
        {"[{\"role\":\"user\",\"content\":null}]", "messages[0].content", "required"},
        {"[{\"role\":\"assistant\",\"content\":null}]", "messages[0].content", NULL},
        {"[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]}]", "messages[0].content", NULL},
        {"[{\"role\":\"user\",\"content\":null,\"tool_calls\":[" CALL "]}]", "messages[0].content", NULL},
        {"[{\"role\":\"user\",\"content\":5}]", "messages[0].content", "a string or an array of parts"},
        {"[{\"role\":\"user\",\"content\":{}}]", "messages[0].content", NULL},
        {"[{\"role\":\"user\",\"content\":[]}]", "messages[0].content", "1 to 256"},
        {"[{\"role\":\"user\",\"content\":[\"a\"]}]", "messages[0].content[0]", NULL},
        {"[{\"role\":\"user\",\"content\":[{}]}]", "messages[0].content[0].type", "required"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":1}]}]", "messages[0].content[0].type", NULL},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", "messages[0].content[0].text", "required"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":5}]}]", "messages[0].content[0].text", NULL},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\"}]}]",
         "messages[0].content[1].type", "image_url is not supported yet"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]", "messages[0].content[0].type",
         "input_audio"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"my secret\"}]}]", "messages[0].content[0].type",
         "must be \"text\"."},
        {"[{\"role\":\"user\",\"content\":\"a\",\"name\":5}]", "messages[0].name", NULL},
        {"[{\"role\":\"tool\",\"content\":\"a\"}]", "messages[0].tool_call_id", "required"},
        {"[{\"role\":\"tool\",\"content\":\"a\",\"tool_call_id\":\"\"}]", "messages[0].tool_call_id", NULL},
        {"[{\"role\":\"tool\",\"content\":\"a\",\"tool_call_id\":5}]", "messages[0].tool_call_id", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":{}}]", "messages[0].tool_calls", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[5]}]", "messages[0].tool_calls[0]", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[" CALL ",{\"id\":\"c\"}]}]", "messages[0].tool_calls[1].function",
         NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}]",
         "messages[0].tool_calls[0].id", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"arguments\":\"\"}}]}]",
         "messages[0].tool_calls[0].function.name", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":{}}}]}]",
         "messages[0].tool_calls[0].function.arguments", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"x\",\"function\":{}}]}]",
         "messages[0].tool_calls[0].type", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        assert_refused(*state, read_messages(*state, refusals[i].text), &refusals[i]);
    }
}

static void test_messages_taken(void **state) {
    struct reader *reader = *state;
    assert_true(read_messages(
        reader,
        "[{\"role\":\"developer\",\"content\":\"d\"},{\"role\":\"system\",\"content\":\"s\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"one \"},{\"type\":\"text\",\"text\":\"\"},"
        "{\"type\":\"text\",\"text\":\"two\"}],\"name\":\"ada\"},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" CALL "]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"42\"},"
        "{\"role\":\"assistant\",\"content\":\"\"},{\"role\":\"user\",\"content\":\"\"}]"));
    const struct gen_message *messages = reader->input.request.messages;
    assert_int_equal(reader->input.request.message_count, 7);
    assert_int_equal(messages[0].role, GEN_ROLE_SYSTEM);
    assert_int_equal(messages[1].role, GEN_ROLE_SYSTEM);
    assert_str(messages[2].content, "one two");
    assert_int_equal(messages[3].tool_call_count, 1);
    assert_str(messages[3].content, "");
    assert_str(messages[3].tool_calls[0].name, "f");
    assert_str(messages[3].tool_calls[0].arguments, "{}");
    assert_int_equal(messages[4].role, GEN_ROLE_TOOL);
    assert_str(messages[4].tool_call_id, "c");
    assert_str(messages[6].content, "");
}

/* `count` times `item`, separated by commas. */
static void append_repeated(struct buf *text, const char *item, size_t count) {
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(text, i > 0 ? "," : "");
        buf_append_cstr(text, item);
    }
}

static bool read_repeated(struct reader *reader, const char *before, const char *item, size_t count,
                          const char *after) {
    struct buf text;
    buf_init(&text, LIMIT_HTTP_BODY_BYTES);
    buf_append_cstr(&text, before);
    append_repeated(&text, item, count);
    buf_append_cstr(&text, after);
    assert_false(text.overflow);
    bool read = read_text(reader, buf_str(&text));
    buf_clear(&text);
    return read;
}

static void test_counts_at_their_limits(void **state) {
    static const char user[] = "{\"role\":\"user\",\"content\":\"a\"}", part[] = "{\"type\":\"text\",\"text\":\"a\"}";
    static const struct {
        const char *before, *item, *after, *param;
        size_t limit;
    } cases[] = {
        {"{\"model\":\"m\",\"messages\":[", user, "]}", "messages", LIMIT_MESSAGES},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[", part, "]}]}", "messages[0].content",
         LIMIT_CONTENT_PARTS},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[", CALL, "]}]}",
         "messages[0].tool_calls", LIMIT_TOOL_CALLS},
    };
    struct reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(read_repeated(reader, cases[i].before, cases[i].item, cases[i].limit, cases[i].after));
        assert_false(read_repeated(reader, cases[i].before, cases[i].item, cases[i].limit + 1, cases[i].after));
        assert_string_equal(reader->err.field, cases[i].param);
    }
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
    struct reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char members[1024];
        snprintf(members, sizeof(members), "\"%s\":\"%0*d\"", cases[i].name, (int)cases[i].limit, 0);
        assert_true(read_members(reader, members));
        snprintf(members, sizeof(members), "\"%s\":\"%0*d\"", cases[i].name, (int)cases[i].limit + 1, 0);
        assert_false(read_members(reader, members));
        assert_string_equal(reader->err.field, cases[i].name);
        assert_non_null(strstr(reader->err.message, "256 bytes"));
    }
    char body[1024];
    snprintf(body, sizeof(body), "{\"model\":\"%0129d\",\"messages\":[]}", 0);
    assert_false(read_text(reader, str_from(body)));
    assert_string_equal(reader->err.field, "model");
}

/* The wire carries 63 bits of a seed; equal seeds stay equal and -1 is not "no seed". */
static void test_negative_seed(void **state) {
    struct reader *reader = *state;
    assert_true(read_members(reader, "\"seed\":-1"));
    assert_true(reader->input.request.seed_given);
    assert_true(reader->input.request.seed == INT64_MAX);
}

static void test_full_arena_is_an_error(void **state) {
    struct reader *reader = *state;
    struct json_value body;
    struct str text =
        STR("{\"model\":\"m\",\"stop\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
            "\"text\":\"a long enough text\"}]}]}");
    for (size_t limit = 0; limit < 400; limit += 16) {
        struct arena arena;
        arena_init(&arena, limit);
        assert_true(json_parse(reader->parser, text, &body, &reader->err));
        bool read = chat_request_read(body, &arena, &reader->input, &reader->err);
        assert_true(read ? limit > 64 : reader->err.code == ERR_TOO_LARGE);
        arena_clear(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_value_is_taken),
        cmocka_unit_test(test_strings_outlive_the_document),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_null_is_absent),
        cmocka_unit_test(test_wrong_types_and_ranges),
        cmocka_unit_test(test_unsupported_by_name),
        cmocka_unit_test(test_bad_bodies),
        cmocka_unit_test(test_bad_messages),
        cmocka_unit_test(test_messages_taken),
        cmocka_unit_test(test_counts_at_their_limits),
        cmocka_unit_test(test_lengths_at_their_limits),
        cmocka_unit_test(test_negative_seed),
        cmocka_unit_test(test_full_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
