/* The frames between the engine and its child, which has read a stranger's file: any bytes as what either end gets.
 * Properties: nothing harms; the bytes are read alike however many follow; what is understood is written the same
 * again, and has only numbers that its reader may go on with. */
#include "base/json_read.h"
#include "engine/llama_frames.h"
#include "wire/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 4 << 20, JSON_BYTES = 1 << 20, OUT_BYTES = 1 << 20, INPUT_BYTES = 256 << 10 };

static struct json_parser *parser;

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static bool is_within(struct str part, struct str whole) {
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void fuzz_delta(const struct llama_frame *frame, struct buf *out) {
    struct str ids, text;
    uint32_t tokens = 0;
    if (!llama_frame_read_delta(frame->payload, &tokens, &ids, &text)) {
        return;
    }
    check(is_within(ids, frame->payload) && is_within(text, frame->payload));
    check(ids.len == tokens * sizeof(uint32_t) && ids.len + text.len + sizeof(tokens) == frame->payload.len);
    uint32_t *copy = malloc(ids.len + 1);
    check(copy != NULL);
    memcpy(copy, ids.data, ids.len);
    llama_frame_append_delta(out, frame->job, copy, tokens, text);
    free(copy);
}

static void fuzz_failed(const struct llama_frame *frame, struct buf *out) {
    enum gen_failure failure;
    struct str param, message;
    char param_text[256], *message_text;
    if (!llama_frame_read_failed(frame->payload, &failure, &param, &message)) {
        return;
    }
    check(is_within(param, frame->payload) && is_within(message, frame->payload) && param.len < sizeof(param_text));
    if (memchr(frame->payload.data + 1, '\0', frame->payload.len - 1) != NULL) {
        return; /* what no writer has written */
    }
    memcpy(param_text, param.data, param.len);
    param_text[param.len] = '\0';
    message_text = malloc(message.len + 1);
    check(message_text != NULL);
    memcpy(message_text, message.data, message.len);
    message_text[message.len] = '\0';
    llama_frame_append_failed(out, frame->job, failure, param_text, message_text);
    free(message_text);
}

/* A job or a score as the child reads it. */
static void fuzz_json(const struct llama_frame *frame, struct arena *arena) {
    struct json_value root, part;
    struct gen_request request;
    struct gen_answer answer;
    struct err err;
    err_clear(&err);
    if (!json_parse(parser, frame->payload, &root, NULL) || json_type_of(root) != JSON_OBJECT) {
        return;
    }
    if (frame->kind == LLAMA_FRAME_SCORE) {
        if (json_get(root, "answer", &part) && json_type_of(part) == JSON_OBJECT) {
            check(gen_answer_read(part, arena, &answer, &err) ? answer.count <= LIMIT_SCORE_TOKENS
                                                              : err.message[0] != '\0');
        }
        if (!json_get(root, "request", &root) || json_type_of(root) != JSON_OBJECT) {
            return;
        }
    }
    err_clear(&err);
    if (gen_request_read(root, arena, &request, &err)) {
        check(request.max_tokens >= 1 && request.max_tokens <= LIMIT_MAX_TOKENS);
        check(request.message_count <= LIMIT_MESSAGES && request.stop_count <= LIMIT_STOP_STRINGS);
    } else {
        check(err.code != ERR_NONE && err.message[0] != '\0');
    }
}

static void fuzz_numbers(const struct llama_frame *frame) {
    struct gen_done done;
    struct gen_score score;
    struct llama_ready ready;
    if (frame->kind == LLAMA_FRAME_DONE && llama_frame_read_done(frame->payload, &done)) {
        check(done.finish <= GEN_FINISH_CANCELLED);
    }
    if (frame->kind == LLAMA_FRAME_READY && llama_frame_read_ready(frame->payload, &ready)) {
        check(ready.slots > 0 && ready.context_length > 0);
    }
    if (frame->kind == LLAMA_FRAME_SCORED && llama_frame_read_score(frame->payload, &score)) {
        check(score.near <= score.tokens && score.far <= score.tokens - score.near);
        for (int i = 0; i < GEN_RATIO_COUNT; i++) {
            check(isfinite(score.ratios[i]));
        }
    }
}

static void fuzz_frame(const struct llama_frame *frame, struct str bytes, size_t used, struct arena *arena) {
    struct buf out;
    buf_init(&out, OUT_BYTES);
    llama_frame_append(&out, frame->kind, frame->job, frame->payload);
    check(buf_str(&out).len == used && memcmp(out.data, bytes.data, used) == 0);
    buf_clear(&out);
    buf_init(&out, OUT_BYTES);
    if (frame->kind == LLAMA_FRAME_DELTA) {
        fuzz_delta(frame, &out);
    } else if (frame->kind == LLAMA_FRAME_FAILED) {
        fuzz_failed(frame, &out);
    } else if (frame->kind == LLAMA_FRAME_JOB || frame->kind == LLAMA_FRAME_SCORE ||
               frame->kind == LLAMA_FRAME_COUNT_CHAT) {
        fuzz_json(frame, arena);
    } else {
        fuzz_numbers(frame);
    }
    check(out.len == 0 || (out.len == used && memcmp(out.data, bytes.data, used) == 0));
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (parser == NULL) {
        parser = json_parser_new(JSON_BYTES, LIMIT_JSON_DEPTH);
    }
    if (size == 0 || size > INPUT_BYTES) {
        return 0;
    }
    char *copy = malloc(size);
    check(copy != NULL);
    memcpy(copy, data, size);
    struct str rest = {copy, size};
    struct llama_frame frame, again;
    struct arena arena;
    size_t used = 0, used_again = 0;
    arena_init(&arena, ARENA_BYTES);
    while (llama_frame_take(rest, &frame, &used) == LLAMA_FRAME_COMPLETE) {
        check(used >= LLAMA_FRAME_HEAD_BYTES && used <= rest.len && is_within(frame.payload, rest));
        check(llama_frame_take((struct str){rest.data, used}, &again, &used_again) == LLAMA_FRAME_COMPLETE &&
              used_again == used);
        check(llama_frame_take((struct str){rest.data, used - 1}, &again, &used_again) == LLAMA_FRAME_INCOMPLETE);
        fuzz_frame(&frame, rest, used, &arena);
        rest = (struct str){rest.data + used, rest.len - used};
    }
    arena_clear(&arena);
    free(copy);
    return 0;
}
