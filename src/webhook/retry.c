#include "webhook/retry.h"

#include "base/compiler.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

/* Standard Webhooks 1.0, "Retries": about three days in all. */
static const uint32_t waits_ms[] = {5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS,
                                    10 * HOUR_MS,  14 * HOUR_MS,  20 * HOUR_MS,   24 * HOUR_MS};

static bool asks_for_less(const struct webhook_answer *answer) {
    return answer->timed_out || answer->status == 429 || answer->status == 502 || answer->status == 504;
}

struct webhook_retry webhook_retry_after(const struct webhook_answer *answer, uint32_t attempts, int jitter) {
    struct webhook_retry retry = {.state = STORE_DELIVERY_FAILED, .slow = asks_for_less(answer)};
    if (answer->status >= 200 && answer->status <= 299) {
        retry.state = STORE_DELIVERY_DELIVERED;
    } else if (answer->status == 410) {
        retry.gone = true;
    } else if (attempts >= 1 && attempts <= COUNT_OF(waits_ms)) {
        const int64_t wait_ms = waits_ms[attempts - 1];
        const int64_t asked_ms = answer->retry_after_ms < 24 * HOUR_MS ? answer->retry_after_ms : 24 * HOUR_MS;
        const int64_t after_ms = wait_ms + wait_ms * jitter / 1000;
        retry.state = STORE_DELIVERY_WAITING;
        retry.after_ms = (uint64_t)(after_ms > asked_ms ? after_ms : asked_ms);
    }
    return retry;
}
