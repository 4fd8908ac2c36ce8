/* Streams of each format as text: what is prepared once, pieces of a text, notes, the end, and all of it in one
 * piece. */
#include "format/events.h"

#include "format/chat.h"
#include "format/inference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEAD_CHAT                                                                                                      \
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"the "        \
    "\\\"m\\\"\","
#define HEAD_INFERENCE                                                                                                 \
    "data: {\"id\":\"inf_1\",\"object\":\"inference.chunk\",\"created\":1767225600,\"model\":\"the \\\"m\\\"\","
#define USAGE                                                                                                          \
    "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"prompt_tokens_details\":{"            \
    "\"cached_tokens\":3}}"

struct fixture {
    struct arena arena;
    struct buf out;
    struct call_result result;
    struct answer answer;
    struct format_stream stream;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){
        .result = {.finish = GEN_FINISH_STOP,
                   .usage = {.prompt_tokens = 5, .completion_tokens = 2, .cached_tokens = 3},
                   .provider_region = "IN",
                   .provider_id = "prov_1",
                   .inference_type = "p2p",
                   .attempts = 1,
                   .ttft_ms = 31,
                   .latency_ms = 245},
        .answer = {
            .id = "chatcmpl-1", .model = STR("the \"m\""), .text = STR(""), .created_ms = INT64_C(1767225600999)}};
    fixture.answer.result = &fixture.result;
    arena_init(&fixture.arena, 4096);
    buf_init(&fixture.out, 1 << 22);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    arena_clear(&fixture->arena);
    buf_clear(&fixture->out);
    return 0;
}

static void prepare(struct fixture *fixture, const struct format *format, bool include_usage) {
    struct buf scratch;
    fixture->answer.id = format == &FORMAT_CHAT ? "chatcmpl-1" : "inf_1";
    buf_init(&scratch, 4096);
    assert_true(events_prepare(&fixture->stream, format, &fixture->answer, include_usage, &fixture->arena, &scratch));
    buf_clear(&scratch); /* what was prepared stands in the arena */
}

static const char *written(struct fixture *fixture) {
    return buf_cstr(&fixture->out);
}

/* --- Pieces --- */

static void test_a_piece(void **state) {
    struct fixture *fixture = *state;
    struct str text = STR("a \"b\"\n");
    prepare(fixture, &FORMAT_CHAT, false);
    events_write_piece(&fixture->stream, &text, &fixture->out);
    assert_int_equal(text.len, 0);
    assert_string_equal(
        written(fixture),
        HEAD_CHAT "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a \\\"b\\\"\\n\"},\"finish_reason\":null}]}\n\n");
    buf_reset(&fixture->out);
    text = STR("a");
    prepare(fixture, &FORMAT_CHAT, true); /* then OpenAI has the member in every chunk */
    events_write_piece(&fixture->stream, &text, &fixture->out);
    assert_string_equal(
        written(fixture), HEAD_CHAT
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}],\"usage\":null}\n\n");
    buf_reset(&fixture->out);
    text = STR("a");
    prepare(fixture, &FORMAT_INFERENCE, true);
    events_write_piece(&fixture->stream, &text, &fixture->out);
    assert_string_equal(written(fixture), HEAD_INFERENCE "\"output\":\"a\",\"finish_reason\":null}\n\n");
}

/* A long text goes in several events, cut between characters; none of it is lost. */
static void test_a_long_text(void **state) {
    enum { CHARACTERS = LIMIT_DELTA_BYTES };
    struct fixture *fixture = *state;
    struct buf text, joined;
    size_t events = 0;
    buf_init(&text, 4 * CHARACTERS);
    buf_init(&joined, 4 * CHARACTERS);
    buf_append_cstr(&text, "x"); /* so that characters of two bytes are not in step with the limit */
    for (int i = 0; i < CHARACTERS; i++) {
        buf_append_cstr(&text, "\xc3\xa9");
    }
    prepare(fixture, &FORMAT_INFERENCE, false);
    for (struct str rest = buf_str(&text); rest.len > 0; events++) {
        const struct str before = rest;
        buf_reset(&fixture->out);
        events_write_piece(&fixture->stream, &rest, &fixture->out);
        const size_t taken = before.len - rest.len;
        assert_in_range(taken, LIMIT_DELTA_BYTES - 1 < before.len ? LIMIT_DELTA_BYTES - 1 : before.len,
                        LIMIT_DELTA_BYTES);
        assert_true(rest.len == 0 || (rest.data[0] & 0xc0) != 0x80);
        buf_append_str(&joined, (struct str){before.data, taken});
    }
    assert_int_equal(events, 3);
    assert_true(str_equal(buf_str(&joined), buf_str(&text)));
    buf_clear(&text);
    buf_clear(&joined);
}

/* What is no UTF-8 has no character to cut between, and moves on all the same. */
static void test_a_long_text_of_nothing(void **state) {
    struct fixture *fixture = *state;
    struct buf text;
    buf_init(&text, 2 * LIMIT_DELTA_BYTES);
    for (int i = 0; i < 2 * LIMIT_DELTA_BYTES; i++) {
        buf_append_cstr(&text, "\x80");
    }
    prepare(fixture, &FORMAT_INFERENCE, false);
    struct str rest = buf_str(&text);
    for (size_t events = 0; rest.len > 0; events++) {
        assert_true(events < 3);
        events_write_piece(&fixture->stream, &rest, &fixture->out);
    }
    buf_clear(&text);
}

/* --- Whole streams --- */

static void test_a_whole_chat(void **state) {
    struct fixture *fixture = *state;
    prepare(fixture, &FORMAT_CHAT, true);
    fixture->answer.text = STR("hi");
    events_write_whole(&fixture->stream, &fixture->answer, &fixture->out);
#define CHOICE(delta, reason)                                                                                          \
    HEAD_CHAT "\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":" reason "}],\"usage\":null}\n\n"
    assert_string_equal(written(fixture), CHOICE("{\"role\":\"assistant\",\"content\":\"\"}", "null")
                                              CHOICE("{\"content\":\"hi\"}", "null") CHOICE("{}", "\"stop\"") HEAD_CHAT
                        "\"choices\":[]," USAGE "}\n\ndata: [DONE]\n\n");
}

static void test_a_whole_inference(void **state) {
    struct fixture *fixture = *state;
    prepare(fixture, &FORMAT_INFERENCE, true);
    fixture->result.finish = GEN_FINISH_CANCELLED; /* clients know no better word for it than length */
    fixture->result.provider_region = "";
    events_write_whole(&fixture->stream, &fixture->answer, &fixture->out);
    assert_string_equal(
        written(fixture),
        HEAD_INFERENCE "\"output\":\"\",\"finish_reason\":\"length\"," USAGE
                       ",\"provider\":{\"region\":null,\"latency_ms\":245},\"nataris\":{\"inference_type\":\"p2p\","
                       "\"provider\":{\"id\":\"prov_1\",\"region\":null},\"attempts\":1,\"latency_ms\":245,\"ttft_ms\":"
                       "31}}\n\ndata: [DONE]\n\n");
}

/* An answer that is a call of the caller's tools, and was made of several steps. */
static void test_a_tool_call(void **state) {
    struct fixture *fixture = *state;
    prepare(fixture, &FORMAT_CHAT, false);
    fixture->result.tool_calls = STR("[{\"id\":\"call_1\",\"type\":\"function\"}]");
    fixture->result.nataris = STR("{\"workflow\":\"agent\"}");
    FORMAT_CHAT.end(&fixture->stream, &fixture->answer, &fixture->out);
    assert_string_equal(written(fixture), HEAD_CHAT
                        "\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":"
                        "\"function\"}]},\"finish_reason\":null}]}\n\n" HEAD_CHAT
                        "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}],\"nataris\":{"
                        "\"workflow\":\"agent\"}}\n\ndata: [DONE]\n\n");
    buf_reset(&fixture->out);
    FORMAT_CHAT.whole(&fixture->answer, &fixture->out);
    assert_non_null(strstr(written(fixture), "\"content\":null,\"tool_calls\":[{\"id\":\"call_1\""));
    assert_non_null(strstr(written(fixture), "\"nataris\":{\"workflow\":\"agent\"}}"));
}

/* --- In between --- */

static void test_notes(void **state) {
    struct fixture *fixture = *state;
    prepare(fixture, &FORMAT_CHAT, false);
    FORMAT_CHAT.note(&fixture->stream, STR("{\"step\":1}"), &fixture->out);
    assert_string_equal(
        written(fixture),
        HEAD_CHAT "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":null}],\"nataris\":{\"step\":1}}\n\n");
    buf_reset(&fixture->out);
    prepare(fixture, &FORMAT_INFERENCE, false);
    FORMAT_INFERENCE.note(&fixture->stream, STR("{\"step\":1}"), &fixture->out);
    assert_string_equal(written(fixture),
                        HEAD_INFERENCE "\"output\":\"\",\"finish_reason\":null,\"nataris\":{\"step\":1}}\n\n");
}

static void test_a_fault(void **state) {
    struct fixture *fixture = *state;
    struct fault fault;
    fault_set(&fault, FAULT_REQUEST_TIMEOUT, "too \"slow\"");
    events_write_fault(&fault, &fixture->out);
    assert_string_equal(written(fixture),
                        "data: {\"error\":{\"message\":\"too \\\"slow\\\"\",\"type\":\"timeout_error\","
                        "\"code\":\"REQUEST_TIMEOUT\",\"param\":null}}\n\n");
}

/* Wherever the room ends. */
static void test_an_arena_without_room(void **state) {
    struct fixture *fixture = *state;
    bool fits = false;
    for (size_t room = 0; !fits; room += 16) {
        struct arena arena;
        struct buf scratch;
        assert_true(room < 4096);
        buf_init(&scratch, 4096);
        arena_init(&arena, room);
        fits = events_prepare(&fixture->stream, &FORMAT_CHAT, &fixture->answer, false, &arena, &scratch);
        assert_true(!fits || room > 0);
        arena_clear(&arena);
        buf_clear(&scratch);
    }
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_piece),      TEST(test_a_long_text),       TEST(test_a_long_text_of_nothing),
        TEST(test_a_whole_chat), TEST(test_a_whole_inference), TEST(test_a_tool_call),
        TEST(test_notes),        TEST(test_a_fault),           TEST(test_an_arena_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
