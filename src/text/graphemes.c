#include "text/graphemes.h"

#include "text/chars.h"

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

/* The part of a text that is looked at for one place. */
struct window {
    size_t start, end;
    bool certain; /* a grapheme begins at its start */
};

static int32_t break_property(int32_t c) {
    return u_getIntPropertyValue(c, UCHAR_GRAPHEME_CLUSTER_BREAK);
}

/* A grapheme begins between these two, whatever stands before them. */
static bool surely_between(int32_t before, int32_t behind) {
    const int32_t left = break_property(before), right = break_property(behind);
    const bool begins =
        right == U_GCB_OTHER || right == U_GCB_CONTROL || right == U_GCB_L || right == U_GCB_LV || right == U_GCB_LVT;
    return begins && left != U_GCB_EXTEND && left != U_GCB_ZWJ && left != U_GCB_PREPEND && left != U_GCB_L;
}

static bool is_flag_letter(int32_t c) {
    return break_property(c) == U_GCB_REGIONAL_INDICATOR;
}

/* Two letters are a flag: in a long row of flags the place depends on where the row begins. */
static size_t flags_align(struct str text, size_t start) {
    size_t at = start, count = 0;
    while (is_flag_letter(chars_before(text, &at))) {
        count++;
    }
    at = start;
    if (count % 2 == 1) {
        (void)chars_before(text, &at);
    }
    return at;
}

static struct window window_of(struct str text, size_t at) {
    struct window window = {.start = chars_back(text, at)};
    size_t behind_at = window.start;
    int32_t behind = chars_next(text, &behind_at);
    while (!window.certain && at - window.start < GRAPHEMES_BYTES_MAX) {
        size_t before_at = window.start;
        const int32_t before = chars_before(text, &before_at);
        window.certain = before == CHARS_END || surely_between(before, behind);
        window.start = window.certain ? window.start : before_at;
        behind = before;
    }
    if (!window.certain && is_flag_letter(behind)) {
        window.start = flags_align(text, window.start);
        window.certain = true;
    }
    window.end = chars_back(text, at + GRAPHEMES_BYTES_MAX);
    return window;
}

static bool is_virama(int32_t c) {
    const int32_t kind = u_getIntPropertyValue(c, UCHAR_INDIC_SYLLABIC_CATEGORY);
    return kind == U_INSC_VIRAMA || kind == U_INSC_INVISIBLE_STACKER;
}

/* A consonant behind a virama, which may have marks between them. */
static bool is_conjunct(struct str text, size_t at) {
    size_t behind = at;
    const int32_t next = chars_next(text, &behind);
    if (next == CHARS_END || u_getIntPropertyValue(next, UCHAR_INDIC_SYLLABIC_CATEGORY) != U_INSC_CONSONANT) {
        return false;
    }
    for (int32_t c = chars_before(text, &at); c != CHARS_END; c = chars_before(text, &at)) {
        const int32_t property = break_property(c);
        if (is_virama(c)) {
            return true;
        }
        if (property != U_GCB_EXTEND && property != U_GCB_ZWJ) {
            return false;
        }
    }
    return false;
}

/* The next one behind `at`, in the window's own places. */
static size_t iterator_next(UBreakIterator *iterator, struct str window) {
    int32_t at;
    do {
        at = ubrk_next(iterator);
    } while (at != UBRK_DONE && is_conjunct(window, (size_t)at));
    return at == UBRK_DONE ? window.len : (size_t)at;
}

/* The last place no later than `at` and the first one no earlier. */
static void places_around(struct str text, size_t at, size_t *before, size_t *behind) {
    const struct window window = window_of(text, at);
    const struct str part = {text.data + window.start, window.end - window.start};
    UErrorCode error = U_ZERO_ERROR;
    UText source = UTEXT_INITIALIZER;
    UBreakIterator *iterator = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &error);
    (void)utext_openUTF8(&source, part.data, (int64_t)part.len, &error);
    ubrk_setUText(iterator, &source, &error);
    size_t last = 0, next = 0;
    const size_t wanted = at - window.start;
    while (U_SUCCESS(error) && next < wanted) {
        last = next;
        next = iterator_next(iterator, part);
    }
    (void)utext_close(&source);
    ubrk_close(iterator);
    *before = window.start + (next == wanted ? next : last);
    *behind = window.start + next;
    const bool endless = (*before == window.start && !window.certain) || *behind - *before > GRAPHEMES_BYTES_MAX ||
                         (*behind == window.end && window.end < text.len);
    if (U_FAILURE(error) || (endless && *before != at)) {
        *before = *behind = chars_back(text, at);
        if (*behind < at) {
            (void)chars_next(text, behind);
        }
    }
}

size_t graphemes_back(struct str text, size_t at) {
    size_t before = 0, behind;
    if (at >= text.len) {
        return text.len;
    }
    if (at > 0) {
        places_around(text, at, &before, &behind);
    }
    return before;
}

size_t graphemes_forward(struct str text, size_t at) {
    size_t before, behind = 0;
    if (at >= text.len) {
        return text.len;
    }
    if (at > 0) {
        places_around(text, at, &before, &behind);
    }
    return behind;
}

struct str graphemes_prefix(struct str text, size_t bytes_max) {
    return (struct str){text.data, graphemes_back(text, bytes_max)};
}
