/* A model whose download is stopped because the network costs money now, and goes on when it no longer does. */
#include "base/log.h"
#include "provider/hosted_model.h"
#include "unit/provider/hand_engine.h"

#include "unit/provider/fetch_fixture.h"

static struct fixture *rig;
static bool metered, was_metered, failed, closed;
static enum link_model_state told;

static void on_state(void *context, struct hosted_model *model, const struct err *why) {
    struct link_model now;
    (void)context;
    hosted_model_describe(model, &now);
    told = now.state;
    failed = failed || why != NULL;
    loop_stop(rig->loop);
}

static void on_progress(void *context, struct hosted_model *model) {
    struct link_model now;
    (void)context;
    hosted_model_describe(model, &now);
    metered = metered || (!was_metered && now.bytes_done == BODY_BYTES / 2);
    was_metered = was_metered || metered;
}

static bool may_download(void *context) {
    (void)context;
    return !metered;
}

static void on_model_closed(void *context) {
    (void)context;
    closed = true;
    loop_stop(rig->loop);
}

static const struct hosted_model_events EVENTS = {
    .on_state = on_state, .on_progress = on_progress, .may_download = may_download};

static void running_download_stops_and_goes_on(void **state) {
    struct fixture *fixture = rig = *state;
    const struct hosted_model_spec spec = {.id = "m", .catalog = &fixture->model};
    struct progress_line progress;
    progress_line_init(&progress, true);
    const struct hosted_model_options options = {.ops = &HAND,
                                                 .needs_file = true,
                                                 .engine = {.loop = fixture->loop},
                                                 .model_folder = fixture->folder,
                                                 .progress = &progress};
    add_url(fixture, 0, "/cut");
    struct hosted_model *model = hosted_model_new(&spec, &options, &EVENTS, NULL);
    loop_run(fixture->loop);
    assert_int_equal(told, LINK_MODEL_DOWNLOADING);
    loop_run(fixture->loop); /* half of it comes, the rest is not asked for */
    assert_true(metered);
    assert_int_equal(told, LINK_MODEL_LOADING);
    assert_false(hosted_model_hopeless(model)); /* a provider gives up when all of its models are */
    assert_true(kept(fixture, "m.gguf.part"));
    assert_int_equal(fixture->requests, 1);
    metered = false;
    while (hand == NULL) {
        loop_run(fixture->loop);
    }
    assert_int_equal(fixture->ranges, 1); /* it went on where it stopped */
    assert_false(failed);
    str_copy(fixture->path, sizeof(fixture->path), str_from(hand->path));
    assert_model_is_whole(fixture);
    hosted_model_close(model, on_model_closed, NULL);
    while (!closed) {
        loop_run(fixture->loop);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(running_download_stops_and_goes_on)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
