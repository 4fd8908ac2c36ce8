/* An engine that the test moves by hand. One can be open at a time. */
#ifndef NATARIS_TESTS_UNIT_PROVIDER_HAND_ENGINE_H
#define NATARIS_TESTS_UNIT_PROVIDER_HAND_ENGINE_H

#include "base/file.h"
#include "base/mem.h"
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct hand_engine {
    struct engine base;
    const struct engine_events *events;
    void *context;
    char path[FILE_PATH_MAX];
    uint64_t memory_limit;
    uint64_t submitted[16]; /* in order */
    size_t submitted_count;
    char prompt[64]; /* of the last one submitted */
    uint64_t cancelled;
    void (*on_closed)(void *context); /* of a close that is held back */
    void *closed_context;
};

/* The engine that is open, if any. Opening fails while `hand_refuses`; while `hand_holds_close`, closing ends with
 * hand_finish_close. */
static struct hand_engine *hand;
static bool hand_refuses, hand_holds_close;

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
    hand->memory_limit = options->memory_limit;
    str_copy(hand->path, sizeof(hand->path), str_from(options->model_path));
    *out = &hand->base;
    loop_stop(options->loop);
    return true;
}

static void hand_submit(struct engine *engine, uint64_t job, const struct gen_request *request) {
    assert_ptr_equal(engine, hand);
    assert_true(hand->submitted_count < COUNT_OF(hand->submitted));
    hand->submitted[hand->submitted_count++] = job;
    str_copy(hand->prompt, sizeof(hand->prompt), request->prompt);
}

static void hand_cancel(struct engine *engine, uint64_t job) {
    ((struct hand_engine *)engine)->cancelled = job;
}

static void hand_close(struct engine *engine, void (*on_closed)(void *context), void *context) {
    assert_ptr_equal(engine, hand);
    if (hand_holds_close) {
        assert_null(hand->on_closed);
        hand->on_closed = on_closed;
        hand->closed_context = context;
        return;
    }
    free(hand);
    hand = NULL;
    on_closed(context);
}

static inline void hand_finish_close(void) {
    void (*on_closed)(void *context) = hand->on_closed;
    void *context = hand->closed_context;
    assert_non_null(on_closed);
    free(hand);
    hand = NULL;
    on_closed(context);
}

static const struct engine_ops HAND = {
    .name = "hand", .open = hand_open, .submit = hand_submit, .cancel = hand_cancel, .close = hand_close};

static inline void hand_ready(uint32_t slots, uint64_t memory_bytes) {
    const struct engine_facts facts = {.slots = slots, .context_length = 512, .memory_bytes = memory_bytes};
    hand->events->on_state(hand->context, ENGINE_READY, &facts, NULL);
}

static inline void hand_loading(void) {
    hand->events->on_state(hand->context, ENGINE_LOADING, NULL, NULL);
}

static inline void hand_failed(const char *why) {
    hand->events->on_state(hand->context, ENGINE_FAILED, NULL, why);
}

static inline void hand_done(uint64_t job) {
    const struct gen_done done = {.finish = GEN_FINISH_STOP};
    hand->events->on_done(hand->context, job, &done);
}

#endif
