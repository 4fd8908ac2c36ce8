/* Canaries: who is asked, what follows from the answer, and that they hold up nobody. */
#include "gateway/canary.h"

#include "catalog/canary.h"
#include "core/explain.h"
#include "unit/gateway/shell_fixture.h"

/* The right answer to the question that the device got. */
static const char *answer_to(const char *question) {
    const struct catalog_canary *canary;
    for (size_t i = 0; (canary = catalog_canary_at(STR(SHELL_MODEL), i)) != NULL; i++) {
        if (strcmp(canary->question, question) == 0) {
            return canary->answer;
        }
    }
    fail_msg("no known question: %s", question);
    return "";
}

static void test_a_right_answer_has_no_consequences(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(&fixture->canaries);
    assert_int_equal(peer.generations, 1);
    shell_answer(fixture, &peer, answer_to(peer.question));
    assert_int_equal(fake_store.reviews, 0);
    assert_int_equal(fake_store.settled, 0); /* it is nobody's, and free */
    assert_null(fixture->shell.generations.list);
    assert_int_equal(fixture->shell.counts.canaries, 1);
}

static uint32_t audits_of(const struct shell_fixture *fixture, const struct link_peer *peer) {
    struct core_provider_view view;
    assert_true(core_provider_view(fixture->shell.core.core, shell_provider(peer)->handle,
                                   core_loop_now_ms(&fixture->shell.core), &view));
    return view.record.audits;
}

/* As long as nothing else does, a canary counts as an audit. */
static void test_a_right_answer_is_a_passed_audit_and_a_wrong_one_takes_them_all(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    for (uint32_t i = 1; i <= 2; i++) {
        canaries_due(&fixture->canaries);
        shell_answer(fixture, &peer, answer_to(peer.question));
        assert_int_equal(audits_of(fixture, &peer), i);
    }
    canaries_due(&fixture->canaries);
    shell_answer(fixture, &peer, "As a language model I cannot say");
    assert_int_equal(audits_of(fixture, &peer), 0);
}

static void test_a_wrong_answer_is_for_the_operator(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(&fixture->canaries);
    shell_answer(fixture, &peer, "As a language model I cannot say");
    assert_int_equal(fake_store.reviews, 1);
    assert_string_equal(fake_store.review.device_id, shell_device_id(&peer));
    assert_string_equal(fake_store.review.reason, "canary");
    assert_int_equal(fake_store.settled, 0);
    canaries_due(&fixture->canaries);
    assert_int_equal(peer.generations, 1); /* it cools down */
}

/* A device is asked with what the question needs, not with what the largest answer might hold: one with a small context
 * has its turn, too. */
static void test_each_is_asked_in_the_end(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer small, large;
    shell_join(fixture, &small, "phone", LINK_MODEL_WARM, 512);
    shell_join(fixture, &large, "desk", LINK_MODEL_WARM, 32768);
    canaries_due(&fixture->canaries);
    assert_int_equal(small.generations + large.generations, 1);
    canaries_due(&fixture->canaries);
    assert_int_equal(small.generations, 1);
    assert_int_equal(large.generations, 1);
}

static void test_only_idle_devices_with_a_warm_model(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer cold, busy;
    struct shell_call call = {0};
    shell_join(fixture, &busy, "busy", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    assert_int_equal(busy.generations, 1);
    shell_join(fixture, &cold, "cold", LINK_MODEL_COLD, 4096);
    canaries_due(&fixture->canaries);
    assert_int_equal(fixture->shell.counts.canaries, 0);
    assert_int_equal(cold.generations, 0);
    assert_int_equal(busy.generations, 1);
    shell_answer(fixture, &busy, "hi");
    assert_int_equal(call.finished, 1);
    shell_call_clear(&call);
}

static void test_the_device_leaves(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer, other;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(&fixture->canaries);
    shell_accept(fixture, &peer);
    shell_delta(fixture, &peer, "four", 1);
    shell_join(fixture, &other, "other", LINK_MODEL_WARM, 4096);
    shell_leave(&peer);
    assert_int_equal(other.generations, 0); /* no one else is asked instead */
    assert_null(fixture->shell.generations.list);
    assert_int_equal(fake_store.reviews, 0);
    assert_int_equal(fake_store.settled, 0);
    assert_int_equal(fixture->shell.counts.failures, 0); /* nobody's request */
    assert_int_equal(fixture->shell.counts.lost, 0);
}

static void test_a_stop_does_not_wait_for_them(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer, idle;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(&fixture->canaries);
    shell_accept(fixture, &peer);
    assert_non_null(fixture->shell.generations.list);
    canaries_stop(&fixture->canaries);
    core_loop_step(&fixture->shell.core, &(struct core_event){.kind = CORE_EVENT_DRAIN});
    assert_null(fixture->shell.generations.list);
    assert_int_equal(core_counts(fixture->shell.core.core).generations, 0);
    assert_int_equal(peer.cancels, 1);
    shell_join(fixture, &idle, "idle", LINK_MODEL_WARM, 4096);
    canaries_due(&fixture->canaries);
    assert_int_equal(peer.generations, 1); /* nor does a new one begin */
    assert_int_equal(fixture->shell.counts.canaries, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_a_right_answer_has_no_consequences),
        SHELL_TEST(test_a_right_answer_is_a_passed_audit_and_a_wrong_one_takes_them_all),
        SHELL_TEST(test_a_wrong_answer_is_for_the_operator),
        SHELL_TEST(test_each_is_asked_in_the_end),
        SHELL_TEST(test_only_idle_devices_with_a_warm_model),
        SHELL_TEST(test_the_device_leaves),
        SHELL_TEST(test_a_stop_does_not_wait_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
