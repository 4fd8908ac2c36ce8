/* Which signatures of a device are checked before they come into receipts (docs/RECEIPTS.md): checking each would cost
 * as much as all else that is done for a request. */
#ifndef NATARIS_GATEWAY_RECEIPT_CHECKS_H
#define NATARIS_GATEWAY_RECEIPT_CHECKS_H

#include "wire/receipt.h"

#include <stdbool.h>
#include <stdint.h>

struct receipt_checks { /* of one device, while its link lasts; zeroed: none yet */
    uint32_t seen;
    bool wrong; /* one was: from then on each is checked */
};

/* Whether the claim may be told; false: its signature is wrong, which is said in the log. */
bool receipt_checks_pass(struct receipt_checks *checks, const struct receipt_claim *claim,
                         const uint8_t name[RECEIPT_NAME_SIZE], uint32_t attempt,
                         const uint8_t public_key[ED25519_KEY_SIZE], const char *device_id);

#endif
