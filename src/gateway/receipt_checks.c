#include "gateway/receipt_checks.h"

#include "base/log.h"
#include "base/random.h"

enum { CHECKED_FIRST = 3, CHECKED_ONE_OF = 1024 };

static bool is_checked(struct receipt_checks *checks) {
    uint16_t random;
    if (checks->wrong || checks->seen < CHECKED_FIRST) {
        checks->seen++;
        return true;
    }
    random_few(&random, sizeof(random));
    return random % CHECKED_ONE_OF == 0;
}

bool receipt_checks_pass(struct receipt_checks *checks, const struct receipt_claim *claim,
                         const uint8_t name[RECEIPT_NAME_SIZE], uint32_t attempt,
                         const uint8_t public_key[ED25519_KEY_SIZE], const char *device_id) {
    if (!is_checked(checks) || receipt_claim_verify(claim, name, attempt, public_key)) {
        return true;
    }
    if (!checks->wrong) { /* once for each link: it may go on for ever */
        LOG_WARN_EVENT("receipt.signed_wrongly", LOG_TEXT("provider_id", device_id));
    }
    checks->wrong = true;
    return false;
}
