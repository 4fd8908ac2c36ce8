/* The story of a request, as the gateway tells it. */
#include "cmd/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_socket.h"

static void a_job_that_ended(void **state) {
    admin_socket_expect(*state, "job|explain|chatcmpl-1", "GET /admin/jobs/chatcmpl-1 ",
                        "{\"id\":\"chatcmpl-1\",\"model\":\"tiny\",\"outcome\":\"completed\",\"steps\":["
                        "{\"at_ms\":0,\"state\":\"queued\",\"why\":\"no device is free\"},"
                        "{\"at_ms\":12,\"attempt\":1,\"provider_id\":\"prov_1\",\"candidates\":["
                        "{\"chosen\":true,\"provider_id\":\"prov_1\",\"name\":\"laptop\",\"why\":\"warm\"},"
                        "{\"chosen\":false,\"provider_id\":\"prov_2\",\"name\":\"shed\",\"why\":\"it is slower\"}]},"
                        "{\"at_ms\":900,\"attempt\":2,\"provider_id\":\"prov_2\",\"continues\":true,\"candidates\":[]},"
                        "{\"at_ms\":1000,\"state\":\"completed\",\"why\":null}]}",
                        "chatcmpl-1  tiny  completed\n"
                        "      0 ms queued (no device is free)\n"
                        "     12 ms attempt 1 on prov_1\n"
                        "           * prov_1                     laptop           warm\n"
                        "             prov_2                     shed             it is slower\n"
                        "    900 ms attempt 2 on prov_2, which goes on behind the text delivered so far\n"
                        "   1000 ms completed (-)\n");
}

static void a_job_that_runs(void **state) {
    admin_socket_expect(*state, "job|explain|chatcmpl-2", "GET /admin/jobs/chatcmpl-2 ",
                        "{\"id\":\"chatcmpl-2\",\"model\":\"tiny\",\"outcome\":null,\"devices_with_model\":3,\"now\":["
                        "{\"provider_id\":\"prov_1\",\"name\":\"laptop\",\"why\":\"no free slot\"}]}",
                        "chatcmpl-2  tiny  running\n"
                        "Now, of 3 devices with the model:\n"
                        "             prov_1                     laptop           no free slot\n");
}

static void a_job_that_is_told_of_in_short(void **state) {
    admin_socket_expect(*state, "job|explain|chatcmpl-3", "GET /admin/jobs/chatcmpl-3 ", "{\"id\":\"chatcmpl-3\"}",
                        "chatcmpl-3  -  running\nNow, of - devices with the model:\n");
}

static void ids_that_are_none(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "job|explain|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "ID is missing: the answer's id", "job|explain|--data|@");
}

/* What happened is in the gateway's memory only. */
static void without_a_gateway(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_FAILED, "job|explain|chatcmpl-1|--data|@");
    assert_complains(fixture, "nataris: ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ADMIN_SOCKET_TEST(a_job_that_ended),
        ADMIN_SOCKET_TEST(a_job_that_runs),
        ADMIN_SOCKET_TEST(a_job_that_is_told_of_in_short),
        DATA_TEST(ids_that_are_none),
        DATA_TEST(without_a_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
