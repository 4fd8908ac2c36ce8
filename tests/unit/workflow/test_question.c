/* The question of a long text is found wherever it stands, in any language; a text without one gets a neutral task. */
#include "workflow/question.h"

#include "base/buf.h"
#include "base/compiler.h"
#include "workflow/prompts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BODY_TIMES = 60, TEXT_BYTES = 1 << 20 };

/* A sentence of a document and what may be asked of it. `gap` is what stands between sentences. */
static const struct language {
    const char *sentence, *gap, *asked[4];
} languages[] = {
    {"The coast has many towns and each of them has a tale about its lighthouse.",
     " ",
     {"Which town has the oldest lighthouse?", "Summarize the text in three points.",
      "Please list all towns by name."}},
    {"Die Küste hat viele Städte, und jede erzählt von ihrem Leuchtturm.",
     " ",
     {"Welche Stadt hat den ältesten Leuchtturm?", "Fasse den Text in drei Punkten zusammen.",
      "Bitte nenne alle Städte."}},
    {"La côte a beaucoup de villes et chacune a son histoire de phare.",
     " ",
     {"Quelle ville a le plus vieux phare ?", "Résume ce texte en trois points.", "S’il te plaît, traduis ce texte."}},
    {"La costa tiene muchas ciudades y cada una cuenta una historia.",
     " ",
     {"¿Qué ciudad tiene el faro más antiguo?", "Resume este texto en tres puntos.", "Por favor, traduce el texto."}},
    {"На побережье много городов, и у каждого есть своя история.",
     " ",
     {"В каком городе самый старый маяк?", "Перескажи текст в трёх пунктах.", "Пожалуйста, переведите текст."}},
    {"Στην ακτή υπάρχουν πολλές πόλεις με τον δικό τους φάρο.",
     " ",
     {"Ποια πόλη έχει τον παλαιότερο φάρο;", "Συνόψισε το κείμενο."}},
    {"على الساحل مدن كثيرة ولكل منها حكاية عن منارتها.",
     " ",
     {"ما هي المدينة التي فيها أقدم منارة؟", "لخص هذا النص في ثلاث نقاط."}},
    {"בחוף יש ערים רבות ולכל אחת סיפור על המגדלור שלה.", " ", {"באיזו עיר נמצא המגדלור העתיק ביותר?", "סכם את הטקסט."}},
    {"तट पर कई नगर हैं और हर एक की अपनी कहानी है।",
     " ",
     {"सबसे पुराना प्रकाशस्तंभ किस नगर में है?", "इस पाठ का सारांश तीन बिंदुओं में दीजिए।"}},
    {"海边有很多小镇，每个小镇都有灯塔的故事。",
     "",
     {"哪个小镇有最老的灯塔？", "请用三句话总结上面的内容。", "总结以下文章。"}},
    {"海辺には多くの町があり、それぞれに灯台の話がある。",
     "",
     {"一番古い灯台はどの町にありますか？", "この文章を三点に要約してください。"}},
    {"해안에는 많은 마을이 있고 저마다 등대 이야기가 있다.",
     " ",
     {"가장 오래된 등대는 어느 마을에 있습니까?", "이 글을 세 문장으로 요약해 주세요."}},
    {"ชายฝั่งมีเมืองมากมายและแต่ละเมืองมีเรื่องเล่าของประภาคาร",
     " ",
     {"เมืองที่มีประภาคารเก่าแก่ที่สุดคือเมืองไหน", "ช่วยสรุปข้อความนี้เป็นสามข้อ"}},
    {"Kıyıda birçok kasaba var ve her birinin bir öyküsü var.",
     " ",
     {"En eski deniz feneri hangi kasabada?", "Bu metni üç maddede özetle."}},
    {"Bờ biển có nhiều thị trấn và mỗi nơi có một câu chuyện.",
     " ",
     {"Thị trấn nào có ngọn hải đăng cổ nhất?", "Hãy tóm tắt văn bản này."}},
    {"የባህር ዳርቻው ብዙ ከተሞች አሉት፣ እያንዳንዱም ታሪክ አለው።", " ", {"የትኛው ከተማ ትልቁን መብራት አለው፧"}},
};

static struct buf text;
static int failed;

static void body(const struct language *language) {
    for (int i = 0; i < BODY_TIMES; i++) {
        buf_append_cstr(&text, i > 0 ? language->gap : "");
        buf_append_cstr(&text, language->sentence);
    }
}

/* What is found has the question, and little else. */
static void check(const char *asked, const char *where) {
    struct str found[QUESTION_PARTS];
    question_find(buf_str(&text), found);
    for (size_t i = 0; i < QUESTION_PARTS; i++) {
        if (memmem(found[i].data, found[i].len, asked, strlen(asked)) != NULL && found[i].len < strlen(asked) + 600) {
            return;
        }
    }
    failed++;
    print_error("%s, '%s' is not in '%.*s' '%.*s'\n", where, asked, STR_ARG(found[0]), STR_ARG(found[1]));
}

static void each(void (*write)(const struct language *language, const char *asked), const char *where) {
    for (size_t i = 0; i < COUNT_OF(languages); i++) {
        for (size_t k = 0; k < 4 && languages[i].asked[k] != NULL; k++) {
            buf_reset(&text);
            write(&languages[i], languages[i].asked[k]);
            check(languages[i].asked[k], where);
        }
    }
}

static void first_line(const struct language *language, const char *asked) {
    buf_append_format(&text, "%s\n", asked);
    body(language);
}

static void last_line(const struct language *language, const char *asked) {
    body(language);
    buf_append_format(&text, "\r\n%s\n", asked);
}

static void same_line_before(const struct language *language, const char *asked) {
    buf_append_format(&text, "%s%s", asked, language->gap);
    body(language);
}

static void same_line_behind(const struct language *language, const char *asked) {
    body(language);
    buf_append_format(&text, "%s%s", language->gap, asked);
}

static void first_paragraph(const struct language *language, const char *asked) {
    buf_append_format(&text, "%s%s%s\n\n", language->sentence, language->gap, asked);
    body(language);
}

static void last_paragraph(const struct language *language, const char *asked) {
    body(language);
    buf_append_format(&text, "\r\n\r\n%s%s%s", asked, language->gap, language->sentence);
}

static void behind_a_greeting(const struct language *language, const char *asked) {
    buf_append_format(&text, "Ada!\n\n%s\n\n", asked);
    body(language);
}

static void among_lines(const struct language *language, const char *asked) {
    for (int i = 0; i < BODY_TIMES; i++) {
        buf_append_format(&text, "%s\n", language->sentence);
    }
    buf_append_cstr(&text, asked);
}

static void test_wherever_it_stands(void **state) {
    (void)state;
    each(first_line, "in the first line");
    each(last_line, "in the last line");
    each(same_line_before, "before the text on its line");
    each(same_line_behind, "behind the text on its line");
    each(first_paragraph, "in a first paragraph");
    each(last_paragraph, "in a last paragraph");
    each(behind_a_greeting, "behind a greeting");
    each(among_lines, "behind many lines");
    assert_int_equal(failed, 0);
}

static void test_behind_other_marks(void **state) {
    (void)state;
    static const char *const marks[] = {"；", "; ", "؛ ", "…", " — ", "，", "、", "·"};
    for (size_t i = 0; i < 5; i++) {
        buf_reset(&text);
        for (int n = 0; n < BODY_TIMES; n++) {
            buf_append_format(&text, "海边有很多小镇%s", marks[i]);
        }
        buf_append_cstr(&text, "哪个小镇有最老的灯塔？");
        check("哪个小镇有最老的灯塔？", marks[i]);
    }
    assert_int_equal(failed, 0);
}

static void assert_neutral(const char *what) {
    struct str found[QUESTION_PARTS];
    question_find(buf_str(&text), found);
    if (!str_equal(found[0], PROMPT_QUESTION_NONE) || found[1].len > 0) {
        failed++;
        print_error("of %s '%.*s' '%.*s' was taken\n", what, STR_ARG(found[0]), STR_ARG(found[1]));
    }
}

static void test_texts_that_ask_nothing(void **state) {
    (void)state;
    static const char *const ends[][2] = {
        {"2026-11-30T03:00:01Z INFO start", "2026-11-30T04:00:00Z INFO stop"},
        {"id,name,price", "700,boat,12.5"},
        {"Harbour Authority", "Page 12 of 12"},
        {"Annual report 2026\n", "\n© 2026 Harbour Authority. All rights reserved."},
        {"# Lighthouses of the coast\n", "See also: List of ports"},
        {"List of lighthouses\n", "Read the full report on our pages."},
        {"According to the ministry, all is well.", "Based on data of 2026."},
        {"<html><head><title>Towns</title>", "</html>"},
        {"第一章　海辺の町", "（完）"},
        {"第1页 共12页", "版权所有 2026"},
        {"摘要", "总结"},
        {"Inhaltsverzeichnis", "Seite 3 von 7"},
        {"Оглавление", "Страница 3 из 7"},
        {"जहाज़ और बंदरगाह", "पृष्ठ 3"},
        {"الموانئ القديمة", "صفحة 3"},
        {"สารบัญ", "หน้า 3"},
    };
    for (size_t i = 0; i < COUNT_OF(languages); i++) {
        buf_reset(&text);
        body(&languages[i]);
        assert_neutral(languages[i].sentence);
    }
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        for (size_t k = 0; k < COUNT_OF(languages); k += 9) {
            buf_reset(&text);
            buf_append_format(&text, "%s\n", ends[i][0]);
            for (int n = 0; n < BODY_TIMES; n++) {
                buf_append_format(&text, "%s\n", languages[k].sentence);
            }
            buf_append_cstr(&text, ends[i][1]);
            assert_neutral(ends[i][0]);
        }
    }
    assert_int_equal(failed, 0);
}

/* A line that may ask is told, and the neutral task beside it. */
static void test_what_may_be_a_question(void **state) {
    (void)state;
    struct str found[QUESTION_PARTS];
    buf_reset(&text);
    buf_append_cstr(&text, "what is the oldest lighthouse\n");
    body(&languages[0]);
    question_find(buf_str(&text), found);
    assert_true(str_equal_cstr(found[0], "what is the oldest lighthouse"));
    assert_true(str_equal(found[1], PROMPT_QUESTION_NONE));
    assert_int_equal(found[2].len, 0);
}

/* An interview begins and ends with questions of its own: they may be the task, and may not. */
static void test_texts_of_questions(void **state) {
    (void)state;
    struct str found[QUESTION_PARTS];
    buf_reset(&text);
    for (int i = 0; i < BODY_TIMES; i++) {
        buf_append_format(&text, "Q: What is boat %d?\nA: %s\n", i, languages[0].sentence);
    }
    buf_append_cstr(&text, "Q: And who has the most boats?");
    question_find(buf_str(&text), found);
    assert_true(str_starts_with(found[0], STR("Q: What is boat 0?")));
    assert_non_null(memmem(found[1].data, found[1].len, "Q: And who has the most boats?", 30));
    assert_true(str_equal(found[2], PROMPT_QUESTION_NONE));
    buf_append_cstr(&text, "\n\nSummarize the interview.");
    question_find(buf_str(&text), found);
    assert_non_null(memmem(found[0].data, found[0].len, "Summarize", 9));
    assert_int_equal(found[1].len, 0);
}

static void test_both_ends(void **state) {
    (void)state;
    struct str found[QUESTION_PARTS];
    buf_reset(&text);
    buf_append_cstr(&text, "Summarize the text.\n");
    body(&languages[0]);
    buf_append_cstr(&text, "\nAnd which town is the oldest?");
    question_find(buf_str(&text), found);
    assert_true(str_equal_cstr(found[0], "Summarize the text."));
    assert_true(str_equal_cstr(found[1], "And which town is the oldest?"));
}

static void test_odd_texts(void **state) {
    (void)state;
    struct str found[QUESTION_PARTS];
    for (int i = 0; i < 4; i++) {
        buf_reset(&text);
        while (text.len < 8192) {
            buf_append_cstr(&text, i == 0 ? "x" : i == 1 ? "\n" : i == 2 ? "e\xcc\x81\xcc\x81" : "\xff?");
        }
        question_find(buf_str(&text), found);
        assert_true(found[0].len > 0);
    }
    question_find(STR(""), found);
    assert_true(str_equal(found[0], PROMPT_QUESTION_NONE));
}

static int setup(void **state) {
    (void)state;
    failed = 0;
    buf_init(&text, TEXT_BYTES);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    buf_clear(&text);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wherever_it_stands),
        cmocka_unit_test(test_behind_other_marks),
        cmocka_unit_test(test_texts_that_ask_nothing),
        cmocka_unit_test(test_what_may_be_a_question),
        cmocka_unit_test(test_texts_of_questions),
        cmocka_unit_test(test_both_ends),
        cmocka_unit_test(test_odd_texts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
