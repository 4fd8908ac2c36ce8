/* Who is given how much of a model: the ramp of new devices and the owners' shares, in a network where each job ends
 * before the next one comes, so that everybody is free each time. */
#include "core/share.h"

#include "unit/core/place_fixture.h"

enum { JOBS = 1000, DEVICES_MAX = 64, OWNERS_MAX = 80 };

struct network {
    struct fixture *f;
    uint64_t devices[DEVICES_MAX];
    size_t count;
    unsigned by_owner[OWNERS_MAX];
};

static void add(struct network *n, const struct device *device) {
    n->devices[n->count++] = device_join(n->f, 0, device);
}

static void add_many(struct network *n, const struct device *device, size_t count) {
    for (size_t i = 0; i < count; i++) {
        add(n, device);
    }
}

/* One job, to its end; the device that got it. */
static uint64_t serve(struct network *n) {
    uint64_t generation = device_request(n->f, &(struct wish){0});
    uint64_t provider = fixture_dispatched(n->f);
    assert_true(provider != CORE_NO_HANDLE);
    n->by_owner[fixture_provider_of(n->f, provider)->owner]++;
    fixture_plain(n->f, CORE_EVENT_ACCEPT, generation, provider);
    fixture_step(n->f, (struct core_event){.kind = CORE_EVENT_DELTA,
                                           .generation = generation,
                                           .provider = provider,
                                           .delta = {.text = STR("yes"), .tokens = 1}});
    fixture_done(n->f, generation, provider, 1, 1);
    fixture_committed(n->f, generation, true);
    return provider;
}

static void serve_all(struct network *n, unsigned jobs) {
    for (unsigned i = 0; i < jobs; i++) {
        serve(n);
    }
}

/* As fast as a device can claim to be. */
static const struct device LIAR = {
    .untrusted = true, .owner = 2, .slots = 256, .decode_per_s = 4000, .prefill_per_s = 30000};

static void a_new_device_has_a_twentieth(void **state) {
    struct network n = {.f = fixture_start(state)};
    add(&n, &(struct device){.owner = 1, .decode_per_s = 5});
    add(&n, &LIAR);
    serve_all(&n, JOBS);
    assert_in_range(n.by_owner[2], 1, JOBS / 20);
}

static void fifty_new_devices_of_one_owner_have_no_more(void **state) {
    struct network n = {.f = fixture_start(state)};
    add(&n, &(struct device){.owner = 1, .decode_per_s = 5});
    add_many(&n, &LIAR, 50);
    serve_all(&n, JOBS);
    assert_in_range(n.by_owner[2], 1, JOBS / 20);
}

/* Fifty accounts with a device each: together a fifth. */
static void new_devices_of_many_owners_share_a_fifth(void **state) {
    struct network n = {.f = fixture_start(state)};
    add(&n, &(struct device){.owner = 1, .decode_per_s = 5});
    for (unsigned i = 0; i < 50; i++) {
        struct device liar = LIAR;
        liar.owner = 2 + i;
        add(&n, &liar);
    }
    serve_all(&n, JOBS);
    assert_in_range(n.by_owner[1], JOBS * 8 / 10, JOBS);
}

/* A device that leaves after each job and comes back, as a new one, goes on where its owner was. */
static void coming_back_under_a_new_key_wins_nothing(void **state) {
    struct network n = {.f = fixture_start(state)};
    add(&n, &(struct device){.owner = 1, .decode_per_s = 5});
    uint64_t liar = device_join(n.f, 0, &LIAR);
    for (unsigned i = 0; i < JOBS; i++) {
        if (serve(&n) == liar || i % 7 == 0) {
            fixture_plain(n.f, CORE_EVENT_PROVIDER_LEFT, 0, liar);
            liar = device_join(n.f, 0, &LIAR);
        }
    }
    assert_in_range(n.by_owner[2], 0, JOBS / 20);
}

/* Nor does a new account each time: new devices together have their bound. */
static void coming_back_as_somebody_else_wins_little(void **state) {
    struct network n = {.f = fixture_start(state)};
    struct device liar = LIAR;
    add(&n, &(struct device){.owner = 1, .decode_per_s = 5});
    uint64_t handle = device_join(n.f, 0, &liar);
    for (unsigned i = 0; i < JOBS; i++) {
        if (serve(&n) == handle) {
            fixture_plain(n.f, CORE_EVENT_PROVIDER_LEFT, 0, handle);
            liar.owner = 2 + i % (OWNERS_MAX - 2);
            handle = device_join(n.f, 0, &liar);
        }
    }
    assert_in_range(n.by_owner[1], JOBS * 8 / 10, JOBS);
}

static void where_all_are_new_they_work_at_once(void **state) {
    struct network n = {.f = fixture_start(state)};
    add(&n, &(struct device){.untrusted = true, .owner = 1});
    serve_all(&n, 50);
    assert_int_equal(n.by_owner[1], 50);
}

static void no_owner_has_more_than_half_while_others_are_free(void **state) {
    struct network n = {.f = fixture_start(state)};
    add_many(&n, &(struct device){.untrusted = true, .audits = 10, .owner = 1, .decode_per_s = 100}, 50);
    add(&n, &(struct device){.untrusted = true, .audits = 10, .owner = 2, .decode_per_s = 5});
    serve_all(&n, JOBS);
    assert_in_range(n.by_owner[1], JOBS * 4 / 10, JOBS / 2 + 4); /* the first of all had no others */
}

static void the_share_is_what_was_configured(void **state) {
    struct network n = {.f = (struct fixture *)*state};
    n.f->config.owner_share_percent = 100;
    n.f = fixture_start(state);
    add(&n, &(struct device){.owner = 1, .decode_per_s = 100, .prefill_per_s = 1000});
    add(&n, &(struct device){.owner = 2, .decode_per_s = 5});
    serve_all(&n, 100);
    assert_int_equal(n.by_owner[1], 100);
}

static void nobody_s_devices_have_no_share(void **state) {
    struct network n = {.f = fixture_start(state)};
    add(&n, &(struct device){.decode_per_s = 100, .prefill_per_s = 1000});
    add(&n, &(struct device){.decode_per_s = 5});
    uint64_t fast = n.devices[0];
    for (int i = 0; i < 100; i++) {
        assert_int_equal(serve(&n), fast);
    }
}

static void an_owner_alone_has_all(void **state) {
    struct network n = {.f = fixture_start(state)};
    add_many(&n, &(struct device){.owner = 1}, 3);
    serve_all(&n, 100);
    assert_int_equal(n.by_owner[1], 100);
}

/* While settled devices are busy a job waits a little, but not for ever. */
static void a_job_waits_for_a_settled_device_a_little(void **state) {
    struct network n = {.f = fixture_start(state)};
    struct fixture *f = n.f;
    add(&n, &(struct device){.owner = 1, .decode_per_s = 200});
    add(&n, &LIAR);
    uint64_t first = device_request(f, &(struct wish){.max_tokens = 16});
    assert_int_equal(fixture_dispatched(f), n.devices[0]);
    uint64_t second = device_request(f, &(struct wish){.max_tokens = 16});
    assert_int_equal(fixture_dispatched(f), CORE_NO_HANDLE);
    struct core_candidate candidates[2];
    assert_int_equal(core_generation_explain(f->core, second, candidates, 2), 2);
    assert_int_equal(candidates[0].provider, n.devices[1]);
    assert_int_equal(candidates[0].yields, CORE_GATE_RAMP);
    fixture_plain(f, CORE_EVENT_ACCEPT, first, n.devices[0]);
    fixture_done(f, first, n.devices[0], 1, 1);
    assert_int_equal(fixture_dispatched(f), n.devices[0]);
    device_request(f, &(struct wish){.max_tokens = 16});
    uint64_t waited = 0;
    while (fixture_dispatched(f) == CORE_NO_HANDLE && waited < 5000) {
        waited += 500;
        fixture_at(f, f->now_ms + 500);
    }
    assert_int_equal(fixture_dispatched(f), n.devices[1]);
    assert_in_range(waited, 500, 3500);
}

/* Having failed elsewhere, it does not wait for those that failed it. */
static void a_retry_goes_to_a_new_device_at_once(void **state) {
    struct network n = {.f = fixture_start(state)};
    add(&n, &(struct device){.owner = 1});
    add(&n, &LIAR);
    uint64_t generation = device_request(n.f, &(struct wish){0});
    assert_int_equal(fixture_dispatched(n.f), n.devices[0]);
    fixture_error(n.f, generation, n.devices[0], CORE_ATTEMPT_OVERLOADED);
    assert_int_equal(fixture_dispatched(n.f), n.devices[1]);
}

/* More owners than are remembered, and more placements than numbers can weigh. */
static void shares_fade_and_are_bounded(void **state) {
    struct network n = {.f = fixture_start(state)};
    add(&n, &(struct device){.owner = 1});
    struct core_offering *offering = device_offering(n.f, n.devices[0]);
    for (int i = 0; i < 100000; i++) {
        core_share_place(offering);
    }
    for (uint64_t owner = 2; owner < 2000; owner++) {
        uint64_t device = device_join(n.f, 0, &(struct device){.untrusted = true, .owner = owner});
        core_share_place(device_offering(n.f, device));
        n.f->effects.count = 0;
        fixture_plain(n.f, CORE_EVENT_PROVIDER_LEFT, 0, device);
    }
    assert_in_range(HASH_COUNT(offering->model->placed.shares), 1, 1100);
    for (int i = 0; i < 100000; i++) {
        core_share_place(offering);
    }
    assert_in_range(HASH_COUNT(offering->model->placed.shares), 1, 1100);
    assert_false(core_share_ramps_are_used_up(offering->model));
    const char *broken = NULL;
    assert_true(core_check(n.f->core, &broken));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_new_device_has_a_twentieth),
        FIXTURE_TEST(fifty_new_devices_of_one_owner_have_no_more),
        FIXTURE_TEST(new_devices_of_many_owners_share_a_fifth),
        FIXTURE_TEST(coming_back_under_a_new_key_wins_nothing),
        FIXTURE_TEST(coming_back_as_somebody_else_wins_little),
        FIXTURE_TEST(where_all_are_new_they_work_at_once),
        FIXTURE_TEST(no_owner_has_more_than_half_while_others_are_free),
        FIXTURE_TEST(the_share_is_what_was_configured),
        FIXTURE_TEST(nobody_s_devices_have_no_share),
        FIXTURE_TEST(an_owner_alone_has_all),
        FIXTURE_TEST(a_job_waits_for_a_settled_device_a_little),
        FIXTURE_TEST(a_retry_goes_to_a_new_device_at_once),
        FIXTURE_TEST(shares_fade_and_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
