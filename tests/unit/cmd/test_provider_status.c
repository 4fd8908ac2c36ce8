/* What a provider says of itself, for a person. */
#include "cmd/provider_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

static void print_status(void *context) {
    const struct json_value *status = context;
    provider_status_print(*status);
}

static void show(struct command_fixture *fixture, const char *status) {
    struct json_parser *parser = json_parser_new(16 * 1024, 8);
    struct json_value root;
    assert_true(json_parse(parser, str_from(status), &root, &fixture->err));
    command_fixture_print(fixture, print_status, &root);
    json_parser_free(parser);
}

static void everything_that_can_be_said(void **state) {
    struct command_fixture *fixture = *state;
    show(
        fixture,
        "{\"provider_id\":\"prov_1\",\"name\":\"shed\",\"gateway\":\"https://gateway.example\",\"connected\":true,"
        "\"since\":\"2026-01-31T23:59:59.123Z\",\"pause\":{\"reason\":\"it is night\",\"until\":\"tomorrow\"},"
        "\"models\":[{\"id\":\"tiny\",\"state\":\"warm\",\"slots\":2,\"context_length\":4096},"
        "{\"id\":\"big\",\"state\":\"downloading\",\"bytes_done\":30,\"bytes_total\":120},"
        "{\"id\":\"odd\",\"state\":\"failed\",\"slots\":0}],"
        "\"jobs\":{\"running\":1,\"served\":2,\"failed\":3,\"refused\":4,\"handed_back\":5},"
        "\"tokens\":{\"prompt\":6,\"completion\":7},"
        "\"device\":{\"battery_percent\":80,\"charging\":false,\"heat\":\"fair\",\"celsius\":60,\"metered\":true,"
        "\"idle_s\":9,\"ram_free_bytes\":2500000},"
        "\"limits\":{\"battery_floor\":30,\"only_charging\":true,\"hours\":null,\"avoid_metered\":false,\"max_jobs\":0,"
        "\"metered\":\"auto\"},"
        "\"last_error\":{\"message\":\"the engine broke\",\"at\":\"then\"}}");
    assert_printed(fixture,
                   "Provider    prov_1 (shed)\n"
                   "Gateway     https://gateway.example\n"
                   "Link        connected since 2026-01-31T23:59:59.123Z\n"
                   "Takes jobs  no: it is night, or tomorrow\n"
                   "Models      tiny: warm, 2 slots of 4096 tokens\n"
                   "            big: downloading 25%%\n"
                   "            odd: failed\n"
                   "Jobs        1 running, 2 served, 3 failed, 4 refused, 5 handed back\n"
                   "Tokens      6 read, 7 written\n"
                   "Device      battery 80%% discharging, heat fair (60 C), network metered, last used 9 s ago, "
                   "2 MB of memory free\n"
                   "Limits      battery_floor 30, only_charging yes, metered auto\n"
                   "Last error  the engine broke (then)\n");
}

static void as_little_as_can_be_said(void **state) {
    struct command_fixture *fixture = *state;
    show(fixture, "{\"device\":{\"battery_percent\":null,\"heat\":\"nominal\",\"celsius\":null,\"idle_s\":null}}");
    assert_printed(fixture, "Provider    - (-)\n"
                            "Gateway     -\n"
                            "Link        not connected since -\n"
                            "Takes jobs  yes\n"
                            "Jobs        0 running, 0 served, 0 failed, 0 refused, 0 handed back\n"
                            "Tokens      0 read, 0 written\n"
                            "Device      heat nominal, network free, 0 MB of memory free\n"
                            "Limits      none\n");
}

static void why_no_jobs_are_taken(void **state) {
    struct command_fixture *fixture = *state;
    show(fixture, "{\"draining\":true,\"pause\":{\"reason\":\"it is night\"}}");
    assert_prints(fixture, "\nTakes jobs  no: it is stopping\n");
    show(fixture, "{\"pause\":{\"reason\":\"it is night\",\"until\":null}}");
    assert_prints(fixture, "\nTakes jobs  no: it is night\n");
    show(fixture, "{\"pause\":{\"reason\":null},\"device\":{\"battery_percent\":5,\"charging\":true}}");
    assert_prints(fixture, "\nTakes jobs  yes\n");
    assert_prints(fixture, "\nDevice      battery 5%% charging, ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(everything_that_can_be_said),
        COMMAND_TEST(as_little_as_can_be_said),
        COMMAND_TEST(why_no_jobs_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
