/* The sandbox's directives: what each asks for, and which are not understood. */
#include "gateway/sandbox/trigger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct gen_message message;

static struct gen_request request_of(const char *text) {
    struct gen_request request;
    gen_request_init(&request);
    message = (struct gen_message){.role = GEN_ROLE_USER, .content = str_from(text)};
    request.messages = &message;
    request.message_count = 1;
    return request;
}

static void test_understood(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool fails;
        enum fault_code code;
        uint32_t after, rate, retry_after_s;
    } cases[] = {
        {"hello", false, 0, 0, 0, 0},
        {"[[script tokens=3]]", false, 0, 0, 0, 0},
        {"[[sandbox error=INVALID_REQUEST]]", true, FAULT_INVALID_REQUEST, 0, 0, 0},
        {"[[sandbox error=context_length_exceeded]]", true, FAULT_CONTEXT_LENGTH, 0, 0, 0},
        {"[[sandbox error=INVALID_API_KEY]]", true, FAULT_INVALID_API_KEY, 0, 0, 0},
        {"[[sandbox error=INSUFFICIENT_CREDITS]]", true, FAULT_INSUFFICIENT_CREDITS, 0, 0, 0},
        {"[[sandbox error=FORBIDDEN]]", true, FAULT_FORBIDDEN, 0, 0, 0},
        {"[[sandbox error=MODEL_NOT_FOUND]]", true, FAULT_MODEL_NOT_FOUND, 0, 0, 0},
        {"[[sandbox error=REQUEST_TIMEOUT]]", true, FAULT_REQUEST_TIMEOUT, 0, 0, 0},
        {"[[sandbox error=IDEMPOTENCY_CONFLICT]]", true, FAULT_CONFLICT, 0, 0, 0},
        {"[[sandbox error=CONVERSATION_BUSY]]", true, FAULT_CONVERSATION_BUSY, 0, 0, 0},
        {"[[sandbox error=RATE_LIMIT_EXCEEDED retry_after=7]]", true, FAULT_RATE_LIMIT_EXCEEDED, 0, 0, 7},
        {"[[sandbox error=INTERNAL_ERROR]]", true, FAULT_INTERNAL, 0, 0, 0},
        {"[[sandbox error=model_warming]]", true, FAULT_MODEL_WARMING, 0, 0, 0},
        {"[[sandbox error=SERVICE_UNAVAILABLE]]", true, FAULT_UNAVAILABLE, 0, 0, 0},
        {"[[sandbox error=device_lost]]", true, FAULT_UNAVAILABLE, 3, 0, 0},
        {"[[sandbox error=device_lost after=9]]", true, FAULT_UNAVAILABLE, 9, 0, 0},
        {"[[sandbox after=9 error=device_lost rate=50]]", true, FAULT_UNAVAILABLE, 9, 50, 0},
        {"say [[sandbox   slow ]] please", false, 0, 0, 2, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct gen_request request = request_of(cases[i].text);
        struct sandbox_trigger trigger;
        assert_true(sandbox_trigger_read(&request, &trigger));
        assert_int_equal(trigger.fails, cases[i].fails);
        assert_int_equal(trigger.after, cases[i].after);
        assert_int_equal(trigger.rate, cases[i].rate);
        assert_int_equal(trigger.error.retry_after_ms, cases[i].retry_after_s * 1000);
        if (cases[i].fails) {
            assert_int_equal(trigger.error.code, cases[i].code);
            assert_true(trigger.error.message[0] != '\0');
        }
    }
}

static void test_not_understood(void **state) {
    (void)state;
    static const char *const texts[] = {
        "[[sandboxes]]",
        "[[sandbox error=NO_SUCH]]",
        "[[sandbox error]]",
        "[[sandbox error=]]",
        "[[sandbox speed=3]]",
        "[[sandbox after=x error=device_lost]]",
        "[[sandbox after=3]]",
        "[[sandbox retry_after=3]]",
        "[[sandbox rate=-1]]",
        "[[sandbox rate=99999999999]]",
        "[[sandbox error=model_warming",
        "[[sandbox",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct gen_request request = request_of(texts[i]);
        struct sandbox_trigger trigger;
        if (sandbox_trigger_read(&request, &trigger)) {
            fail_msg("'%s' is understood", texts[i]);
        }
        assert_int_equal(trigger.error.code, FAULT_INVALID_REQUEST);
        assert_string_equal(trigger.error.param, "messages[0].content");
    }
}

/* A request without messages has it in its prompt. */
static void test_prompt(void **state) {
    (void)state;
    struct gen_request request, out;
    struct sandbox_trigger trigger;
    struct arena arena;
    arena_init(&arena, 4096);
    gen_request_init(&request);
    request.prompt = STR("go [[sandbox rate=7]] on");
    assert_true(sandbox_trigger_read(&request, &trigger));
    assert_int_equal(trigger.rate, 7);
    assert_true(sandbox_trigger_translate(&trigger, &request, &arena, &out));
    assert_true(str_equal(out.prompt, STR("go [[script rate=7]] on")));
    assert_int_equal(out.message_count, 0);
    request.prompt = STR("[[sandbox error=NO_SUCH]]");
    assert_false(sandbox_trigger_read(&request, &trigger));
    assert_string_equal(trigger.error.param, "prompt");
    request.prompt = STR("plain");
    assert_true(sandbox_trigger_read(&request, &trigger));
    assert_false(trigger.fails);
    arena_clear(&arena);
}

/* Only what the user said last counts. */
static void test_last_user_message(void **state) {
    (void)state;
    struct gen_message messages[] = {
        {.role = GEN_ROLE_USER, .content = STR("[[sandbox error=model_warming]]")},
        {.role = GEN_ROLE_USER, .content = STR("hello")},
        {.role = GEN_ROLE_ASSISTANT, .content = STR("[[sandbox error=model_warming]]")},
    };
    struct gen_request request;
    struct sandbox_trigger trigger;
    gen_request_init(&request);
    request.messages = messages;
    request.message_count = COUNT_OF(messages);
    assert_true(sandbox_trigger_read(&request, &trigger));
    assert_false(trigger.fails);
    messages[1].role = GEN_ROLE_SYSTEM;
    assert_true(sandbox_trigger_read(&request, &trigger));
    assert_true(trigger.fails);
    request.messages = messages + 2;
    request.message_count = 1;
    assert_true(sandbox_trigger_read(&request, &trigger));
    assert_false(trigger.fails);
}

static void test_translate(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"hello", "hello"},
        {"a [[sandbox slow]] b", "a [[script rate=2]] b"},
        {"[[sandbox rate=77 error=device_lost]]", "[[script rate=77]]"},
        {"[[sandbox error=device_lost]]", "[[sandbox error=device_lost]]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        struct gen_request request = request_of(cases[i].text), translated;
        struct sandbox_trigger trigger;
        arena_init(&arena, 64 * 1024);
        assert_true(sandbox_trigger_read(&request, &trigger));
        assert_true(sandbox_trigger_translate(&trigger, &request, &arena, &translated));
        assert_true(str_equal_cstr(translated.messages[0].content, cases[i].expected));
        assert_true(str_equal_cstr(message.content, cases[i].text));
        arena_clear(&arena);
    }
    struct arena full;
    struct gen_request request = request_of("[[sandbox slow]]"), translated;
    struct sandbox_trigger trigger;
    arena_init(&full, 0);
    assert_true(sandbox_trigger_read(&request, &trigger));
    assert_false(sandbox_trigger_translate(&trigger, &request, &full, &translated));
    arena_clear(&full);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_understood),        cmocka_unit_test(test_not_understood),
        cmocka_unit_test(test_last_user_message), cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_translate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
