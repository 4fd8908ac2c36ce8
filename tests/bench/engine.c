/* Tokens per second of the llama engine against the bare decoding loop (nataris-llama --bench-bare) on the same
 * requests, in turns, so that a busy machine slows both. One JSON line per degree of parallelism; beside the ratio of
 * the speeds, the ratio of CPU time per token (bare to engine's child process), which a busy machine hardly changes. */
#include "engine/engine.h"
#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BENCH_TURNS = 3 };

static const char PROMPT[] = "Summary of the text:";

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

static pid_t parent_of(const char *pid) {
    char path[300], line[512];
    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return -1;
    }
    const char *read = fgets(line, sizeof(line), file);
    fclose(file);
    const char *after_name = read != NULL ? strrchr(line, ')') : NULL;
    return after_name != NULL ? (pid_t)strtol(after_name + 4, NULL, 10) : -1; /* ") S 123" */
}

/* CPU time of all threads of our one child process. */
static double child_cpu_seconds(void) {
    double seconds = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *entry = NULL; folder != NULL && (entry = readdir(folder)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        clockid_t clock;
        struct timespec used;
        if (pid > 0 && parent_of(entry->d_name) == getpid() && clock_getcpuclockid(pid, &clock) == 0 &&
            clock_gettime(clock, &used) == 0) {
            seconds += (double)used.tv_sec + (double)used.tv_nsec / 1e9;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return seconds;
}

struct totals {
    uint64_t tokens;
    double seconds, cpu_seconds;
};

static void run_engine(const char *model, uint32_t parallel, uint32_t tokens, uint32_t rounds, struct totals *totals) {
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
    double cpu_before = child_cpu_seconds();
    uint64_t started_us = clock_monotonic_us();
    for (uint32_t i = 0; i < parallel; i++) {
        submit_next(&bench);
    }
    loop_run(bench.loop);
    totals->seconds += (double)(clock_monotonic_us() - started_us) / 1e6;
    totals->cpu_seconds += child_cpu_seconds() - cpu_before;
    totals->tokens += bench.produced;
    ENGINE_LLAMA.close(bench.engine, on_closed, &bench);
    loop_run(bench.loop);
    loop_free(bench.loop);
}

static double number_of(const char *line, const char *key) {
    const char *place = strstr(line, key);
    if (place == NULL) {
        fprintf(stderr, "the bare loop failed\n");
        exit(1);
    }
    return strtod(place + strlen(key), NULL);
}

static const char *child_path(char out[FILE_PATH_MAX]) {
    char folder[FILE_PATH_MAX];
    struct err err = {0};
    const char *given = getenv("NATARIS_LLAMA");
    if (given != NULL) {
        return given;
    }
    if (!file_executable_folder(folder, &err) || !file_join(out, folder, "nataris-llama", &err)) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return out;
}

/* The first line of what the program writes. */
static void run_program(char *const arguments[], char *line, int size) {
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    line[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    bool started = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *output = fdopen(ends[0], "re");
    if (output == NULL || fgets(line, size, output) == NULL) {
        line[0] = '\0';
    }
    if (output != NULL) {
        fclose(output);
    }
    if (started) {
        waitpid(pid, NULL, 0);
    }
}

static void run_bare(const char *model, uint32_t parallel, uint32_t tokens, uint32_t rounds, struct totals *totals) {
    char path[FILE_PATH_MAX], numbers[3][16], line[256];
    snprintf(numbers[0], sizeof(numbers[0]), "%u", parallel);
    snprintf(numbers[1], sizeof(numbers[1]), "%u", tokens);
    snprintf(numbers[2], sizeof(numbers[2]), "%u", rounds);
    char *const arguments[] = {(char *)(uintptr_t)child_path(path),
                               "--bench-bare",
                               (char *)(uintptr_t)model,
                               numbers[0],
                               numbers[1],
                               numbers[2],
                               (char *)(uintptr_t)PROMPT,
                               NULL};
    run_program(arguments, line, sizeof(line));
    totals->tokens += (uint64_t)number_of(line, "\"tokens\":");
    totals->seconds += number_of(line, "\"seconds\":");
    totals->cpu_seconds += number_of(line, "\"cpu_seconds\":");
}

static void compare(const char *model, uint32_t parallel, uint32_t tokens, uint32_t rounds) {
    struct totals engine = {0}, bare = {0};
    for (int turn = 0; turn < BENCH_TURNS; turn++) {
        run_bare(model, parallel, tokens, rounds, &bare);
        run_engine(model, parallel, tokens, rounds, &engine);
    }
    double engine_speed = (double)engine.tokens / engine.seconds, bare_speed = (double)bare.tokens / bare.seconds;
    double engine_cost = engine.cpu_seconds / (double)engine.tokens, bare_cost = bare.cpu_seconds / (double)bare.tokens;
    printf("{\"parallel\":%u,\"tokens\":%llu,\"engine_tokens_per_second\":%.1f,\"bare_tokens_per_second\":%.1f,"
           "\"ratio\":%.3f,\"engine_cpu_us_per_token\":%.1f,\"bare_cpu_us_per_token\":%.1f,\"cpu_ratio\":%.3f}\n",
           parallel, (unsigned long long)engine.tokens, engine_speed, bare_speed, engine_speed / bare_speed,
           engine_cost * 1e6, bare_cost * 1e6, bare_cost / engine_cost);
    fflush(stdout);
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
        compare(argv[1], PARALLEL[i], tokens, rounds);
    }
    return 0;
}
