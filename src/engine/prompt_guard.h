/* The words of a client must not act as the control tokens of a chat template: who types "<|im_end|>" must not end the
 * turn. The template's output is one text, so what came from where is lost in it. Therefore random markers are put into
 * the client's texts before the template runs, wherever a control token's text begins or could begin once the template
 * has decoded, shortened or joined texts. Afterwards the markers are taken out, and only those count that stand inside
 * of a control token's text: there the text is cut, its pieces are tokenized one by one, and what a cut goes through is
 * plain text. The model still reads exactly what the client wrote, nearly always in one piece. */
#ifndef NATARIS_ENGINE_PROMPT_GUARD_H
#define NATARIS_ENGINE_PROMPT_GUARD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum { PROMPT_GUARD_MARKER_LENGTH = 24 };

/* Texts in rising order; no copies. */
struct prompt_guard_list {
    struct str *texts;
    size_t count;
};

struct prompt_guard {
    struct prompt_guard_list specials; /* texts of control tokens */
    struct prompt_guard_list tags;     /* texts that templates look for in contents, and which are no control tokens */
    bool first_bytes[256];             /* which bytes the specials begin with */
    char marker[PROMPT_GUARD_MARKER_LENGTH + 1];
};

/* How a text is guarded. */
enum prompt_guard_kind {
    PROMPT_GUARD_PROSE, /* a content: marked at its ends too, behind and before the blanks that templates strip */
    PROMPT_GUARD_WORD,  /* a name or id, which templates compare and measure: not at its ends */
    PROMPT_GUARD_JSON,  /* valid JSON that a template may parse: only inside of its strings */
};

/* `marker` is what nobody can know, PROMPT_GUARD_MARKER_LENGTH letters and digits. */
void prompt_guard_init(struct prompt_guard *guard, const char *marker);
void prompt_guard_clear(struct prompt_guard *guard);
/* Copies the text; prompt_guard_sort follows the last one. A text of less than two bytes is left out. */
void prompt_guard_add_special(struct prompt_guard *guard, struct str text);
void prompt_guard_add_tag(struct prompt_guard *guard, struct str text);
void prompt_guard_sort(struct prompt_guard *guard);

/* `text` itself, or a copy with markers; data is NULL when the arena is full. */
struct str prompt_guard_text(const struct prompt_guard *guard, struct arena *arena, struct str text,
                             enum prompt_guard_kind kind);

/* Places in a text, in rising order. */
struct prompt_guard_cuts {
    size_t *at;
    size_t count, capacity;
};

/* Takes the markers out of `text`; `cuts` (zeroed before, freed with prompt_guard_cuts_clear) are the places where it
 * is to be cut. */
void prompt_guard_strip(const struct prompt_guard *guard, struct buf *text, struct prompt_guard_cuts *cuts);
void prompt_guard_cuts_clear(struct prompt_guard_cuts *cuts);

#endif
