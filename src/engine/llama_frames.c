#include "engine/llama_frames.h"

#include <string.h>

size_t llama_frame_begin(struct buf *out, enum llama_frame_kind kind, uint64_t job) {
    size_t mark = out->len;
    uint32_t length = 0;
    uint8_t kind_byte = (uint8_t)kind;
    buf_append(out, &length, sizeof(length));
    buf_append(out, &kind_byte, sizeof(kind_byte));
    buf_append(out, &job, sizeof(job));
    return mark;
}

void llama_frame_end(struct buf *out, size_t mark) {
    if (out->overflow) {
        return;
    }
    uint32_t length = (uint32_t)(out->len - mark - sizeof(length));
    memcpy(out->data + mark, &length, sizeof(length));
}

void llama_frame_append(struct buf *out, enum llama_frame_kind kind, uint64_t job, struct str payload) {
    size_t mark = llama_frame_begin(out, kind, job);
    buf_append_str(out, payload);
    llama_frame_end(out, mark);
}

void llama_frame_append_delta(struct buf *out, uint64_t job, const uint32_t *ids, uint32_t tokens, struct str text) {
    size_t mark = llama_frame_begin(out, LLAMA_FRAME_DELTA, job);
    buf_append(out, &tokens, sizeof(tokens));
    buf_append(out, ids, tokens * sizeof(*ids));
    buf_append_str(out, text);
    llama_frame_end(out, mark);
}

void llama_frame_append_failed(struct buf *out, uint64_t job, enum gen_failure failure, const char *param,
                               const char *message) {
    struct str param_text = str_from(param);
    uint8_t head[2] = {(uint8_t)failure, (uint8_t)param_text.len};
    size_t mark = llama_frame_begin(out, LLAMA_FRAME_FAILED, job);
    buf_append(out, head, sizeof(head));
    buf_append(out, param_text.data, head[1]);
    buf_append_cstr(out, message);
    llama_frame_end(out, mark);
}

enum llama_frame_result llama_frame_take(struct str bytes, struct llama_frame *frame, size_t *used) {
    uint32_t length = 0;
    if (bytes.len < LLAMA_FRAME_HEAD_BYTES) {
        return LLAMA_FRAME_INCOMPLETE;
    }
    memcpy(&length, bytes.data, sizeof(length));
    uint8_t kind = (uint8_t)bytes.data[sizeof(length)];
    if (length < LLAMA_FRAME_HEAD_BYTES - sizeof(length) || length > LLAMA_FRAME_MAX || kind < LLAMA_FRAME_JOB ||
        kind > LLAMA_FRAME_LOGPROBS) {
        return LLAMA_FRAME_BROKEN;
    }
    if (bytes.len - sizeof(length) < length) {
        return LLAMA_FRAME_INCOMPLETE;
    }
    *used = sizeof(length) + length;
    frame->kind = (enum llama_frame_kind)kind;
    memcpy(&frame->job, bytes.data + sizeof(length) + 1, sizeof(frame->job));
    frame->payload = (struct str){bytes.data + LLAMA_FRAME_HEAD_BYTES, *used - LLAMA_FRAME_HEAD_BYTES};
    return LLAMA_FRAME_COMPLETE;
}

bool llama_frame_read_u32(struct str payload, uint32_t *out, struct str *rest) {
    if (payload.len < sizeof(*out)) {
        return false;
    }
    memcpy(out, payload.data, sizeof(*out));
    *rest = (struct str){payload.data + sizeof(*out), payload.len - sizeof(*out)};
    return true;
}

bool llama_frame_read_delta(struct str payload, uint32_t *tokens, struct str *ids, struct str *text) {
    struct str rest;
    if (!llama_frame_read_u32(payload, tokens, &rest) || rest.len / sizeof(uint32_t) < *tokens) {
        return false;
    }
    *ids = (struct str){rest.data, *tokens * sizeof(uint32_t)};
    *text = (struct str){rest.data + ids->len, rest.len - ids->len};
    return true;
}

bool llama_frame_read_done(struct str payload, struct gen_done *out) {
    if (payload.len != sizeof(*out)) {
        return false;
    }
    memcpy(out, payload.data, sizeof(*out));
    return (unsigned)out->finish <= GEN_FINISH_CANCELLED;
}

bool llama_frame_read_score(struct str payload, struct gen_score *out) {
    uint8_t spells = 0;
    if (payload.len != sizeof(*out)) {
        return false;
    }
    /* The child has read a stranger's file: not even a truth value is one before it was looked at. */
    memcpy(&spells, payload.data + offsetof(struct gen_score, spells), sizeof(spells));
    if (spells > 1) {
        return false;
    }
    memcpy(out, payload.data, sizeof(*out));
    return gen_score_is_possible(out);
}

bool llama_frame_read_ready(struct str payload, struct llama_ready *out) {
    if (payload.len != sizeof(*out)) {
        return false;
    }
    memcpy(out, payload.data, sizeof(*out));
    return out->slots > 0 && out->context_length > 0;
}

bool llama_frame_read_failed(struct str payload, enum gen_failure *failure, struct str *param, struct str *message) {
    if (payload.len < 2) {
        return false;
    }
    uint8_t code = (uint8_t)payload.data[0], param_len = (uint8_t)payload.data[1];
    if (code > GEN_FAILURE_DRAINING || payload.len - 2 < param_len) {
        return false;
    }
    *failure = (enum gen_failure)code;
    *param = (struct str){payload.data + 2, param_len};
    *message = (struct str){payload.data + 2 + param_len, payload.len - 2 - param_len};
    return true;
}
