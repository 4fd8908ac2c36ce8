#include "text/find.h"

#include "base/compiler.h"
#include "text/chars.h"
#include "text/fold.h"
#include "text/graphemes.h"
#include "text/words.h"

#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

enum {
    SCORE_WORD = 4,
    SCORE_BEGINNING = 2, /* of a longer word */
    SCORE_PAIR = 1,
    STEM_LETTERS = 4,        /* with so many letters a word may begin as another; */
    STEM_LETTERS_JOINED = 2, /* of scripts with a syllable or more in a letter so many */
    ENDING_LETTERS = 2,      /* at most so many of it are an ending */
    FOLDED_TIMES = 20,       /* what folding makes of a text at most */
};

/* Words that are everywhere find nothing. */
static bool is_common(struct str word) {
    static const struct str common[] = {
        STR("the"),   STR("an"), STR("and"),  STR("or"),   STR("of"),   STR("to"),   STR("in"),
        STR("on"),    STR("is"), STR("it"),   STR("was"),  STR("what"), STR("my"),   STR("your"),
        STR("you"),   STR("me"), STR("did"),  STR("do"),   STR("for"),  STR("that"), STR("this"),
        STR("about"), STR("we"), STR("user"), STR("said"),
    };
    for (size_t i = 0; i < COUNT_OF(common); i++) {
        if (str_equal(common[i], word)) {
            return true;
        }
    }
    return false;
}

static struct str word_text(const struct find_query *query, const struct find_word *word) {
    return (struct str){query->folded.data + word->start, word->len};
}

static size_t letters_bytes(struct str word, size_t letters) {
    size_t at = 0;
    while (letters > 0 && chars_next(word, &at) != CHARS_END) {
        letters--;
    }
    return at;
}

static size_t stem_of(struct str word, bool joined) {
    const size_t letters = chars_count(word), least = joined ? STEM_LETTERS_JOINED : STEM_LETTERS;
    if (letters < least) {
        return 0;
    }
    return letters_bytes(word, letters > least + ENDING_LETTERS ? letters - ENDING_LETTERS : least);
}

static void word_add(struct find_query *query, struct str folded, bool pair) {
    if (folded.len == 0 || query->count == FIND_WORDS_MAX || (!pair && is_common(folded))) {
        return;
    }
    for (size_t i = 0; i < query->count; i++) {
        if (str_equal(word_text(query, &query->words[i]), folded)) {
            return;
        }
    }
    size_t at = 0;
    const bool joined = chars_is_joined(chars_next(folded, &at));
    const struct find_word word = {query->folded.len, folded.len, pair ? 0 : stem_of(folded, joined), pair};
    if (buf_append_str(&query->folded, folded)) {
        query->words[query->count++] = word;
        query->pairs += pair;
    }
}

/* A dictionary cuts "blue whale" into words that it knows: what it does not know is found by pairs. */
static void pairs_add(struct find_query *query, struct str folded) {
    size_t at = 0, last = 0;
    bool joined = false;
    while (at < folded.len) {
        const size_t here = at;
        const int32_t c = chars_next(folded, &at);
        const bool goes_on = chars_is_joined(c) || (joined && chars_is_mark(c));
        if (joined && goes_on) {
            word_add(query, (struct str){folded.data + last, at - last}, true);
        }
        joined = goes_on;
        last = here;
    }
}

/* Letters alone find too much, unless nothing else is asked for; ideographs alone beside longer words of their kind. */
static bool is_worth(struct str word, size_t longer, size_t longer_joined) {
    size_t at = 0;
    const int32_t c = chars_next(word, &at);
    if (at < word.len || u_isdigit(c)) {
        return true;
    }
    return chars_is_ideograph(c) ? longer_joined == 0 : longer == 0;
}

static void singles_drop(struct find_query *query) {
    size_t kept = 0, longer = 0, longer_joined = 0;
    for (size_t i = 0; i < query->count; i++) {
        const struct str word = word_text(query, &query->words[i]);
        size_t at = 0;
        const int32_t c = chars_next(word, &at);
        longer += at < word.len || chars_is_ideograph(c);
        longer_joined += at < word.len && chars_is_joined(c);
    }
    for (size_t i = 0; i < query->count; i++) {
        if (is_worth(word_text(query, &query->words[i]), longer, longer_joined)) {
            query->words[kept++] = query->words[i];
        }
    }
    query->count = kept;
}

void find_query_init(struct find_query *query, struct str words) {
    UErrorCode error = U_ZERO_ERROR;
    UText source = UTEXT_INITIALIZER;
    struct buf folded;
    memset(query, 0, sizeof(*query));
    buf_init(&query->folded, FOLDED_TIMES * FIND_QUERY_BYTES);
    buf_init(&query->text, SIZE_MAX / 2);
    buf_init(&folded, FOLDED_TIMES * FIND_QUERY_BYTES);
    fold_append(graphemes_prefix(words, FIND_QUERY_BYTES), &folded);
    UBreakIterator *iterator = ubrk_open(UBRK_WORD, "", NULL, 0, &error);
    (void)utext_openUTF8(&source, folded.len > 0 ? folded.data : "", (int64_t)folded.len, &error);
    ubrk_setUText(iterator, &source, &error);
    size_t start = 0;
    for (int32_t end = U_SUCCESS(error) ? ubrk_next(iterator) : UBRK_DONE; end != UBRK_DONE;
         end = ubrk_next(iterator)) {
        if (ubrk_getRuleStatus(iterator) >= UBRK_WORD_NUMBER) {
            word_add(query, (struct str){folded.data + start, (size_t)end - start}, false);
        }
        start = (size_t)end;
    }
    (void)utext_close(&source);
    ubrk_close(iterator);
    singles_drop(query);
    pairs_add(query, buf_str(&folded));
    buf_clear(&folded);
}

void find_query_clear(struct find_query *query) {
    buf_clear(&query->folded);
    buf_clear(&query->text);
}

/* The first place of `part` where a word begins, and ends if `whole`. */
static bool part_find(struct str text, struct str part, bool whole, size_t *place) {
    size_t from = 0;
    while (part.len > 0 && from + part.len <= text.len) {
        const char *found = memmem(text.data + from, text.len - from, part.data, part.len);
        if (found == NULL) {
            return false;
        }
        *place = (size_t)(found - text.data);
        if (words_is_edge(text, *place) && (!whole || words_is_edge(text, *place + part.len))) {
            return true;
        }
        from = *place + 1;
    }
    return false;
}

static size_t word_score(struct str text, struct str word, const struct find_word *as, size_t *place) {
    if (part_find(text, word, true, place)) {
        return as->pair ? SCORE_PAIR : SCORE_WORD;
    }
    return as->stem > 0 && part_find(text, (struct str){word.data, as->stem}, false, place) ? SCORE_BEGINNING : 0;
}

size_t find_score(struct find_query *query, struct str text, size_t *first) {
    size_t score = 0, pairs = 0, words = 0, earliest = SIZE_MAX;
    buf_reset(&query->text);
    fold_append(text, &query->text);
    const struct str folded = buf_str(&query->text);
    for (size_t i = 0; folded.len > 0 && i < query->count; i++) {
        const struct find_word *word = &query->words[i];
        size_t place;
        const size_t found = word_score(folded, word_text(query, word), word, &place);
        if (found > 0) {
            earliest = place < earliest ? place : earliest;
            score += found;
            pairs += word->pair;
            words += !word->pair;
        }
    }
    if (words == 0 && 2 * pairs < query->pairs) {
        return 0; /* a pair here and there is in every text */
    }
    if (first != NULL) {
        *first = score > 0 ? fold_source(text, earliest) : text.len;
    }
    return score;
}
