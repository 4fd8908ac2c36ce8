/* The states of a model that is loaded on demand, with an engine that the test moves by hand. */
#include "base/log.h"
#include "provider/hosted_model.h"
#include "unit/provider/hand_engine.h"

enum { SEEN_MAX = 4096 };

struct fixture {
    struct loop *loop;
    struct hosted_model *model;
    struct progress_line progress;
    struct buf seen; /* states and ends of jobs, one line each */
    enum model_room room;
    unsigned asked_for_room, unloaded;
    bool closed;
    struct loop_timer *tick;
    bool ticked;
};

static void see(struct fixture *fixture, const char *what, uint64_t job) {
    buf_append_format(&fixture->seen, "%s", what);
    if (job > 0) {
        buf_append_format(&fixture->seen, " %d", (int)job);
    }
    buf_append_str(&fixture->seen, STR("\n"));
    loop_stop(fixture->loop);
}

static void on_state(void *context, struct hosted_model *model, const struct err *why) {
    struct link_model now;
    hosted_model_describe(model, &now);
    assert_true((why != NULL) == (now.state == LINK_MODEL_FAILED));
    see(context, link_model_state_name(now.state), 0);
}

static enum model_room find_room(void *context, struct hosted_model *model, uint64_t *memory_limit) {
    struct fixture *fixture = context;
    (void)model;
    fixture->asked_for_room++;
    *memory_limit = 1234;
    return fixture->room;
}

static void on_unloaded(void *context, struct hosted_model *model) {
    struct fixture *fixture = context;
    (void)model;
    fixture->unloaded++;
}

static void on_done(void *context, uint64_t job, const struct gen_done *done) {
    see(context, gen_finish_name(done->finish), job);
}

static void on_failed(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param) {
    (void)message, (void)param;
    see(context, gen_failure_name(failure), job);
}

static const struct hosted_model_events EVENTS = {.on_state = on_state,
                                                  .find_room = find_room,
                                                  .on_unloaded = on_unloaded,
                                                  .on_done = on_done,
                                                  .on_failed = on_failed};

static void on_tick(void *context) {
    struct fixture *fixture = context;
    fixture->ticked = true;
}

/* A whole iteration of the loop, also when nothing is left to do. */
static void turn(struct fixture *fixture) {
    fixture->ticked = false;
    loop_timer_start(fixture->tick, 0, 0);
    while (!fixture->ticked) {
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
    }
}

static void expect(struct fixture *fixture, const char *seen) {
    assert_string_equal(buf_cstr(&fixture->seen), seen);
    buf_reset(&fixture->seen);
}

static void open_model(struct fixture *fixture, bool on_demand, uint32_t keep_warm_ms) {
    const struct hosted_model_spec spec = {.id = "m"};
    const struct hosted_model_options options = {.ops = &HAND,
                                                 .on_demand = on_demand,
                                                 .keep_warm_ms = keep_warm_ms,
                                                 .engine = {.loop = fixture->loop, .slots = 1},
                                                 .progress = &fixture->progress};
    fixture->model = hosted_model_new(&spec, &options, &EVENTS, fixture);
    turn(fixture);
    turn(fixture);
}

static int setup(void **state) {
    struct fixture *fixture = MEM_NEW(struct fixture);
    *state = fixture;
    fixture->loop = loop_new();
    fixture->tick = loop_timer_new(fixture->loop, on_tick, fixture);
    buf_init(&fixture->seen, SEEN_MAX);
    progress_line_init(&fixture->progress, true);
    hand_refuses = hand_holds_close = false;
    return 0;
}

static void on_closed(void *context) {
    struct fixture *fixture = context;
    fixture->closed = true;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    if (!fixture->closed) {
        hosted_model_close(fixture->model, on_closed, fixture);
        loop_run(fixture->loop);
    }
    bool well = fixture->closed && hand == NULL;
    loop_timer_free(fixture->tick);
    loop_free(fixture->loop);
    buf_clear(&fixture->seen);
    free(fixture);
    return well ? 0 : -1;
}

static bool submit(struct fixture *fixture, uint64_t job, enum gen_failure *refusal) {
    struct gen_request request;
    const char *reason;
    gen_request_init(&request);
    request.model = STR("m");
    request.prompt = STR("tell me");
    return hosted_model_submit(fixture->model, job, &request, refusal, &reason);
}

static void take(struct fixture *fixture, uint64_t job) {
    enum gen_failure refusal;
    assert_true(submit(fixture, job, &refusal));
}

static void expect_refusal(struct fixture *fixture, uint64_t job, enum gen_failure expected) {
    enum gen_failure refusal;
    assert_false(submit(fixture, job, &refusal));
    assert_int_equal(refusal, expected);
}

static void open_warm(struct fixture *fixture, uint32_t keep_warm_ms) {
    open_model(fixture, true, keep_warm_ms);
    hosted_model_load(fixture->model);
    turn(fixture);
    hand_ready(2, 100);
    turn(fixture);
    expect(fixture, "cold\nloading\nwarm\n");
}

/* --- Tests --- */

static void job_of_a_cold_model_loads_it(void **state) {
    struct fixture *fixture = *state;
    struct link_model now;
    open_model(fixture, true, 0);
    assert_null(hand);
    take(fixture, 1);
    take(fixture, 2);
    assert_null(hand); /* nothing happens inside the call */
    turn(fixture);
    expect(fixture, "cold\nloading\n");
    assert_true(hand->memory_limit == 1234);
    assert_int_equal(hand->submitted_count, 0);
    hand_ready(1, 100);
    turn(fixture);
    assert_int_equal(hand->submitted_count, 2);
    assert_true(hand->submitted[0] == 1 && hand->submitted[1] == 2);
    assert_string_equal(hand->prompt, "tell me");
    hosted_model_describe(fixture->model, &now);
    assert_true(now.load_ms > 0);
    assert_true(hosted_model_need_bytes(fixture->model) == 100);
    hand_done(1);
    hand_done(2);
    expect(fixture, "warm\nstop 1\nstop 2\n");
}

static void jobs_keep_their_order_while_it_becomes_ready(void **state) {
    struct fixture *fixture = *state;
    open_model(fixture, true, 0);
    take(fixture, 1);
    turn(fixture);
    hand_ready(4, 0);
    take(fixture, 2); /* in the same turn: the first one is still with us */
    assert_int_equal(hand->submitted_count, 0);
    turn(fixture);
    assert_true(hand->submitted[0] == 1 && hand->submitted[1] == 2);
}

static void bounded_number_of_jobs_waits(void **state) {
    struct fixture *fixture = *state;
    open_model(fixture, true, 0);
    take(fixture, 1);
    take(fixture, 2);
    expect_refusal(fixture, 3, GEN_FAILURE_OVERLOADED); /* one slot */
    turn(fixture);
    hand_ready(1, 0);
    turn(fixture);
    take(fixture, 3);
    assert_int_equal(hand->submitted_count, 3);
}

static void job_cancelled_while_it_waits(void **state) {
    struct fixture *fixture = *state;
    open_model(fixture, true, 0);
    take(fixture, 1);
    take(fixture, 2);
    turn(fixture);
    hosted_model_cancel(fixture->model, 1);
    expect(fixture, "cold\nloading\n"); /* never inside the call */
    turn(fixture);
    expect(fixture, "cancelled 1\n");
    hand_ready(2, 0);
    turn(fixture);
    assert_int_equal(hand->submitted_count, 1);
    assert_true(hand->submitted[0] == 2);
    assert_true(hand->cancelled == 0);
}

static void only_job_cancelled_before_it_loads(void **state) {
    struct fixture *fixture = *state;
    open_model(fixture, true, 0);
    take(fixture, 1);
    hosted_model_cancel(fixture->model, 1);
    turn(fixture);
    expect(fixture, "cold\ncancelled 1\n");
    assert_null(hand);
}

static void failed_load_fails_the_jobs_that_wait(void **state) {
    struct fixture *fixture = *state;
    open_model(fixture, true, 0);
    take(fixture, 1);
    turn(fixture);
    hand_failed("no memory");
    turn(fixture);
    expect(fixture, "cold\nloading\nfailed\nengine 1\n");
    expect_refusal(fixture, 2, GEN_FAILURE_MODEL_MISSING);
    hand_ready(1, 0); /* it tried again */
    turn(fixture);
    take(fixture, 3);
    assert_true(hand->submitted[0] == 3);
    expect(fixture, "warm\n");
}

static void engine_that_does_not_open_fails_the_jobs(void **state) {
    struct fixture *fixture = *state;
    hand_refuses = true;
    open_model(fixture, true, 0);
    take(fixture, 1);
    turn(fixture);
    turn(fixture);
    expect(fixture, "cold\nloading\nfailed\nmodel_missing 1\n");
    assert_true(hosted_model_hopeless(fixture->model));
}

static void jobs_wait_out_a_crash(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture, 0);
    take(fixture, 1);
    hand_loading();
    hand->events->on_failed(hand->context, 1, GEN_FAILURE_ENGINE, "it crashed", NULL);
    take(fixture, 2);
    turn(fixture);
    assert_int_equal(hand->submitted_count, 1);
    hand_ready(2, 100);
    turn(fixture);
    assert_int_equal(hand->submitted_count, 2);
    assert_true(hand->submitted[1] == 2);
    expect(fixture, "loading\nengine 1\nwarm\n");
}

static void crash_for_good_fails_the_jobs_that_wait(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture, 0);
    hand_loading();
    take(fixture, 2);
    hand_failed("again");
    turn(fixture);
    expect(fixture, "loading\nfailed\nengine 2\n");
}

static void unused_model_is_unloaded_and_loaded_again(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture, 1);
    loop_run(fixture->loop);
    turn(fixture);
    expect(fixture, "cold\n");
    assert_null(hand);
    assert_int_equal(fixture->unloaded, 1);
    take(fixture, 7);
    turn(fixture);
    hand_ready(2, 100);
    turn(fixture);
    assert_true(hand->submitted[0] == 7);
    expect(fixture, "loading\nwarm\n");
}

static void running_job_keeps_it_loaded(void **state) {
    struct fixture *fixture = *state;
    open_model(fixture, true, 1);
    take(fixture, 1);
    turn(fixture);
    hand_ready(2, 100);
    turn(fixture);
    assert_false(hosted_model_idle(fixture->model));
    assert_false(uv_loop_alive(loop_uv(fixture->loop))); /* no timer counts */
    expect(fixture, "cold\nloading\nwarm\n");
    hand_done(1);
    assert_true(hosted_model_idle(fixture->model));
    loop_run(fixture->loop);
    expect(fixture, "stop 1\ncold\n");
}

static void model_that_is_kept_is_never_idle(void **state) {
    struct fixture *fixture = *state;
    open_model(fixture, false, 1);
    hand_ready(1, 0);
    turn(fixture);
    assert_false(hosted_model_idle(fixture->model));
    assert_false(uv_loop_alive(loop_uv(fixture->loop)));
    expect(fixture, "warm\n"); /* it was told as loading all the time before */
}

static void job_that_comes_while_it_is_unloaded(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture, 0);
    hand_holds_close = true;
    hosted_model_unload(fixture->model);
    take(fixture, 3);
    turn(fixture);
    expect(fixture, "cold\n");
    assert_true(hosted_model_unloading(fixture->model));
    hosted_model_cancel(fixture->model, 99); /* nothing reaches an engine that closes */
    hand_finish_close();
    hand_holds_close = false;
    turn(fixture);
    turn(fixture);
    hand_ready(1, 0);
    turn(fixture);
    assert_true(hand->submitted[0] == 3);
    expect(fixture, "loading\nwarm\n");
}

static void closed_while_it_is_unloaded(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture, 0);
    hand_holds_close = true;
    hosted_model_unload(fixture->model);
    take(fixture, 3);
    hosted_model_close(fixture->model, on_closed, fixture);
    turn(fixture);
    assert_false(fixture->closed);
    hand_finish_close();
    loop_run(fixture->loop);
    assert_true(fixture->closed);
    expect(fixture, "cold\n"); /* the job's end is not told any more */
}

static void closed_while_jobs_wait(void **state) {
    struct fixture *fixture = *state;
    open_model(fixture, true, 0);
    take(fixture, 1);
    take(fixture, 2);
    hosted_model_cancel(fixture->model, 2);
    hosted_model_close(fixture->model, on_closed, fixture);
    loop_run(fixture->loop);
    assert_true(fixture->closed);
    expect(fixture, "cold\n");
}

static void no_room_refuses_the_jobs(void **state) {
    struct fixture *fixture = *state;
    fixture->room = MODEL_ROOM_NONE;
    open_model(fixture, true, 0);
    take(fixture, 1);
    turn(fixture);
    expect(fixture, "cold\noverloaded 1\n"); /* never told as loading */
    turn(fixture);
    assert_int_equal(fixture->asked_for_room, 1);
}

static void waits_for_room(void **state) {
    struct fixture *fixture = *state;
    fixture->room = MODEL_ROOM_SOON;
    open_model(fixture, true, 0);
    take(fixture, 1);
    turn(fixture);
    expect(fixture, "cold\nloading\n");
    assert_true(hosted_model_holds_memory(fixture->model));
    assert_null(hand);
    fixture->room = MODEL_ROOM_NOW;
    hosted_model_wake(fixture->model);
    turn(fixture);
    assert_non_null(hand);
    expect(fixture, "");
}

static void waits_for_room_in_vain(void **state) {
    struct fixture *fixture = *state;
    fixture->room = MODEL_ROOM_SOON;
    open_model(fixture, true, 0);
    take(fixture, 1);
    turn(fixture);
    fixture->room = MODEL_ROOM_NONE;
    hosted_model_wake(fixture->model);
    turn(fixture);
    expect(fixture, "cold\nloading\noverloaded 1\ncold\n");
    assert_false(hosted_model_holds_memory(fixture->model));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(job_of_a_cold_model_loads_it),
                                       TEST(jobs_keep_their_order_while_it_becomes_ready),
                                       TEST(bounded_number_of_jobs_waits),
                                       TEST(job_cancelled_while_it_waits),
                                       TEST(only_job_cancelled_before_it_loads),
                                       TEST(failed_load_fails_the_jobs_that_wait),
                                       TEST(engine_that_does_not_open_fails_the_jobs),
                                       TEST(jobs_wait_out_a_crash),
                                       TEST(crash_for_good_fails_the_jobs_that_wait),
                                       TEST(unused_model_is_unloaded_and_loaded_again),
                                       TEST(running_job_keeps_it_loaded),
                                       TEST(model_that_is_kept_is_never_idle),
                                       TEST(job_that_comes_while_it_is_unloaded),
                                       TEST(closed_while_it_is_unloaded),
                                       TEST(closed_while_jobs_wait),
                                       TEST(no_room_refuses_the_jobs),
                                       TEST(waits_for_room),
                                       TEST(waits_for_room_in_vain)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
