#include "engine/llama_child/count.h"

#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "engine/llama_child/prompt.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    /* Tokenizers split a text into words by a machine that may call itself for each character, and sort within each
     * word: a word without end is taken in pieces. Each cut costs a token at most. */
    PIECE_BYTES = 16 * 1024,
    BLANK_BYTES = 256, /* so far back a blank is looked for, to cut there */
};

struct count_maker {
    const struct model *model;
    struct prompter *prompter;
    struct json_parser *parser;
    struct arena arena;
    llama_token *tokens; /* of one piece */
};

struct count_maker *count_maker_new(const struct model *model) {
    struct count_maker *maker = MEM_NEW(struct count_maker);
    maker->model = model;
    maker->prompter = prompter_new(model);
    maker->parser = json_parser_new(LLAMA_FRAME_MAX, LIMIT_JSON_DEPTH);
    maker->tokens = mem_alloc((PIECE_BYTES + 2) * sizeof(*maker->tokens));
    arena_init(&maker->arena, 4 * (size_t)LLAMA_FRAME_MAX);
    return maker;
}

void count_maker_free(struct count_maker *maker) {
    arena_clear(&maker->arena);
    json_parser_free(maker->parser);
    prompter_free(maker->prompter);
    free(maker->tokens);
    free(maker);
}

/* The first piece of a text: up to a blank where one is near the end, never inside a character. */
static size_t piece_bytes(struct str text) {
    if (text.len <= PIECE_BYTES) {
        return text.len;
    }
    const size_t whole = utf8_whole_prefix(text.data, PIECE_BYTES);
    for (size_t at = whole; at > whole - BLANK_BYTES; at--) {
        if (text.data[at] == ' ' || text.data[at] == '\n') {
            return at; /* which begins the next piece, as vocabularies have it in front of words */
        }
    }
    return whole;
}

/* False: it cannot be tokenized. */
static bool count_text(const struct count_maker *maker, struct str text, uint32_t *out) {
    uint64_t count = 0;
    while (text.len > 0) {
        const size_t bytes = piece_bytes(text);
        const int32_t tokens =
            shim_tokenize(maker->model->vocab, (struct str){text.data, bytes}, maker->tokens, PIECE_BYTES + 2, false);
        if (tokens < 0) {
            return false;
        }
        count += (uint64_t)tokens;
        text = (struct str){text.data + bytes, text.len - bytes};
    }
    *out = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    return true;
}

/* u32 length and bytes of each text; a count of each, as long as all are well formed. */
static bool count_texts(const struct count_maker *maker, struct str payload, struct buf *out) {
    while (payload.len > 0) {
        uint32_t length = 0, count = 0;
        struct str rest;
        if (!llama_frame_read_u32(payload, &length, &rest) || length > rest.len ||
            !count_text(maker, (struct str){rest.data, length}, &count)) {
            return false;
        }
        buf_append(out, &count, sizeof(count));
        payload = (struct str){rest.data + length, rest.len - length};
    }
    return true;
}

static bool count_chat(struct count_maker *maker, struct str payload, struct buf *out) {
    struct gen_request request;
    struct json_value root;
    struct prompt prompt = {0};
    struct err err = {0};
    const bool made = json_parse(maker->parser, payload, &root, &err) &&
                      gen_request_read(root, &maker->arena, &request, &err) &&
                      prompter_make(maker->prompter, &request, &maker->arena, &prompt, &err);
    if (made) {
        buf_append(out, &prompt.count, sizeof(prompt.count));
    }
    free(prompt.tokens);
    arena_clear(&maker->arena);
    return made;
}

void count_frame(struct count_maker *maker, const struct llama_frame *frame, struct buf *out) {
    const size_t mark = llama_frame_begin(out, LLAMA_FRAME_COUNTED, frame->job), empty = out->len;
    bool counted = false;
    if (frame->kind == LLAMA_FRAME_COUNT_TEXTS) {
        counted = count_texts(maker, frame->payload, out);
    } else if (frame->kind == LLAMA_FRAME_COUNT_CHAT) {
        counted = count_chat(maker, frame->payload, out);
    }
    if (!counted && out->len > empty) {
        out->len = empty;
    }
    llama_frame_end(out, mark);
}

/* Returns how many bytes of `input` were whole frames. */
static size_t answer_all(struct count_maker *maker, const struct buf *input, struct buf *out) {
    size_t done = 0;
    for (;;) {
        struct llama_frame frame;
        size_t used = 0;
        const struct str rest = {input->data + done, input->len - done};
        const enum llama_frame_result result = llama_frame_take(rest, &frame, &used);
        if (result == LLAMA_FRAME_BROKEN) {
            LOG_ERROR_EVENT("llama.frame_broken");
            _exit(1);
        }
        if (result == LLAMA_FRAME_INCOMPLETE) {
            return done;
        }
        count_frame(maker, &frame, out);
        done += used;
    }
}

void count_run(const struct model *model, int fd, struct outbox *outbox) {
    struct count_maker *maker = count_maker_new(model);
    struct buf input, out;
    buf_init(&input, (size_t)LLAMA_FRAME_MAX + READ_BYTES);
    buf_init(&out, LLAMA_FRAME_MAX);
    for (;;) {
        char *place = buf_reserve(&input, READ_BYTES);
        const ssize_t count = place != NULL ? read(fd, place, READ_BYTES) : 0;
        if (count > 0) {
            input.len += (size_t)count;
            buf_consume(&input, answer_all(maker, &input, &out));
            outbox_send(outbox, &out);
        } else if (count == 0 || errno != EINTR) {
            _exit(0);
        }
    }
}
