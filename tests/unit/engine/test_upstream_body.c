/* What servers are asked, by what is known of them. */
#include "engine/upstream_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct upstream_server PLAIN = {.kind = UPSTREAM_PLAIN}, LLAMA = {.kind = UPSTREAM_LLAMA_SERVER},
                                    VLLM = {.kind = UPSTREAM_VLLM};

static struct gen_request chat(const struct gen_message *messages, size_t count) {
    struct gen_request request;
    gen_request_init(&request);
    request.messages = messages;
    request.message_count = count;
    return request;
}

static void assert_body(const struct upstream_ask *ask, const char *expected) {
    struct buf out;
    buf_init(&out, UPSTREAM_BODY_MAX);
    assert_true(upstream_body_write(&out, ask));
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
}

static void a_chat_for_any_server(void **state) {
    const struct gen_message message = {.role = GEN_ROLE_USER, .content = STR("H\"i\n")};
    struct gen_request request = chat(&message, 1);
    struct upstream_ask ask = {.request = &request, .model = STR("m"), .server = &PLAIN};
    (void)state;
    request.stop_count = 6;
    for (size_t i = 0; i < request.stop_count; i++) {
        request.stop[i] = STR("s");
    }
    request.seed_given = true;
    request.seed = 5;
    assert_string_equal(upstream_body_path(&request), "/chat/completions");
    assert_body(&ask,
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"H\\\"i\\n\"}],\"stream\":true,"
                "\"stream_options\":{\"include_usage\":true},\"max_tokens\":256,\"stop\":[\"s\",\"s\",\"s\",\"s\"],"
                "\"temperature\":0.7,\"top_p\":0.9,\"seed\":5,\"top_k\":40}");
    ask.no_options = ask.no_sampling = ask.no_maximum = true;
    request.stop_count = 0;
    request.frequency_penalty = 0.5;
    request.presence_penalty = -0.5;
    assert_body(&ask,
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"H\\\"i\\n\"}],\"stream\":true,"
                "\"temperature\":0.7,\"top_p\":0.9,\"frequency_penalty\":0.5,\"presence_penalty\":-0.5,\"seed\":5}");
}

static void calls_and_results_are_texts(void **state) {
    static const struct gen_tool_call CALLS[] = {{.id = {"a", 1}, .name = {"f", 1}, .arguments = {"{\"x\": 1}", 8}},
                                                 {.id = {"b", 1}, .name = {"g", 1}}};
    const struct gen_message messages[] = {
        {.role = GEN_ROLE_ASSISTANT, .content = STR("So:"), .tool_calls = CALLS, .tool_call_count = 2},
        {.role = GEN_ROLE_TOOL, .content = STR("r1"), .tool_call_id = STR("a")},
        {.role = GEN_ROLE_TOOL, .content = STR("r2"), .tool_call_id = STR("b")},
        {.role = GEN_ROLE_USER, .content = STR("Well?")}};
    const struct gen_request request = chat(messages, 4);
    const struct upstream_ask ask = {
        .request = &request, .model = STR("m"), .server = &PLAIN, .no_options = true, .no_sampling = true};
    (void)state;
    assert_body(&ask,
                "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"So:\\n<tool_call>\\n"
                "{\\\"name\\\":\\\"f\\\",\\\"arguments\\\":{\\\"x\\\": 1}}\\n</tool_call>\\n<tool_call>\\n"
                "{\\\"name\\\":\\\"g\\\",\\\"arguments\\\":{}}\\n</tool_call>\"},{\"role\":\"user\",\"content\":"
                "\"<tool_response>\\nr1\\n</tool_response>\\n<tool_response>\\nr2\\n</tool_response>\"},"
                "{\"role\":\"user\",\"content\":\"Well?\"}],\"stream\":true,\"max_tokens\":256,\"temperature\":0.7,"
                "\"top_p\":0.9}");
}

static void what_only_some_servers_know(void **state) {
    const struct gen_message message = {.role = GEN_ROLE_USER, .content = STR("Hi")};
    struct gen_request request = chat(&message, 1);
    struct upstream_ask ask = {.request = &request, .model = STR("m"), .server = &LLAMA};
    (void)state;
    request.top_k = 0;
    request.grammar = STR("root ::= \"x\"");
    assert_body(&ask,
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true,"
                "\"stream_options\":{\"include_usage\":true},\"max_tokens\":256,\"temperature\":0.7,\"top_p\":0.9,"
                "\"top_k\":0,\"min_p\":0,\"repeat_penalty\":1,\"timings_per_token\":true,"
                "\"return_progress\":true,\"reasoning_format\":\"none\",\"grammar\":\"root ::= \\\"x\\\"\"}");
    request.grammar = STR("");
    request.repeat_penalty = 1.5;
    request.continue_text = STR("So far");
    request.scope = STR("acct");
    ask.server = &VLLM;
    assert_body(&ask, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\","
                      "\"content\":\"So far\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true,"
                      "\"continuous_usage_stats\":true},\"max_tokens\":256,\"temperature\":0.7,\"top_p\":0.9,"
                      "\"repetition_penalty\":1.5,\"cache_salt\":\"acct\",\"add_generation_prompt\":false,"
                      "\"continue_final_message\":true}");
}

static void what_a_server_can_do(void **state) {
    const struct gen_message message = {.role = GEN_ROLE_USER, .content = STR("Hi")};
    struct gen_request request = chat(&message, 1);
    (void)state;
    assert_true(upstream_body_is_possible(&request, &PLAIN));
    request.continue_text = STR("So far");
    assert_false(upstream_body_is_possible(&request, &PLAIN));
    assert_true(upstream_body_is_possible(&request, &LLAMA));
    assert_true(upstream_body_is_possible(&request, &VLLM));
    request.grammar = STR("root ::= \"x\"");
    assert_false(upstream_body_is_possible(&request, &LLAMA));
    request.continue_text = STR("");
    assert_true(upstream_body_is_possible(&request, &LLAMA));
    assert_false(upstream_body_is_possible(&request, &VLLM));
    request.grammar = STR("");
    request.message_count = 0;
    request.prompt = STR("Once");
    request.continue_text = STR(" upon");
    assert_true(upstream_body_is_possible(&request, &PLAIN));
    assert_string_equal(upstream_body_path(&request), "/completions");
    const struct upstream_ask ask = {.request = &request, .model = STR("m"), .server = &PLAIN, .no_sampling = true};
    assert_body(&ask, "{\"model\":\"m\",\"prompt\":\"Once upon\",\"stream\":true,\"stream_options\":"
                      "{\"include_usage\":true},\"max_tokens\":256,\"temperature\":0.7,\"top_p\":0.9}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chat_for_any_server), cmocka_unit_test(calls_and_results_are_texts),
        cmocka_unit_test(what_only_some_servers_know), cmocka_unit_test(what_a_server_can_do)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
