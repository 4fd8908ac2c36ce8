#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t clock_read_us(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_ms(void) {
    return clock_read_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t clock_monotonic_us(void) {
    return clock_read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void) {
    return (int64_t)(clock_read_us(CLOCK_REALTIME) / 1000);
}

void clock_format_utc(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]) {
    int64_t whole_seconds = wall_ms / 1000, milliseconds = wall_ms % 1000;
    if (milliseconds < 0) {
        milliseconds += 1000;
        whole_seconds--;
    }
    time_t seconds = (time_t)whole_seconds;
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL) {
        snprintf(out, CLOCK_TEXT_SIZE, "out-of-range");
        return;
    }
    char date[CLOCK_TEXT_SIZE - 8];
    if (strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        date[0] = '\0';
    }
    snprintf(out, CLOCK_TEXT_SIZE, "%s.%03dZ", date, (int)milliseconds);
}
