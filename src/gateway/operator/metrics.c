#include "gateway/operator/metrics.h"

static void metric(struct buf *out, const char *type, const char *name, const char *help, uint64_t value) {
    (void)buf_append_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                            (unsigned long long)value);
}

static void write_network(const struct network_counts *counts, struct buf *out) {
    metric(out, "counter", "nataris_placements_total", "Jobs sent to a provider: first and further attempts.",
           counts->placements);
    metric(out, "counter", "nataris_candidates_total", "Providers weighed for all placements.", counts->candidates);
    metric(out, "counter", "nataris_continuations_total", "Answers that another provider went on with.",
           counts->continuations);
    metric(out, "counter", "nataris_failures_total", "Requests that ended without an answer.", counts->failures);
    metric(out, "counter", "nataris_lost_total", "Of these, begun streams that nobody could go on with.", counts->lost);
    metric(out, "counter", "nataris_wants_total", "Providers asked to fetch or load a model.", counts->wants);
    metric(out, "counter", "nataris_silences_total", "Times that a provider with jobs stopped answering.",
           counts->silences);
    metric(out, "counter", "nataris_reviews_total", "Lines added to the review list.", counts->reviews);
    metric(out, "counter", "nataris_audits_total", "Answers of providers that others have scored.", counts->audits);
    metric(out, "counter", "nataris_audits_failed_total", "Audits after which a provider was past the bound.",
           counts->audits_failed);
    metric(out, "counter", "nataris_audits_given_up_total", "Answers that nobody has found the time to score.",
           counts->audits_given_up);
    metric(out, "counter", "nataris_canaries_total", "Known questions asked of providers.", counts->canaries);
    metric(out, "counter", "nataris_queue_waits_total", "Jobs that waited before their first placement.",
           counts->queued);
    metric(out, "counter", "nataris_queue_wait_ms_total", "Milliseconds that they waited in all.", counts->queue_ms);
}

static void write_webhooks(const struct webhook_counts *counts, struct buf *out) {
    metric(out, "counter", "nataris_webhooks_delivered_total", "Webhook deliveries that were taken.",
           counts->delivered);
    metric(out, "counter", "nataris_webhooks_retried_total", "Attempts at a delivery that are made again later.",
           counts->retried);
    metric(out, "counter", "nataris_webhooks_failed_total", "Webhook deliveries that were given up.", counts->failed);
    metric(out, "gauge", "nataris_webhooks_running", "Webhook deliveries under way.", counts->running);
}

void metrics_write(const struct metrics *metrics, struct buf *out) {
    metric(out, "gauge", "nataris_jobs_queued", "Jobs waiting for a provider.", metrics->core.queued);
    metric(out, "gauge", "nataris_jobs_running", "Jobs running on providers.", metrics->core.running);
    metric(out, "gauge", "nataris_providers", "Connected providers.", metrics->core.providers);
    metric(out, "gauge", "nataris_connections", "Open client connections.", metrics->connections);
    write_network(&metrics->network, out);
    write_webhooks(&metrics->webhooks, out);
    metric(out, "counter", "nataris_store_groups_total", "Groups of records committed since the start.",
           metrics->store.groups);
    metric(out, "counter", "nataris_store_records_total", "Records committed since the start.", metrics->store.records);
}
