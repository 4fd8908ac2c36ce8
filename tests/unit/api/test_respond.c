/* Durations, as OpenAI writes them in headers. */
#include "api/respond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_durations(void **state) {
    (void)state;
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0, "0s"},          {1, "1ms"},       {999, "999ms"},     {1000, "1s"},           {1500, "1.5s"},
        {6000, "6s"},       {10000, "10s"},   {59999, "59.999s"}, {60000, "1m0s"},        {63000, "1m3s"},
        {63050, "1m3.05s"}, {360000, "6m0s"}, {600000, "10m0s"},  {1200001, "20m0.001s"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[RESPOND_RATE_TEXT_SIZE];
        respond_format_duration(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_durations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
