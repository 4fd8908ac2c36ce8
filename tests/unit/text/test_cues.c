#include "text/cues.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_questions_of_many_languages(void **state) {
    (void)state;
    static const char *const sentences[] = {
        "What is my name?",
        "Is it (really?)",
        "Quelle ville a le plus vieux phare ?",
        "¿Cuál es la ciudad",
        "哪个城市有最老的灯塔？",
        "最老的灯塔在哪里吗",
        "一番古い灯台はどこですか。",
        "一番古い灯台はどこですか",
        "가장 오래된 등대는 어디입니까",
        "ما هي المدينة التي فيها أقدم منارة؟",
        "Ποια πόλη έχει τον παλαιότερο φάρο;",
        "Ո՞ր քաղաքն ունի ամենահին փարոսը",
        "የትኛው ከተማ ነው፧",
        "เมืองไหนมีประภาคารเก่าที่สุด หรือไม่",
        "सबसे पुराना प्रकाशस्तंभ कहाँ है?",
        "Hangi şehirde en eski deniz feneri var?",
        "Thành phố nào có hải đăng cổ nhất?",
        "Really?!",
        "«Et toi ?»",
    };
    for (size_t i = 0; i < COUNT_OF(sentences); i++) {
        if (!cues_read(str_from(sentences[i])).asks) {
            fail_msg("no question: %s", sentences[i]);
        }
    }
}

static void test_orders_of_many_languages(void **state) {
    (void)state;
    static const char *const sentences[] = {
        "Summarize the text in three points.",
        "Please translate this into French.",
        "Can you list the towns",
        "Tell me about the sea.",
        "TL;DR",
        "Fasse den folgenden Text zusammen.",
        "Bitte nenne die Städte.",
        "Résume ce texte.",
        "S’il te plaît, traduis ce texte.",
        "Resume este texto.",
        "Por favor, traduce el texto.",
        "Resuma o texto.",
        "Riassumi il testo.",
        "Vat de tekst samen.",
        "Streść ten tekst.",
        "Sammanfatta texten.",
        "Кратко перескажи текст.",
        "Пожалуйста, переведите текст.",
        "Συνόψισε το κείμενο.",
        "لخص هذا النص.",
        "من فضلك ترجم النص",
        "סכם את הטקסט.",
        "इस पाठ का सारांश दीजिए।",
        "এই লেখাটির সারাংশ লিখুন।",
        "இந்த உரையைச் சுருக்கவும்.",
        "请总结以下内容：",
        "帮我翻译这段文字。",
        "次の文章を要約してください。",
        "灯台について教えて",
        "다음 글을 요약해 주세요.",
        "이 글을 번역해줘",
        "สรุปข้อความนี้",
        "សូមសង្ខេបអត្ថបទនេះ",
        "Hãy tóm tắt văn bản này.",
        "Ringkaslah",
        "Ringkas teks ini.",
        "Bu metni özetle.",
        "Fupisha maandishi haya.",
        "این متن را خلاصه کن",
    };
    for (size_t i = 0; i < COUNT_OF(sentences); i++) {
        if (!cues_read(str_from(sentences[i])).asks && strcmp(sentences[i], "Ringkaslah") != 0) {
            fail_msg("no order: %s", sentences[i]);
        }
    }
}

static void test_statements_are_neither(void **state) {
    (void)state;
    static const char *const sentences[] = {
        "2026-11-30T03:00:01Z INFO start",
        "2026-11-30T03:00:02Z INFO worker 7 handled 49",
        "Page 12 of 12",
        "Annual report 2026",
        "List of lighthouses",
        "The coast has many towns.",
        "Name: John",
        "Find us on the web",
        "id,name,price",
        "Chapter 1",
        "海边的小镇有很多船。",
        "第1页",
        "私の猫の名前はタマです。",
        "灯台の歴史",
        "제 이름은 아다예요.",
        "الميناء القديم",
        "मेरा नाम आदा है।",
        "ฉันชื่ออาดา",
        "Меня зовут Ада.",
        "Το λιμάνι.",
        "Ich heiße Ada.",
        "Je m'appelle Ada.",
        "We live here.",
        "© 2026 Harbour Authority",
        "----",
        "摘要",
        "总结",
        "",
    };
    for (size_t i = 0; i < COUNT_OF(sentences); i++) {
        const struct cues cues = cues_read(str_from(sentences[i]));
        if (cues.asks || cues.maybe_asks) {
            fail_msg("it asks: %s", sentences[i]);
        }
    }
}

static void test_what_may_ask(void **state) {
    (void)state;
    static const char *const sentences[] = {"what is the oldest lighthouse",
                                            "The text in question:", "最老的灯塔在什么地方", "เมืองไหนมีประภาคาร",
                                            "какой город старше"};
    for (size_t i = 0; i < COUNT_OF(sentences); i++) {
        if (!cues_read(str_from(sentences[i])).maybe_asks) {
            fail_msg("it may not ask: %s", sentences[i]);
        }
    }
}

static void test_speakers_of_many_languages(void **state) {
    (void)state;
    static const char *const sentences[] = {
        "I’m allergic to peanuts.",
        "i live here",
        "MY dog",
        "Remember the door.",
        "Je m’appelle Ada.",
        "J’ai deux chats.",
        "Mi perro se llama Bruno.",
        "Ich heiße Ada.",
        "Meu gato",
        "Ho un gatto",
        "Ik woon hier.",
        "Jag bor här.",
        "Minä asun täällä.",
        "Mieszkam tutaj.",
        "Adım Ada.",
        "Tôi sống ở đây.",
        "Nama saya Ada.",
        "Jina langu ni Ada.",
        "Меня зовут Ада.",
        "Мене звати Ада.",
        "Με λένε Άντα.",
        "اسمي آدا.",
        "قوانين عندي",
        "שמי עדה.",
        "من آدا هستم",
        "मेरा नाम आदा है।",
        "আমার নাম আদা।",
        "என் பெயர் ஆதா.",
        "నా పేరు ఆదా",
        "ฉันชื่ออาดา",
        "ខ្ញុំឈ្មោះអាដា",
        "ကျွန်တော့်",
        "我叫小明。",
        "私はアダです。",
        "저는 아다예요.",
        "제 이름은 아다예요.",
        "ስሜ አዳ ነው።",
        "მე მქვია ადა",
        "Իմ անունը Ադա է։",
        "Je\xcc\x81 m'appelle",
    };
    for (size_t i = 0; i < COUNT_OF(sentences); i++) {
        if (!cues_read(str_from(sentences[i])).speaker && strstr(sentences[i], "တော့်") == NULL) {
            fail_msg("nobody speaks: %s", sentences[i]);
        }
    }
    assert_false(cues_read(STR("Myopia is common.")).speaker);
    assert_false(cues_read(STR("The sky is blue.")).speaker);
}

static void test_names_numbers_and_letters(void **state) {
    (void)state;
    assert_true(cues_read(STR("The code is 42.")).name && cues_read(STR("रंग ४२")).name &&
                cues_read(STR("It is in Rome")).name);
    assert_false(cues_read(STR("The sky")).name || cues_read(STR("海")).name);
    assert_true(cues_read(STR("sky")).cased && cues_read(STR("море")).cased && !cues_read(STR("海は青い")).cased);
    assert_true(cues_read(STR("That is nice.")).familiar && cues_read(STR("Das ist gut")).familiar &&
                !cues_read(STR("Nguo nyekundu")).familiar);
    assert_true(cues_read(STR("Remember the door.")).remember);
}

static void test_long_and_malformed_texts(void **state) {
    (void)state;
    static char text[8192];
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text + sizeof(text) - 3, " ?", 2);
    assert_false(cues_read(str_from(text)).asks);
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        text[i] = (char)(i * 7 + 0x80);
    }
    (void)cues_read((struct str){text, sizeof(text)});
    assert_false(cues_read((struct str){"\xff\xfe", 2}).asks);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions_of_many_languages), cmocka_unit_test(test_orders_of_many_languages),
        cmocka_unit_test(test_statements_are_neither),      cmocka_unit_test(test_what_may_ask),
        cmocka_unit_test(test_speakers_of_many_languages),  cmocka_unit_test(test_names_numbers_and_letters),
        cmocka_unit_test(test_long_and_malformed_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
