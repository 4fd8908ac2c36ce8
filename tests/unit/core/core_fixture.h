/* A core under a virtual clock, for the tests of its files. Every step is followed by core_check. */
#ifndef NATARIS_TESTS_UNIT_CORE_CORE_FIXTURE_H
#define NATARIS_TESTS_UNIT_CORE_CORE_FIXTURE_H

#include "core/core_internal.h"
#include "core/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    struct core_config config; /* changed before fixture_start */
    struct core *core;
    uint64_t now_ms;
    struct core_effects effects; /* of the latest step */
};

static inline int fixture_setup(void **state) {
    struct fixture *f = MEM_NEW(struct fixture);
    core_config_init(&f->config);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state) {
    struct fixture *f = (struct fixture *)*state;
    core_free(f->core);
    free(f);
    return 0;
}

#define FIXTURE_TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

static inline struct fixture *fixture_start(void **state) {
    struct fixture *f = (struct fixture *)*state;
    f->core = core_new(&f->config);
    return f;
}

static inline void fixture_step(struct fixture *f, struct core_event event) {
    f->effects = core_step(f->core, f->now_ms, &event);
    const char *broken = NULL;
    if (!core_check(f->core, &broken)) {
        fail_msg("%s", broken);
    }
}

/* The latest step's effect of this kind; NULL when there is none. */
static inline const struct core_effect *fixture_effect(const struct fixture *f, enum core_effect_kind kind) {
    for (size_t i = 0; i < f->effects.count; i++) {
        if (f->effects.items[i].kind == kind) {
            return &f->effects.items[i];
        }
    }
    return NULL;
}

static inline size_t fixture_count(const struct fixture *f, enum core_effect_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < f->effects.count; i++) {
        count += f->effects.items[i].kind == kind;
    }
    return count;
}

static inline uint64_t fixture_join(struct fixture *f, uint64_t user) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_PROVIDER_JOINED, .joined = {.user = user, .trusted = true}});
    return f->effects.items[0].provider;
}

static inline void fixture_status(struct fixture *f, uint64_t provider, const struct core_offer *offers, size_t count) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                        .provider = provider,
                                        .status = {.offers = offers, .offer_count = count}});
}

static inline void fixture_offer(struct fixture *f, uint64_t provider, const char *model, enum core_model_state state,
                                 uint32_t slots) {
    struct core_offer offer = {.model = str_from(model), .state = state, .slots = slots, .context_length = 4096};
    fixture_status(f, provider, &offer, 1);
}

/* A provider with this many warm slots of the model "m". */
static inline uint64_t fixture_provider(struct fixture *f, uint32_t slots) {
    uint64_t provider = fixture_join(f, 0);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, slots);
    return provider;
}

/* The generation's handle; CORE_NO_HANDLE when it was refused. */
static inline uint64_t fixture_request(struct fixture *f, uint64_t user) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_REQUEST,
                                        .request = {.user = user, .model = STR("m"), .max_tokens = 16}});
    const struct core_effect *admitted = fixture_effect(f, CORE_EFFECT_ADMITTED);
    return admitted == NULL ? CORE_NO_HANDLE : admitted->generation;
}

/* Where the latest step has sent a generation; CORE_NO_HANDLE when nowhere. */
static inline uint64_t fixture_dispatched(const struct fixture *f) {
    const struct core_effect *dispatch = fixture_effect(f, CORE_EFFECT_DISPATCH);
    return dispatch == NULL ? CORE_NO_HANDLE : dispatch->provider;
}

static inline void fixture_plain(struct fixture *f, enum core_event_kind kind, uint64_t generation, uint64_t provider) {
    fixture_step(f, (struct core_event){.kind = kind, .generation = generation, .provider = provider});
}

/* Of so many tokens: some bytes for each, but not more than there are here. */
static inline struct str fixture_text(uint32_t tokens) {
    const struct str all =
        STR("one two three four five six seven eight nine ten eleven twelve and so on until thirty-two");
    return (struct str){.data = all.data, .len = tokens < all.len / 3 ? tokens * 3 : all.len};
}

static inline void fixture_delta(struct fixture *f, uint64_t generation, uint64_t provider, uint32_t tokens) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_DELTA,
                                        .generation = generation,
                                        .provider = provider,
                                        .delta = {fixture_text(tokens), tokens}});
}

static inline void fixture_error(struct fixture *f, uint64_t generation, uint64_t provider,
                                 enum core_attempt_failure failure) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ERROR,
                                        .generation = generation,
                                        .provider = provider,
                                        .error = {.failure = failure}});
}

static inline void fixture_at(struct fixture *f, uint64_t now_ms) {
    f->now_ms = now_ms;
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_TIMER});
}

static inline void fixture_committed(struct fixture *f, uint64_t generation, bool durable) {
    fixture_step(f, (struct core_event){
                        .kind = CORE_EVENT_COMMITTED, .generation = generation, .committed = {.durable = durable}});
}

/* Account 1 with this much money and no limits. */
static inline void fixture_account(struct fixture *f, int64_t balance_nano) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCOUNT, .account = {.account = 1}});
    fixture_step(f,
                 (struct core_event){.kind = CORE_EVENT_CREDIT, .credit = {.account = 1, .amount_nano = balance_nano}});
}

static inline struct core_account_view fixture_view(const struct fixture *f, uint64_t account) {
    struct core_account_view view;
    if (!core_account_view(f->core, account, f->now_ms, &view)) {
        fail_msg("account %llu is unknown", (unsigned long long)account);
    }
    return view;
}

/* A request of account 1 for at most 10 tokens in, at 10, and 5 out, at 20: 200 in all. Its generation, or
 * CORE_NO_HANDLE. */
enum { FIXTURE_PAID_NANO = 200 };
static inline uint64_t fixture_paid_request(struct fixture *f, uint64_t key) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_REQUEST,
                                        .request = {.model = STR("m"),
                                                    .max_tokens = 5,
                                                    .account = 1,
                                                    .key = key,
                                                    .prompt_tokens_max = 10,
                                                    .prompt_price_nano = 10,
                                                    .completion_price_nano = 20}});
    const struct core_effect *admitted = fixture_effect(f, CORE_EFFECT_ADMITTED);
    return admitted == NULL ? CORE_NO_HANDLE : admitted->generation;
}

static inline struct core_provider *fixture_provider_of(const struct fixture *f, uint64_t handle) {
    return (struct core_provider *)core_handles_get(&f->core->providers, handle);
}

static inline struct core_generation *fixture_generation_of(const struct fixture *f, uint64_t handle) {
    return (struct core_generation *)core_handles_get(&f->core->generations, handle);
}

/* With the text of its tokens before it, if none has come. */
static inline void fixture_done(struct fixture *f, uint64_t generation, uint64_t provider, uint32_t prompt_tokens,
                                uint32_t completion_tokens) {
    const struct core_generation *held = fixture_generation_of(f, generation);
    if (completion_tokens > 0 && held != NULL && held->attempt != NULL && held->attempt->provider_handle == provider &&
        held->attempt->delivered.bytes == 0) {
        fixture_delta(f, generation, provider, completion_tokens);
    }
    fixture_step(f,
                 (struct core_event){.kind = CORE_EVENT_DONE,
                                     .generation = generation,
                                     .provider = provider,
                                     .done = {.prompt_tokens = prompt_tokens, .completion_tokens = completion_tokens}});
}

#endif
