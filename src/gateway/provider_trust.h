/* Devices that score other people's prompts and are not audited themselves: the operator's own, those that they have
 * verified, and with --trust-devices all. */
#ifndef NATARIS_GATEWAY_PROVIDER_TRUST_H
#define NATARIS_GATEWAY_PROVIDER_TRUST_H

#include "base/digest.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct gateway_provider;

/* An admitted device is found by its files from now on (gateway/provider_scorers.h), if it is one of these. */
void provider_trust_join(struct gateway_provider *provider);
void provider_trust_leave(struct gateway_provider *provider);
void provider_trust_told(struct gateway_provider *provider); /* its files have changed */
/* Whether a device has this file loaded now, and scores answers with it; one in quarantine does not. */
bool provider_trust_has_file(const struct gateway_provider *provider, struct str model,
                             const uint8_t sha256[DIGEST_SHA256_SIZE]);
/* What can be said of a device's answers with a model: */
enum provider_judged {
    PROVIDER_JUDGED,         /* it is trusted, or a trusted device of another owner scores them */
    PROVIDER_JUDGED_BY_NONE, /* no trusted device has the model in any file */
    /* One has, but this device tells of another file or no ids: nobody could say whether its answers are the
     * model's. */
    PROVIDER_JUDGED_EVADED,
};
enum provider_judged provider_trust_judged(const struct gateway_provider *provider, struct str model);
/* Whether it tells that it has the file that the catalog has for the model, or nothing else. */
bool provider_trust_is_catalogs(const struct gateway_provider *provider, struct str model);
/* Whether a trusted device scores another one: not for its own owner, who may have had one device verified and have
 * others. */
bool provider_trust_may_score(const struct gateway_provider *scorer, const char *account_id);
/* Whether some trusted one that may score this device has this file. */
bool provider_trust_any(const struct gateway_provider *device, struct str model,
                        const uint8_t sha256[DIGEST_SHA256_SIZE]);

#endif
