/* GET /metrics: Prometheus text. What only grows is a counter, and its name ends in _total. */
#ifndef NATARIS_GATEWAY_OPERATOR_METRICS_H
#define NATARIS_GATEWAY_OPERATOR_METRICS_H

#include "base/buf.h"
#include "core/core.h"
#include "store/store.h"
#include "webhook/sender.h"

#include <stddef.h>
#include <stdint.h>

/* Since the start, as the gateway counts on its way. */
struct network_counts {
    uint64_t placements, candidates, continuations, failures, lost, wants, silences, reviews, canaries, audits,
        audits_failed, audits_given_up;
    uint64_t queue_ms, queued; /* time that generations waited until their first placement, and how many did */
};

/* Everything that the text tells, as of now. */
struct metrics {
    struct core_counts core;
    struct network_counts network;
    struct store_counts store;
    struct webhook_counts webhooks;
    struct metrics_disk {
        uint64_t free_bytes, floor_bytes, times_low; /* a floor of 0: it is not looked at */
        bool low, scarce;
    } disk;
    uint64_t audits_unwritten; /* lines of the audits' journal */
    size_t connections;        /* of clients */
};

/* GET /admin/status, one JSON object. */
void metrics_write_status(const struct metrics *metrics, struct buf *out);
void metrics_write(const struct metrics *metrics, struct buf *out);

#endif
