#include "text/sentences.h"

#include "base/compiler.h"
#include "text/chars.h"
#include "text/words.h"

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

enum { STOP_LETTERS_MIN = 3 /* of the word before a full stop that ends a sentence before a small letter */ };

/* Words before a full stop that ends no sentence. */
static const struct str titles[] = {
    STR("dr"),   STR("mr"),   STR("mrs"), STR("ms"),  STR("prof"), STR("st"),   STR("sr"), STR("sra"), STR("srta"),
    STR("dra"),  STR("hr"),   STR("fr"),  STR("nr"),  STR("no"),   STR("vs"),   STR("jr"), STR("mme"), STR("sig"),
    STR("dott"), STR("dipl"), STR("ing"), STR("bzw"), STR("ca"),   STR("ул"),   STR("им"), STR("г"),   STR("д-р"),
    STR("т.е"),  STR("z.b"),  STR("d.h"), STR("e.g"), STR("i.e"),  STR("p.ej"),
};

/* The word before the full stop that stands at the end of `text`, blanks apart; empty: there is no full stop. */
static struct str word_before_stop(struct str text) {
    text = words_trim(text);
    if (text.len == 0 || text.data[text.len - 1] != '.') {
        return STR("");
    }
    text.len--;
    size_t at = text.len, start = text.len;
    for (int32_t c = chars_before(text, &at); c != CHARS_END && !chars_is_blank(c); c = chars_before(text, &at)) {
        start = at;
    }
    return words_rest(text, start);
}

static bool is_title(struct str word) {
    for (size_t i = 0; i < COUNT_OF(titles); i++) {
        if (words_begin(word, titles[i]) && word.len == titles[i].len) {
            return true;
        }
    }
    size_t at = 0;
    const int32_t first = chars_next(word, &at);
    return at == word.len && u_isupper(first); /* "J. Doe" */
}

/* ICU takes what follows a full stop with a small letter for the same sentence: the first stop in it that ends one. */
static size_t stop_find(struct str text, size_t from, size_t end) {
    for (size_t at = from; at + 2 < end; at++) {
        if (text.data[at] != '.' || !words_is_blank(text.data[at + 1])) {
            continue;
        }
        const struct str word = word_before_stop((struct str){text.data + from, at + 1 - from});
        if (chars_count(word) >= STOP_LETTERS_MIN && !is_title(word) && words_find(word, STR(".")) == WORDS_NONE) {
            return at + 1;
        }
    }
    return end;
}

struct splitter {
    struct str text;
    struct str *out;
    size_t count, max, start;
};

/* The text from the last end to this one. */
static void end_at(struct splitter *splitter, size_t end) {
    while (splitter->start < end && splitter->count < splitter->max) {
        const size_t stop = stop_find(splitter->text, splitter->start, end);
        const struct str sentence =
            words_trim((struct str){splitter->text.data + splitter->start, stop - splitter->start});
        splitter->start = stop;
        if (sentence.len > 0) {
            splitter->out[splitter->count++] = sentence;
        }
    }
}

/* It ends at `at`: not behind a title, unless the line ends. */
static bool ends_here(const struct splitter *splitter, size_t at) {
    const struct str before = {splitter->text.data + splitter->start, at - splitter->start};
    const bool line = at > 0 && (before.data[before.len - 1] == '\n' || before.data[before.len - 1] == '\r');
    return line || !is_title(word_before_stop(before));
}

size_t sentences_split(struct str text, struct str *out, size_t max) {
    struct splitter splitter = {.text = text, .out = out, .max = max};
    UErrorCode error = U_ZERO_ERROR;
    UText source = UTEXT_INITIALIZER;
    UBreakIterator *iterator = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &error);
    (void)utext_openUTF8(&source, text.len > 0 ? text.data : "", (int64_t)text.len, &error);
    ubrk_setUText(iterator, &source, &error);
    for (int32_t at = U_SUCCESS(error) ? ubrk_next(iterator) : UBRK_DONE; at != UBRK_DONE && splitter.count < max;
         at = ubrk_next(iterator)) {
        if (ends_here(&splitter, (size_t)at)) {
            end_at(&splitter, (size_t)at);
        }
    }
    (void)utext_close(&source);
    ubrk_close(iterator);
    end_at(&splitter, text.len);
    return splitter.count;
}
