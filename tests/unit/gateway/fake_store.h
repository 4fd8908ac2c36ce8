/* A store that keeps nothing: what it is told is noted, and every question is answered at once or when the test says
 * so. One file of tests includes it. */
#ifndef NATARIS_TESTS_UNIT_GATEWAY_FAKE_STORE_H
#define NATARIS_TESTS_UNIT_GATEWAY_FAKE_STORE_H

#include "base/compiler.h"
#include "base/digest.h"
#include "store/admin.h"
#include "store/devices.h"
#include "store/enrolment.h"
#include "store/escrow.h"
#include "store/owed.h"
#include "store/settlements.h"

#include <string.h>

enum { FAKE_STORE_PARTS = 4 };

static struct {
    /* What it was told. */
    unsigned settled, reviews, kept, enrolled;
    struct store_generation generation; /* of the latest settlement */
    char earner[STORE_ID_MAX];
    size_t part_count;
    struct store_part parts[FAKE_STORE_PARTS];
    bool answer_given, turn_given;
    struct store_review review;
    struct store_admin admin; /* the latest act */
    struct store_record record;
    char kept_id[STORE_ID_MAX];
    /* What it answers. */
    struct err settle_err;      /* code ERR_NONE: settled */
    struct err enrol_err;       /* likewise */
    bool enrols_later;          /* fake_store_enrol_now does it */
    struct store_device device; /* known already, when it has an id */
    const char *owner;          /* account of those that are not; NULL: none */
    /* A question that waits. */
    struct store_device candidate;
    void (*on_enrolled)(void *context, const struct store_device *device, const struct err *err);
    void *enrol_context;
} fake_store;

UNUSED static void fake_store_reset(void) {
    memset(&fake_store, 0, sizeof(fake_store));
}

void store_settle(struct store *store, const struct store_settlement *settlement,
                  void (*on_durable)(void *context, const struct err *err), void *context) {
    (void)store;
    fake_store.settled++;
    fake_store.generation = settlement->generation;
    fake_store.part_count = settlement->part_count;
    for (size_t i = 0; i < settlement->part_count && i < FAKE_STORE_PARTS; i++) {
        fake_store.parts[i] = settlement->parts[i];
    }
    fake_store.answer_given = settlement->answer != NULL;
    fake_store.turn_given = settlement->turn != NULL;
    (void)str_copy(fake_store.earner, sizeof(fake_store.earner), str_from(settlement->provider_account_id));
    if (on_durable != NULL) { /* the event waits for the end of the core's step */
        on_durable(context, fake_store.settle_err.code != ERR_NONE ? &fake_store.settle_err : NULL);
    }
}

/* The answer to the link that waits for it. */
UNUSED static void fake_store_enrol_now(void) {
    const struct err *err = fake_store.enrol_err.code != ERR_NONE ? &fake_store.enrol_err : NULL;
    const struct store_device *device = fake_store.device.id[0] != '\0' ? &fake_store.device : &fake_store.candidate;
    fake_store.on_enrolled(fake_store.enrol_context, err != NULL ? NULL : device, err);
}

void store_device_enrol(struct store *store, const uint8_t public_key[ED25519_KEY_SIZE], struct str token,
                        const struct store_device *candidate,
                        void (*on_result)(void *context, const struct store_device *device, const struct err *err),
                        void *context) {
    (void)store;
    (void)public_key;
    (void)token;
    fake_store.enrolled++;
    fake_store.candidate = *candidate;
    (void)str_copy(fake_store.candidate.account_id, STORE_ID_MAX, str_from(fake_store.owner));
    fake_store.on_enrolled = on_result;
    fake_store.enrol_context = context;
    if (!fake_store.enrols_later) {
        fake_store_enrol_now();
    }
}

/* Done at once, as asked. */
void store_admin(struct store *store, const struct store_admin *admin,
                 void (*on_result)(void *context, const struct store_admin *result, const struct err *err),
                 void *context) {
    (void)store;
    fake_store.admin = *admin;
    fake_store.admin.device.standing = admin->kind == STORE_ADMIN_DEVICE_REMOVE       ? STORE_STANDING_REMOVED
                                       : admin->kind == STORE_ADMIN_DEVICE_QUARANTINE ? STORE_STANDING_QUARANTINED
                                                                                      : STORE_STANDING_SERVING;
    memcpy(fake_store.admin.device.standing_reason, admin->note, sizeof(admin->note));
    on_result(context, &fake_store.admin, NULL);
}

void store_record_keep(struct store *store, const char *device_id, const struct store_record *record) {
    (void)store;
    fake_store.kept++;
    fake_store.record = *record;
    (void)str_copy(fake_store.kept_id, sizeof(fake_store.kept_id), str_from(device_id));
}

void store_review_add(struct store *store, const struct store_review *review) {
    (void)store;
    fake_store.reviews++;
    fake_store.review = *review;
}

/* Nothing asks it here; without it the linker would bring the store's own file along. */
/* Nothing is held. */
UNUSED void store_escrow_hold(struct store *store, const struct store_escrow_hold *step,
                              void (*told)(void *context, const struct store_escrow_held *held, const struct err *err),
                              void *context) {
    (void)store;
    (void)step;
    told(context, &(const struct store_escrow_held){0}, NULL);
}

UNUSED int64_t store_ripe_ms(const struct store *store, int64_t now_ms) {
    (void)store;
    return now_ms;
}

void store_answer_find(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], const char *account_id,
                       int64_t now_ms,
                       void (*on_result)(void *context, const struct store_answer *answer, const struct err *err),
                       void *context) {
    (void)store;
    (void)scope_sha256;
    (void)account_id;
    (void)now_ms;
    on_result(context, NULL, NULL);
}

#endif
