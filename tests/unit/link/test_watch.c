/* Watched links: silence is noticed, life too, and a gateway that stood still blames nobody. */
#include "support/link_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PING_MS = 50, SILENCE_MS = 200 };

static struct loop_timer *timer; /* the test's own */

static int setup(void **state) {
    link_rig_setup(state);
    struct link_rig *rig = *state;
    rig->server_config.watch_ping_ms = PING_MS;
    rig->server_config.watch_silence_ms = SILENCE_MS;
    link_rig_use_device_loop(rig);
    return 0;
}

static unsigned count(const struct link_rig *rig, const char *line) {
    unsigned found = 0;
    const char *log = buf_cstr((struct buf *)&rig->gateway_log);
    for (const char *at = strstr(log, line); at; at = strstr(at + 1, line)) {
        found++;
    }
    return found;
}

static void end(void *context) {
    loop_timer_free(timer);
    link_rig_end(context);
}

static void after(struct link_rig *rig, uint64_t ms, void (*callback)(void *context)) {
    timer = loop_timer_new(rig->loop, callback, rig);
    loop_timer_start(timer, ms, 0);
}

static void thaw(void *context) {
    struct link_rig *rig = context;
    assert_int_equal(count(rig, "silent\n"), 1); /* told once, however long it lasts */
    loop_timer_free(timer);
    rig->frozen = false;
}

static void freeze_and_thaw(struct link_rig *rig, const char *event) {
    if (strncmp(event, "status", 6) == 0) {
        link_peer_watch(rig->peer, true);
        rig->frozen = true;
    } else if (strcmp(event, "silent") == 0) {
        after(rig, 2 * SILENCE_MS, thaw);
    } else if (strcmp(event, "alive") == 0) {
        link_rig_end(rig);
    }
}

static void test_silence_and_life(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = freeze_and_thaw;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_non_null(strstr(buf_cstr(&rig->gateway_log), "status 1 m\nsilent\nalive\ngone "));
    assert_null(strstr(buf_cstr(&rig->provider_log), "lost")); /* the link held */
}

/* The jobs of a silent device go elsewhere, so it is watched no more; its first word is told all the same. */
static void forget_while_silent(struct link_rig *rig, const char *event) {
    if (strncmp(event, "status", 6) == 0) {
        link_peer_watch(rig->peer, true);
        link_peer_watch(rig->peer, true);
        rig->frozen = true;
    } else if (strcmp(event, "silent") == 0) {
        link_peer_watch(rig->peer, false);
        link_peer_watch(rig->peer, false);
        rig->frozen = false;
    } else if (strcmp(event, "alive") == 0) {
        link_rig_end(rig);
    }
}

static void test_life_of_a_link_no_longer_watched(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = forget_while_silent;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_int_equal(count(rig, "silent\n"), 1);
    assert_int_equal(count(rig, "alive\n"), 1);
}

/* Pongs alone keep a watched link: this one has nothing else to say for several periods. */
static void watch_for_a_while(struct link_rig *rig, const char *event) {
    if (strncmp(event, "status", 6) == 0) {
        link_peer_watch(rig->peer, true);
        after(rig, 3 * SILENCE_MS, end);
    }
}

static void test_pongs_count(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = watch_for_a_while;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_int_equal(count(rig, "silent\n"), 0);
}

static void freeze_unwatched(struct link_rig *rig, const char *event) {
    if (strncmp(event, "status", 6) == 0) {
        link_peer_watch(rig->peer, true);
        link_peer_watch(rig->peer, false);
        rig->frozen = true;
        after(rig, 2 * SILENCE_MS, end);
    }
}

static void test_idle_links_are_not_watched(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = freeze_unwatched;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_int_equal(count(rig, "silent\n"), 0);
}

/* The process was stopped: here, its loop stands still in a callback. The device's pongs wait in the socket. */
static void stand_still(void *context) {
    struct link_rig *rig = context;
    loop_timer_free(timer);
    usleep(2 * SILENCE_MS * 1000);
    after(rig, 2 * PING_MS, end);
}

static void stop_the_gateway(struct link_rig *rig, const char *event) {
    if (strncmp(event, "status", 6) == 0) {
        link_peer_watch(rig->peer, true);
        after(rig, PING_MS, stand_still);
    }
}

static void test_our_own_standstill(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = stop_the_gateway;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_int_equal(count(rig, "silent\n"), 0);
}

/* What an event of one link may do to it and to others. */
static void close_when_silent(struct link_rig *rig, const char *event) {
    if (strncmp(event, "status", 6) == 0 && count(rig, "silent\n") == 0) { /* later it is a new link's */
        link_peer_watch(rig->peer, true);
        rig->frozen = true;
    } else if (strcmp(event, "silent") == 0) {
        link_peer_close(rig->peer, "given up");
        link_peer_watch(rig->peer, true); /* closing already: nothing happens */
        rig->frozen = false;
    } else if (strncmp(event, "gone", 4) == 0) {
        link_rig_end(rig);
    }
}

static void test_closed_when_silent(void **state) {
    struct link_rig *rig = *state;
    rig->on_gateway = close_when_silent;
    link_rig_start_client(rig, LINK_RIG_TOKEN);
    link_rig_run(rig);
    assert_int_equal(count(rig, "silent\n"), 1);
    assert_int_equal(count(rig, "alive\n"), 0);
    assert_int_equal(count(rig, "gone given up (1002)\n"), 1);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, link_rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_silence_and_life),   CASE(test_life_of_a_link_no_longer_watched),
        CASE(test_pongs_count),        CASE(test_idle_links_are_not_watched),
        CASE(test_our_own_standstill), CASE(test_closed_when_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
