/* What a device says over its link, in the core's words. */
#include "unit/gateway/gateway_fixture.h"

static void offer(struct gateway *gateway, struct link_peer *peer, uint32_t kinds) {
    const struct link_model model = {
        .id = STR(FIXTURE_MODEL), .state = LINK_MODEL_WARM, .kinds = kinds, .slots = 1, .context_length = 4096};
    const struct link_status status = {.battery_percent = -1, .models = &model, .model_count = 1};
    GATEWAY_LINK_EVENTS.on_status(gateway, peer, &status);
}

/* A device that does other kinds of jobs with a model is not sent this one, and gets it once it lists the kind. */
static void test_no_job_of_a_kind_that_is_not_listed(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    struct call call;
    struct gen_message message;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_LOADING, 4096);
    fixture_ask(gateway, &call, &message, "chatcmpl-1");
    offer(gateway, &peer, LINK_JOB_KIND_BIT(LINK_JOB_KIND_EMBED) | LINK_JOB_KIND_BIT(LINK_JOB_KIND_SCORE));
    assert_int_equal(peer.jobs, 0);
    offer(gateway, &peer, LINK_JOB_KIND_BIT(LINK_JOB_KIND_EMBED) | LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE));
    assert_int_equal(peer.jobs, 1);
    fixture_answer(gateway, &peer, "hi");
    assert_int_equal(noted.finished, 1);
}

/* A device whose answers end in ways that clients do not know of yet: the answer is whole, and stops. */
static void test_every_finish(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    static const struct {
        enum link_finish finish;
        enum gen_finish told;
    } CASES[] = {{LINK_FINISH_STOP, GEN_FINISH_STOP},
                 {LINK_FINISH_LENGTH, GEN_FINISH_LENGTH},
                 {LINK_FINISH_TOOL_CALLS, GEN_FINISH_STOP},
                 {LINK_FINISH_CONTENT_FILTER, GEN_FINISH_STOP},
                 {LINK_FINISH_OTHER, GEN_FINISH_STOP}};
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct call call;
        struct gen_message message;
        fixture_ask(gateway, &call, &message, "chatcmpl-1");
        fixture_accept(gateway, &peer);
        const struct link_delta delta = {.job = peer.job, .tokens = 1, .text = STR("hi"), .parts = STR("")};
        GATEWAY_LINK_EVENTS.on_delta(gateway, &peer, &delta);
        const struct link_done done = {.job = peer.job,
                                       .finish = CASES[i].finish,
                                       .finish_word = STR("bored"),
                                       .usage = {.prompt_tokens = 10, .completion_tokens = 1}};
        GATEWAY_LINK_EVENTS.on_done(gateway, &peer, &done);
        assert_int_equal(noted.finished, i + 1);
        assert_int_equal(noted.finish, CASES[i].told);
    }
}

/* Parts that are not used here are no content of their own; their tokens count, and show that the device works. */
static void test_delta_without_text(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    struct call call;
    struct gen_message message;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    fixture_ask(gateway, &call, &message, "chatcmpl-1");
    fixture_accept(gateway, &peer);
    struct link_delta delta = {.job = peer.job, .tokens = 2, .text = STR(""), .parts = STR("\x03\0\0\x02Hm")};
    GATEWAY_LINK_EVENTS.on_delta(gateway, &peer, &delta);
    assert_int_equal(noted.delivered, 1); /* of no text: nothing goes out */
    delta.tokens = 0;
    GATEWAY_LINK_EVENTS.on_delta(gateway, &peer, &delta);
    assert_int_equal(noted.delivered, 1);
    const struct link_done done = {
        .job = peer.job, .finish = LINK_FINISH_STOP, .usage = {.prompt_tokens = 10, .completion_tokens = 2}};
    GATEWAY_LINK_EVENTS.on_done(gateway, &peer, &done);
    assert_int_equal(noted.finished, 1);
    assert_int_equal(noted.failed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_no_job_of_a_kind_that_is_not_listed),
        FIXTURE_TEST(test_every_finish),
        FIXTURE_TEST(test_delta_without_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
