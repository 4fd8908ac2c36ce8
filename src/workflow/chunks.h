/* How a long text is cut: pieces of `bytes` bytes at most, each beginning `overlap` bytes before the end of the last
 * one, moved to the nearest end of paragraph, line, sentence or word, and never inside a grapheme (text/cut.h).
 * Pure. */
#ifndef NATARIS_WORKFLOW_CHUNKS_H
#define NATARIS_WORKFLOW_CHUNKS_H

#include "base/buf.h"
#include "base/json_read.h"
#include "tokens/rates.h"
#include "wire/generation.h"

enum { WORKFLOW_OVERLAP_PERCENT = 5 /* of a chunk, repeated at the start of the next */ };

struct workflow_chunks {
    uint32_t count;
    size_t bytes, overlap;
    uint32_t percent; /* of the tokens that the rates say, as the text was counted; 100: it was not */
};

/* Chunks that a map step can read in this context (less its own words and WORKFLOW_STEP_TOKENS); `rates` as
 * those of struct workflow_scene. */
struct workflow_chunks workflow_chunks_plan(const struct gen_request *request, uint32_t context_length,
                                            const struct tokens_rates *rates);
struct str workflow_chunk(struct str document, const struct workflow_chunks *chunks, uint32_t index);
/* As the output of the chunk step: {"chunks":N,"bytes":B,"overlap":O,"percent":P}; and back. */
void workflow_chunks_write(const struct workflow_chunks *chunks, struct buf *out);
MUST_CHECK bool workflow_chunks_read(struct json_parser *parser, struct str text, struct workflow_chunks *out);

#endif
