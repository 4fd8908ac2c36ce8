#include "tokens/learned.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum {
    ONE = 1024,           /* a factor of a rate */
    PERCENT_OF_TEXT = 60, /* of a text must be of one script for its count to teach about that */
    TOKENS_MIN = 48,      /* a short text is more template than text */
    TEMPLATE_TOKENS = 16, /* that a template adds by itself, about */
    WEIGHT_FIRST = 2,     /* the family's rate counts like one earlier count ... */
    WEIGHT_LAST = 8,      /* ... and a count never for less than an eighth */
    SAMPLES_SURE = 4,     /* counts of a script, after which its margin is that of what was measured */
    MARGIN_SURE = 112,
    MODEL_BYTES = 128,
};

/* Scripts: classes that are learned together. */
enum script {
    SCRIPT_LATIN,
    SCRIPT_CYRILLIC,
    SCRIPT_GREEK,
    SCRIPT_ARABIC,
    SCRIPT_HEBREW,
    SCRIPT_DEVANAGARI,
    SCRIPT_INDIC,
    SCRIPT_THAI,
    SCRIPT_RARE,
    SCRIPT_CHINESE, /* and Japanese */
    SCRIPT_HANGUL,
    SCRIPT_EMOJI,
};
enum { SCRIPTS = SCRIPT_EMOJI + 1 };

static const enum script script_of[TOKENS_CLASSES] = {
    [TOKENS_WORD] = SCRIPT_LATIN,    [TOKENS_LETTER] = SCRIPT_LATIN,      [TOKENS_ACCENT] = SCRIPT_LATIN,
    [TOKENS_DENSE] = SCRIPT_LATIN,   [TOKENS_DIGIT] = SCRIPT_LATIN,       [TOKENS_MARK] = SCRIPT_LATIN,
    [TOKENS_BLANK] = SCRIPT_LATIN,   [TOKENS_CYRILLIC] = SCRIPT_CYRILLIC, [TOKENS_GREEK] = SCRIPT_GREEK,
    [TOKENS_ARABIC] = SCRIPT_ARABIC, [TOKENS_HEBREW] = SCRIPT_HEBREW,     [TOKENS_DEVANAGARI] = SCRIPT_DEVANAGARI,
    [TOKENS_INDIC] = SCRIPT_INDIC,   [TOKENS_THAI] = SCRIPT_THAI,         [TOKENS_RARE] = SCRIPT_RARE,
    [TOKENS_HAN] = SCRIPT_CHINESE,   [TOKENS_KANA] = SCRIPT_CHINESE,      [TOKENS_HANGUL] = SCRIPT_HANGUL,
    [TOKENS_EMOJI] = SCRIPT_EMOJI,
};

struct voice {
    uint64_t who;   /* a hash of the account's id */
    uint64_t heard; /* when, in counts of this model */
    uint32_t factor, samples;
};

struct script_voices {
    struct voice own; /* samples 0: we have not counted */
    struct voice voices[TOKENS_VOICES_MAX];
    uint32_t count;
    uint32_t factor, samples; /* what came of them */
};

struct learned_model {
    UT_hash_handle hh;
    char id[MODEL_BYTES];
    const struct tokens_prior *prior;
    uint64_t counts;
    struct script_voices scripts[SCRIPTS];
    struct tokens_rates rates[TOKENS_NEEDS]; /* what follows from these: every request asks */
};

struct tokens_learned {
    struct learned_model *models;
};

struct tokens_learned *tokens_learned_new(void) {
    return MEM_NEW(struct tokens_learned);
}

void tokens_learned_free(struct tokens_learned *learned) {
    struct learned_model *model, *next;
    if (learned == NULL) {
        return;
    }
    model = learned->models;
    HASH_CLEAR(hh, learned->models); /* the table; the models are still in a row */
    for (; model != NULL; model = next) {
        next = model->hh.next;
        free(model);
    }
    free(learned);
}

/* --- Rates --- */

/* A token stands for at least one byte: a character of so many bytes has at most so many tokens. */
static uint32_t class_most(size_t class) {
    switch ((enum tokens_class) class) {
    case TOKENS_WORD:
    case TOKENS_LETTER:
    case TOKENS_ACCENT:
    case TOKENS_DENSE:
    case TOKENS_DIGIT:
    case TOKENS_MARK:
    case TOKENS_BLANK:
        break;
    case TOKENS_CYRILLIC:
    case TOKENS_GREEK:
    case TOKENS_ARABIC:
    case TOKENS_HEBREW:
        return 2 * ONE + ONE / 4; /* and the blank behind a word, of which it has its part */
    case TOKENS_DEVANAGARI:
    case TOKENS_INDIC:
        return 3 * ONE + ONE / 4;
    case TOKENS_THAI:
    case TOKENS_RARE:
    case TOKENS_HAN:
    case TOKENS_KANA:
        return 3 * ONE;
    case TOKENS_HANGUL:
        return 3 * ONE + ONE / 3;
    case TOKENS_EMOJI:
        return 4 * ONE;
    }
    return UINT32_MAX;
}

/* `known` NULL: of a model of which nothing was counted. */
static struct tokens_rates rates_of(const struct learned_model *known, const struct tokens_prior *prior,
                                    enum tokens_need need) {
    struct tokens_rates rates = prior->rates;
    for (size_t i = 0; i < TOKENS_CLASSES; i++) {
        uint64_t percent = prior->margin, factor = ONE;
        if (known != NULL) {
            const struct script_voices *script = &known->scripts[script_of[i]];
            factor = script->factor;
            percent = script->samples >= SAMPLES_SURE && percent > MARGIN_SURE ? MARGIN_SURE : percent;
        }
        if (need == TOKENS_BOUND) { /* what was learned of usual text says little of odd one */
            percent = prior->most;
            factor = factor > ONE ? factor : ONE;
        }
        percent = need == TOKENS_LIKELY ? 100 : percent;
        const uint64_t rate = (rates.of[i] * factor * percent + ONE * 100 - 1) / (ONE * 100);
        rates.of[i] = rate < class_most(i) ? (uint32_t)rate : class_most(i);
    }
    return rates;
}

static void rates_renew(struct learned_model *model) {
    for (size_t i = 0; i < TOKENS_NEEDS; i++) {
        model->rates[i] = rates_of(model, model->prior, (enum tokens_need)i);
    }
}

/* --- Models --- */

static struct learned_model *model_find(const struct tokens_learned *learned, struct str id) {
    struct learned_model *model = NULL;
    if (id.len > 0) {
        HASH_FIND(hh, learned->models, id.data, id.len, model);
    }
    return model;
}

/* NULL: there is no room for one more. */
static struct learned_model *model_get(struct tokens_learned *learned, struct str id) {
    struct learned_model *model = model_find(learned, id);
    if (model != NULL || id.len == 0 || id.len >= MODEL_BYTES || HASH_COUNT(learned->models) >= TOKENS_MODELS_MAX) {
        return model;
    }
    model = MEM_NEW(struct learned_model);
    (void)str_copy(model->id, sizeof(model->id), id);
    model->prior = tokens_prior_of(id);
    for (size_t i = 0; i < SCRIPTS; i++) {
        model->scripts[i].factor = ONE;
    }
    rates_renew(model);
    HASH_ADD_KEYPTR(hh, learned->models, model->id, id.len, model);
    return model;
}

/* --- What is asked --- */

struct tokens_rates tokens_learned_rates(const struct tokens_learned *learned, struct str model,
                                         enum tokens_need need) {
    const struct learned_model *known = model_find(learned, model);
    return known != NULL ? known->rates[need] : rates_of(NULL, tokens_prior_of(model), need);
}

/* --- What is told --- */

/* FNV-1a; the ids of accounts are ours, nobody chooses them. */
static uint64_t hash_of(struct str text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static struct voice *voice_get(struct script_voices *script, uint64_t who) {
    struct voice *oldest = &script->voices[0];
    for (uint32_t i = 0; i < script->count; i++) {
        if (script->voices[i].who == who) {
            return &script->voices[i];
        }
        oldest = script->voices[i].heard < oldest->heard ? &script->voices[i] : oldest;
    }
    if (script->count < TOKENS_VOICES_MAX) {
        oldest = &script->voices[script->count++];
    }
    *oldest = (struct voice){.who = who, .factor = ONE};
    return oldest;
}

static void voice_hear(struct voice *voice, uint64_t now, uint32_t factor) {
    const uint32_t weight =
        voice->samples + WEIGHT_FIRST < WEIGHT_LAST ? voice->samples + WEIGHT_FIRST : (uint32_t)WEIGHT_LAST;
    const int64_t step = ((int64_t)factor - (int64_t)voice->factor) / (int64_t)weight;
    voice->factor = (uint32_t)((int64_t)voice->factor + step);
    voice->samples++;
    voice->heard = now;
}

static int factor_order(const void *a, const void *b) {
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void script_decide(struct script_voices *script) {
    uint32_t factors[TOKENS_VOICES_MAX + 1];
    size_t count = 0;
    script->samples = 0;
    for (; count < script->count; count++) {
        factors[count] = script->voices[count].factor;
        script->samples += script->voices[count].samples;
    }
    if (count % 2 == 0) {
        factors[count++] = ONE;
    }
    qsort(factors, count, sizeof(*factors), factor_order);
    script->factor = factors[count / 2];
    if (script->own.samples > 0) {
        script->factor = script->own.factor;
        script->samples = script->own.samples + SAMPLES_SURE;
    }
}

/* 1024ths of a token of each script, by the rates of the family. */
static void costs_of(const struct learned_model *model, const struct tokens_text *text, uint64_t costs[SCRIPTS]) {
    memset(costs, 0, SCRIPTS * sizeof(*costs));
    for (size_t i = 0; i < TOKENS_CLASSES; i++) {
        costs[script_of[i]] += (uint64_t)text->units[i] * model->prior->rates.of[i];
    }
}

/* What the count says about the script that most of the text is of. False: none is, or it is too short. */
static bool observe(const struct learned_model *model, const struct tokens_taught *taught, enum script *script,
                    uint32_t *factor) {
    uint64_t costs[SCRIPTS], all = 0;
    int64_t others = taught->messages > 0 ? TEMPLATE_TOKENS + TOKENS_PER_MESSAGE * (int64_t)taught->messages : 0;
    size_t main = 0;
    costs_of(model, taught->text, costs);
    for (size_t i = 0; i < SCRIPTS; i++) {
        all += costs[i];
        main = costs[i] > costs[main] ? i : main;
    }
    if (costs[main] < (uint64_t)TOKENS_MIN * TOKENS_RATE_ONE || costs[main] * 100 < all * PERCENT_OF_TEXT) {
        return false;
    }
    for (size_t i = 0; i < SCRIPTS; i++) {
        others += i != main ? (int64_t)(costs[i] * model->scripts[i].factor / ONE / TOKENS_RATE_ONE) : 0;
    }
    const int64_t least = (int64_t)model->prior->least * ONE / 100, most = (int64_t)model->prior->most * ONE / 100;
    const int64_t seen = ((int64_t)taught->tokens - others) * ONE * TOKENS_RATE_ONE / (int64_t)costs[main];
    *script = (enum script)main;
    *factor = (uint32_t)(seen < least ? least : seen > most ? most : seen);
    return true;
}

void tokens_learned_take(struct tokens_learned *learned, const struct tokens_taught *taught) {
    struct learned_model *model = model_get(learned, taught->model);
    enum script main = SCRIPT_LATIN;
    uint32_t factor = ONE;
    if (model == NULL || !observe(model, taught, &main, &factor)) {
        return;
    }
    struct script_voices *script = &model->scripts[main];
    struct voice *voice = taught->who.len == 0 ? &script->own : voice_get(script, hash_of(taught->who));
    if (voice->factor == 0) {
        voice->factor = ONE;
    }
    const uint32_t factor_before = script->factor;
    const bool sure_before = script->samples >= SAMPLES_SURE;
    voice_hear(voice, ++model->counts, factor);
    script_decide(script);
    if (script->factor != factor_before || (script->samples >= SAMPLES_SURE) != sure_before) {
        rates_renew(model);
    }
}
