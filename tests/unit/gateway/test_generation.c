/* One generation from submit to its record: how each end is told, recorded and counted. */
#include "gateway/generation.h"

#include "unit/gateway/shell_fixture.h"

static const char *outcome_of(const struct shell_fixture *fixture, const char *id) {
    const struct story *story = stories_find(fixture->shell.stories, id);
    return story != NULL ? story->outcome : NULL;
}

static void test_it_is_answered(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {.stores = true};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    call.call.created_ms = 77;
    shell_ask(fixture, &call, "chatcmpl-1");
    assert_string_equal(peer.question, "hello");
    assert_int_equal(peer.max_tokens, 16);
    assert_true(peer.watched);
    assert_ptr_equal(generations_find(&fixture->shell.generations, "chatcmpl-1"), fixture->shell.generations.list);
    assert_null(generations_find(&fixture->shell.generations, "chatcmpl-2"));
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(call.accepted, 1);
    assert_int_equal(call.finished, 1);
    assert_int_equal(call.failed, 0);
    assert_string_equal(buf_cstr(&call.call.text), "hi");
    assert_string_equal(call.provider_id, shell_device_id(&peer));
    assert_string_equal(call.provider_region, "DE");
    assert_string_equal(call.result.inference_type, "p2p");
    assert_int_equal(call.result.finish, GEN_FINISH_STOP);
    assert_int_equal(call.result.usage.prompt_tokens, 10);
    assert_int_equal(call.result.usage.completion_tokens, 1);
    assert_int_equal(call.result.attempts, 1);
    assert_int_equal(call.result.continued, 0);
    assert_int_equal(fake_store.settled, 1);
    assert_true(fake_store.answer_given);
    assert_true(fake_store.turn_given);
    assert_string_equal(fake_store.generation.id, "chatcmpl-1");
    assert_string_equal(fake_store.generation.model, SHELL_MODEL);
    assert_string_equal(fake_store.generation.device_id, shell_device_id(&peer));
    assert_int_equal(fake_store.generation.outcome, STORE_OUTCOME_COMPLETED);
    assert_int_equal(fake_store.generation.created_ms, 77);
    assert_string_equal(outcome_of(fixture, "chatcmpl-1"), "completed");
    assert_false(peer.watched);
    assert_int_equal(fixture->shell.counts.placements, 1);
    assert_int_equal(fixture->shell.counts.candidates, 1);
    assert_int_equal(fixture->shell.counts.failures, 0);
    shell_call_clear(&call);
}

/* A request that was refused never became a generation: a storm of them must not fill the store, nor the stories. */
static void test_it_is_refused(void **state) {
    struct shell_fixture *fixture = *state;
    struct shell_call call = {0};
    shell_ask(fixture, &call, "chatcmpl-1");
    assert_int_equal(call.failed, 1);
    assert_int_equal(call.fault.code, FAULT_MODEL_UNAVAILABLE);
    assert_int_equal(fake_store.settled, 0);
    assert_null(outcome_of(fixture, "chatcmpl-1"));
    assert_int_equal(fixture->shell.counts.failures, 1);
    assert_int_equal(fixture->shell.counts.placements, 0);
    shell_call_clear(&call);
}

static void test_a_record_of_a_failure(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_error(fixture, &peer, GEN_FAILURE_BAD_REQUEST);
    assert_int_equal(call.failed, 1);
    assert_non_null(strstr(call.fault.message, "cannot make a prompt of this request"));
    assert_null(strstr(call.fault.message, "its words"));
    assert_int_equal(fake_store.settled, 1);
    assert_int_equal(fake_store.generation.outcome, STORE_OUTCOME_FAILED);
    assert_int_equal(fake_store.generation.attempts, 1);
    assert_int_equal(fake_store.generation.charge_nano, 0);
    assert_string_equal(fake_store.generation.device_id, shell_device_id(&peer));
    assert_string_equal(outcome_of(fixture, "chatcmpl-1"), "failed");
    shell_call_clear(&call);
}

/* It may be tried again under its id, so its failure takes no record. */
static void test_one_that_may_be_repeated(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    call.call.repeatable = true;
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_error(fixture, &peer, GEN_FAILURE_BAD_REQUEST);
    assert_int_equal(call.failed, 1);
    assert_int_equal(fake_store.settled, 0);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(fake_store.settled, 1);
    assert_string_equal(outcome_of(fixture, "chatcmpl-1"), "completed"); /* of the newest */
    shell_call_clear(&call);
}

/* The client goes while it waits: no device ever heard of it. */
static void test_the_client_goes_before_any_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call first = {0}, second = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &first, "chatcmpl-1");
    shell_ask(fixture, &second, "chatcmpl-2");
    assert_int_equal(core_counts(fixture->shell.core.core).queued, 1);
    call_abandon(&second.call);
    assert_int_equal(fake_store.settled, 1);
    assert_int_equal(fake_store.generation.outcome, STORE_OUTCOME_CANCELLED);
    assert_string_equal(fake_store.generation.id, "chatcmpl-2");
    assert_string_equal(outcome_of(fixture, "chatcmpl-2"), "cancelled");
    assert_int_equal(second.failed + second.finished, 0);
    assert_int_equal(peer.generations, 1);
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(first.finished, 1);
    shell_call_clear(&first);
    shell_call_clear(&second);
}

/* Text, word of the device and the settlement come when its call is long gone. */
static void test_the_client_goes_at_the_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {.leaves_at_text = true, .stores = true};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &peer);
    shell_delta(fixture, &peer, "one ", 1);
    assert_int_equal(peer.cancels, 1);
    shell_delta(fixture, &peer, "two ", 1);
    shell_done(fixture, &peer, LINK_FINISH_CANCELLED, 2);
    assert_string_equal(buf_cstr(&call.call.text), "one ");
    assert_int_equal(call.finished + call.failed, 0);
    assert_int_equal(fake_store.settled, 1);
    assert_int_equal(fake_store.generation.outcome, STORE_OUTCOME_CANCELLED);
    assert_int_equal(fake_store.generation.completion_tokens, 1); /* of which its client has had the text */
    assert_false(fake_store.answer_given);
    assert_false(fake_store.turn_given);
    assert_null(fixture->shell.generations.list);
    shell_call_clear(&call);
}

/* The device's last word has not come yet: accepted, of one without a call, tells nobody. */
static void test_it_is_accepted_too_late(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    call_abandon(&call.call);
    shell_accept(fixture, &peer);
    shell_delta(fixture, &peer, "one ", 1);
    shell_done(fixture, &peer, LINK_FINISH_CANCELLED, 1);
    assert_int_equal(call.accepted, 0);
    assert_int_equal(call.call.text.len, 0);
    assert_null(fixture->shell.generations.list);
    shell_call_clear(&call);
}

static void test_an_answer_that_is_too_long(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {.too_long = true};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &peer);
    shell_delta(fixture, &peer, "one ", 1);
    assert_int_equal(call.failed, 1);
    assert_int_equal(call.fault.code, FAULT_UNAVAILABLE);
    assert_non_null(strstr(call.fault.message, "is longer than"));
    assert_int_equal(peer.cancels, 1);
    assert_int_equal(fake_store.generation.outcome, STORE_OUTCOME_FAILED);
    shell_done(fixture, &peer, LINK_FINISH_CANCELLED, 1);
    shell_call_clear(&call);
}

/* The gateway stops: a call gets its answer, unless it is being settled. */
static void test_it_is_aborted(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    generation_abort(call.call.executor_data, CORE_FAILURE_STOPPED);
    assert_int_equal(call.failed, 0); /* with the next step */
    core_loop_step(&fixture->shell.core, &(struct core_event){.kind = CORE_EVENT_DRAIN});
    assert_int_equal(call.failed, 1);
    assert_non_null(strstr(call.fault.message, "The gateway is restarting."));
    shell_call_clear(&call);
}

static void test_it_is_lost(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    struct core_config config;
    shell_fixture_config(&config);
    config.continue_ms = config.queue_ms = 1; /* hardly anybody is waited for */
    shell_fixture_reopen(fixture, &config);
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &peer);
    shell_delta(fixture, &peer, "one ", 1);
    shell_leave(&peer);
    SHELL_UNTIL(fixture, call.failed > 0);
    assert_non_null(strstr(call.fault.message, "was lost while it answered"));
    assert_int_equal(fixture->shell.counts.lost, 1);
    assert_int_equal(fixture->shell.counts.failures, 1);
    shell_call_clear(&call);
}

/* The wait counts from submit to the first placement. */
static void test_time_in_the_queue_is_counted(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call first = {0}, second = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &first, "chatcmpl-1");
    shell_ask(fixture, &second, "chatcmpl-2");
    const uint64_t asked_ms = loop_now_ms(fixture->loop);
    SHELL_UNTIL(fixture, loop_now_ms(fixture->loop) > asked_ms);
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(fixture->shell.counts.queued, 1);
    assert_int_equal(fixture->shell.counts.queue_ms, loop_now_ms(fixture->loop) - asked_ms);
    assert_int_equal(fixture->shell.counts.placements, 2);
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(second.finished, 1);
    shell_call_clear(&first);
    shell_call_clear(&second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_it_is_answered),
        SHELL_TEST(test_it_is_refused),
        SHELL_TEST(test_a_record_of_a_failure),
        SHELL_TEST(test_one_that_may_be_repeated),
        SHELL_TEST(test_the_client_goes_before_any_device),
        SHELL_TEST(test_the_client_goes_at_the_device),
        SHELL_TEST(test_it_is_accepted_too_late),
        SHELL_TEST(test_an_answer_that_is_too_long),
        SHELL_TEST(test_it_is_aborted),
        SHELL_TEST(test_it_is_lost),
        SHELL_TEST(test_time_in_the_queue_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
