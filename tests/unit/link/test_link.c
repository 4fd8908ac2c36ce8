/* Both real sides of the link against each other. */
#include "base/mem.h"
#include "link/part.h"
#include "support/link_rig.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BIG_TEXT = 3 * LIMIT_DELTA_BYTES, BIG_PART = 64 };

static bool is(const char *event, const char *expected) {
    return strcmp(event, expected) == 0;
}

static bool begins(const char *event, const char *expected) {
    return strncmp(event, expected, strlen(expected)) == 0;
}

static void end_on_status(struct link_rig *rig, const char *event) {
    if (is(event, "status 1 m")) {
        assert_int_equal(link_server_peer_count(rig->server), 1);
        link_rig_end(rig);
    }
}

static void test_admitted(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = end_on_status;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_string_equal(buf_cstr(&rig->provider_log), "ready prov_1\nstatus due\n");
    assert_true(begins(buf_cstr(&rig->gateway_log), "hello join_good bench\nstatus 1 m\ngone "));
}

static void end_on_lost(struct link_rig *rig, const char *event) {
    if (begins(event, "lost")) {
        link_rig_end(rig);
    }
}

static void test_denied(void **state) {
    struct link_rig *rig = *state;
    rig->on_provider = end_on_lost;
    link_rig_start_client(rig, "join_bad");
    link_rig_run(rig);
    assert_string_equal(buf_cstr(&rig->provider_log), "lost for good unknown device and no valid join token (1008)\n");
    assert_string_equal(buf_cstr(&rig->gateway_log),
                        "hello join_bad bench\ngone unknown device and no valid join token (1008)\n");
}

static void send_two_jobs(struct link_rig *rig, const char *event) {
    if (begins(event, "status")) {
        struct gen_request request = link_rig_request(5);
        link_peer_send_want(rig->peer, STR("wanted"));
        link_peer_send_job(rig->peer, 1, &request);
        link_peer_send_job(rig->peer, LINK_JOB_MAX, &request);
        free((char *)request.prompt.data);
    } else if (begins(event, "done 1")) {
        link_peer_send_cancel(rig->peer, LINK_JOB_MAX);
    } else if (is(event, "drain")) {
        link_rig_end(rig);
    }
}

static void answer_jobs(struct link_rig *rig, const char *event) {
    struct link_client *client = rig->client;
    if (is(event, "job 1 m 5")) {
        link_client_send_accept(client, &(struct link_accept){.job = 1, .prompt_tokens = 3});
        link_client_send_progress(client, &(struct link_progress){.job = 1, .done_tokens = 2});
        link_client_send_delta(client, &(struct link_delta){.job = 1, .tokens = 1, .text = STR("Hel")});
        link_client_send_delta(client, &(struct link_delta){.job = 1, .tokens = 2, .text = STR("lo")});
        const struct link_done done = {
            .job = 1, .finish = LINK_FINISH_STOP, .usage = {.prompt_tokens = 3, .completion_tokens = 3}};
        link_client_send_done(client, &done);
    } else if (is(event, "cancel 9007199254740991")) {
        const struct link_error error = {
            .job = LINK_JOB_MAX, .failure = GEN_FAILURE_ENGINE, .message = STR("broke"), .param = STR("")};
        link_client_send_error(client, &error);
        link_client_send_word(client, LINK_DRAIN);
    }
}

static void test_jobs(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = send_two_jobs;
    rig->on_provider = answer_jobs;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_string_equal(buf_cstr(&rig->provider_log),
                        "ready prov_1\nstatus due\nwant wanted\njob 1 m 5\njob 9007199254740991 m 5\n"
                        "cancel 9007199254740991\n");
    assert_true(begins(buf_cstr(&rig->gateway_log),
                       "hello join_good bench\nstatus 1 m\naccept 1 3\nprogress 1 2\ndelta 1 1 Hel\ndelta 1 2 lo\n"
                       "done 1 stop 3\nerror 9007199254740991 engine broke\ndrain\ngone "));
}

/* The link knows no jobs: what comes late or unasked is handed on, and costs nobody the link. */
static void send_nonsense(struct link_rig *rig, const char *event) {
    if (begins(event, "ready")) {
        const struct link_done done = {.job = 9, .finish = LINK_FINISH_STOP};
        link_client_send_done(rig->client, &done);
        link_client_send_delta(rig->client, &(struct link_delta){.job = 9, .tokens = 1, .text = STR("late")});
        link_client_send_accept(rig->client, &(struct link_accept){.job = 77, .prompt_tokens = 1});
    }
}

static void test_unknown_and_ended_jobs_are_handed_on(void **state) {
    struct link_rig *rig = *state;
    rig->on_provider = send_nonsense;
    rig->on_gateway = end_on_status;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_true(begins(buf_cstr(&rig->gateway_log),
                       "hello join_good bench\ndone 9 stop 0\ndelta 9 1 late\naccept 77 1\nstatus 1 m\ngone "));
}

static void send_big_text(struct link_rig *rig, const char *event) {
    if (begins(event, "ready")) {
        char *text = mem_alloc(BIG_TEXT);
        text[0] = 'x'; /* so that a cut at a power of two would split a character */
        for (size_t i = 1; i + 1 < BIG_TEXT; i += 2) {
            memcpy(text + i, "\xc3\xa9", 2);
        }
        text[BIG_TEXT - 1] = 'y';
        struct buf parts;
        buf_init(&parts, BIG_PART);
        link_parts_add_reasoning(&parts, STR("Hm"));
        link_client_send_delta(
            rig->client,
            &(struct link_delta){.job = 1, .tokens = 70000, .text = {text, BIG_TEXT}, .parts = buf_str(&parts)});
        buf_clear(&parts);
        free(text);
    }
}

static void test_large_delta_is_split(void **state) {
    struct link_rig *rig = *state;
    rig->silent_log = true;
    rig->on_provider = send_big_text;
    rig->on_gateway = end_on_status;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_int_equal(rig->text.len, BIG_TEXT);
    assert_int_equal(rig->text.data[0], 'x');
    assert_int_equal(rig->text.data[BIG_TEXT - 1], 'y');
    assert_int_equal(rig->tokens, 70000);
    assert_int_equal(rig->part_bytes, LINK_PART_HEAD + 2); /* once */
}

static void send_giant_job(struct link_rig *rig, const char *event) {
    if (begins(event, "status")) {
        struct gen_request request = link_rig_request(LIMIT_LINK_MESSAGE_BYTES);
        link_peer_send_job(rig->peer, 4, &request);
        assert_null(strstr(buf_cstr(&rig->gateway_log), "error")); /* never inside the call */
        free((char *)request.prompt.data);
        /* The largest there is: a whole body, and a whole answer to continue in which every byte is escaped. */
        request = link_rig_request(LIMIT_HTTP_BODY_BYTES);
        char *answer = mem_alloc(LIMIT_ANSWER_BYTES);
        memset(answer, '\n', LIMIT_ANSWER_BYTES);
        request.continue_text = (struct str){answer, LIMIT_ANSWER_BYTES};
        link_peer_send_job(rig->peer, 5, &request);
        free(answer);
        free((char *)request.prompt.data);
    }
}

static void end_on_job(struct link_rig *rig, const char *event) {
    if (begins(event, "job")) {
        link_rig_end(rig);
    }
}

static void test_job_too_large_for_the_link(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = send_giant_job;
    rig->on_provider = end_on_job;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_non_null(
        strstr(buf_cstr(&rig->gateway_log), "error 4 bad_request the request is too large to be sent to a provider\n"));
    assert_non_null(strstr(buf_cstr(&rig->provider_log), "job 5 m 4194304\n"));
}

/* Lost twice, back each time; the third time is the end. */
static void close_peer_on_status(struct link_rig *rig, const char *event) {
    if (begins(event, "status") && rig->rounds++ < 2) {
        link_peer_close(rig->peer, "again");
    } else if (rig->rounds == 3) {
        link_rig_end(rig);
    }
}

static void test_reconnects(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = close_peer_on_status;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_string_equal(buf_cstr(&rig->provider_log),
                        "ready prov_1\nstatus due\nlost again (1002)\nready prov_1\nstatus due\nlost again (1002)\n"
                        "ready prov_1\nstatus due\n");
}

static void count_beats(struct link_rig *rig, const char *event) {
    if (begins(event, "status") && ++rig->rounds == 5) {
        link_rig_end(rig);
    }
}

/* More beats than either side would bear in silence. They are so far apart that a busy machine, where this process may
 * not run for half a second, loses no link. */
static void test_heartbeats_keep_the_link(void **state) {
    struct link_rig *rig = *state;
    rig->server_config.heartbeat_ms = 250;
    rig->on_gateway = count_beats;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_null(strstr(buf_cstr(&rig->provider_log), "lost"));
}

static void drain_on_status(struct link_rig *rig, const char *event) {
    if (begins(event, "status")) {
        link_server_drain(rig->server);
    }
}

static void start_second_on_drain(struct link_rig *rig, const char *event) {
    if (is(event, "drain")) {
        link_rig_start_ws(rig);
    }
}

static void end_on_refusal(struct link_rig *rig, const char *event) {
    assert_string_equal(event, "refused the server answered HTTP 503 instead of opening a WebSocket");
    link_rig_end(rig);
}

static void test_gateway_drains(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = drain_on_status;
    rig->on_provider = start_second_on_drain;
    rig->on_ws = end_on_refusal;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
}

static void on_server_closed(void *context) {
    struct link_rig *rig = context;
    buf_append_cstr(&rig->gateway_log, "closed\n");
}

static void close_server_on_status(struct link_rig *rig, const char *event) {
    if (begins(event, "status")) {
        struct link_server *server = rig->server;
        rig->server = NULL;
        link_server_close(server, on_server_closed, rig);
    }
}

static void test_gateway_closes(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = close_server_on_status;
    rig->on_provider = end_on_lost;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_string_equal(buf_cstr(&rig->gateway_log),
                        "hello join_good bench\nstatus 1 m\ngone the gateway is shutting down (1001)\nclosed\n");
    assert_non_null(strstr(buf_cstr(&rig->provider_log), "lost the gateway is shutting down (1001)\n"));
}

/* A device that does not read is cut before it costs much. */
static void flood_on_status(struct link_rig *rig, const char *event) {
    if (begins(event, "status")) {
        struct gen_request request = link_rig_request(10000);
        link_peer_send_job(rig->peer, 1, &request);
        link_peer_send_job(rig->peer, 2, &request); /* closing already: nothing happens */
        free((char *)request.prompt.data);
    } else if (begins(event, "gone")) {
        link_rig_end(rig);
    }
}

static void test_backlog(void **state) {
    struct link_rig *rig = *state;
    rig->server_config.backlog_bytes = 5000;
    rig->on_gateway = flood_on_status;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_non_null(strstr(buf_cstr(&rig->gateway_log), "gone "));
    assert_null(strstr(buf_cstr(&rig->provider_log), "job"));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, link_rig_setup, link_rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_admitted),
        CASE(test_denied),
        CASE(test_jobs),
        CASE(test_unknown_and_ended_jobs_are_handed_on),
        CASE(test_large_delta_is_split),
        CASE(test_job_too_large_for_the_link),
        CASE(test_reconnects),
        CASE(test_heartbeats_keep_the_link),
        CASE(test_gateway_drains),
        CASE(test_gateway_closes),
        CASE(test_backlog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
