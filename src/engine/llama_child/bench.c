#include "engine/llama_child/bench.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/llama_child/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    BENCH_PROMPT_TOKENS_MAX = 256,
    BENCH_PIECE_MAX = 512,
    BENCH_SERVER_BATCH = 2048, /* the defaults of llama.cpp's server */
    BENCH_SERVER_PIECE = 512,
    BENCH_WARM_UP = 64, /* tokens */
};

struct bench_sequence {
    struct llama_sampler *sampler; /* NULL: nothing left to do */
    llama_token next;
    llama_pos position;
    uint32_t produced;
    int32_t logits_at;
};

struct bench {
    const struct model *model;
    llama_token prompt[BENCH_PROMPT_TOKENS_MAX];
    int32_t prompt_count;
    uint32_t parallel, tokens, requests, started, produced;
    struct bench_sequence *sequences;
    struct llama_batch batch;
};

static void add_token(struct bench *bench, llama_token token, llama_pos position, uint32_t sequence, bool logits) {
    struct llama_batch *batch = &bench->batch;
    int32_t at = batch->n_tokens++;
    batch->token[at] = token;
    batch->pos[at] = position;
    batch->n_seq_id[at] = 1;
    batch->seq_id[at][0] = (llama_seq_id)sequence;
    batch->logits[at] = logits;
    bench->sequences[sequence].logits_at = logits ? at : -1;
}

static void start_request(struct bench *bench, uint32_t index) {
    struct bench_sequence *sequence = &bench->sequences[index];
    struct gen_request request;
    sequence->sampler = NULL;
    if (bench->started == bench->requests) {
        return;
    }
    gen_request_init(&request);
    request.temperature = 1.0;
    request.seed_given = true;
    request.seed = ++bench->started;
    sequence->sampler = sampler_new(bench->model->vocab, &request);
    sequence->position = 0;
    sequence->produced = 0;
    llama_memory_seq_rm(llama_get_memory(bench->model->context), (llama_seq_id)index, -1, -1);
}

static void build_batch(struct bench *bench) {
    bench->batch.n_tokens = 0;
    for (uint32_t i = 0; i < bench->parallel; i++) {
        struct bench_sequence *sequence = &bench->sequences[i];
        sequence->logits_at = -1;
        if (sequence->sampler != NULL && sequence->position > 0) {
            add_token(bench, sequence->next, sequence->position++, i, true);
        }
    }
    for (uint32_t i = 0; i < bench->parallel; i++) {
        struct bench_sequence *sequence = &bench->sequences[i];
        int32_t room = (int32_t)bench->model->batch_tokens - bench->batch.n_tokens;
        if (sequence->sampler == NULL || sequence->position > 0 || bench->prompt_count > room) {
            continue;
        }
        for (int32_t k = 0; k < bench->prompt_count; k++) {
            add_token(bench, bench->prompt[k], sequence->position++, i, k == bench->prompt_count - 1);
        }
    }
}

/* The text is made too, as any use of the tokens would. */
static void sample(struct bench *bench, uint32_t index) {
    struct bench_sequence *sequence = &bench->sequences[index];
    const struct llama_vocab *vocab = bench->model->vocab;
    char piece[BENCH_PIECE_MAX];
    sequence->next = llama_sampler_sample(sequence->sampler, bench->model->context, sequence->logits_at);
    bool ended = llama_vocab_is_eog(vocab, sequence->next);
    if (!ended) {
        llama_token_to_piece(vocab, sequence->next, piece, sizeof(piece), 0, false);
        bench->produced++;
        sequence->produced++;
    }
    if (ended || sequence->produced == bench->tokens) {
        llama_sampler_free(sequence->sampler);
        start_request(bench, index);
    }
}

static bool run_steps(struct bench *bench) {
    for (uint32_t i = 0; i < bench->parallel; i++) {
        start_request(bench, i);
    }
    for (build_batch(bench); bench->batch.n_tokens > 0; build_batch(bench)) {
        if (shim_decode(bench->model->context, bench->batch) != 0) {
            return false;
        }
        for (uint32_t i = 0; i < bench->parallel; i++) {
            if (bench->sequences[i].sampler != NULL && bench->sequences[i].logits_at >= 0) {
                sample(bench, i);
            }
        }
    }
    return true;
}

static double cpu_seconds(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

int bench_run(const struct model_options *options, const char *prompt, uint32_t parallel, uint32_t tokens,
              uint32_t rounds) {
    struct model model;
    struct err err = {0};
    if (!model_prepare(&model, &err) || !model_load(&model, options, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    struct bench bench = {.model = &model, .parallel = parallel, .tokens = tokens, .requests = parallel * rounds};
    bench.prompt_count = shim_tokenize(model.vocab, str_from(prompt), bench.prompt, BENCH_PROMPT_TOKENS_MAX, true);
    if (bench.prompt_count <= 0 || parallel > model.plan.slots ||
        (uint32_t)bench.prompt_count + tokens > model.plan.context_length) {
        fprintf(stderr, "too many slots or tokens, or a prompt that is empty or too long\n");
        return 1;
    }
    bench.sequences = mem_calloc(parallel, sizeof(*bench.sequences));
    bench.batch = llama_batch_init((int32_t)model.batch_tokens, 0, 1);
    uint64_t started_us = clock_monotonic_us();
    double cpu_before = cpu_seconds();
    bool ran = run_steps(&bench);
    double seconds = (double)(clock_monotonic_us() - started_us) / 1e6;
    printf("{\"parallel\":%u,\"tokens\":%u,\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"tokens_per_second\":%.1f}\n",
           parallel, bench.produced, seconds, cpu_seconds() - cpu_before, bench.produced / seconds);
    llama_batch_free(bench.batch);
    free(bench.sequences);
    return ran ? 0 : 1;
}

/* One round; false when the model does not compute. */
static bool read_prompt(struct llama_context *context, llama_token *tokens, int32_t count) {
    llama_memory_clear(llama_get_memory(context), false);
    for (int32_t at = 0; at < count; at += BENCH_SERVER_BATCH) {
        int32_t piece = count - at < BENCH_SERVER_BATCH ? count - at : BENCH_SERVER_BATCH;
        if (shim_decode(context, llama_batch_get_one(tokens + at, piece)) != 0) {
            return false;
        }
    }
    llama_synchronize(context);
    return true;
}

static struct llama_context *server_context(const struct model *model, uint32_t threads, struct err *err) {
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = BENCH_PREFILL_TOKENS_MAX;
    params.n_batch = BENCH_SERVER_BATCH;
    params.n_ubatch = BENCH_SERVER_PIECE;
    params.n_threads = params.n_threads_batch = (int32_t)threads;
    params.no_perf = true;
    return shim_context_new(model->llama, params, err);
}

int bench_prefill(const struct model_options *options, const char *text, uint32_t rounds) {
    static llama_token tokens[BENCH_PREFILL_TOKENS_MAX];
    struct model model;
    struct err err = {0};
    if (!model_prepare(&model, &err) || !model_load(&model, options, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int32_t count = shim_tokenize(model.vocab, str_from(text), tokens, BENCH_PREFILL_TOKENS_MAX, true);
    struct llama_context *context = server_context(&model, options->threads > 0 ? options->threads : 1, &err);
    if (count <= 0 || context == NULL) {
        fprintf(stderr, "the prompt is empty or too long, or there is no memory\n");
        return 1;
    }
    bool ran = read_prompt(context, tokens, count < BENCH_WARM_UP ? count : BENCH_WARM_UP);
    printf("{\"tokens\":%d,\"rounds\":[", count);
    for (uint32_t i = 0; ran && i < rounds; i++) {
        uint64_t started_us = clock_monotonic_us();
        double cpu_before = cpu_seconds();
        ran = read_prompt(context, tokens, count);
        printf("%s{\"seconds\":%.4f,\"cpu_seconds\":%.4f}", i > 0 ? "," : "",
               (double)(clock_monotonic_us() - started_us) / 1e6, cpu_seconds() - cpu_before);
    }
    printf("]}\n");
    llama_free(context);
    return ran ? 0 : 1;
}
