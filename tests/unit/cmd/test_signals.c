/* Ctrl-C and SIGTERM on the loop. */
#include "cmd/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"

#include <signal.h>

struct fixture {
    struct loop *loop;
    struct loop_timer *timer; /* keeps the loop running: signals do not */
    struct signals signals;
    unsigned stops;
    int number;
};

static void on_stop(void *context) {
    struct fixture *fixture = context;
    fixture->stops++;
    loop_stop(fixture->loop);
}

static void on_timer(void *context) {
    const struct fixture *fixture = context;
    raise(fixture->number);
}

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){.loop = loop_new()};
    fixture.timer = loop_timer_new(fixture.loop, on_timer, &fixture);
    signals_open(&fixture.signals, fixture.loop, on_stop, &fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    signals_close(&fixture->signals);
    loop_timer_free(fixture->timer);
    loop_run(fixture->loop);
    loop_free(fixture->loop);
    return 0;
}

static void each_asks_to_stop(void **state) {
    static const int NUMBERS[] = {SIGINT, SIGTERM, SIGINT};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
        fixture->number = NUMBERS[i];
        loop_timer_start(fixture->timer, 0, 60000);
        loop_run(fixture->loop);
        assert_int_equal(fixture->stops, i + 1);
    }
}

static void they_do_not_keep_the_loop_running(void **state) {
    struct fixture *fixture = *state;
    loop_run(fixture->loop); /* returns */
    assert_int_equal(fixture->stops, 0);
}

static void a_broken_pipe_is_no_end(void **state) {
    (void)state;
    assert_int_equal(raise(SIGPIPE), 0); /* the process lives on */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_asks_to_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(they_do_not_keep_the_loop_running, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_pipe_is_no_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
