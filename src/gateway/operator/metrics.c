#include "gateway/operator/metrics.h"

#include "base/json_write.h"

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

static void write_webhooks(const struct webhook_counts *counts, uint64_t dropped, struct buf *out) {
    metric(out, "counter", "nataris_webhooks_delivered_total", "Webhook deliveries that were taken.",
           counts->delivered);
    metric(out, "counter", "nataris_webhooks_retried_total", "Attempts at a delivery that are made again later.",
           counts->retried);
    metric(out, "counter", "nataris_webhooks_failed_total", "Webhook deliveries that were given up.", counts->failed);
    metric(out, "gauge", "nataris_webhooks_running", "Webhook deliveries under way.", counts->running);
    metric(out, "gauge", "nataris_webhooks_paused", "Whether none is sent now: the disk is nearly full.",
           counts->paused);
    metric(out, "counter", "nataris_webhooks_dropped_total",
           "Events that were not kept for a webhook: its account's quota was full, or the disk.", dropped);
}

static void write_disk(const struct metrics *metrics, struct buf *out) {
    metric(out, "gauge", "nataris_disk_free_bytes", "Free where the database is; 0: it is not looked at.",
           metrics->disk.free_bytes);
    metric(out, "gauge", "nataris_disk_low", "Whether that is below the floor, so that nothing new is taken on.",
           metrics->disk.low);
    metric(out, "counter", "nataris_disk_low_total", "Times that it fell below the floor.", metrics->disk.times_low);
    metric(out, "counter", "nataris_audits_unwritten_total",
           "Audits that were not written to their journal at once: the disk was nearly full, or broke.",
           metrics->audits_unwritten);
}

void metrics_write_status(const struct metrics *metrics, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_int(&writer, "jobs_queued", (int64_t)metrics->core.queued);
    json_member_int(&writer, "jobs_running", (int64_t)metrics->core.running);
    json_member_int(&writer, "devices", (int64_t)metrics->core.providers);
    json_member_int(&writer, "connections", (int64_t)metrics->connections);
    json_write_key(&writer, "disk");
    json_begin_object(&writer);
    json_member_cstr(&writer, "state",
                     metrics->disk.floor_bytes == 0 ? "unwatched"
                     : metrics->disk.scarce         ? "scarce"
                     : metrics->disk.low            ? "low"
                                                    : "enough");
    json_member_int(&writer, "free_bytes", (int64_t)metrics->disk.free_bytes);
    json_member_int(&writer, "floor_bytes", (int64_t)metrics->disk.floor_bytes);
    json_member_int(&writer, "times_low", (int64_t)metrics->disk.times_low);
    json_end_object(&writer);
    json_write_key(&writer, "webhooks");
    json_begin_object(&writer);
    json_member_bool(&writer, "paused", metrics->webhooks.paused);
    json_member_int(&writer, "running", (int64_t)metrics->webhooks.running);
    json_member_int(&writer, "delivered", (int64_t)metrics->webhooks.delivered);
    json_member_int(&writer, "retried", (int64_t)metrics->webhooks.retried);
    json_member_int(&writer, "failed", (int64_t)metrics->webhooks.failed);
    json_member_int(&writer, "dropped", (int64_t)metrics->store.deliveries_dropped);
    json_end_object(&writer);
    json_write_key(&writer, "audits");
    json_begin_object(&writer);
    json_member_int(&writer, "scored", (int64_t)metrics->network.audits);
    json_member_int(&writer, "failed", (int64_t)metrics->network.audits_failed);
    json_member_int(&writer, "unwritten", (int64_t)metrics->audits_unwritten);
    json_end_object(&writer);
    json_end_object(&writer);
}

void metrics_write(const struct metrics *metrics, struct buf *out) {
    metric(out, "gauge", "nataris_jobs_queued", "Jobs waiting for a provider.", metrics->core.queued);
    metric(out, "gauge", "nataris_jobs_running", "Jobs running on providers.", metrics->core.running);
    metric(out, "gauge", "nataris_providers", "Connected providers.", metrics->core.providers);
    metric(out, "gauge", "nataris_connections", "Open client connections.", metrics->connections);
    write_network(&metrics->network, out);
    write_webhooks(&metrics->webhooks, metrics->store.deliveries_dropped, out);
    write_disk(metrics, out);
    metric(out, "counter", "nataris_store_groups_total", "Groups of records committed since the start.",
           metrics->store.groups);
    metric(out, "counter", "nataris_store_records_total", "Records committed since the start.", metrics->store.records);
}
