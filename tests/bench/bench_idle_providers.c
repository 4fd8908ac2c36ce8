/* Holds N idle providers on one gateway, for the rows of `make bench` about many of them.
 *
 *   bench_idle_providers URL TOKEN N
 *
 * Prints "ready" once all are admitted and have sent a status; ends when standard input does. */
#include "base/digest.h"
#include "base/mem.h"
#include "link/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { PROMPT_TOKENS = 20 };

struct idle_provider {
    struct link_client *client;
    bool ready;
};

static size_t ready_count, wanted;

static void on_ready(void *context, const char *provider_id) {
    struct idle_provider *provider = context;
    (void)provider_id;
    ready_count += provider->ready ? 0 : 1;
    provider->ready = true;
    if (ready_count == wanted) {
        printf("ready\n");
        fflush(stdout);
    }
}

static void on_status_due(void *context) {
    struct idle_provider *provider = context;
    static const struct link_model MODEL = {.id = {"nataris-demo-2m", 15},
                                            .state = LINK_MODEL_WARM,
                                            .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE),
                                            .slots = 8,
                                            .context_length = 1024};
    const struct link_status status = {.models = &MODEL, .model_count = 1, .battery_percent = -1};
    link_client_send_status(provider->client, &status);
}

/* Answers with a word, so that requests can be served over the links that are held. */
static void on_job(void *context, uint64_t job, const struct gen_request *request) {
    struct idle_provider *provider = context;
    (void)request;
    link_client_send_accept(provider->client, &(struct link_accept){.job = job, .prompt_tokens = PROMPT_TOKENS});
    link_client_send_delta(provider->client, &(struct link_delta){.job = job, .tokens = 1, .text = STR("Python")});
    const struct link_done done = {
        .job = job, .finish = LINK_FINISH_STOP, .usage = {.prompt_tokens = PROMPT_TOKENS, .completion_tokens = 1}};
    link_client_send_done(provider->client, &done);
}

static void on_cancel(void *context, uint64_t job) {
    (void)context;
    (void)job;
}

static void on_drain(void *context) {
    (void)context;
}

static void on_lost(void *context, const char *reason, bool fatal) {
    (void)context;
    fprintf(stderr, "bench_idle_providers: link lost: %s%s\n", reason, fatal ? " (for good)" : "");
}

static void on_input(uv_poll_t *poll, int status, int events) {
    char byte;
    (void)poll;
    (void)status;
    (void)events;
    if (fread(&byte, 1, 1, stdin) == 0) {
        exit(0); /* a bench program: the kernel closes the links */
    }
}

int main(int argc, char **argv) {
    static const struct link_client_events EVENTS = {.on_ready = on_ready,
                                                     .on_status_due = on_status_due,
                                                     .on_job = on_job,
                                                     .on_cancel = on_cancel,
                                                     .on_drain = on_drain,
                                                     .on_lost = on_lost};
    if (argc != 4) {
        fprintf(stderr, "usage: bench_idle_providers URL TOKEN N\n");
        return 2;
    }
    const struct rlimit files = {.rlim_cur = 20000, .rlim_max = 20000};
    setrlimit(RLIMIT_NOFILE, &files);
    wanted = strtoul(argv[3], NULL, 10);
    struct loop *loop = loop_new();
    struct idle_provider *providers = mem_calloc(wanted, sizeof(*providers));
    for (size_t i = 0; i < wanted; i++) {
        struct link_client_config config = {.url = argv[1],
                                            .join_token = argv[2],
                                            .device = {.name = STR("idle"), .os = STR("linux"), .agent = STR("bench")},
                                            .backoff_min_ms = 1000,
                                            .backoff_max_ms = 10000};
        uint8_t public_key[ED25519_KEY_SIZE];
        struct err err;
        ed25519_generate(config.private_key, public_key);
        if (!link_client_new(&providers[i].client, loop, &config, &EVENTS, &providers[i], &err)) {
            fprintf(stderr, "bench_idle_providers: %s\n", err.message);
            return 1;
        }
    }
    uv_poll_t input;
    uv_poll_init(loop_uv(loop), &input, 0);
    uv_poll_start(&input, UV_READABLE, on_input);
    loop_run(loop);
    return 0;
}
