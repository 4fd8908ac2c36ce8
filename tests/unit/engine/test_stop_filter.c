#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/stop_filter.h"

#include "base/random_source.h"
#include "base/utf8.h"

#include <string.h>

/* Feeds `text` in pieces of `piece` bytes; returns whether a stop string was found. */
static bool run(struct buf *out, const struct str *stops, size_t stop_count, struct str text, size_t piece) {
    struct stop_filter filter;
    bool stopped = false;
    buf_init(out, 4096);
    stop_filter_init(&filter, stops, stop_count);
    for (size_t at = 0; at < text.len && !stopped; at += piece) {
        size_t length = text.len - at < piece ? text.len - at : piece;
        stopped = stop_filter_feed(&filter, (struct str){text.data + at, length}, out);
        assert_true(utf8_valid(out->data, out->len));
    }
    if (!stopped) {
        stop_filter_finish(&filter, out);
    }
    stop_filter_clear(&filter);
    return stopped;
}

/* The same result in pieces of every size. */
static void check(const struct str *stops, size_t stop_count, struct str text, const char *expected, bool stops_there) {
    for (size_t piece = 1; piece <= text.len; piece++) {
        struct buf out;
        assert_int_equal(run(&out, stops, stop_count, text, piece), stops_there);
        assert_string_equal(buf_cstr(&out), expected);
        buf_clear(&out);
    }
}

static void passes_text_without_stop_strings(void **state) {
    (void)state;
    check(NULL, 0, STR("plain text"), "plain text", false);
    check((struct str[]){STR("")}, 1, STR("plain text"), "plain text", false);
}

static void cuts_at_the_stop_string(void **state) {
    (void)state;
    check((struct str[]){STR("END")}, 1, STR("some text END and more"), "some text ", true);
    check((struct str[]){STR("\n\n")}, 1, STR("a\nb\n\nc"), "a\nb", true);
    check((struct str[]){STR("x")}, 1, STR("xyz"), "", true);
    check((struct str[]){STR("aab")}, 1, STR("aaaab"), "aa", true);
}

static void gives_back_what_was_only_a_beginning(void **state) {
    (void)state;
    check((struct str[]){STR("STOP")}, 1, STR("a STO b ST"), "a STO b ST", false);
    check((struct str[]){STR("abab")}, 1, STR("aba abac"), "aba abac", false);
}

/* Of several the one that ends first counts, wherever the tokens' borders are; of those that end together the
 * longest. */
static void takes_the_stop_string_that_ends_first(void **state) {
    (void)state;
    check((struct str[]){STR("abcd"), STR("bc")}, 2, STR("xabcd"), "xa", true);
    check((struct str[]){STR("c"), STR("abc")}, 2, STR("xabcd"), "x", true);
    check((struct str[]){STR("one"), STR("two"), STR("three"), STR("four")}, 4, STR("and two and one"), "and ", true);
}

static void holds_back_the_beginning(void **state) {
    (void)state;
    struct stop_filter filter;
    struct buf out;
    buf_init(&out, 100);
    stop_filter_init(&filter, (struct str[]){STR("<end>")}, 1);
    assert_false(stop_filter_feed(&filter, STR("text<"), &out));
    assert_string_equal(buf_cstr(&out), "text");
    assert_false(stop_filter_feed(&filter, STR("en"), &out));
    assert_string_equal(buf_cstr(&out), "text");
    assert_false(stop_filter_feed(&filter, STR("ough"), &out));
    assert_string_equal(buf_cstr(&out), "text<enough");
    stop_filter_clear(&filter);
    buf_clear(&out);
}

static void keeps_characters_whole(void **state) {
    (void)state;
    check(NULL, 0,
          STR("Gr\xC3\xBC\xC3\x9F"
              "e \xF0\x9F\x98\x80!"),
          "Gr\xC3\xBC\xC3\x9F"
          "e \xF0\x9F\x98\x80!",
          false);
    check((struct str[]){STR("\xC3\x9F")}, 1, STR("\xC3\xBC\xC3\x9F!"), "\xC3\xBC", true);
}

static void replaces_invalid_bytes(void **state) {
    (void)state;
    check(NULL, 0, STR("a\xFFz"), "a\xEF\xBF\xBDz", false);
    check(NULL, 0, STR("a\xC3z"), "a\xEF\xBF\xBDz", false);
    check(NULL, 0, STR("\x80\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD", false);
}

static void drops_an_incomplete_last_character(void **state) {
    (void)state;
    check(NULL, 0, STR("ok \xF0\x9F\x98"), "ok ", false);
}

/* Against the plain definition, on random texts over a small alphabet. */
static void agrees_with_the_definition(void **state) {
    (void)state;
    struct random_source source = {.state = 7};
    for (int round = 0; round < 2000; round++) {
        char text[33], stop[2][5];
        struct str stops[2];
        for (size_t i = 0; i < 32; i++) {
            text[i] = (char)('a' + random_below(&source, 3));
        }
        text[32] = '\0';
        for (size_t s = 0; s < 2; s++) {
            size_t length = 1 + random_below(&source, 4);
            for (size_t i = 0; i < length; i++) {
                stop[s][i] = (char)('a' + random_below(&source, 3));
            }
            stops[s] = (struct str){stop[s], length};
        }
        size_t best_end = SIZE_MAX, start = 0;
        for (size_t end = 1; end <= 32 && best_end == SIZE_MAX; end++) {
            for (size_t s = 0; s < 2; s++) {
                bool ends = stops[s].len <= end && memcmp(text + end - stops[s].len, stop[s], stops[s].len) == 0;
                if (ends && (best_end == SIZE_MAX || end - stops[s].len < start)) {
                    best_end = end;
                    start = end - stops[s].len;
                }
            }
        }
        struct str whole = {text, 32};
        bool expected = best_end != SIZE_MAX;
        char kept[33];
        str_copy(kept, sizeof(kept), (struct str){text, expected ? start : 32});
        check(stops, 2, whole, kept, expected);
    }
}

/* Which one it was, counted among those that were given, the empty ones too. */
static void test_which(void **state) {
    static const struct str stops[] = {STR(""), STR("cd"), STR("bcd"), STR("xyz")};
    static const struct {
        struct str text;
        uint32_t number;
    } cases[] = {{STR("abcd"), 3}, {STR("acd"), 2}, {STR("a xyz cd"), 4}, {STR("abc"), 0}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct stop_filter filter;
        struct buf out;
        buf_init(&out, 64);
        stop_filter_init(&filter, stops, COUNT_OF(stops));
        bool stopped = false;
        for (size_t at = 0; at < cases[i].text.len && !stopped; at++) {
            stopped = stop_filter_feed(&filter, (struct str){cases[i].text.data + at, 1}, &out);
        }
        assert_int_equal(stopped, cases[i].number > 0);
        assert_int_equal(filter.stopped_by, cases[i].number);
        stop_filter_clear(&filter);
        buf_clear(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which),
        cmocka_unit_test(passes_text_without_stop_strings),
        cmocka_unit_test(cuts_at_the_stop_string),
        cmocka_unit_test(gives_back_what_was_only_a_beginning),
        cmocka_unit_test(takes_the_stop_string_that_ends_first),
        cmocka_unit_test(holds_back_the_beginning),
        cmocka_unit_test(keeps_characters_whole),
        cmocka_unit_test(replaces_invalid_bytes),
        cmocka_unit_test(drops_an_incomplete_last_character),
        cmocka_unit_test(agrees_with_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
