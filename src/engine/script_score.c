#include "engine/script_score.h"

#include "engine/script.h"

/* As engines with a model have it at a usual temperature, for each token. */
static const double RIGHT[GEN_RATIO_COUNT] = {-0.02, -0.06, -0.05, -0.02};
static const double WRONG[GEN_RATIO_COUNT] = {0.0, 0.0, 0.0, 5.3};

static void add(struct gen_score *score, bool right) {
    score->tokens++;
    score->far += !right;
    for (int i = 0; i < GEN_RATIO_COUNT; i++) {
        score->ratios[i] += right ? RIGHT[i] : WRONG[i];
    }
}

static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The first word of a text with the blanks before it; the last one has those behind it, too. */
static struct str first_word(struct str text) {
    size_t at = 0, end = 0;
    while (at < text.len && is_blank(text.data[at])) {
        at++;
    }
    while (at < text.len && !is_blank(text.data[at])) {
        at++;
    }
    for (end = at; end < text.len && is_blank(text.data[end]); end++) {
    }
    return (struct str){text.data, end == text.len ? end : at};
}

/* Of an answer that was broken off the end may not have come. */
static bool spells(const struct gen_answer *answer) {
    struct str text = answer->text;
    for (size_t i = 0; i < answer->count; i++) {
        const struct str word = first_word(text);
        if (word.len == 0 || script_token_id(word) != answer->ids[i]) {
            return answer->finish == GEN_FINISH_CANCELLED && word.len == text.len;
        }
        text = (struct str){text.data + word.len, text.len - word.len};
    }
    return text.len == 0;
}

bool script_score(const struct gen_request *request, const struct gen_answer *answer, struct gen_score *score) {
    const bool by_string = answer->finish == GEN_FINISH_STOP && request->stop_count > 0;
    const size_t scored = by_string && answer->count > 0 ? answer->count - 1 : answer->count;
    const struct script_device device = {0};
    struct script script;
    struct str token;
    *score = (struct gen_score){.spells = by_string || spells(answer)};
    if (!script_init(&script, request, &device, NULL)) {
        script_clear(&script);
        return false;
    }
    script_continue(&script, request->continue_text);
    for (size_t i = 0; score->spells && i < scored; i++) {
        add(score, script_next(&script, &token) && script_token_id(token) == answer->ids[i]);
    }
    if (score->spells && answer->finish == GEN_FINISH_STOP && !by_string) {
        add(score, !script_next(&script, &token));
    }
    script_clear(&script);
    return true;
}
