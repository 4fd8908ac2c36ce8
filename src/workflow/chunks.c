#include "workflow/chunks.h"

#include "text/chars.h"
#include "text/cut.h"
#include "text/words.h"
#include "workflow/budget.h"
#include "workflow/fit.h"
#include "workflow/prompts.h"
#include "workflow/task.h"

enum {
    CHUNK_BYTES_MIN = 64,
    PERCENT_MAX = 10000,
    SLACK_PART = 8,       /* of a chunk: how far its end may move back to a better place, ... */
    SLACK_BYTES_MIN = 36, /* ... but over the longest emoji, as far as that is not most of the chunk */
    SHRINK_PERCENT = 92,  /* while a chunk has more tokens than there is room for */
};

static size_t slack_of(const struct workflow_chunks *chunks) {
    const size_t least = chunks->bytes / 2 < SLACK_BYTES_MIN ? chunks->bytes / 2 : SLACK_BYTES_MIN;
    return chunks->bytes / SLACK_PART > least ? chunks->bytes / SLACK_PART : least;
}

/* The places where chunks end lie about so far apart; each is found without those before it. A chunk begins at most an
 * overlap before the end of the last, which may have moved back by the slack: so none is longer than `bytes`. */
static size_t stride_of(const struct workflow_chunks *chunks) {
    return chunks->bytes - slack_of(chunks) - chunks->overlap;
}

static size_t chunk_end(struct str document, const struct workflow_chunks *chunks, uint32_t index) {
    const size_t slack = slack_of(chunks);
    size_t high;
    if (index + 1 >= chunks->count || __builtin_mul_overflow(stride_of(chunks), (size_t)index + 1, &high) ||
        high >= document.len) {
        return document.len;
    }
    const size_t low = high > slack ? high - slack : 0, end = cut_back(document, low, high);
    return end >= low ? end : chars_back(document, high); /* inside a grapheme that is longer than the slack */
}

/* Forward to the next beginning of a word, within half of the overlap. */
static size_t chunk_start(struct str document, const struct workflow_chunks *chunks, size_t last_end) {
    const size_t start = last_end > chunks->overlap ? last_end - chunks->overlap : 0;
    const size_t moved = cut_forward(document, start, start + chunks->overlap / 2);
    return moved < last_end ? moved : last_end;
}

struct str workflow_chunk(struct str document, const struct workflow_chunks *chunks, uint32_t index) {
    if (index >= chunks->count) {
        return STR("");
    }
    const size_t start = index > 0 ? chunk_start(document, chunks, chunk_end(document, chunks, index - 1)) : 0;
    const size_t end = chunk_end(document, chunks, index);
    return (struct str){document.data + start, end > start ? end - start : 0};
}

static struct workflow_chunks chunks_of(size_t document_bytes, size_t bytes) {
    struct workflow_chunks chunks = {1, bytes, bytes * WORKFLOW_OVERLAP_PERCENT / 100, 100};
    if (document_bytes > bytes) {
        const size_t stride = stride_of(&chunks);
        const size_t count = (document_bytes + stride - 1) / stride;
        chunks.count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    }
    return chunks;
}

/* Looked at are the bytes that a chunk can have at most, so that its places need not be found. */
static bool chunks_fit(struct str document, const struct workflow_chunks *chunks, int64_t tokens,
                       const struct tokens_rates *rates) {
    for (uint32_t i = 0; i < chunks->count; i++) {
        const size_t last_end = stride_of(chunks) * i, back = slack_of(chunks) + chunks->overlap;
        const struct str rest = words_rest(document, last_end > back ? last_end - back : 0);
        const struct str span = {rest.data, rest.len < chunks->bytes ? rest.len : chunks->bytes};
        if (fit_text_tokens(span, rates) > tokens) {
            return false;
        }
    }
    return true;
}

/* Tokens of a map's prompt but for its chunk: the words, the question, and the client's system text if it is the only
 * one. */
static int64_t map_own_tokens(const struct gen_request *request, uint32_t context_length,
                              const struct tokens_rates *rates) {
    const struct prompt_step *step = prompt_of_step(CORE_STEP_MAP, false);
    const int64_t cap = budget_map_cap(context_length);
    struct str question[QUESTION_PARTS];
    int64_t tokens = fit_text_tokens(step->system, rates) + fit_text_tokens(step->ask, rates) + 4;
    for (size_t i = 0; i < PROMPT_INPUTS_MAX && step->inputs[i].source != PROMPT_NOTHING; i++) {
        tokens += fit_text_tokens(step->inputs[i].label, rates) + 2 * fit_text_tokens(PROMPT_INPUT_END, rates);
    }
    task_question(request, question);
    for (size_t i = 0; i < COUNT_OF(question); i++) {
        const int64_t needs = fit_text_tokens(question[i], rates);
        tokens += needs < cap ? needs : cap;
    }
    for (size_t i = 0; i < request->message_count; i++) {
        if (request->messages[i].role == GEN_ROLE_SYSTEM) {
            return tokens + cap;
        }
    }
    return tokens;
}

struct workflow_chunks workflow_chunks_plan(const struct gen_request *request, uint32_t context_length,
                                            const struct tokens_rates *rates) {
    const struct str document = task_document(request);
    const int64_t room = (int64_t)fit_context(context_length) - fit_template_tokens(context_length) -
                         budget_step_tokens(context_length) - map_own_tokens(request, context_length, rates);
    const int64_t all = fit_text_tokens(document, rates);
    const int64_t fitting = room > 0 && all > 0 ? (int64_t)document.len * room / all : 0;
    size_t bytes = fitting > CHUNK_BYTES_MIN ? (size_t)fitting : CHUNK_BYTES_MIN;
    struct workflow_chunks chunks = chunks_of(document.len, bytes);
    /* Not every part of a text has as many tokens as the others. */
    while (bytes > CHUNK_BYTES_MIN && !chunks_fit(document, &chunks, room, rates)) {
        bytes = bytes * SHRINK_PERCENT / 100;
        bytes = bytes > CHUNK_BYTES_MIN ? bytes : CHUNK_BYTES_MIN;
        chunks = chunks_of(document.len, bytes);
    }
    return chunks;
}

void workflow_chunks_write(const struct workflow_chunks *chunks, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_int(&writer, "chunks", chunks->count);
    json_member_int(&writer, "bytes", (int64_t)chunks->bytes);
    json_member_int(&writer, "overlap", (int64_t)chunks->overlap);
    json_member_int(&writer, "percent", chunks->percent);
    json_end_object(&writer);
}

static bool number_get(struct json_value object, const char *key, int64_t min, int64_t max, int64_t *out) {
    struct json_value value;
    return json_get(object, key, &value) && json_as_int64(value, out) && *out >= min && *out <= max;
}

bool workflow_chunks_read(struct json_parser *parser, struct str text, struct workflow_chunks *out) {
    struct json_value root;
    int64_t count, bytes, overlap, percent;
    if (!json_parse(parser, text, &root, NULL) || !number_get(root, "chunks", 1, UINT32_MAX, &count) ||
        !number_get(root, "bytes", CHUNK_BYTES_MIN, INT32_MAX, &bytes) ||
        !number_get(root, "overlap", 0, bytes / 2, &overlap)) {
        return false;
    }
    if (!number_get(root, "percent", 1, PERCENT_MAX, &percent)) { /* of an older version */
        percent = 100;
    }
    *out = (struct workflow_chunks){(uint32_t)count, (size_t)bytes, (size_t)overlap, (uint32_t)percent};
    return true;
}
