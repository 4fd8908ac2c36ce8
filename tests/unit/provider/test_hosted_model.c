/* A model from its file to its engine, with an engine that the test moves by hand. */
#include "provider/hosted_model.h"

#include "base/digest.h"
#include "base/log.h"
#include "provider/model_added.h"
#include "unit/provider/hand_engine.h"
#include "unit/provider/temp_tree.h"

static const char CONTENT[] = "GGUF and so on";

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
    uint64_t done_job, failed_job;
    bool on_demand, spoil; /* spoil: the file is written to as soon as it was found */
};

static void on_state(void *context, struct hosted_model *model, const struct err *why) {
    struct fixture *fixture = context;
    struct link_model now;
    hosted_model_describe(model, &now);
    if (fixture->spoil && now.state == LINK_MODEL_COLD) {
        temp_tree_write(&fixture->tree, "models/m.gguf", CONTENT);
    }
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

static void on_failed(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param) {
    struct fixture *fixture = context;
    (void)message, (void)param;
    assert_int_equal(failure, GEN_FAILURE_MODEL_MISSING);
    fixture->failed_job = job;
}

static const struct hosted_model_events EVENTS = {.on_state = on_state, .on_done = on_done, .on_failed = on_failed};

static int setup(void **state) {
    struct fixture *fixture = MEM_NEW(struct fixture);
    uint8_t digest[DIGEST_SHA256_SIZE];
    *state = fixture;
    hand_refuses = false;
    if (temp_tree_init(&fixture->tree) != 0) {
        return -1;
    }
    digest_sha256(CONTENT, strlen(CONTENT), digest);
    digest_hex(digest, sizeof(digest), fixture->hash);
    str_copy(fixture->folder, sizeof(fixture->folder), str_from(temp_tree_path(&fixture->tree, "models")));
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
                                                 .on_demand = fixture->on_demand,
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
    assert_true(
        hosted_model_resolve(&fixture->spec, temp_tree_path(&fixture->tree, "Own.gguf"), fixture->folder, true, NULL));
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

static bool here(const struct fixture *fixture, const char *name) {
    return file_exists(temp_tree_path(&fixture->tree, name));
}

static void run_until_told(struct fixture *fixture, enum link_model_state state) {
    for (unsigned i = 0; state_of(fixture) != state && i < 100; i++) {
        loop_run(fixture->loop);
    }
    assert_int_equal(state_of(fixture), state);
}

/* Found, checked and cold; then somebody writes `content` in its place. */
static void open_cold_and_write(struct fixture *fixture, const char *content) {
    fixture->on_demand = true;
    temp_tree_write(&fixture->tree, "models/m.gguf", CONTENT);
    open_model(fixture);
    run_until_told(fixture, LINK_MODEL_COLD);
    temp_tree_write(&fixture->tree, "models/m.gguf", content);
}

static void file_damaged_since_is_looked_for_at_once(void **state) {
    struct fixture *fixture = *state;
    open_cold_and_write(fixture, "GGUF and so off");
    hosted_model_load(fixture->model);
    run_until_told(fixture, LINK_MODEL_FAILED); /* it has no other source */
    assert_null(hand);
    assert_non_null(strstr(fixture->why.message, "model m cannot be had"));
    assert_true(here(fixture, "models/m.gguf.damaged"));
    assert_false(here(fixture, "models/m.gguf"));
    close_model(fixture);
}

static void file_that_is_right_again_is_loaded(void **state) {
    struct fixture *fixture = *state;
    open_cold_and_write(fixture, CONTENT); /* another file, the same bytes */
    hosted_model_load(fixture->model);
    run_until_told(fixture, LINK_MODEL_LOADING);
    hosted_model_load(fixture->model); /* asked for twice */
    for (unsigned i = 0; hand == NULL && i < 100; i++) {
        loop_run(fixture->loop);
    }
    assert_non_null(hand);
    close_model(fixture);
}

static void file_that_changes_again_and_again_is_left_to_the_timer(void **state) {
    struct fixture *fixture = *state;
    open_cold_and_write(fixture, CONTENT);
    fixture->spoil = true;
    hosted_model_load(fixture->model);
    run_until_told(fixture, LINK_MODEL_FAILED);
    assert_null(hand);
    assert_non_null(strstr(fixture->why.message, "changed after it was verified"));
    close_model(fixture);
}

static void job_does_not_wait_for_a_damaged_file(void **state) {
    struct fixture *fixture = *state;
    struct gen_request request;
    enum gen_failure refusal;
    const char *reason;
    open_cold_and_write(fixture, "GGUF and so off");
    gen_request_init(&request);
    request.model = STR("m");
    assert_true(hosted_model_submit(fixture->model, 9, &request, &refusal, &reason));
    run_until_told(fixture, LINK_MODEL_DOWNLOADING);
    assert_true(fixture->failed_job == 9);
    close_model(fixture);
}

static void add_to_folder(struct fixture *fixture) {
    const char *const urls[] = {"https://host.example/m.gguf"};
    struct model_added added;
    struct err err = {0};
    assert_true(model_added_init(&added, "m", fixture->hash, urls, 1, NULL));
    assert_true(model_added_write(&added, fixture->folder, NULL));
    assert_true(hosted_model_resolve(&fixture->spec, "m", fixture->folder, true, &err));
    assert_true(fixture->spec.added);
    assert_null(fixture->spec.path);
}

static void added_model_is_served_by_its_name(void **state) {
    struct fixture *fixture = *state;
    add_to_folder(fixture);
    open_with_engine(fixture);
    assert_string_equal(hand->path, temp_tree_path(&fixture->tree, "models/m.gguf"));
    assert_true(hosted_model_need_bytes(fixture->model) > 0);
    assert_true(here(fixture, "models/m.gguf.used"));
    close_model(fixture);
}

static void added_model_that_is_damaged_is_not_loaded(void **state) {
    struct fixture *fixture = *state;
    add_to_folder(fixture);
    fixture->on_demand = true;
    temp_tree_write(&fixture->tree, "models/m.gguf", CONTENT);
    open_model(fixture);
    run_until_told(fixture, LINK_MODEL_COLD);
    temp_tree_write(&fixture->tree, "models/m.gguf", "GGUF and so off");
    remove(temp_tree_path(&fixture->tree, "models/m.gguf.source")); /* and there is nowhere to fetch it from */
    hosted_model_load(fixture->model);
    run_until_told(fixture, LINK_MODEL_FAILED);
    assert_null(hand);
    close_model(fixture);
}

static void name_that_nobody_added(void **state) {
    struct fixture *fixture = *state;
    struct err err = {0};
    assert_false(hosted_model_resolve(&fixture->spec, "m", fixture->folder, true, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "'m' is unknown"));
    assert_non_null(strstr(err.message, "GGUF file")); /* nothing is cut off */
    temp_tree_write(&fixture->tree, "models/m.gguf.source", "rubbish\n");
    assert_false(hosted_model_resolve(&fixture->spec, "m", fixture->folder, true, &err));
    assert_non_null(strstr(err.message, "is damaged"));
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
    enum gen_failure refusal;
    const char *reason;
    hand_refuses = true;
    temp_tree_write(&fixture->tree, "models/m.gguf", CONTENT);
    open_model(fixture);
    loop_run(fixture->loop);
    assert_true(hosted_model_hopeless(fixture->model));
    assert_string_equal(fixture->why.message, "no child to run");
    assert_false(hosted_model_submit(fixture->model, 1, &request, &refusal, &reason));
    assert_int_equal(refusal, GEN_FAILURE_MODEL_MISSING);
    hosted_model_cancel(fixture->model, 1);
    close_model(fixture);
}

static void jobs_and_their_events_pass_until_the_close(void **state) {
    struct fixture *fixture = *state;
    const struct gen_request request = {.max_tokens = 1};
    enum gen_failure refusal;
    const char *reason;
    open_with_engine(fixture);
    hand_ready(3, 0);
    assert_true(hosted_model_submit(fixture->model, 17, &request, &refusal, &reason));
    assert_int_equal(hand->submitted_count, 1);
    assert_true(hand->submitted[0] == 17);
    hosted_model_cancel(fixture->model, 17);
    assert_true(hand->cancelled == 17);
    hand_done(17);
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
                                       TEST(file_damaged_since_is_looked_for_at_once),
                                       TEST(file_that_is_right_again_is_loaded),
                                       TEST(file_that_changes_again_and_again_is_left_to_the_timer),
                                       TEST(job_does_not_wait_for_a_damaged_file),
                                       TEST(added_model_is_served_by_its_name),
                                       TEST(added_model_that_is_damaged_is_not_loaded),
                                       TEST(name_that_nobody_added),
                                       TEST(crash_of_a_warm_engine_is_not_hopeless),
                                       TEST(engine_that_never_loads_is_hopeless),
                                       TEST(engine_that_does_not_open),
                                       TEST(jobs_and_their_events_pass_until_the_close),
                                       TEST(closed_before_and_while_it_looks_for_the_file)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
