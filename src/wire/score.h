/* Scores: an answer as the numbers of its tokens, and how likely these are under what was asked for, against four
 * alternatives (docs/AUDITS.md). */
#ifndef NATARIS_WIRE_SCORE_H
#define NATARIS_WIRE_SCORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What might have been done in place of what was asked for. */
enum gen_ratio {
    GEN_RATIO_FLATTER,  /* lambda 0.2; at temperature 0 the distribution of temperature 1 */
    GEN_RATIO_FLATTEST, /* lambda 0.4 */
    GEN_RATIO_SHARPER,  /* lambda -0.5 */
    GEN_RATIO_FAR,      /* tokens come from elsewhere */
};
enum { GEN_RATIO_COUNT = GEN_RATIO_FAR + 1 };
const char *gen_ratio_name(enum gen_ratio ratio); /* "flatter", "flattest", "sharper", "far" */

/* An answer that is to be scored. Everything is borrowed. */
struct gen_answer {
    const uint32_t *ids; /* of its tokens, without the one that ended it */
    size_t count;
    struct str text; /* as it was delivered */
    enum gen_finish finish;
};

struct gen_score {
    uint32_t tokens;                /* that were scored; the end counts as one */
    uint32_t near;                  /* of these, just outside of what could be drawn: they count nothing */
    uint32_t far;                   /* of these, farther out */
    bool spells;                    /* the ids spell the text; if not, nothing else is known */
    double ratios[GEN_RATIO_COUNT]; /* sums of log likelihood ratios, natural; above 0 speaks for the alternative */
};

/* The members of an answer into the open object of `writer`. */
void gen_answer_write(const struct gen_answer *answer, struct json_writer *writer);
/* ERR_INVALID with the member at fault in err->field; at most LIMIT_SCORE_TOKENS. Copied into the arena. */
MUST_CHECK bool gen_answer_read(struct json_value object, struct arena *arena, struct gen_answer *answer,
                                struct err *err);
/* Has it numbers that a score can have? */
bool gen_score_is_possible(const struct gen_score *score);
void gen_score_write(const struct gen_score *score, struct json_writer *writer);
/* ERR_INVALID: numbers that no score has. */
MUST_CHECK bool gen_score_read(struct json_value object, struct gen_score *score, struct err *err);

#ifdef __cplusplus
}
#endif
#endif
