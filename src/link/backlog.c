#include "link/backlog.h"

#include "wire/limits.h"

enum { LOOKS_LEAST = 3, LOOKS_CROWDED = 2 };

bool link_backlog_is_stuck(struct link_backlog *backlog, size_t unsent, uint64_t patience_ms, bool crowded,
                           uint64_t now_ms) {
    const uint64_t taken = backlog->queued > unsent ? backlog->queued - unsent : 0;
    if (unsent == 0 || backlog->looks == 0 || taken >= backlog->taken + LIMIT_LINK_TAKEN_BYTES) {
        backlog->taken = taken;
        backlog->moved_ms = now_ms;
        backlog->looks = unsent > 0 ? 1 : 0;
        return false;
    }
    backlog->looks++;
    if (crowded && backlog->looks > LOOKS_CROWDED && unsent >= LIMIT_LINK_TAKEN_BYTES) {
        return true;
    }
    return backlog->looks > LOOKS_LEAST && now_ms - backlog->moved_ms >= patience_ms;
}
