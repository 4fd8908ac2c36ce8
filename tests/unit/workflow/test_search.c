/* An agent's search in its conversation finds what a reader would, in any script. */
#include "workflow/search.h"

#include "base/compiler.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *search(const struct store_message *messages, size_t count, const char *words) {
    struct buf out;
    buf_init(&out, 1 << 16);
    workflow_search(messages, count, str_from(words), &out);
    assert_true(utf8_valid(out.data, out.len));
    char *text = strdup(buf_cstr(&out));
    buf_clear(&out);
    return text;
}

static void test_the_message_is_found(void **state) {
    (void)state;
    static const struct {
        struct str text;
        const char *words;
    } cases[] = {
        {STR("The password is “swordfish”."), "swordfish"},
        {STR("我的密码是蓝鲸四十二。"), "密码"},
        {STR("私の猫の名前はタマです。"), "名前"},
        {STR("รหัสผ่านของฉันคือปลาวาฬ"), "รหัสผ่าน"},
        {STR("제 비밀번호는 고래입니다."), "비밀번호"},
        {STR("Мой пароль: кит."), "пароль"},
        {STR("كلمة السر هي حوت"), "السر"},
        {STR("मेरा पासवर्ड व्हेल है"), "पासवर्ड"},
        {STR("ពាក្យសម្ងាត់របស់ខ្ញុំ"), "ពាក្យសម្ងាត់"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct store_message messages[] = {{.role = STORE_ROLE_USER, .content = cases[i].text},
                                                 {.role = STORE_ROLE_ASSISTANT, .content = STR("ok")}};
        char *found = search(messages, 2, cases[i].words);
        assert_non_null(strstr(found, cases[i].text.data));
        assert_null(strstr(found, "ok"));
        free(found);
    }
}

static void test_the_best_come_first_and_the_newest(void **state) {
    (void)state;
    const struct store_message messages[] = {
        {.role = STORE_ROLE_USER, .content = STR("my cat is called Tom")},
        {.role = STORE_ROLE_USER, .content = STR("my dog is called Rex")},
        {.role = STORE_ROLE_ASSISTANT, .content = STR("the cat sleeps")},
    };
    char *found = search(messages, 3, "cat called");
    assert_string_equal(found, "User: my cat is called Tom\nAssistant: the cat sleeps\nUser: my dog is called Rex\n");
    free(found);
    found = search(messages, 3, "boat");
    assert_string_equal(found, "No message has these words.");
    free(found);
}

/* A long message is cut around what was found, between graphemes. */
static void test_long_messages_are_cut_around_the_word(void **state) {
    (void)state;
    static const char *const pieces[] = {"👩‍👩‍👧‍👦", "ที่นี่น้ำใจ", "海边的小镇", "क्षत्रिय ",
                                         "plain words "};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct buf text;
        buf_init(&text, 1 << 20);
        for (int n = 0; n < 200; n++) {
            buf_append_cstr(&text, n == 150 ? " sesame " : pieces[i]);
        }
        const struct store_message message = {.role = STORE_ROLE_USER, .content = buf_str(&text)};
        char *found = search(&message, 1, "SESAME");
        if (strstr(found, "sesame") == NULL) {
            fail_msg("of %s: %s", pieces[i], found);
        }
        assert_true(strlen(found) < 400);
        free(found);
        buf_clear(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_message_is_found),
        cmocka_unit_test(test_the_best_come_first_and_the_newest),
        cmocka_unit_test(test_long_messages_are_cut_around_the_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
