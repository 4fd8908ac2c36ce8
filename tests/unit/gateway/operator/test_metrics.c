/* The text of GET /metrics: every figure under its name, with help and type before it. */
#include "gateway/operator/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Each figure has a number of its own, so that none can be another's. */
static const struct metrics METRICS = {
    .core = {.queued = 1, .running = 2, .providers = 3},
    .network = {.placements = 10,
                .candidates = 11,
                .continuations = 12,
                .failures = 13,
                .lost = 14,
                .wants = 15,
                .silences = 16,
                .reviews = 17,
                .canaries = 18,
                .audits = 118,
                .audits_failed = 119,
                .audits_given_up = 120,
                .queue_ms = 19,
                .queued = 20},
    .store = {.groups = 30, .records = 31, .deliveries_dropped = 44},
    .webhooks = {.delivered = 40, .failed = 41, .retried = 42, .running = 43, .paused = true},
    .disk = {.free_bytes = 60, .floor_bytes = 61, .times_low = 62, .low = true},
    .audits_unwritten = 63,
    .connections = 50,
};

static const struct {
    const char *name;
    unsigned value;
} FIGURES[] = {
    {"nataris_jobs_queued", 1},
    {"nataris_jobs_running", 2},
    {"nataris_providers", 3},
    {"nataris_connections", 50},
    {"nataris_placements_total", 10},
    {"nataris_candidates_total", 11},
    {"nataris_continuations_total", 12},
    {"nataris_failures_total", 13},
    {"nataris_lost_total", 14},
    {"nataris_wants_total", 15},
    {"nataris_silences_total", 16},
    {"nataris_reviews_total", 17},
    {"nataris_canaries_total", 18},
    {"nataris_audits_total", 118},
    {"nataris_audits_failed_total", 119},
    {"nataris_audits_given_up_total", 120},
    {"nataris_queue_waits_total", 20},
    {"nataris_queue_wait_ms_total", 19},
    {"nataris_webhooks_delivered_total", 40},
    {"nataris_webhooks_retried_total", 42},
    {"nataris_webhooks_failed_total", 41},
    {"nataris_webhooks_running", 43},
    {"nataris_webhooks_paused", 1},
    {"nataris_webhooks_dropped_total", 44},
    {"nataris_disk_free_bytes", 60},
    {"nataris_disk_low", 1},
    {"nataris_disk_low_total", 62},
    {"nataris_audits_unwritten_total", 63},
    {"nataris_store_groups_total", 30},
    {"nataris_store_records_total", 31},
};

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        count++;
    }
    return count;
}

static void test_every_figure(void **state) {
    struct buf out;
    char line[128];
    (void)state;
    buf_init(&out, 1 << 16);
    metrics_write(&METRICS, &out);
    for (size_t i = 0; i < COUNT_OF(FIGURES); i++) {
        (void)snprintf(line, sizeof(line), "\n%s %u\n", FIGURES[i].name, FIGURES[i].value);
        if (count_of(buf_cstr(&out), line) != 1) {
            fail_msg("not once:%s in %s", line, buf_cstr(&out));
        }
    }
    assert_int_equal(count_of(buf_cstr(&out), "# TYPE "), COUNT_OF(FIGURES));
    assert_int_equal(count_of(buf_cstr(&out), "# HELP "), COUNT_OF(FIGURES));
    buf_clear(&out);
}

/* Prometheus treats the two differently. */
static void test_what_only_grows_is_a_counter(void **state) {
    struct buf out;
    char line[128];
    (void)state;
    buf_init(&out, 1 << 16);
    metrics_write(&METRICS, &out);
    for (size_t i = 0; i < COUNT_OF(FIGURES); i++) {
        const char *name = FIGURES[i].name;
        const bool total = strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0;
        (void)snprintf(line, sizeof(line), "# TYPE %s %s\n", name, total ? "counter" : "gauge");
        if (strstr(buf_cstr(&out), line) == NULL) {
            fail_msg("no %s in %s", line, buf_cstr(&out));
        }
    }
    buf_clear(&out);
}

static void test_the_status_says_how_the_disk_is(void **state) {
    static const struct {
        struct metrics_disk disk;
        const char *state;
    } CASES[] = {{{0}, "unwatched"},
                 {{.floor_bytes = 1, .free_bytes = 2}, "enough"},
                 {{.floor_bytes = 1, .low = true}, "low"},
                 {{.floor_bytes = 1, .low = true, .scarce = true}, "scarce"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct metrics metrics = METRICS;
        struct buf out;
        char text[64];
        buf_init(&out, 1 << 16);
        metrics.disk = CASES[i].disk;
        metrics_write_status(&metrics, &out);
        (void)snprintf(text, sizeof(text), "\"disk\":{\"state\":\"%s\"", CASES[i].state);
        assert_non_null(strstr(buf_cstr(&out), text));
        assert_non_null(strstr(buf_cstr(&out), "\"webhooks\":{\"paused\":true,\"running\":43,"));
        assert_non_null(strstr(buf_cstr(&out), "\"dropped\":44}"));
        assert_non_null(strstr(buf_cstr(&out), "\"unwritten\":63}"));
        buf_clear(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_status_says_how_the_disk_is),
        cmocka_unit_test(test_every_figure),
        cmocka_unit_test(test_what_only_grows_is_a_counter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
