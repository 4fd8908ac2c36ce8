#include "text/cut.h"

#include "text/chars.h"
#include "text/graphemes.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

enum {
    NOWHERE = 0,
    WINDOW_BYTES = 4096, /* sentences and words are looked for in the last so many bytes */
    AROUND_BYTES = 96,   /* on both sides of them, since the rules look at what is around a place */
};

/* At a beginning of a line: the line before it is empty. */
static bool is_paragraph(struct str text, size_t at) {
    for (at--; at > 0; at--) {
        const char c = text.data[at - 1];
        if (c == '\n') {
            return true;
        }
        if (c != '\r' && c != ' ' && c != '\t') {
            return false;
        }
    }
    return false;
}

/* Behind the last paragraph, else behind the last line. */
static size_t line_back(struct str text, size_t low, size_t high) {
    size_t line = NOWHERE;
    for (size_t at = high; at > low; at--) {
        if (text.data[at - 1] == '\n' && is_paragraph(text, at)) {
            return at;
        }
        line = text.data[at - 1] == '\n' && line == NOWHERE ? at : line;
    }
    return line;
}

/* The part of a text around [low, high] that ICU looks at. */
static struct str part_of(struct str text, size_t low, size_t high, size_t *start) {
    const size_t end = chars_back(text, high + AROUND_BYTES);
    *start = low > AROUND_BYTES ? chars_back(text, low - AROUND_BYTES) : 0;
    return (struct str){text.data + *start, end - *start};
}

/* A place of that kind: the last in [low, high], or the first. */
static size_t place_find(struct str text, size_t low, size_t high, UBreakIteratorType type, bool last) {
    size_t start, found = NOWHERE;
    const struct str part = part_of(text, low, high, &start);
    UErrorCode error = U_ZERO_ERROR;
    UText source = UTEXT_INITIALIZER;
    UBreakIterator *iterator = ubrk_open(type, "", NULL, 0, &error);
    (void)utext_openUTF8(&source, part.data, (int64_t)part.len, &error);
    ubrk_setUText(iterator, &source, &error);
    if (U_SUCCESS(error)) {
        const int32_t at = last ? ubrk_preceding(iterator, (int32_t)(high - start) + 1)
                                : ubrk_following(iterator, (int32_t)(low - start) - 1);
        const size_t place = at > 0 ? start + (size_t)at : NOWHERE;
        found = place >= low && place <= high && graphemes_back(text, place) == place ? place : NOWHERE;
    }
    (void)utext_close(&source);
    ubrk_close(iterator);
    return found;
}

size_t cut_back(struct str text, size_t low, size_t high) {
    if (high >= text.len) {
        return text.len;
    }
    size_t place = line_back(text, low, high);
    low = low < high - (high < WINDOW_BYTES ? high : WINDOW_BYTES) ? high - WINDOW_BYTES : low;
    if (place == NOWHERE) {
        place = place_find(text, low, high, UBRK_SENTENCE, true);
    }
    if (place == NOWHERE) {
        place = place_find(text, low, high, UBRK_LINE, true);
    }
    return place != NOWHERE ? place : graphemes_back(text, high);
}

size_t cut_forward(struct str text, size_t from, size_t limit) {
    if (from == 0 || from >= text.len) {
        return from < text.len ? from : text.len;
    }
    limit = limit < from + WINDOW_BYTES ? limit : from + WINDOW_BYTES;
    const size_t place = place_find(text, from, limit < text.len ? limit : text.len, UBRK_LINE, false);
    return place != NOWHERE ? place : graphemes_forward(text, from);
}
