/* The jobs of a device: which are in its engines, and under which id of ours. */
#ifndef NATARIS_PROVIDER_JOB_TABLE_H
#define NATARIS_PROVIDER_JOB_TABLE_H

#include "provider/delivery.h"

#include <stdint.h>

struct hosted_model;

enum job_state {
    JOB_FREE,
    JOB_RUNNING, /* the gateway waits for it */
    JOB_VOID,    /* its link is gone: it was cancelled, and what it still says is dropped */
};

/* A job in an engine. Engines know it by an id of ours, since the gateway's ids may come again on another link while
 * the old job is not yet over. */
struct job_slot {
    enum job_state state;
    uint32_t generation; /* upper half of our id; the lower is the index in the table */
    uint64_t link_job;
    struct hosted_model *model;
    struct delivery *delivery; /* owned; NULL: no signature is asked for */
    int32_t next_free;
};

struct job_table {
    struct job_slot *slots; /* grows up to a limit */
    uint32_t count;
    int32_t first_free;
    uint32_t running; /* slots in JOB_RUNNING */
};

void job_table_init(struct job_table *table);
void job_table_clear(struct job_table *table);

uint64_t job_table_id(const struct job_table *table, const struct job_slot *slot);
/* A free one; NULL: there are too many. It is free until its state is set, which is the only way to change that. */
struct job_slot *job_table_take(struct job_table *table);
struct job_slot *job_table_find(const struct job_table *table, uint64_t id); /* NULL: it is over */
void job_table_set_state(struct job_table *table, struct job_slot *slot, enum job_state next);

#endif
