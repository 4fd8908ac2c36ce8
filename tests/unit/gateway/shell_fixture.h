/* The gateway's shell around a real core, without sockets and without a store. One file of tests includes it. */
#ifndef NATARIS_TESTS_UNIT_GATEWAY_SHELL_FIXTURE_H
#define NATARIS_TESTS_UNIT_GATEWAY_SHELL_FIXTURE_H

#include "base/log.h"
#include "base/mem.h"
#include "gateway/canary.h"
#include "gateway/core_shell.h"
#include "tokens/learned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/gateway/fake_link.h"
#include "unit/gateway/fake_store.h"

#define SHELL_MODEL "nataris-demo-2m"

struct shell_fixture {
    struct loop *loop;
    struct core_shell shell;
    struct canaries canaries;
    unsigned models_changed;
    struct calls calls; /* as much of it as the shell asks for */
};

static void shell_on_models_changed(void *context) {
    ((struct shell_fixture *)context)->models_changed++;
}

static void shell_fixture_open(struct shell_fixture *fixture, const struct core_config *config) {
    log_set_level(LOG_ERROR);
    fake_store_reset();
    fixture->loop = loop_new();
    core_shell_init(&fixture->shell, fixture->loop, NULL, config);
    fixture->shell.providers.on_models_changed = shell_on_models_changed;
    fixture->shell.providers.context = fixture;
    canaries_init(&fixture->canaries, &fixture->shell, 0);
    fixture->calls = (struct calls){.loop = fixture->loop, .learned = tokens_learned_new()};
}

static void shell_fixture_close(struct shell_fixture *fixture) {
    while (fixture->shell.providers.list != NULL) {
        PROVIDERS_LINK_EVENTS.on_gone(&fixture->shell.providers, fixture->shell.providers.list->peer, "gone");
    }
    assert_null(fixture->shell.generations.list);
    canaries_clear(&fixture->canaries);
    core_shell_clear(&fixture->shell);
    tokens_learned_free(fixture->calls.learned);
    loop_run(fixture->loop);
    loop_free(fixture->loop);
}

static void shell_fixture_config(struct core_config *config) {
    core_config_init(config);
    config->trace = true;
}

UNUSED static int shell_fixture_setup(void **state) {
    struct shell_fixture *fixture = MEM_NEW(struct shell_fixture);
    struct core_config config;
    shell_fixture_config(&config);
    shell_fixture_open(fixture, &config);
    *state = fixture;
    return 0;
}

/* With another core in place of the one that was set up, before anything came. */
UNUSED static void shell_fixture_reopen(struct shell_fixture *fixture, const struct core_config *config) {
    shell_fixture_close(fixture);
    shell_fixture_open(fixture, config);
}

UNUSED static int shell_fixture_teardown(void **state) {
    struct shell_fixture *fixture = *state;
    shell_fixture_close(fixture);
    free(fixture);
    return 0;
}

#define SHELL_TEST(function) cmocka_unit_test_setup_teardown(function, shell_fixture_setup, shell_fixture_teardown)

/* Runs the loop without ever blocking in it: a timer that is due at the start of an iteration leaves nothing to wait
 * for. */
#define SHELL_UNTIL(fixture, condition)                                                                                \
    do {                                                                                                               \
        while (!(condition)) {                                                                                         \
            uv_run(loop_uv((fixture)->loop), UV_RUN_NOWAIT);                                                           \
        }                                                                                                              \
    } while (0)

/* --- Devices --- */

static inline const struct gateway_provider *shell_provider(const struct link_peer *peer) {
    return peer->user;
}

static inline const char *shell_device_id(const struct link_peer *peer) {
    return shell_provider(peer)->device.id;
}

static inline void shell_hello(struct shell_fixture *fixture, struct link_peer *peer, const char *name) {
    const struct link_hello hello = {.device = {.name = str_from(name), .region = STR("DE"), .ram_bytes = 8}};
    *peer = (struct link_peer){0};
    PROVIDERS_LINK_EVENTS.on_hello(&fixture->shell.providers, peer, &hello);
}

static inline void shell_status(struct shell_fixture *fixture, struct link_peer *peer, enum link_model_state model,
                                uint32_t context_length) {
    const struct link_model offer = {.id = STR(SHELL_MODEL),
                                     .state = model,
                                     .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE),
                                     .slots = 1,
                                     .context_length = context_length};
    const struct link_status status = {.battery_percent = -1, .models = &offer, .model_count = 1};
    PROVIDERS_LINK_EVENTS.on_status(&fixture->shell.providers, peer, &status);
}

/* A device with the model in this state comes. */
UNUSED static void shell_join(struct shell_fixture *fixture, struct link_peer *peer, const char *name,
                              enum link_model_state model, uint32_t context_length) {
    shell_hello(fixture, peer, name);
    shell_status(fixture, peer, model, context_length);
}

UNUSED static void shell_leave(struct link_peer *peer) {
    PROVIDERS_LINK_EVENTS.on_gone(shell_provider(peer)->providers, peer, "gone");
}

UNUSED static void shell_accept(struct shell_fixture *fixture, struct link_peer *peer) {
    PROVIDERS_LINK_EVENTS.on_accept(&fixture->shell.providers, peer,
                                    &(struct link_accept){.job = peer->generation, .prompt_tokens = 10});
}

UNUSED static void shell_delta(struct shell_fixture *fixture, struct link_peer *peer, const char *text,
                               uint32_t tokens) {
    PROVIDERS_LINK_EVENTS.on_delta(
        &fixture->shell.providers, peer,
        &(struct link_delta){.job = peer->generation, .text = str_from(text), .tokens = tokens});
}

UNUSED static void shell_done(struct shell_fixture *fixture, struct link_peer *peer, enum link_finish finish,
                              uint32_t tokens) {
    PROVIDERS_LINK_EVENTS.on_done(&fixture->shell.providers, peer,
                                  &(struct link_done){.job = peer->generation,
                                                      .finish = finish,
                                                      .usage = {.prompt_tokens = 10, .completion_tokens = tokens}});
}

/* The device answers its latest generation. */
UNUSED static void shell_answer(struct shell_fixture *fixture, struct link_peer *peer, const char *text) {
    shell_accept(fixture, peer);
    shell_delta(fixture, peer, text, 1);
    shell_done(fixture, peer, LINK_FINISH_STOP, 1);
}

UNUSED static void shell_error(struct shell_fixture *fixture, struct link_peer *peer, enum gen_failure failure) {
    PROVIDERS_LINK_EVENTS.on_error(
        &fixture->shell.providers, peer,
        &(struct link_error){
            .job = peer->generation, .failure = failure, .message = STR("its words"), .param = STR("messages")});
}

/* --- Clients --- */

/* The core knows the account, with so much on it. */
UNUSED static void shell_account(struct shell_fixture *fixture, uint64_t account, int64_t nano) {
    core_loop_step(&fixture->shell.core,
                   &(struct core_event){.kind = CORE_EVENT_ACCOUNT, .account = {.account = account}});
    core_loop_step(&fixture->shell.core, &(struct core_event){.kind = CORE_EVENT_CREDIT,
                                                              .credit = {.account = account, .amount_nano = nano}});
}

/* One call and what came of it; the test clears it. */
struct shell_call {
    struct call call; /* first: the sink gets this */
    struct gen_message message;
    unsigned accepted, finished, failed;
    bool leaves_at_text; /* the client goes when it sees some */
    bool too_long;       /* any text is too much for the answer */
    bool stores;         /* it has an answer to keep for a retry, and a turn of its conversation */
    size_t text_max;     /* bytes of it that are kept; 0: as many as ever */
    struct call_result result;
    char provider_id[STORE_ID_MAX], provider_region[8]; /* of the result */
    struct fault fault;
};

static struct shell_call *shell_call_of(struct call *call) {
    return (struct shell_call *)call;
}

static void shell_on_accepted(struct call *call) {
    shell_call_of(call)->accepted++;
}

static enum call_delivery shell_on_deliver(struct call *call, struct str text) {
    struct shell_call *self = shell_call_of(call);
    (void)buf_append_str(&call->text, text);
    if (self->leaves_at_text) {
        call_abandon(call);
        return CALL_DELIVER_CUT;
    }
    return self->too_long ? CALL_DELIVER_TOO_LONG : CALL_DELIVERED;
}

static bool shell_on_answer(struct call *call, const struct call_result *result, struct store_answer *answer) {
    (void)result;
    *answer = (struct store_answer){.content = buf_str(&call->text)};
    return shell_call_of(call)->stores;
}

static bool shell_on_turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    (void)result;
    *turn = (struct store_turn){0};
    return shell_call_of(call)->stores;
}

static void shell_on_finished(struct call *call, const struct call_result *result) {
    struct shell_call *self = shell_call_of(call);
    self->finished++;
    self->result = *result;
    (void)str_copy(self->provider_id, sizeof(self->provider_id), str_from(result->provider_id));
    (void)str_copy(self->provider_region, sizeof(self->provider_region), str_from(result->provider_region));
}

static void shell_on_failed(struct call *call, const struct fault *fault) {
    shell_call_of(call)->failed++;
    shell_call_of(call)->fault = *fault;
}

static const struct call_sink SHELL_SINK = {.accepted = shell_on_accepted,
                                            .deliver = shell_on_deliver,
                                            .answer = shell_on_answer,
                                            .turn = shell_on_turn,
                                            .finished = shell_on_finished,
                                            .failed = shell_on_failed};

/* A client asks; members of `self` that say how it behaves are set before. */
UNUSED static void shell_ask(struct shell_fixture *fixture, struct shell_call *self, const char *id) {
    struct call *call = &self->call;
    self->message = (struct gen_message){.role = GEN_ROLE_USER, .content = STR("hello")};
    call->calls = &fixture->calls;
    call->sink = &SHELL_SINK;
    call->executor = &fixture->shell.generations.executor;
    call->prompt_tokens_max = 64;
    call->label = STR("");
    buf_init(&call->text, self->text_max > 0 ? self->text_max : LIMIT_ANSWER_BYTES);
    (void)str_copy(call->id, sizeof(call->id), str_from(id));
    gen_request_init(&call->generation);
    call->generation.model = STR(SHELL_MODEL);
    call->generation.messages = &self->message;
    call->generation.message_count = 1;
    call->generation.max_tokens = 16;
    call_submit(call);
}

UNUSED static void shell_call_clear(struct shell_call *self) {
    buf_clear(&self->call.text);
    *self = (struct shell_call){0};
}

#endif
