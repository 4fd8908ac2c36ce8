/* How many posts go to one webhook at once, and when: one more with each that is taken; half as many, and a pause that
 * doubles, when it is slow or says that it is asked too much. Pure; times are of one monotonic clock. */
#ifndef NATARIS_WEBHOOK_PACE_H
#define NATARIS_WEBHOOK_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WEBHOOK_PACE_START = 2, /* posts at once */
    WEBHOOK_PACE_MAX = 16,
    WEBHOOK_PAUSE_MIN_MS = 1000,
    WEBHOOK_PAUSE_MAX_MS = 10 * 60 * 1000,
    WEBHOOK_PAUSE_ASKED_MAX_MS = 60 * 60 * 1000, /* of the pauses that a webhook asks for */
};

struct webhook_pace {
    unsigned limit; /* posts at once */
    uint64_t pause_ms, paused_until_ms;
};

void webhook_pace_init(struct webhook_pace *pace);
/* A post was taken. */
void webhook_pace_faster(struct webhook_pace *pace);
/* `asked_ms`: the pause that it asks for; 0 or less: none. */
void webhook_pace_slower(struct webhook_pace *pace, uint64_t now_ms, int64_t asked_ms);
/* The pause is over, whatever it was for; the next one is not shorter for that. */
void webhook_pace_go_on(struct webhook_pace *pace);
bool webhook_pace_is_paused(const struct webhook_pace *pace, uint64_t now_ms);
/* It need not be remembered: its last pause has been over for as long again. */
bool webhook_pace_is_settled(const struct webhook_pace *pace, uint64_t now_ms);

#endif
