/* What a call may cost at most. */
#include "call/price.h"

#include "catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_prompt_tokens_max(void **state) {
    (void)state;
    const struct gen_tool_call call = {.id = STR("c1"), .name = STR("f"), .arguments = STR("{\"a\":\"b\"}")};
    const struct gen_message messages[] = {
        {.role = GEN_ROLE_SYSTEM, .content = STR("\xc3\xa9t\xc3\xa9")},
        {.role = GEN_ROLE_ASSISTANT, .content = STR(""), .tool_calls = &call, .tool_call_count = 1},
        {.role = GEN_ROLE_TOOL, .content = STR("9"), .tool_call_id = STR("c1")},
    };
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("nobody-knows-it");
    request.prompt = STR("12345");
    assert_int_equal(price_prompt_tokens_max(&request), 40 + 5);
    request.prompt = STR("");
    request.messages = messages;
    request.message_count = 1;
    assert_int_equal(price_prompt_tokens_max(&request), 40 + 12 + 5);
    request.message_count = 3;
    assert_int_equal(price_prompt_tokens_max(&request), 40 + 3 * 12 + 5 + (64 + 6 * 12) + (1 + 6 * 2));
    request.message_count = 1;
    request.model = STR("qwen2.5-0.5b-instruct-q6_k");
    assert_int_equal(price_prompt_tokens_max(&request), 32 + 8 + 5);
}

static void test_prices(void **state) {
    (void)state;
    int64_t prompt, completion;
    price_of_model(STR("qwen2.5-0.5b-instruct-q6_k"), &prompt, &completion);
    assert_int_equal(prompt, 50);
    assert_int_equal(completion, 100);
    price_of_model(STR("nobody-knows-it"), &prompt, &completion);
    assert_int_equal(prompt, CATALOG_OTHER_PROMPT_PRICE_NANO);
    assert_int_equal(completion, CATALOG_OTHER_COMPLETION_PRICE_NANO);
    assert_true(prompt > 0 && completion > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompt_tokens_max),
        cmocka_unit_test(test_prices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
