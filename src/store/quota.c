#include "store/quota.h"

#define QUOTA_FIELD "quota"
#define MIB (INT64_C(1024) * 1024)

void store_quotas_init(struct store_quotas *quotas) {
    static const struct store_quotas DEFAULTS = {
        .of = {[STORE_TIER_FREE] = {[STORE_KEPT_CONVERSATIONS] = {1000, 128 * MIB},
                                    [STORE_KEPT_JOBS] = {10 * 1000, 256 * MIB},
                                    [STORE_KEPT_WORKFLOWS] = {1000, 128 * MIB},
                                    [STORE_KEPT_ANSWERS] = {20 * 1000, 128 * MIB},
                                    [STORE_KEPT_DELIVERIES] = {10 * 1000, 32 * MIB}},
               [STORE_TIER_STARTER] = {[STORE_KEPT_CONVERSATIONS] = {10 * 1000, 1024 * MIB},
                                       [STORE_KEPT_JOBS] = {100 * 1000, 2048 * MIB},
                                       [STORE_KEPT_WORKFLOWS] = {10 * 1000, 1024 * MIB},
                                       [STORE_KEPT_ANSWERS] = {100 * 1000, 512 * MIB},
                                       [STORE_KEPT_DELIVERIES] = {100 * 1000, 256 * MIB}},
               [STORE_TIER_PRO] = {[STORE_KEPT_CONVERSATIONS] = {100 * 1000, 8192 * MIB},
                                   [STORE_KEPT_JOBS] = {1000 * 1000, 16384 * MIB},
                                   [STORE_KEPT_WORKFLOWS] = {100 * 1000, 8192 * MIB},
                                   [STORE_KEPT_ANSWERS] = {500 * 1000, 4096 * MIB},
                                   [STORE_KEPT_DELIVERIES] = {500 * 1000, 2048 * MIB}}}};
    *quotas = DEFAULTS;
}

const char *store_kept_name(enum store_kept kind) {
    switch (kind) {
    case STORE_KEPT_CONVERSATIONS:
        break;
    case STORE_KEPT_JOBS:
        return "jobs";
    case STORE_KEPT_WORKFLOWS:
        return "workflows";
    case STORE_KEPT_ANSWERS:
        return "answers";
    case STORE_KEPT_DELIVERIES:
        return "deliveries";
    }
    return "conversations";
}

/* What to do, as the end of a sentence. */
static const char *way_out(enum store_kept kind) {
    switch (kind) {
    case STORE_KEPT_CONVERSATIONS:
        break;
    case STORE_KEPT_JOBS:
        return "Delete jobs that have ended (DELETE /v1/jobs/ID?forget=true; each goes by itself 30 days after its "
               "end), or ask for another tier";
    case STORE_KEPT_WORKFLOWS:
        return "Delete workflows that have ended (DELETE /v1/workflows/ID?forget=true; each goes by itself 30 days "
               "after its end), or ask for another tier";
    case STORE_KEPT_ANSWERS:
        return "Each goes by itself 24 hours after it was made, a response after 30 days. Wait for that, delete "
               "responses (DELETE /v1/responses/ID), or send the request without an Idempotency-Key and store";
    case STORE_KEPT_DELIVERIES:
        return "Let the webhooks' receivers take what waits, delete webhooks (DELETE /v1/webhooks/ID), or ask for "
               "another "
               "tier";
    }
    return "Delete some of them (DELETE /v1/conversations/ID), or ask for another tier";
}

static const char *thing(enum store_kept kind) {
    return kind == STORE_KEPT_ANSWERS      ? "stored answers"
           : kind == STORE_KEPT_DELIVERIES ? "webhook deliveries"
                                           : store_kept_name(kind);
}

bool store_quota_check(const struct store_quotas *quotas, enum store_tier tier, enum store_kept kind,
                       const struct store_amount *kept, const struct store_amount *more, struct err *err) {
    const struct store_amount *quota = &quotas->of[tier][kind];
    if (quota->rows > 0 && kept->rows + more->rows > quota->rows) {
        return err_set_field(err, ERR_CONFLICT, QUOTA_FIELD,
                             "This account keeps %lld %s of the %lld that its tier "
                             "allows. %s",
                             (long long)kept->rows, thing(kind), (long long)quota->rows, way_out(kind));
    }
    if (quota->bytes > 0 && kept->bytes + more->bytes > quota->bytes) {
        return err_set_field(err, ERR_CONFLICT, QUOTA_FIELD,
                             "The %s of this account take %lld of the %lld bytes that its tier allows, and this needs "
                             "%lld. %s",
                             thing(kind), (long long)kept->bytes, (long long)quota->bytes, (long long)more->bytes,
                             way_out(kind));
    }
    return true;
}

bool store_quota_is_past(const struct err *err) {
    return err->code == ERR_CONFLICT && str_equal_cstr(str_from(err->field), QUOTA_FIELD);
}
