/* A core under a virtual clock with a few devices, for what the operator is told of it. One file of tests includes
 * it. */
#ifndef NATARIS_TESTS_UNIT_GATEWAY_OPERATOR_OPERATOR_FIXTURE_H
#define NATARIS_TESTS_UNIT_GATEWAY_OPERATOR_OPERATOR_FIXTURE_H

#include "base/json_write.h"
#include "base/mem.h"
#include "core/core.h"
#include "gateway/operator/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OPERATOR_MODEL "tiny"

struct operator_fixture {
    struct core *core;
    uint64_t now_ms;
    struct stories *stories;
    struct story *story;    /* of the latest generation; NULL: kept */
    uint64_t provider;      /* the latest that joined */
    uint64_t generation;    /* the latest admitted */
    uint64_t dispatched_to; /* the latest DISPATCH */
    struct buf text;
};

/* Tells the core; what follows goes into the fixture and into the story. */
static void operator_step(struct operator_fixture *fixture, const struct core_event *event) {
    const struct core_effects effects = core_step(fixture->core, fixture->now_ms, event);
    for (size_t i = 0; i < effects.count; i++) {
        const struct core_effect *effect = &effects.items[i];
        if (effect->kind == CORE_EFFECT_PROVIDER_ADMITTED) {
            fixture->provider = effect->provider;
        } else if (effect->kind == CORE_EFFECT_ADMITTED) {
            fixture->generation = effect->generation;
        } else if (effect->kind == CORE_EFFECT_DISPATCH) {
            fixture->dispatched_to = effect->provider;
            story_add_placement(fixture->story, fixture->now_ms, effect, effects.candidates);
        } else if (effect->kind == CORE_EFFECT_TRACE) {
            story_add_state(fixture->story, fixture->now_ms, effect->trace.from, effect->trace.to, effect->trace.why);
        }
    }
}

UNUSED static int operator_fixture_setup(void **state) {
    struct operator_fixture *fixture = MEM_NEW(struct operator_fixture);
    struct core_config config;
    core_config_init(&config);
    config.trace = true;
    fixture->core = core_new(&config);
    fixture->now_ms = 1000;
    fixture->stories = stories_new();
    buf_init(&fixture->text, 1 << 20);
    *state = fixture;
    return 0;
}

UNUSED static int operator_fixture_teardown(void **state) {
    struct operator_fixture *fixture = *state;
    if (fixture->story != NULL) {
        story_drop(fixture->stories, fixture->story);
    }
    stories_free(fixture->stories);
    core_free(fixture->core);
    buf_clear(&fixture->text);
    free(fixture);
    return 0;
}

#define OPERATOR_TEST(function)                                                                                        \
    cmocka_unit_test_setup_teardown(function, operator_fixture_setup, operator_fixture_teardown)

/* An idle device of its kind, but for what the test changes. */
static inline struct core_device_state operator_device(void) {
    return (struct core_device_state){.battery_percent = -1};
}

static inline void operator_status(struct operator_fixture *fixture, uint64_t provider, const struct core_offer *offer,
                                   struct core_device_state device) {
    operator_step(fixture, &(struct core_event){
                               .kind = CORE_EVENT_PROVIDER_STATUS,
                               .provider = provider,
                               .status = {.offers = offer, .offer_count = offer != NULL ? 1 : 0, .device = device}});
}

static inline struct core_offer operator_offer(enum core_model_state state) {
    return (struct core_offer){.model = STR(OPERATOR_MODEL), .state = state, .slots = 1, .context_length = 4096};
}

/* A device comes, with the model in this state; its handle. */
UNUSED static uint64_t operator_join(struct operator_fixture *fixture, enum core_model_state state) {
    const struct core_offer offer = operator_offer(state);
    struct core_event event = {.kind = CORE_EVENT_PROVIDER_JOINED, .joined = {.trusted = true}};
    core_record_init(&event.joined.record);
    operator_step(fixture, &event);
    operator_status(fixture, fixture->provider, &offer, operator_device());
    return fixture->provider;
}

/* A client asks; its generation's handle. */
UNUSED static uint64_t operator_ask(struct operator_fixture *fixture, const char *id) {
    struct store_generation record = {.model = OPERATOR_MODEL};
    (void)str_copy(record.id, sizeof(record.id), str_from(id));
    fixture->story = story_begin(fixture->stories, &record, fixture->now_ms);
    operator_step(fixture, &(struct core_event){.kind = CORE_EVENT_REQUEST,
                                                .request = {.model = STR(OPERATOR_MODEL),
                                                            .max_tokens = 16,
                                                            .prompt_tokens_max = 64,
                                                            .prefix = 7,
                                                            .leaves_prefix = 7}});
    return fixture->generation;
}

/* The device that has it answers with so many tokens, one every 10 ms. */
UNUSED static void operator_answer(struct operator_fixture *fixture, uint64_t provider, uint64_t generation,
                                   uint32_t tokens) {
    operator_step(fixture, &(struct core_event){.kind = CORE_EVENT_ACCEPT,
                                                .provider = provider,
                                                .generation = generation,
                                                .accept = {.prompt_tokens = 10}});
    for (uint32_t i = 0; i < tokens; i++) {
        fixture->now_ms += 10;
        operator_step(fixture, &(struct core_event){.kind = CORE_EVENT_DELTA,
                                                    .provider = provider,
                                                    .generation = generation,
                                                    .delta = {.text = STR("word "), .tokens = 1}});
    }
    operator_step(fixture, &(struct core_event){
                               .kind = CORE_EVENT_DONE,
                               .provider = provider,
                               .generation = generation,
                               .done = {.finish = CORE_FINISH_STOP, .prompt_tokens = 10, .completion_tokens = tokens}});
    operator_step(fixture, &(struct core_event){
                               .kind = CORE_EVENT_COMMITTED, .generation = generation, .committed = {.durable = true}});
}

/* An object into the fixture's text: begun by this, ended by the other. */
static inline void operator_begin(struct operator_fixture *fixture, struct json_writer *writer) {
    buf_reset(&fixture->text);
    json_writer_init(writer, &fixture->text);
}

static inline void operator_assert_has(struct operator_fixture *fixture, const char *part) {
    if (strstr(buf_cstr(&fixture->text), part) == NULL) {
        fail_msg("no %s in %s", part, buf_cstr(&fixture->text));
    }
}

static inline void operator_assert_lacks(struct operator_fixture *fixture, const char *part) {
    if (strstr(buf_cstr(&fixture->text), part) != NULL) {
        fail_msg("%s in %s", part, buf_cstr(&fixture->text));
    }
}

#endif
