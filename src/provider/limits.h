/* What the owner of a device allows. Enforced here, on the device: the gateway is told, but need not be trusted. */
#ifndef NATARIS_PROVIDER_LIMITS_H
#define NATARIS_PROVIDER_LIMITS_H

#include "base/err.h"
#include "base/str.h"
#include "link/status.h"
#include "provider/device_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the network costs money: as the device shows, or as its owner says. */
enum owner_metered { OWNER_METERED_AUTO, OWNER_METERED_YES, OWNER_METERED_NO };

struct owner_limits {
    uint32_t battery_floor_percent; /* no new jobs below it while not charging; 0: none */
    bool only_charging;             /* a device without a battery counts as charging */
    enum link_heat heat_max;        /* the hottest state that still takes jobs; never CRITICAL */
    bool hours_given;
    uint16_t hours_from, hours_until; /* minutes of the local day; from > until spans midnight */
    bool avoid_metered;               /* no jobs and no downloads while the network costs money */
    enum owner_metered metered;
    uint64_t ram_max_bytes;  /* of all engines together; 0: half of what is available */
    uint32_t cpu_percent;    /* share of the cores that engines may use, 1 to 100 */
    uint32_t max_jobs;       /* at once over all models; 0: as many as the slots */
    uint32_t pause_in_use_s; /* no jobs until the owner has been idle so long; 0: off */
};
void owner_limits_init(struct owner_limits *limits);
/* "22:00-06:30". */
MUST_CHECK bool owner_limits_set_hours(struct owner_limits *limits, struct str text, struct err *err);
/* "auto", "yes", "no". */
MUST_CHECK bool owner_limits_set_metered(struct owner_limits *limits, struct str text, struct err *err);
/* "nominal", "fair" or "serious". */
MUST_CHECK bool owner_limits_set_heat(struct owner_limits *limits, struct str text, struct err *err);
/* Threads for an engine, from the share of the cores and what was asked for (0: not asked for). 0: the engine
 * chooses. */
uint32_t owner_limits_threads(const struct owner_limits *limits, uint32_t cores, uint32_t asked);
/* What one of `model_count` engines may plan with. 0: the engine chooses. */
uint64_t owner_limits_memory(const struct owner_limits *limits, size_t model_count);
/* Jobs that run may not go on: the device is about to switch itself off. */
bool owner_limits_must_stop(const struct device_state *state);
/* Downloads cost money, too. */
bool owner_limits_may_download(const struct owner_limits *limits, const struct device_state *state);
/* The first limit that is hit, in the order of enum link_pause. Pure: the moment is handed in. */
enum link_pause owner_limits_check(const struct owner_limits *limits, const struct device_state *state,
                                   uint16_t minute_of_day, bool paused_by_owner);
/* A sentence for the owner: which limit, its value and what the device shows. */
void owner_limits_explain(enum link_pause pause, const struct owner_limits *limits, const struct device_state *state,
                          char *out, size_t out_size);

#endif
