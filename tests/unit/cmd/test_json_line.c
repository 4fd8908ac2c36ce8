/* The line that --json prints. */
#include "cmd/json_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

static void print(void *context) {
    struct json_line *line = context;
    json_line_print(line);
}

static void one_line_with_every_kind_of_member(void **state) {
    struct command_fixture *fixture = *state;
    struct json_line line;
    json_line_begin(&line, 4096);
    json_begin_object(&line.writer);
    json_member_cstr(&line.writer, "name", "Ada");
    json_line_usd(&line, "balance_usd", 5000000001);
    json_line_usd(&line, "debt_usd", -1);
    json_line_time(&line, "created_at", 1767225599999);
    json_line_time(&line, "ended_at", 0);
    json_line_count(&line, "bytes", 7);
    json_line_count(&line, "quota", 0);
    json_end_object(&line.writer);
    command_fixture_print(fixture, print, &line);
    assert_printed(fixture, "{\"name\":\"Ada\",\"balance_usd\":5.000000001,\"debt_usd\":-0.000000001,"
                            "\"created_at\":\"2025-12-31T23:59:59.999Z\",\"ended_at\":null,\"bytes\":7,"
                            "\"quota\":null}\n");
    assert_int_equal(line.text.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {COMMAND_TEST(one_line_with_every_kind_of_member)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
