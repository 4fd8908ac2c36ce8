/* Whether a model's chat template says tool calls and their results, which most small models' templates do not. It is
 * not guessed from its source: the messages are rendered once with a word of its own in place of each text that must
 * not be lost, and then the words are looked for. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_TOOL_TEXT_H
#define NATARIS_ENGINE_LLAMA_CHILD_TOOL_TEXT_H

#include "base/arena.h"
#include "base/compiler.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether there are any. */
bool tool_text_is_needed(const struct gen_message *messages, size_t count);
/* The messages for a trial: a copy in which calls, results, and what is said beside calls are words made of `mark`,
 * which nobody can know; *words of them. NULL: the arena is full. */
const struct gen_message *tool_text_trial(const struct gen_message *messages, size_t count, struct str mark,
                                          struct arena *arena, size_t *words);
/* Whether all the words are in `rendered`. */
bool tool_text_is_whole(struct str rendered, struct str mark, size_t words, struct arena *arena);

#endif
