/* What a run of the network simulator counts and measures. */
#ifndef NATARIS_SIM_NET_FIGURES_H
#define NATARIS_SIM_NET_FIGURES_H

#include <stddef.h>
#include <stdint.h>

struct net_sample { /* of one quantity */
    uint32_t *values;
    size_t count, capacity;
};

enum net_end {
    NET_END_FINISHED,
    NET_END_CANCELLED,
    NET_END_REFUSED, /* no credit, no device with the model, queue full */
    NET_END_WAITED,  /* nobody took it in time */
    NET_END_FAILED,  /* attempts used up, or not durable: before any text */
    NET_END_LATE,    /* text had come, but the whole deadline passed */
    NET_END_LOST,    /* text had come, and its device was lost */
    NET_ENDS,
};

enum { NET_FIGURE_ACCOUNTS = 9 };

struct net_figures {
    uint64_t ends[NET_ENDS];
    uint64_t lost_with_other; /* of NET_END_LOST and NET_END_LATE, those that another device could have continued */
    uint64_t late_liars;      /* of NET_END_LATE, those that a lying device had worked on */
    uint64_t hits;            /* devices lost, silent or in error under a begun answer */
    uint64_t continuations, attempts, deltas, wants, cached;
    uint64_t losses, silences, revivals, joins, refused_joins, devices_most;
    uint64_t reviews, found, false_alarms;
    uint64_t not_durable;
    struct net_sample added_ms, silent_ms, ttft_ms,
        queue_ms;             /* added: lost device until the next text; silent: of these, silent ones */
    struct net_sample placed; /* thousandths of the best finish time */
    struct net_sample decision_ns;
    double served[NET_FIGURE_ACCOUNTS], entitled[NET_FIGURE_ACCOUNTS];
    uint64_t contended;
    uint64_t core_ns, decision_sum_ns, wall_ns;
    size_t device_bytes, device_bytes_of;
};

void net_sample_add(struct net_sample *sample, uint64_t value);
/* `share` in thousandths; sorts. 0 when there is none. */
uint32_t net_sample_at(struct net_sample *sample, unsigned share);
void net_sample_clear(struct net_sample *sample);

#endif
