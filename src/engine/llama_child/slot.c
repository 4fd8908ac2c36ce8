#include "engine/llama_child/slot.h"

#include "base/mem.h"
#include "engine/llama_child/logprobs.h"
#include "engine/llama_frames.h"
#include "wire/logprobs.h"

#include <string.h>

enum { SLOT_OUT_MAX = 1024 * 1024, SLOT_LOGPROBS_MAX = 1024 * 1024, SLOT_TELL_US = 1000 * 1000 };

void slot_init(struct slot *slot, llama_seq_id sequence, uint32_t context_length) {
    *slot = (struct slot){.sequence = sequence};
    slot->tokens = mem_calloc((size_t)context_length + 1, sizeof(*slot->tokens));
    buf_init(&slot->out, SLOT_OUT_MAX);
    buf_init(&slot->logprobs, SLOT_LOGPROBS_MAX);
}

/* A cache of another scope is not even compared: how much of it was met would tell what somebody else has asked. */
static bool same_scope(const struct slot *slot, const struct job *job) {
    return job->scope[0] != '\0' && strcmp(slot->scope, job->scope) == 0;
}

/* The last token of the prompt is always evaluated: its logits give the first token of the answer. */
static uint32_t common_prefix(const struct slot *slot, const struct job *job) {
    if (!same_scope(slot, job)) {
        return 0;
    }
    uint32_t most = job->prompt.count - 1 < slot->cached ? job->prompt.count - 1 : slot->cached;
    uint32_t length = 0;
    while (length < most && slot->tokens[length] == job->prompt.tokens[length]) {
        length++;
    }
    return length;
}

struct slot *slot_choose(struct slot *slots, uint32_t count, const struct job *job) {
    struct slot *best = NULL, *oldest = NULL;
    uint32_t best_length = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct slot *slot = &slots[i];
        if (slot->job != NULL) {
            continue;
        }
        if (oldest == NULL || slot->last_used < oldest->last_used) {
            oldest = slot;
        }
        uint32_t length = common_prefix(slot, job);
        if (length > best_length) {
            best = slot;
            best_length = length;
        }
    }
    bool worth = best != NULL && (best_length >= best->cached / 2 || best_length >= job->prompt.count / 2);
    return worth ? best : oldest;
}

void slot_forget_beyond(struct slot *slot, uint32_t keep, llama_memory_t memory) {
    if (!llama_memory_seq_rm(memory, slot->sequence, (llama_pos)keep, -1)) {
        llama_memory_seq_rm(memory, slot->sequence, -1, -1);
        keep = 0;
    }
    slot->cached = keep;
}

void slot_take_job(struct slot *slot, struct job *job, llama_memory_t memory, uint64_t now_us) {
    /* Reusing a cache changes the shape of the computation and so its last bits. With a seed the same request must give
     * the same text, so everything is computed anew. */
    uint32_t keep = job->seed_given ? 0 : common_prefix(slot, job);
    if (keep < slot->cached) {
        slot_forget_beyond(slot, keep, memory);
        keep = slot->cached;
    }
    memcpy(slot->scope, job->scope, sizeof(slot->scope));
    memcpy(slot->tokens, job->prompt.tokens, job->prompt.count * sizeof(*slot->tokens));
    slot->job = job;
    slot->length = job->prompt.count;
    slot->cached = keep;
    uint32_t prompt_tokens = job->prompt.count - job->prompt.continued;
    slot->reused_tokens = keep < prompt_tokens ? keep : prompt_tokens;
    slot->completion_tokens = 0;
    slot->out_tokens = slot->ready_tokens = 0;
    slot->ready_bytes = 0;
    slot->accepted_us = now_us;
    slot->first_token_us = 0;
    slot->sent_us = slot->told_us = now_us;
    buf_reset(&slot->out);
    buf_reset(&slot->logprobs);
}

static void mark_ready(struct slot *slot) {
    slot->ready_bytes = slot->out.len;
    slot->ready_tokens = slot->out_tokens;
}

bool slot_add_token(struct slot *slot, llama_token token, struct str bytes) {
    slot->tokens[slot->length] = token;
    slot->completion_tokens++;
    slot->out_tokens++;
    bool stopped = stop_filter_feed(&slot->job->filter, bytes, &slot->out);
    if (!stop_filter_holds(&slot->job->filter) || slot->out.len >= LIMIT_DELTA_BYTES) {
        mark_ready(slot);
    }
    return stopped;
}

/* The ids of the tokens that were not reported yet: llama.cpp's are never negative. */
static const uint32_t *unreported(const struct slot *slot) {
    return (const uint32_t *)&slot->tokens[slot->job->prompt.count + slot->completion_tokens - slot->out_tokens];
}

void slot_add_logprobs(struct slot *slot, const struct llama_vocab *vocab, const float *logits, llama_token token) {
    logprobs_append(&slot->logprobs, vocab, logits, token, slot->job->top_logprobs);
}

/* Those of the tokens that go with the text that can be sent. None, when so many tokens had no text that there was no
 * room for theirs. */
static void flush_logprobs(struct slot *slot, struct buf *frames) {
    if (slot->logprobs.len > 0 && !slot->logprobs.overflow && slot->ready_bytes > 0) {
        const struct str all = buf_str(&slot->logprobs);
        const size_t len = gen_logprobs_prefix(all, slot->ready_tokens);
        llama_frame_append(frames, LLAMA_FRAME_LOGPROBS, slot->job->id, (struct str){all.data, len});
        buf_consume(&slot->logprobs, len);
    }
}

void slot_flush(struct slot *slot, struct buf *frames, uint64_t now_us) {
    struct str text = {slot->out.data, slot->ready_bytes};
    flush_logprobs(slot, frames);
    while (text.len > 0) {
        size_t length = text.len;
        if (length > LIMIT_DELTA_BYTES) {
            length = LIMIT_DELTA_BYTES;
            while (((uint8_t)text.data[length] & 0xC0) == 0x80) { /* not inside a UTF-8 character */
                length--;
            }
        }
        llama_frame_append_delta(frames, slot->job->id, unreported(slot), slot->ready_tokens,
                                 (struct str){text.data, length});
        slot->out_tokens -= slot->ready_tokens;
        slot->ready_tokens = 0;
        slot->sent_us = now_us;
        text = (struct str){text.data + length, text.len - length};
    }
    buf_consume(&slot->out, slot->ready_bytes);
    slot->ready_bytes = 0;
}

void slot_tell_read(struct slot *slot, struct buf *frames, uint64_t now_us) {
    if (now_us - slot->told_us >= SLOT_TELL_US) {
        llama_frame_append(frames, LLAMA_FRAME_READ, slot->job->id,
                           (struct str){(const char *)&slot->cached, sizeof(slot->cached)});
        slot->told_us = now_us;
    }
}

static uint32_t elapsed_ms(uint64_t from_us, uint64_t to_us) {
    return to_us > from_us ? (uint32_t)((to_us - from_us + 500) / 1000) : 0;
}

static void release(struct slot *slot, uint64_t now_us) {
    job_free(slot->job);
    slot->job = NULL;
    slot->length = slot->cached;
    slot->last_used = now_us;
}

void slot_finish(struct slot *slot, enum gen_finish finish, struct buf *frames, uint64_t now_us) {
    if (finish != GEN_FINISH_CANCELLED) {
        stop_filter_finish(&slot->job->filter, &slot->out);
        mark_ready(slot);
        slot_flush(slot, frames, now_us);
    }
    uint64_t first_us = slot->first_token_us > 0 ? slot->first_token_us : now_us;
    struct gen_done done;
    memset(&done, 0, sizeof(done)); /* it is sent as it stands in memory, so no byte of it may be left to chance */
    done.finish = finish;
    done.stop = finish == GEN_FINISH_STOP ? slot->job->filter.stopped_by : 0;
    done.usage.prompt_tokens = slot->job->prompt.count - slot->job->prompt.continued;
    done.usage.completion_tokens = slot->completion_tokens;
    done.usage.cached_tokens = slot->reused_tokens;
    done.timings.queue_ms = elapsed_ms(slot->job->received_us, slot->accepted_us);
    done.timings.prefill_ms = elapsed_ms(slot->accepted_us, first_us);
    done.timings.decode_ms = elapsed_ms(first_us, now_us);
    llama_frame_append(frames, LLAMA_FRAME_DONE, slot->job->id, (struct str){(const char *)&done, sizeof(done)});
    release(slot, now_us);
}

void slot_fail(struct slot *slot, struct buf *frames, llama_memory_t memory, const char *message) {
    llama_frame_append_failed(frames, slot->job->id, GEN_FAILURE_ENGINE, NULL, message);
    llama_memory_seq_rm(memory, slot->sequence, -1, -1);
    slot->cached = 0;
    release(slot, slot->accepted_us);
}
