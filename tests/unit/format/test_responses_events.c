/* The events of a stream of POST /v1/responses: numbered, and each item begun before it is told of, and ended. */
#include "format/responses_events.h"

#include "format/events.h"
#include "format/responses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct buf out;
    struct call_result result;
    struct answer answer;
    struct format_stream stream;
};

static const struct gen_tool_call call = {.id = STR("call_1"), .name = STR("f"), .arguments = STR("{\"a\":1}")};

static int setup(void **state) {
    static struct fixture fixture;
    struct buf scratch;
    fixture = (struct fixture){.result = {.finish = GEN_FINISH_STOP, .inference_type = "p2p"},
                               .answer = {.id = "resp_1", .model = STR("m"), .text = STR(""), .echo = STR("\"e\":1")}};
    arena_init(&fixture.arena, 4096);
    buf_init(&fixture.out, 1 << 22);
    buf_init(&scratch, 4096);
    assert_true(events_prepare(&fixture.stream, &FORMAT_RESPONSES, &fixture.answer, false, &fixture.arena, &scratch));
    buf_clear(&scratch);
    fixture.answer.result = &fixture.result;
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    events_clear(&fixture->stream);
    arena_clear(&fixture->arena);
    buf_clear(&fixture->out);
    return 0;
}

/* The names of the events so far, which must be numbered from 0; and in *last the last one's object. */
static const char *names(struct fixture *fixture, const char **last) {
    static char out[2048];
    const char *at = buf_cstr(&fixture->out);
    size_t used = 0, count = 0;
    out[0] = '\0';
    while (*at != '\0') {
        char name[64], number[128];
        assert_memory_equal(at, "event: ", strlen("event: "));
        at += strlen("event: ");
        assert_true(str_copy(name, sizeof(name), (struct str){at, (size_t)(strchr(at, '\n') - at)}));
        const char *data = strstr(at, "\ndata: ") + strlen("\ndata: ");
        snprintf(number, sizeof(number), "{\"type\":\"%.40s\",\"sequence_number\":%zu,", name, count++);
        assert_memory_equal(data, number, strlen(number));
        used += (size_t)snprintf(out + used, sizeof(out) - used, "%s ", name);
        *last = data;
        at = strstr(data, "\n\n") + 2;
    }
    return out;
}

static void assert_has(const char *text, const char *part) {
    if (strstr(text, part) == NULL) {
        fail_msg("%s is not in %s", part, text);
    }
}

#define BEGUN "response.created response.in_progress "
#define TEXT_BEGUN "response.output_item.added response.content_part.added "
#define TEXT_DONE "response.output_text.done response.content_part.done response.output_item.done "
#define CALL_DONE "response.function_call_arguments.done response.output_item.done "

static void test_a_text_and_a_call(void **state) {
    struct fixture *fixture = *state;
    const char *last;
    fixture->answer.text = STR("hi \"you\"");
    fixture->answer.calls = &call;
    fixture->answer.call_count = 1;
    events_write_whole(&fixture->stream, &fixture->answer, &fixture->out);
    assert_string_equal(names(fixture, &last),
                        BEGUN TEXT_BEGUN "response.output_text.delta " TEXT_DONE
                                         "response.output_item.added response.function_call_arguments.delta " CALL_DONE
                                         "response.completed ");
    assert_has(last, "\"status\":\"completed\"");
    assert_has(last, "\"output\":[{\"id\":\"msg_1000\",\"type\":\"message\",\"status\":\"completed\"");
    assert_has(last,
               "\"text\":\"hi \\\"you\\\"\"}]},{\"id\":\"fc_1001\",\"type\":\"function_call\","
               "\"status\":\"completed\",\"call_id\":\"call_1\",\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}]");
    assert_has(last, "\"e\":1,");
    /* The live stream is where it was. */
    assert_int_equal(fixture->stream.state->events, 0);
}

/* A text behind a call is an item of its own. */
static void test_a_text_behind_a_call(void **state) {
    struct fixture *fixture = *state;
    const struct format_stream *stream = &fixture->stream;
    const char *last;
    responses_begin(stream, &fixture->out);
    responses_call_start(stream, 0, &call, &fixture->out);
    responses_call_arguments(stream, 0, STR("{\"a\""), &fixture->out);
    responses_call_arguments(stream, 0, STR(":1}"), &fixture->out);
    responses_text(stream, STR("so"), &fixture->out);
    responses_text(stream, STR(" it is"), &fixture->out);
    fixture->result.finish = GEN_FINISH_LENGTH;
    responses_end(stream, &fixture->answer, &fixture->out);
    assert_string_equal(names(fixture, &last), BEGUN
                        "response.output_item.added response.function_call_arguments.delta "
                        "response.function_call_arguments.delta " CALL_DONE TEXT_BEGUN
                        "response.output_text.delta response.output_text.delta " TEXT_DONE "response.incomplete ");
    assert_has(last, "\"output\":[{\"id\":\"fc_1000\",\"type\":\"function_call\",\"status\":\"completed\"");
    assert_has(last, "{\"id\":\"msg_1001\",\"type\":\"message\",\"status\":\"incomplete\"");
    assert_has(last, "\"text\":\"so it is\"");
}

static void test_nothing_said(void **state) {
    struct fixture *fixture = *state;
    const char *last;
    responses_begin(&fixture->stream, &fixture->out);
    responses_end(&fixture->stream, &fixture->answer, &fixture->out);
    assert_string_equal(names(fixture, &last), BEGUN TEXT_BEGUN TEXT_DONE "response.completed ");
    assert_has(last, "\"text\":\"\"}]}]");
}

static void test_a_fault(void **state) {
    static const struct {
        enum fault_code code;
        const char *told;
    } cases[] = {{FAULT_UNAVAILABLE, "\"code\":\"server_error\""},
                 {FAULT_INTERNAL, "\"code\":\"server_error\""},
                 {FAULT_CONTEXT_LENGTH, "\"code\":\"context_length_exceeded\""},
                 {FAULT_RATE_LIMIT_EXCEEDED, "\"code\":\"rate_limit_exceeded\""},
                 {FAULT_INSUFFICIENT_CREDITS, "\"code\":\"insufficient_quota\""},
                 {FAULT_INVALID_REQUEST, "\"code\":\"invalid_prompt\""}};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault;
        const char *last = "";
        fault_set(&fault, cases[i].code, "it \"broke\"");
        buf_reset(&fixture->out);
        fixture->stream.state->events = 0;
        responses_begin(&fixture->stream, &fixture->out);
        events_write_broken(&fixture->stream, &fault, &fixture->out);
        assert_string_equal(names(fixture, &last), BEGUN "error response.failed ");
        assert_has(last, "\"status\":\"failed\"");
        assert_has(last, cases[i].told);
        assert_has(last, "\"message\":\"it \\\"broke\\\"\"");
        assert_has(last, "\"usage\":null");
    }
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_a_text_and_a_call), TEST(test_a_text_behind_a_call),
                                       TEST(test_nothing_said), TEST(test_a_fault)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
