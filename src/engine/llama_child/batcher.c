#include "engine/llama_child/batcher.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/llama_child/pace.h"
#include "engine/llama_child/scorer.h"
#include "engine/llama_child/slot.h"
#include "engine/llama_frames.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    BATCHER_ABORTED = 2,         /* of llama_decode: the abort callback said so */
    BATCHER_PREFILL_SEEDED = 16, /* fixed for jobs with a seed: the size of the pieces changes the last bits */
    BATCHER_GATHER_US = 200 * 1000,
    BATCHER_SEND_US = 1000, /* deltas of very short steps share a write: it wakes the parent */
    BATCHER_GATHER_BYTES = 32 * 1024,
    BATCHER_PIECE_MAX = 512,
    BATCHER_RELEASE_TOKENS = 1024, /* a slot whose text was longer gives its memory back when another text begins */
    BATCHER_OUT_MAX = 64 * 1024 * 1024,
};

struct batcher {
    const struct model *model;
    struct intake *intake;
    struct outbox *outbox;
    struct slot *slots;
    uint32_t slot_count, running;
    struct job *queue; /* waiting for a slot, oldest first */
    struct scorer *scorer;
    struct llama_batch batch;
    struct buf frames;
    bool urgent;               /* `frames` holds more than further text of answers */
    uint64_t step_us, sent_us; /* when the last step ended, when frames were last sent */
    struct pace pace;
    uint32_t turn;   /* slot whose prompt is first when not all fit into a step */
    bool broken_off; /* the last step was, and others than the cancelled job lost work by that */
};

static llama_memory_t cache_of(const struct batcher *batcher) {
    return llama_get_memory(batcher->model->context);
}

static void end_slot(struct batcher *batcher, struct slot *slot, enum gen_finish finish, uint64_t now_us) {
    slot_finish(slot, finish, &batcher->frames, now_us);
    batcher->running--;
    intake_give_back(batcher->intake);
    batcher->urgent = true;
}

/* The end of a job that never had a slot. */
static void end_unstarted(struct batcher *batcher, struct job *job, enum gen_finish finish, uint64_t now_us) {
    struct gen_done done;
    memset(&done, 0, sizeof(done)); /* sent as it stands in memory */
    done.finish = finish;
    done.usage.prompt_tokens = job->promised ? job_prompt_tokens(job) : 0;
    done.timings.queue_ms = (uint32_t)((now_us - job->received_us) / 1000);
    llama_frame_append(&batcher->frames, LLAMA_FRAME_DONE, job->id, (struct str){(const char *)&done, sizeof(done)});
    batcher->urgent = true;
    if (job->promised) {
        intake_give_back(batcher->intake);
    }
    DL_DELETE(batcher->queue, job);
    job_free(job);
}

static void cancel_job(struct batcher *batcher, uint64_t id, uint64_t now_us) {
    struct job *job = NULL;
    if (scorer_cancel(batcher->scorer, id, &batcher->frames)) {
        batcher->urgent = true;
        return;
    }
    DL_SEARCH_SCALAR(batcher->queue, job, id, id);
    if (job != NULL) {
        end_unstarted(batcher, job, GEN_FINISH_CANCELLED, now_us);
        return;
    }
    for (uint32_t i = 0; i < batcher->slot_count; i++) {
        if (batcher->slots[i].job != NULL && batcher->slots[i].job->id == id) {
            end_slot(batcher, &batcher->slots[i], GEN_FINISH_CANCELLED, now_us);
        }
    }
}

static void take_arrivals(struct batcher *batcher) {
    struct intake_batch arrived;
    struct job *job = NULL, *next = NULL;
    const bool idle = batcher->running == 0 && batcher->queue == NULL && !scorer_has_jobs(batcher->scorer);
    intake_take(batcher->intake, idle, &arrived);
    DL_FOREACH_SAFE (arrived.jobs, job, next) {
        DL_DELETE(arrived.jobs, job);
        if (job->answer.ids != NULL) {
            scorer_add(batcher->scorer, job);
        } else {
            DL_APPEND(batcher->queue, job);
        }
    }
    uint64_t now_us = arrived.cancel_count > 0 ? clock_monotonic_us() : 0;
    for (size_t i = 0; i < arrived.cancel_count; i++) {
        cancel_job(batcher, arrived.cancels[i], now_us);
    }
    free(arrived.cancels);
}

/* A job has a slot promised since it came, or waits for the first one that becomes free. */
static bool may_enter(struct batcher *batcher, struct job *job) {
    if (!job->promised && intake_promise(batcher->intake)) {
        job->promised = true;
        job_append_accept(job, &batcher->frames);
        batcher->urgent = true;
    }
    return job->promised;
}

static void admit_jobs(struct batcher *batcher) {
    struct job *job = NULL, *next = NULL;
    DL_FOREACH_SAFE (batcher->queue, job, next) {
        if (!may_enter(batcher, job)) {
            continue;
        }
        if (job->max_tokens == 0) { /* its text does not even fit: it must not get near a slot */
            end_unstarted(batcher, job, GEN_FINISH_LENGTH, clock_monotonic_us());
            continue;
        }
        struct slot *slot = slot_choose(batcher->slots, batcher->slot_count, job);
        DL_DELETE(batcher->queue, job);
        const uint32_t had = slot->cached;
        scorer_yield(batcher->scorer, slot);
        slot_take_job(slot, job, cache_of(batcher), clock_monotonic_us());
        if (slot->cached == 0 && had >= BATCHER_RELEASE_TOKENS) {
            cache_pages_release(&batcher->model->cache, (uint32_t)slot->sequence);
        }
        batcher->running++;
    }
}

static void add_to_batch(struct batcher *batcher, struct slot *slot, uint32_t count) {
    struct llama_batch *batch = &batcher->batch;
    slot->step_tokens = count;
    slot->logits_at = -1;
    for (uint32_t i = 0; i < count; i++) {
        int32_t at = batch->n_tokens++;
        batch->token[at] = slot->tokens[slot->cached + i];
        batch->pos[at] = (llama_pos)(slot->cached + i);
        batch->n_seq_id[at] = 1;
        batch->seq_id[at][0] = slot->sequence;
        batch->logits[at] = 0;
    }
    if (count > 0 && slot->cached + count == slot->length) {
        slot->logits_at = batch->n_tokens - 1;
        batch->logits[slot->logits_at] = 1;
    }
}

static bool reads_prompt(const struct slot *slot) {
    return slot->job != NULL && slot->length - slot->cached > 1;
}

/* How many tokens of this slot's prompt take part, when `budget` of them are left for so many prompts. */
static uint32_t prefill_share(const struct batcher *batcher, const struct slot *slot, uint32_t budget, uint32_t prompts,
                              uint32_t least) {
    uint32_t left = slot->length - slot->cached;
    uint32_t room = batcher->model->batch_tokens - (uint32_t)batcher->batch.n_tokens;
    uint32_t share = budget / prompts > least ? budget / prompts : least;
    if (slot->job->seed_given) {
        share = BATCHER_PREFILL_SEEDED;
        if (room < share && room < left) {
            return 0; /* in the next step, in its proper size */
        }
    }
    share = share < left ? share : left;
    return share < room ? share : room;
}

/* Prompts, each with its share of what the step may read. Those for which nothing is left come first in the next
 * step. */
static uint32_t add_prompts(struct batcher *batcher, const struct pace_load *load) {
    uint32_t budget = pace_tokens(&batcher->pace, load), least = pace_least(load);
    uint32_t prompts = load->prompts, first = batcher->turn, read = 0;
    for (uint32_t i = 0; i < batcher->slot_count && prompts > 0; i++) {
        uint32_t index = (first + i) % batcher->slot_count;
        struct slot *slot = &batcher->slots[index];
        if (!reads_prompt(slot)) {
            continue;
        }
        if (read > 0 && budget < least) {
            batcher->turn = index;
            break;
        }
        add_to_batch(batcher, slot, prefill_share(batcher, slot, budget, prompts--, least));
        read += slot->step_tokens;
        budget -= slot->step_tokens < budget ? slot->step_tokens : budget;
    }
    return read;
}

/* What the batch goes on with, and in *prompt_tokens how many tokens of prompts are in it. */
static struct pace_load build_batch(struct batcher *batcher, uint32_t *prompt_tokens) {
    struct pace_load load = {0};
    batcher->batch.n_tokens = 0;
    for (uint32_t i = 0; i < batcher->slot_count; i++) {
        struct slot *slot = &batcher->slots[i];
        bool single = slot->job != NULL && !reads_prompt(slot);
        add_to_batch(batcher, slot, single ? 1 : 0);
        load.answers += single;
        load.prompts += reads_prompt(slot);
    }
    *prompt_tokens = load.prompts > 0 ? add_prompts(batcher, &load) : 0;
    return load;
}

static void fail_slot(struct batcher *batcher, struct slot *slot, const char *why) {
    slot_fail(slot, &batcher->frames, cache_of(batcher), why);
    batcher->running--;
    batcher->urgent = true;
    intake_give_back(batcher->intake);
}

static void fail_batch(struct batcher *batcher) {
    for (uint32_t i = 0; i < batcher->slot_count; i++) {
        if (batcher->slots[i].job != NULL && batcher->slots[i].step_tokens > 0) {
            fail_slot(batcher, &batcher->slots[i], "the model failed to compute a step");
        }
    }
}

/* Samples the slot's next token and turns it into text. */
static void advance_slot(struct batcher *batcher, struct slot *slot, uint64_t now_us) {
    const struct llama_vocab *vocab = batcher->model->vocab;
    char piece[BATCHER_PIECE_MAX];
    llama_token token;
    if (!job_pick(slot->job, batcher->model->context, slot->logits_at, &token)) {
        fail_slot(batcher, slot, "the grammar allows no further token");
        return;
    }
    if (slot->first_token_us == 0) {
        slot->first_token_us = now_us;
        batcher->urgent = true;
    }
    if (llama_vocab_is_eog(vocab, token)) {
        end_slot(batcher, slot, GEN_FINISH_STOP, now_us); /* an end token is no text and is not counted */
        return;
    }
    if (slot->job->logprobs) {
        slot_add_logprobs(slot, vocab, llama_get_logits_ith(batcher->model->context, slot->logits_at), token);
    }
    int32_t length = llama_token_to_piece(vocab, token, piece, sizeof(piece), 0, false);
    if (slot_add_token(slot, token, (struct str){piece, length > 0 ? (size_t)length : 0})) {
        end_slot(batcher, slot, GEN_FINISH_STOP, now_us);
        return;
    }
    if (slot->completion_tokens >= slot->job->max_tokens) {
        end_slot(batcher, slot, GEN_FINISH_LENGTH, now_us);
        return;
    }
    slot->length++;
    if (slot->job->stream || now_us - slot->sent_us >= BATCHER_GATHER_US || slot->out.len >= BATCHER_GATHER_BYTES ||
        slot->logprobs.len >= BATCHER_GATHER_BYTES) {
        slot_flush(slot, &batcher->frames, now_us);
    }
}

/* Lets a cancel break the step off. Not while answers go on: it is short. Nor twice in a row if others lose work by it:
 * whoever sends prompts and cancels them would stop them for ever. */
static void watch_step(struct batcher *batcher, const struct pace_load *load) {
    uint64_t jobs[LIMIT_PROVIDER_SLOTS];
    uint32_t count = 0;
    for (uint32_t i = 0; load->answers == 0 && !batcher->broken_off && i < batcher->slot_count; i++) {
        const struct slot *slot = &batcher->slots[i];
        if (slot->job != NULL && slot->step_tokens > 0 && count < LIMIT_PROVIDER_SLOTS) {
            jobs[count++] = slot->job->id;
        }
    }
    step_watch_set(&batcher->intake->step, jobs, count);
}

/* Whatever llama.cpp has kept of the step is forgotten: the next one computes it again. */
static void undo_step(struct batcher *batcher) {
    uint32_t losers = 0;
    for (uint32_t i = 0; i < batcher->slot_count; i++) {
        struct slot *slot = &batcher->slots[i];
        if (slot->job != NULL && slot->step_tokens > 0) {
            slot_forget_beyond(slot, slot->cached, cache_of(batcher));
            losers++;
        }
    }
    batcher->broken_off = losers > 1;
}

static int32_t decode(const struct batcher *batcher) {
    int32_t result = shim_decode(batcher->model->context, batcher->batch);
    if (result == 0) {
        llama_synchronize(batcher->model->context);
    }
    step_watch_set(&batcher->intake->step, NULL, 0);
    return result;
}

static void run_step(struct batcher *batcher) {
    uint32_t prompt_tokens = 0;
    const struct pace_load load = build_batch(batcher, &prompt_tokens);
    if (batcher->batch.n_tokens == 0) {
        return;
    }
    watch_step(batcher, &load);
    if (load.answers == 0 && intake_has_news(batcher->intake)) {
        return; /* a cancel that came before the watch began, or a prompt that can join the step */
    }
    uint64_t started_us = clock_monotonic_us();
    int32_t result = decode(batcher);
    if (result == BATCHER_ABORTED) {
        undo_step(batcher);
        return;
    }
    if (result != 0) {
        fail_batch(batcher);
        return;
    }
    uint64_t now_us = clock_monotonic_us();
    batcher->step_us = now_us;
    batcher->broken_off = false;
    pace_learn(&batcher->pace, prompt_tokens, load.answers, now_us - started_us);
    for (uint32_t i = 0; i < batcher->slot_count; i++) {
        struct slot *slot = &batcher->slots[i];
        if (slot->job == NULL || slot->step_tokens == 0) {
            continue;
        }
        slot->cached += slot->step_tokens;
        if (slot->logits_at >= 0) {
            advance_slot(batcher, slot, now_us);
        } else {
            slot_tell_read(slot, &batcher->frames, now_us);
        }
    }
}

static void send_frames(struct batcher *batcher) {
    bool due = batcher->urgent || batcher->step_us - batcher->sent_us >= BATCHER_SEND_US;
    if (batcher->frames.len > 0 && due) {
        outbox_send(batcher->outbox, &batcher->frames);
        batcher->sent_us = batcher->step_us;
        batcher->urgent = false;
    }
}

void batcher_run(const struct model *model, struct intake *intake, struct outbox *outbox) {
    struct batcher batcher = {.model = model, .intake = intake, .outbox = outbox, .slot_count = model->plan.slots};
    pace_init(&batcher.pace, model->tokens_per_ms);
    llama_set_abort_callback(model->context, step_watch_is_broken_off, &intake->step);
    batcher.slots = mem_calloc(batcher.slot_count, sizeof(*batcher.slots));
    for (uint32_t i = 0; i < batcher.slot_count; i++) {
        slot_init(&batcher.slots[i], (llama_seq_id)i, model->plan.context_length);
    }
    batcher.scorer = scorer_new(model);
    batcher.batch = llama_batch_init((int32_t)model->batch_tokens, 0, 1);
    buf_init(&batcher.frames, BATCHER_OUT_MAX);
    for (;;) {
        take_arrivals(&batcher);
        admit_jobs(&batcher);
        send_frames(&batcher); /* acceptance is known before a long step */
        run_step(&batcher);
        batcher.urgent |= scorer_step(batcher.scorer, batcher.slots, batcher.slot_count,
                                      batcher.running > 0 || batcher.queue != NULL, &batcher.frames);
        send_frames(&batcher);
    }
}
