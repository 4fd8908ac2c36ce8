/* The C++ side of llama.cpp behind C: chat templates, and the calls of its C interface that can throw. No exception
 * leaves these functions; it becomes an error. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SHIM_H
#define NATARIS_ENGINE_LLAMA_CHILD_SHIM_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/buf.h"
#include "base/err.h"
#include "wire/generation.h"

/* Stops the log of llama.cpp's common library and the thread that writes it. */
void shim_silence(void);
/* NULL on failure; the reason is in llama's log or, for an exception, in `err`. */
struct llama_model *shim_model_load(const char *path, struct llama_model_params params, struct err *err);
struct llama_context *shim_context_new(struct llama_model *model, struct llama_context_params params, struct err *err);
/* Results of llama_decode; -100 for an exception. */
int32_t shim_decode(struct llama_context *context, struct llama_batch batch);
/* Results of llama_tokenize without added special tokens; INT32_MIN for an exception. */
int32_t shim_tokenize(const struct llama_vocab *vocab, struct str text, llama_token *tokens, int32_t capacity,
                      bool parse_special);

struct shim_templates;
/* The model's Jinja template, or ChatML for a model that has none. */
struct shim_templates *shim_templates_new(const struct llama_model *model, struct err *err);
void shim_templates_free(struct shim_templates *templates);
/* The prompt's text up to where the assistant's answer begins, without a leading BOS where the tokenizer adds one. */
MUST_CHECK bool shim_templates_apply(const struct shim_templates *templates, const struct gen_message *messages,
                                     size_t count, struct buf *out, struct err *err);

#ifdef __cplusplus
}
#endif
#endif
