#include "workflow/fit.h"

#include "base/buf.h"
#include "text/graphemes.h"
#include "text/words.h"

#include <string.h>

enum {
    CONTEXT_UNKNOWN = 2048,
    TEMPLATE_TOKENS = 96, /* of a template itself and two messages (conversation/prompt.h) ... */
    TEMPLATE_PART = 8,    /* ... of a small context this part */
    INPUT_TOKENS_MIN =
        32, /* with less room than this for what is not its own, a step's words are cut down to the ask */
};

static const struct str gap_mark = STR(" ... ");
static const struct str gap_counted = STR("  ...  "); /* as it is between texts that end and begin with a blank */

static int64_t min_of(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t max_of(int64_t a, int64_t b) {
    return a > b ? a : b;
}

int64_t fit_text_tokens(struct str text, const struct tokens_rates *rates) {
    return tokens_rates_count_str(rates, text);
}

uint32_t fit_context(uint32_t context_length) {
    return context_length > 0 ? context_length : CONTEXT_UNKNOWN;
}

int64_t fit_template_tokens(uint32_t context_length) {
    return min_of(TEMPLATE_TOKENS, fit_context(context_length) / TEMPLATE_PART);
}

static struct str first_of(struct str text, int64_t tokens, const struct tokens_rates *rates) {
    return graphemes_prefix(text, tokens_rates_first(rates, text, tokens));
}

static struct str last_of(struct str text, int64_t tokens, const struct tokens_rates *rates) {
    return words_rest(text, graphemes_forward(text, tokens_rates_last(rates, text, tokens)));
}

static struct str concat(struct arena *arena, struct str a, struct str b, struct str c) {
    char *out = arena_alloc(arena, a.len + b.len + c.len + 1);
    if (out == NULL) {
        return (struct str){0};
    }
    memcpy(out, a.data, a.len);
    memcpy(out + a.len, b.data, b.len);
    memcpy(out + a.len + b.len, c.data, c.len);
    return (struct str){out, a.len + b.len + c.len};
}

/* At most so many tokens of it. data NULL: the arena is full. */
static struct str text_cut(struct str text, int64_t tokens, const struct tokens_rates *rates, enum fit_cut cut,
                           struct arena *arena) {
    const int64_t mark = fit_text_tokens(gap_counted, rates);
    if (text.len == 0 || fit_text_tokens(text, rates) <= tokens) {
        return text.len > 0 ? text : STR("");
    }
    if (tokens < 4 * mark) { /* a mark would be most of it */
        return cut == FIT_END ? last_of(text, tokens, rates) : first_of(text, tokens, rates);
    }
    const int64_t left = tokens - mark;
    switch (cut) {
    case FIT_BEGINNING:
        return concat(arena, first_of(text, left, rates), gap_mark, STR(""));
    case FIT_END:
        return concat(arena, STR(""), gap_mark, last_of(text, left, rates));
    case FIT_BOTH_ENDS:
        break;
    }
    return concat(arena, first_of(text, left - left / 2, rates), gap_mark, last_of(text, left / 2, rates));
}

static int64_t piece_tokens(const struct fit_piece *piece, const struct tokens_rates *rates) {
    const int64_t tokens = fit_text_tokens(piece->text, rates);
    return piece->cap > 0 ? min_of(tokens, piece->cap) : tokens;
}

int64_t fit_tokens(const struct fit_prompt *prompt, const struct tokens_rates *rates) {
    int64_t tokens = 0;
    for (size_t i = 0; i < prompt->count; i++) {
        tokens += piece_tokens(&prompt->pieces[i], rates);
    }
    return tokens;
}

/* The share of those that do not get all they need: with it, all together have at most `room`. `needs` in tokens. */
static int64_t share_of(const int64_t *needs, size_t count, int64_t room) {
    int64_t share = 0;
    for (;;) {
        int64_t left = room, wanting = 0;
        for (size_t i = 0; i < count; i++) {
            left -= needs[i] <= share ? needs[i] : 0;
            wanting += needs[i] > share;
        }
        const int64_t better = wanting > 0 ? left / wanting : share;
        if (better <= share) {
            return share;
        }
        share = better;
    }
}

/* The step's own words do not fit: all but the ask go, and that may be cut. */
static int64_t own_shorten(struct fit_prompt *prompt, int64_t budget, const struct tokens_rates *rates) {
    int64_t own = 0;
    for (size_t i = 0; i < prompt->count; i++) {
        struct fit_piece *piece = &prompt->pieces[i];
        if (piece->own && !piece->ask) {
            piece->text = STR("");
        } else if (piece->ask) {
            piece->text = first_of(piece->text, max_of(budget / 2, 1), rates);
            own += fit_text_tokens(piece->text, rates);
        }
    }
    return own;
}

bool fit_prompt_cut(struct fit_prompt *prompt, int64_t budget, const struct tokens_rates *rates, struct arena *arena) {
    int64_t own = 0, others = 0;
    int64_t *needs = ARENA_ARRAY(arena, int64_t, prompt->count);
    if (needs == NULL) {
        return false;
    }
    for (size_t i = 0; i < prompt->count; i++) {
        needs[i] = prompt->pieces[i].own ? 0 : piece_tokens(&prompt->pieces[i], rates);
        own += prompt->pieces[i].own ? piece_tokens(&prompt->pieces[i], rates) : 0;
        others += needs[i];
    }
    if (own + min_of(others, INPUT_TOKENS_MIN) > budget) {
        own = own_shorten(prompt, budget, rates);
    }
    const int64_t share = share_of(needs, prompt->count, max_of(budget - own, 0));
    for (size_t i = 0; i < prompt->count; i++) {
        struct fit_piece *piece = &prompt->pieces[i];
        if (!piece->own) {
            piece->text = text_cut(piece->text, min_of(needs[i], share), rates, piece->cut, arena);
        }
        if (piece->text.data == NULL) {
            return false;
        }
    }
    return true;
}

/* Where labels had to go, the words of two pieces must not become one. */
static bool join_needs_blank(const char *out, size_t at, struct str text) {
    return at > 0 && words_is_byte(out[at - 1]) && words_is_byte(text.data[0]);
}

struct str fit_prompt_join(const struct fit_prompt *prompt, bool system, struct arena *arena) {
    size_t bytes = prompt->count, at = 0;
    for (size_t i = 0; i < prompt->count; i++) {
        bytes += prompt->pieces[i].system == system ? prompt->pieces[i].text.len : 0;
    }
    char *out = arena_alloc(arena, bytes + 1);
    for (size_t i = 0; out != NULL && i < prompt->count; i++) {
        const struct str text = prompt->pieces[i].text;
        if (prompt->pieces[i].system == system && text.len > 0) {
            if (join_needs_blank(out, at, text)) {
                out[at++] = ' ';
            }
            memcpy(out + at, text.data, text.len);
            at += text.len;
        }
    }
    return (struct str){out, at};
}
