#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/script.h"

#include "base/buf.h"

static const struct script_device PLAIN;

static struct gen_request request_of(struct gen_message *message, const char *text) {
    struct gen_request request;
    gen_request_init(&request);
    *message = (struct gen_message){.role = GEN_ROLE_USER, .content = str_from(text)};
    request.messages = message;
    request.message_count = 1;
    return request;
}

static uint32_t read_all(struct script *script, struct buf *out) {
    struct str token;
    uint32_t count = 0;
    buf_init(out, 64 * 1024);
    while (script_next(script, &token)) {
        buf_append_str(out, token);
        count++;
    }
    return count;
}

static void is_decided_by_the_last_message(void **state) {
    (void)state;
    struct gen_message message;
    struct script script;
    struct buf first, again, other;
    struct gen_request request = request_of(&message, "What is it?");
    assert_true(script_init(&script, &request, &PLAIN, NULL));
    uint32_t count = read_all(&script, &first);
    assert_true(count >= 12 && count < 32);
    script_clear(&script);
    assert_true(script_init(&script, &request, &PLAIN, NULL));
    read_all(&script, &again);
    script_clear(&script);
    message.content = STR("What is that?");
    assert_true(script_init(&script, &request, &PLAIN, NULL));
    read_all(&script, &other);
    script_clear(&script);
    assert_string_equal(buf_cstr(&first), buf_cstr(&again));
    assert_string_not_equal(buf_cstr(&first), buf_cstr(&other));
    buf_clear(&first);
    buf_clear(&again);
    buf_clear(&other);
}

static void follows_directives(void **state) {
    (void)state;
    struct gen_message message;
    struct script script;
    struct gen_request request =
        request_of(&message, "Hi [[script tokens=50 rate=200 prefill=300 fail=engine after=10 silent]] there");
    assert_true(script_init(&script, &request, &(struct script_device){.rate = 5, .prefill_ms = 7}, NULL));
    assert_int_equal(script.tokens, 50);
    assert_true(script.rate == 200);
    assert_int_equal(script.prefill_ms, 300);
    assert_true(script.fails && script.late && script.silent);
    assert_int_equal(script.failure, GEN_FAILURE_ENGINE);
    assert_int_equal(script.after, 10);
    script_clear(&script);
    message.content = STR("[[script fail=overloaded]]");
    assert_true(script_init(&script, &request, &(struct script_device){.rate = 5, .prefill_ms = 7}, NULL));
    assert_true(script.fails && !script.late && !script.silent);
    assert_int_equal(script.failure, GEN_FAILURE_OVERLOADED);
    assert_true(script.rate == 5);
    assert_int_equal(script.prefill_ms, 7);
    script_clear(&script);
}

static void says_a_literal_text(void **state) {
    (void)state;
    struct gen_message message;
    struct script script;
    struct buf out;
    struct gen_request request =
        request_of(&message, "[[script text=\" Say \\\"yes\\\" \\\\ now ]]\\n then. \\n\" rate=3]]");
    assert_true(script_init(&script, &request, &PLAIN, NULL));
    assert_true(script.rate == 3);
    assert_int_equal(read_all(&script, &out), 6);
    assert_string_equal(buf_cstr(&out), " Say \"yes\" \\ now ]]\n then. \n");
    script_clear(&script);
    buf_clear(&out);
}

/* The directive is in the last message of the user, whatever comes after it. */
static void finds_the_last_user_message(void **state) {
    (void)state;
    struct gen_message messages[] = {
        {.role = GEN_ROLE_USER, .content = STR("[[script tokens=1]]")},
        {.role = GEN_ROLE_USER, .content = STR("[[script tokens=2]]")},
        {.role = GEN_ROLE_ASSISTANT, .content = STR("[[script tokens=3]]")},
    };
    struct script script;
    struct gen_request request;
    gen_request_init(&request);
    request.messages = messages;
    request.message_count = 3;
    assert_true(script_init(&script, &request, &PLAIN, NULL));
    assert_int_equal(script.tokens, 2);
    script_clear(&script);
}

static void refuses_unknown_directives(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"[[script tokens=x]]",   "[[script speed=4]]", "[[script text=\"open]]",
                                        "[[script fail=sleep]]", "[[script tokens=4",  "[[script"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct gen_message message;
        struct script script;
        struct err err;
        struct gen_request request = request_of(&message, TEXTS[i]);
        assert_false(script_init(&script, &request, &PLAIN, &err));
        assert_int_equal(err.code, ERR_INVALID);
        script_clear(&script);
    }
}

static void device_words_hold_against_the_directive(void **state) {
    (void)state;
    struct gen_message message;
    struct script script;
    struct gen_request request = request_of(&message, "[[script tokens=50 rate=200 lie=2]]");
    const struct script_device device = {.rate = 5, .words = "rate=3 lie=7 loop exit=9"};
    assert_true(script_init(&script, &request, &PLAIN, NULL));
    assert_int_equal(script.lie, 2);
    assert_false(script.loops || script.exits);
    script_clear(&script);
    assert_true(script_init(&script, &request, &device, NULL));
    assert_int_equal(script.tokens, 50);
    assert_true(script.rate == 3);
    assert_int_equal(script.lie, 7);
    assert_true(script.loops && script.exits);
    assert_int_equal(script.exit_after, 9);
    script_clear(&script);
    assert_true(script_check("silent after=3", NULL));
    assert_false(script_check("honest", NULL));
}

/* Nobody who can send a prompt may end the process. */
static void a_prompt_cannot_make_the_process_exit(void **state) {
    (void)state;
    struct gen_message message;
    struct script script;
    struct gen_request request = request_of(&message, "[[script exit=1]]");
    assert_false(script_init(&script, &request, &PLAIN, NULL));
    assert_false(script.exits);
    script_clear(&script);
}

static void loops(void **state) {
    (void)state;
    struct gen_message message;
    struct script script;
    struct str first, other;
    struct gen_request request = request_of(&message, "[[script loop tokens=9]]");
    assert_true(script_init(&script, &request, &PLAIN, NULL));
    assert_true(script_next(&script, &first));
    for (int i = 1; i < 9; i++) {
        assert_true(script_next(&script, &other));
        assert_int_equal(other.data[0], ' ');
        assert_true(str_equal((struct str){other.data + 1, other.len - 1}, first));
    }
    assert_false(script_next(&script, &other));
    script_clear(&script);
}

static void check_continued(const char *said, const char *rest, uint32_t tokens) {
    struct gen_message message;
    struct script script;
    struct buf out;
    struct gen_request request = request_of(&message, "[[script text=\"one two  three \"]]");
    assert_true(script_init(&script, &request, &PLAIN, NULL));
    script_continue(&script, str_from(said));
    assert_int_equal(read_all(&script, &out), tokens);
    assert_string_equal(buf_cstr(&out), rest);
    buf_clear(&out);
    script_clear(&script);
}

static void continues_anywhere(void **state) {
    (void)state;
    check_continued("", "one two  three ", 3);
    check_continued("one", " two  three ", 2);
    check_continued("one ", "two  three ", 2);
    check_continued("one two  thr", "ee ", 1);
    check_continued("one two  three", " ", 1);
    check_continued("one two  three ", "", 0);
    check_continued("one three", "one two  three ", 3); /* never said so: from the start */
    check_continued("one two  three and more", "one two  three ", 3);
}

static void counts_the_words_of_the_prompt(void **state) {
    (void)state;
    struct gen_message messages[] = {
        {.role = GEN_ROLE_SYSTEM, .content = STR(" Be  brief.\n")},
        {.role = GEN_ROLE_USER, .content = STR("one two\tthree")},
    };
    struct gen_request request;
    gen_request_init(&request);
    request.messages = messages;
    request.message_count = 2;
    assert_int_equal(script_count_prompt(&request), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_decided_by_the_last_message),
        cmocka_unit_test(follows_directives),
        cmocka_unit_test(says_a_literal_text),
        cmocka_unit_test(finds_the_last_user_message),
        cmocka_unit_test(refuses_unknown_directives),
        cmocka_unit_test(device_words_hold_against_the_directive),
        cmocka_unit_test(a_prompt_cannot_make_the_process_exit),
        cmocka_unit_test(loops),
        cmocka_unit_test(continues_anywhere),
        cmocka_unit_test(counts_the_words_of_the_prompt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
