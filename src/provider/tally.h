/* What a running provider has done since its start, for its owner. */
#ifndef NATARIS_PROVIDER_TALLY_H
#define NATARIS_PROVIDER_TALLY_H

#include "base/err.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

enum { TALLY_ID_SIZE = 64 };

struct tally {
    bool connected;
    int64_t since_ms;                /* wall clock: connected, or not, since then */
    char provider_id[TALLY_ID_SIZE]; /* empty before the first connection */
    uint64_t served;                 /* jobs that came to their own end */
    uint64_t failed, refused, handed_back;
    uint64_t prompt_tokens, completion_tokens; /* of cancelled ones, too */
    char last_error[ERR_MESSAGE_MAX];          /* empty: none */
    int64_t last_error_ms;
};

void tally_init(struct tally *tally);
void tally_connected(struct tally *tally, const char *provider_id);
void tally_lost(struct tally *tally, const char *reason);
void tally_done(struct tally *tally, const struct gen_done *done);
/* Only what is the device's fault is an error worth showing. */
void tally_failed(struct tally *tally, enum gen_failure failure, const char *message);
void tally_error(struct tally *tally, const char *message);

#endif
