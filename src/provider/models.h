/* Which models a provider hosts, from what its owner named. */
#ifndef NATARIS_PROVIDER_MODELS_H
#define NATARIS_PROVIDER_MODELS_H

#include "provider/agent.h"
#include "provider/model_set.h"
#include "provider/provider_options.h"

#define PROVIDER_OFFER_ALL "all"

struct provider_models {
    struct hosted_model_spec specs[LIMIT_LINK_MODELS]; /* paths borrowed from the options */
    size_t count;
    size_t kept; /* the first so many are loaded at once and kept; the others are on demand */
    struct hosted_model_spec first_of[MODEL_SET_FIRST_OF_MAX]; /* one of these is, too */
    size_t first_of_count;
};

/* The errors are for the person who typed the names. */
MUST_CHECK bool provider_models_resolve(struct provider_models *models, const struct provider_options *options,
                                        const struct engine_ops *ops, struct err *err);
/* Hosts them. `common` is what the options of all models share. */
void provider_models_start(const struct provider_models *models, const struct provider_options *options,
                           const struct hosted_model_options *common, struct agent *agent);

#endif
