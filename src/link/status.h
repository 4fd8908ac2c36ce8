/* What a provider says of itself with every heartbeat, and what the gateway wishes in return. */
#ifndef NATARIS_LINK_STATUS_H
#define NATARIS_LINK_STATUS_H

#include "base/buf.h"
#include "link/job_kind.h"
#include "link/reader.h"
#include "link/version.h"

/* COLD: its file is here and checked, no engine runs it; a job for it loads it first. */
enum link_model_state {
    LINK_MODEL_DOWNLOADING,
    LINK_MODEL_LOADING,
    LINK_MODEL_WARM,
    LINK_MODEL_FAILED,
    LINK_MODEL_COLD,
};
const char *link_model_state_name(enum link_model_state state); /* "downloading", "loading", "warm", "failed", "cold" */

struct link_model {
    struct str id;
    enum link_model_state state;
    uint32_t kinds; /* of the jobs that it does: a set of LINK_JOB_KIND_BIT; in version 1 always GENERATE alone */
    uint32_t slots, context_length;   /* 0 until known */
    uint64_t bytes_done, bytes_total; /* while downloading */
    uint64_t bytes_per_s;             /* while downloading, smoothed; 0: not known yet */
    uint32_t load_ms;                 /* how long loading takes here, as last seen; 0: not known yet */
    struct str sha256;                /* of its file, in small hexadecimal digits; empty: not told (version 1 never) */
    bool too_large;                   /* cold, and does not fit the memory that its owner allows now */
};

enum link_heat { LINK_HEAT_NOMINAL, LINK_HEAT_FAIR, LINK_HEAT_SERIOUS, LINK_HEAT_CRITICAL };
const char *link_heat_name(enum link_heat heat); /* "nominal", "fair", "serious", "critical" */

/* Why a device takes no new jobs although its link is up: its owner's limits (docs/PROTOCOL.md). */
enum link_pause {
    LINK_PAUSE_NONE,
    LINK_PAUSE_OWNER,   /* paused by hand */
    LINK_PAUSE_BATTERY, /* below its floor */
    LINK_PAUSE_POWER,   /* not charging */
    LINK_PAUSE_HEAT,
    LINK_PAUSE_HOURS,   /* outside its hours */
    LINK_PAUSE_METERED, /* the network costs money */
    LINK_PAUSE_IN_USE,  /* its owner is using it */
};
const char *link_pause_name(enum link_pause pause); /* "none", "owner", "battery", "power", "heat", "hours", ... */

struct link_status {
    const struct link_model *models;
    size_t model_count;
    uint32_t active_jobs;
    enum link_heat heat;
    int32_t battery_percent; /* -1: no battery */
    bool charging;
    uint64_t ram_free_bytes;
    enum link_pause pause;       /* the owner's limit that takes no new jobs now */
    bool takes_wants;            /* its owner lets it fetch models that are in demand */
    uint64_t storage_free_bytes; /* room for further models, within the owner's quota */
};

struct link_want {
    struct str model;
};

/* Each appends one text message. Check out->overflow. */
void link_encode_status(struct buf *out, enum link_version version, const struct link_status *status);
void link_encode_want(struct buf *out, const struct link_want *want);

/* Each reads one, whose out is zeroed. */
MUST_CHECK bool link_read_status(const struct link_reader *reader, enum link_version version, struct link_status *out);
MUST_CHECK bool link_read_want(const struct link_reader *reader, struct link_want *out);

#endif
