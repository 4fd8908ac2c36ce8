#include "link/pace.h"

enum { PACE_PERIOD_MS = 1000, PACE_BURST_S = 2, PACE_STATUS_COST = 64 };

void link_pace_limits_init(struct link_pace_limits *limits, uint32_t messages_per_s, uint32_t bytes_per_s) {
    limits->messages = bucket_rate_of(messages_per_s, PACE_PERIOD_MS, PACE_BURST_S * (uint64_t)messages_per_s);
    limits->bytes = bucket_rate_of(bytes_per_s, PACE_PERIOD_MS, PACE_BURST_S * (uint64_t)bytes_per_s);
}

uint64_t link_pace_heard(struct link_pace *pace, const struct link_pace_limits *limits, enum link_kind kind,
                         size_t bytes, uint64_t now_ms) {
    bucket_add(&pace->messages, &limits->messages, kind == LINK_STATUS ? PACE_STATUS_COST : 1, now_ms);
    bucket_add(&pace->bytes, &limits->bytes, bytes, now_ms);
    const uint64_t messages_ms = bucket_wait_ms(&pace->messages, &limits->messages, 1, now_ms);
    const uint64_t bytes_ms = bucket_wait_ms(&pace->bytes, &limits->bytes, 1, now_ms);
    return messages_ms > bytes_ms ? messages_ms : bytes_ms;
}
