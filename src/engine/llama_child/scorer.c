#include "engine/llama_child/scorer.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/llama_child/score.h"
#include "engine/llama_frames.h"

#include <string.h>
#include <utlist.h>

enum {
    SCORER_PROMPT_TOKENS = 64, /* of the prompt in one piece: a job that comes waits so long at most */
    SCORER_ENDS_MAX = 64,      /* tokens that end a text */
    SCORER_PAUSES = 9,         /* while others run: so many times as long as the last piece took */
};

struct scorer {
    const struct model *model;
    struct score_maker *maker;
    struct job *jobs;  /* oldest first */
    struct slot *slot; /* of the first job: `done` of its tokens are in that cache; NULL: none */
    uint32_t done;
    struct gen_score score; /* of the first job */
    uint64_t due_us;        /* while others run */
    uint32_t ends[SCORER_ENDS_MAX];
    size_t end_count;
    struct llama_batch batch;
};

struct scorer *scorer_new(const struct model *model) {
    struct scorer *scorer = MEM_NEW(struct scorer);
    const uint32_t vocabulary = (uint32_t)llama_vocab_n_tokens(model->vocab);
    scorer->model = model;
    scorer->maker = score_maker_new(vocabulary);
    scorer->batch = llama_batch_init(SCORER_PROMPT_TOKENS, 0, 1);
    for (uint32_t id = 0; id < vocabulary && scorer->end_count < SCORER_ENDS_MAX; id++) {
        if (llama_vocab_is_eog(model->vocab, (llama_token)id)) {
            scorer->ends[scorer->end_count++] = id;
        }
    }
    return scorer;
}

static void forget_slot(struct scorer *scorer) {
    if (scorer->slot != NULL) {
        llama_memory_seq_rm(llama_get_memory(scorer->model->context), scorer->slot->sequence, -1, -1);
        scorer->slot = NULL;
    }
    scorer->done = 0;
}

void scorer_add(struct scorer *scorer, struct job *job) {
    DL_APPEND(scorer->jobs, job);
}

/* Nothing of the job stays. */
static void end_job(struct scorer *scorer, struct job *job) {
    if (job == scorer->jobs) {
        forget_slot(scorer);
        scorer->score = (struct gen_score){0};
    }
    DL_DELETE(scorer->jobs, job);
    job_free(job);
}

bool scorer_cancel(struct scorer *scorer, uint64_t id, struct buf *frames) {
    struct job *job = NULL;
    struct gen_done done;
    DL_SEARCH_SCALAR(scorer->jobs, job, id, id);
    if (job == NULL) {
        return false;
    }
    memset(&done, 0, sizeof(done)); /* sent as it stands in memory */
    done.finish = GEN_FINISH_CANCELLED;
    llama_frame_append(frames, LLAMA_FRAME_DONE, id, (struct str){(const char *)&done, sizeof(done)});
    end_job(scorer, job);
    return true;
}

bool scorer_has_jobs(const struct scorer *scorer) {
    return scorer->jobs != NULL;
}

void scorer_yield(struct scorer *scorer, struct slot *slot) {
    if (slot == scorer->slot) {
        forget_slot(scorer);
    }
}

/* The free slot whose cache is the oldest; what it has is forgotten. */
static bool take_slot(struct scorer *scorer, struct slot *slots, uint32_t count) {
    struct slot *oldest = NULL;
    for (uint32_t i = 0; scorer->slot == NULL && i < count; i++) {
        if (slots[i].job == NULL && (oldest == NULL || slots[i].last_used < oldest->last_used)) {
            oldest = &slots[i];
        }
    }
    if (oldest != NULL) {
        slot_forget_beyond(oldest, 0, llama_get_memory(scorer->model->context));
        oldest->last_used = clock_monotonic_us(); /* jobs take others first */
        scorer->slot = oldest;
    }
    return scorer->slot != NULL;
}

/* The places whose logits say something: from the last token of the prompt to the one before the answer's last that is
 * scored, or, where the end is scored too, to the last one. */
static uint32_t places_end(const struct job *job) {
    return job->prompt.count - 1 + job->answer.scored + (job->answer.score_end ? 1 : 0);
}

static llama_token token_at(const struct job *job, uint32_t at) {
    return at < job->prompt.count ? job->prompt.tokens[at]
                                  : (llama_token)job->answer.ids[job->prompt.continued + at - job->prompt.count];
}

/* Fills the batch with what comes next. Places that were scored before the slot was lost are only read again. */
static void fill_batch(struct scorer *scorer, const struct job *job) {
    struct llama_batch *batch = &scorer->batch;
    const uint32_t end = places_end(job), outputs_max = scorer->model->outputs_max;
    const uint32_t first = job->prompt.count - 1 + scorer->score.tokens;
    uint32_t outputs = 0;
    batch->n_tokens = 0;
    for (uint32_t at = scorer->done; at < end && batch->n_tokens < SCORER_PROMPT_TOKENS; at++) {
        const bool speaks = at >= first;
        if (speaks && outputs == outputs_max) {
            break;
        }
        outputs += speaks;
        const int32_t i = batch->n_tokens++;
        batch->token[i] = token_at(job, at);
        batch->pos[i] = (llama_pos)at;
        batch->n_seq_id[i] = 1;
        batch->seq_id[i][0] = scorer->slot->sequence;
        batch->logits[i] = speaks;
    }
}

static void score_batch(struct scorer *scorer, const struct job *job) {
    const struct job_answer *answer = &job->answer;
    for (int32_t i = 0; i < scorer->batch.n_tokens; i++) {
        const float *logits = scorer->batch.logits[i] != 0 ? llama_get_logits_ith(scorer->model->context, i) : NULL;
        if (logits == NULL) {
            continue;
        }
        const uint32_t at = (uint32_t)scorer->batch.pos[i] + 1 - job->prompt.count;
        const bool ends = at >= answer->scored;
        const uint32_t here = job->prompt.continued + at;
        const uint32_t recent = here < SCORE_RECENT_TOKENS ? here : SCORE_RECENT_TOKENS;
        const struct score_place place = {.logits = logits,
                                          .ids = ends ? scorer->ends : &answer->ids[here],
                                          .count = ends ? scorer->end_count : 1,
                                          .recent = &answer->ids[here - recent],
                                          .recent_count = recent};
        score_add(scorer->maker, &answer->rule, &place, &scorer->score);
    }
    scorer->done += (uint32_t)scorer->batch.n_tokens;
}

static void finish_job(struct scorer *scorer, struct job *job, struct buf *frames) {
    struct gen_score score;
    memset(&score, 0, sizeof(score)); /* sent as it stands in memory */
    score.tokens = scorer->score.tokens;
    score.near = scorer->score.near;
    score.far = scorer->score.far;
    score.spells = job->answer.spells;
    for (int i = 0; i < GEN_RATIO_COUNT; i++) {
        score.ratios[i] = scorer->score.ratios[i];
    }
    llama_frame_append(frames, LLAMA_FRAME_SCORED, job->id, (struct str){(const char *)&score, sizeof(score)});
    end_job(scorer, job);
}

bool scorer_step(struct scorer *scorer, struct slot *slots, uint32_t count, bool busy, struct buf *frames) {
    struct job *job = scorer->jobs;
    const uint64_t started_us = clock_monotonic_us();
    if (job == NULL || (busy && started_us < scorer->due_us)) {
        return false;
    }
    if (!job->answer.spells || job->answer.scored == 0) {
        finish_job(scorer, job, frames);
        return true;
    }
    if (!take_slot(scorer, slots, count)) {
        return false;
    }
    fill_batch(scorer, job);
    if (shim_decode(scorer->model->context, scorer->batch) != 0) {
        llama_frame_append_failed(frames, job->id, GEN_FAILURE_ENGINE, NULL, "the model failed to compute a step");
        end_job(scorer, job);
        return true;
    }
    llama_synchronize(scorer->model->context);
    score_batch(scorer, job);
    const uint64_t now_us = clock_monotonic_us();
    scorer->due_us = now_us + SCORER_PAUSES * (now_us - started_us);
    if (scorer->done >= places_end(job)) {
        finish_job(scorer, job, frames);
    }
    return true;
}
