#include "unit/core/core_fixture.h"

#include <string.h>

static void every_move_is_traced(void **state) {
    ((struct fixture *)*state)->config.trace = true;
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 5);
    assert_int_equal(fixture_count(f, CORE_EFFECT_TRACE), 2);
    const struct core_effect *trace = fixture_effect(f, CORE_EFFECT_TRACE);
    assert_string_equal(trace->trace.from, "none");
    assert_string_equal(trace->trace.to, "queued");
    assert_string_equal(trace->trace.why, "admitted");
    assert_true(trace->generation == generation && trace->user == 5);
    fixture_delta(f, generation, provider, 1);
    assert_int_equal(fixture_count(f, CORE_EFFECT_TRACE), 2); /* accepted, first token */
    fixture_delta(f, generation, provider, 1);
    assert_int_equal(fixture_count(f, CORE_EFFECT_TRACE), 0);
    fixture_plain(f, CORE_EVENT_CLIENT_GONE, generation, 0);
    assert_string_equal(fixture_effect(f, CORE_EFFECT_TRACE)->trace.to, "cancelling");
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    assert_string_equal(fixture_effect(f, CORE_EFFECT_TRACE)->trace.to, "settling");
    fixture_committed(f, generation, true);
    assert_string_equal(fixture_effect(f, CORE_EFFECT_TRACE)->trace.to, "none");
}

static void a_delta_is_handed_through_untouched(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    struct str text = STR("\xc3\xa9\0x");
    fixture_step(
        f, (struct core_event){
               .kind = CORE_EVENT_DELTA, .generation = generation, .provider = provider, .delta = {.text = text}});
    const struct core_effect *deliver = fixture_effect(f, CORE_EFFECT_DELIVER);
    assert_ptr_equal(deliver->deliver.text.data, text.data);
    assert_int_equal(deliver->deliver.text.len, text.len);
    assert_int_equal(deliver->deliver.tokens, 0);
}

/* Its device says nothing of how likely its tokens were: another one is asked, and it not again. */
static void a_device_that_withholds_logprobs_is_left(void **state) {
    struct fixture *f = fixture_start(state);
    const uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    struct core_event event = {.kind = CORE_EVENT_DELTA,
                               .generation = generation,
                               .provider = provider,
                               .delta = {.text = STR("a"), .tokens = 1, .logprobs = STR("as they came")}};
    fixture_generation_of(f, generation)->logprobs = true;
    fixture_step(f, event);
    assert_string_equal(fixture_effect(f, CORE_EFFECT_DELIVER)->deliver.logprobs.data, "as they came");
    event.delta = (typeof(event.delta)){.text = STR("no tokens")};
    fixture_step(f, event);
    assert_non_null(fixture_effect(f, CORE_EFFECT_DELIVER));
    event.delta = (typeof(event.delta)){.text = STR("b"), .tokens = 1};
    fixture_step(f, event);
    assert_null(fixture_effect(f, CORE_EFFECT_DELIVER));
    assert_int_equal(fixture_effect(f, CORE_EFFECT_CANCEL)->provider, provider);
}

static void a_lying_device_cannot_overflow_the_count(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    fixture_delta(f, generation, provider, UINT32_MAX);
    const struct core_effect *settle = fixture_effect(f, CORE_EFFECT_SETTLE);
    assert_int_equal(settle->finish.completion_tokens, settle->finish.parts[0].tokens);
    assert_true(settle->finish.completion_tokens <= fixture_text(UINT32_MAX).len + CORE_BILL_SPARE_TOKENS);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_CANCEL)->provider, provider);
}

static void a_huge_prompt_does_not_outlast_the_whole_deadline(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCEPT,
                                        .generation = generation,
                                        .provider = provider,
                                        .accept = {.prompt_tokens = UINT32_MAX}});
    const struct core_generation *held = fixture_generation_of(f, generation);
    assert_int_equal(held->whole_due_ms, f->config.whole_ms + 16 * f->config.whole_per_token_ms);
    assert_int_equal(held->deadline.due_ms, held->whole_due_ms);
}

static void a_generation_ends_once(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    fixture_plain(f, CORE_EVENT_DONE, generation, provider);
    assert_non_null(fixture_effect(f, CORE_EFFECT_SETTLE));
    fixture_plain(f, CORE_EVENT_DONE, generation, provider);
    assert_int_equal(f->effects.count, 0);
    fixture_committed(f, generation, true);
    assert_non_null(fixture_effect(f, CORE_EFFECT_FINISH));
    fixture_committed(f, generation, true);
    fixture_plain(f, CORE_EVENT_DONE, generation, provider);
    fixture_error(f, generation, provider, CORE_ATTEMPT_ENGINE);
    fixture_plain(f, CORE_EVENT_CLIENT_GONE, generation, 0);
    assert_int_equal(f->effects.count, 0);
    /* Its index is used again; the old handle still means nobody. */
    uint64_t next = fixture_request(f, 1);
    assert_int_equal(next & CORE_HANDLE_LIMIT, generation & CORE_HANDLE_LIMIT);
    fixture_plain(f, CORE_EVENT_DONE, generation, provider);
    assert_int_equal(f->effects.count, 0);
}

static void an_aborted_generation_fails_without_a_charge(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_paid_request(f, 0);
    fixture_delta(f, generation, provider, 1);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ABORT,
                                        .generation = generation,
                                        .abort = {.failure = CORE_FAILURE_TOO_LONG}});
    assert_true(fixture_effect(f, CORE_EFFECT_CANCEL)->provider == provider);
    const struct core_effect *fail = fixture_effect(f, CORE_EFFECT_FAIL);
    assert_int_equal(fail->fail.failure, CORE_FAILURE_TOO_LONG);
    assert_true(fail->fail.started);
    assert_int_equal(fixture_view(f, 1).balance_nano, 1000);
    assert_int_equal(fixture_view(f, 1).held_nano, 0);
    assert_int_equal(fixture_view(f, 1).active, 0);
    /* It is no fault of the device, but its slot is taken until it has confirmed. */
    assert_int_equal(f->core->ghosts, 1);
    assert_false(core_deadline_is_set(&fixture_provider_of(f, provider)->cooldown));
    fixture_done(f, generation, provider, 8, 5);
    assert_int_equal(f->core->ghosts, 0);
    assert_int_equal(fixture_view(f, 1).balance_nano, 1000);
}

static void an_abort_comes_too_late_for_a_settlement(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_paid_request(f, 0);
    fixture_done(f, generation, provider, 8, 5);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ABORT,
                                        .generation = generation,
                                        .abort = {.failure = CORE_FAILURE_STOPPED}});
    assert_int_equal(f->effects.count, 0);
    fixture_committed(f, generation, true);
    assert_non_null(fixture_effect(f, CORE_EFFECT_FINISH));
    assert_int_equal(fixture_view(f, 1).balance_nano, 1000 - 180);
}

static void only_what_is_being_settled_can_be_committed(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    fixture_committed(f, generation, true);
    fixture_plain(f, CORE_EVENT_ACCEPT, generation, provider);
    fixture_committed(f, generation, false);
    assert_int_equal(f->effects.count, 0);
    assert_int_equal(fixture_generation_of(f, generation)->state, CORE_GENERATION_PREFILL);
}

static void a_keep_alive_is_no_count_of_the_prompt(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_paid_request(f, 0);
    fixture_delta(f, generation, provider, 0);
    assert_int_equal(fixture_generation_of(f, generation)->state, CORE_GENERATION_PREFILL);
    assert_int_equal(fixture_view(f, 1).held_nano, FIXTURE_PAID_NANO);
}

static void a_retry_needs_a_further_attempt(void **state) {
    ((struct fixture *)*state)->config.max_attempts = 1;
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1);
    fixture_provider(f, 0);
    fixture_error(f, fixture_request(f, 0), provider, CORE_ATTEMPT_OVERLOADED);
    const struct core_effect *fail = fixture_effect(f, CORE_EFFECT_FAIL);
    assert_int_equal(fail->fail.failure, CORE_FAILURE_ATTEMPTS);
    assert_int_equal(fail->fail.attempts, 1);
}

static void the_queue_deadline_starts_anew_for_a_retry(void **state) {
    ((struct fixture *)*state)->config.failover_ms = 60000;
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    fixture_plain(f, CORE_EVENT_ACCEPT, generation, provider);
    f->now_ms = 9000;
    fixture_error(f, generation, provider, CORE_ATTEMPT_OVERLOADED);
    assert_int_equal(fixture_generation_of(f, generation)->deadline.due_ms, 9000 + f->config.queue_ms);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_move_is_traced),
        FIXTURE_TEST(a_delta_is_handed_through_untouched),
        FIXTURE_TEST(a_device_that_withholds_logprobs_is_left),
        FIXTURE_TEST(a_lying_device_cannot_overflow_the_count),
        FIXTURE_TEST(a_huge_prompt_does_not_outlast_the_whole_deadline),
        FIXTURE_TEST(a_generation_ends_once),
        FIXTURE_TEST(an_aborted_generation_fails_without_a_charge),
        FIXTURE_TEST(an_abort_comes_too_late_for_a_settlement),
        FIXTURE_TEST(only_what_is_being_settled_can_be_committed),
        FIXTURE_TEST(a_keep_alive_is_no_count_of_the_prompt),
        FIXTURE_TEST(a_retry_needs_a_further_attempt),
        FIXTURE_TEST(the_queue_deadline_starts_anew_for_a_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
