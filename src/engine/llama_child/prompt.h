/* From the messages or the plain text of a request to tokens. Not thread-safe: one prompter per thread. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_PROMPT_H
#define NATARIS_ENGINE_LLAMA_CHILD_PROMPT_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/llama_child/model.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>

struct prompter;
struct prompter *prompter_new(const struct model *model);
void prompter_free(struct prompter *prompter);

struct prompt {
    llama_token *tokens; /* owned: free */
    uint32_t count;      /* over the model's context: an estimate, and `tokens` is not complete */
    uint32_t continued;  /* so many of them, the last ones, are the answer's: gen_request.continue_text */
};
/* ERR_INVALID with the field at fault. Scratch memory comes from `arena`. */
MUST_CHECK bool prompter_make(struct prompter *prompter, const struct gen_request *request, struct arena *arena,
                              struct prompt *prompt, struct err *err);

#endif
