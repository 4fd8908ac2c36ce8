/* Answers of POST /v1/messages as text: whole, and as streams of blocks. */
#include "format/anthropic_answer.h"

#include "format/anthropic.h"
#include "format/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define USAGE                                                                                                          \
    "\"usage\":{\"input_tokens\":2,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":3,"                   \
    "\"output_tokens\":7}"
#define NATARIS                                                                                                        \
    "\"nataris\":{\"inference_type\":\"p2p\",\"provider\":{\"id\":\"prov_1\",\"region\":null},\"attempts\":1,"         \
    "\"latency_ms\":0,\"ttft_ms\":0}"
#define MESSAGE(content, reason)                                                                                       \
    "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":" content               \
    ",\"stop_reason\":\"" reason "\",\"stop_sequence\":null," USAGE "," NATARIS "}"

struct fixture {
    struct arena arena;
    struct buf out;
    struct call_result result;
    struct gen_tool_call calls[2];
    struct answer answer;
    struct format_stream stream;
};

static int setup(void **state) {
    static struct fixture fixture;
    struct buf scratch;
    fixture = (struct fixture){
        .result = {.finish = GEN_FINISH_STOP,
                   .usage = {.prompt_tokens = 5, .completion_tokens = 7, .cached_tokens = 3},
                   .provider_id = "prov_1",
                   .inference_type = "p2p",
                   .attempts = 1},
        .calls = {{.id = STR("call_a000"), .name = STR("look"), .arguments = STR("{\"at\":[1,\"é\"]}")},
                  {.id = STR("call_a001"), .name = STR("now"), .arguments = STR("")}},
        .answer = {.id = "msg_1", .model = STR("m"), .text = STR("")}};
    fixture.answer.result = &fixture.result;
    fixture.answer.calls = fixture.calls;
    arena_init(&fixture.arena, 4096);
    buf_init(&fixture.out, 1 << 20);
    buf_init(&scratch, 4096);
    assert_true(events_prepare(&fixture.stream, &FORMAT_MESSAGES, &fixture.answer, false, &fixture.arena, &scratch));
    fixture.stream.prompt_tokens = 4;
    buf_clear(&scratch);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    arena_clear(&fixture->arena);
    buf_clear(&fixture->out);
    return 0;
}

static void assert_whole(struct fixture *fixture, const char *expected) {
    buf_reset(&fixture->out);
    anthropic_write_whole(&fixture->answer, &fixture->out);
    assert_string_equal(buf_cstr(&fixture->out), expected);
}

static void test_whole(void **state) {
    struct fixture *fixture = *state;
    assert_whole(fixture, MESSAGE("[]", "end_turn"));
    fixture->answer.text = STR("a \"b\"\n");
    assert_whole(fixture, MESSAGE("[{\"type\":\"text\",\"text\":\"a \\\"b\\\"\\n\"}]", "end_turn"));
    fixture->result.finish = GEN_FINISH_LENGTH;
    assert_whole(fixture, MESSAGE("[{\"type\":\"text\",\"text\":\"a \\\"b\\\"\\n\"}]", "max_tokens"));
    fixture->result.finish = GEN_FINISH_CANCELLED;
    fixture->answer.text = STR("");
    assert_whole(fixture, MESSAGE("[]", "max_tokens"));
}

static void test_whole_stopped(void **state) {
    struct fixture *fixture = *state;
    fixture->answer.stop = STR("\"END\"");
    anthropic_write_whole(&fixture->answer, &fixture->out);
    assert_non_null(
        strstr(buf_cstr(&fixture->out), "\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\"\\\"END\\\"\","));
    fixture->answer.call_count = 1; /* what a call asks for goes before what stopped the text behind it */
    buf_reset(&fixture->out);
    anthropic_write_whole(&fixture->answer, &fixture->out);
    assert_non_null(strstr(buf_cstr(&fixture->out), "\"stop_reason\":\"tool_use\",\"stop_sequence\":null,"));
    fixture->answer.call_count = 0;
    fixture->result.finish = GEN_FINISH_LENGTH;
    buf_reset(&fixture->out);
    anthropic_write_whole(&fixture->answer, &fixture->out);
    assert_non_null(strstr(buf_cstr(&fixture->out), "\"stop_reason\":\"max_tokens\",\"stop_sequence\":null,"));
}

#define CALL(id, name, input) "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"" name "\",\"input\":" input "}"

static void test_whole_calls(void **state) {
    struct fixture *fixture = *state;
    fixture->answer.call_count = 2;
    assert_whole(fixture,
                 MESSAGE("[" CALL("toolu_a000", "look", "{\"at\":[1,\"é\"]}") "," CALL("toolu_a001", "now", "{}") "]",
                         "tool_use"));
    fixture->answer.text = STR("t");
    fixture->answer.call_count = 1;
    fixture->calls[0].id = STR("other");
    assert_whole(fixture,
                 MESSAGE("[{\"type\":\"text\",\"text\":\"t\"}," CALL("toolu_other", "look", "{\"at\":[1,\"é\"]}") "]",
                         "tool_use"));
}

/* Whatever a model writes for arguments, the message is JSON, and `input` an object. */
static void test_arguments_that_are_none(void **state) {
    static const struct {
        const char *arguments, *input;
    } cases[] = {
        {"{\"a\": b}", "{\"INVALID_JSON\":\"{\\\"a\\\": b}\"}"},
        {"{\"a\":\"b", "{\"INVALID_JSON\":\"{\\\"a\\\":\\\"b\"}"},
        {"[1]", "{\"INVALID_JSON\":\"[1]\"}"},
        {"null", "{\"INVALID_JSON\":\"null\"}"},
        {"{} {}", "{\"INVALID_JSON\":\"{} {}\"}"},
        {"\n", "{\"INVALID_JSON\":\"\\n\"}"},
        {" { } ", " { } "},
    };
    struct fixture *fixture = *state;
    fixture->answer.call_count = 1;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf expected;
        buf_init(&expected, 4096);
        buf_append_format(&expected, MESSAGE("[" CALL("toolu_a000", "look", "%s") "]", "tool_use"), cases[i].input);
        fixture->calls[0].arguments = str_from(cases[i].arguments);
        assert_whole(fixture, buf_cstr(&expected));
        buf_clear(&expected);
    }
}

/* More of a prompt than there is cannot have come from a cache. */
static void test_usage_that_lies(void **state) {
    struct fixture *fixture = *state;
    fixture->result.usage.cached_tokens = UINT32_MAX;
    anthropic_write_whole(&fixture->answer, &fixture->out);
    assert_non_null(strstr(buf_cstr(&fixture->out), "\"input_tokens\":0,"));
    assert_non_null(strstr(buf_cstr(&fixture->out), "\"cache_read_input_tokens\":5,"));
}

/* --- Streams --- */

#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define START                                                                                                          \
    EVENT("message_start",                                                                                             \
          ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[]," \
          "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":4,\"cache_creation_input_tokens\":" \
          "0,\"cache_read_input_tokens\":0,\"output_tokens\":0}}")                                                     \
    EVENT("ping", "")
#define TEXT_START(at)                                                                                                 \
    EVENT("content_block_start", ",\"index\":" at ",\"content_block\":{\"type\":\"text\",\"text\":\"\"}")
#define TEXT(at, words)                                                                                                \
    EVENT("content_block_delta", ",\"index\":" at ",\"delta\":{\"type\":\"text_delta\",\"text\":\"" words "\"}")
#define CALL_START(at, id, name)                                                                                       \
    EVENT("content_block_start", ",\"index\":" at ",\"content_block\":{\"type\":\"tool_use\",\"id\":\"" id             \
                                 "\",\"name\":\"" name "\",\"input\":{}}")
#define ARGUMENTS(at, json)                                                                                            \
    EVENT("content_block_delta",                                                                                       \
          ",\"index\":" at ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"" json "\"}")
#define STOP(at) EVENT("content_block_stop", ",\"index\":" at)
#define END(reason)                                                                                                    \
    EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"" reason "\",\"stop_sequence\":null}," USAGE "," NATARIS)    \
    EVENT("message_stop", "")

static void test_a_stream_of_blocks(void **state) {
    struct fixture *fixture = *state;
    const struct format_stream *stream = &fixture->stream;
    struct str text = STR("b\"");
    anthropic_write_begin(stream, &fixture->out);
    anthropic_write_text(stream, STR("a"), &fixture->out);
    events_write_piece(stream, &text, &fixture->out);
    anthropic_write_note(stream, STR("{}"), &fixture->out);
    anthropic_write_call_start(stream, 0, &fixture->calls[0], &fixture->out);
    anthropic_write_call_arguments(stream, 0, STR("{\"at\":"), &fixture->out);
    anthropic_write_call_arguments(stream, 0, STR("1}"), &fixture->out);
    anthropic_write_call_start(stream, 1, &fixture->calls[1], &fixture->out);
    anthropic_write_text(stream, STR("c"), &fixture->out);
    fixture->answer.call_count = 2;
    anthropic_write_end(stream, &fixture->answer, &fixture->out);
    assert_string_equal(buf_cstr(&fixture->out),
                        START TEXT_START("0") TEXT("0", "a") TEXT("0", "b\\\"") STOP("0")
                            CALL_START("1", "toolu_a000", "look") ARGUMENTS("1", "{\\\"at\\\":") ARGUMENTS("1", "1}")
                                STOP("1") CALL_START("2", "toolu_a001", "now") STOP("2") TEXT_START("3") TEXT("3", "c")
                                    STOP("3") END("tool_use"));
}

/* All in one piece, for a repeated request; the live stream goes on where it was. */
static void test_a_whole_stream(void **state) {
    struct fixture *fixture = *state;
    anthropic_write_begin(&fixture->stream, &fixture->out);
    anthropic_write_text(&fixture->stream, STR("x"), &fixture->out);
    buf_reset(&fixture->out);
    fixture->answer.text = STR("hi");
    events_write_whole(&fixture->stream, &fixture->answer, &fixture->out);
    assert_string_equal(buf_cstr(&fixture->out), START TEXT_START("0") TEXT("0", "hi") STOP("0") END("end_turn"));
    buf_reset(&fixture->out);
    anthropic_write_text(&fixture->stream, STR("y"), &fixture->out);
    assert_string_equal(buf_cstr(&fixture->out), TEXT("0", "y"));
}

static void test_a_stream_of_nothing(void **state) {
    struct fixture *fixture = *state;
    events_write_whole(&fixture->stream, &fixture->answer, &fixture->out);
    assert_string_equal(buf_cstr(&fixture->out), START END("end_turn"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_whole),           TEST(test_whole_stopped),
        TEST(test_whole_calls),     TEST(test_arguments_that_are_none),
        TEST(test_usage_that_lies), TEST(test_a_stream_of_blocks),
        TEST(test_a_whole_stream),  TEST(test_a_stream_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
