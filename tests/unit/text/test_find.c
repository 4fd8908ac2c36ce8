#include "base/compiler.h"
#include "text/find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t score(const char *text, const char *words) {
    struct find_query query;
    find_query_init(&query, str_from(words));
    const size_t found = find_score(&query, str_from(text), NULL);
    find_query_clear(&query);
    return found;
}

static void test_words_are_found_in_many_scripts(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"The password is “swordfish”.", "swordfish"},
        {"The password is “swordfish”.", "Password: SWORDFISH"},
        {"The code—sesame—opens it", "sesame"},
        {"code:\xc2\xa0sesame\xc2\xa0!", "sesame"},
        {"ｓｅｓａｍｅ", "sesame"},
        {"Le café est fermé", "cafe"},
        {"我的密码是蓝鲸四十二。", "密码"},
        {"我的密码是蓝鲸四十二。", "蓝鲸"},
        {"我的密码是蓝鲸四十二。", "密码是什么"},
        {"私の猫の名前はタマです。", "名前"},
        {"私の猫の名前はタマです。", "タマ"},
        {"私の猫の名前はタマです。", "猫"},
        {"รหัสผ่านของฉันคือปลาวาฬ", "รหัสผ่าน"},
        {"รหัสผ่านของฉันคือปลาวาฬ", "ปลาวาฬ"},
        {"ពាក្យសម្ងាត់របស់ខ្ញុំគឺត្រីបាឡែន", "ពាក្យសម្ងាត់"},
        {"제 비밀번호는 고래입니다.", "비밀번호"},
        {"제 비밀번호는 고래입니다.", "비밀번호를"},
        {"제 고양이의 이름은 나비예요", "이름"},
        {"Мой пароль: кит.", "пароль"},
        {"Я забыл пароля", "ПАРОЛЬ"},
        {"كلمة السر هي حوت", "السر"},
        {"كلمة السِّرّ هي حوت", "السر"},
        {"הסיסמה היא לוויתן", "לוויתן"},
        {"मेरा पासवर्ड व्हेल है", "पासवर्ड"},
        {"আমার পাসওয়ার্ড তিমি", "পাসওয়ার্ড"},
        {"என் கடவுச்சொல் திமிங்கலம்", "கடவுச்சொல்"},
        {"Ο κωδικός μου είναι ΦΑΛΑΙΝΑ", "φάλαινα"},
        {"ჩემი პაროლი არის ვეშაპი", "პაროლი"},
        {"የይለፍ ቃሌ ዓሣ ነው", "ዓሣ"},
        {"Şifrem İstanbul", "istanbul"},
        {"Salasanani on valas", "salasana"},
        {"รหัสผ่าน swordfish ของฉัน", "swordfish"},
        {"密码swordfish没错", "swordfish"},
        {"我喜欢C++", "C"},
        {"It is 👩‍👩‍👧‍👦 4711!", "4711"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (score(cases[i].text, cases[i].words) == 0) {
            fail_msg("'%s' is not found in '%s'", cases[i].words, cases[i].text);
        }
    }
}

static void test_what_is_not_there_is_not_found(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"The password is swordfish.", "key"},
        {"The password is swordfish.", "word"},
        {"The password is swordfish.", "the is"},
        {"The password is swordfish.", ""},
        {"The password is swordfish.", "?!"},
        {"", "swordfish"},
        {"我的密码是蓝鲸四十二。", "船长"},
        {"私の猫の名前はタマです。", "船の色"},
        {"かき", "がぎ"},
        {"Мой пароль: кит.", "корабль"},
        {"كلمة السر هي حوت", "سفينة"},
        {"มีเรือลำใหญ่", "รหัสผ่าน"},
        {"हाथी", "पासवर्ड"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (score(cases[i].text, cases[i].words) != 0) {
            fail_msg("'%s' is found in '%s'", cases[i].words, cases[i].text);
        }
    }
}

static void test_better_answers_score_more(void **state) {
    (void)state;
    assert_true(score("my cat is called Tom", "cat called") > score("my dog is called Rex", "cat called"));
    assert_true(score("the password", "password") > score("the passwords", "password"));
    assert_true(score("我的密码是蓝鲸", "我的密码是什么") > score("我的猫是什么", "我的密码是什么"));
}

static void test_the_first_place_is_told(void **state) {
    (void)state;
    struct find_query query;
    struct buf text;
    size_t first;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 100; i++) {
        buf_append_cstr(&text, "海边的小镇有很多船。");
    }
    const size_t place = text.len;
    buf_append_cstr(&text, "密码");
    find_query_init(&query, STR("密码"));
    assert_true(find_score(&query, buf_str(&text), &first) > 0);
    assert_true(first <= place && place - first <= 128);
    assert_int_equal(find_score(&query, STR("x"), &first), 0);
    find_query_clear(&query);
    buf_clear(&text);
}

static void test_long_queries_are_read_in_part(void **state) {
    (void)state;
    struct find_query query;
    struct buf words;
    buf_init(&words, 1 << 20);
    for (int i = 0; i < 5000; i++) {
        buf_append_format(&words, "w%d 漢字%d ", i, i);
    }
    find_query_init(&query, buf_str(&words));
    assert_true(query.count > FIND_WORDS_MAX / 2 && query.count <= FIND_WORDS_MAX);
    assert_true(find_score(&query, STR("w1"), NULL) > 0);
    find_query_clear(&query);
    buf_clear(&words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_found_in_many_scripts), cmocka_unit_test(test_what_is_not_there_is_not_found),
        cmocka_unit_test(test_better_answers_score_more),       cmocka_unit_test(test_the_first_place_is_told),
        cmocka_unit_test(test_long_queries_are_read_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
