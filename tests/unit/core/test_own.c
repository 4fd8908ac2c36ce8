/* What is free because the account's own devices do it. tests/replay/money-own-only.replay tells the stories. */
#include "core/own.h"

#include "unit/core/place_fixture.h"

enum { ADA = 1, BOB = 2 };

/* Of an account that has no money at all. */
static uint64_t free_request(struct fixture *f, uint32_t prompt_tokens, uint32_t max_tokens) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_REQUEST,
                                        .request = {.model = STR("m"),
                                                    .max_tokens = max_tokens,
                                                    .account = ADA,
                                                    .prompt_tokens_max = prompt_tokens,
                                                    .prompt_price_nano = 10,
                                                    .completion_price_nano = 20}});
    const struct core_effect *admitted = fixture_effect(f, CORE_EFFECT_ADMITTED);
    return admitted == NULL ? CORE_NO_HANDLE : admitted->generation;
}

static struct fixture *start(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 0);
    return f;
}

static const struct core_record *record_of(const struct fixture *f, uint64_t provider) {
    return &fixture_provider_of(f, provider)->record;
}

/* However good it makes itself look to its owner, who pays nothing for it, others learn nothing of it. */
static void what_an_owner_asks_says_nothing_of_its_device(void **state) {
    struct fixture *f = start(state);
    const uint64_t other = device_join(f, 0, &(struct device){.owner = BOB, .slots = 4, .decode_per_s = 5});
    const uint64_t own =
        device_join(f, 1, &(struct device){.untrusted = true, .owner = ADA, .audits = CORE_AUDITS_FIRST});
    const struct core_offering *offering =
        core_offering_find(fixture_provider_of(f, own), core_model_find(f->core, STR("m")));
    const float decode_per_s = offering->decode_per_s;
    for (int i = 0; i < 40; i++) {
        const uint64_t generation = free_request(f, 100, 50);
        assert_true(generation != CORE_NO_HANDLE && fixture_dispatched(f) == own);
        fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCEPT,
                                            .generation = generation,
                                            .provider = own,
                                            .accept = {.prompt_tokens = 80}});
        device_text(f, generation, own, "one two three four ", 10);
        f->now_ms++;
        device_text(f, generation, own, "five six seven eight nine ten ", 20);
        fixture_done(f, generation, own, 80, 30);
        assert_int_equal(fixture_effect(f, CORE_EFFECT_SETTLE)->finish.charge_nano, 0);
        fixture_committed(f, generation, true);
    }
    assert_int_equal(record_of(f, own)->generations, 0);
    assert_int_equal(record_of(f, own)->earned, 0);
    assert_int_equal(record_of(f, own)->decode_factor, 0);
    assert_true(offering->decode_per_s == decode_per_s);
    assert_true(offering->share->placed == 0 && offering->model->placed.all == 0);
    assert_true(other != own);
}

/* Nor do failures; but a device that fails has its pause, or it would be asked again at once. */
static void what_fails_for_its_owner_is_not_held_against_it(void **state) {
    struct fixture *f = start(state);
    const uint64_t own = device_join(f, 1, &(struct device){.untrusted = true, .owner = ADA});
    const uint64_t generation = free_request(f, 100, 50);
    fixture_error(f, generation, own, CORE_ATTEMPT_ENGINE);
    assert_int_equal(record_of(f, own)->failures, 0);
    assert_int_equal(record_of(f, own)->success, 1000);
    assert_int_equal(fixture_provider_of(f, own)->active, 0);
    assert_null(fixture_effect(f, CORE_EFFECT_FAIL)); /* it waits for it */
}

/* In a crowd of others' devices, too, the account's only one has the last word about what it can do. */
static void what_its_only_device_refuses_is_told_at_once(void **state) {
    struct fixture *f = start(state);
    enum { CROWD = 1500 };
    for (size_t i = 0; i < CROWD; i++) {
        (void)device_join(f, 1 + i, &(struct device){.untrusted = true, .owner = BOB});
    }
    const uint64_t own = device_join(f, 0, &(struct device){.untrusted = true, .owner = ADA});
    const uint64_t generation = free_request(f, 100, 50);
    assert_true(fixture_dispatched(f) == own);
    fixture_error(f, generation, own, CORE_ATTEMPT_BAD_REQUEST);
    const struct core_effect *fail = fixture_effect(f, CORE_EFFECT_FAIL);
    assert_non_null(fail);
    assert_int_equal(fail->fail.failure, CORE_FAILURE_BAD_REQUEST);
}

/* The operator's own devices are believed anyway, and often serve nobody else: their speed is measured. */
static void a_trusted_device_is_measured_by_its_owner_too(void **state) {
    struct fixture *f = start(state);
    const uint64_t own = device_join(f, 1, &(struct device){.owner = ADA});
    const uint64_t generation = free_request(f, 100, 50);
    assert_true(fixture_dispatched(f) == own);
    device_answer(f, generation, own);
    assert_int_equal(record_of(f, own)->generations, 1);
}

/* Whom would the operator deceive by its own questions? Those that it lets in under its own account are audited. */
static void a_device_of_the_operators_account_is_measured_too(void **state) {
    struct fixture *f = start(state);
    struct core_event joined = {.kind = CORE_EVENT_PROVIDER_JOINED, .joined = {.owner = ADA, .operated = true}};
    core_record_init(&joined.joined.record);
    fixture_step(f, joined);
    const uint64_t own = f->effects.items[0].provider;
    fixture_offer(f, own, "m", CORE_MODEL_WARM, 1);
    const uint64_t generation = free_request(f, 100, 50);
    assert_true(fixture_dispatched(f) == own);
    device_answer(f, generation, own);
    assert_int_equal(record_of(f, own)->generations, 1);
}

/* Its own devices' contexts count, not the largest of all: a limit that the client has not given is cut there. */
static void the_context_is_that_of_own_devices(void **state) {
    struct fixture *f = start(state);
    (void)device_join(f, 0, &(struct device){.owner = BOB, .context_length = 32768});
    const uint64_t own = device_join(f, 1, &(struct device){.owner = ADA, .context_length = 2048});
    assert_true(free_request(f, 100, 4096) != CORE_NO_HANDLE);
    assert_true(fixture_dispatched(f) == own);
}

/* The faster one of its own is chosen among them. */
static void the_best_of_own_devices_is_taken(void **state) {
    struct fixture *f = start(state);
    (void)device_join(f, 0, &(struct device){.owner = BOB, .decode_per_s = 500});
    (void)device_join(f, 1, &(struct device){.owner = ADA, .decode_per_s = 5});
    const uint64_t fast = device_join(f, 2, &(struct device){.owner = ADA, .decode_per_s = 50});
    assert_true(free_request(f, 100, 50) != CORE_NO_HANDLE);
    assert_true(fixture_dispatched(f) == fast);
}

/* One that says that the request is bad is not asked about by others' devices. */
static void a_refusal_is_believed_when_no_other_own_one_is_there(void **state) {
    struct fixture *f = start(state);
    (void)device_join(f, 0, &(struct device){.owner = BOB});
    const uint64_t own = device_join(f, 1, &(struct device){.owner = ADA});
    const uint64_t generation = free_request(f, 100, 50);
    fixture_error(f, generation, own, CORE_ATTEMPT_BAD_REQUEST);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_FAIL)->fail.failure, CORE_FAILURE_BAD_REQUEST);
    assert_true(fixture_dispatched(f) == CORE_NO_HANDLE);
}

/* No model is fetched by others' devices for what is free. */
static void nobody_is_made_to_fetch_a_model_for_it(void **state) {
    struct fixture *f = start(state);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_MODEL,
                                        .model = {.model = STR("m"), .file_bytes = 1000, .ram_bytes = 1000}});
    const uint64_t own = device_join(f, 1, &(struct device){.owner = ADA, .slots = 1});
    assert_true(free_request(f, 100, 50) != CORE_NO_HANDLE && fixture_dispatched(f) == own);
    const uint64_t wanter = fixture_join(f, 2);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                        .provider = wanter,
                                        .status = {.device = {.takes_wants = true, .storage_free_bytes = 1 << 30}}});
    assert_true(free_request(f, 100, 50) != CORE_NO_HANDLE); /* waits */
    assert_null(fixture_effect(f, CORE_EFFECT_WANT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_an_owner_asks_says_nothing_of_its_device),
        FIXTURE_TEST(what_fails_for_its_owner_is_not_held_against_it),
        FIXTURE_TEST(what_its_only_device_refuses_is_told_at_once),
        FIXTURE_TEST(a_trusted_device_is_measured_by_its_owner_too),
        FIXTURE_TEST(a_device_of_the_operators_account_is_measured_too),
        FIXTURE_TEST(the_context_is_that_of_own_devices),
        FIXTURE_TEST(the_best_of_own_devices_is_taken),
        FIXTURE_TEST(a_refusal_is_believed_when_no_other_own_one_is_there),
        FIXTURE_TEST(nobody_is_made_to_fetch_a_model_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
