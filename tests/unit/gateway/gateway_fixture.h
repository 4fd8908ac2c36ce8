/* The gateway's shell around a real core, without sockets and without a store: what it would send to devices, clients
 * and the store is noted here. One file of tests includes it. */
#ifndef NATARIS_TESTS_UNIT_GATEWAY_GATEWAY_FIXTURE_H
#define NATARIS_TESTS_UNIT_GATEWAY_GATEWAY_FIXTURE_H

#include "base/mem.h"
#include "gateway/internal.h"
#include "store/settlements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define FIXTURE_MODEL "nataris-demo-2m"

/* A link, as the fixture knows it. The teardown closes it, so it is static in its test. */
struct link_peer {
    void *user;
    uint64_t job; /* of the latest job sent */
    unsigned jobs, cancels;
    char question[128];
};

static struct {
    uint64_t account; /* who asks; 0: nobody, for free */
    unsigned settled, reviews, kept, finished, failed, delivered;
    enum gen_finish finish; /* of the latest that finished */
    struct store_review review;
    struct store_record record;
    char kept_id[STORE_ID_MAX];
    struct store_generation generation; /* that was settled last */
    enum err_code settles_with;         /* what the store answers */
    struct fault fault;                 /* that a client was told last */
} noted;

void link_peer_admit(struct link_peer *peer, const char *provider_id) {
    (void)peer;
    (void)provider_id;
}
void link_peer_deny(struct link_peer *peer, const char *reason) {
    (void)peer;
    (void)reason;
}
void link_peer_close(struct link_peer *peer, const char *reason) {
    (void)peer;
    (void)reason;
}
void link_peer_watch(struct link_peer *peer, bool watched) {
    (void)peer;
    (void)watched;
}
void link_peer_send_job(struct link_peer *peer, uint64_t job, const struct gen_request *request) {
    peer->job = job;
    peer->jobs++;
    (void)str_copy(peer->question, sizeof peer->question, request->messages[0].content);
}
void link_peer_send_cancel(struct link_peer *peer, uint64_t job) {
    (void)job;
    peer->cancels++;
}
void link_peer_send_want(struct link_peer *peer, struct str model) {
    (void)peer;
    (void)model;
}
void link_peer_set_user(struct link_peer *peer, void *user) {
    peer->user = user;
}
void *link_peer_user(const struct link_peer *peer) {
    return peer->user;
}
const char *link_peer_address(const struct link_peer *peer) {
    (void)peer;
    return "127.0.0.1";
}
void link_server_accept(struct link_server *server, struct http_exchange *exchange) {
    (void)server;
    (void)exchange;
}

void store_settle(struct store *store, const struct store_settlement *settlement,
                  void (*on_durable)(void *context, const struct err *err), void *context) {
    struct err err;
    (void)store;
    noted.settled++;
    noted.generation = settlement->generation;
    err_set(&err, noted.settles_with, "the store's words");
    if (on_durable != NULL) { /* the event waits for the end of the step */
        on_durable(context, noted.settles_with == ERR_NONE ? NULL : &err);
    }
}
void store_device_enrol(struct store *store, const uint8_t public_key[ED25519_KEY_SIZE], struct str token,
                        const struct store_device *candidate,
                        void (*on_result)(void *context, const struct store_device *device, const struct err *err),
                        void *context) {
    (void)store;
    (void)public_key;
    (void)token;
    on_result(context, candidate, NULL);
}
void store_record_keep(struct store *store, const char *device_id, const struct store_record *record) {
    (void)store;
    noted.kept++;
    noted.record = *record;
    (void)str_copy(noted.kept_id, sizeof noted.kept_id, str_from(device_id));
}
void store_answer_find(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                       void (*on_result)(void *context, const struct store_answer *answer, const struct err *err),
                       void *context) {
    (void)store;
    (void)scope_sha256;
    (void)now_ms;
    on_result(context, NULL, NULL);
}
void store_review_add(struct store *store, const struct store_review *review) {
    (void)store;
    noted.reviews++;
    noted.review = *review;
}

static void sink_accepted(struct call *call) {
    (void)call;
}
static enum call_delivery sink_deliver(struct call *call, struct str text) {
    (void)call;
    (void)text;
    noted.delivered++;
    return CALL_DELIVERED;
}
static bool sink_answer(struct call *call, const struct call_result *result, struct store_answer *answer) {
    (void)call;
    (void)result;
    (void)answer;
    return false;
}
static bool sink_turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    (void)call;
    (void)result;
    (void)turn;
    return false;
}
static void sink_finished(struct call *call, const struct call_result *result) {
    (void)call;
    noted.finish = result->finish;
    noted.finished++;
}
static void sink_failed(struct call *call, const struct fault *fault) {
    (void)call;
    noted.fault = *fault;
    noted.failed++;
}
static const struct call_sink fixture_sink = {.accepted = sink_accepted,
                                              .deliver = sink_deliver,
                                              .answer = sink_answer,
                                              .turn = sink_turn,
                                              .finished = sink_finished,
                                              .failed = sink_failed};

static int fixture_setup(void **state) {
    struct gateway *gateway = MEM_NEW(struct gateway);
    struct core_config config;
    core_config_init(&config);
    config.trace = true;
    memset(&noted, 0, sizeof noted);
    gateway->loop = loop_new();
    gateway->core = core_new(&config);
    gateway->core_timer = loop_timer_new(gateway->loop, gateway_core_timer_due, gateway);
    gateway->job_log = job_log_new();
    gateway->devices = gateway_devices(gateway);
    *state = gateway;
    return 0;
}

static inline void fixture_leave(struct link_peer *peer) {
    GATEWAY_LINK_EVENTS.on_gone(((struct gateway_provider *)peer->user)->gateway, peer, "gone");
}

static int fixture_teardown(void **state) {
    struct gateway *gateway = *state;
    while (gateway->providers != NULL) {
        fixture_leave(gateway->providers->peer);
    }
    assert_null(gateway->jobs);
    core_free(gateway->core);
    job_log_free(gateway->job_log);
    free(gateway->later);
    loop_timer_free(gateway->core_timer);
    loop_run(gateway->loop);
    loop_free(gateway->loop);
    free(gateway);
    return 0;
}

#define FIXTURE_TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

static inline const char *fixture_id(const struct link_peer *peer) {
    return ((const struct gateway_provider *)peer->user)->device.id;
}

/* A device with the model in this state comes. */
static inline void fixture_join(struct gateway *gateway, struct link_peer *peer, const char *name,
                                enum link_model_state model, uint32_t context_length) {
    const struct link_hello hello = {.device = {.name = str_from(name)}};
    const struct link_model offer = {.id = STR(FIXTURE_MODEL),
                                     .state = model,
                                     .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE),
                                     .slots = 1,
                                     .context_length = context_length};
    const struct link_status status = {.battery_percent = -1, .models = &offer, .model_count = 1};
    *peer = (struct link_peer){0};
    GATEWAY_LINK_EVENTS.on_hello(gateway, peer, &hello);
    GATEWAY_LINK_EVENTS.on_status(gateway, peer, &status);
}

static inline void fixture_accept(struct gateway *gateway, struct link_peer *peer) {
    GATEWAY_LINK_EVENTS.on_accept(gateway, peer, &(struct link_accept){.job = peer->job, .prompt_tokens = 10});
}

/* The device answers its latest job. */
static inline void fixture_answer(struct gateway *gateway, struct link_peer *peer, const char *text) {
    fixture_accept(gateway, peer);
    GATEWAY_LINK_EVENTS.on_delta(gateway, peer,
                                 &(struct link_delta){.job = peer->job, .text = str_from(text), .tokens = 1});
    GATEWAY_LINK_EVENTS.on_done(gateway, peer,
                                &(struct link_done){.job = peer->job,
                                                    .finish = LINK_FINISH_STOP,
                                                    .usage = {.prompt_tokens = 10, .completion_tokens = 1}});
}

/* A client asks; `call` outlives the job. */
static inline void fixture_ask(struct gateway *gateway, struct call *call, struct gen_message *message,
                               const char *id) {
    *message = (struct gen_message){.role = GEN_ROLE_USER, .content = STR("hello")};
    *call = (struct call){.sink = &fixture_sink,
                          .executor = &gateway->devices,
                          .kind = STORE_GENERATION_INFERENCE,
                          .prompt_tokens_max = 64,
                          .identity = {.account_number = noted.account},
                          .prompt_price_nano = 2,
                          .completion_price_nano = 3};
    (void)str_copy(call->id, sizeof call->id, str_from(id));
    gen_request_init(&call->generation);
    call->generation.model = STR(FIXTURE_MODEL);
    call->generation.messages = message;
    call->generation.message_count = 1;
    call->generation.max_tokens = 16;
    call_submit(call);
}

#endif
