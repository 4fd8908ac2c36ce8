/* The core's effects, carried out: those that are about neither a link alone nor a generation alone. */
#include "gateway/core_shell.h"
#include "gateway/provider_commands.h"

#include "unit/gateway/shell_fixture.h"

/* A device that claims more tokens than it was allowed: its line on the operator's list names the generation. */
static void test_a_review_for_a_generation(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &peer);
    shell_delta(fixture, &peer, "hi", 17);
    shell_done(fixture, &peer, LINK_FINISH_STOP, 17);
    assert_int_equal(fake_store.reviews, 1);
    assert_string_equal(fake_store.review.device_id, shell_device_id(&peer));
    assert_string_equal(fake_store.review.reason, core_review_name(CORE_REVIEW_OVER_LIMIT));
    assert_string_equal(fake_store.review.generation_id, "chatcmpl-1");
    assert_true(fake_store.review.created_ms > 0);
    assert_int_equal(fixture->shell.counts.reviews, 1);
    shell_call_clear(&call);
}

/* The gateway itself found it at fault. */
static void test_a_review_without_one(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    core_loop_step(&fixture->shell.core, &(struct core_event){.kind = CORE_EVENT_REVIEW,
                                                              .provider = shell_provider(&peer)->handle,
                                                              .review = {.review = CORE_REVIEW_CANARY}});
    assert_int_equal(fake_store.reviews, 1);
    assert_string_equal(fake_store.review.reason, "canary");
    assert_string_equal(fake_store.review.generation_id, "");
}

/* Somebody asks for a model that nobody has: a device that takes wants is asked to fetch it. */
static void test_a_model_is_wanted(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    core_loop_step(&fixture->shell.core,
                   &(struct core_event){.kind = CORE_EVENT_MODEL,
                                        .model = {.model = STR(SHELL_MODEL), .file_bytes = 1000, .ram_bytes = 1}});
    shell_hello(fixture, &peer, "laptop");
    PROVIDERS_LINK_EVENTS.on_status(
        &fixture->shell.providers, &peer,
        &(struct link_status){.battery_percent = -1, .takes_wants = true, .storage_free_bytes = 1 << 20});
    shell_ask(fixture, &call, "chatcmpl-1");
    assert_int_equal(call.failed, 1);
    assert_int_equal(peer.wants, 1);
    assert_string_equal(peer.want, SHELL_MODEL);
    assert_int_equal(fixture->shell.counts.wants, 1);
    shell_call_clear(&call);
}

/* States and placements of a generation go into its story, in order. */
static void test_its_story(void **state) {
    static const char *const states[] = {"queued", "sent", NULL, "prefill", "streaming", "settling", "none"};
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_answer(fixture, &peer, "hi");
    const struct story *story = stories_find(fixture->shell.stories, "chatcmpl-1");
    assert_non_null(story);
    assert_string_equal(story->model, SHELL_MODEL);
    assert_int_equal(story->line_count, COUNT_OF(states));
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        if (states[i] != NULL) {
            assert_string_equal(story->lines[i].to, states[i]);
        } else {
            assert_null(story->lines[i].to);
            assert_int_equal(story->lines[i].provider, shell_provider(&peer)->handle);
            assert_int_equal(story->lines[i].candidate_count, 1);
        }
    }
    shell_call_clear(&call);
}

/* The one that has it and the one that took it over are told to stop; one that has gone cannot be. */
static void test_a_cancel_needs_a_link(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &peer);
    call_abandon(&call.call);
    assert_int_equal(peer.cancels, 1);
    assert_non_null(fixture->shell.generations.list);
    shell_leave(&peer);
    assert_null(fixture->shell.generations.list);
    assert_int_equal(fake_store.generation.outcome, STORE_OUTCOME_CANCELLED);
    shell_call_clear(&call);
    provider_commands_cancel(&fixture->shell.providers, 12345, 1);
    provider_commands_watch(&fixture->shell.providers, 12345, true);
    provider_commands_want(&fixture->shell.providers, 12345, STR(SHELL_MODEL));
    assert_int_equal(fixture->shell.counts.wants, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_a_review_for_a_generation), SHELL_TEST(test_a_review_without_one),
        SHELL_TEST(test_a_model_is_wanted),         SHELL_TEST(test_its_story),
        SHELL_TEST(test_a_cancel_needs_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
