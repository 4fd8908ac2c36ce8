/* What the messages of a link are to the core. providers.c; who gets a link is in test_providers.c. */
#include "gateway/providers.h"

#include "core/explain.h"
#include "unit/gateway/shell_fixture.h"
#include "wire/limits.h"

static struct core_provider_view view_of(struct shell_fixture *fixture, const struct link_peer *peer) {
    struct core_provider_view view;
    assert_true(core_provider_view(fixture->shell.core.core, shell_provider(peer)->handle,
                                   core_loop_now_ms(&fixture->shell.core), &view));
    return view;
}

static struct core_offer_view offer_of(struct shell_fixture *fixture, const struct link_peer *peer, size_t index) {
    struct core_offer_view offer;
    assert_true(core_provider_offer(fixture->shell.core.core, shell_provider(peer)->handle, index, &offer));
    return offer;
}

static void tell(struct shell_fixture *fixture, struct link_peer *peer, const struct link_status *status) {
    PROVIDERS_LINK_EVENTS.on_status(&fixture->shell.providers, peer, status);
}

static void test_states_of_models(void **state) {
    static const struct {
        enum link_model_state link;
        enum core_model_state core;
    } cases[] = {{LINK_MODEL_DOWNLOADING, CORE_MODEL_DOWNLOADING},
                 {LINK_MODEL_LOADING, CORE_MODEL_LOADING},
                 {LINK_MODEL_WARM, CORE_MODEL_WARM},
                 {LINK_MODEL_FAILED, CORE_MODEL_FAILED},
                 {LINK_MODEL_COLD, CORE_MODEL_COLD}};
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    fake_store.device = (struct store_device){.id = "prov_known", .verified = true}; /* so it is believed */
    shell_hello(fixture, &peer, "laptop");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct link_model model = {.id = STR(SHELL_MODEL),
                                         .state = cases[i].link,
                                         .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE),
                                         .slots = 3,
                                         .context_length = 512,
                                         .load_ms = 700,
                                         .too_large = cases[i].link == LINK_MODEL_COLD,
                                         .bytes_done = 30,
                                         .bytes_total = 100,
                                         .bytes_per_s = 7};
        const unsigned changed = fixture->models_changed;
        tell(fixture, &peer, &(struct link_status){.models = &model, .model_count = 1});
        const struct core_offer offer = offer_of(fixture, &peer, 0).offer;
        assert_int_equal(offer.state, cases[i].core);
        assert_int_equal(offer.slots, 3);
        assert_int_equal(offer.context_length, 512);
        assert_int_equal(offer.load_ms, 700);
        assert_int_equal(offer.too_large, model.too_large);
        assert_int_equal(offer.bytes_left, 70);
        assert_int_equal(offer.bytes_per_s, 7);
        assert_int_equal(fixture->models_changed, changed + 1);
    }
}

/* A device may claim to have more of a file than there is. */
static void test_more_bytes_than_all(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    const struct link_model model = {.id = STR(SHELL_MODEL),
                                     .state = LINK_MODEL_DOWNLOADING,
                                     .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE),
                                     .bytes_done = 101,
                                     .bytes_total = 100};
    shell_hello(fixture, &peer, "laptop");
    tell(fixture, &peer, &(struct link_status){.models = &model, .model_count = 1});
    assert_int_equal(offer_of(fixture, &peer, 0).offer.bytes_left, 0);
}

static void test_the_state_of_the_device(void **state) {
    static const struct {
        enum link_heat link;
        enum core_heat core;
    } cases[] = {{LINK_HEAT_NOMINAL, CORE_HEAT_NOMINAL},
                 {LINK_HEAT_FAIR, CORE_HEAT_FAIR},
                 {LINK_HEAT_SERIOUS, CORE_HEAT_SERIOUS},
                 {LINK_HEAT_CRITICAL, CORE_HEAT_CRITICAL}};
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_hello(fixture, &peer, "laptop");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tell(fixture, &peer,
             &(struct link_status){.heat = cases[i].link,
                                   .battery_percent = 41,
                                   .charging = true,
                                   .takes_wants = true,
                                   .storage_free_bytes = 99});
        const struct core_device_state device = view_of(fixture, &peer).device;
        assert_int_equal(device.heat, cases[i].core);
        assert_int_equal(device.battery_percent, 41);
        assert_true(device.charging);
        assert_true(device.takes_wants);
        assert_false(device.paused);
        assert_int_equal(device.storage_free_bytes, 99);
    }
    tell(fixture, &peer, &(struct link_status){.pause = LINK_PAUSE_HOURS});
    assert_true(view_of(fixture, &peer).device.paused);
    assert_int_equal(shell_provider(&peer)->pause, LINK_PAUSE_HOURS);
}

/* More models than a status may hold: those behind the bound are nobody's. */
static void test_too_many_models(void **state) {
    enum { MANY = LIMIT_LINK_MODELS + 3, NAME_SIZE = 16 };
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    static struct link_model models[MANY];
    static char names[MANY][NAME_SIZE];
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], NAME_SIZE, "model-%zu", i);
        models[i] = (struct link_model){.id = str_from(names[i]),
                                        .state = LINK_MODEL_WARM,
                                        .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE),
                                        .slots = 1};
    }
    shell_hello(fixture, &peer, "laptop");
    tell(fixture, &peer, &(struct link_status){.models = models, .model_count = MANY});
    assert_in_range(view_of(fixture, &peer).offer_count, 1, LIMIT_LINK_MODELS);
}

/* --- Words about a generation --- */

static void test_failures(void **state) {
    static const struct {
        enum gen_failure failure;
        enum fault_code code; /* what the client is told, when there is no other device */
        bool cools, drains;   /* the device */
    } cases[] = {
        {GEN_FAILURE_BAD_REQUEST, FAULT_INVALID_REQUEST, false, false},
        {GEN_FAILURE_CONTEXT_LENGTH, FAULT_UNAVAILABLE, false, false}, /* it fits, by all that we know */
        {GEN_FAILURE_OVERLOADED, FAULT_UNAVAILABLE, false, false},
        {GEN_FAILURE_MODEL_MISSING, FAULT_UNAVAILABLE, false, false},
        {GEN_FAILURE_ENGINE, FAULT_UNAVAILABLE, true, false},
        {GEN_FAILURE_DRAINING, FAULT_UNAVAILABLE, false, true},
    };
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct core_config config;
    shell_fixture_config(&config);
    config.max_attempts = 1;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shell_call call = {0};
        shell_fixture_reopen(fixture, &config);
        shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
        shell_ask(fixture, &call, "chatcmpl-1");
        shell_error(fixture, &peer, cases[i].failure);
        assert_int_equal(call.failed, 1);
        assert_int_equal(call.fault.code, cases[i].code);
        assert_int_equal(view_of(fixture, &peer).cooldown_ms > 0, cases[i].cools);
        assert_int_equal(view_of(fixture, &peer).draining, cases[i].drains);
        shell_call_clear(&call);
    }
}

static void list(struct shell_fixture *fixture, struct link_peer *peer, uint32_t kinds) {
    const struct link_model model = {
        .id = STR(SHELL_MODEL), .state = LINK_MODEL_WARM, .kinds = kinds, .slots = 1, .context_length = 4096};
    const struct link_status status = {.battery_percent = -1, .models = &model, .model_count = 1};
    PROVIDERS_LINK_EVENTS.on_status(&fixture->shell.providers, peer, &status);
}

/* A device that does other kinds of generations with a model is not sent this one, and gets it once it lists the
 * kind. */
static void test_no_generation_of_a_kind_that_is_not_listed(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_LOADING, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    list(fixture, &peer, LINK_JOB_KIND_BIT(LINK_JOB_KIND_EMBED) | LINK_JOB_KIND_BIT(LINK_JOB_KIND_SCORE));
    assert_int_equal(peer.generations, 0);
    list(fixture, &peer, LINK_JOB_KIND_BIT(LINK_JOB_KIND_EMBED) | LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE));
    assert_int_equal(peer.generations, 1);
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(call.finished, 1);
    shell_call_clear(&call);
}

/* A device whose answers end in ways that clients do not know of yet: the answer is whole, and stops. */
static void test_every_finish(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    static const struct {
        enum link_finish finish;
        enum gen_finish told;
    } CASES[] = {{LINK_FINISH_STOP, GEN_FINISH_STOP},
                 {LINK_FINISH_LENGTH, GEN_FINISH_LENGTH},
                 {LINK_FINISH_TOOL_CALLS, GEN_FINISH_STOP},
                 {LINK_FINISH_CONTENT_FILTER, GEN_FINISH_STOP},
                 {LINK_FINISH_OTHER, GEN_FINISH_STOP}};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct shell_call call = {0};
        shell_ask(fixture, &call, "chatcmpl-1");
        shell_accept(fixture, &peer);
        const struct link_delta delta = {.job = peer.generation, .tokens = 1, .text = STR("hi"), .parts = STR("")};
        PROVIDERS_LINK_EVENTS.on_delta(&fixture->shell.providers, &peer, &delta);
        const struct link_done done = {.job = peer.generation,
                                       .finish = CASES[i].finish,
                                       .finish_word = STR("bored"),
                                       .usage = {.prompt_tokens = 10, .completion_tokens = 1}};
        PROVIDERS_LINK_EVENTS.on_done(&fixture->shell.providers, &peer, &done);
        assert_int_equal(call.finished, 1);
        assert_int_equal(call.result.finish, CASES[i].told);
        shell_call_clear(&call);
    }
}

/* Parts that are not used here are no content of their own; their tokens count, and show that the device works. */
static void test_delta_without_text(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &peer);
    struct link_delta delta = {.job = peer.generation, .tokens = 2, .text = STR(""), .parts = STR("\x03\0\0\x02Hm")};
    PROVIDERS_LINK_EVENTS.on_delta(&fixture->shell.providers, &peer, &delta);
    assert_int_equal(call.call.text.len, 0);
    delta.tokens = 0;
    PROVIDERS_LINK_EVENTS.on_delta(&fixture->shell.providers, &peer, &delta);
    assert_int_equal(call.call.text.len, 0);
    const struct link_done done = {
        .job = peer.generation, .finish = LINK_FINISH_STOP, .usage = {.prompt_tokens = 10, .completion_tokens = 2}};
    PROVIDERS_LINK_EVENTS.on_done(&fixture->shell.providers, &peer, &done);
    assert_int_equal(call.finished, 1);
    assert_int_equal(call.failed, 0);
    shell_call_clear(&call);
}

/* --- Words about the device --- */

static void test_it_drains(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    PROVIDERS_LINK_EVENTS.on_drain(&fixture->shell.providers, &peer);
    assert_true(view_of(fixture, &peer).draining);
    shell_ask(fixture, &call, "chatcmpl-1");
    assert_int_equal(peer.generations, 0);
    assert_int_equal(call.failed, 1);
    shell_call_clear(&call);
}

/* It does not answer, its link is open: others are asked until it does. */
static void test_silence(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer silent, other;
    struct shell_call call = {0};
    shell_join(fixture, &silent, "silent", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_join(fixture, &other, "other", LINK_MODEL_WARM, 4096);
    PROVIDERS_LINK_EVENTS.on_silent(&fixture->shell.providers, &silent);
    assert_true(view_of(fixture, &silent).silent);
    assert_int_equal(fixture->shell.counts.silences, 1);
    assert_int_equal(other.generations, 1);
    PROVIDERS_LINK_EVENTS.on_alive(&fixture->shell.providers, &silent);
    assert_false(view_of(fixture, &silent).silent);
    shell_answer(fixture, &other, "hi");
    assert_int_equal(call.finished, 1);
    shell_call_clear(&call);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_states_of_models),
        SHELL_TEST(test_more_bytes_than_all),
        SHELL_TEST(test_the_state_of_the_device),
        SHELL_TEST(test_too_many_models),
        SHELL_TEST(test_failures),
        SHELL_TEST(test_no_generation_of_a_kind_that_is_not_listed),
        SHELL_TEST(test_every_finish),
        SHELL_TEST(test_delta_without_text),
        SHELL_TEST(test_it_drains),
        SHELL_TEST(test_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
