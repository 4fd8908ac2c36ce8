#include "base/compiler.h"
#include "base/file.h"
#include "wire/generation.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct json_parser *parser;
    struct arena arena;
    struct buf text;
    struct gen_request request;
    struct err err;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture.parser = json_parser_new(1 << 22, LIMIT_JSON_DEPTH);
    arena_init(&fixture.arena, 1 << 22);
    buf_init(&fixture.text, 1 << 22);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    json_parser_free(fixture->parser);
    arena_clear(&fixture->arena);
    buf_clear(&fixture->text);
    return 0;
}

static struct str write_request(struct fixture *fixture, const struct gen_request *request) {
    struct json_writer writer;
    buf_reset(&fixture->text);
    json_writer_init(&writer, &fixture->text);
    json_begin_object(&writer);
    gen_request_write(request, &writer);
    json_end_object(&writer);
    assert_false(fixture->text.overflow);
    return buf_str(&fixture->text);
}

static bool read_request(struct fixture *fixture, struct str text) {
    struct json_value root;
    memset(&fixture->err, 0, sizeof(fixture->err));
    if (!json_parse(fixture->parser, text, &root, &fixture->err)) {
        fail_msg("%s", fixture->err.message);
    }
    return gen_request_read(root, &fixture->arena, &fixture->request, &fixture->err);
}

/* The golden files are one line of JSON each and a newline. */
static void check_golden(struct str text, const char *name) {
    char path[FILE_PATH_MAX];
    struct buf golden;
    struct err err = {0};
    buf_init(&golden, 1 << 16);
    assert_true(file_join(path, NATARIS_SOURCE_DIR "/tests/unit/wire", name, &err));
    assert_true(file_read(path, &golden, &err));
    buf_append(&golden, "", 1);
    golden.data[strcspn(golden.data, "\n")] = '\0';
    assert_string_equal(text.data, golden.data);
    buf_clear(&golden);
}

static const struct gen_tool_call calls[] = {{STR("call_1"), STR("get_weather"), STR("{\"city\":\"K\xc3\xb6ln\"}")}};
static const struct gen_message messages[] = {
    {.role = GEN_ROLE_SYSTEM, .content = STR("Be brief."), .tool_call_id = STR("")},
    {.role = GEN_ROLE_USER, .content = STR("Weather?\n\"now\""), .tool_call_id = STR("")},
    {.role = GEN_ROLE_ASSISTANT, .content = STR(""), .tool_calls = calls, .tool_call_count = 1},
    {.role = GEN_ROLE_TOOL, .content = STR("sunny"), .tool_call_id = STR("call_1")},
};

static struct gen_request chat_request(void) {
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("llama-3.2-1b-instruct-q4_k_m");
    request.messages = messages;
    request.message_count = COUNT_OF(messages);
    request.max_tokens = 64;
    request.max_tokens_given = true;
    request.temperature = 0;
    request.frequency_penalty = -0.5;
    request.seed_given = true;
    request.seed = UINT64_MAX;
    request.stop[0] = STR("\n\n");
    request.stop[1] = STR("END");
    request.stop_count = 2;
    request.stream = true;
    return request;
}

static void test_chat_golden(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct gen_request request = chat_request();
    struct str text = write_request(fixture, &request);
    buf_cstr(&fixture->text);
    check_golden(text, "generation_chat.json");
}

static void test_prompt_golden(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("qwen2.5-0.5b-instruct-q6_k");
    request.prompt = STR("Write a haiku about AI");
    struct str text = write_request(fixture, &request);
    buf_cstr(&fixture->text);
    check_golden(text, "generation_prompt.json");
}

static void test_chat_reads_back(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct gen_request sent = chat_request();
    assert_true(read_request(fixture, write_request(fixture, &sent)));
    json_parser_free(fixture->parser); /* nothing may be borrowed from the document */
    fixture->parser = json_parser_new(1 << 22, LIMIT_JSON_DEPTH);
    const struct gen_request *got = &fixture->request;
    assert_true(str_equal(got->model, sent.model));
    assert_int_equal(got->message_count, sent.message_count);
    for (size_t i = 0; i < sent.message_count; i++) {
        assert_int_equal(got->messages[i].role, messages[i].role);
        assert_true(str_equal(got->messages[i].content, messages[i].content));
        assert_true(str_equal(got->messages[i].tool_call_id, messages[i].tool_call_id));
    }
    assert_int_equal(got->messages[2].tool_call_count, 1);
    assert_true(str_equal(got->messages[2].tool_calls[0].id, calls[0].id));
    assert_true(str_equal(got->messages[2].tool_calls[0].name, calls[0].name));
    assert_true(str_equal(got->messages[2].tool_calls[0].arguments, calls[0].arguments));
    assert_int_equal(got->prompt.len, 0);
    assert_int_equal(got->max_tokens, 64);
    assert_true(got->max_tokens_given && got->stream && got->seed_given);
    assert_true(got->seed == INT64_MAX); /* the top bit does not cross the wire */
    assert_true(got->temperature == 0 && got->top_p == 0.9 && got->frequency_penalty == -0.5);
    assert_int_equal(got->stop_count, 2);
    assert_true(str_equal(got->stop[1], STR("END")));
}

static void test_biases_read_back(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    static const struct gen_bias biases[] = {{0, -100}, {INT32_MAX, 100}, {77, 0.125}};
    struct gen_request sent = chat_request();
    sent.biases = biases;
    sent.bias_count = COUNT_OF(biases);
    sent.logprobs = true;
    sent.top_logprobs = 7;
    assert_true(read_request(fixture, write_request(fixture, &sent)));
    assert_int_equal(fixture->request.bias_count, COUNT_OF(biases));
    assert_true(fixture->request.logprobs);
    assert_int_equal(fixture->request.top_logprobs, 7);
    for (size_t i = 0; i < COUNT_OF(biases); i++) {
        assert_int_equal(fixture->request.biases[i].token, biases[i].token);
        assert_true(fixture->request.biases[i].bias == biases[i].bias);
    }
}

static void test_absent_members_get_defaults(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    assert_true(read_request(fixture, STR("{\"model\":\"m\",\"prompt\":\"p\",\"from_the_future\":[1]}")));
    const struct gen_request *got = &fixture->request;
    assert_true(str_equal(got->prompt, STR("p")));
    assert_int_equal(got->message_count, 0);
    assert_int_equal(got->max_tokens, 256);
    assert_true(got->temperature == 0.7 && got->top_p == 0.9 && got->repeat_penalty == 1.0);
    assert_int_equal(got->top_k, 40);
    assert_false(got->max_tokens_given || got->seed_given || got->stream);
    assert_int_equal(got->stop_count, 0);
}

static void test_bad_members_are_named(void **state) {
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"[]", ""},
        {"{\"prompt\":\"p\"}", "model"},
        {"{\"model\":7,\"prompt\":\"p\"}", "model"},
        {"{\"model\":\"\",\"prompt\":\"p\"}", "model"},
        {"{\"model\":\"m\"}", "prompt"},
        {"{\"model\":\"m\",\"prompt\":[]}", "prompt"},
        {"{\"model\":\"m\",\"messages\":{}}", "messages"},
        {"{\"model\":\"m\",\"messages\":[]}", "messages"},
        {"{\"model\":\"m\",\"messages\":[7]}", "messages[0].role"},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"prompt\":\"p\"}", "prompt"},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"king\",\"content\":\"x\"}]}",
         "messages[1].role"},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":null}]}", "messages[0].content"},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}]}", "messages[0].content"},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"a\"}]}]}",
         "messages[0].tool_calls[0].name"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"max_tokens\":0}", "max_tokens"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"max_tokens\":131073}", "max_tokens"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"max_tokens\":1.5}", "max_tokens"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"max_tokens\":\"5\"}", "max_tokens"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"max_tokens_given\":1}", "max_tokens_given"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"temperature\":2.01}", "temperature"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"temperature\":-0.01}", "temperature"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"temperature\":true}", "temperature"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"top_p\":1.01}", "top_p"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"frequency_penalty\":-2.5}", "frequency_penalty"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"presence_penalty\":3}", "presence_penalty"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"repeat_penalty\":11}", "repeat_penalty"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"top_k\":-1}", "top_k"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"top_k\":4294967297}", "top_k"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"seed\":-1}", "seed"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"seed\":9223372036854775808}", "seed"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"stop\":\"x\"}", "stop"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"stop\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}", "stop"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"min_p\":1.5}", "min_p"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"min_p\":\"0\"}", "min_p"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"stop\":[\"1\",\"\"]}", "stop[1]"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"stop\":[7]}", "stop[0]"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"logit_bias\":{\"5\":1}}", "logit_bias"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"logprobs\":21}", "logprobs"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"logprobs\":true}", "logprobs"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"logit_bias\":[[5,1],[5]]}", "logit_bias[1]"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"logit_bias\":[[5,101]]}", "logit_bias[0]"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"logit_bias\":[[-1,1]]}", "logit_bias[0]"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"logit_bias\":[[2147483648,1]]}", "logit_bias[0]"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"logit_bias\":[[1.5,1]]}", "logit_bias[0]"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"stream\":null}", "stream"},
    };
    struct fixture *fixture = (struct fixture *)*state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (read_request(fixture, str_from(cases[i].text))) {
            fail_msg("accepted: %s", cases[i].text);
        }
        assert_int_equal(fixture->err.code, ERR_INVALID);
        assert_string_equal(fixture->err.field, cases[i].field);
        assert_true(fixture->err.message[0] != '\0');
    }
}

static void append_repeated(struct buf *text, const char *part, size_t count) {
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(text, i > 0 ? "," : "");
        buf_append_cstr(text, part);
    }
}

static void test_counts_and_lengths_are_limited(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    for (size_t over = 0; over < 2; over++) {
        buf_reset(&fixture->text);
        buf_append_cstr(&fixture->text, "{\"model\":\"m\",\"messages\":[");
        append_repeated(&fixture->text, "{\"role\":\"user\",\"content\":\"\"}", LIMIT_MESSAGES + over);
        buf_append_cstr(&fixture->text, "]}");
        assert_int_equal(read_request(fixture, buf_str(&fixture->text)), over == 0);
        buf_reset(&fixture->text);
        buf_append_cstr(&fixture->text, "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\","
                                        "\"tool_calls\":[");
        append_repeated(&fixture->text, "{\"id\":\"\",\"name\":\"\",\"arguments\":\"\"}", LIMIT_TOOL_CALLS + over);
        buf_append_cstr(&fixture->text, "]}]}");
        assert_int_equal(read_request(fixture, buf_str(&fixture->text)), over == 0);
        buf_reset(&fixture->text);
        buf_append_format(&fixture->text, "{\"model\":\"%0*d\",\"prompt\":\"\"}", (int)(LIMIT_MODEL_ID_BYTES + over),
                          1);
        assert_int_equal(read_request(fixture, buf_str(&fixture->text)), over == 0);
    }
}

static void test_a_full_arena_is_an_error(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct gen_request sent = chat_request();
    struct str text = write_request(fixture, &sent);
    bool done = false;
    for (size_t limit = 0; !done; limit += 16) {
        arena_clear(&fixture->arena);
        arena_init(&fixture->arena, limit);
        done = read_request(fixture, text);
        assert_true(done || fixture->err.code == ERR_TOO_LARGE);
        assert_true(limit < 4096);
    }
}

static void test_names(void **state) {
    (void)state;
    for (int i = GEN_FINISH_STOP; i <= GEN_FINISH_CANCELLED; i++) {
        enum gen_finish finish;
        assert_true(gen_finish_from_name(str_from(gen_finish_name((enum gen_finish)i)), &finish));
        assert_int_equal(finish, i);
    }
    for (int i = GEN_FAILURE_BAD_REQUEST; i <= GEN_FAILURE_DRAINING; i++) {
        enum gen_failure failure;
        assert_true(gen_failure_from_name(str_from(gen_failure_name((enum gen_failure)i)), &failure));
        assert_int_equal(failure, i);
    }
    enum gen_role role;
    assert_true(gen_role_from_name(STR("tool"), &role));
    assert_int_equal(role, GEN_ROLE_TOOL);
    assert_false(gen_role_from_name(STR("Tool"), &role));
    assert_string_equal(gen_finish_name(GEN_FINISH_LENGTH), "length");
    assert_string_equal(gen_failure_name(GEN_FAILURE_CONTEXT_LENGTH), "context_length");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_chat_golden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prompt_golden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chat_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_biases_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absent_members_get_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_members_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counts_and_lengths_are_limited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_arena_is_an_error, setup, teardown),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
