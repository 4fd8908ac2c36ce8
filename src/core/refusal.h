/* A device says that a request itself is at fault: bad, or too long for it. That is a claim of somebody who may gain by
 * it, so it is told to the client only when the gateway's own count says so too, or a second device: of another owner,
 * if one is within reach; or when there is nobody else to ask. docs/REQUEST.md#refusals. */
#ifndef NATARIS_CORE_REFUSAL_H
#define NATARIS_CORE_REFUSAL_H

#include "core/core.h"

struct core_generation;
struct core_offering;
struct core_provider;

struct core_refusal {
    uint64_t provider, owner; /* a handle; owner 0: not known */
    enum core_attempt_failure failure;
    uint32_t context_length; /* that the device offers */
    bool is_false;
};

struct core_refusals {
    struct core_refusal items[CORE_ATTEMPTS_MAX];
    uint32_t count;
    bool others; /* owners that have not refused it have devices within reach: those of one that has are not asked */
};

enum core_refusal_verdict {
    CORE_REFUSAL_BELIEVED, /* the request's fault: the client is told */
    CORE_REFUSAL_OPEN,     /* another one is asked */
    CORE_REFUSAL_FALSE,    /* likewise, and it is held against the device: by the gateway's count the prompt fits */
};

/* BAD_REQUEST or CONTEXT_LENGTH of the device that has the generation, which it remembers. */
enum core_refusal_verdict core_refusal_take(struct core *core, struct core_generation *generation,
                                            enum core_attempt_failure failure);
/* May this device be asked before long, whatever it has said? `most`: core_own_context, which may take a while. */
bool core_refusal_may_answer(const struct core_generation *generation, const struct core_offering *offering,
                             uint32_t most);
/* A device is there that may say whether the refusals are right. */
bool core_refusal_has_other(const struct core *core, const struct core_generation *generation);
/* There is a refusal that nothing speaks against, and nobody left who could. */
bool core_refusal_stands(const struct core *core, const struct core_generation *generation);
/* One that can take it now and is not of an owner that has refused it; NULL: none among those that it looks at. */
struct core_offering *core_refusal_find_other(const struct core_generation *generation);
/* Has this device refused the generation? */
bool core_refusal_was_by(const struct core_generation *generation, const struct core_provider *provider);
/* Likewise, or, while others are to be asked, another one of its owner? */
bool core_refusal_was_heard(const struct core_generation *generation, const struct core_provider *provider);
/* A device has answered the generation, whose prompt has so many tokens: held against those that refused it. */
void core_refusal_answered(struct core *core, const struct core_generation *generation, uint32_t prompt_tokens);
enum core_failure core_refusal_failure(const struct core_generation *generation); /* as the last one said */
/* The largest context that refused it. */
uint32_t core_refusal_context(const struct core_generation *generation);

#endif
