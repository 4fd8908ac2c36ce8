/* nataris-llama: the process in which llama.cpp runs, one per model. Started by src/engine/llama.c with its end of a
 * socket pair; ends when the other end closes. Nobody starts it by hand, except for --bench-bare and
 * --bench-prefill. */
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/llama_child/batcher.h"
#include "engine/llama_child/bench.h"
#include "engine/llama_child/count.h"
#include "engine/llama_child/intake.h"
#include "engine/llama_child/model.h"
#include "engine/llama_child/outbox.h"
#include "engine/llama_child/sandbox.h"
#include "engine/llama_frames.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char USAGE[] =
    "usage: nataris-llama --model PATH [--slots N] [--context N] [--threads N] [--memory BYTES]\n"
    "       nataris-llama --count --model PATH\n"
    "       nataris-llama --bench-bare PATH SLOTS TOKENS [ROUNDS [PROMPT [THREADS]]]\n"
    "       nataris-llama --bench-prefill PATH ROUNDS PROMPT [THREADS]\n";

static bool read_number(const char *text, uint64_t max, uint64_t *out) {
    return str_parse_u64(str_from(text), max, out);
}

static bool read_option(const char *name, const char *value, struct model_options *options) {
    uint64_t number = 0;
    if (strcmp(name, "--model") == 0) {
        options->path = value;
        return true;
    }
    if (!read_number(value, UINT64_MAX, &number)) {
        return false;
    }
    if (strcmp(name, "--memory") == 0) {
        options->memory_limit = number;
        return true;
    }
    if (number > UINT32_MAX) {
        return false;
    }
    if (strcmp(name, "--slots") == 0) {
        options->slots = (uint32_t)number;
    } else if (strcmp(name, "--context") == 0) {
        options->context_length = (uint32_t)number;
    } else if (strcmp(name, "--threads") == 0) {
        options->threads = (uint32_t)number;
    } else {
        return false;
    }
    return true;
}

static int run_bench(int count, char **words) {
    uint64_t parallel = 0, tokens = 0, rounds = 4, threads = 0;
    const char *prompt = count > 4 ? words[4] : "Summary of the text:";
    if (count < 3 || !read_number(words[1], LIMIT_PROVIDER_SLOTS, &parallel) ||
        !read_number(words[2], LIMIT_MAX_TOKENS, &tokens) || (count > 3 && !read_number(words[3], 1000, &rounds)) ||
        (count > 5 && !read_number(words[5], 1024, &threads))) {
        fputs(USAGE, stderr);
        return 2;
    }
    struct model_options options = {.path = words[0], .threads = (uint32_t)threads};
    return bench_run(&options, prompt, (uint32_t)parallel, (uint32_t)tokens, (uint32_t)rounds);
}

static int run_bench_prefill(int count, char **words) {
    uint64_t rounds = 0, threads = 1;
    if (count < 3 || !read_number(words[1], 1000, &rounds) || (count > 3 && !read_number(words[3], 1024, &threads))) {
        fputs(USAGE, stderr);
        return 2;
    }
    struct model_options options = {.path = words[0], .threads = (uint32_t)threads};
    return bench_prefill(&options, words[2], (uint32_t)rounds);
}

/* The terminal's and the service manager's signals go to the whole group, but the parent decides when this ends: it may
 * be draining. It closes its end of the channel, and SIGKILL remains. */
static void prepare_process(void) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("GGML_NO_BACKTRACE", "1", 1); /* it would start a debugger on the process */
    int flags = fcntl(LLAMA_CHANNEL_FD, F_GETFL);
    fcntl(LLAMA_CHANNEL_FD, F_SETFL, flags & ~O_NONBLOCK);
    fcntl(LLAMA_CHANNEL_FD, F_SETFD, FD_CLOEXEC);
}

/* Whatever of it the kernel lacks: the rest holds, and the log says so once for each process. */
static void confine_process(const char *model_path) {
    struct sandbox sandbox = sandbox_enter(model_path);
    if (!sandbox.seccomp || !sandbox.landlock || !sandbox.capabilities) {
        LOG_WARN_EVENT("llama.sandbox_incomplete", LOG_TEXT("seccomp", sandbox.seccomp ? "yes" : "no"),
                       LOG_TEXT("landlock", sandbox.landlock ? "yes" : "no"),
                       LOG_TEXT("no_capabilities", sandbox.capabilities ? "yes" : "no"));
    }
}

static void send_ready(struct outbox *outbox, const struct model *model) {
    struct buf frame;
    struct llama_ready ready = {
        .slots = model->plan.slots, .context_length = model->plan.context_length, .memory_bytes = model_memory()};
    buf_init(&frame, LLAMA_FRAME_MAX);
    llama_frame_append(&frame, LLAMA_FRAME_READY, 0, (struct str){(const char *)&ready, sizeof(ready)});
    outbox_send(outbox, &frame);
    buf_clear(&frame);
}

static void send_refused(struct outbox *outbox, const struct err *err) {
    struct buf frame;
    uint8_t permanent = err->code == ERR_INVALID;
    buf_init(&frame, LLAMA_FRAME_MAX);
    size_t mark = llama_frame_begin(&frame, LLAMA_FRAME_REFUSED, 0);
    buf_append(&frame, &permanent, sizeof(permanent));
    buf_append_cstr(&frame, err->message);
    llama_frame_end(&frame, mark);
    outbox_send(outbox, &frame);
    buf_clear(&frame);
}

/* Ends with the channel. */
static void run_count(const char *path) __attribute__((noreturn));

static void run_count(const char *path) {
    struct outbox *outbox = MEM_NEW(struct outbox);
    struct model *model = MEM_NEW(struct model);
    struct err err = {0};
    prepare_process();
    outbox_init(outbox, LLAMA_CHANNEL_FD);
    const bool prepared = model_prepare(model, &err);
    confine_process(path);
    if (!prepared || !model_load_vocabulary(model, path, &err)) {
        send_refused(outbox, &err);
        _exit(3);
    }
    send_ready(outbox, model);
    count_run(model, LLAMA_CHANNEL_FD, outbox);
}

/* Ends with the channel. */
static void run_engine(struct model_options *options) __attribute__((noreturn));

static void run_engine(struct model_options *options) {
    /* Shared by the threads until the process ends, so never freed. */
    struct outbox *outbox = MEM_NEW(struct outbox);
    struct intake *intake = MEM_NEW(struct intake);
    struct model *model = MEM_NEW(struct model);
    struct err err = {0};
    prepare_process();
    outbox_init(outbox, LLAMA_CHANNEL_FD);
    const bool prepared = model_prepare(model, &err);
    if (options->memory_limit == 0) {
        options->memory_limit = model_memory_limit_default();
    }
    if (options->threads == 0) {
        options->threads = model_threads_default();
    }
    confine_process(options->path);
    intake_start(intake, LLAMA_CHANNEL_FD, outbox);
    if (!prepared || !model_load(model, options, &err)) {
        send_refused(outbox, &err);
        _exit(3);
    }
    intake_use_model(intake, model);
    send_ready(outbox, model);
    batcher_run(model, intake, outbox);
}

int main(int argc, char **argv) {
    struct model_options options = {.held_to_plan = true};
    if (argc > 2 && strcmp(argv[1], "--bench-bare") == 0) {
        return run_bench(argc - 2, argv + 2);
    }
    if (argc > 2 && strcmp(argv[1], "--bench-prefill") == 0) {
        return run_bench_prefill(argc - 2, argv + 2);
    }
    const bool counts = argc == 4 && strcmp(argv[1], "--count") == 0;
    bool read = true;
    for (int i = counts ? 2 : 1; read && i < argc; i += 2) {
        read = i + 1 < argc && read_option(argv[i], argv[i + 1], &options);
    }
    if (!read || options.path == NULL || fcntl(LLAMA_CHANNEL_FD, F_GETFD) < 0) {
        fputs(USAGE, stderr);
        return 2;
    }
    if (counts) {
        run_count(options.path);
    }
    run_engine(&options);
}
