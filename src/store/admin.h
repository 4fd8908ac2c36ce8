/* What the operator does: each one transaction with its line in the audit log. `actor` says who: "cli", "up" (a start
 * of the gateway), or what a program on the admin socket calls itself. */
#ifndef NATARIS_STORE_ADMIN_H
#define NATARIS_STORE_ADMIN_H

#include "store/accounts.h"
#include "store/devices.h"
#include "store/enrolment.h"

struct store_admin { /* what to do; unused members stay zero */
    enum store_admin_kind {
        STORE_ADMIN_ACCOUNT_CREATE,  /* account; with the welcome credit of `amount_nano`, and keys[0..1] */
        STORE_ADMIN_ACCOUNT_TIER,    /* account.id, account.tier */
        STORE_ADMIN_ACCOUNT_SUSPEND, /* account.id, account.suspended */
        STORE_ADMIN_ACCOUNT_AUDITS,  /* account.id, account.unaudited */
        STORE_ADMIN_ACCOUNT_ERASE,   /* account.id: all of its own goes, the ledger stays; suspended from then on */
        STORE_ADMIN_KEY_CREATE,      /* keys[0] */
        STORE_ADMIN_KEY_REVOKE,      /* keys[0].id, keys[0].revoked_ms */
        STORE_ADMIN_CREDIT_GRANT,    /* account.id, amount_nano > 0, note, given: promotions -> one of its wallets */
        STORE_ADMIN_CREDIT_REFUND,   /* likewise, refunds -> its wallets; as paid credit only what was spent of that */
        /* account.id, amount_nano > 0, note: earnings -> payouts; never more than is ripe, nor while suspended */
        STORE_ADMIN_PAYOUT,
        STORE_ADMIN_DEVICE_VERIFY, /* device.id, device.verified */
        STORE_ADMIN_REVIEWS_CLEAR, /* device.id: its lines of the review list go, and it is not in review any more */
        /* device.id, note, `then`: what was found about it is right. Its lines go, and it is in quarantine, or (then
         * device.standing) removed; it stays in review, so that what it still earns goes into escrow. ERR_CONFLICT when
         * nothing was found. */
        STORE_ADMIN_REVIEWS_ACCEPT,
        /* device.id, note, `then`: what was found is wrong. Its lines go, it is not in review any more, and out of the
         * quarantine that audits have put it into. */
        STORE_ADMIN_REVIEWS_DISMISS,
        STORE_ADMIN_DEVICE_REMOVE,     /* device.id, note; account.id when only that account's; for good */
        STORE_ADMIN_DEVICE_QUARANTINE, /* device.id, note */
        STORE_ADMIN_DEVICE_RELEASE,    /* device.id */
        STORE_ADMIN_DEVICE_KEY,        /* device.id, token: a join token that gives it another key */
        STORE_ADMIN_TOKEN_REVOKE,      /* token.id */
        /* device.id, note: what it has in escrow (escrow.h), of one account. `left` more generations are there. */
        STORE_ADMIN_ESCROW_RELEASE, /* to its earner */
        STORE_ADMIN_ESCROW_RETURN,  /* to the client who paid it: account */
        STORE_ADMIN_ESCROW_FORFEIT, /* to revenue */
    } kind;
    /* Of a finding: what the gateway does with the device's escrow after it, one of STORE_ADMIN_ESCROW_*. */
    enum store_admin_kind then;
    const char *actor;
    struct store_account account;
    struct store_key keys[2];
    size_t key_count;
    int64_t amount_nano, now_ms;
    bool given;         /* the credit that is granted, or a new account's */
    int64_t given_nano; /* of a result: of the amount, given credit */
    int64_t ripe_ms;    /* of a payout: what was earned until then is ripe; filled in by the store */
    int64_t left;       /* of a result */
    char note[STORE_NAME_MAX];
    struct store_device device;
    struct store_join_token token;
};
/* Asynchronous. `result` has the account and keys as they are now (numbers, balance filled in); ERR_NOT_FOUND for an
 * unknown id, ERR_CONFLICT when a rule forbids it. */
void store_admin(struct store *store, const struct store_admin *admin,
                 void (*on_result)(void *context, const struct store_admin *result, const struct err *err),
                 void *context);
/* The same before store_start, from one thread. */
MUST_CHECK bool store_admin_now(struct store *store, const struct store_admin *admin, struct store_admin *result,
                                struct err *err);

enum { STORE_ADMIN_KINDS = STORE_ADMIN_ESCROW_FORFEIT + 1 };

struct store_audit {
    int64_t number, created_ms, amount_nano;
    char actor[STORE_ID_MAX], action[STORE_ID_MAX], subject[STORE_ID_MAX], note[STORE_NAME_MAX];
};
/* The audit log, newest first; only lines with a smaller number than `before` (0: from the newest). Asynchronous, as
 * the reads of accounts.h. */
void store_audit_read(struct store *store, int64_t before, unsigned limit,
                      void (*on_result)(void *context, const struct store_audit *lines, size_t count, bool more,
                                        const struct err *err),
                      void *context);
/* The whole of it, oldest first. Synchronous. */
MUST_CHECK bool store_each_audit(struct store *store, bool (*row)(void *context, const struct store_audit *audit),
                                 void *context, struct err *err);

/* --- Of a backend --- */

struct store_admin_rows {
    bool (*act)(struct store_connection *connection, const struct store_admin *admin, struct store_admin *result,
                struct err *err);
    bool (*audit_each)(struct store_connection *connection, bool (*row)(void *context, const struct store_audit *audit),
                       void *context, struct err *err);
    bool (*audit_page)(struct store_connection *connection, int64_t before, size_t limit, struct store_audit *rows,
                       size_t *count, struct err *err);
};

#endif
