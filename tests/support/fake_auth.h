/* A fake key check, with no store behind it. One file of tests includes it. */
#ifndef NATARIS_TESTS_SUPPORT_FAKE_AUTH_H
#define NATARIS_TESTS_SUPPORT_FAKE_AUTH_H

#include "auth/auth.h"
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The key "good" is right at once, "later" at the end of the iteration, "never" is never answered, "broken" fails in
 * the store, all others are wrong. */
struct auth {
    struct loop_deferred deferred; /* first: its callback gets only this */
    struct loop *loop;             /* the user sets it */
    void (*on_result)(void *context, const struct auth_identity *identity, const struct err *err);
    void *context;
    int cancelled;
    bool revoked;        /* for auth_find_key */
    const char *account; /* of the key "good" and the next; NULL: "acct_1" */
    enum store_key_kind kind;
    const char *models; /* that it may use */
};

static struct auth_identity fake_auth_identity(const struct auth *auth) {
    struct auth_identity identity = {.kind = auth->kind, .models = auth->models};
    (void)str_copy(identity.account_id, sizeof(identity.account_id),
                   str_from(auth->account != NULL ? auth->account : "acct_1"));
    (void)str_copy(identity.key_id, sizeof(identity.key_id), STR("key_1"));
    return identity;
}

static void fake_auth_identify(struct loop_deferred *deferred) {
    struct auth *auth = (struct auth *)deferred;
    const struct auth_identity identity = fake_auth_identity(auth);
    auth->on_result(auth->context, &identity, NULL);
}

bool auth_may_know(const struct auth *auth, struct str header) {
    (void)auth;
    return str_equal(header, STR("Bearer good")) || str_equal(header, STR("Bearer later"));
}

void auth_lookup(struct auth *auth, struct str header, uint64_t now_ms,
                 void (*callback)(void *context, const struct auth_identity *identity, const struct err *err),
                 void *context) {
    struct err err;
    (void)now_ms;
    auth->on_result = callback;
    auth->context = context;
    if (str_equal(header, STR("Bearer good"))) {
        fake_auth_identify(&auth->deferred);
    } else if (str_equal(header, STR("Bearer later"))) {
        auth->deferred.run = fake_auth_identify;
        loop_defer(auth->loop, &auth->deferred);
    } else if (str_equal(header, STR("Bearer broken"))) {
        err_set(&err, ERR_IO, "disk I/O error");
        callback(context, NULL, &err);
    } else if (!str_equal(header, STR("Bearer never"))) {
        err_set(&err, ERR_DENIED, "The API key is wrong.");
        callback(context, NULL, &err);
    }
}

/* The key of fake_auth_identify, unless it was revoked. */
bool auth_find_key(struct auth *auth, const char *key_id, const struct auth_identity **out, struct err *err) {
    static struct auth_identity identity;
    if (auth->revoked || strcmp(key_id, "key_1") != 0) {
        return err_set(err, ERR_DENIED, "The API key is wrong.");
    }
    identity = fake_auth_identity(auth);
    *out = &identity;
    return true;
}

void auth_cancel(struct auth *auth, const void *context) {
    assert_ptr_equal(auth->context, context);
    auth->cancelled++;
}

#endif
