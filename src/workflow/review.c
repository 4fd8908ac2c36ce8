#include "workflow/review.h"

#include "base/compiler.h"
#include "text/words.h"
#include "workflow/formula_words.h"
#include "workflow/review_words.h"

static bool is_within(uint32_t c, uint32_t from, uint32_t end) {
    return c >= from && c < end;
}

/* Punctuation beyond ASCII, blanks too. */
static bool is_punctuation(uint32_t c) {
    static const uint32_t marks[] = {0xfe0f, 0x060c, 0x061b, 0x06d4, 0x0964};
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        if (c == marks[i]) {
            return true;
        }
    }
    return is_within(c, 0x80, 0xc0) || is_within(c, 0x2000, 0x2070) || is_within(c, 0x3000, 0x3040) ||
           is_within(c, 0xff01, 0xff10) || is_within(c, 0xff1a, 0xff1f);
}

enum { REVIEW_BYTES_MAX = 2 * 1024 };

/* A letter, a digit or a sign that says something; blanks and punctuation do not. */
static bool says_something(uint32_t c) {
    const bool letter = is_within(c, '0', '9' + 1) || is_within(c, 'a', 'z' + 1) || is_within(c, 'A', 'Z' + 1);
    return letter || c == '?' || (c >= 0x80 && !is_punctuation(c));
}

static struct str marks_skip(struct str text) {
    size_t length;
    while (text.len > 0 && !says_something(formula_character(text, &length))) {
        text = words_rest(text, length);
    }
    return text;
}

static bool is_edge(struct str before, size_t at) {
    size_t length, start = at;
    while (start > 0 && ((uint8_t)before.data[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    start -= start > 0;
    const uint32_t last = formula_character(words_rest(before, start), &length);
    return !formula_is_letter(last) || at == before.len ||
           !formula_is_letter(formula_character(words_rest(before, at), &length));
}

/* The bytes of the text that the phrase takes; 0: it does not stand there. */
static size_t phrase_length(struct str text, struct str phrase) {
    struct str rest = text, word, more = phrase;
    for (bool split = true; split;) {
        split = str_split(more, ' ', &word, &more);
        rest = marks_skip(rest);
        if (!formula_may_begin(rest, word) || !words_begin(rest, word)) {
            return 0;
        }
        rest = words_rest(rest, word.len);
    }
    const size_t length = text.len - rest.len;
    return is_edge(text, length) ? length : 0;
}

static size_t longest(struct str text, enum review_words which) {
    const struct review_list list = review_words(which);
    size_t found = 0;
    for (size_t i = 0; i < list.count; i++) {
        const size_t length = phrase_length(text, list.phrases[i]);
        found = length > found ? length : found;
    }
    return found;
}

/* "1." before a point of a list. */
static size_t number_length(struct str text) {
    size_t at = 0;
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') {
        at++;
    }
    return at > 0 && at < text.len && (text.data[at] == '.' || text.data[at] == ')') ? at : 0;
}

bool review_passes(struct str output) {
    bool approved = false;
    if (output.len > REVIEW_BYTES_MAX) {
        return false; /* so many words are more than approval */
    }
    struct str rest = marks_skip(output);
    const bool empty = rest.len == 0;
    while (rest.len > 0) {
        const size_t approval = longest(rest, REVIEW_APPROVAL);
        const size_t filler = longest(rest, REVIEW_FILLER);
        const size_t mark = rest.data[0] == '?' ? 1 : str_starts_with(rest, STR("？")) ? sizeof("？") - 1 : 0;
        if (mark > 0) { /* what was said before was asked */
            approved = false;
        } else if (approval > 0 && approval >= filler) {
            approved = true;
        }
        const size_t taken = mark + (approval > filler ? approval : filler);
        if ((taken == 0 && number_length(rest) == 0) || longest(rest, REVIEW_REQUEST) > 0) {
            return false;
        }
        rest = marks_skip(words_rest(rest, taken > 0 ? taken : number_length(rest)));
    }
    return empty || approved;
}
