/* What of a call's messages its conversation has already. A conversation and a request are written as texts: "u:a"
 * is said by the user, "a:" by the assistant, "s:" is a system text; messages are separated by "|". */
#include "conversation/repeated.h"
#include "conversation/stored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGES_MAX = 64 };

static size_t read_messages(const char *text, struct gen_message *out) {
    struct str rest = str_from(text), one;
    size_t count = 0;
    while (rest.len > 0) {
        if (!str_split(rest, '|', &one, &rest)) {
            rest = STR("");
        }
        out[count++] = (struct gen_message){
            .role = one.data[0] == 'u'   ? GEN_ROLE_USER
                    : one.data[0] == 'a' ? GEN_ROLE_ASSISTANT
                                         : GEN_ROLE_SYSTEM,
            .content = {.data = one.data + 2, .len = one.len - 2},
            .tool_call_id = STR(""),
        };
    }
    return count;
}

/* Of the conversation only its `known` last messages were read. */
static size_t repeated_of(const char *conversation, size_t known, const char *sent) {
    struct gen_message before[MESSAGES_MAX], own[MESSAGES_MAX];
    struct store_message stored[MESSAGES_MAX];
    const size_t total = read_messages(conversation, before);
    known = known < total ? known : total;
    for (size_t i = 0; i < total; i++) {
        stored[i] = (struct store_message){
            .position = (int64_t)i, .role = conversation_stored_role(before[i].role), .content = before[i].content};
    }
    const struct gen_request request = {.messages = own, .message_count = read_messages(sent, own)};
    return repeated_count(stored + total - known, known, (int64_t)total, &request);
}

static void test_whole_histories(void **state) {
    static const struct {
        const char *conversation, *sent;
        size_t repeated;
    } cases[] = {
        {"u:hi|a:hello", "u:hi|a:hello|u:more", 2},
        {"u:hi|a:hello|u:more|a:yes", "u:hi|a:hello|u:more|a:yes|u:and", 4},
        {"u:hi|a:hello", "s:be brief|u:hi|a:hello|s:now shout|u:more", 2},
        {"u:hi|a:hello", "u: hi\n|a:hello \r\n|u:more", 2},
        {"u:a\r\nb|a:c\nd", "u:a\nb|a:c\r\nd|u:e", 2},
        {"u:\xd0\xbf\xd1\x80\xd0\xb8|a:\xe4\xbd\xa0\xe5\xa5\xbd|u:\xe0\xb8\xa7|a:\xd9\x85",
         "u:\xd0\xbf\xd1\x80\xd0\xb8|a:\xe4\xbd\xa0\xe5\xa5\xbd|u:\xe0\xb8\xa7|a:\xd9\x85|u:\xe0\xa4\xa8", 4},
        {"u:hi|a:", "u:hi|a:|u:more", 2},
        {"u:x|u:y|a:z", "u:x|u:y|a:z|u:w", 3},
        {"u:ok|a:ok|u:ok|a:ok", "u:ok|a:ok|u:ok|a:ok|u:ok", 4},
        {"u:hi|a:hello", "u:hi|a:hello", 2}, /* nothing is new: a further answer */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const size_t found = repeated_of(cases[i].conversation, MESSAGES_MAX, cases[i].sent);
        if (found != cases[i].repeated) {
            fail_msg("%s, sent %s: %zu", cases[i].conversation, cases[i].sent, found);
        }
    }
}

static void test_the_end_of_it(void **state) {
    static const char conversation[] = "u:1|a:2|u:3|a:4|u:5|a:6";
    (void)state;
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:5|a:6|u:7"), 2);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:3|a:4|u:5|a:6|u:7|a:8|u:9"), 4);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "a:6|u:7"), 1);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "a:4|u:5|a:6|u:7"), 3);
}

static void test_what_is_new(void **state) {
    static const char conversation[] = "u:hi|a:hello";
    (void)state;
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:more"), 0);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:hi"), 0); /* said again */
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "s:be brief|u:hi"), 0);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:hello|u:hi"), 0);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:hi|a:Hello|u:more"), 0);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:h i|a:hello!|u:more"), 0);
    assert_int_equal(repeated_of("", MESSAGES_MAX, "u:hi|a:hello|u:more"), 0);
    assert_int_equal(repeated_of("u:a\rb|a:c", MESSAGES_MAX, "u:a\nb|a:c!|u:d"), 0);
}

/* The last question again, an edited message: what both have counts once, and the user's word is always new. */
static void test_another_way(void **state) {
    static const char conversation[] = "u:1|a:2|u:3|a:4|u:5|a:6";
    (void)state;
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:1|a:2|u:3|a:4|u:5"), 4);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:1|a:2|u:3|a:4|u:other"), 4);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:1|a:2|u:other"), 2);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:1|a:other|u:3"), 0);
    assert_int_equal(repeated_of(conversation, MESSAGES_MAX, "u:1|a:2|u:3|a:other|u:5"), 2);
}

/* Older ones are in the summary. */
static void test_older_ones_are_not_known(void **state) {
    static const char conversation[] = "u:1|a:2|u:3|a:4|u:5|a:6";
    (void)state;
    assert_int_equal(repeated_of(conversation, 2, "u:1|a:2|u:3|a:4|u:5|a:6|u:7"), 6);
    assert_int_equal(repeated_of(conversation, 2, "u:3|a:4|u:5|a:6|u:7"), 4);
    assert_int_equal(repeated_of(conversation, 1, "u:5|a:6|u:7"), 2);
    assert_int_equal(repeated_of(conversation, 2, "u:0|a:0|u:1|a:2|u:3|a:4|u:5|a:6|u:7"), 0); /* more than there are */
    assert_int_equal(repeated_of(conversation, 4, "u:1|a:2|u:3|a:4|u:other"), 4);
    assert_int_equal(repeated_of(conversation, 2, "u:1|a:2|u:3|a:4|u:other"), 0);
    assert_int_equal(repeated_of(conversation, 2, "u:1|a:2"), 0);
}

static void test_they_are_taken_out(void **state) {
    struct gen_message messages[MESSAGES_MAX];
    struct gen_request request = {.messages = messages};
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 16);
    request.message_count = read_messages("s:be brief|u:hi|a:hello|s:shout|u:more", messages);
    assert_true(repeated_drop(&request, 0, &arena));
    assert_ptr_equal(request.messages, messages);
    assert_true(repeated_drop(&request, 2, &arena));
    assert_int_equal(request.message_count, 3);
    assert_true(str_equal(request.messages[0].content, STR("be brief")));
    assert_true(str_equal(request.messages[1].content, STR("shout")));
    assert_true(str_equal(request.messages[2].content, STR("more")));
    arena_clear(&arena);
    arena_init(&arena, 0);
    assert_false(repeated_drop(&request, 1, &arena));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_histories),
        cmocka_unit_test(test_the_end_of_it),
        cmocka_unit_test(test_what_is_new),
        cmocka_unit_test(test_another_way),
        cmocka_unit_test(test_older_ones_are_not_known),
        cmocka_unit_test(test_they_are_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
