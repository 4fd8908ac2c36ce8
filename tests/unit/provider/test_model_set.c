/* Models that share a device: who makes room for whom, and what a model in demand leads to. With scripted engines. */
#include "provider/model_set.h"

#include "base/log.h"
#include "base/mem.h"
#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SEEN_MAX = 8192, MODELS = 4 };

struct fixture {
    struct temp_tree tree;
    struct loop *loop;
    struct model_set *set;
    struct progress_line progress;
    struct catalog_model catalog[MODELS]; /* "a", "b", ... of 100 bytes each */
    char ids[MODELS][2];
    struct buf seen;
    uint64_t ram_free;
    bool closed;
};

static void see(struct fixture *fixture, const char *name, const char *what) {
    buf_append_format(&fixture->seen, "%s %s\n", name, what);
    loop_stop(fixture->loop);
}

static void wait_for(struct fixture *fixture, const char *text) {
    while (strstr(buf_cstr(&fixture->seen), text) == NULL) {
        loop_run(fixture->loop);
    }
}

static void on_state(void *context, struct hosted_model *model, const struct err *why) {
    struct fixture *fixture = context;
    struct link_model now;
    (void)why;
    hosted_model_describe(model, &now);
    see(fixture, hosted_model_id(model), link_model_state_name(now.state));
    if (!model_set_on_state(fixture->set, model)) {
        buf_append_str(&fixture->seen, STR("given up\n"));
    }
}

static enum model_room find_room(void *context, struct hosted_model *model, uint64_t *memory_limit) {
    struct fixture *fixture = context;
    return model_set_find_room(fixture->set, model, fixture->ram_free, memory_limit);
}

static void on_unloaded(void *context, struct hosted_model *model) {
    struct fixture *fixture = context;
    (void)model;
    model_set_on_unloaded(fixture->set);
}

static void on_accept(void *context, uint64_t job, uint32_t prompt_tokens) {
    char name[16];
    (void)prompt_tokens;
    snprintf(name, sizeof(name), "job%d", (int)job);
    see(context, name, "accepted");
}

static void on_delta(void *context, uint64_t job, struct str text, const uint32_t *ids, uint32_t tokens) {
    (void)context, (void)job, (void)text, (void)ids, (void)tokens;
}

static void on_done(void *context, uint64_t job, const struct gen_done *done) {
    char name[16];
    snprintf(name, sizeof(name), "job%d", (int)job);
    see(context, name, gen_finish_name(done->finish));
}

static void on_failed(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param) {
    char name[16];
    (void)message, (void)param;
    snprintf(name, sizeof(name), "job%d", (int)job);
    see(context, name, gen_failure_name(failure));
}

static const struct hosted_model_events EVENTS = {.on_state = on_state,
                                                  .find_room = find_room,
                                                  .on_unloaded = on_unloaded,
                                                  .on_accept = on_accept,
                                                  .on_delta = on_delta,
                                                  .on_done = on_done,
                                                  .on_failed = on_failed};

static struct hosted_model_options options_of(struct fixture *fixture, bool on_demand) {
    return (struct hosted_model_options){.ops = &ENGINE_SCRIPTED,
                                         .on_demand = on_demand,
                                         .engine = {.loop = fixture->loop, .slots = 2},
                                         .model_folder = fixture->tree.path,
                                         .progress = &fixture->progress};
}

static void open_set(struct fixture *fixture, uint64_t ram_max_bytes) {
    const struct model_set_config config = {
        .loop = fixture->loop, .events = &EVENTS, .context = fixture, .ram_max_bytes = ram_max_bytes};
    fixture->set = model_set_new(&config);
}

static void add(struct fixture *fixture, size_t index, bool on_demand) {
    const struct hosted_model_options options = options_of(fixture, on_demand);
    struct hosted_model_spec spec = {.catalog = &fixture->catalog[index]};
    char text[16];
    str_copy(spec.id, sizeof(spec.id), str_from(fixture->ids[index]));
    model_set_add(fixture->set, &spec, &options);
    snprintf(text, sizeof(text), "%s %s\n", fixture->ids[index], on_demand ? "cold" : "warm");
    wait_for(fixture, text);
}

static int setup(void **state) {
    struct fixture *fixture = MEM_NEW(struct fixture);
    *state = fixture;
    if (temp_tree_init(&fixture->tree) != 0) {
        return -1;
    }
    fixture->loop = loop_new();
    fixture->ram_free = 10 * 1000;
    buf_init(&fixture->seen, SEEN_MAX);
    progress_line_init(&fixture->progress, true);
    for (size_t i = 0; i < MODELS; i++) {
        fixture->ids[i][0] = (char)('a' + i);
        fixture->catalog[i] = (struct catalog_model){.id = fixture->ids[i], .ram_bytes = 100};
    }
    return 0;
}

static void on_closed(void *context) {
    struct fixture *fixture = context;
    fixture->closed = true;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    model_set_close(fixture->set, on_closed, fixture);
    bool early = fixture->closed;
    loop_run(fixture->loop);
    bool well = fixture->closed && !early;
    loop_free(fixture->loop);
    buf_clear(&fixture->seen);
    temp_tree_clear(&fixture->tree);
    free(fixture);
    return well ? 0 : -1;
}

static void submit(struct fixture *fixture, const char *model, uint64_t job, const char *words) {
    struct gen_request request;
    enum gen_failure refusal;
    const char *reason;
    gen_request_init(&request);
    request.model = str_from(model);
    request.prompt = str_from(words);
    request.stream = true;
    assert_true(hosted_model_submit(model_set_find(fixture->set, request.model), job, &request, &refusal, &reason));
}

static void forget(struct fixture *fixture) {
    buf_reset(&fixture->seen);
}

static bool seen(struct fixture *fixture, const char *text) {
    return strstr(buf_cstr(&fixture->seen), text) != NULL;
}

static struct link_model describe(struct fixture *fixture, const char *id) {
    struct link_model all[LIMIT_LINK_MODELS];
    size_t count = model_set_describe(fixture->set, fixture->ram_free, all);
    for (size_t i = 0; i < count; i++) {
        if (str_equal_cstr(all[i].id, id)) {
            return all[i];
        }
    }
    fail_msg("no model %s", id);
    return (struct link_model){0};
}

/* --- Memory --- */

static void least_used_makes_room(void **state) {
    struct fixture *fixture = *state;
    open_set(fixture, 250);
    for (size_t i = 0; i < 3; i++) {
        add(fixture, i, true);
    }
    submit(fixture, "a", 1, "[[script tokens=1]]");
    wait_for(fixture, "job1 stop");
    uv_sleep(2); /* the loop's clock has whole milliseconds: b is used later than a */
    submit(fixture, "b", 2, "[[script tokens=1]]");
    wait_for(fixture, "job2 stop");
    assert_false(describe(fixture, "c").too_large);
    forget(fixture);
    submit(fixture, "c", 3, "[[script tokens=1]]");
    wait_for(fixture, "job3 stop");
    assert_string_equal(buf_cstr(&fixture->seen), "a cold\nc loading\nc warm\njob3 accepted\njob3 stop\n");
    assert_int_equal(describe(fixture, "b").state, LINK_MODEL_WARM);
}

static void busy_model_does_not_go(void **state) {
    struct fixture *fixture = *state;
    open_set(fixture, 150);
    add(fixture, 0, true);
    add(fixture, 1, true);
    submit(fixture, "a", 1, "[[script silent]]");
    wait_for(fixture, "job1 accepted");
    assert_true(describe(fixture, "b").too_large);
    submit(fixture, "b", 2, "[[script tokens=1]]");
    wait_for(fixture, "job2 overloaded");
    assert_int_equal(describe(fixture, "a").state, LINK_MODEL_WARM);
    hosted_model_cancel(model_set_find(fixture->set, STR("a")), 1);
    wait_for(fixture, "job1 cancelled");
    assert_false(describe(fixture, "b").too_large);
    submit(fixture, "b", 3, "[[script tokens=1]]");
    wait_for(fixture, "job3 stop");
    assert_int_equal(describe(fixture, "a").state, LINK_MODEL_COLD);
}

static void kept_model_does_not_go(void **state) {
    struct fixture *fixture = *state;
    open_set(fixture, 150);
    add(fixture, 0, false);
    add(fixture, 1, true);
    assert_true(describe(fixture, "b").too_large);
    submit(fixture, "b", 1, "[[script tokens=1]]");
    wait_for(fixture, "job1 overloaded");
    assert_int_equal(describe(fixture, "a").state, LINK_MODEL_WARM);
    assert_false(seen(fixture, "b loading"));
}

static void several_go_for_a_large_one(void **state) {
    struct fixture *fixture = *state;
    fixture->catalog[3].ram_bytes = 280;
    open_set(fixture, 300);
    for (size_t i = 0; i < 4; i++) {
        add(fixture, i, true);
    }
    for (uint64_t i = 0; i < 3; i++) {
        submit(fixture, fixture->ids[i], 1 + i, "[[script tokens=1]]");
    }
    wait_for(fixture, "job1 stop");
    wait_for(fixture, "job2 stop");
    wait_for(fixture, "job3 stop");
    submit(fixture, "d", 4, "[[script tokens=1]]");
    wait_for(fixture, "job4 stop");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(describe(fixture, fixture->ids[i]).state, LINK_MODEL_COLD);
    }
}

static void free_memory_bounds_it_as_well(void **state) {
    struct fixture *fixture = *state;
    open_set(fixture, 1000);
    fixture->ram_free = 99;
    add(fixture, 0, true);
    assert_true(describe(fixture, "a").too_large);
    submit(fixture, "a", 1, "[[script tokens=1]]");
    wait_for(fixture, "job1 overloaded");
    fixture->ram_free = 100;
    assert_false(describe(fixture, "a").too_large);
    submit(fixture, "a", 2, "[[script tokens=1]]");
    wait_for(fixture, "job2 stop");
}

/* --- Demand --- */

static void allow_wants(struct fixture *fixture) {
    const struct hosted_model_options options = options_of(fixture, true);
    model_set_allow_wants(fixture->set, &options);
}

static void wanted_model_comes_and_is_loaded(void **state) {
    struct fixture *fixture = *state;
    open_set(fixture, 0);
    allow_wants(fixture);
    assert_false(model_set_hopeless(fixture->set)); /* although there is none */
    model_set_want(fixture->set, STR("nataris-demo-2m"));
    wait_for(fixture, "nataris-demo-2m warm");
    assert_string_equal(buf_cstr(&fixture->seen),
                        "nataris-demo-2m cold\nnataris-demo-2m loading\nnataris-demo-2m warm\n");
}

static void wanted_model_stays_cold_beside_one_in_use(void **state) {
    struct fixture *fixture = *state;
    open_set(fixture, 0);
    allow_wants(fixture);
    add(fixture, 0, false);
    model_set_want(fixture->set, STR("nataris-demo-2m"));
    wait_for(fixture, "nataris-demo-2m cold");
    submit(fixture, "nataris-demo-2m", 1, "[[script tokens=1]]");
    wait_for(fixture, "job1 stop");
    assert_true(seen(fixture, "nataris-demo-2m cold\nnataris-demo-2m loading\n"));
}

static void cold_model_that_is_wanted_is_loaded(void **state) {
    struct fixture *fixture = *state;
    open_set(fixture, 0);
    allow_wants(fixture);
    add(fixture, 0, true);
    model_set_want(fixture->set, STR("a"));
    wait_for(fixture, "a warm");
    model_set_want(fixture->set, STR("a")); /* changes nothing */
    assert_int_equal(describe(fixture, "a").state, LINK_MODEL_WARM);
}

static void wants_that_lead_to_nothing(void **state) {
    struct fixture *fixture = *state;
    struct link_model all[LIMIT_LINK_MODELS];
    open_set(fixture, 0);
    model_set_want(fixture->set, STR("nataris-demo-2m")); /* not allowed */
    assert_false(model_set_takes_wants(fixture->set));
    allow_wants(fixture);
    model_set_want(fixture->set, STR("no-such-model"));
    model_set_want(fixture->set, STR("nataris-fast")); /* an alias is no model */
    assert_int_equal(model_set_describe(fixture->set, 0, all), 0);
    model_set_want(fixture->set, STR("nataris-demo-2m"));
    model_set_want(fixture->set, STR("smollm2-135m-instruct-q4_1")); /* one at a time */
    assert_int_equal(model_set_describe(fixture->set, 0, all), 1);
}

/* Neither a proxy nor python3 is there: nothing leaves this machine. */
static void cut_off(const struct fixture *fixture) {
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "", 1);
    setenv("PATH", fixture->tree.path, 1);
}

static void wanted_model_that_cannot_be_had_is_dropped(void **state) {
    struct fixture *fixture = *state;
    struct hosted_model_options options = options_of(fixture, true);
    struct link_model all[LIMIT_LINK_MODELS];
    open_set(fixture, 0);
    options.needs_file = true;
    options.room.quota_bytes = 1; /* refuses before anything is fetched */
    model_set_allow_wants(fixture->set, &options);
    cut_off(fixture);
    model_set_want(fixture->set, STR("smollm2-135m-instruct-q4_1"));
    assert_int_equal(model_set_describe(fixture->set, 0, all), 1);
    wait_for(fixture, "given up");
    assert_int_equal(model_set_describe(fixture->set, 0, all), 0);
}

/* --- The first of several --- */

static void first_that_can_be_had_is_served(void **state) {
    struct fixture *fixture = *state;
    struct hosted_model_options options = options_of(fixture, false);
    struct link_model all[LIMIT_LINK_MODELS];
    const char *path = temp_tree_path(&fixture->tree, "own.gguf");
    const struct hosted_model_spec specs[] = {
        {.id = "qwen2.5-0.5b-instruct-q6_k", .catalog = catalog_find(STR("qwen2.5-0.5b-instruct-q6_k"))},
        {.id = "smollm2-135m-instruct-q4_1", .catalog = catalog_find(STR("smollm2-135m-instruct-q4_1"))},
        {.id = "own", .path = path},
        {.id = "never-needed", .path = path},
    };
    temp_tree_write(&fixture->tree, "own.gguf", "GGUF");
    open_set(fixture, 0);
    cut_off(fixture);
    options.needs_file = true;
    options.room.quota_bytes = 1; /* refuses before anything is fetched */
    model_set_add_first_of(fixture->set, specs, COUNT_OF(specs), &options);
    assert_int_equal(model_set_describe(fixture->set, 0, all), 1); /* one after the other */
    wait_for(fixture, "own warm");
    assert_string_equal(buf_cstr(&fixture->seen), "qwen2.5-0.5b-instruct-q6_k failed\ngiven up\n"
                                                  "smollm2-135m-instruct-q4_1 failed\ngiven up\n"
                                                  "own warm\n");
    assert_int_equal(model_set_describe(fixture->set, 0, all), 1);
}

static bool open_all_but_a(struct engine **out, const struct engine_options *options,
                           const struct engine_events *events, void *context, struct err *err) {
    return strcmp(options->model_id, "a") == 0 ? err_set(err, ERR_UNAVAILABLE, "no memory")
                                               : ENGINE_SCRIPTED.open(out, options, events, context, err);
}

static struct hosted_model_spec spec_of(const struct fixture *fixture, size_t index) {
    struct hosted_model_spec spec = {.catalog = &fixture->catalog[index]};
    str_copy(spec.id, sizeof(spec.id), str_from(fixture->ids[index]));
    return spec;
}

static void first_that_can_be_loaded_is_served(void **state) {
    struct fixture *fixture = *state;
    struct engine_ops ops = ENGINE_SCRIPTED;
    struct hosted_model_options options = options_of(fixture, false);
    const struct hosted_model_spec specs[] = {spec_of(fixture, 0), spec_of(fixture, 1), spec_of(fixture, 2)};
    open_set(fixture, 0);
    ops.open = open_all_but_a;
    options.ops = &ops;
    model_set_add_first_of(fixture->set, specs, COUNT_OF(specs), &options);
    wait_for(fixture, "b warm");
    assert_null(model_set_find(fixture->set, STR("a")));
    assert_null(model_set_find(fixture->set, STR("c")));
}

static void none_of_several_is_no_end(void **state) {
    struct fixture *fixture = *state;
    struct engine_ops ops = ENGINE_SCRIPTED;
    struct hosted_model_options options = options_of(fixture, false);
    const struct hosted_model_spec spec = spec_of(fixture, 0);
    struct link_model all[LIMIT_LINK_MODELS];
    open_set(fixture, 0);
    ops.open = open_all_but_a;
    options.ops = &ops;
    model_set_add_first_of(fixture->set, &spec, 1, &options);
    wait_for(fixture, "given up");
    assert_false(model_set_hopeless(fixture->set)); /* all are tried again */
    while (model_set_describe(fixture->set, 0, all) > 0) {
        uv_run(loop_uv(fixture->loop), UV_RUN_ONCE);
    }
    assert_false(model_set_hopeless(fixture->set));
}

static void first_of_several_that_another_option_has_is_not_taken_twice(void **state) {
    struct fixture *fixture = *state;
    const struct hosted_model_options options = options_of(fixture, false);
    const struct hosted_model_spec specs[] = {spec_of(fixture, 0), spec_of(fixture, 1)};
    struct link_model all[LIMIT_LINK_MODELS];
    open_set(fixture, 0);
    add(fixture, 0, false);
    model_set_add_first_of(fixture->set, specs, COUNT_OF(specs), &options);
    assert_int_equal(model_set_describe(fixture->set, 0, all), 1);
}

static void model_whose_file_is_taken_away_is_dropped(void **state) {
    struct fixture *fixture = *state;
    const char *path = temp_tree_path(&fixture->tree, "own.gguf");
    struct hosted_model_options options = options_of(fixture, true);
    struct hosted_model_spec spec = {.id = "own", .path = path};
    open_set(fixture, 0);
    temp_tree_write(&fixture->tree, "own.gguf", "GGUF");
    options.needs_file = true;
    model_set_add(fixture->set, &spec, &options);
    add(fixture, 0, true);
    model_set_forget_missing(fixture->set);
    assert_non_null(model_set_find(fixture->set, STR("own")));
    assert_int_equal(unlink(path), 0);
    model_set_forget_missing(fixture->set);
    assert_null(model_set_find(fixture->set, STR("own")));
    assert_non_null(model_set_find(fixture->set, STR("a")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(least_used_makes_room),
                                       TEST(busy_model_does_not_go),
                                       TEST(kept_model_does_not_go),
                                       TEST(several_go_for_a_large_one),
                                       TEST(free_memory_bounds_it_as_well),
                                       TEST(wanted_model_comes_and_is_loaded),
                                       TEST(wanted_model_stays_cold_beside_one_in_use),
                                       TEST(cold_model_that_is_wanted_is_loaded),
                                       TEST(wants_that_lead_to_nothing),
                                       TEST(wanted_model_that_cannot_be_had_is_dropped),
                                       TEST(first_that_can_be_had_is_served),
                                       TEST(first_that_can_be_loaded_is_served),
                                       TEST(none_of_several_is_no_end),
                                       TEST(first_of_several_that_another_option_has_is_not_taken_twice),
                                       TEST(model_whose_file_is_taken_away_is_dropped)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
