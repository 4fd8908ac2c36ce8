/* A long list of workflows: how long a page of it takes, with the total.
 * bench_workflows FILE [--workflows N]
 * Prints one JSON object. FILE is created. */
#include "store/workflows.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/accounts.h"
#include "store/sqlite/driver.h"
#include "store/store.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 20, LISTS = 501, AT_ONCE = 10000, REQUEST_BYTES = 2000 };

struct bench {
    uv_loop_t loop;
    struct store *store;
    uint64_t workflows;
    char request[REQUEST_BYTES];
};

static void check(const char *what, const struct err *err) {
    if (err != NULL) {
        fprintf(stderr, "bench_workflows: %s: %s\n", what, err->message);
        exit(1);
    }
}

static void on_added(void *context, const struct store_workflow *workflow, const struct store_step *steps, size_t count,
                     bool changed, const struct err *err) {
    (void)context;
    (void)workflow;
    (void)steps;
    (void)count;
    (void)changed;
    check("add", err);
}

static void on_list(void *context, const struct store_workflow *workflows, size_t count, bool more, int64_t total,
                    const struct err *err) {
    const struct bench *bench = context;
    (void)workflows;
    check("list", err);
    if (count != PAGE || !more || total != (int64_t)bench->workflows) {
        fprintf(stderr, "bench_workflows: a page of %zu out of %" PRId64 "\n", count, total);
        exit(1);
    }
}

static void open_store(struct bench *bench, const char *path) {
    const struct store_account account = {.id = "acct_1", .name = "one"};
    struct err err;
    if (uv_loop_init(&bench->loop) != 0 || !store_open(&bench->store, &sqlite_driver, path, &err) ||
        !store_account_add(bench->store, &account, &err) ||
        !store_start(bench->store, &bench->loop, NULL, NULL, &err)) {
        check("open", &err);
    }
    memset(bench->request, 'w', sizeof(bench->request));
}

static void make_id(uint64_t number, char out[STORE_ID_MAX]) {
    snprintf(out, STORE_ID_MAX, "wf_%012" PRIx64 "0123456789abcdef", number);
}

static void fill(struct bench *bench) {
    struct store_workflow_new asked = {.workflow = {.account_id = "acct_1",
                                                    .key_id = "key_1",
                                                    .kind = 1,
                                                    .model = "llama-3.2-3b-instruct",
                                                    .task = "Compare the ways to store energy from wind and sun",
                                                    .max_steps = 10,
                                                    .max_cost_nano = -1,
                                                    .request = {bench->request, sizeof(bench->request)}}};
    for (uint64_t i = 0; i < bench->workflows; i++) {
        make_id(i, asked.workflow.id);
        asked.workflow.created_ms = (int64_t)i;
        store_workflow_add(bench->store, &asked, on_added, bench);
        if (i % AT_ONCE == AT_ONCE - 1 || i + 1 == bench->workflows) {
            uv_run(&bench->loop, UV_RUN_DEFAULT);
        }
    }
}

static int compare_u64(const void *first, const void *second) {
    const uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second;
    return (a > b) - (a < b);
}

/* The median, in microseconds. Each page behind another workflow when `middle`. */
static uint64_t list_us(struct bench *bench, bool middle) {
    uint64_t samples_us[LISTS];
    for (uint64_t i = 0; i < LISTS; i++) {
        struct store_workflow_query query = {.account_id = "acct_1", .status = -1, .limit = PAGE};
        if (middle) {
            make_id(bench->workflows / 4 + i * (bench->workflows / 2) / LISTS, query.after);
        }
        const uint64_t started_us = clock_monotonic_us();
        store_workflow_list(bench->store, &query, on_list, bench);
        uv_run(&bench->loop, UV_RUN_DEFAULT);
        samples_us[i] = clock_monotonic_us() - started_us;
    }
    qsort(samples_us, LISTS, sizeof(samples_us[0]), compare_u64);
    return samples_us[LISTS / 2];
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"workflows", required_argument, NULL, 'w'}, {0}};
    struct bench bench = {.workflows = 100 * 1000};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'w' || !str_parse_u64(str_from(optarg), 10 * 1000 * 1000, &bench.workflows)) {
            return 2;
        }
    }
    if (optind != argc - 1 || bench.workflows < LISTS) {
        fprintf(stderr, "usage: bench_workflows FILE [--workflows N]\n");
        return 2;
    }
    open_store(&bench, argv[optind]);
    fill(&bench);
    const uint64_t first_us = list_us(&bench, false), middle_us = list_us(&bench, true);
    printf("{\"first_us\": %" PRIu64 ", \"middle_us\": %" PRIu64 "}\n", first_us, middle_us);
    store_close(bench.store);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench.loop);
    return 0;
}
