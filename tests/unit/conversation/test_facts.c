/* What a user has told is kept word for word, in any language, however often a summary is summed up, and however much
 * is said besides. */
#include "conversation/facts.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 1024, TELLING_MAX = 8 };

static void assert_facts(const char *message, const char *expected) {
    struct conversation_facts facts;
    struct buf out;
    buf_init(&out, 4 * ROOM);
    conversation_facts_init(&facts, ROOM);
    conversation_facts_add(&facts, str_from(message));
    conversation_facts_write(&facts, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
}

static void test_what_is_told_is_kept(void **state) {
    (void)state;
    assert_facts("My name is Ada.", "My name is Ada.");
    assert_facts("hi! i'm Ada and I live in Rome\nHow are you?", "i'm Ada and I live in Rome");
    assert_facts("I’m allergic to peanuts. I’ve two cats!", "I’m allergic to peanuts.\n- I’ve two cats!");
    assert_facts("Remember the number 4711! What is 7 + 8?", "Remember the number 4711!");
    assert_facts("The code is 42. The sky is blue.", "The code is 42.");
    assert_facts("Version 1.5 is out.", "Version 1.5 is out.");
    assert_facts("My name is Ada. MY NAME IS ADA.", "My name is Ada.");
    assert_facts("my doctor is Dr. Weber. i see her on monday", "my doctor is Dr. Weber.\n- i see her on monday");
}

static void test_questions_and_orders_are_not(void **state) {
    (void)state;
    static const char *const messages[] = {
        "What is my name?",
        "Tell me about the sea.",
        "What is the capital of France?",
        "",
        " \n.\n!?",
        "Thanks!",
        "Wie heiße ich?",
        "Erzähl mir vom Meer.",
        "Comment je m'appelle ?",
        "¿Cómo me llamo?",
        "Как меня зовут?",
        "我叫什么名字？",
        "请帮我翻译这段文字。",
        "ما اسمي؟",
        "मेरा नाम क्या है?",
        "私の名前は何ですか。",
        "제 이름은 무엇입니까?",
        "ฉันชื่ออะไร",
        "That is very nice.",
        "Das ist gut",
        "谢谢",
    };
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        assert_facts(messages[i], "");
    }
}

static void test_texts_to_work_on_are_not_facts(void **state) {
    (void)state;
    char text[4096];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "My name is Ada. ", 16);
    assert_facts(text, "");
    assert_facts("My code:\n```\nint i = 1;\n```\n", "");
}

/* What was told in a language, and what else is said in it. */
static const struct telling {
    const char *told[TELLING_MAX], *chat[TELLING_MAX];
} tellings[] = {
    {{"I’m allergic to peanuts.", "My dog is called Rex.", "I live in Bremen."},
     {"That is very nice.", "I see what you mean, thank you.", "I think so too.", "It sounds good to me."}},
    {{"Ich heiße Ada.", "Mein Hund heißt Rex.", "Ich wohne in Bremen."},
     {"Das ist sehr schön.", "Ich verstehe das gut.", "Das klingt gut, danke.", "Na dann machen wir das so."}},
    {{"Je m’appelle Ada.", "J'ai deux chats.", "Mon frère habite à Lyon."},
     {"C’est très bien.", "Je comprends mieux maintenant.", "Oui, merci beaucoup.", "Je pense que oui."}},
    {{"Mi perro se llama Bruno.", "Soy alérgica a las nueces.", "Vivo en Sevilla."},
     {"Está muy bien así.", "Creo que sí, gracias.", "Es muy bueno eso."}},
    {{"Меня зовут Ада.", "Мой кот живёт в Москве.", "У меня аллергия на орехи."},
     {"Это очень хорошо.", "Я понимаю, спасибо.", "Да, это так и есть."}},
    {{"我叫小明。", "我对花生过敏。", "我的狗叫旺财。"},
     {"这个很有意思。", "好的谢谢你。", "我明白了。", "今天天气真不错。"}},
    {{"私の名前はアダです。", "私は京都に住んでいます。", "私の猫はタマです。"},
     {"それはとても面白いですね。", "なるほど、ありがとう。", "今日はいい天気です。"}},
    {{"제 이름은 아다예요.", "저는 서울에 살아요.", "제 개는 바둑이예요."},
     {"정말 좋은 생각이네요.", "네, 고마워요 정말.", "오늘 날씨가 좋네요."}},
    {{"اسمي آدا.", "أعيش في برلين.", "عندي قطتان."}, {"هذا جميل جدا.", "شكرا جزيلا لك.", "الجو جميل اليوم."}},
    {{"मेरा नाम आदा है।", "मैं दिल्ली में रहती हूँ।", "मुझे मूँगफली से एलर्जी है।"},
     {"यह बहुत अच्छा है।", "बहुत बहुत धन्यवाद जी।", "आज मौसम अच्छा है।"}},
    {{"ฉันชื่ออาดา", "ฉันอยู่ที่เชียงใหม่", "แมวของฉันชื่อมะลิ"}, {"ดีมากเลย", "ขอบคุณมากค่ะ", "วันนี้อากาศดี"}},
    {{"שמי עדה.", "אני גרה בחיפה.", "לכלב שלי קוראים רקס."}, {"זה נחמד מאוד.", "תודה רבה לך.", "מזג האוויר יפה היום."}},
    {{"Με λένε Άντα.", "Μένω στην Αθήνα.", "Ο σκύλος μου είναι ο Ρεξ."}, {"Είναι πολύ ωραίο.", "Ναι, ευχαριστώ πολύ."}},
    {{"Jina langu ni Ada.", "Ninaishi Mombasa.", "Mbwa wangu anaitwa Simba."},
     {"hiyo ni nzuri sana", "asante kwa msaada"}},
    {{"ខ្ញុំឈ្មោះអាដា", "ខ្ញុំរស់នៅភ្នំពេញ"}, {"ល្អណាស់អរគុណ", "ថ្ងៃនេះអាកាសធាតុល្អ"}},
    {{"ჩემი სახელია ადა.", "მე ვცხოვრობ თბილისში."}, {"ეს ძალიან კარგია.", "დიდი მადლობა."}},
};

/* Small talk that is never the same twice. */
static void chat_add(struct conversation_facts *facts, const struct telling *telling, char texts[][256], size_t count) {
    size_t kinds = 1;
    while (kinds < TELLING_MAX && telling->chat[kinds] != NULL) {
        kinds++;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%s %s %c%c", telling->chat[i % kinds], telling->chat[(i / kinds) % kinds],
                 (char)('a' + i % 26), (char)('a' + i / 26));
        conversation_facts_add(facts, str_from(texts[i]));
    }
}

static void test_small_talk_does_not_push_facts_out(void **state) {
    (void)state;
    enum { CHATS = 100 };
    static char before[CHATS][256], behind[CHATS][256];
    for (size_t i = 0; i < COUNT_OF(tellings); i++) {
        struct conversation_facts facts;
        struct buf out;
        buf_init(&out, 4 * ROOM);
        conversation_facts_init(&facts, ROOM);
        chat_add(&facts, &tellings[i], before, CHATS); /* long before, */
        for (size_t k = 0; k < TELLING_MAX && tellings[i].told[k] != NULL; k++) {
            conversation_facts_add(&facts, str_from(tellings[i].told[k]));
        }
        chat_add(&facts, &tellings[i], behind, CHATS); /* and long behind */
        conversation_facts_write(&facts, &out);
        for (size_t k = 0; k < TELLING_MAX && tellings[i].told[k] != NULL; k++) {
            if (strstr(buf_cstr(&out), tellings[i].told[k]) == NULL) {
                fail_msg("'%s' is lost in: %s", tellings[i].told[k], buf_cstr(&out));
            }
        }
        assert_true(facts.cost <= ROOM);
        buf_clear(&out);
    }
}

/* In a language of which no word is known, what was said first stays, and what was said last. */
static void test_unknown_languages_keep_both_ends(void **state) {
    (void)state;
    enum { COUNT = 300 };
    static char texts[COUNT][64];
    struct conversation_facts facts;
    struct buf out;
    buf_init(&out, 4 * ROOM);
    conversation_facts_init(&facts, ROOM);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof(texts[i]), "zorb %c%c%c wuxo quendi", (char)('a' + i % 26), (char)('a' + i / 26 % 26),
                 (char)('a' + i % 7));
        conversation_facts_add(&facts, str_from(texts[i]));
    }
    conversation_facts_write(&facts, &out);
    assert_true(facts.cost > ROOM / 4 && facts.cost <= ROOM / 2);
    assert_non_null(strstr(buf_cstr(&out), texts[0]));
    assert_non_null(strstr(buf_cstr(&out), texts[COUNT - 1]));
    buf_clear(&out);
}

static void test_when_full_the_newest_stay(void **state) {
    (void)state;
    static const struct str told[] = {STR("I live in Bremen."), STR("My dog is called Rex."),
                                      STR("I live in Hamburg.")};
    struct conversation_facts facts;
    struct buf out;
    buf_init(&out, ROOM);
    conversation_facts_init(&facts, 60);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        conversation_facts_add(&facts, told[i]);
    }
    conversation_facts_write(&facts, &out);
    assert_string_equal(buf_cstr(&out), "My dog is called Rex.\n- I live in Hamburg."); /* it is another place now */
    conversation_facts_add(&facts, told[1]); /* said again, it is the latest */
    buf_reset(&out);
    conversation_facts_write(&facts, &out);
    assert_string_equal(buf_cstr(&out), "I live in Hamburg.\n- My dog is called Rex.");
    buf_clear(&out);
}

static void test_more_than_there_are_places(void **state) {
    (void)state;
    enum { COUNT = 3 * CONVERSATION_FACTS_MAX };
    static char texts[COUNT][32];
    struct conversation_facts facts;
    conversation_facts_init(&facts, 1 << 20);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof(texts[i]), "My number %zu is mine", i);
        conversation_facts_add(&facts, str_from(texts[i]));
        assert_true(facts.count <= CONVERSATION_FACTS_MAX);
    }
    assert_true(str_equal_cstr(facts.list[facts.count - 1].text, texts[COUNT - 1]));
}

static void test_they_survive_any_number_of_summaries(void **state) {
    (void)state;
    struct buf summary, out;
    buf_init(&summary, 4 * ROOM);
    buf_init(&out, 4 * ROOM);
    buf_append_cstr(&out, "My name is Ada.\n- 我叫小明。\n- Facts: I have two.");
    for (int i = 0; i < 5; i++) { /* a model that says nothing of it, and writes our own word */
        struct conversation_facts facts;
        struct str prose;
        buf_reset(&summary);
        conversation_facts_join(STR("They talked.\nFacts: none"), buf_str(&out), &summary);
        conversation_facts_init(&facts, ROOM);
        conversation_facts_read(&facts, conversation_facts_split(buf_str(&summary), &prose));
        assert_true(str_equal_cstr(prose, "They talked.\nFacts: none"));
        buf_reset(&out);
        conversation_facts_write(&facts, &out);
        assert_string_equal(buf_cstr(&out), "My name is Ada.\n- 我叫小明。\n- Facts: I have two.");
    }
    struct str prose;
    assert_int_equal(conversation_facts_split(STR("Only words."), &prose).len, 0);
    assert_true(str_equal_cstr(prose, "Only words."));
    buf_clear(&summary);
    buf_clear(&out);
}

static void test_those_of_earlier_builds_are_read(void **state) {
    (void)state;
    struct conversation_facts facts;
    struct str prose;
    conversation_facts_init(&facts, ROOM);
    conversation_facts_read(&facts,
                            conversation_facts_split(STR("They met.\nFacts: My name is Ada. I live in Rome."), &prose));
    assert_true(str_equal_cstr(prose, "They met."));
    assert_int_equal(facts.count, 2);
    assert_true(str_equal_cstr(facts.list[1].text, "I live in Rome."));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told_is_kept),
        cmocka_unit_test(test_questions_and_orders_are_not),
        cmocka_unit_test(test_texts_to_work_on_are_not_facts),
        cmocka_unit_test(test_small_talk_does_not_push_facts_out),
        cmocka_unit_test(test_unknown_languages_keep_both_ends),
        cmocka_unit_test(test_when_full_the_newest_stay),
        cmocka_unit_test(test_more_than_there_are_places),
        cmocka_unit_test(test_they_survive_any_number_of_summaries),
        cmocka_unit_test(test_those_of_earlier_builds_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
