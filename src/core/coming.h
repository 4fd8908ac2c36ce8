/* A model that comes to a device: whether it is really on its way. Pure. */
#ifndef NATARIS_CORE_COMING_H
#define NATARIS_CORE_COMING_H

#include "core/core.h"

struct core_offering;

/* The state of an offering by what its device says: FAILED for one that fetches or loads without getting anywhere. */
enum core_model_state core_coming_state(const struct core *core, struct core_offering *offering,
                                        const struct core_offer *offer);

#endif
