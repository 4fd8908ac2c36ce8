/* The bare decoding loop that `make bench` compares the provider with: the same model, context and samplers, no jobs,
 * no processes. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_BENCH_H
#define NATARIS_ENGINE_LLAMA_CHILD_BENCH_H

#include "engine/llama_child/model.h"

/* Answers `rounds` * `parallel` requests of at most `tokens` tokens, `parallel` at a time: the next one starts when one
 * is answered. Request i has the seed i and temperature 1; control tokens in `prompt` count as such. Prints one JSON
 * line: parallel, tokens, seconds, cpu_seconds, tokens_per_second. Returns the exit status. */
int bench_run(const struct model_options *options, const char *prompt, uint32_t parallel, uint32_t tokens,
              uint32_t rounds);
/* Reads one prompt `rounds` times as llama.cpp's own server would: a context of one sequence, steps of 2048 tokens that
 * are computed 512 at a time, nothing else to do. `text` is up to BENCH_PREFILL_TOKENS_MAX tokens. Prints one JSON
 * line: tokens, and for each round seconds and cpu_seconds. Returns the exit status. */
enum { BENCH_PREFILL_TOKENS_MAX = 8192 };
int bench_prefill(const struct model_options *options, const char *text, uint32_t rounds);

#endif
