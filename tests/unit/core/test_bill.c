#include "unit/core/core_fixture.h"

static struct str text_of(size_t bytes) {
    static char all[1 << 20];
    assert_true(bytes <= sizeof(all));
    if (all[0] == '\0') {
        memset(all, 'x', sizeof(all));
    }
    return (struct str){.data = all, .len = bytes};
}

/* One delta of an attempt; what of its text is delivered. False in *within: the attempt is over. */
static struct str deliver(struct core_attempt *attempt, struct str text, uint32_t tokens, bool *within) {
    *within = core_bill_deliver(attempt, &text, tokens);
    return text;
}

static void the_least_of_three_is_paid(void **state UNUSED) {
    static const struct {
        uint64_t bytes, tokens;
        uint32_t claim, paid;
    } cases[] = {
        {100, 25, 25, 25},
        {100, 25, 4000, 25},
        {100, 25, 3, 3},
        {1, 65535, UINT32_MAX, 5},
        {3, 60, 60, 7},
        {0, 0, 150, 0},
        {0, 150, 150, 0},
        {2, 0, 9, 0},
        {1, 1, UINT32_MAX, 1},
        {1 << 20, 7, 0, 0},
        {40, 44, 44, 44},
        {40, 45, 45, 44},
        {UINT64_MAX / 2, UINT64_MAX / 2, UINT32_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct core_delivered delivered = {.bytes = cases[i].bytes, .tokens = cases[i].tokens};
        assert_int_equal(core_bill_tokens(&delivered, cases[i].claim), cases[i].paid);
    }
}

/* With or without counts, in one delta or in many, no more comes through than max_tokens can be. */
static void text_is_bounded_by_max_tokens(void **state UNUSED) {
    static const uint32_t limits[] = {1, 5, 77, 4000};
    static const size_t pieces[] = {1, 7, 4096, 65536};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        for (size_t j = 0; j < COUNT_OF(pieces); j++) {
            const uint64_t most = (uint64_t)limits[i] * CORE_BILL_TOKEN_BYTES + CORE_BILL_SPARE_BYTES;
            struct core_attempt attempt = {.max_tokens = limits[i]};
            uint64_t came = 0;
            bool within = true;
            while (within) {
                came += deliver(&attempt, text_of(pieces[j]), 0, &within).len;
            }
            assert_int_equal(came, most);
            assert_int_equal(attempt.delivered.bytes, most);
            assert_int_equal(core_bill_tokens(&attempt.delivered, UINT32_MAX), 0);
        }
    }
}

static void the_longest_tokens_there_are_pass(void **state UNUSED) {
    struct core_attempt attempt = {.max_tokens = 1000};
    bool within = true;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(deliver(&attempt, text_of(128), 1, &within).len, 128);
        assert_true(within);
    }
    assert_int_equal(core_bill_tokens(&attempt.delivered, 1000), 1000);
}

/* Of the delta that passes the end its share is delivered, in whole characters. */
static void what_passes_the_end_is_cut(void **state UNUSED) {
    struct core_attempt attempt = {.max_tokens = 10};
    bool within = true;
    assert_int_equal(deliver(&attempt, text_of(40), 8, &within).len, 40);
    assert_true(within);
    assert_int_equal(deliver(&attempt, STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9x"), 4, &within).len, 4);
    assert_false(within);
    assert_int_equal(core_bill_tokens(&attempt.delivered, UINT32_MAX), 12); /* its part is cut to 10 */
    attempt = (struct core_attempt){.max_tokens = 2};
    assert_int_equal(deliver(&attempt, STR("\xf0\x9f\x98\x80"), 3, &within).len, 0); /* no half of a character */
    assert_false(within);
    /* More tokens than bytes are no tokens of this text: it may be just as long as it is. */
    attempt = (struct core_attempt){.max_tokens = 16};
    assert_int_equal(deliver(&attempt, STR("One"), 65535, &within).len, 3);
    assert_false(within);
}

/* A part of text without tokens has used up some of max_tokens all the same: the next device may make less. */
static void text_without_tokens_uses_up_max_tokens(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_DELTA,
                                        .generation = generation,
                                        .provider = provider,
                                        .delta = {.text = text_of(1000)}});
    fixture_provider(f, 1);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_DISPATCH)->dispatch.max_tokens, 16 - 8);
    assert_int_equal(fixture_generation_of(f, generation)->part_tokens, 0);
}

static void a_part_without_text_is_none(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    uint64_t first = fixture_provider(f, 1), generation = fixture_paid_request(f, 0);
    fixture_delta(f, generation, first, 2);
    uint64_t second = fixture_provider(f, 1);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, first);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_DONE,
                                        .generation = generation,
                                        .provider = second,
                                        .done = {.prompt_tokens = 9, .completion_tokens = 3}});
    const struct core_outcome *outcome = &fixture_effect(f, CORE_EFFECT_SETTLE)->finish;
    assert_int_equal(outcome->part_count, 1);
    assert_true(outcome->parts[0].provider == first);
    assert_int_equal(outcome->completion_tokens, 2);
    assert_int_equal(outcome->prompt_tokens, 0); /* the first one has not counted it */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_of_three_is_paid),         cmocka_unit_test(text_is_bounded_by_max_tokens),
        cmocka_unit_test(the_longest_tokens_there_are_pass),  cmocka_unit_test(what_passes_the_end_is_cut),
        FIXTURE_TEST(text_without_tokens_uses_up_max_tokens), FIXTURE_TEST(a_part_without_text_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
