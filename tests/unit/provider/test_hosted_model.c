/* A model from its file to its engine, with an engine that the test moves by hand. */
#include "provider/hosted_model.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char CONTENT[] = "GGUF and so on";

struct hand_engine {
    struct engine base;
    const struct engine_events *events;
    void *context;
    char path[FILE_PATH_MAX];
    uint64_t submitted, cancelled;
};

struct fixture {
    struct temp_tree tree;
    char folder[FILE_PATH_MAX], hash[DIGEST_HEX_SIZE];
    struct loop *loop;
    struct catalog_model catalog;
    struct hosted_model_spec spec;
    struct progress_line progress;
    struct hosted_model *model;
    bool closed;
    unsigned changes;
    struct err why;
    uint64_t done_job;
};

/* The engine that is open, if any; opening fails while `hand_refuses`. */
static struct hand_engine *hand;
static bool hand_refuses;

static const struct engine_ops HAND;

static bool hand_open(struct engine **out, const struct engine_options *options, const struct engine_events *events,
                      void *context, struct err *err) {
    if (hand_refuses) {
        return err_set(err, ERR_NOT_FOUND, "no child to run");
    }
    assert_null(hand);
    hand = MEM_NEW(struct hand_engine);
    hand->base.ops = &HAND;
    hand->events = events;
    hand->context = context;
    str_copy(hand->path, sizeof hand->path, str_from(options->model_path));
    *out = &hand->base;
    loop_stop(options->loop);
    return true;
}

static void hand_submit(struct engine *engine, uint64_t job, const struct gen_request *request) {
    (void)request;
    ((struct hand_engine *)engine)->submitted = job;
}

static void hand_cancel(struct engine *engine, uint64_t job) {
    ((struct hand_engine *)engine)->cancelled = job;
}

static void hand_close(struct engine *engine, void (*on_closed)(void *context), void *context) {
    assert_ptr_equal(engine, hand);
    free(hand);
    hand = NULL;
    on_closed(context);
}

static const struct engine_ops HAND = {
    .name = "hand", .open = hand_open, .submit = hand_submit, .cancel = hand_cancel, .close = hand_close};

static void on_state(void *context, struct hosted_model *model, const struct err *why) {
    struct fixture *fixture = context;
    (void)model;
    fixture->changes++;
    if (why != NULL) {
        fixture->why = *why;
    }
    loop_stop(fixture->loop);
}

static void on_done(void *context, uint64_t job, const struct gen_done *done) {
    struct fixture *fixture = context;
    (void)done;
    fixture->done_job = job;
}

static const struct hosted_model_events EVENTS = {.on_state = on_state, .on_done = on_done};

static int setup(void **state) {
    struct fixture *fixture = MEM_NEW(struct fixture);
    uint8_t digest[DIGEST_SHA256_SIZE];
    *state = fixture;
    hand_refuses = false;
    if (temp_tree_init(&fixture->tree) != 0) {
        return -1;
    }
    digest_sha256(CONTENT, strlen(CONTENT), digest);
    digest_hex(digest, sizeof digest, fixture->hash);
    str_copy(fixture->folder, sizeof fixture->folder, str_from(temp_tree_path(&fixture->tree, "models")));
    fixture->loop = loop_new();
    fixture->catalog = (struct catalog_model){
        .id = "m", .sha256 = fixture->hash, .sources = {{CATALOG_SOURCE_BUILT_IN, "hosted-model-test.gguf", NULL}}};
    fixture->spec = (struct hosted_model_spec){.id = "m", .catalog = &fixture->catalog};
    progress_line_init(&fixture->progress, true);
    return 0;
}

static void open_model(struct fixture *fixture) {
    const struct hosted_model_options options = {.ops = &HAND,
                                                 .needs_file = true,
                                                 .engine = {.loop = fixture->loop},
                                                 .model_folder = fixture->folder,
                                                 .progress = &fixture->progress};
    fixture->model = hosted_model_new(&fixture->spec, &options, &EVENTS, fixture);
}

static void on_closed(void *context) {
    struct fixture *fixture = context;
    fixture->closed = true;
}

static void close_model(struct fixture *fixture) {
    hosted_model_close(fixture->model, on_closed, fixture);
    assert_false(fixture->closed);
    loop_run(fixture->loop);
    assert_true(fixture->closed);
    assert_null(hand);
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    loop_free(fixture->loop);
    temp_tree_clear(&fixture->tree);
    free(fixture);
    return 0;
}

static enum link_model_state state_of(const struct fixture *fixture) {
    struct link_model out;
    hosted_model_describe(fixture->model, &out);
    return out.state;
}

static void open_with_engine(struct fixture *fixture) {
    temp_tree_write(&fixture->tree, "models/m.gguf", CONTENT);
    open_model(fixture);
    loop_run(fixture->loop);
    assert_non_null(hand);
}

static void kept_file_goes_to_the_engine(void **state) {
    struct fixture *fixture = *state;
    const struct engine_facts facts = {.slots = 3, .context_length = 512};
    struct link_model out;
    open_with_engine(fixture);
    assert_string_equal(hand->path, temp_tree_path(&fixture->tree, "models/m.gguf"));
    assert_int_equal(state_of(fixture), LINK_MODEL_LOADING);
    hand->events->on_state(hand->context, ENGINE_READY, &facts, NULL);
    hosted_model_describe(fixture->model, &out);
    assert_int_equal(out.state, LINK_MODEL_WARM);
    assert_int_equal(out.slots, 3);
    assert_int_equal(out.context_length, 512);
    assert_int_equal(fixture->changes, 1);
    close_model(fixture);
}

static void file_by_path_is_not_looked_for(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "Own.gguf", CONTENT);
    assert_true(hosted_model_resolve(&fixture->spec, temp_tree_path(&fixture->tree, "Own.gguf"), true, NULL));
    assert_string_equal(fixture->spec.id, "own");
    open_model(fixture);
    loop_run(fixture->loop);
    assert_non_null(hand);
    assert_string_equal(hand->path, temp_tree_path(&fixture->tree, "Own.gguf"));
    close_model(fixture);
}

static void damaged_file_never_reaches_the_engine(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "models/m.gguf", "GGUF but damaged");
    open_model(fixture);
    loop_run(fixture->loop);
    assert_null(hand);
    assert_int_equal(state_of(fixture), LINK_MODEL_FAILED);
    assert_true(hosted_model_hopeless(fixture->model));
    assert_non_null(strstr(fixture->why.message, "model m cannot be had"));
    close_model(fixture);
}

static void crash_of_a_warm_engine_is_not_hopeless(void **state) {
    struct fixture *fixture = *state;
    const struct engine_facts facts = {.slots = 3, .context_length = 512};
    open_with_engine(fixture);
    hand->events->on_state(hand->context, ENGINE_READY, &facts, NULL);
    hand->events->on_state(hand->context, ENGINE_LOADING, NULL, NULL);
    assert_int_equal(state_of(fixture), LINK_MODEL_LOADING);
    hand->events->on_state(hand->context, ENGINE_FAILED, NULL, "out of memory");
    assert_int_equal(state_of(fixture), LINK_MODEL_FAILED);
    assert_string_equal(fixture->why.message, "model m cannot be loaded: out of memory");
    assert_false(hosted_model_hopeless(fixture->model));
    hand->events->on_state(hand->context, ENGINE_READY, &facts, NULL);
    assert_int_equal(state_of(fixture), LINK_MODEL_WARM);
    close_model(fixture);
}

static void engine_that_never_loads_is_hopeless(void **state) {
    struct fixture *fixture = *state;
    open_with_engine(fixture);
    hand->events->on_state(hand->context, ENGINE_FAILED, NULL, NULL);
    assert_true(hosted_model_hopeless(fixture->model));
    close_model(fixture);
}

static void engine_that_does_not_open(void **state) {
    struct fixture *fixture = *state;
    const struct gen_request request = {.max_tokens = 1};
    hand_refuses = true;
    temp_tree_write(&fixture->tree, "models/m.gguf", CONTENT);
    open_model(fixture);
    loop_run(fixture->loop);
    assert_true(hosted_model_hopeless(fixture->model));
    assert_string_equal(fixture->why.message, "no child to run");
    assert_false(hosted_model_submit(fixture->model, 1, &request));
    hosted_model_cancel(fixture->model, 1);
    close_model(fixture);
}

static void jobs_and_their_events_pass_until_the_close(void **state) {
    struct fixture *fixture = *state;
    const struct gen_request request = {.max_tokens = 1};
    const struct gen_done done = {.finish = GEN_FINISH_STOP};
    open_with_engine(fixture);
    assert_true(hosted_model_submit(fixture->model, 17, &request));
    assert_true(hand->submitted == 17);
    hosted_model_cancel(fixture->model, 17);
    assert_true(hand->cancelled == 17);
    hand->events->on_done(hand->context, 17, &done);
    assert_true(fixture->done_job == 17);
    close_model(fixture);
}

static void closed_before_and_while_it_looks_for_the_file(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "models/m.gguf", CONTENT);
    open_model(fixture);
    close_model(fixture);

    fixture->closed = false;
    open_model(fixture);
    uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT); /* one turn: the thread is on its way */
    close_model(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(kept_file_goes_to_the_engine),
                                       TEST(file_by_path_is_not_looked_for),
                                       TEST(damaged_file_never_reaches_the_engine),
                                       TEST(crash_of_a_warm_engine_is_not_hopeless),
                                       TEST(engine_that_never_loads_is_hopeless),
                                       TEST(engine_that_does_not_open),
                                       TEST(jobs_and_their_events_pass_until_the_close),
                                       TEST(closed_before_and_while_it_looks_for_the_file)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
