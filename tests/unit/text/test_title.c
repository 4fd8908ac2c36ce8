#include "text/title.h"

#include "base/compiler.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_title(const char *text, const char *expected) {
    char out[TITLE_SIZE];
    const bool found = title_tidy(str_from(text), out);
    if (!found || strcmp(out, expected) != 0) {
        fail_msg("'%s' became '%s', not '%s'", text, found ? out : "(nothing)", expected);
    }
}

static void test_what_small_models_write_becomes_a_title(void **state) {
    (void)state;
    assert_title("Sea and sand", "Sea and sand");
    assert_title("\n\n  \"Sea and sand.\"\nIt is about the sea.", "Sea and sand");
    assert_title("Title: **Sea and sand**", "Sea and sand");
    assert_title("# title: Sea\tand  \x01 sand", "Sea and sand");
    assert_title("---\n7", "7");
    assert_title("海と砂", "海と砂");
    assert_title("bad \xff byte", "bad byte");
    assert_title("🎉", "🎉");
}

static void test_quotation_marks_of_all_kinds(void **state) {
    (void)state;
    static const char *const quoted[] = {
        "\"Sea\"",
        "'Sea'",
        "“Sea”",
        "„Sea“",
        "‘Sea’",
        "‚Sea‘",
        "«Sea»",
        "« Sea »",
        "»Sea«",
        "‹Sea›",
        "「Sea」",
        "『Sea』",
        "《Sea》",
        "〈Sea〉",
        "〝Sea〟",
        "＂Sea＂",
        "｢Sea｣",
        "❝Sea❞",
        "`Sea`",
        "【Sea】",
        "\"Sea",
        "Sea”",
        "\"“Sea”\"",
        "\"Sea\".",
        "«Sea.»",
        "**\"Sea\"**",
        "\"**Sea**\"",
        "Title: \"Sea\"",
        "\"Title: Sea\"",
        "\u2067«Sea»\u2069",
        "«\u00a0Sea\u00a0»",
        "[Sea]",
    };
    for (size_t i = 0; i < COUNT_OF(quoted); i++) {
        assert_title(quoted[i], "Sea");
    }
}

static void test_labels_markdown_tags_and_thinking(void **state) {
    (void)state;
    static const char *const wrapped[] = {
        "Title: Sea",
        "TITLE : Sea",
        "**Title:** Sea",
        "Titre : Sea",
        "Título: Sea",
        "标题：Sea",
        "題名：Sea",
        "タイトル：「Sea」",
        "제목: Sea",
        "Название: «Sea»",
        "العنوان: Sea",
        "शीर्षक: Sea",
        "หัวข้อ: Sea",
        "Başlık: Sea",
        "Tiêu đề: Sea",
        "כותרת: Sea",
        "Τίτλος: Sea",
        "Sure! Here's a short title for this conversation: Sea",
        "Here is the title:\n\n\"Sea\"",
        "Chat title: Sea",
        "Title:\nSea",
        "标题：\nSea",
        "# Sea",
        "## Sea ##",
        "- Sea",
        "* Sea",
        "> Sea",
        "• Sea",
        "*Sea*",
        "_Sea breeze_",
        "__Sea__ ",
        "~~Sea~~",
        "<title>Sea</title>",
        "<b>Sea</b>",
        "```\nSea\n```",
        "1. Sea\n2. Sand",
        "Sea<|im_end|>",
        "<|start|>Sea",
        "<think>\nA title?\n</think>\nSea",
        "<thinking>x</thinking>Sea",
        "x</think>\n\nSea",
        "[THINK]a[/THINK]Sea",
        "<|channel|>analysis<|message|>x<|channel|>final<|message|>Sea",
        "◁think▷x◁/think▷Sea",
        "<THINK>x</THINK> Sea",
        "Sea。",
        "Sea।",
        "Sea.",
    };
    for (size_t i = 0; i < COUNT_OF(wrapped); i++) {
        const char *expected = strstr(wrapped[i], "breeze") != NULL ? "Sea breeze"
                               : strncmp(wrapped[i], "__", 2) == 0  ? "__Sea__"
                                                                    : "Sea";
        assert_title(wrapped[i], expected);
    }
}

static void test_what_belongs_to_it_stays(void **state) {
    (void)state;
    static const char *const titles[] = {
        "Learning C#",
        "C# and F#",
        "C#",
        "F#",
        "What is __init__",
        "__init__",
        "C++ templates",
        ".NET basics",
        "#hashtag ideas",
        "std::vector<int> in C++",
        "2**10 in Python",
        "*args and **kwargs",
        "The \"Moby Dick\" plot",
        "\"A\" and \"B\"",
        "Rock 'n' Roll",
        "The dogs' dinner",
        "Made in the U.S.",
        "What is love?",
        "Ho ho ho!",
        "Node.js",
        "1984",
        "-5 degrees",
        "$PATH",
        "_private names",
        "Ration: 3 to 4",
        "日本語のタイトル",
        "مرحبا بالعالم",
        "नमस्ते दुनिया",
        "می‌خواهم",
        "👩‍👩‍👧‍👦 family",
        "❤️ and 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "Größe é",
        "הבית שלי",
    };
    for (size_t i = 0; i < COUNT_OF(titles); i++) {
        assert_title(titles[i], titles[i]);
    }
}

/* `text` with the character in place of each @; written as a number, since no source should turn its readers round. */
static const char *with(const char *text, unsigned character) {
    static char out[256];
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (*text == '@') {
            out[len++] = (char)(0xe0 | character >> 12);
            out[len++] = (char)(0x80 | (character >> 6 & 0x3f));
            out[len++] = (char)(0x80 | (character & 0x3f));
        } else {
            out[len++] = *text;
        }
    }
    out[len] = '\0';
    return out;
}

static void test_controls_and_directions_go(void **state) {
    (void)state;
    static const unsigned characters[] = {0x200b, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d,
                                          0x202e, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff};
    for (size_t i = 0; i < COUNT_OF(characters); i++) {
        assert_title(with("@Title:@ “S@ea”@", characters[i]), "Sea");
        char out[TITLE_SIZE];
        assert_false(title_tidy(str_from(with("@.@", characters[i])), out));
    }
    assert_title(with("Sea @ukiaH", 0x202e), "Sea ukiaH");
    assert_title(with("Sea@x", 0x2028), "Sea x");
    assert_title("Sea\xc2\x85 x \a z \xd8\x9cq\xc2\xad", "Sea x z q");
    assert_title("Sea\xe3\x80\x80"
                 "and\xc2\xa0sand",
                 "Sea and sand");
}

static void test_what_says_nothing_is_none(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",    "\n\n", "...", "\"\"", "Title:", "**\n--\n##", "「」", "。", "\xe2\x80\x8b", "<think>\nThe user",
        "___", "??"};
    char out[TITLE_SIZE];
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_false(title_tidy(str_from(texts[i]), out));
        assert_string_equal(out, "");
    }
}

/* Long ones end between graphemes, at no more than the limits of characters and bytes. */
static void test_long_ones_are_cut_between_graphemes(void **state) {
    (void)state;
    static const char *const pieces[] = {"a",  "b ", "😀",  "e\u0301", "मि", "क्षि", "ที่", "👩‍👩‍👧‍👦",
                                         "🇩🇪", "漢", "한", "ស្ត្រី"};
    char text[4096], out[TITLE_SIZE];
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        const size_t len = strlen(pieces[i]);
        size_t chars = 0;
        text[0] = '\0';
        for (int n = 0; n < 100; n++) {
            memcpy(text + (size_t)n * len, pieces[i], len + 1);
        }
        assert_true(title_tidy(str_from(text), out));
        const size_t kept = strlen(out);
        for (size_t at = 0; at < kept; at++) {
            chars += ((unsigned char)out[at] & 0xc0) != 0x80;
        }
        assert_true(chars <= TITLE_CHARS && (chars >= TITLE_CHARS - 8 || kept >= TITLE_SIZE - 1 - 25));
        if (kept % len != 0 && pieces[i][1] != ' ') {
            fail_msg("%s is cut: %zu bytes", pieces[i], kept);
        }
    }
}

static void test_first_words(void **state) {
    (void)state;
    char out[TITLE_SIZE];
    assert_true(title_from_words(STR("one two\nthree four five six seven eight nine ten"), out));
    assert_string_equal(out, "one two three four five six seven eight");
    assert_false(title_from_words(STR(" ?! "), out));
    assert_true(
        title_from_words(STR("海边的小镇有很多船渔民每天清晨出海打鱼海边的小镇有很多船渔民每天清晨出海打鱼"), out));
    assert_true(strlen(out) > 60 && strlen(out) < 110);
    assert_true(title_from_words(STR("Was heißt „Größe“?"), out));
    assert_string_equal(out, "Was heißt „Größe“?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_small_models_write_becomes_a_title),
        cmocka_unit_test(test_quotation_marks_of_all_kinds),
        cmocka_unit_test(test_labels_markdown_tags_and_thinking),
        cmocka_unit_test(test_what_belongs_to_it_stays),
        cmocka_unit_test(test_controls_and_directions_go),
        cmocka_unit_test(test_what_says_nothing_is_none),
        cmocka_unit_test(test_long_ones_are_cut_between_graphemes),
        cmocka_unit_test(test_first_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
