/* The provider that `up` runs as a child. The child is this test's program again: it tells its arguments and
 * environment and does what the test wants. */
#include "cmd/local_provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

#include <sys/prctl.h>
#include <unistd.h>

enum { TOLD_MAX = 64 * 1024 };

struct world {
    struct command_fixture *fixture;
    struct loop *loop;
    uv_signal_t ready;
    struct local_provider *provider;
    struct local_provider_options options;
    struct option_list models, first_of;
    unsigned failures, stops;
    int status;
};

/* --- The child --- */

/* Its words, each on a line, then NATARIS_... and OWNERS_... of its environment and what its input says, in the file
 * that XDG_TEST_TOLD names. */
static void tell(int argc, char **argv) {
    struct buf told;
    struct err err;
    buf_init(&told, TOLD_MAX);
    for (int i = 1; i < argc; i++) {
        buf_append_format(&told, "%s\n", argv[i]);
    }
    for (char **line = environ; *line != NULL; line++) {
        if (str_starts_with(str_from(*line), STR("NATARIS_")) || str_starts_with(str_from(*line), STR("OWNERS_"))) {
            buf_append_format(&told, "%s\n", *line);
        }
    }
    char input[64];
    const ssize_t got = read(STDIN_FILENO, input, sizeof(input));
    if (got > 0) {
        buf_append_format(&told, "input: %.*s\n", (int)got, input);
    }
    if (!file_write_atomic(getenv("XDG_TEST_TOLD"), buf_str(&told), 0600, &err)) {
        abort();
    }
    buf_clear(&told);
}

/* As TEST_CHILD says: "exit" with status 7, "crash", "stay" until SIGTERM, or be "stubborn" and stay also then. SIGUSR1
 * tells the parent that it stays. */
static int child(int argc, char **argv) {
    const char *what = getenv("XDG_TEST_CHILD");
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
    tell(argc, argv);
    if (what == NULL || strcmp(what, "exit") == 0) {
        return 7;
    }
    if (strcmp(what, "crash") == 0) {
        (void)raise(SIGKILL);
    }
    if (strcmp(what, "stubborn") == 0) {
        (void)signal(SIGTERM, SIG_IGN);
    }
    (void)kill(getppid(), SIGUSR1);
    for (;;) {
        (void)pause();
    }
}

/* --- The parent --- */

static void on_failed(void *context, int status) {
    struct world *world = context;
    world->failures++;
    world->status = status;
    loop_stop(world->loop);
}

static void on_stopped(void *context) {
    struct world *world = context;
    world->stops++;
    world->provider = NULL;
}

static void on_ready(uv_signal_t *handle, int number) {
    const struct world *world = handle->data;
    (void)number;
    loop_stop(world->loop);
}

static int setup(void **state) {
    struct world *world = mem_calloc(1, sizeof(*world));
    void *fixture;
    command_fixture_setup(&fixture);
    world->fixture = fixture;
    world->loop = loop_new();
    world->ready.data = world;
    uv_signal_init(loop_uv(world->loop), &world->ready);
    uv_signal_start(&world->ready, on_ready, SIGUSR1);
    uv_unref((uv_handle_t *)&world->ready);
    world->options = (struct local_provider_options){.gateway_url = "http://127.0.0.1:1",
                                                     .join_token = "join_secret",
                                                     .data_folder = "/data/provider",
                                                     .engine = "scripted",
                                                     .log_level = "warn",
                                                     .models = &world->models,
                                                     .first_of = &world->first_of,
                                                     .restart_ms = 1};
    setenv("XDG_TEST_TOLD", temp_tree_path(&world->fixture->tree, "told"), 1);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    void *fixture = world->fixture;
    uv_close((uv_handle_t *)&world->ready, NULL);
    loop_run(world->loop);
    loop_free(world->loop);
    free(world);
    return command_fixture_teardown(&fixture);
}

static void start(struct world *world, const char *child_does) {
    static const struct local_provider_events EVENTS = {.on_failed = on_failed, .on_stopped = on_stopped};
    setenv("XDG_TEST_CHILD", child_does, 1);
    assert_true(
        local_provider_start(&world->provider, world->loop, &world->options, &EVENTS, world, &world->fixture->err));
}

static void assert_told(struct world *world, const char *text) {
    struct buf told;
    buf_init(&told, TOLD_MAX);
    assert_true(file_read(temp_tree_path(&world->fixture->tree, "told"), &told, &world->fixture->err));
    assert_string_equal(buf_cstr(&told), text);
    buf_clear(&told);
}

/* Until a child stays, or one failed, or all is over. */
static void proceed(const struct world *world) {
    loop_run(world->loop);
}

static void stop(struct world *world) {
    local_provider_stop(world->provider);
    proceed(world);
    assert_int_equal(world->stops, 1);
}

static void its_command_line_and_environment(void **state) {
    struct world *world = *state;
    char told[FILE_PATH_MAX + 512];
    world->models = (struct option_list){.items = {"tiny", "/some/model.gguf"}, .count = 2};
    world->first_of = (struct option_list){.items = {"best", "next"}, .count = 2};
    world->options.quiet = true;
    setenv("NATARIS_DATA", "of-up", 1);
    setenv("NATARIS_MODEL", "of-up", 1);
    setenv("OWNERS_SECRET", "nobody-else-s", 1);
    start(world, "stay");
    unsetenv("OWNERS_SECRET");
    unsetenv("NATARIS_DATA");
    unsetenv("NATARIS_MODEL");
    proceed(world);
    snprintf(told, sizeof(told),
             "provider\n--gateway\nhttp://127.0.0.1:1\n--data\n/data/provider\n--engine\nscripted\n--log-level\nwarn\n"
             "--join-file\n-\n--with-parent\n--model\ntiny\n--model\n/some/"
             "model.gguf\n--first-of\nbest\n--first-of\nnext\n--quiet\nNATARIS_MODELS=%s\n"
             "input: join_secret\n",
             getenv("NATARIS_MODELS"));
    assert_told(world, told);
    stop(world);
    assert_int_equal(world->failures, 0);
}

static void what_is_not_asked_for_is_not_said(void **state) {
    struct world *world = *state;
    unsetenv("NATARIS_MODELS");
    start(world, "stay");
    proceed(world);
    assert_told(world, "provider\n--gateway\nhttp://127.0.0.1:1\n--data\n/data/provider\n--engine\nscripted\n"
                       "--log-level\nwarn\n--join-file\n-\n--with-parent\ninput: join_secret\n");
    stop(world);
}

static void one_that_ends_at_once_has_failed(void **state) {
    struct world *world = *state;
    start(world, "exit");
    proceed(world);
    assert_int_equal(world->failures, 1);
    assert_int_equal(world->status, 7);
    stop(world);
}

static void one_that_is_killed_at_once_has_failed(void **state) {
    struct world *world = *state;
    start(world, "crash");
    proceed(world);
    assert_int_equal(world->failures, 1);
    assert_int_equal(world->status, 128 + SIGKILL);
    stop(world);
}

static void a_settled_one_is_started_again(void **state) {
    struct world *world = *state;
    start(world, "crash");
    local_provider_settled(world->provider);
    setenv("XDG_TEST_CHILD", "stay", 1); /* what the next one does */
    proceed(world);
    assert_int_equal(world->failures, 0);
    stop(world);
}

/* The second call does not wait for it to be willing. */
static void a_stubborn_one_is_killed(void **state) {
    struct world *world = *state;
    start(world, "stubborn");
    proceed(world);
    local_provider_stop(world->provider);
    stop(world);
}

/* The kernel takes no argument as large as this. */
static void one_that_cannot_be_started(void **state) {
    static const struct local_provider_events EVENTS = {.on_failed = on_failed, .on_stopped = on_stopped};
    enum { TOKEN_SIZE = 1024 * 1024 };
    struct world *world = *state;
    char *token = mem_alloc(TOKEN_SIZE);
    memset(token, 'a', TOKEN_SIZE - 1);
    token[TOKEN_SIZE - 1] = '\0';
    world->options.log_level = token;
    assert_false(
        local_provider_start(&world->provider, world->loop, &world->options, &EVENTS, world, &world->fixture->err));
    assert_non_null(strstr(world->fixture->err.message, "cannot start the provider: "));
    proceed(world);
    assert_int_equal(world->stops, 0); /* nobody is told of one that never was */
    free(token);
}

#define PROVIDER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        PROVIDER_TEST(its_command_line_and_environment), PROVIDER_TEST(what_is_not_asked_for_is_not_said),
        PROVIDER_TEST(one_that_ends_at_once_has_failed), PROVIDER_TEST(one_that_is_killed_at_once_has_failed),
        PROVIDER_TEST(a_settled_one_is_started_again),   PROVIDER_TEST(a_stubborn_one_is_killed),
        PROVIDER_TEST(one_that_cannot_be_started),
    };
    return argc > 1 ? child(argc, argv) : cmocka_run_group_tests(tests, NULL, NULL);
}
