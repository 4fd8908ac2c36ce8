/* Canaries: who is asked, what follows from the answer, and that they hold up nobody. */
#include "unit/gateway/gateway_fixture.h"

/* The right answer to the question that the device got. */
static const char *answer_to(const char *question) {
    const struct catalog_canary *canary;
    for (size_t i = 0; (canary = catalog_canary_at(STR(FIXTURE_MODEL), i)) != NULL; i++) {
        if (strcmp(canary->question, question) == 0) {
            return canary->answer;
        }
    }
    fail_msg("no known question: %s", question);
    return "";
}

static void test_a_right_answer_has_no_consequences(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(gateway);
    assert_int_equal(peer.jobs, 1);
    fixture_answer(gateway, &peer, answer_to(peer.question));
    assert_int_equal(noted.reviews, 0);
    assert_int_equal(noted.settled, 0); /* it is nobody's, and free */
    assert_null(gateway->jobs);
    assert_int_equal(gateway->counts.canaries, 1);
}

static void test_a_wrong_answer_is_for_the_operator(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(gateway);
    fixture_answer(gateway, &peer, "As a language model I cannot say");
    assert_int_equal(noted.reviews, 1);
    assert_string_equal(noted.review.device_id, fixture_id(&peer));
    assert_string_equal(noted.review.reason, "canary");
    assert_int_equal(noted.settled, 0);
    canaries_due(gateway);
    assert_int_equal(peer.jobs, 1); /* it cools down */
}

/* A device is asked with what the question needs, not with what the largest answer might hold: one with a small context has
 * its turn, too. */
static void test_each_has_its_turn(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer small, large;
    fixture_join(gateway, &small, "phone", LINK_MODEL_WARM, 512);
    fixture_join(gateway, &large, "desk", LINK_MODEL_WARM, 32768);
    canaries_due(gateway);
    assert_int_equal(small.jobs + large.jobs, 1);
    canaries_due(gateway);
    assert_int_equal(small.jobs, 1);
    assert_int_equal(large.jobs, 1);
}

static void test_only_idle_devices_with_a_warm_model(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer cold, busy;
    struct call call;
    struct gen_message message;
    fixture_join(gateway, &busy, "busy", LINK_MODEL_WARM, 4096);
    fixture_ask(gateway, &call, &message, "chatcmpl-1");
    assert_int_equal(busy.jobs, 1);
    fixture_join(gateway, &cold, "cold", LINK_MODEL_COLD, 4096);
    canaries_due(gateway);
    assert_int_equal(gateway->counts.canaries, 0);
    assert_int_equal(cold.jobs, 0);
    assert_int_equal(busy.jobs, 1);
    fixture_answer(gateway, &busy, "hi");
    assert_int_equal(noted.finished, 1);
}

static void test_the_device_leaves(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer, other;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(gateway);
    fixture_accept(gateway, &peer);
    fixture_join(gateway, &other, "other", LINK_MODEL_WARM, 4096);
    fixture_leave(&peer);
    assert_int_equal(other.jobs, 0); /* no one else is asked instead */
    assert_null(gateway->jobs);
    assert_int_equal(noted.reviews, 0);
    assert_int_equal(noted.settled, 0);
    assert_int_equal(gateway->counts.failures, 0); /* nobody's request */
}

static void test_a_stop_does_not_wait_for_them(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(gateway);
    fixture_accept(gateway, &peer);
    assert_non_null(gateway->jobs);
    gateway->state = GATEWAY_DRAINING;
    canaries_stop(gateway);
    gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_DRAIN});
    assert_null(gateway->jobs);
    assert_int_equal(core_counts(gateway->core).jobs, 0);
    assert_int_equal(peer.cancels, 1);
    canaries_due(gateway);
    assert_int_equal(peer.jobs, 1); /* nor does a new one begin */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_right_answer_has_no_consequences),
        FIXTURE_TEST(test_a_wrong_answer_is_for_the_operator),
        FIXTURE_TEST(test_each_has_its_turn),
        FIXTURE_TEST(test_only_idle_devices_with_a_warm_model),
        FIXTURE_TEST(test_the_device_leaves),
        FIXTURE_TEST(test_a_stop_does_not_wait_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
