#include "unit/core/place_fixture.h"

static struct core_record record_of(const struct fixture *f, uint64_t provider) {
    return fixture_provider_of(f, provider)->record;
}

static void accept(struct fixture *f, uint64_t generation, uint64_t provider, uint32_t prompt_tokens) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCEPT,
                                        .generation = generation,
                                        .provider = provider,
                                        .accept = {.prompt_tokens = prompt_tokens}});
}

/* So many pieces of `tokens` tokens each, `every_ms` apart; each piece is another text unless `same`. */
static void stream(struct fixture *f, uint64_t generation, uint64_t provider, unsigned pieces, uint32_t tokens,
                   uint64_t every_ms) {
    for (unsigned i = 0; i < pieces; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "piece %u of the text ", i);
        f->now_ms += i == 0 ? 0 : every_ms;
        device_text(f, generation, provider, text, tokens);
    }
}

static void speeds_are_measured(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 0, &(struct device){0});
    device_set_speed(f, provider, 0, 0);
    f->now_ms = 1000;
    uint64_t generation = device_request(f, &(struct wish){.prompt_bytes = 3000});
    f->now_ms = 1100;
    accept(f, generation, provider, 800);
    f->now_ms = 1900; /* 800 tokens in 800 ms, of which 400 were cached */
    stream(f, generation, provider, 21, 2, 100);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_DONE,
                                        .generation = generation,
                                        .provider = provider,
                                        .done = {.prompt_tokens = 800, .completion_tokens = 42, .cached_tokens = 400}});
    struct core_offer_view view;
    assert_true(core_provider_offer(f->core, provider, 0, &view));
    assert_in_range((int)view.prefill_per_s, 499, 501);
    assert_in_range((int)view.decode_per_s, 19,
                    21); /* 40 tokens in two seconds; the first piece has no time of its own */
    assert_int_equal((int)f->core->decode_per_s, (int)view.decode_per_s);
    assert_int_equal(record_of(f, provider).generations, 1);
    assert_int_equal(record_of(f, provider).reviews, 0);
}

/* A device that comes back is guessed at by what it was against the others, for each model by that model's average. */
static void a_devices_factor_outlives_its_link(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 0, &(struct device){0});
    device_set_speed(f, provider, 0, 0);
    struct core_model *model = device_offering(f, provider)->model;
    model->decode_per_s = 40; /* as others have shown */
    model->prefill_per_s = 100;
    uint64_t generation = device_request(f, &(struct wish){.prompt_bytes = 3000});
    accept(f, generation, provider, 800);
    f->now_ms += 1000;
    stream(f, generation, provider, 21, 2, 200); /* 10 tokens a second */
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_DONE,
                                        .generation = generation,
                                        .provider = provider,
                                        .done = {.prompt_tokens = 800, .completion_tokens = 42}});
    struct core_record record = record_of(f, provider);
    assert_in_range(record.decode_factor, 240, 270);    /* 10 of 40, which this very attempt has moved a little */
    assert_in_range(record.prefill_factor, 6500, 8000); /* 800 of 100, likewise */
    struct core_event joined = {.kind = CORE_EVENT_PROVIDER_JOINED,
                                .joined = {.user = 1, .trusted = true, .record = record}};
    fixture_step(f, joined);
    uint64_t again = f->effects.items[0].provider;
    device_report(f, again, &(struct device){0});
    const struct core_offering *offering = device_offering(f, again);
    model->decode_per_s = 80;
    model->prefill_per_s = 200;
    assert_in_range((int)core_place_decode_per_s(f->core, offering), 19, 22);
    assert_in_range((int)core_place_prefill_per_s(f->core, offering), 1300, 1600);
}

static void a_slow_device_loses_only_speed(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 0, &(struct device){0});
    uint64_t other = device_join(f, 1, &(struct device){0});
    uint64_t generation = device_request(f, &(struct wish){.prompt_bytes = 3000});
    uint64_t first = fixture_provider_of(f, provider)->active == 1 ? provider : other;
    accept(f, generation, first, 800);
    f->now_ms += 12000; /* three times 800 tokens at 200 a second */
    fixture_plain(f, CORE_EVENT_TIMER, 0, 0);
    assert_int_equal(fixture_provider_of(f, provider == first ? other : provider)->active, 1);
    assert_int_equal(record_of(f, first).failures, 0);
    assert_int_equal(record_of(f, first).success, 1000);
    assert_false(core_deadline_is_set(&fixture_provider_of(f, first)->cooldown));
    assert_true(device_offering(f, first)->prefill_per_s < 190);
}

static void a_buyers_cancel_never_counts(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 0, &(struct device){0});
    uint64_t generation = device_request(f, &(struct wish){0});
    accept(f, generation, provider, 50);
    fixture_plain(f, CORE_EVENT_CLIENT_GONE, generation, 0);
    fixture_error(f, generation, provider, CORE_ATTEMPT_ENGINE);
    fixture_committed(f, generation, true);
    assert_int_equal(record_of(f, provider).generations, 0);
    assert_int_equal(record_of(f, provider).failures, 0);
    assert_int_equal(record_of(f, provider).success, 1000);
}

static void failures_and_silence_count(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 0, &(struct device){.slots = 2});
    uint64_t generation = device_request(f, &(struct wish){0});
    fixture_error(f, generation, provider, CORE_ATTEMPT_ENGINE);
    assert_int_equal(record_of(f, provider).failures, 1);
    uint32_t after_one = record_of(f, provider).success;
    assert_in_range(after_one, 900, 960);
    fixture_at(f, f->config.cooldown_ms);
    (void)device_request(f, &(struct wish){0});
    fixture_plain(f, CORE_EVENT_PROVIDER_SILENT, 0, provider);
    assert_int_equal(record_of(f, provider).failures >= 2, 1);
    assert_true(record_of(f, provider).success < after_one);
}

static void success_returns_to_full(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 0, &(struct device){.success = 900});
    for (size_t i = 0; i < 100; i++) {
        device_answer(f, device_request(f, &(struct wish){0}), provider);
    }
    assert_int_equal(record_of(f, provider).success, 1000);
    assert_int_equal(record_of(f, provider).generations, 100);
}

static void uptime_falls_while_away_and_rises_while_there(void **state) {
    struct fixture *f = fixture_start(state);
    struct core_event joined = {.kind = CORE_EVENT_PROVIDER_JOINED, .joined = {.trusted = true, .away_ms = 86400000}};
    core_record_init(&joined.joined.record);
    fixture_step(f, joined);
    uint64_t provider = f->effects.items[0].provider;
    assert_int_equal(record_of(f, provider).uptime, 500); /* a day away, smoothed over a day */
    struct core_provider_view view;
    assert_true(core_provider_view(f->core, provider, 86400000, &view));
    assert_int_equal(view.record.uptime, 750);
    f->now_ms = 86400000;
    fixture_plain(f, CORE_EVENT_PROVIDER_SILENT, 0, provider);
    assert_true(core_provider_view(f->core, provider, 2 * UINT64_C(86400000), &view));
    assert_int_equal(view.record.uptime, 375);
}

/* What a device claims, and which review follows. */
struct claim {
    const char *what;
    uint32_t prompt_tokens, max_tokens;
    unsigned pieces, times;
    uint32_t piece_tokens;
    const char *same_piece; /* NULL: each is another */
    uint64_t every_ms;
    uint32_t done_tokens;
    int review; /* -1: none */
    bool steered;
};

static const struct claim claims[] = {
    {"an honest answer", 80, 256, 50, 1, 1, NULL, 50, 50, -1, false},
    {"a short one at once", 80, 256, 1, 1, 40, NULL, 0, 40, -1, false},
    {"more than the limit in deltas", 80, 16, 17, 1, 1, NULL, 50, 17, CORE_REVIEW_OVER_LIMIT, false},
    {"more than the limit in the end", 80, 16, 4, 1, 1, NULL, 50, 17, CORE_REVIEW_OVER_LIMIT, false},
    {"as many as the limit", 80, 16, 16, 1, 1, NULL, 50, 16, -1, false},
    {"tokens without text", 80, 2000, 1, 1, 1000, "x", 0, 1000, CORE_REVIEW_TOO_MANY, false},
    {"some that were kept back", 80, 2000, 1, 1, 100, "x", 0, 100, -1, false},
    {"the same piece 64 times", 80, 256, 64, 1, 1, "ha", 50, 64, CORE_REVIEW_LOOPING, false},
    {"the same piece 63 times", 80, 256, 63, 1, 1, "ha", 50, 63, -1, false},
    {"blanks", 80, 256, 200, 1, 1, "  ", 50, 200, -1, false},
    {"a prompt that cannot be so long", 1000, 256, 4, 1, 1, NULL, 50, 4, CORE_REVIEW_PROMPT, false},
    {"a prompt longer than thought", 350, 256, 4, 1, 1, NULL, 50, 4, -1, false},
    {"three answers without text", 80, 256, 0, 3, 0, NULL, 0, 0, CORE_REVIEW_EMPTY, false},
    {"two answers without text", 80, 256, 0, 2, 0, NULL, 0, 0, -1, false},
    {"the same piece, as its client would have it", 80, 256, 200, 1, 1, "ha", 50, 200, -1, true},
    {"no text, as its client would have it", 80, 256, 0, 6, 0, NULL, 0, 0, -1, true},
    {"what its client cannot have made", 80, 16, 17, 1, 1, "ha", 50, 17, CORE_REVIEW_OVER_LIMIT, true},
};

/* How many reviews followed; the first one in `review`. */
static size_t make_claim(struct fixture *f, const struct claim *claim, uint64_t provider, int *review) {
    uint64_t generation = device_request(f, &(struct wish){.max_tokens = claim->max_tokens, .steered = claim->steered});
    size_t reviews = 0;
    *review = -1;
    for (unsigned step = 0; step < claim->pieces + 2; step++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "piece %u of the text", step);
        if (step == 0) {
            accept(f, generation, provider, claim->prompt_tokens);
        } else if (step <= claim->pieces) {
            f->now_ms += claim->every_ms;
            device_text(f, generation, provider, claim->same_piece == NULL ? text : claim->same_piece,
                        claim->piece_tokens);
        } else {
            fixture_done(f, generation, provider, claim->prompt_tokens, claim->done_tokens);
        }
        const struct core_effect *effect = fixture_effect(f, CORE_EFFECT_REVIEW);
        if (effect != NULL) {
            *review = (int)effect->review.review;
            reviews++;
            assert_true(effect->generation == generation && effect->provider == provider && effect->user == 3);
        }
    }
    fixture_committed(f, generation, true);
    return reviews;
}

static void what_cannot_be_is_put_on_the_list(void **state) {
    struct fixture *f = (struct fixture *)*state;
    for (size_t i = 0; i < COUNT_OF(claims); i++) {
        f->now_ms = 0;
        f->core = core_new(&f->config);
        uint64_t provider = device_join(f, 3, &(struct device){0});
        int review = -1;
        size_t reviews = 0;
        for (unsigned j = 0; j < claims[i].times; j++) {
            reviews += make_claim(f, &claims[i], provider, &review);
        }
        if (review != claims[i].review || reviews != (claims[i].review >= 0)) {
            fail_msg("%s: %d", claims[i].what, review);
        }
        assert_int_equal(record_of(f, provider).reviews, reviews);
        /* Nothing follows but the cooldown. */
        enum core_gate gate = device_offering(f, provider)->gate;
        assert_int_equal(gate, reviews > 0 ? CORE_GATE_COOLDOWN : CORE_GATE_NONE);
        core_free(f->core);
        f->core = NULL;
    }
}

static void far_faster_than_ever_is_too_fast(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 3, &(struct device){0});
    uint64_t generation = device_request(f, &(struct wish){.max_tokens = 1000});
    accept(f, generation, provider, 80);
    stream(f, generation, provider, 100, 1, 20); /* 50 a second */
    fixture_done(f, generation, provider, 80, 100);
    fixture_committed(f, generation, true);
    /* Held up on the way for ten seconds, then all at once: the device had the time. */
    generation = device_request(f, &(struct wish){.max_tokens = 1000});
    f->now_ms += 1900;
    accept(f, generation, provider, 80);
    f->now_ms += 9000;
    stream(f, generation, provider, 50, 10, 0);
    fixture_done(f, generation, provider, 80, 500);
    assert_null(fixture_effect(f, CORE_EFFECT_REVIEW));
    fixture_committed(f, generation, true);
    generation = device_request(f, &(struct wish){.max_tokens = 1000});
    accept(f, generation, provider, 80);
    f->now_ms += 10;
    stream(f, generation, provider, 50, 10, 1); /* 500 tokens within 60 ms of being asked */
    fixture_done(f, generation, provider, 80, 500);
    const struct core_effect *effect = fixture_effect(f, CORE_EFFECT_REVIEW);
    assert_true(effect != NULL && effect->review.review == CORE_REVIEW_TOO_FAST);
}

static void a_canary_is_the_shells_word(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 3, &(struct device){0});
    fixture_step(f, (struct core_event){
                        .kind = CORE_EVENT_REVIEW, .provider = provider, .review = {.review = CORE_REVIEW_CANARY}});
    const struct core_effect *effect = fixture_effect(f, CORE_EFFECT_REVIEW);
    assert_true(effect != NULL && effect->user == 3 && effect->generation == CORE_NO_HANDLE);
    assert_int_equal(device_offering(f, provider)->gate, CORE_GATE_COOLDOWN);
    assert_string_equal(core_review_name(CORE_REVIEW_CANARY), "canary");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(speeds_are_measured),
        FIXTURE_TEST(a_devices_factor_outlives_its_link),
        FIXTURE_TEST(a_slow_device_loses_only_speed),
        FIXTURE_TEST(a_buyers_cancel_never_counts),
        FIXTURE_TEST(failures_and_silence_count),
        FIXTURE_TEST(success_returns_to_full),
        FIXTURE_TEST(uptime_falls_while_away_and_rises_while_there),
        FIXTURE_TEST(what_cannot_be_is_put_on_the_list),
        FIXTURE_TEST(far_faster_than_ever_is_too_fast),
        FIXTURE_TEST(a_canary_is_the_shells_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
