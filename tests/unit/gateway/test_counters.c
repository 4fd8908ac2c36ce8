#include "gateway/counters.h"

#include "base/log.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MODEL NATARIS_SOURCE_DIR "/models/nataris-demo-2m-q8_0.gguf"

struct fixture {
    struct loop *loop;
    struct counters *counters;
    struct call_counter counter;
    unsigned looked, told, counted;
    bool closed;
};

/* Every model but "none" has the same file. */
static bool find(void *context, struct str model, char out[FILE_PATH_MAX]) {
    struct fixture *fixture = context;
    fixture->looked++;
    return !str_equal_cstr(model, "none") && str_copy(out, FILE_PATH_MAX, str_from(MODEL));
}

static int setup(void **state) {
    struct fixture *fixture = MEM_NEW(struct fixture);
    log_set_level(LOG_ERROR);
    fixture->loop = loop_new();
    fixture->counters = counters_new(fixture->loop, find, fixture);
    fixture->counter = counters_of_calls(fixture->counters);
    *state = fixture;
    return 0;
}

static void on_closed(void *context) {
    ((struct fixture *)context)->closed = true;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    counters_close(fixture->counters, on_closed, fixture);
    loop_run(fixture->loop);
    assert_true(fixture->closed);
    loop_free(fixture->loop);
    free(fixture);
    return 0;
}

static void on_told(void *context, const uint32_t *tokens, size_t count) {
    struct fixture *fixture = context;
    fixture->told++;
    fixture->counted += tokens != NULL && count == 1;
}

static void ask(struct fixture *fixture, const char *model) {
    const struct str text = STR("hello");
    assert_true(fixture->counter.is_able(fixture->counter.context, str_from(model)));
    fixture->counter.texts(fixture->counter.context, str_from(model), &text, 1, on_told, fixture);
}

static void await(struct fixture *fixture, unsigned told) {
    while (fixture->told < told) {
        uv_run(loop_uv(fixture->loop), UV_RUN_ONCE);
    }
}

static void test_counts_with_the_file(void **state) {
    struct fixture *fixture = *state;
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("a");
    request.prompt = STR("hello");
    ask(fixture, "a");
    fixture->counter.chat(fixture->counter.context, &request, on_told, fixture);
    await(fixture, 2);
    assert_int_equal(fixture->looked, 1);
}

static void test_without_a_file_nobody_counts(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 5; i++) {
        assert_false(fixture->counter.is_able(fixture->counter.context, STR("none")));
        assert_false(fixture->counter.is_able(fixture->counter.context, STR("")));
    }
    assert_int_equal(fixture->looked, 1); /* not again for a while */
}

/* The one that was asked longest ago makes room, and whoever waits for it is told. */
static void test_there_are_only_a_few(void **state) {
    static const char *const models[] = {"a", "b", "c", "d", "e", "f", "a"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(models); i++) {
        ask(fixture, models[i]);
    }
    await(fixture, COUNT_OF(models));
    assert_int_equal(fixture->looked, COUNT_OF(models));
}

/* What waits is known by its bytes, of each model apart, until it is answered. */
static void test_the_backlog_is_what_waits(void **state) {
    struct fixture *fixture = *state;
    static char long_text[200 * 1000];
    const struct call_counter *counter = &fixture->counter;
    const struct str text = {long_text, sizeof(long_text)};
    memset(long_text, 'x', sizeof(long_text));
    assert_int_equal(counter->backlog(counter->context, STR("a")), 0);
    assert_true(counter->is_able(counter->context, STR("a")));
    counter->texts(counter->context, STR("a"), &text, 1, on_told, fixture);
    assert_true(counter->backlog(counter->context, STR("a")) >= sizeof(long_text));
    assert_true(counter->is_able(counter->context, STR("b")));
    assert_int_equal(counter->backlog(counter->context, STR("b")), 0);
    await(fixture, 1);
    assert_int_equal(counter->backlog(counter->context, STR("a")), 0);
    assert_int_equal(counter->backlog(counter->context, STR("none")), 0);
}

static void test_without_a_finder_there_are_none(void **state) {
    struct fixture *fixture = *state;
    struct counters *none = counters_new(fixture->loop, NULL, NULL);
    const struct call_counter counter = counters_of_calls(none);
    assert_false(counter.is_able(counter.context, STR("a")));
    counters_free(none);
    counters_free(NULL);
}

static void test_nobody_is_left_without_an_answer_at_the_end(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, "a");
    counters_close(fixture->counters, on_closed, fixture);
    assert_int_equal(fixture->told, 0);
    loop_run(fixture->loop);
    assert_int_equal(fixture->told, 1);
    assert_true(fixture->closed);
    fixture->closed = false;
    fixture->counters = counters_new(fixture->loop, find, fixture); /* for the teardown */
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_counts_with_the_file),
        TEST(test_without_a_file_nobody_counts),
        TEST(test_there_are_only_a_few),
        TEST(test_the_backlog_is_what_waits),
        TEST(test_without_a_finder_there_are_none),
        TEST(test_nobody_is_left_without_an_answer_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
