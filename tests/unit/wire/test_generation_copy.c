/* gen_request_copy and gen_request_equal: nothing is shared afterwards, and each member matters. */
#include "wire/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A request with everything in it, and all that it borrows. */
struct made {
    char model[8], prompt[8], continue_text[8], stop[2][8], content[2][8], tool_call_id[8], id[8], name[8],
        arguments[8];
    struct gen_tool_call calls[2];
    struct gen_message messages[2];
    struct gen_bias biases[2];
    struct gen_request request;
};

static struct str text(char *to, const char *from) {
    (void)str_copy(to, 8, str_from(from));
    return str_from(to);
}

static void make(struct made *made) {
    struct gen_request *request = &made->request;
    gen_request_init(request);
    made->calls[0] = (struct gen_tool_call){text(made->id, "c1"), text(made->name, "add"), text(made->arguments, "{}")};
    made->calls[1] = (struct gen_tool_call){STR("c2"), STR("sub"), STR("[]")};
    made->messages[0] = (struct gen_message){.role = GEN_ROLE_USER,
                                             .content = text(made->content[0], "hello"),
                                             .tool_call_id = text(made->tool_call_id, "t")};
    made->messages[1] = (struct gen_message){.role = GEN_ROLE_ASSISTANT,
                                             .content = text(made->content[1], ""),
                                             .tool_call_id = STR(""),
                                             .tool_calls = made->calls,
                                             .tool_call_count = 2};
    request->model = text(made->model, "model");
    request->messages = made->messages;
    request->message_count = 2;
    request->prompt = text(made->prompt, "prompt");
    request->continue_text = text(made->continue_text, "so far");
    request->stop[0] = text(made->stop[0], "END");
    request->stop[1] = text(made->stop[1], "STOP");
    request->stop_count = 2;
    made->biases[0] = (struct gen_bias){.token = 5, .bias = -100};
    made->biases[1] = (struct gen_bias){.token = 6, .bias = 0.5};
    request->biases = made->biases;
    request->bias_count = 2;
    request->seed_given = true;
    request->seed = 7;
}

/* --- Each member --- */

#define CHANGES(name, statement)                                                                                       \
    static void change_##name(struct made *made) {                                                                     \
        struct gen_request *request = &made->request;                                                                  \
        (void)request;                                                                                                 \
        statement;                                                                                                     \
    }

CHANGES(model, request->model = STR("other"))
CHANGES(role, made->messages[0].role = GEN_ROLE_SYSTEM)
CHANGES(content, made->messages[0].content = STR("hellO"))
CHANGES(content_length, made->messages[0].content = STR("hello "))
CHANGES(tool_call_id, made->messages[0].tool_call_id = STR("u"))
CHANGES(call_count, made->messages[1].tool_call_count = 1)
CHANGES(call_id, made->calls[1].id = STR("c3"))
CHANGES(call_name, made->calls[1].name = STR("mul"))
CHANGES(call_arguments, made->calls[1].arguments = STR("{}"))
CHANGES(message_count, request->message_count = 1)
CHANGES(prompt, request->prompt = STR(""))
CHANGES(max_tokens, request->max_tokens++)
CHANGES(max_tokens_given, request->max_tokens_given = true)
CHANGES(temperature, request->temperature = 0.71)
CHANGES(top_p, request->top_p = 0.91)
CHANGES(min_p, request->min_p = 0.05)
CHANGES(frequency_penalty, request->frequency_penalty = 0.1)
CHANGES(presence_penalty, request->presence_penalty = 0.1)
CHANGES(repeat_penalty, request->repeat_penalty = 1.1)
CHANGES(top_k, request->top_k++)
CHANGES(seed_given, request->seed_given = false)
CHANGES(seed, request->seed++)
CHANGES(stop, request->stop[1] = STR("STOp"))
CHANGES(stop_count, request->stop_count = 1)
CHANGES(stream, request->stream = true)
CHANGES(continue_text, request->continue_text = STR("so"))

static void test_each_member_matters(void **state) {
    static void (*const changes[])(struct made * made) = {change_model,
                                                          change_role,
                                                          change_content,
                                                          change_content_length,
                                                          change_tool_call_id,
                                                          change_call_count,
                                                          change_call_id,
                                                          change_call_name,
                                                          change_call_arguments,
                                                          change_message_count,
                                                          change_prompt,
                                                          change_max_tokens,
                                                          change_temperature,
                                                          change_top_p,
                                                          change_min_p,
                                                          change_max_tokens_given,
                                                          change_frequency_penalty,
                                                          change_top_k,
                                                          change_repeat_penalty,
                                                          change_presence_penalty,
                                                          change_seed_given,
                                                          change_seed,
                                                          change_stop,
                                                          change_stop_count,
                                                          change_stream,
                                                          change_continue_text};
    struct made a, b;
    (void)state;
    make(&a);
    make(&b);
    assert_true(gen_request_equal(&a.request, &b.request)); /* by their bytes, wherever those stand */
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        make(&b);
        changes[i](&b);
        assert_false(gen_request_equal(&a.request, &b.request));
        assert_false(gen_request_equal(&b.request, &a.request));
    }
}

CHANGES(bias_token, made->biases[1].token = 7)
CHANGES(bias, made->biases[0].bias = -99)
CHANGES(bias_count, request->bias_count = 1)

CHANGES(logprobs, request->logprobs = true)
CHANGES(top_logprobs, request->top_logprobs = 2)

static void test_each_bias_matters(void **state) {
    static void (*const changes[])(struct made * made) = {change_bias_token, change_bias, change_bias_count,
                                                          change_logprobs, change_top_logprobs};
    struct made a, b;
    (void)state;
    make(&a);
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        make(&b);
        changes[i](&b);
        assert_false(gen_request_equal(&a.request, &b.request));
        assert_false(gen_request_equal(&b.request, &a.request));
    }
}

/* What is not asked for does not count. */
static void test_a_seed_that_is_not_given(void **state) {
    struct made a, b;
    (void)state;
    make(&a);
    make(&b);
    a.request.seed_given = b.request.seed_given = false;
    b.request.seed = 9;
    a.request.stop_count = b.request.stop_count = 1;
    b.request.stop[1] = STR("behind the count");
    assert_true(gen_request_equal(&a.request, &b.request));
}

/* --- Copies --- */

static void test_a_copy_shares_nothing(void **state) {
    struct made *gone = malloc(sizeof(*gone)), still;
    struct arena arena;
    (void)state;
    make(gone);
    make(&still);
    arena_init(&arena, 4096);
    struct gen_request copy = gone->request;
    assert_true(gen_request_copy(&arena, &copy));
    memset(gone, 'x', sizeof(*gone));
    free(gone);
    assert_true(gen_request_equal(&copy, &still.request));
    arena_clear(&arena);
}

static void test_a_copy_of_nothing(void **state) {
    struct gen_request request, copy;
    struct arena arena;
    (void)state;
    gen_request_init(&request);
    arena_init(&arena, 64);
    copy = request;
    assert_true(gen_request_copy(&arena, &copy));
    assert_true(gen_request_equal(&copy, &request));
    arena_clear(&arena);
}

/* Wherever in the request the room ends. */
static void test_a_full_arena(void **state) {
    size_t fits = 0;
    (void)state;
    for (size_t room = 0; fits == 0; room++) {
        struct arena arena;
        struct made made;
        assert_true(room < 4096);
        make(&made);
        arena_init(&arena, room);
        if (gen_request_copy(&arena, &made.request)) {
            fits = room;
        }
        arena_clear(&arena);
    }
    assert_true(fits > sizeof(struct gen_message)); /* it has failed before */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_member_matters),      cmocka_unit_test(test_each_bias_matters),
        cmocka_unit_test(test_a_seed_that_is_not_given), cmocka_unit_test(test_a_copy_shares_nothing),
        cmocka_unit_test(test_a_copy_of_nothing),        cmocka_unit_test(test_a_full_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
