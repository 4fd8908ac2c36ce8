/* Why a device gets no generations: every gate has its words, and what an owner can do about it. */
#include "gateway/operator/why.h"

#include "core/explain.h"
#include "unit/gateway/operator/operator_fixture.h"

static void test_every_gate_has_words(void **state) {
    (void)state;
    for (int a = 0; a < CORE_GATE_COUNT; a++) {
        assert_true(strlen(why_gate((enum core_gate)a)) > 10);
        for (int b = a + 1; b < CORE_GATE_COUNT; b++) {
            assert_string_not_equal(why_gate((enum core_gate)a), why_gate((enum core_gate)b));
        }
    }
    assert_string_equal(why_gate(CORE_GATE_HEAT), "it is too hot");
    assert_string_equal(why_gate(CORE_GATE_PINNED), "the job is for one certain device");
}

/* What follows from the request, and what is well, is nothing to do about. */
static void test_advice(void **state) {
    static const enum core_gate none[] = {CORE_GATE_NONE,  CORE_GATE_REGION, CORE_GATE_PRIVACY,
                                          CORE_GATE_TRIED, CORE_GATE_PINNED, CORE_GATE_NOT_OWN};
    unsigned advised = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        assert_null(why_gate_advice(none[i]));
    }
    for (int gate = 0; gate < CORE_GATE_COUNT; gate++) {
        advised += why_gate_advice((enum core_gate)gate) != NULL;
    }
    assert_int_equal(advised, CORE_GATE_COUNT - COUNT_OF(none));
    assert_string_equal(why_gate_advice(CORE_GATE_COOLDOWN), "Nothing: it passes by itself.");
    assert_string_equal(why_gate_advice(CORE_GATE_CONTEXT), "Offer a longer context: --context.");
}

static void test_states_have_names(void **state) {
    (void)state;
    assert_string_equal(why_model_state(CORE_MODEL_DOWNLOADING), "downloading");
    assert_string_equal(why_model_state(CORE_MODEL_LOADING), "loading");
    assert_string_equal(why_model_state(CORE_MODEL_WARM), "warm");
    assert_string_equal(why_model_state(CORE_MODEL_FAILED), "failed");
    assert_string_equal(why_model_state(CORE_MODEL_COLD), "cold");
}

static void test_nothing_keeps_them_out(void **state) {
    (void)state;
    assert_string_equal(why_open(&(struct core_offer_view){.active = 1, .waiting = 1, .rivals = 1}),
                        "It has jobs at this moment.");
    assert_non_null(strstr(why_open(&(struct core_offer_view){.waiting = 1, .rivals = 1}), "Jobs wait"));
    assert_non_null(strstr(why_open(&(struct core_offer_view){.rivals = 1}), "other devices"));
    assert_non_null(strstr(why_open(&(struct core_offer_view){0}), "nobody asks"));
}

static void tell_more(struct operator_fixture *fixture, uint64_t provider, enum link_pause pause, bool evades) {
    struct core_provider_view view;
    struct json_writer writer;
    assert_true(core_provider_view(fixture->core, provider, fixture->now_ms, &view));
    operator_begin(fixture, &writer);
    json_begin_object(&writer);
    why_write(fixture->core, provider, &view, pause, &(struct store_device){0}, evades, &writer);
    json_end_object(&writer);
}

static void tell(struct operator_fixture *fixture, uint64_t provider, enum link_pause pause) {
    tell_more(fixture, provider, pause, false);
}

static void tell_away(struct operator_fixture *fixture, const struct store_device *device) {
    struct json_writer writer;
    operator_begin(fixture, &writer);
    json_begin_object(&writer);
    why_write_away(device, &writer);
    json_end_object(&writer);
}

static void test_one_that_is_out(void **state) {
    struct operator_fixture *fixture = *state;
    struct store_device device = {.standing = STORE_STANDING_REMOVED, .standing_reason = "it \"lied\""};
    tell_away(fixture, &device);
    operator_assert_has(fixture,
                        "removed from the network, for good, since 1970-01-01T00:00:00.000Z: it \\\"lied\\\".");
    operator_assert_lacks(fixture, "It is not connected");
    device = (struct store_device){.standing = STORE_STANDING_QUARANTINED, .standing_ms = 1767225600000};
    tell_away(fixture, &device);
    operator_assert_has(fixture, "in quarantine, without paid jobs, since 2026-01-01T00:00:00.000Z.");
    operator_assert_has(fixture, "It is not connected");
    device = (struct store_device){.suspended = true};
    tell_away(fixture, &device);
    operator_assert_has(fixture, "Its account is suspended");
    operator_assert_lacks(fixture, "It is not connected");
}

static void test_one_that_is_away(void **state) {
    struct operator_fixture *fixture = *state;
    tell_away(fixture, &(struct store_device){0});
    assert_string_equal(buf_cstr(&fixture->text), "{\"why\":[\"It is not connected: start nataris provider there, and "
                                                  "look into its log.\"]}");
}

static void test_one_whose_answers_nobody_can_judge(void **state) {
    struct operator_fixture *fixture = *state;
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    tell(fixture, provider, LINK_PAUSE_NONE);
    operator_assert_lacks(fixture, "cannot be audited");
    tell_more(fixture, provider, LINK_PAUSE_NONE, true);
    operator_assert_has(fixture, "Its answers cannot be audited, so it stays new");
}

static void test_one_without_models(void **state) {
    struct operator_fixture *fixture = *state;
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    operator_status(fixture, provider, NULL, operator_device());
    tell(fixture, provider, LINK_PAUSE_NONE);
    assert_string_equal(buf_cstr(&fixture->text),
                        "{\"why\":[\"It offers no model: nataris model pull, then nataris provider --model.\"]}");
}

/* Each limit of the owner is named by its option. */
static void test_paused_by_its_owner(void **state) {
    static const struct {
        enum link_pause pause;
        const char *word;
    } cases[] = {{LINK_PAUSE_OWNER, "provider resume"}, {LINK_PAUSE_BATTERY, "--battery-floor"},
                 {LINK_PAUSE_POWER, "--only-charging"}, {LINK_PAUSE_HEAT, "--max-heat"},
                 {LINK_PAUSE_HOURS, "--hours"},         {LINK_PAUSE_METERED, "--avoid-metered"},
                 {LINK_PAUSE_IN_USE, "--pause-in-use"}};
    struct operator_fixture *fixture = *state;
    const struct core_offer offer = operator_offer(CORE_MODEL_WARM);
    struct core_device_state paused = operator_device();
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    paused.paused = true;
    operator_status(fixture, provider, &offer, paused);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tell(fixture, provider, cases[i].pause);
        operator_assert_has(fixture, "{\"why\":[\"It takes no jobs: ");
        operator_assert_has(fixture, cases[i].word);
        operator_assert_has(fixture, "\"tiny (warm): a limit of its owner takes no jobs now. nataris provider status");
    }
}

static void test_cooling_down(void **state) {
    struct operator_fixture *fixture = *state;
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    const uint64_t generation = operator_ask(fixture, "chatcmpl-1");
    operator_step(fixture, &(struct core_event){.kind = CORE_EVENT_ERROR,
                                                .provider = provider,
                                                .generation = generation,
                                                .error = {.failure = CORE_ATTEMPT_ENGINE}});
    tell(fixture, provider, LINK_PAUSE_NONE);
    operator_assert_has(fixture, "\"It failed or was silent a moment ago, and gets no new jobs for another ");
    operator_assert_has(fixture,
                        "\"tiny (warm): it failed or was silent a moment ago. Nothing: it passes by itself.\"");
    operator_assert_has(fixture, "0 other devices could take such a job now. 1 job waits for it.");
}

/* Of the others nothing but how many there are and how fast the middle one is. */
static void test_rivals(void **state) {
    struct operator_fixture *fixture = *state;
    const uint64_t first = operator_join(fixture, CORE_MODEL_WARM);
    operator_answer(fixture, first, operator_ask(fixture, "chatcmpl-1"), 16);
    story_keep(fixture->stories, fixture->story, "completed");
    fixture->story = NULL;
    tell(fixture, first, LINK_PAUSE_NONE);
    operator_assert_has(fixture, "\"tiny (warm): No demand lately: nobody asks for this model.\"");
    operator_assert_has(fixture, "\"0 other devices could take such a job now; yours decodes ");
    const uint64_t second = operator_join(fixture, CORE_MODEL_WARM);
    tell(fixture, second, LINK_PAUSE_NONE);
    operator_assert_has(fixture, "\"1 other device could take such a job now; the median of them decodes ");
    operator_assert_has(fixture, " tokens/s, yours is not measured yet. 0 jobs wait for it.\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_gate_has_words),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_states_have_names),
        cmocka_unit_test(test_nothing_keeps_them_out),
        OPERATOR_TEST(test_one_that_is_away),
        OPERATOR_TEST(test_one_that_is_out),
        OPERATOR_TEST(test_one_without_models),
        OPERATOR_TEST(test_one_whose_answers_nobody_can_judge),
        OPERATOR_TEST(test_paused_by_its_owner),
        OPERATOR_TEST(test_cooling_down),
        OPERATOR_TEST(test_rivals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
