#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct capture {
    FILE *file;
    int saved;
    char text[8192];
};

static void capture_start(struct capture *capture) {
    capture->file = tmpfile();
    assert_non_null(capture->file);
    fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

/* What was logged, without the time in front of the first line. */
static const char *capture_end(struct capture *capture) {
    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    rewind(capture->file);
    size_t len = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
    capture->text[len] = '\0';
    fclose(capture->file);
    if (len == 0) {
        return capture->text;
    }
    assert_true(len > 25);
    assert_memory_equal(capture->text + 23, "Z ", 2);
    return capture->text + 25;
}

static void test_fields(void **state) {
    (void)state;
    struct capture capture;
    capture_start(&capture);
    LOG_INFO_EVENT("http.request", LOG_TEXT("request_id", "req_x"), LOG_INT("status", 200), LOG_INT("low", INT64_MIN),
                   LOG_REAL("ratio", 0.5), LOG_TEXT("none", NULL), LOG_TEXT("empty", ""));
    assert_string_equal(capture_end(&capture), "info http.request request_id=req_x status=200 "
                                               "low=-9223372036854775808 ratio=0.5 none= empty=\n");
}

static void test_nothing_forges_a_line(void **state) {
    (void)state;
    struct capture capture;
    capture_start(&capture);
    LOG_WARN_EVENT("x", LOG_TEXT("a", "one two"), LOG_TEXT("b", "k=v"), LOG_TEXT("c", "say \"hi\"\\"),
                   LOG_TEXT("d", "line\nbreak\r\x1b[31m"), LOG_TEXT("e", "bad\xff-utf"), LOG_TEXT("f", "csi\xc2\x9bm"),
                   LOG_TEXT("g", "\xc3\xbc"), LOG_TEXT("h", "\x7f"));
    assert_string_equal(capture_end(&capture), "warn x a=\"one two\" b=\"k=v\" c=\"say \\\"hi\\\"\\\\\" "
                                               "d=\"line\\nbreak\\x0d\\x1b[31m\" e=\"bad\\xff-utf\" "
                                               "f=\"csi\\xc2\\x9bm\" g=\"\xc3\xbc\" h=\"\\x7f\"\n");
}

static void test_long_values_are_cut(void **state) {
    (void)state;
    char longer[3000];
    memset(longer, 'v', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    longer[1023] = '\xc3'; /* a character across the cut is left out whole */
    longer[1024] = '\xbc';
    struct capture capture;
    capture_start(&capture);
    LOG_ERROR_EVENT("x", LOG_TEXT("long", longer), LOG_INT("after", 1));
    const char *line = capture_end(&capture);
    assert_int_equal(strspn(line + strlen("error x long=\""), "v"), 1023);
    assert_string_equal(line + strlen("error x long=\"") + 1023, "...(cut)\" after=1\n");
}

static void test_a_line_is_bounded(void **state) {
    (void)state;
    char wide[1024];
    memset(wide, 1, sizeof(wide) - 1); /* four bytes each when escaped */
    wide[sizeof(wide) - 1] = '\0';
    struct capture capture;
    capture_start(&capture);
    LOG_INFO_EVENT("x", LOG_TEXT("a", wide), LOG_TEXT("b", wide), LOG_TEXT("c", wide), LOG_TEXT("d", wide),
                   LOG_TEXT("e", wide), LOG_TEXT("f", wide), LOG_TEXT("g", wide), LOG_TEXT("h", wide),
                   LOG_TEXT("i", wide));
    off_t size = lseek(STDERR_FILENO, 0, SEEK_END);
    char last = 0;
    assert_int_equal(pread(STDERR_FILENO, &last, 1, size - 1), 1);
    capture_end(&capture);
    assert_in_range(size, 28 * 1024, 32 * 1024);
    assert_int_equal(last, '\n');
}

static void test_levels(void **state) {
    (void)state;
    enum log_level level = LOG_INFO;
    assert_true(log_level_from_name("warn", &level));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_level_from_name("Warn", &level));
    struct capture capture;
    capture_start(&capture);
    LOG_DEBUG_EVENT("hidden");
    log_set_level(LOG_ERROR);
    LOG_WARN_EVENT("hidden");
    log_set_level(LOG_INFO);
    assert_string_equal(capture_end(&capture), "");
    capture_start(&capture);
    log_set_level(LOG_DEBUG);
    LOG_DEBUG_EVENT("shown");
    log_set_level(LOG_INFO);
    assert_string_equal(capture_end(&capture), "debug shown\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_nothing_forges_a_line),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_a_line_is_bounded),
        cmocka_unit_test(test_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
