#include "base/buf.h"
#include "base/compiler.h"
#include "text/sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 32 };

/* `expected` has the sentences with | between them. */
static void assert_split(const char *text, const char *expected) {
    struct str out[MAX];
    struct buf joined;
    buf_init(&joined, 4096);
    const size_t count = sentences_split(str_from(text), out, MAX);
    for (size_t i = 0; i < count; i++) {
        buf_append_str(&joined, i > 0 ? STR("|") : STR(""));
        buf_append_str(&joined, out[i]);
    }
    assert_string_equal(buf_cstr(&joined), expected);
    buf_clear(&joined);
}

static void test_sentences_of_many_scripts(void **state) {
    (void)state;
    assert_split("I am Ada. I live here! Do you?", "I am Ada.|I live here!|Do you?");
    assert_split("Je m’appelle Ada. « Bonjour ! » Ça va ?", "Je m’appelle Ada.|« Bonjour !|» Ça va ?");
    assert_split("我叫小明。我住在北京！你呢？", "我叫小明。|我住在北京！|你呢？");
    assert_split("私はアダです。猫がいます。", "私はアダです。|猫がいます。");
    assert_split("اسمي آدا. أين تسكن؟ في برلين.", "اسمي آدا.|أين تسكن؟|في برلين.");
    assert_split("मेरा नाम आदा है। मैं यहाँ रहती हूँ।", "मेरा नाम आदा है।|मैं यहाँ रहती हूँ।");
    assert_split("Меня зовут Ада. Я живу тут.", "Меня зовут Ада.|Я живу тут.");
    assert_split("저는 아다예요. 서울에 살아요.", "저는 아다예요.|서울에 살아요.");
    assert_split("ስሜ አዳ ነው። እዚህ እኖራለሁ።", "ስሜ አዳ ነው።|እዚህ እኖራለሁ።");
    assert_split("ကျွန်တော်က အေဒါ။ ဒီမှာနေတယ်။", "ကျွန်တော်က အေဒါ။|ဒီမှာနေတယ်။");
    assert_split("ฉันชื่ออาดา\nฉันอยู่ที่นี่", "ฉันชื่ออาดา|ฉันอยู่ที่นี่");
}

static void test_how_people_type(void **state) {
    (void)state;
    assert_split("my name is ada. i live in bremen. ok", "my name is ada.|i live in bremen.|ok");
    assert_split("I am Dr. Ada Weber. I work.", "I am Dr. Ada Weber.|I work.");
    assert_split("А. С. Пушкин. Он поэт.", "А. С. Пушкин.|Он поэт.");
    assert_split("J. Doe is Mr. Smith's boss.", "J. Doe is Mr. Smith's boss.");
    assert_split("It is 3.5 km. See www.example.org now.", "It is 3.5 km.|See www.example.org now.");
    assert_split("one\r\ntwo\n\n three", "one|two|three");
    assert_split("I like z.B. Tee. Und du?", "I like z.B. Tee.|Und du?");
    assert_split("Call Dr.\nTomorrow.", "Call Dr.|Tomorrow.");
    assert_split("", "");
    assert_split(" \n \xc2\xa0", "");
}

static void test_no_more_than_asked_for(void **state) {
    (void)state;
    struct str out[2];
    assert_int_equal(sentences_split(STR("Aa bb. Cc dd. Ee ff."), out, 2), 2);
    assert_true(str_equal_cstr(out[1], "Cc dd."));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences_of_many_scripts),
        cmocka_unit_test(test_how_people_type),
        cmocka_unit_test(test_no_more_than_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
