/* A provider's control socket in a folder, on a loop and a thread of its own. Include after cmocka.h. */
#ifndef NATARIS_TESTS_SUPPORT_CONTROL_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_CONTROL_FIXTURE_H

#include "provider/control.h"

struct control_fixture {
    const char *folder;  /* the provider's data folder: to be set first */
    const char *gateway; /* NULL: https://gateway.example */
    struct tally tally;  /* what it has done: to be set before it starts */
    struct loop *loop;
    struct owner_guard *guard;
    struct control *control;
    uv_thread_t thread;
    uv_async_t stop;
    bool serving;
};

static void control_fixture_fill(void *context, struct control_view *view, struct link_model *models) {
    const struct control_fixture *fixture = context;
    models[0] = (struct link_model){.id = STR("tiny"), .state = LINK_MODEL_WARM, .slots = 2, .context_length = 4096};
    view->model_count = 1;
    view->gateway = fixture->gateway != NULL ? fixture->gateway : "https://gateway.example";
    view->name = "shed";
    view->tally = &fixture->tally;
    view->running = 1;
}

static void control_fixture_on_closed(void *context) {
    const struct control_fixture *fixture = context;
    owner_guard_free(fixture->guard);
}

static void control_fixture_on_stop(uv_async_t *async) {
    struct control_fixture *fixture = async->data;
    control_close(fixture->control, control_fixture_on_closed, fixture);
    uv_close((uv_handle_t *)async, NULL);
}

static void control_fixture_serve(void *context) {
    const struct control_fixture *fixture = context;
    loop_run(fixture->loop);
}

/* The socket is there when this returns. The owner allows three jobs at once. */
UNUSED static void control_fixture_start(struct control_fixture *fixture) {
    struct owner_limits limits;
    struct err err = {0};
    owner_limits_init(&limits);
    limits.max_jobs = 3;
    const struct owner_guard_config guard = {
        .limits = &limits, .data_folder = fixture->folder, .root = fixture->folder};
    fixture->loop = loop_new();
    assert_true(owner_guard_new(&fixture->guard, fixture->loop, &guard, &err));
    const struct control_config config = {
        .data_folder = fixture->folder, .guard = fixture->guard, .fill = control_fixture_fill, .context = fixture};
    fixture->control = control_new(fixture->loop, &config);
    uv_async_init(loop_uv(fixture->loop), &fixture->stop, control_fixture_on_stop);
    fixture->stop.data = fixture;
    assert_int_equal(uv_thread_create(&fixture->thread, control_fixture_serve, fixture), 0);
    fixture->serving = true;
}

/* Harmless when it does not serve. */
UNUSED static void control_fixture_stop(struct control_fixture *fixture) {
    if (fixture->serving) {
        uv_async_send(&fixture->stop);
        uv_thread_join(&fixture->thread);
        loop_free(fixture->loop);
        fixture->serving = false;
    }
}

#endif
