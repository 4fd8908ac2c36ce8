/* Now and then an idle device is asked a question with a known answer (catalog/canary.h). On the wire it is a job like any
 * other; it is free, in nobody's usage, goes to that device alone, and a wrong answer puts the device on the review list. */
#ifndef NATARIS_GATEWAY_CANARY_H
#define NATARIS_GATEWAY_CANARY_H

#include "base/buf.h"
#include "catalog/canary.h"
#include "core/core.h"
#include "wire/generation.h"

struct gateway;
struct gateway_job;

struct canary { /* of a gateway_job that has no call */
    const struct catalog_canary *question;
    struct gen_message message;
    struct gen_request request;
    struct buf answer;
    uint64_t provider; /* handle */
};

void canary_free(struct canary *canary); /* NULL is fine */
/* The timer's: asks some of the devices that are idle, each in its turn. */
void canaries_due(void *context); /* the gateway */
/* Nobody waits for them: they do not hold up a stop. With the gateway's next step. */
void canaries_stop(struct gateway *gateway);
/* FINISH came: looks at the answer. */
void canary_check(struct gateway *gateway, const struct gateway_job *job);

#endif
