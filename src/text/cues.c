#include "text/cues.h"

#include "base/buf.h"
#include "text/chars.h"
#include "text/cue_words.h"
#include "text/graphemes.h"
#include "text/words.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

enum {
    SENTENCE_BYTES = 2 * 1024,
    UNITS = 2 * SENTENCE_BYTES,
    WORDS_BEFORE_COLON = 2,
    POLITE_MAX = 3, /* polite words before an order */
    THREES = 4096,
    GREEK_QUESTION = 0x37e,
    ARMENIAN_QUESTION = 0x55e,
    SPANISH_QUESTION = 0xbf,
};

/* A sentence in small letters, composed, with plain apostrophes. */
struct reading {
    struct buf text;
    struct str words;             /* without the marks and blanks around it */
    uint32_t threes[THREES / 32]; /* a bit for each hash of three bytes that follow each other in it */
    size_t first;                 /* behind polite words */
};

static size_t three_hash(const char *data) {
    return ((size_t)(unsigned char)data[0] * 31 + (size_t)(unsigned char)data[1] * 17 * 31 +
            (size_t)(unsigned char)data[2] * 257) %
           THREES;
}

/* A word that begins so may be in it: most are not, and this costs little. */
static bool may_have(const struct reading *reading, struct str word) {
    const size_t hash = word.len < 3 ? 0 : three_hash(word.data);
    return word.len < 3 || (reading->threes[hash / 32] >> hash % 32 & 1) != 0;
}

static void text_read(struct str sentence, struct buf *out) {
    UErrorCode error = U_ZERO_ERROR;
    UChar units[UNITS], composed[UNITS];
    int32_t count = 0, bytes = 0;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&error);
    u_strFromUTF8WithSub(units, UNITS, &count, sentence.data, (int32_t)sentence.len, 0xfffd, NULL, &error);
    count = unorm2_normalize(nfc, units, count, composed, UNITS, &error);
    for (int32_t i = 0; U_SUCCESS(error) && i < count; i++) { /* letters of two units have no place in our lists */
        const UChar c = composed[i];
        composed[i] = c == 0x2019 || c == 0x2bc || c == 0xff07 ? '\'' : U16_IS_SURROGATE(c) ? c : (UChar)u_tolower(c);
    }
    char *to = U_SUCCESS(error) ? buf_reserve(out, (size_t)count * 3 + 1) : NULL;
    if (to != NULL) {
        u_strToUTF8(to, count * 3 + 1, &bytes, composed, count, &error);
        out->len += U_SUCCESS(error) ? (size_t)bytes : 0;
    }
}

/* Without the characters at both ends that are in no word. */
static struct str words_of(struct str text) {
    size_t start = 0, end = text.len, at = 0;
    for (int32_t c = chars_next(text, &at); c != CHARS_END && !chars_is_word(c); c = chars_next(text, &at)) {
        start = at;
    }
    at = end;
    while (end > start && !chars_is_word(chars_before(text, &at))) {
        end = at;
    }
    return (struct str){text.data + start, end - start};
}

static bool is_at(const struct reading *reading, size_t at, struct str word) {
    return words_is_edge(reading->words, at) && words_is_edge(reading->words, at + word.len);
}

/* The word stands where it must. */
static bool has_word(const struct reading *reading, enum cue_place place, struct str word) {
    const struct str text = reading->words;
    if (word.len > text.len || !may_have(reading, word)) {
        return false;
    }
    if (place == CUE_FIRST) {
        return str_starts_with(words_rest(text, reading->first), word) && is_at(reading, reading->first, word);
    }
    if (place == CUE_LAST) {
        return str_equal(words_rest(text, text.len - word.len), word) && is_at(reading, text.len - word.len, word);
    }
    for (size_t from = 0; from + word.len <= text.len;) {
        const char *found = memmem(text.data + from, text.len - from, word.data, word.len);
        if (found == NULL) {
            return false;
        }
        const size_t at = (size_t)(found - text.data);
        if (is_at(reading, at, word)) {
            return true;
        }
        from = at + 1;
    }
    return false;
}

/* The length of the first word of the list that the sentence has; 0: none. */
static size_t list_find(const struct reading *reading, const struct cue_list *list) {
    const char *at = list->words.data, *end = at + list->words.len;
    while (at < end) {
        struct str word = {at, 0};
        while (at[word.len] != '|') {
            word.len++;
        }
        if (has_word(reading, list->place, word)) {
            return word.len;
        }
        at += word.len + 1;
    }
    return 0;
}

static void polite_skip(struct reading *reading, const struct cue_list *list) {
    for (int i = 0; i < POLITE_MAX; i++) {
        const size_t len = list_find(reading, list);
        size_t at = reading->first + len;
        if (len == 0) {
            return;
        }
        for (size_t next = at; next < reading->words.len && !chars_is_word(chars_next(reading->words, &next));) {
            at = next;
        }
        reading->first = at;
    }
}

/* "1. List the towns": behind the number. */
static size_t number_end(struct str words) {
    size_t at = 0;
    while (at < words.len && words.data[at] >= '0' && words.data[at] <= '9') {
        at++;
    }
    const bool numbered =
        at > 0 && at + 2 < words.len && (words.data[at] == '.' || words.data[at] == ')') && words.data[at + 1] == ' ';
    return numbered ? at + 2 : 0;
}

static bool is_question_mark(int32_t c, bool greek) {
    static const int32_t marks[] = {'?',    0xff1f, 0x61f,  0x2047, 0x2048, 0x2049,         0x203d,
                                    0x2e2e, 0x1367, 0xa60f, 0xa6f7, 0xfe56, GREEK_QUESTION, 0x11143};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (c == marks[i]) {
            return true;
        }
    }
    return greek && c == ';';
}

static bool is_greek(struct str text) {
    bool found = false;
    for (size_t at = 0; !found && at < text.len;) {
        const int32_t c = chars_next(text, &at);
        found = (c >= 0x391 && c < 0x400) || (c >= 0x1f00 && c < 0x2000);
    }
    return found;
}

/* By its marks: those behind its last word, and those that stand elsewhere in Spanish and Armenian. */
static bool marks_ask(struct str sentence) {
    const bool greek = is_greek(sentence);
    for (size_t at = sentence.len; at > 0;) {
        const int32_t c = chars_before(sentence, &at);
        if (chars_is_word(c)) {
            break;
        }
        if (is_question_mark(c, greek)) {
            return true;
        }
    }
    for (size_t at = 0; at < sentence.len;) {
        const int32_t c = chars_next(sentence, &at);
        if (c == SPANISH_QUESTION || c == ARMENIAN_QUESTION) {
            return true;
        }
    }
    return false;
}

static bool ends_with_colon(struct str sentence) {
    size_t at = sentence.len, words = 0;
    const int32_t last = chars_before(sentence, &at);
    if (last != ':' && last != 0xff1a) {
        return false;
    }
    for (at = 0; at < sentence.len;) {
        const int32_t c = chars_next(sentence, &at);
        words += chars_is_blank(c) || chars_is_joined(c);
    }
    return words + 1 >= WORDS_BEFORE_COLON;
}

static void letters_look(struct str sentence, struct cues *cues) {
    bool begun = false;
    for (size_t at = 0; at < sentence.len;) {
        const int32_t c = chars_next(sentence, &at);
        cues->name = cues->name || u_isdigit(c) || (begun && u_isupper(c));
        cues->cased = cues->cased || u_isupper(c) || u_islower(c);
        begun = begun || chars_is_word(c);
    }
}

static void lists_look(struct reading *reading, struct cues *cues) {
    bool found[CUE_FAMILIAR + 1] = {false};
    for (size_t i = CUE_LISTS; i-- > 0;) { /* polite words come last in the lists: orders stand behind them */
        const struct cue_list *list = &CUE_WORDS[i];
        if (list->kind == CUE_POLITE) {
            polite_skip(reading, list);
        } else if (!found[list->kind]) {
            found[list->kind] = list_find(reading, list) > 0;
        }
    }
    cues->remember = found[CUE_REMEMBER];
    cues->chat = found[CUE_CHAT];
    cues->speaker = found[CUE_SPEAKER] || found[CUE_REMEMBER];
    cues->asks =
        cues->asks || found[CUE_QUESTION] || found[CUE_ORDER] || (found[CUE_ORDER_VERB] && found[CUE_ORDER_OBJECT]);
    cues->maybe_asks = cues->maybe_asks || found[CUE_MAYBE];
    cues->familiar = found[CUE_FAMILIAR];
}

struct cues cues_read(struct str sentence) {
    struct cues cues = {0};
    struct reading reading = {.first = 0};
    sentence = words_trim(graphemes_prefix(sentence, SENTENCE_BYTES));
    buf_init(&reading.text, 3 * UNITS + 1);
    text_read(sentence, &reading.text);
    reading.words = words_of(buf_str(&reading.text));
    reading.first = number_end(reading.words);
    for (size_t i = 0; i + 2 < reading.words.len; i++) {
        const size_t hash = three_hash(reading.words.data + i);
        reading.threes[hash / 32] |= UINT32_C(1) << hash % 32;
    }
    cues.asks = cues.mark = marks_ask(sentence);
    cues.maybe_asks = ends_with_colon(sentence);
    letters_look(sentence, &cues);
    if (reading.words.len > 0) {
        lists_look(&reading, &cues);
    }
    buf_clear(&reading.text);
    return cues;
}
