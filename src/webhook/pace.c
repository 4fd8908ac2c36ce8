#include "webhook/pace.h"

void webhook_pace_init(struct webhook_pace *pace) {
    *pace = (struct webhook_pace){.limit = WEBHOOK_PACE_START};
}

void webhook_pace_faster(struct webhook_pace *pace) {
    pace->pause_ms = 0;
    pace->limit += pace->limit < WEBHOOK_PACE_MAX;
}

void webhook_pace_slower(struct webhook_pace *pace, uint64_t now_ms, int64_t asked_ms) {
    uint64_t pause_ms = asked_ms > 0 ? (uint64_t)asked_ms : 0;
    pause_ms = pause_ms < WEBHOOK_PAUSE_ASKED_MAX_MS ? pause_ms : WEBHOOK_PAUSE_ASKED_MAX_MS;
    pace->pause_ms = pace->pause_ms == 0 ? WEBHOOK_PAUSE_MIN_MS : 2 * pace->pause_ms;
    pace->pause_ms = pace->pause_ms < WEBHOOK_PAUSE_MAX_MS ? pace->pause_ms : WEBHOOK_PAUSE_MAX_MS;
    pace->limit = pace->limit > 1 ? pace->limit / 2 : 1;
    const uint64_t until_ms = now_ms + (pause_ms > pace->pause_ms ? pause_ms : pace->pause_ms);
    pace->paused_until_ms = until_ms > pace->paused_until_ms ? until_ms : pace->paused_until_ms;
}

void webhook_pace_go_on(struct webhook_pace *pace) {
    pace->paused_until_ms = 0;
}

bool webhook_pace_is_paused(const struct webhook_pace *pace, uint64_t now_ms) {
    return pace->paused_until_ms > now_ms;
}

bool webhook_pace_is_settled(const struct webhook_pace *pace, uint64_t now_ms) {
    return pace->paused_until_ms + pace->pause_ms <= now_ms;
}
