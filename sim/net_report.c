/* The figures of a run, as a report or as one JSON object. */
#include "sim/network.h"

#include "base/buf.h"
#include "base/json_write.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SAMPLE_FIRST = 256, LINE_MAX_BYTES = 8192 };

void net_sample_add(struct net_sample *sample, uint64_t value) {
    if (sample->count == sample->capacity) {
        sample->capacity = sample->capacity == 0 ? SAMPLE_FIRST : sample->capacity * 2;
        sample->values = mem_realloc(sample->values, sample->capacity * sizeof(*sample->values));
    }
    sample->values[sample->count++] = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

uint32_t net_sample_at(struct net_sample *sample, unsigned share) {
    if (sample->count == 0) {
        return 0;
    }
    qsort(sample->values, sample->count, sizeof(*sample->values), compare);
    return sample->values[(sample->count - 1) * share / 1000];
}

void net_sample_clear(struct net_sample *sample) {
    free(sample->values);
    *sample = (struct net_sample){0};
}

/* Jain's index of what each account got of what it had a right to, while others waited too: 1 is perfectly fair. */
static double fairness(const struct net_figures *figures) {
    double sum = 0, squares = 0, count = 0;
    for (uint32_t i = 1; i <= NET_ACCOUNTS; i++) {
        if (figures->entitled[i] >= 1) {
            double share = figures->served[i] / figures->entitled[i];
            sum += share;
            squares += share * share;
            count++;
        }
    }
    return squares > 0 ? sum * sum / (count * squares) : 1;
}

struct liars {
    uint64_t all, lied;
};

static struct liars count_liars(const struct net_world *world) {
    struct liars liars = {0};
    for (uint32_t i = 0; i < world->device_count; i++) {
        liars.all += world->devices[i].lie != NET_HONEST;
        liars.lied += world->devices[i].has_lied;
    }
    return liars;
}

/* One row: a name for JSON, what it says to people, its value. */
struct row {
    const char *name, *says;
    double value;
};

static double per_s(double count, uint64_t ns) {
    return ns == 0 ? 0 : count * 1e9 / (double)ns;
}

static size_t rows_of_generations(struct net_world *world, struct row *rows) {
    struct net_figures *f = &world->figures;
    const struct row all[] = {
        {"jobs", "jobs", world->generation_count},
        {"finished", "  finished", (double)f->ends[NET_END_FINISHED]},
        {"cancelled", "  client had gone", (double)f->ends[NET_END_CANCELLED]},
        {"refused", "  refused: no credit, no device, queue full", (double)f->ends[NET_END_REFUSED]},
        {"waited", "  nobody answered in time", (double)f->ends[NET_END_WAITED]},
        {"failed", "  failed before any text", (double)f->ends[NET_END_FAILED]},
        {"late", "  cut by the whole deadline", (double)f->ends[NET_END_LATE]},
        {"late_liars", "    of which a lying device had begun", (double)f->late_liars},
        {"lost", "  lost streams", (double)f->ends[NET_END_LOST]},
        {"lost_with_other", "    of which there was another device", (double)f->lost_with_other},
        {"attempts", "attempts", (double)f->attempts},
        {"hits", "begun answers whose device was lost", (double)f->hits},
        {"continuations", "continuations sent", (double)f->continuations},
        {"added_p50_ms", "added latency, lost device to next text: p50 ms", net_sample_at(&f->added_ms, 500)},
        {"added_p99_ms", "  p99 ms", net_sample_at(&f->added_ms, 990)},
        {"ttft_p50_ms", "time to first token: p50 ms", net_sample_at(&f->ttft_ms, 500)},
        {"ttft_p99_ms", "  p99 ms", net_sample_at(&f->ttft_ms, 990)},
        {"queue_p50_ms", "wait for a device: p50 ms", net_sample_at(&f->queue_ms, 500)},
        {"queue_p99_ms", "  p99 ms", net_sample_at(&f->queue_ms, 990)},
        {"fairness", "fairness between accounts (Jain)", fairness(f)},
        {"contended", "  dispatches while several accounts waited", (double)f->contended},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        rows[i] = all[i];
    }
    return COUNT_OF(all);
}

static size_t rows_of_devices(struct net_world *world, struct row *rows) {
    struct net_figures *f = &world->figures;
    struct liars liars = count_liars(world);
    const struct row all[] = {
        {"devices", "devices", world->device_count},
        {"devices_most", "  at once, at most", (double)f->devices_most},
        {"joins", "  joined", (double)f->joins},
        {"losses", "  lost", (double)f->losses},
        {"silences", "    silent with the link open", (double)f->silences},
        {"revivals", "    of which came alive", (double)f->revivals},
        {"wants", "asked to load or fetch a model", (double)f->wants},
        {"cached", "conversations that met their cache", (double)f->cached},
        {"liars", "devices that lie", (double)liars.all},
        {"liars_lied", "  that had an occasion", (double)liars.lied},
        {"liars_found", "  on the review list", (double)f->found},
        {"false_alarms", "  reviews of honest devices", (double)f->false_alarms},
        {"placed_p50", "finish time / the best device's: p50", net_sample_at(&f->placed, 500) / 1000.0},
        {"placed_p90", "  p90", net_sample_at(&f->placed, 900) / 1000.0},
        {"decisions_per_s", "decisions/s of CPU time", per_s((double)f->decision_ns.count, f->decision_sum_ns)},
        {"decision_p50_us", "  a step that dispatches: p50 us", net_sample_at(&f->decision_ns, 500) / 1000.0},
        {"decision_p99_us", "  p99 us", net_sample_at(&f->decision_ns, 990) / 1000.0},
        {"core_share", "core's share of the run", (double)f->core_ns / (double)(f->wall_ns + 1)},
        {"device_bytes", "bytes in the core for a device",
         f->device_bytes_of == 0 ? 0 : (double)f->device_bytes / (double)f->device_bytes_of},
        {"steps_per_s", "core steps/s", per_s((double)world->steps, f->core_ns)},
        {"virtual_minutes", "virtual minutes", (double)world->now_ms / 60000.0},
        {"seconds", "seconds", (double)f->wall_ns / 1e9},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        rows[i] = all[i];
    }
    return COUNT_OF(all);
}

static void report_json(const struct net_world *world, const struct row *rows, size_t count) {
    struct buf out;
    struct json_writer json;
    buf_init(&out, LINE_MAX_BYTES);
    json_writer_init(&json, &out);
    json_begin_object(&json);
    json_member_double(&json, "seed", (double)world->seed);
    for (size_t i = 0; i < count; i++) {
        json_member_double(&json, rows[i].name, rows[i].value);
    }
    json_member_bool(&json, "spend_exact", world->problem == NULL);
    json_end_object(&json);
    printf("%.*s\n", STR_ARG(buf_str(&out)));
    buf_clear(&out);
}

void net_report(struct net_world *world) {
    struct row rows[64];
    size_t count = rows_of_generations(world, rows);
    count += rows_of_devices(world, rows + count);
    if (world->options.json) {
        report_json(world, rows, count);
        return;
    }
    printf("network seed %" PRIu64 ", trace %016" PRIx64 "\n", world->seed, world->hash);
    for (size_t i = 0; i < count; i++) {
        bool whole = rows[i].value == (double)(uint64_t)rows[i].value;
        printf("  %-52s %14.*f\n", rows[i].says, whole ? 0 : 3, rows[i].value);
    }
    printf("  %-52s %14s\n", "spend exact, texts without a seam", world->problem == NULL ? "yes" : "NO");
}
