/* The calls of a gateway without HTTP: a loop, keys, and an executor that only notes what comes. The store is a fake,
 * or for a test that defines CALL_FIXTURE_REAL_STORE a real one. */
#ifndef NATARIS_TESTS_SUPPORT_CALL_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_CALL_FIXTURE_H

#include "auth/auth.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/call.h"
#include "call/run.h"

#ifdef CALL_FIXTURE_REAL_STORE
#include "support/store_fixture.h"
#else
#include "support/api_store.h"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/net_harness.h"

enum { CALL_FIXTURE_WAITING_MAX = 64 };

#define CALL_FIXTURE_MODEL "nataris-demo-2m"

/* Knows the key "key_1" of the account "acct_1". */
struct auth {
    enum store_key_kind kind;
    bool revoked;
};

struct call_fixture {
    struct net_harness net;
    struct auth auth;
#ifdef CALL_FIXTURE_REAL_STORE
    struct store_fixture *files;
#else
    struct store store;
#endif
    struct calls *calls;
    struct executor devices, sandbox;
    /* The network: what a model has, and what came to the executors. */
    enum core_availability availability;            /* of CALL_FIXTURE_MODEL */
    uint32_t context_length;                        /* likewise */
    struct core_account_view view;                  /* with those that wait active besides */
    struct call *waiting[CALL_FIXTURE_WAITING_MAX]; /* submitted, and not taken or abandoned: in their order */
    size_t waiting_count;
    int submitted, sandboxed, abandoned;
};

static struct auth_identity call_fixture_identity(const struct auth *auth) {
    struct auth_identity identity = {.kind = auth->kind, .models = "", .account_number = 7, .key_number = 8};
    (void)str_copy(identity.account_id, sizeof(identity.account_id), STR("acct_1"));
    (void)str_copy(identity.key_id, sizeof(identity.key_id), STR("key_1"));
    return identity;
}

bool auth_find_key(struct auth *auth, const char *key_id, const struct auth_identity **out, struct err *err) {
    static struct auth_identity identity;
    if (auth->revoked || strcmp(key_id, "key_1") != 0) {
        return err_set(err, ERR_DENIED, "The API key is wrong.");
    }
    identity = call_fixture_identity(auth);
    *out = &identity;
    return true;
}

static void call_fixture_submit(void *context, struct call *call) {
    struct call_fixture *fixture = context;
    fixture->submitted++;
    fixture->sandboxed += call->executor == &fixture->sandbox;
    assert_true(fixture->waiting_count < CALL_FIXTURE_WAITING_MAX);
    fixture->waiting[fixture->waiting_count++] = call;
}

static void call_fixture_forget(struct call_fixture *fixture, const struct call *call) {
    size_t kept = 0;
    for (size_t i = 0; i < fixture->waiting_count; i++) {
        if (fixture->waiting[i] != call) {
            fixture->waiting[kept++] = fixture->waiting[i];
        }
    }
    fixture->waiting_count = kept;
}

static void call_fixture_abandon(void *context, struct call *call) {
    struct call_fixture *fixture = context;
    fixture->abandoned++;
    call_fixture_forget(fixture, call);
}

static enum core_availability call_fixture_availability(void *context, struct str model, uint32_t *context_length) {
    const struct call_fixture *fixture = context;
    if (!str_equal_cstr(model, CALL_FIXTURE_MODEL)) {
        return CORE_MODEL_ABSENT;
    }
    *context_length = fixture->context_length;
    return fixture->availability;
}

static bool call_fixture_model_at(void *context, size_t index, struct str *model) {
    (void)context;
    *model = STR(CALL_FIXTURE_MODEL);
    return index == 0;
}

static bool call_fixture_account_view(void *context, const struct auth_identity *identity,
                                      struct core_account_view *view) {
    const struct call_fixture *fixture = context;
    assert_string_equal(identity->account_id, "acct_1");
    *view = fixture->view;
    view->active += (uint32_t)fixture->waiting_count;
    return true;
}

#ifdef CALL_FIXTURE_REAL_STORE
static struct store *call_fixture_store_open(struct call_fixture *fixture) {
    void *files = NULL;
    assert_int_equal(store_fixture_setup_client(&files), 0);
    fixture->files = files;
    assert_true(store_start(fixture->files->store, loop_uv(fixture->net.loop), store_fixture_on_broken, files, NULL));
    return fixture->files->store;
}

static void call_fixture_store_close(struct call_fixture *fixture) {
    store_close(fixture->files->store); /* what waits is answered */
    fixture->files->store = NULL;
}

static void call_fixture_store_clear(struct call_fixture *fixture) {
    void *files = fixture->files;
    (void)store_fixture_teardown(&files);
}
#else
static struct store *call_fixture_store_open(struct call_fixture *fixture) {
    api_store_init(&fixture->store, fixture->net.loop);
    return &fixture->store;
}

static void call_fixture_store_close(struct call_fixture *fixture) {
    api_store_clear(&fixture->store);
}

static void call_fixture_store_clear(struct call_fixture *fixture) {
    (void)fixture;
}
#endif

UNUSED static void call_fixture_open(struct call_fixture *fixture) {
    *fixture = (struct call_fixture){.availability = CORE_MODEL_AVAILABLE, .context_length = 512};
    log_set_level(LOG_ERROR);
    net_harness_init(&fixture->net);
    fixture->devices =
        (struct executor){.context = fixture, .submit = call_fixture_submit, .abandon = call_fixture_abandon};
    fixture->sandbox = fixture->devices;
    const struct call_backend network = {.context = fixture,
                                         .devices = &fixture->devices,
                                         .sandbox = &fixture->sandbox,
                                         .availability = call_fixture_availability,
                                         .model_at = call_fixture_model_at,
                                         .account_view = call_fixture_account_view};
    fixture->calls = calls_new(fixture->net.loop, &fixture->auth, call_fixture_store_open(fixture), &network);
    runs_open(fixture->calls);
}

/* First what waits is answered; what uses the calls is freed between the two. */
UNUSED static void call_fixture_stop(struct call_fixture *fixture) {
    call_fixture_store_close(fixture);
}

UNUSED static void call_fixture_close(struct call_fixture *fixture) {
    runs_close(fixture->calls);
    calls_free(fixture->calls);
    net_harness_clear(&fixture->net);
    call_fixture_store_clear(fixture);
}

UNUSED static int call_fixture_setup(void **state) {
    struct call_fixture *fixture = MEM_NEW(struct call_fixture);
    call_fixture_open(fixture);
    *state = fixture;
    return 0;
}

UNUSED static int call_fixture_teardown(void **state) {
    struct call_fixture *fixture = *state;
    call_fixture_stop(fixture);
    call_fixture_close(fixture);
    free(fixture);
    return 0;
}

/* One iteration of the loop. */
UNUSED static void call_fixture_turn(struct call_fixture *fixture) {
    uv_run(loop_uv(fixture->net.loop), UV_RUN_ONCE);
}

/* Runs the loop until an executor has a call that was not taken yet. */
UNUSED static struct call *call_fixture_take(struct call_fixture *fixture) {
    while (fixture->waiting_count == 0) {
        call_fixture_turn(fixture);
    }
    struct call *call = fixture->waiting[0];
    call_fixture_forget(fixture, call);
    return call;
}

#endif
