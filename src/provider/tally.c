#include "provider/tally.h"

#include "base/clock.h"

void tally_init(struct tally *tally) {
    *tally = (struct tally){.since_ms = clock_wall_ms()};
}

void tally_connected(struct tally *tally, const char *provider_id) {
    tally->connected = true;
    tally->since_ms = clock_wall_ms();
    str_copy(tally->provider_id, sizeof(tally->provider_id), str_from(provider_id));
}

void tally_lost(struct tally *tally, const char *reason) {
    if (tally->connected) {
        tally->connected = false;
        tally->since_ms = clock_wall_ms();
    }
    tally_error(tally, reason);
}

void tally_done(struct tally *tally, const struct gen_done *done) {
    tally->served += done->finish == GEN_FINISH_CANCELLED ? 0 : 1;
    tally->prompt_tokens += done->usage.prompt_tokens;
    tally->completion_tokens += done->usage.completion_tokens;
}

void tally_failed(struct tally *tally, enum gen_failure failure, const char *message) {
    tally->failed++;
    switch (failure) {
    case GEN_FAILURE_BAD_REQUEST:
    case GEN_FAILURE_CONTEXT_LENGTH:
    case GEN_FAILURE_OVERLOADED:
    case GEN_FAILURE_DRAINING:
        return;
    case GEN_FAILURE_MODEL_MISSING:
    case GEN_FAILURE_ENGINE:
        tally_error(tally, message);
        return;
    }
}

void tally_error(struct tally *tally, const char *message) {
    str_copy(tally->last_error, sizeof(tally->last_error), str_from(message));
    tally->last_error_ms = clock_wall_ms();
}
