/* Tokens per second of the llama engine against the bare decoding loop (nataris-llama --bench-bare) on the same
 * requests, in turns, so that a busy machine slows both. One JSON line per degree of parallelism. */
#include "engine/engine.h"
#include "base/clock.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BENCH_TURNS = 3 };

static const char PROMPT[] = "The city of";

struct bench {
    struct loop *loop;
    struct engine *engine;
    enum engine_state state;
    uint32_t parallel, tokens, submitted, total, running;
    uint64_t produced;
};

static void submit_next(struct bench *bench) {
    struct gen_request request;
    if (bench->submitted == bench->total) {
        return;
    }
    gen_request_init(&request);
    request.model = STR("bench");
    request.prompt = str_from(PROMPT);
    request.max_tokens = bench->tokens;
    request.temperature = 1.0;
    request.seed_given = true;
    request.seed = ++bench->submitted;
    request.stream = true;
    bench->running++;
    bench->engine->ops->submit(bench->engine, request.seed, &request);
}

static void on_state(void *context, enum engine_state state, const struct engine_facts *facts, const char *why) {
    struct bench *bench = (struct bench *)context;
    (void)facts;
    bench->state = state;
    if (why != NULL) {
        fprintf(stderr, "%s\n", why);
    }
    loop_stop(bench->loop);
}

static void on_accept(void *context, uint64_t job, uint32_t prompt_tokens) {
    (void)context;
    (void)job;
    (void)prompt_tokens;
}

static void on_delta(void *context, uint64_t job, struct str text, uint32_t tokens) {
    (void)context;
    (void)job;
    (void)text;
    (void)tokens;
}

static void end_job(struct bench *bench) {
    bench->running--;
    submit_next(bench);
    if (bench->running == 0) {
        loop_stop(bench->loop);
    }
}

static void on_done(void *context, uint64_t job, const struct gen_done *done) {
    struct bench *bench = (struct bench *)context;
    (void)job;
    bench->produced += done->usage.completion_tokens;
    end_job(bench);
}

static void on_failed(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param) {
    (void)job;
    (void)failure;
    (void)param;
    fprintf(stderr, "%s\n", message);
    end_job((struct bench *)context);
}

static void on_closed(void *context) {
    loop_stop(((struct bench *)context)->loop);
}

static double run_engine(const char *model, uint32_t parallel, uint32_t tokens, uint32_t rounds, uint64_t *produced) {
    static const struct engine_events EVENTS = {on_state, on_accept, on_delta, on_done, on_failed};
    struct bench bench = {.loop = loop_new(), .parallel = parallel, .tokens = tokens};
    struct engine_options options = {
        .loop = bench.loop, .model_id = "bench", .model_path = model, .child_path = getenv("NATARIS_LLAMA")};
    struct err err = {0};
    bench.total = parallel * rounds;
    if (!ENGINE_LLAMA.open(&bench.engine, &options, &EVENTS, &bench, &err)) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    loop_run(bench.loop);
    if (bench.state != ENGINE_READY) {
        exit(1);
    }
    uint64_t started_us = clock_monotonic_us();
    for (uint32_t i = 0; i < parallel; i++) {
        submit_next(&bench);
    }
    loop_run(bench.loop);
    double seconds = (double)(clock_monotonic_us() - started_us) / 1e6;
    ENGINE_LLAMA.close(bench.engine, on_closed, &bench);
    loop_run(bench.loop);
    loop_free(bench.loop);
    *produced += bench.produced;
    return seconds;
}

static double run_bare(const char *model, uint32_t parallel, uint32_t tokens, uint32_t rounds, uint64_t *produced) {
    char folder[FILE_PATH_MAX], child[FILE_PATH_MAX], command[3 * FILE_PATH_MAX], line[256] = "";
    const char *given = getenv("NATARIS_LLAMA");
    struct err err = {0};
    if (given == NULL && (!file_executable_folder(folder, &err) || !file_join(child, folder, "nataris-llama", &err))) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    snprintf(command, sizeof(command), "'%s' --bench-bare '%s' %u %u %u '%s'", given != NULL ? given : child, model,
             parallel, tokens, rounds, PROMPT);
    FILE *output = popen(command, "re");
    const char *count = NULL, *seconds = NULL;
    if (output != NULL && fgets(line, sizeof(line), output) != NULL) {
        count = strstr(line, "\"tokens\":");
        seconds = strstr(line, "\"seconds\":");
    }
    if (output == NULL || pclose(output) != 0 || count == NULL || seconds == NULL) {
        fprintf(stderr, "the bare loop failed\n");
        exit(1);
    }
    *produced += strtoull(strchr(count, ':') + 1, NULL, 10);
    return strtod(strchr(seconds, ':') + 1, NULL);
}

int main(int argc, char **argv) {
    static const uint32_t PARALLEL[] = {1, 4, 8};
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: bench_engine MODEL [TOKENS [ROUNDS]]\n");
        return 2;
    }
    uint32_t tokens = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 128;
    uint32_t rounds = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 4; /* requests for each parallel one */
    for (size_t i = 0; i < COUNT_OF(PARALLEL); i++) {
        uint64_t engine_tokens = 0, bare_tokens = 0;
        double engine_seconds = 0, bare_seconds = 0;
        for (int turn = 0; turn < BENCH_TURNS; turn++) {
            bare_seconds += run_bare(argv[1], PARALLEL[i], tokens, rounds, &bare_tokens);
            engine_seconds += run_engine(argv[1], PARALLEL[i], tokens, rounds, &engine_tokens);
        }
        double engine = (double)engine_tokens / engine_seconds, bare = (double)bare_tokens / bare_seconds;
        printf("{\"parallel\":%u,\"engine_tokens\":%llu,\"bare_tokens\":%llu,\"engine_tokens_per_second\":%.1f,"
               "\"bare_tokens_per_second\":%.1f,\"ratio\":%.3f}\n",
               PARALLEL[i], (unsigned long long)engine_tokens, (unsigned long long)bare_tokens, engine, bare,
               engine / bare);
        fflush(stdout);
    }
    return 0;
}
