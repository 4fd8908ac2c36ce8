/* Settled jobs a second with durable commits, their latency and their CPU, and how long the ledger's check takes.
 * bench_store FILE [--records N] [--waiting N] [--accounts N] [--rate N] [--free] [--random-ids] [--check]
 * Prints one JSON object. FILE is created; put it on the disk that is to be measured. */
#include "store/store.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "store/admin.h"
#include "store/ledger.h"
#include "store/settlements.h"
#include "store/sqlite/driver.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct bench {
    struct store *store;
    uv_loop_t loop;
    uv_timer_t timer;
    uint64_t records, waiting, accounts, rate;
    bool free_jobs, random_ids, check;
    uint64_t sent, answered, started_us;
    uint32_t *latency_us;
    uint64_t *sent_us;
};

static void die(const char *what, const struct err *err) {
    fprintf(stderr, "bench_store: %s: %s\n", what, err->message);
    exit(1);
}

static void add_accounts(struct bench *bench) {
    struct err err;
    for (uint64_t i = 0; i < bench->accounts; i++) {
        struct store_admin admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                    .actor = "bench",
                                    .key_count = 1,
                                    .amount_nano = STORE_AMOUNT_MAX_NANO / 10,
                                    .now_ms = 1};
        struct store_admin result;
        snprintf(admin.account.id, sizeof(admin.account.id), "acct_%020llu", (unsigned long long)i);
        snprintf(admin.keys[0].id, sizeof(admin.keys[0].id), "key_%020llu", (unsigned long long)i);
        digest_sha256(&i, sizeof(i), admin.keys[0].sha256);
        admin.keys[0].cap_nano = -1;
        if (!store_admin_now(bench->store, &admin, &result, &err)) {
            die("account", &err);
        }
    }
}

static void send_one(struct bench *bench);

static void on_durable(void *context, const struct err *err) {
    struct bench *bench = context;
    if (err != NULL) {
        die("settlement", err);
    }
    bench->latency_us[bench->answered] = (uint32_t)(clock_monotonic_us() - bench->sent_us[bench->answered]);
    bench->answered++;
    if (bench->rate == 0 && bench->sent < bench->records) {
        send_one(bench);
    }
}

static void send_one(struct bench *bench) {
    struct store_settlement settlement = {.generation = {.outcome = STORE_OUTCOME_COMPLETED,
                                                         .prompt_tokens = 40,
                                                         .completion_tokens = 200,
                                                         .attempts = 1,
                                                         .ttft_ms = 30,
                                                         .latency_ms = 900}};
    struct store_generation *job = &settlement.generation;
    const uint64_t number = bench->sent++, client = number * 7 % bench->accounts;
    char random[17];
    random_base62(random, sizeof(random) - 1);
    if (bench->random_ids) {
        snprintf(job->id, sizeof(job->id), "chatcmpl-%.8s%s", random, random);
    } else {
        snprintf(job->id, sizeof(job->id), "chatcmpl-%08llx%s", (unsigned long long)number, random);
    }
    snprintf(job->account_id, sizeof(job->account_id), "acct_%020llu", (unsigned long long)client);
    snprintf(job->key_id, sizeof(job->key_id), "key_%020llu", (unsigned long long)client);
    snprintf(job->model, sizeof(job->model), "qwen2.5-0.5b-instruct-q6_k");
    snprintf(job->device_id, sizeof(job->device_id), "prov_%020llu", (unsigned long long)(number % 50));
    job->created_ms = INT64_C(1767225600000) + (int64_t)number / 20;
    if (!bench->free_jobs) {
        job->charge_nano = 24000;
        job->provider_nano = 20400;
    }
    snprintf(settlement.provider_account_id, sizeof(settlement.provider_account_id), "acct_%020llu",
             (unsigned long long)(number % 50 % bench->accounts)); /* of a free job too: it is not the ledger's work */
    bench->sent_us[number] = clock_monotonic_us();
    store_settle(bench->store, &settlement, on_durable, bench);
}

static void on_timer(uv_timer_t *timer) {
    struct bench *bench = (struct bench *)timer->data;
    const uint64_t due = (clock_monotonic_us() - bench->started_us) * bench->rate / 1000000;
    while (bench->sent < due && bench->sent < bench->records) {
        send_one(bench);
    }
    if (bench->sent == bench->records) {
        uv_timer_stop(timer);
    }
}

static int compare(const void *a, const void *b) {
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void run(struct bench *bench) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    bench->started_us = clock_monotonic_us();
    if (bench->rate > 0) {
        uv_timer_init(&bench->loop, &bench->timer);
        bench->timer.data = bench;
        uv_timer_start(&bench->timer, on_timer, 0, 1);
    } else {
        while (bench->sent < bench->waiting && bench->sent < bench->records) {
            send_one(bench);
        }
    }
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    const double wall = (double)(clock_monotonic_us() - bench->started_us) / 1e6;
    getrusage(RUSAGE_SELF, &after);
    const struct store_counts counts = store_counts(bench->store);
    const double records = (double)bench->records;
    qsort(bench->latency_us, bench->records, sizeof(*bench->latency_us), compare);
    printf("{\"settled_per_s\": %.0f, \"user_us\": %.2f, \"system_us\": %.2f, \"group\": %.1f, \"p50_us\": %u, "
           "\"p99_us\": %u",
           records / wall, (seconds(after.ru_utime) - seconds(before.ru_utime)) * 1e6 / records,
           (seconds(after.ru_stime) - seconds(before.ru_stime)) * 1e6 / records, records / (double)counts.groups,
           bench->latency_us[bench->records / 2], bench->latency_us[bench->records * 99 / 100]);
}

static void on_problem(void *context, const char *text) {
    (void)context;
    fprintf(stderr, "bench_store: %s\n", text);
}

static void check(struct bench *bench, const char *path) {
    struct store_ledger_report report;
    struct err err;
    store_close(bench->store);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    if (!store_open(&bench->store, &sqlite_driver, path, &err)) {
        die("open", &err);
    }
    const uint64_t started_us = clock_monotonic_us();
    if (!store_ledger_check(bench->store, on_problem, NULL, &report, &err)) {
        die("check", &err);
    }
    printf(", \"check_entries\": %lld, \"check_problems\": %lld, \"check_s\": %.3f", (long long)report.entries,
           (long long)report.problems, (double)(clock_monotonic_us() - started_us) / 1e6);
}

static bool parse(struct bench *bench, int argc, char **argv) {
    static const struct option options[] = {
        {"records", required_argument, NULL, 'r'},  {"waiting", required_argument, NULL, 'w'},
        {"accounts", required_argument, NULL, 'a'}, {"rate", required_argument, NULL, 't'},
        {"free", no_argument, NULL, 'f'},           {"random-ids", no_argument, NULL, 'i'},
        {"check", no_argument, NULL, 'c'},          {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t *const number = option == 'r'   ? &bench->records
                                 : option == 'w' ? &bench->waiting
                                 : option == 'a' ? &bench->accounts
                                 : option == 't' ? &bench->rate
                                                 : NULL;
        bench->free_jobs |= option == 'f';
        bench->random_ids |= option == 'i';
        bench->check |= option == 'c';
        if (option == '?' || (number != NULL && !str_parse_u64(str_from(optarg), 100000000, number))) {
            return false;
        }
    }
    return optind == argc - 1 && bench->records > 0 && bench->waiting > 0 && bench->accounts > 0;
}

int main(int argc, char **argv) {
    struct bench bench = {.records = 100000, .waiting = 1000, .accounts = 100};
    struct err err;
    if (!parse(&bench, argc, argv)) {
        fprintf(stderr, "usage: bench_store FILE [--records N] [--waiting N] [--accounts N] [--rate N] [--free]"
                        " [--random-ids] [--check]\n");
        return 2;
    }
    bench.latency_us = mem_calloc(bench.records, sizeof(*bench.latency_us));
    bench.sent_us = mem_calloc(bench.records, sizeof(*bench.sent_us));
    if (uv_loop_init(&bench.loop) != 0 || !store_open(&bench.store, &sqlite_driver, argv[optind], &err)) {
        die("open", &err);
    }
    add_accounts(&bench);
    if (!store_start(bench.store, &bench.loop, NULL, NULL, &err)) {
        die("start", &err);
    }
    run(&bench);
    if (bench.check) {
        check(&bench, argv[optind]);
    }
    printf("}\n");
    store_close(bench.store);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    free(bench.latency_us);
    free(bench.sent_us);
    return 0;
}
