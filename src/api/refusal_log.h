/* Refused requests in the log: what was refused, whose it was, and from where; never the key. A flood of them must not
 * fill the disk, so there are only so many lines a minute for an address and a code, and in all. */
#ifndef NATARIS_API_REFUSAL_LOG_H
#define NATARIS_API_REFUSAL_LOG_H

#include "auth/auth.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    REFUSAL_LOG_PLACES = 512,  /* addresses and codes told apart, by hash */
    REFUSAL_LOG_EACH_MAX = 5,  /* lines a minute of one of them */
    REFUSAL_LOG_ALL_MAX = 300, /* lines a minute of all */
    REFUSAL_LOG_MINUTE_MS = 60000,
};

struct refusal_log {
    uint64_t minute_ms; /* when this minute began */
    uint32_t lines, unlogged;
    uint8_t places[REFUSAL_LOG_PLACES];
};

struct refusal {
    const char *request_id, *code, *address;
    const struct auth_identity *identity; /* empty: the key is not known */
    int status;
};

/* Whether this status is a refusal: of a key, an account, a balance or a limit. */
bool refusal_log_is_for(int status);
/* Writes a line, or counts it as unlogged: a line tells how many a minute had when the next one begins. `now_ms` is
 * monotonic. Whether it wrote one. */
bool refusal_log_write(struct refusal_log *log, const struct refusal *refusal, uint64_t now_ms);

#endif
