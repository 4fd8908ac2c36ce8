/* Webhook deliveries a second, from the durable outbox to the durable record of each answer, over loopback.
 * bench_webhooks FILE [--deliveries N] [--webhooks N]
 * Prints one JSON object. FILE is created; put it on the disk that is to be measured. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "net/http_server.h"
#include "store/admin.h"
#include "store/run.h"
#include "store/sqlite/driver.h"
#include "store/store.h"
#include "store/task.h"
#include "webhook/sender.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOOK_MS = 2 };

struct bench {
    struct loop *loop;
    struct store *store;
    struct webhook_sender *sender;
    struct loop_timer *timer;
    uint64_t deliveries, webhooks, added;
    uint64_t started_us, took_us;
};

static void die(const char *what, const char *why) {
    fprintf(stderr, "bench_webhooks: %s: %s\n", what, why);
    exit(1);
}

/* --- The receiver: a process of its own --- */

static void on_request(void *context, struct http_exchange *exchange) {
    (void)context;
    http_respond(exchange, 204, NULL, 0, STR(""));
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context;
    (void)why;
    http_respond(exchange, status, NULL, 0, STR(""));
}

static void receive(int out) {
    static const struct http_server_events EVENTS = {.on_request = on_request, .on_refused = on_refused};
    const struct http_server_config config = {
        .head_limits = {.head_bytes = 65536, .header_count = 100, .url_bytes = 4096},
        .body_bytes = 1 << 20,
        .pipeline_bytes = 65536,
        .head_timeout_ms = 60000,
        .body_pace.stretch_ms = 60000,
        .idle_timeout_ms = 60000,
    };
    const struct listener_options listen = {.address = "127.0.0.1:0", .max_connections = 1024};
    struct http_server *server;
    struct err err;
    struct loop *loop = loop_new();
    if (!http_server_open(&server, loop, &listen, &config, &EVENTS, NULL, &err)) {
        die("receiver", err.message);
    }
    const unsigned port = http_server_port(server);
    if (write(out, &port, sizeof(port)) != sizeof(port)) {
        die("receiver", "no pipe");
    }
    loop_run(loop);
}

static pid_t start_receiver(unsigned *port) {
    int ends[2];
    if (pipe(ends) != 0) {
        die("receiver", "no pipe");
    }
    const pid_t child = fork();
    if (child == 0) {
        receive(ends[1]);
        _exit(0);
    }
    if (child < 0 || read(ends[0], port, sizeof(*port)) != sizeof(*port)) {
        die("receiver", "it did not start");
    }
    return child;
}

/* --- The outbox --- */

static void make_account(struct bench *bench, uint64_t number, char id[STORE_ID_MAX]) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE, .actor = "bench", .now_ms = 1};
    struct err err;
    (void)snprintf(id, STORE_ID_MAX, "acct_%020llu", (unsigned long long)number);
    str_copy(admin.account.id, STORE_ID_MAX, str_from(id));
    if (!store_admin_now(bench->store, &admin, &result, &err)) {
        die("account", err.message);
    }
}

static void on_made(void *context, const struct store_webhook_result *result, const struct err *err) {
    (void)context;
    (void)result;
    if (err != NULL) {
        die("webhook", err->message);
    }
}

static void make_webhook(struct bench *bench, uint64_t number, unsigned port) {
    struct store_webhook_change change = {.kind = STORE_WEBHOOK_CREATE, .now_ms = 1};
    struct store_webhook *webhook = &change.webhook;
    (void)snprintf(webhook->id, STORE_ID_MAX, "wh_%llu", (unsigned long long)number);
    (void)snprintf(webhook->account_id, STORE_ID_MAX, "acct_%020llu", (unsigned long long)number);
    (void)snprintf(webhook->url, sizeof(webhook->url), "http://127.0.0.1:%u/%llu", port, (unsigned long long)number);
    webhook->events = 1U << STORE_EVENT_JOB_COMPLETED;
    random_bytes(webhook->secret, sizeof(webhook->secret));
    store_webhook_change(bench->store, &change, on_made, bench);
}

struct event_task {
    struct store_task task;
    struct bench *bench;
    char account_id[STORE_ID_MAX];
};

static bool event_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    const struct event_task *self = (const struct event_task *)task;
    const struct store_event event = {
        self->account_id, STORE_EVENT_JOB_COMPLETED, clock_wall_ms(),
        STR("{\"id\":\"job_0123456789abcdef\",\"status\":\"completed\",\"cost_usd\":0.1}")};
    return connection->driver->events->add(connection, &event, err);
}

static void event_answer(struct store_task *task, const struct err *err) {
    struct event_task *self = (struct event_task *)task;
    if (err != NULL) {
        die("event", err->message);
    }
    self->bench->added++;
}

static void add_event(struct bench *bench, uint64_t number) {
    static const struct store_task_kind kind = {.write = event_write, .answer = event_answer};
    struct event_task *self = MEM_NEW(struct event_task);
    self->task.kind = &kind;
    self->bench = bench;
    (void)snprintf(self->account_id, STORE_ID_MAX, "acct_%020llu",
                   (unsigned long long)(bench->webhooks > 0 ? number % bench->webhooks : 0));
    store_task_run(bench->store, &self->task);
}

/* --- The measurement --- */

static void on_broken(void *context, const struct err *err) {
    (void)context;
    die("store", err->message);
}

static void on_look(void *context) {
    struct bench *bench = context;
    const struct webhook_counts counts = webhook_sender_counts(bench->sender);
    if (counts.failed + counts.retried > 0) {
        die("delivery", "one was not taken");
    }
    if (counts.delivered < bench->deliveries) {
        return;
    }
    loop_timer_free(bench->timer);
    webhook_sender_stop(bench->sender);
    store_close(bench->store); /* waits for the last records */
    bench->took_us = clock_monotonic_us() - bench->started_us;
    webhook_sender_free(bench->sender);
}

static void open_store(struct bench *bench, const char *path, unsigned port) {
    struct err err;
    char id[STORE_ID_MAX];
    if (!store_open(&bench->store, &sqlite_driver, path, &err)) {
        die("store", err.message);
    }
    for (uint64_t i = 0; i < bench->webhooks; i++) {
        make_account(bench, i, id);
    }
    if (!store_start(bench->store, loop_uv(bench->loop), on_broken, NULL, &err)) {
        die("store", err.message);
    }
    for (uint64_t i = 0; i < bench->webhooks; i++) {
        make_webhook(bench, i, port);
    }
    for (uint64_t i = 0; i < bench->deliveries; i++) {
        add_event(bench, i);
    }
    loop_run(bench->loop);
}

int main(int argc, char **argv) {
    static const struct option OPTIONS[] = {
        {"deliveries", required_argument, NULL, 'd'}, {"webhooks", required_argument, NULL, 'w'}, {0}};
    struct bench bench = {.deliveries = 5000, .webhooks = 8};
    struct rusage before, after;
    struct err err;
    unsigned port = 0;
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        uint64_t *number = option == 'd' ? &bench.deliveries : &bench.webhooks;
        if (option == '?' || !str_parse_u64(str_from(optarg), 60000, number) || *number == 0) {
            return 2;
        }
    }
    if (optind + 1 != argc) {
        die("usage", "bench_webhooks FILE [--deliveries N] [--webhooks N]");
    }
    const pid_t receiver = start_receiver(&port);
    bench.loop = loop_new();
    open_store(&bench, argv[optind], port);
    getrusage(RUSAGE_SELF, &before);
    bench.started_us = clock_monotonic_us();
    const struct webhook_sender_options options = {.loop = bench.loop, .store = bench.store, .lax = true};
    if (!webhook_sender_new(&bench.sender, &options, &err)) {
        die("sender", err.message);
    }
    bench.timer = loop_timer_new(bench.loop, on_look, &bench);
    loop_timer_start(bench.timer, LOOK_MS, LOOK_MS);
    loop_run(bench.loop);
    loop_free(bench.loop);
    getrusage(RUSAGE_SELF, &after);
    kill(receiver, SIGKILL);
    const double seconds = (double)bench.took_us / 1e6;
    const double cpu_s =
        (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
        (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec) /
            1e6;
    printf("{\"deliveries\":%llu,\"seconds\":%.3f,\"per_s\":%.0f,\"cpu_us\":%.1f}\n",
           (unsigned long long)bench.deliveries, seconds, (double)bench.deliveries / seconds,
           cpu_s * 1e6 / (double)bench.deliveries);
    return 0;
}
