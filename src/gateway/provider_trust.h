/* Devices that score other people's prompts and are not audited themselves: the operator's own, those that they have
 * verified, and with --trust-devices all. */
#ifndef NATARIS_GATEWAY_PROVIDER_TRUST_H
#define NATARIS_GATEWAY_PROVIDER_TRUST_H

#include "base/digest.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct gateway_provider;
struct providers;

/* An admitted device is on the list, if it is one of these. */
void provider_trust_join(struct gateway_provider *provider);
void provider_trust_leave(struct gateway_provider *provider);
/* Whether a device has this file loaded now, and scores answers with it; one in quarantine does not. */
bool provider_trust_has_file(const struct gateway_provider *provider, struct str model,
                             const uint8_t sha256[DIGEST_SHA256_SIZE]);
/* What can be said of a device's answers with a model: */
enum provider_judged {
    PROVIDER_JUDGED,         /* it is trusted, or a trusted device scores them */
    PROVIDER_JUDGED_BY_NONE, /* no trusted device has the model in any file */
    /* One has, but this device tells of another file or no ids: nobody could say whether its answers are the
     * model's. */
    PROVIDER_JUDGED_EVADED,
};
enum provider_judged provider_trust_judged(const struct gateway_provider *provider, struct str model);
/* Whether it tells that it has the file that the catalog has for the model, or nothing else. */
bool provider_trust_is_catalogs(const struct gateway_provider *provider, struct str model);
/* Whether some trusted one has. */
bool provider_trust_any(const struct providers *providers, struct str model, const uint8_t sha256[DIGEST_SHA256_SIZE]);

#endif
