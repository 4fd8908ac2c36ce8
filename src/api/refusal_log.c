#include "api/refusal_log.h"

#include "base/log.h"

#include <string.h>

bool refusal_log_is_for(int status) {
    return status == 401 || status == 402 || status == 403 || status == 429;
}

/* FNV-1a, 32 bits: an address that shares its place with another one loses lines, nothing else. */
static size_t place_of(const struct refusal *refusal) {
    uint32_t hash = 2166136261U;
    const char *const words[] = {refusal->address, refusal->code};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        for (const char *c = words[i]; *c != '\0'; c++) {
            hash = (hash ^ (uint8_t)*c) * 16777619U;
        }
    }
    return hash % REFUSAL_LOG_PLACES;
}

static void begin_minute(struct refusal_log *log, uint64_t now_ms) {
    if (log->unlogged > 0) {
        LOG_WARN_EVENT("http.refusals_unlogged", LOG_INT("count", log->unlogged));
    }
    *log = (struct refusal_log){.minute_ms = now_ms};
}

bool refusal_log_write(struct refusal_log *log, const struct refusal *refusal, uint64_t now_ms) {
    if (now_ms - log->minute_ms >= REFUSAL_LOG_MINUTE_MS) {
        begin_minute(log, now_ms);
    }
    uint8_t *place = &log->places[place_of(refusal)];
    if (log->lines >= REFUSAL_LOG_ALL_MAX || *place >= REFUSAL_LOG_EACH_MAX) {
        log->unlogged += log->unlogged < UINT32_MAX;
        return false;
    }
    *place = (uint8_t)(*place + 1);
    log->lines++;
    const char *account = refusal->identity->account_id, *key = refusal->identity->key_id;
    LOG_WARN_EVENT("http.refused", LOG_TEXT("request_id", refusal->request_id), LOG_INT("status", refusal->status),
                   LOG_TEXT("code", refusal->code), LOG_TEXT("account", account[0] != '\0' ? account : "-"),
                   LOG_TEXT("key", key[0] != '\0' ? key : "-"), LOG_TEXT("address", refusal->address));
    return true;
}
