#include "tokens/text.h"

#include "base/compiler.h"
#include "base/utf8.h"

#include <stdbool.h>

enum {
    PIECE_BYTES_MAX = 256,
    WORD_LETTERS = 5, /* for which a word costs no more */
    DENSE_MIN = 8,    /* with fewer characters a run is a word or a number */
    DENSE_MAX = 32,   /* with more it is no word that a vocabulary has parts of */
    DENSE_SWITCH = 4, /* dense where every fourth character begins another kind */
    BLANK_RUN = 16,
};

/* --- Characters --- */

static uint32_t code_point(const unsigned char *at, size_t len) {
    switch (len) {
    case 2:
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    case 3:
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    case 4:
        return (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3f) << 12 | (uint32_t)(at[2] & 0x3f) << 6 |
               (at[3] & 0x3f);
    default:
        return at[0];
    }
}

/* In order; a character belongs to the first range that ends at or behind it (blocks of Unicode 15). */
static const struct {
    uint32_t last;
    enum tokens_class class;
} ranges[] = {
    {0x00bf, TOKENS_MARK},   {0x024f, TOKENS_ACCENT},     {0x02ff, TOKENS_RARE},   {0x036f, TOKENS_ACCENT},
    {0x03ff, TOKENS_GREEK},  {0x052f, TOKENS_CYRILLIC},   {0x058f, TOKENS_RARE},   {0x05ff, TOKENS_HEBREW},
    {0x06ff, TOKENS_ARABIC}, {0x074f, TOKENS_RARE},       {0x077f, TOKENS_ARABIC}, {0x089f, TOKENS_RARE},
    {0x08ff, TOKENS_ARABIC}, {0x097f, TOKENS_DEVANAGARI}, {0x0dff, TOKENS_INDIC},  {0x0e7f, TOKENS_THAI},
    {0x10ff, TOKENS_RARE},   {0x11ff, TOKENS_HANGUL},     {0x1dff, TOKENS_RARE},   {0x1eff, TOKENS_ACCENT},
    {0x1fff, TOKENS_GREEK},  {0x200c, TOKENS_MARK},       {0x200d, TOKENS_EMOJI},  {0x206f, TOKENS_MARK},
    {0x2dff, TOKENS_EMOJI},  {0x303f, TOKENS_HAN},        {0x30ff, TOKENS_KANA},   {0x312f, TOKENS_HAN},
    {0x318f, TOKENS_HANGUL}, {0x9fff, TOKENS_HAN},        {0xabff, TOKENS_RARE},   {0xd7ff, TOKENS_HANGUL},
    {0xf8ff, TOKENS_RARE},   {0xfaff, TOKENS_HAN},        {0xfdff, TOKENS_ARABIC}, {0xfe0f, TOKENS_EMOJI},
    {0xfe6f, TOKENS_HAN},    {0xfeff, TOKENS_ARABIC},     {0xffef, TOKENS_HAN},    {0xffff, TOKENS_RARE},
};

static enum tokens_class class_of(uint32_t point) {
    size_t low = 0, high = COUNT_OF(ranges);
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (point <= ranges[middle].last) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < COUNT_OF(ranges) ? ranges[low].class : TOKENS_EMOJI;
}

static bool is_lower(unsigned char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_upper(unsigned char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}

static bool is_blank(unsigned char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* --- Pieces --- */

/* A run of letters of the Latin script and digits. */
struct run {
    size_t bytes;
    uint32_t letters, digits, accents, switches;
};

/* Of a letter beyond A to Z, its length; 0: it is something else. */
static size_t accent_bytes(const unsigned char *at, size_t len) {
    bool valid = false;
    const size_t bytes = *at >= 0x80 ? utf8_sequence((const char *)at, len, &valid) : 0;
    return valid && class_of(code_point(at, bytes)) == TOKENS_ACCENT ? bytes : 0;
}

/* Most of most texts: the letters a to z from here on. */
static size_t lower_bytes(const unsigned char *at, size_t len) {
    size_t bytes = 0;
    while (bytes < len && is_lower(at[bytes])) {
        bytes++;
    }
    return bytes;
}

static struct run run_of(const unsigned char *at, size_t len) {
    struct run run = {.bytes = lower_bytes(at, len)};
    bool digit_before = false, lower_before = run.bytes > 0;
    run.letters = (uint32_t)run.bytes;
    while (run.bytes < len) {
        const unsigned char c = at[run.bytes];
        const bool digit = is_digit(c), lower = is_lower(c), upper = is_upper(c);
        const size_t accent = digit || lower || upper ? 0 : accent_bytes(at + run.bytes, len - run.bytes);
        if (!digit && !lower && !upper && accent == 0) {
            break;
        }
        run.switches += run.bytes > 0 && (digit != digit_before || (upper && lower_before));
        run.digits += digit;
        run.letters += !digit;
        run.accents += accent > 0;
        run.bytes += accent > 0 ? accent : 1;
        digit_before = digit;
        lower_before = lower || accent > 0;
    }
    return run;
}

static size_t add_run(struct tokens_text *sum, const unsigned char *at, size_t len) {
    const struct run run = run_of(at, len);
    const uint32_t all = run.letters + run.digits;
    if (run.letters > 0 && (all > DENSE_MAX || (all >= DENSE_MIN && run.switches * DENSE_SWITCH >= all))) {
        sum->units[TOKENS_DENSE] += all;
    } else {
        sum->units[TOKENS_WORD] += run.letters > 0;
        sum->units[TOKENS_LETTER] += run.letters > WORD_LETTERS ? run.letters - WORD_LETTERS : 0;
        sum->units[TOKENS_DIGIT] += run.digits;
    }
    sum->units[TOKENS_ACCENT] += run.accents;
    return run.bytes;
}

static size_t add_blanks(struct tokens_text *sum, const unsigned char *at, size_t len) {
    size_t bytes = 0;
    while (bytes < len && is_blank(at[bytes])) {
        bytes++;
    }
    if (bytes > 1 || *at != ' ') {
        sum->units[TOKENS_BLANK] += 1 + (uint32_t)bytes / BLANK_RUN;
    }
    return bytes;
}

static size_t add_other(struct tokens_text *sum, const unsigned char *at, size_t len) {
    bool valid = false;
    const size_t bytes = utf8_sequence((const char *)at, len, &valid);
    sum->units[valid ? class_of(code_point(at, bytes)) : TOKENS_RARE]++;
    return bytes;
}

/* A run may be longer than the rest of its piece: the piece then ends inside of the run, behind a character. */
static size_t piece_len(struct str text) {
    return text.len > PIECE_BYTES_MAX ? utf8_whole_prefix(text.data, PIECE_BYTES_MAX) : text.len;
}

size_t tokens_text_add_piece(struct tokens_text *sum, struct str text) {
    if (text.len == 0) {
        return 0;
    }
    const unsigned char *at = (const unsigned char *)text.data;
    const size_t len = piece_len(text);
    size_t bytes;
    if (is_lower(*at) || is_upper(*at) || is_digit(*at) || accent_bytes(at, len) > 0) {
        bytes = add_run(sum, at, len);
    } else if (is_blank(*at)) {
        bytes = add_blanks(sum, at, len);
    } else if (*at < 0x80) {
        sum->units[TOKENS_MARK]++;
        bytes = 1;
    } else {
        bytes = add_other(sum, at, len);
    }
    sum->bytes += bytes;
    return bytes;
}

/* The blank between two words costs nothing by itself (add_blanks). */
static bool is_lone_space(struct str text) {
    return text.data[0] == ' ' && text.len > 1 && !is_blank((unsigned char)text.data[1]);
}

void tokens_text_add(struct tokens_text *sum, struct str text) {
    while (text.len > 0) {
        size_t bytes = 1;
        if (is_lone_space(text)) {
            sum->bytes++;
        } else {
            bytes = tokens_text_add_piece(sum, text);
        }
        text.data += bytes;
        text.len -= bytes;
    }
}
