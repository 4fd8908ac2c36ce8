/* What an upstream's refusal means for a job. */
#ifndef NATARIS_ENGINE_UPSTREAM_FAULT_H
#define NATARIS_ENGINE_UPSTREAM_FAULT_H

#include "base/str.h"
#include "net/http_client.h"
#include "wire/generation.h"

#include <stdbool.h>

struct upstream_fault {
    enum gen_failure failure;
    const char *message; /* static: an upstream's own words may hold what the client wrote */
    bool away;           /* it may not be there, or not have the model: look again */
    bool about_sampling; /* 400: of fields that upstream_ask.no_sampling leaves out */
    bool about_options;  /* of stream_options */
};

/* Of an answer with another status than 200, and the beginning of its body. */
struct upstream_fault upstream_fault_of_status(int status, struct str body);
/* Of a transfer that brought no whole answer. */
struct upstream_fault upstream_fault_of_transfer(enum http_failure failure);

#endif
