#include "provider/progress.h"

#include "base/compiler.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct output {
    int ends[2];
    char text[4096];
};

static void output_open(struct output *output) {
    assert_int_equal(pipe2(output->ends, O_NONBLOCK), 0);
}

/* What was written since the last call. */
static const char *output_take(struct output *output) {
    ssize_t got = read(output->ends[0], output->text, sizeof(output->text) - 1);
    output->text[got > 0 ? got : 0] = '\0';
    return output->text;
}

static void output_close(struct output *output) {
    close(output->ends[0]);
    close(output->ends[1]);
}

static void format(void **state) {
    char text[128];
    struct progress progress = {.name = "m", .speed = 12.4e6};
    (void)state;
    progress_format(&progress, 42100000, 98400000, text, sizeof(text));
    assert_string_equal(text, "m  42%  42.1/98.4 MB  12 MB/s");
    progress.speed = 0;
    progress_format(&progress, 1500000, 0, text, sizeof(text));
    assert_string_equal(text, "m  1.5 MB");
}

static void plain_lines_at_tenths_and_every_five_seconds(void **state) {
    struct output output;
    struct progress progress;
    (void)state;
    output_open(&output);
    struct progress_line line = {.fd = output.ends[1]};
    progress_init(&progress, &line, "m");
    progress_show(&progress, 1000, 0, 100000000);
    assert_string_equal(output_take(&output), "m   0%  0.0/100.0 MB\n");
    progress_show(&progress, 2000, 5000000, 100000000);
    assert_string_equal(output_take(&output), "");
    progress_show(&progress, 3000, 11000000, 100000000);
    assert_string_equal(output_take(&output), "m  11%  11.0/100.0 MB  5.2 MB/s\n");
    progress_show(&progress, 7900, 12000000, 100000000);
    assert_string_equal(output_take(&output), "");
    progress_show(&progress, 8000, 12000000, 100000000);
    assert_non_null(strstr(output_take(&output), "m  12%"));
    progress_end(&progress);
    assert_string_equal(output_take(&output), "");
    output_close(&output);
}

static void one_bar_at_a_time_on_a_terminal(void **state) {
    struct output output;
    struct progress first;
    struct progress second;
    (void)state;
    output_open(&output);
    struct progress_line line = {.fd = output.ends[1], .terminal = true};
    progress_init(&first, &line, "first");
    progress_init(&second, &line, "second");
    progress_show(&first, 1000, 1000000, 4000000);
    assert_string_equal(output_take(&output), "\r\x1b[Kfirst  25%  1.0/4.0 MB\r");
    progress_show(&second, 1000, 1000000, 4000000);
    assert_string_equal(output_take(&output), "");
    progress_end(&second);
    assert_string_equal(output_take(&output), "");
    progress_end(&first);
    assert_string_equal(output_take(&output), "\r\x1b[K");
    progress_show(&second, 1000, 1000000, 4000000);
    assert_non_null(strstr(output_take(&output), "second"));
    output_close(&output);
}

static void quiet(void **state) {
    struct progress_line line;
    struct progress progress;
    (void)state;
    progress_line_init(&line, true);
    assert_int_equal(line.fd, -1);
    progress_init(&progress, &line, "m");
    progress_show(&progress, 0, 1, 2);
    progress_end(&progress);
    assert_null(line.shown);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format),
        cmocka_unit_test(plain_lines_at_tenths_and_every_five_seconds),
        cmocka_unit_test(one_bar_at_a_time_on_a_terminal),
        cmocka_unit_test(quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
