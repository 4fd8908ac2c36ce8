/* An engine on a loop of its own, and what its events said about each job. */
#ifndef NATARIS_TESTS_SUPPORT_ENGINE_WORLD_H
#define NATARIS_TESTS_SUPPORT_ENGINE_WORLD_H

#include "base/buf.h"
#include "engine/engine.h"
#include "support/upstream_host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { WORLD_JOBS = 64, WORLD_DELTAS = 256, WORLD_IDS = 512 };

struct world_job { /* index: the job's id */
    uint32_t accepts, deltas, dones, failures;
    uint32_t prompt_tokens, delta_tokens;
    struct buf text;
    uint32_t ids[WORLD_IDS]; /* of the first tokens */
    struct buf logprobs;     /* of all tokens, if they were asked for; wire/logprobs.h */
    size_t next_len;         /* so many of its last bytes are of the delta that comes next */
    /* After each of the first WORLD_DELTAS deltas: the text's length and the tokens so far. */
    struct {
        size_t length;
        uint32_t tokens;
    } after[WORLD_DELTAS];
    uint32_t reads, read_tokens; /* words on how far the prompt is read, and the last one */
    struct gen_done done;
    uint32_t scores;
    struct gen_score score;
    enum gen_failure failure;
    char message[ERR_MESSAGE_MAX], param[ERR_FIELD_MAX];
};

struct engine_world {
    struct loop *loop;
    struct engine *engine;
    const struct engine_ops *ops;
    struct engine_facts facts;
    enum engine_state state;
    uint32_t state_changes;
    char why[ERR_MESSAGE_MAX];
    struct world_job jobs[WORLD_JOBS];
    uint32_t ended; /* jobs with on_done or on_failed */
    bool closed;
    struct upstream_host *host; /* of the upstream engine; NULL: options.upstream_url is somebody else's */
    uint64_t cancel_on_accept;  /* a job to cancel when it is accepted; 0: none */
};

/* The built-in demo model, 2 slots, otherwise the engine's defaults. */
#define WORLD_MODEL NATARIS_SOURCE_DIR "/models/nataris-demo-2m-q8_0.gguf"
struct engine_options world_options(const char *model_path);
/* Opens and waits until the engine is READY or FAILED. The upstream engine gets a server of its own, which is given the
 * same options, unless they have a URL. */
void world_open(struct engine_world *world, const struct engine_ops *ops, const struct engine_options *options);
/* Closes the engine, waits for it, and frees everything. */
void world_close(struct engine_world *world);

/* Runs the loop until the condition holds; fails the test after 60 seconds. */
void world_run_until(struct engine_world *world, bool (*condition)(struct engine_world *world, uint64_t number),
                     uint64_t number);
bool world_ended(struct engine_world *world, uint64_t count); /* that many jobs are over */
bool world_accepted(struct engine_world *world, uint64_t job);
bool world_has_text(struct engine_world *world, uint64_t job);
bool world_in_state(struct engine_world *world, uint64_t state);

/* A chat with one user message; temperature 0. `message` must outlive the request. */
struct gen_request world_chat(struct gen_message *message, const char *text);
/* Submits, waits for the end and returns what was recorded. */
struct world_job *world_ask(struct engine_world *world, uint64_t job, const struct gen_request *request);
/* What a job said, to be scored; it borrows from the job. */
struct gen_answer world_answer(const struct world_job *job);
/* Likewise, of an answer to be scored. */
struct world_job *world_score(struct engine_world *world, uint64_t job, const struct gen_request *request,
                              const struct gen_answer *answer);
/* The engine's process: the only child of this one. */
pid_t world_child(void);

#endif
