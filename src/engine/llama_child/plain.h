/* Messages in plainer shapes than they came in, for chat templates that forget a part of them or refuse them: tool
 * calls and results in words, one system text or none, the user and the assistant in turns. Nothing that was said is
 * lost. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_PLAIN_H
#define NATARIS_ENGINE_LLAMA_CHILD_PLAIN_H

#include "base/arena.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>

/* From the least that is changed to the most. */
enum plain_shape {
    PLAIN_TOOLS,      /* a call is a line of the assistant's; results are said by the user, together and with the user's
                         own message behind them */
    PLAIN_ONE_SYSTEM, /* and in turns; system texts at the front are one, later ones stand in the user's next message */
    PLAIN_NO_SYSTEM,  /* and those at the front, too */
    PLAIN_SHAPES,
};

/* NULL: the arena is full. Texts are borrowed or in the arena. */
const struct gen_message *plain_make(enum plain_shape shape, const struct gen_message *messages, size_t count,
                                     struct arena *arena, size_t *plain_count);
/* Whether a template's text has what the system and the user say, but for blanks at the ends, which templates cut. What
 * the assistant said is not looked for: some templates leave its thoughts out. */
bool plain_is_whole(const struct gen_message *messages, size_t count, struct str rendered);

#endif
