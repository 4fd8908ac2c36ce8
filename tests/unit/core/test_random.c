/* Random events, sensible ones and others, under many seeds. After each step core_check must hold and the effects must
 * be such that a shell can carry them out; in the end every admitted generation has ended exactly once. A failing seed
 * is printed: CORE_SEED=<seed> runs it alone. */
#include "unit/core/core_fixture.h"

#include <string.h>

enum { SEEDS = 300, EVENTS = 2000, PROVIDERS_MAX = 6, MODELS = 3, GENERATIONS_MAX = EVENTS + 1 };

struct shell_generation {
    uint64_t handle, holder;
    unsigned ends;
    uint32_t max_tokens, made, last; /* tokens: asked for, of closed parts as far as delivered, of the present one */
    bool accepted, gone, settling, aborted, begun, canary;
};

struct shell {
    uint64_t seed, now_ms, wake_at_ms;
    unsigned event;
    struct random_source random;
    struct core *core;
    struct core_config config;
    uint64_t speaker;                  /* the provider of the present event */
    uint64_t providers[PROVIDERS_MAX]; /* alive ones, then CORE_NO_HANDLE */
    size_t provider_count;
    struct shell_generation generations[GENERATIONS_MAX]; /* by the request's user number */
    uint64_t users;
    uint64_t unsettled[GENERATIONS_MAX]; /* users whose COMMITTED is due */
    size_t unsettled_count;
};

static const char *const model_ids[MODELS] = {"a", "b", "c"};
static const char regions[][CORE_REGION_SIZE] = {"", "", "DE", "FR"};
enum { REGIONS = COUNT_OF(regions), ACCOUNTS = 3 };

static uint32_t pick(struct shell *s, uint32_t bound) {
    return (uint32_t)random_below(&s->random, bound);
}

#define REQUIRE(shell, condition)                                                                                      \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fail_msg("seed %llu, event %u: %s", (unsigned long long)(shell)->seed, (shell)->event, #condition);        \
        }                                                                                                              \
    } while (0)

static bool is_alive(const struct shell *s, uint64_t provider) {
    for (size_t i = 0; i < s->provider_count; i++) {
        if (s->providers[i] == provider) {
            return true;
        }
    }
    return false;
}

static void take_settle(struct shell *s, const struct core_effect *e, struct shell_generation *generation) {
    uint32_t tokens = 0;
    for (size_t i = 0; i < e->finish.part_count; i++) {
        tokens += e->finish.parts[i].tokens;
    }
    REQUIRE(s, tokens == e->finish.completion_tokens && e->finish.part_count > 0);
    REQUIRE(s, e->provider == e->finish.parts[e->finish.part_count - 1].provider);
    REQUIRE(s, generation->accepted && !generation->settling && e->finish.cancelled == generation->gone);
    REQUIRE(s, generation->gone || e->provider == s->speaker || generation->begun);
    REQUIRE(s, e->finish.charge_nano == 0);
    generation->settling = true;
    generation->holder = CORE_NO_HANDLE;
    s->unsettled[s->unsettled_count++] = e->user;
}

static void take_fail(struct shell *s, const struct core_effect *e, struct shell_generation *generation) {
    REQUIRE(s, !generation->gone || generation->settling);
    REQUIRE(s, (e->fail.failure == CORE_FAILURE_STORE) == generation->settling);
    REQUIRE(s, (e->fail.failure == CORE_FAILURE_STOPPED) == generation->aborted);
    REQUIRE(s, generation->begun || e->fail.attempts <= s->config.max_attempts);
    REQUIRE(s, e->fail.failure != CORE_FAILURE_UNPLACEABLE || generation->canary);
    REQUIRE(s, e->fail.failure != CORE_FAILURE_LOST || generation->begun);
}

/* What ends a generation. */
static void take_end(struct shell *s, const struct core_effect *e, struct shell_generation *generation) {
    if (e->kind == CORE_EFFECT_FINISH) {
        REQUIRE(s, generation->settling && !e->finish.cancelled);
    } else if (e->kind == CORE_EFFECT_CANCELLED) {
        REQUIRE(s, generation->gone && e->finish.cancelled);
    } else {
        take_fail(s, e, generation);
    }
    generation->ends++;
}

/* The effects that are about a generation which lives. */
static void take_generation_effect(struct shell *s, const struct core_effect *e, struct shell_generation *generation) {
    REQUIRE(s, generation->handle == e->generation && generation->ends == 0);
    switch (e->kind) {
    case CORE_EFFECT_DISPATCH:
        REQUIRE(s, e->provider != CORE_NO_HANDLE && !generation->gone && generation->holder == CORE_NO_HANDLE);
        generation->holder = e->provider;
        generation->made += generation->last;
        generation->last = 0;
        REQUIRE(s, e->dispatch.continues == generation->begun && !(generation->canary && e->dispatch.attempt > 1));
        REQUIRE(s, e->dispatch.max_tokens + generation->made == generation->max_tokens);
        REQUIRE(s, e->dispatch.max_tokens > 0 || !generation->begun);
        break;
    case CORE_EFFECT_CANCEL:
        REQUIRE(s, e->provider == generation->holder && e->provider != CORE_NO_HANDLE);
        generation->holder = generation->gone ? generation->holder : CORE_NO_HANDLE;
        break;
    case CORE_EFFECT_ACCEPTED:
        REQUIRE(s, !generation->accepted && e->provider == s->speaker);
        generation->accepted = true;
        break;
    case CORE_EFFECT_DELIVER:
        REQUIRE(s, generation->accepted && !generation->gone && e->provider == s->speaker &&
                       e->provider == generation->holder);
        generation->begun = true;
        generation->last += e->deliver.tokens;
        break;
    case CORE_EFFECT_SETTLE:
        take_settle(s, e, generation);
        break;
    case CORE_EFFECT_FINISH:
    case CORE_EFFECT_FAIL:
    case CORE_EFFECT_CANCELLED:
        take_end(s, e, generation);
        break;
    case CORE_EFFECT_COUNT:
    case CORE_EFFECT_ADMITTED:
    case CORE_EFFECT_PROVIDER_ADMITTED:
    case CORE_EFFECT_PROVIDER_REFUSED:
    case CORE_EFFECT_PROVIDER_BUSY:
    case CORE_EFFECT_PROVIDER_IDLE:
    case CORE_EFFECT_WANT:
    case CORE_EFFECT_REVIEW:
    case CORE_EFFECT_WAKE:
    case CORE_EFFECT_TRACE:
        break;
    }
}

static bool is_about_device(const struct core_effect *e) {
    return e->kind == CORE_EFFECT_PROVIDER_BUSY || e->kind == CORE_EFFECT_PROVIDER_IDLE ||
           e->kind == CORE_EFFECT_REVIEW || e->kind == CORE_EFFECT_WANT;
}

static void take_effect(struct shell *s, const struct core_effect *e) {
    if (is_about_device(e)) {
        REQUIRE(s, is_alive(s, e->provider) || e->provider == s->speaker);
        return;
    }
    bool settled = e->generation != CORE_NO_HANDLE && s->generations[e->user].settling; /* its provider may have left */
    REQUIRE(s, settled || e->provider == CORE_NO_HANDLE || e->kind == CORE_EFFECT_PROVIDER_ADMITTED ||
                   e->kind == CORE_EFFECT_SETTLE || is_alive(s, e->provider));
    if (e->kind == CORE_EFFECT_PROVIDER_ADMITTED) {
        s->providers[s->provider_count++] = e->provider;
    } else if (e->kind == CORE_EFFECT_WAKE) {
        REQUIRE(s, e->wake_at_ms > s->now_ms);
        s->wake_at_ms = e->wake_at_ms;
    } else if (e->kind == CORE_EFFECT_ADMITTED) {
        REQUIRE(s, e->user == s->users - 1 && s->generations[e->user].handle == CORE_NO_HANDLE);
        s->generations[e->user].handle = e->generation;
    } else if (e->generation != CORE_NO_HANDLE) {
        take_generation_effect(s, e, &s->generations[e->user]);
    }
}

static void shell_step(struct shell *s, struct core_event event) {
    s->event++;
    s->speaker = event.provider;
    struct core_effects effects = core_step(s->core, s->now_ms, &event);
    for (size_t i = 0; i < effects.count; i++) {
        take_effect(s, &effects.items[i]);
    }
    const char *broken = NULL;
    if (!core_check(s->core, &broken)) {
        fail_msg("seed %llu, event %u (kind %d): %s", (unsigned long long)s->seed, s->event, event.kind, broken);
    }
}

/* Whose link has closed holds nothing any more; the core may send its generations elsewhere in this very step. */
static void shell_leave(struct shell *s, size_t index) {
    uint64_t provider = s->providers[index];
    s->providers[index] = s->providers[--s->provider_count];
    for (uint64_t i = 0; i < s->users; i++) {
        if (s->generations[i].holder == provider) {
            s->generations[i].holder = CORE_NO_HANDLE;
        }
    }
    shell_step(s, (struct core_event){.kind = CORE_EVENT_PROVIDER_LEFT, .provider = provider});
}

static void random_status(struct shell *s, uint64_t provider) {
    struct core_offer offers[MODELS];
    size_t count = pick(s, MODELS + 1);
    for (size_t i = 0; i < count; i++) {
        offers[i] = (struct core_offer){.model = str_from(model_ids[pick(s, MODELS)]),
                                        .state = pick(s, 3) > 0 ? CORE_MODEL_WARM : pick(s, CORE_MODEL_STATE_COUNT),
                                        .slots = pick(s, 5),
                                        .context_length = 1024 * pick(s, 4),
                                        .load_ms = pick(s, 3000),
                                        .too_large = pick(s, 20) == 0,
                                        .bytes_left = pick(s, 100000),
                                        .bytes_per_s = pick(s, 10000)};
    }
    struct core_device_state device = {.heat = pick(s, 8) > 0 ? CORE_HEAT_NOMINAL : pick(s, CORE_HEAT_CRITICAL + 1),
                                       .battery_percent = (int32_t)pick(s, 102) - 1,
                                       .charging = pick(s, 2) == 0,
                                       .paused = pick(s, 20) == 0,
                                       .takes_wants = pick(s, 2) == 0,
                                       .storage_free_bytes = pick(s, 100000)};
    shell_step(s, (struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                      .provider = provider,
                                      .status = {.offers = offers, .offer_count = count, .device = device}});
}

static void random_provider_event(struct shell *s) {
    static const enum core_event_kind kinds[] = {CORE_EVENT_PROVIDER_DRAINING, CORE_EVENT_PROVIDER_SILENT,
                                                 CORE_EVENT_PROVIDER_SILENT,   CORE_EVENT_PROVIDER_ALIVE,
                                                 CORE_EVENT_PROVIDER_ALIVE,    CORE_EVENT_REVIEW};
    if (s->provider_count < PROVIDERS_MAX && pick(s, 4) == 0) {
        struct core_event event = {.kind = CORE_EVENT_PROVIDER_JOINED,
                                   .joined = {.verified = pick(s, 2) == 0,
                                              .trusted = pick(s, 3) == 0,
                                              .owner = pick(s, 4),
                                              .ram_bytes = pick(s, 100000)}};
        memcpy(event.joined.region, regions[pick(s, REGIONS)], CORE_REGION_SIZE);
        core_record_init(&event.joined.record);
        event.joined.record.audits = pick(s, CORE_AUDITS_FIRST + 2);
        shell_step(s, event);
    }
    if (pick(s, 30) == 0) {
        shell_step(s, (struct core_event){.kind = CORE_EVENT_MODEL,
                                          .model = {str_from(model_ids[pick(s, MODELS)]), pick(s, 50000),
                                                    pick(s, 100000), pick(s, 4096)}});
    }
    if (s->provider_count == 0) {
        return;
    }
    size_t index = pick(s, (uint32_t)s->provider_count);
    uint32_t what = pick(s, 50);
    if (pick(s, 8) == 0) {
        shell_step(s, (struct core_event){.kind = CORE_EVENT_AUDITED,
                                          .provider = s->providers[index],
                                          .audited = {.passed = pick(s, 20) > 0}});
    } else if (what < 3) {
        shell_leave(s, index);
    } else if (what - 3 < COUNT_OF(kinds)) {
        shell_step(s, (struct core_event){
                          .kind = kinds[what - 3], .provider = s->providers[index], .review = {CORE_REVIEW_CANARY}});
    } else {
        random_status(s, s->providers[index]);
    }
}

/* One of the latest generations; mostly one that some device holds. */
static struct shell_generation *random_generation(struct shell *s) {
    struct shell_generation *generation = NULL;
    for (int tries = 0; tries < 20 && s->users > 0; tries++) {
        generation = &s->generations[s->users - 1 - pick(s, s->users < 40 ? (uint32_t)s->users : 40)];
        if (generation->ends == 0 && generation->holder != CORE_NO_HANDLE) {
            break;
        }
    }
    return generation;
}

static void random_device_event(struct shell *s) {
    struct shell_generation *generation = random_generation(s);
    if (generation == NULL) {
        return;
    }
    struct core_event event = {.generation = generation->handle, .provider = generation->holder};
    if (s->provider_count > 0 && pick(s, 10) == 0) {
        event.provider = s->providers[pick(s, (uint32_t)s->provider_count)]; /* perhaps a ghost's */
    }
    uint32_t what = pick(s, 20);
    if (what < 6) {
        event.kind = CORE_EVENT_ACCEPT;
        event.accept.prompt_tokens = pick(s, 100);
    } else if (what < 14) {
        event.kind = CORE_EVENT_DELTA;
        event.delta.tokens = pick(s, 3);
        event.delta.text = (struct str){.data = "sixsix", .len = event.delta.tokens * 3};
    } else if (what < 17) {
        event.kind = CORE_EVENT_DONE;
        event.done.finish = (enum core_finish)pick(s, 3);
    } else {
        event.kind = CORE_EVENT_ERROR;
        event.error.failure = (enum core_attempt_failure)pick(s, pick(s, 4) == 0 ? 6 : 5); /* DRAINING is for good */
    }
    if (what >= 14 && event.provider == generation->holder) {
        generation->holder = CORE_NO_HANDLE; /* it has let go of the generation with these words */
    }
    shell_step(s, event);
}

static void random_request(struct shell *s) {
    struct shell_generation *generation = &s->generations[s->users++];
    generation->max_tokens = pick(s, 100);
    generation->canary = pick(s, 20) == 0 && s->provider_count > 0;
    struct core_event event = {.kind = CORE_EVENT_REQUEST,
                               .request = {.user = s->users - 1,
                                           .model = str_from(model_ids[pick(s, MODELS)]),
                                           .max_tokens = generation->max_tokens,
                                           .account = pick(s, ACCOUNTS + 1),
                                           .prompt_tokens_max = pick(s, 1000),
                                           .completion_price_nano = pick(s, 4) == 0, /* which nobody can pay */
                                           .verified = pick(s, 8) == 0,
                                           .prefix = pick(s, 20),
                                           .leaves_prefix = pick(s, 20)}};
    memcpy(event.request.region, pick(s, 4) == 0 ? regions[pick(s, REGIONS)] : "\0\0", CORE_REGION_SIZE);
    if (generation->canary) {
        event.request.only_provider = s->providers[pick(s, (uint32_t)s->provider_count)];
    }
    shell_step(s, event);
}

static void random_client_event(struct shell *s) {
    if (pick(s, 8) > 0) {
        random_request(s);
        return;
    }
    struct shell_generation *generation = random_generation(s);
    if (generation == NULL || generation->handle == CORE_NO_HANDLE) {
        return;
    }
    if (pick(s, 3) > 0) {
        generation->gone |= !generation->settling;
        shell_step(s, (struct core_event){.kind = CORE_EVENT_CLIENT_GONE, .generation = generation->handle});
        return;
    }
    generation->aborted = generation->ends == 0 && !generation->settling && !generation->gone;
    shell_step(s, (struct core_event){.kind = CORE_EVENT_ABORT,
                                      .generation = generation->handle,
                                      .abort = {.failure = CORE_FAILURE_STOPPED}});
    REQUIRE(s, !generation->aborted || generation->ends == 1);
}

/* The store answers in any order, and now and then it cannot write. */
static void random_store_event(struct shell *s) {
    if (s->unsettled_count == 0) {
        return;
    }
    size_t index = pick(s, (uint32_t)s->unsettled_count);
    uint64_t user = s->unsettled[index];
    s->unsettled[index] = s->unsettled[--s->unsettled_count];
    shell_step(s, (struct core_event){.kind = CORE_EVENT_COMMITTED,
                                      .generation = s->generations[user].handle,
                                      .committed = {.durable = pick(s, 10) > 0}});
    REQUIRE(s, s->generations[user].ends == 1);
}

/* Time passes; the timer fires if it is due, but now and then it is late, and now and then early. */
static void pass_time(struct shell *s) {
    s->now_ms += pick(s, 60) == 0 ? pick(s, 3000) : pick(s, 20);
    if (s->wake_at_ms <= s->now_ms ? pick(s, 10) > 0 : pick(s, 50) == 0) {
        s->wake_at_ms = UINT64_MAX;
        shell_step(s, (struct core_event){.kind = CORE_EVENT_TIMER});
    }
}

static void shell_start(struct shell *s, uint64_t seed) {
    *s = (struct shell){.seed = seed, .random = {.state = seed}, .wake_at_ms = UINT64_MAX};
    core_config_init(&s->config);
    s->config.seed = seed;
    s->config.trace = seed % 4 == 0;
    s->config.max_generations = 1 + pick(s, 40);
    s->config.max_queue = pick(s, 20);
    s->config.max_providers = 1 + pick(s, PROVIDERS_MAX);
    s->config.max_attempts = 1 + pick(s, 4);
    uint32_t *times[] = {&s->config.queue_ms,   &s->config.accept_ms, &s->config.first_token_ms,
                         &s->config.silence_ms, &s->config.cancel_ms, &s->config.cooldown_ms};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        *times[i] = pick(s, 2000);
    }
    s->config.whole_ms = pick(s, 20000);
    s->config.failover_ms = pick(s, 4000);
    s->config.continue_ms = pick(s, 16000);
    s->config.backoff_step_ms = pick(s, 300);
    s->config.retry_percent = pick(s, 101);
    s->config.retry_floor = pick(s, 4);
    s->core = core_new(&s->config);
    for (uint64_t i = 1; i <= ACCOUNTS; i++) {
        shell_step(s, (struct core_event){.kind = CORE_EVENT_ACCOUNT, .account = {.account = i}});
    }
}

/* The timer and the store must bring every generation to its end. */
static void run_out(struct shell *s) {
    for (int i = 0; i < 10000 && core_counts(s->core).generations > 0; i++) {
        while (s->unsettled_count > 0) {
            random_store_event(s);
        }
        if (core_counts(s->core).generations == 0) {
            break;
        }
        REQUIRE(s, s->wake_at_ms != UINT64_MAX);
        s->now_ms = s->wake_at_ms;
        s->wake_at_ms = UINT64_MAX;
        shell_step(s, (struct core_event){.kind = CORE_EVENT_TIMER});
    }
    while (s->provider_count > 0) {
        shell_leave(s, 0);
    }
    REQUIRE(s, core_counts(s->core).generations == 0 && core_counts(s->core).models == 0);
    for (uint64_t i = 0; i < s->users; i++) {
        REQUIRE(s, s->generations[i].ends == (s->generations[i].handle != CORE_NO_HANDLE));
    }
}

static void random_events(struct shell *s, unsigned until) {
    while (s->event < until) {
        pass_time(s);
        uint32_t what = pick(s, 100);
        if (what < 22) {
            random_client_event(s);
        } else if (what < 25) {
            random_store_event(s);
        } else if (what < 40) {
            random_provider_event(s);
        } else {
            random_device_event(s);
        }
    }
}

static void run_seed(struct shell *s, uint64_t seed) {
    shell_start(s, seed);
    if (seed % 3 == 0) {
        random_events(s, EVENTS / 2);
        shell_step(s, (struct core_event){.kind = CORE_EVENT_DRAIN});
    }
    random_events(s, EVENTS);
    run_out(s);
    core_free(s->core);
}

static void every_seed_keeps_the_rules(void **state UNUSED) {
    struct shell *shell = MEM_NEW(struct shell);
    const char *one = getenv("CORE_SEED");
    uint64_t seed = 0;
    if (one != NULL && str_parse_u64(str_from(one), UINT64_MAX, &seed)) {
        run_seed(shell, seed);
    }
    for (seed = 1; one == NULL && seed <= SEEDS; seed++) {
        run_seed(shell, seed);
    }
    free(shell);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_seed_keeps_the_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
