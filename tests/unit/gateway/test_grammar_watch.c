/* Devices that are held to the grammars that they were given. */
#include "gateway/grammar_watch.h"

#include "base/buf.h"
#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { JOB = 7, DEVICE = 3, OTHER = 4 };

static const struct gen_request REQUEST = {.grammar = STR("root ::= \"[\" [a-z]* (\",\" root)* \"]\"\n")};

static bool says(struct grammar_watch *watch, uint64_t provider, const char *text) {
    return grammar_watch_delta(watch, provider, &(struct link_delta){.job = JOB, .text = str_from(text), .tokens = 1});
}

static void test_what_keeps_to_it(void **state) {
    struct grammar_watch watch = {0};
    (void)state;
    grammar_watch_begin(&watch, JOB, DEVICE, &REQUEST);
    assert_true(says(&watch, DEVICE, "[ab"));
    assert_true(says(&watch, DEVICE, ""));
    assert_true(says(&watch, DEVICE, "c,[]]"));
    assert_true(grammar_watch_done(&watch, DEVICE, JOB, LINK_FINISH_STOP));
    assert_null(watch.open);
    assert_int_equal(watch.bytes, 0);
}

static void test_what_breaks_it(void **state) {
    static const char *const texts[] = {"x", "[A", "[a]b", "[a,b]"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct grammar_watch watch = {0};
        grammar_watch_begin(&watch, JOB, DEVICE, &REQUEST);
        assert_false(says(&watch, DEVICE, texts[i]));
        grammar_watch_clear(&watch);
    }
}

/* Only at its end may it end, unless something else has cut it. */
static void test_ends(void **state) {
    static const struct {
        enum link_finish finish;
        bool stops, good;
    } cases[] = {{LINK_FINISH_STOP, false, false},
                 {LINK_FINISH_OTHER, false, false},
                 {LINK_FINISH_LENGTH, false, true},
                 {LINK_FINISH_CANCELLED, false, true},
                 {LINK_FINISH_STOP, true, true}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct grammar_watch watch = {0};
        struct gen_request request = REQUEST;
        request.stop_count = cases[i].stops;
        grammar_watch_begin(&watch, JOB, DEVICE, &request);
        assert_true(says(&watch, DEVICE, "[a"));
        assert_int_equal(grammar_watch_done(&watch, DEVICE, JOB, cases[i].finish), cases[i].good);
        assert_null(watch.open);
    }
}

/* The next device goes on where the text is; what the first one still says is none of it. */
static void test_another_device_goes_on(void **state) {
    struct grammar_watch watch = {0};
    struct gen_request request = REQUEST;
    (void)state;
    grammar_watch_begin(&watch, JOB, DEVICE, &request);
    assert_true(says(&watch, DEVICE, "[a"));
    request.continue_text = STR("[a");
    grammar_watch_begin(&watch, JOB, OTHER, &request);
    assert_true(says(&watch, DEVICE, "?"));
    assert_true(grammar_watch_done(&watch, DEVICE, JOB, LINK_FINISH_STOP));
    assert_true(says(&watch, OTHER, "b]"));
    assert_true(grammar_watch_done(&watch, OTHER, JOB, LINK_FINISH_STOP));
}

static void test_bounds(void **state) {
    struct grammar_watch watch = {0};
    struct gen_request plain = {0}, broken = {.grammar = STR("root ::= (")}, large = REQUEST;
    (void)state;
    grammar_watch_begin(&watch, JOB, DEVICE, &plain);
    grammar_watch_begin(&watch, JOB, DEVICE, &broken);
    assert_null(watch.open);
    assert_true(says(&watch, DEVICE, "anything"));
    assert_true(grammar_watch_done(&watch, DEVICE, JOB, LINK_FINISH_STOP));
    /* Few bytes that ask for much: one is too much for this thread, and of smaller ones there are only so many. */
    large.grammar = STR("root ::= ([a-z]{0,2000} \" \"){2000} [a-z]{0,2000} [a-z]{0,2000} [a-z]{0,2000} [a-z]{0,2000} "
                        "[a-z]{0,2000} [a-z]{0,2000} [a-z]{0,2000} [a-z]{0,2000}\n");
    grammar_watch_begin(&watch, JOB, DEVICE, &large);
    assert_null(watch.open);
    large.grammar = STR("root ::= [a-z]{0,2000} [a-z]{0,2000} [a-z]{0,2000} [a-z]{0,2000}\n");
    for (uint64_t job = 1; job <= 400; job++) {
        grammar_watch_begin(&watch, job, DEVICE, &large);
    }
    assert_in_range(watch.bytes, 60 * 1024 * 1024, 64 * 1024 * 1024);
    assert_false(says(&watch, DEVICE, "NO"));
    grammar_watch_clear(&watch);
    assert_int_equal(watch.bytes, 0);
}

/* An answer that nests deeper and deeper takes more and more: it is let go. */
static void test_depth(void **state) {
    static const struct gen_request nested = {.grammar = STR("root ::= \"[\" root* \"]\"\n")};
    struct grammar_watch watch = {0};
    char brackets[1000];
    (void)state;
    memset(brackets, '[', sizeof(brackets));
    grammar_watch_begin(&watch, JOB, DEVICE, &nested);
    const struct link_delta delta = {.job = JOB, .text = {brackets, sizeof(brackets)}, .tokens = 1};
    for (int i = 0; i < 4000; i++) {
        assert_true(grammar_watch_delta(&watch, DEVICE, &delta));
        assert_in_range(watch.bytes, 0, 64 * 1024 * 1024);
    }
    grammar_watch_clear(&watch);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_keeps_to_it),
                                       cmocka_unit_test(test_what_breaks_it),
                                       cmocka_unit_test(test_ends),
                                       cmocka_unit_test(test_another_device_goes_on),
                                       cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_depth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
