#include "wire/score.h"

#include <math.h>

/* No sum of an answer is as large; beyond, a peer makes numbers up. */
#define SCORE_RATIO_MAX 1e8

static const char *const ratio_names[GEN_RATIO_COUNT] = {
    [GEN_RATIO_FLATTER] = "flatter",
    [GEN_RATIO_FLATTEST] = "flattest",
    [GEN_RATIO_SHARPER] = "sharper",
    [GEN_RATIO_FAR] = "far",
};

const char *gen_ratio_name(enum gen_ratio ratio) {
    return ratio_names[ratio];
}

/* --- Answers --- */

void gen_answer_write(const struct gen_answer *answer, struct json_writer *writer) {
    json_member_cstr(writer, "finish", gen_finish_name(answer->finish));
    json_member_str(writer, "text", answer->text);
    json_write_key(writer, "token_ids");
    json_begin_array(writer);
    for (size_t i = 0; i < answer->count; i++) {
        json_write_int(writer, answer->ids[i]);
    }
    json_end_array(writer);
}

/* A whole number up to `max`; false for anything else. */
static bool read_count(struct json_value value, double max, uint32_t *out) {
    double number = 0;
    if (!json_as_double(value, &number) || !(number >= 0 && number <= max) || number != floor(number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool read_ids(struct json_value array, struct arena *arena, struct gen_answer *answer, struct err *err) {
    struct json_value item;
    struct json_iterator it;
    const size_t count = json_type_of(array) == JSON_ARRAY ? json_count(array) : SIZE_MAX;
    if (count > LIMIT_SCORE_TOKENS) {
        return err_set_field(err, ERR_INVALID, "token_ids", "token_ids must be an array of at most %d numbers",
                             LIMIT_SCORE_TOKENS);
    }
    uint32_t *ids = ARENA_ARRAY(arena, uint32_t, count + 1);
    if (ids == NULL) {
        return err_set(err, ERR_TOO_LARGE, "the answer is too large");
    }
    json_iterate(array, &it);
    while (json_next(&it, NULL, &item)) {
        if (!read_count(item, INT32_MAX, &ids[answer->count])) {
            return err_set_field(err, ERR_INVALID, "token_ids", "token_ids must be whole numbers");
        }
        answer->count++;
    }
    answer->ids = ids;
    return true;
}

bool gen_answer_read(struct json_value object, struct arena *arena, struct gen_answer *answer, struct err *err) {
    struct json_value value;
    struct str name, text;
    *answer = (struct gen_answer){.finish = GEN_FINISH_STOP};
    if (!json_get(object, "finish", &value) || !json_as_str(value, &name) ||
        !gen_finish_from_name(name, &answer->finish)) {
        return err_set_field(err, ERR_INVALID, "finish", "finish must be stop, length or cancelled");
    }
    if (!json_get(object, "text", &value) || !json_as_str(value, &text)) {
        return err_set_field(err, ERR_INVALID, "text", "text must be a string");
    }
    answer->text = arena_copy(arena, text);
    if (answer->text.data == NULL) {
        return err_set(err, ERR_TOO_LARGE, "the answer is too large");
    }
    if (!json_get(object, "token_ids", &value)) {
        return err_set_field(err, ERR_INVALID, "token_ids", "token_ids are missing");
    }
    return read_ids(value, arena, answer, err);
}

/* --- Scores --- */

bool gen_score_is_possible(const struct gen_score *score) {
    for (int i = 0; i < GEN_RATIO_COUNT; i++) {
        if (!(fabs(score->ratios[i]) <= SCORE_RATIO_MAX)) { /* nor not a number */
            return false;
        }
    }
    return score->near <= score->tokens && score->far <= score->tokens - score->near;
}

void gen_score_write(const struct gen_score *score, struct json_writer *writer) {
    json_member_bool(writer, "spells", score->spells);
    json_member_int(writer, "tokens", score->tokens);
    json_member_int(writer, "near", score->near);
    json_member_int(writer, "far_tokens", score->far);
    for (int i = 0; i < GEN_RATIO_COUNT; i++) {
        json_member_double(writer, ratio_names[i], score->ratios[i]);
    }
}

static bool read_member(struct json_value object, const char *key, uint32_t *out) {
    struct json_value value;
    return json_get(object, key, &value) && read_count(value, UINT32_MAX, out);
}

static bool read_ratios(struct json_value object, struct gen_score *score) {
    for (int i = 0; i < GEN_RATIO_COUNT; i++) {
        struct json_value value;
        double *ratio = &score->ratios[i];
        if (!json_get(object, ratio_names[i], &value) || !json_as_double(value, ratio)) {
            return false;
        }
    }
    return true;
}

bool gen_score_read(struct json_value object, struct gen_score *score, struct err *err) {
    struct json_value value;
    *score = (struct gen_score){0};
    const bool read = json_get(object, "spells", &value) && json_as_bool(value, &score->spells) &&
                      read_member(object, "tokens", &score->tokens) && read_member(object, "near", &score->near) &&
                      read_member(object, "far_tokens", &score->far) && read_ratios(object, score);
    if (!read || !gen_score_is_possible(score)) {
        return err_set_field(err, ERR_INVALID, "score", "score with numbers that no score has");
    }
    return true;
}
