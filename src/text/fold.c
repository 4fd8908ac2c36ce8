#include "text/fold.h"

#include "text/chars.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

enum {
    PIECE_BYTES = 128,
    PIECE_ENOUGH = 64,
    UNITS = 20 * PIECE_BYTES, /* one character becomes 18 at most (U+FDFA) */
    LETTER_MARKS_MAX = 9,     /* combining classes up to this one are of nuktas, voiced kana and viramas */
    TATWEEL = 0x640,          /* lengthens an Arabic word for looks */
    DOTLESS_I = 0x131,        /* of Turkish; its capital is folded to i */
};

/* What folding needs of ICU; borrowed from it. */
struct folder {
    const UNormalizer2 *casefold, *decompose, *compose;
    bool ok;
};

static struct folder folder_get(void) {
    UErrorCode error = U_ZERO_ERROR;
    struct folder folder = {.casefold = unorm2_getNFKCCasefoldInstance(&error),
                            .decompose = unorm2_getNFDInstance(&error),
                            .compose = unorm2_getNFCInstance(&error)};
    folder.ok = U_SUCCESS(error);
    return folder;
}

/* A mark that is left out as the writer likes. */
static bool is_optional(int32_t c) {
    UErrorCode error = U_ZERO_ERROR;
    if (c < 0x300) {
        return false;
    }
    if (c == TATWEEL) {
        return true;
    }
    const UScriptCode script =
        u_getCombiningClass(c) > LETTER_MARKS_MAX ? uscript_getScript(c, &error) : USCRIPT_COMMON;
    return script == USCRIPT_INHERITED || script == USCRIPT_ARABIC || script == USCRIPT_HEBREW ||
           script == USCRIPT_SYRIAC;
}

/* Those marks are all of one unit. */
static int32_t marks_drop(UChar *units, int32_t count) {
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!is_optional(units[i])) {
            units[kept++] = units[i] == DOTLESS_I ? 'i' : units[i];
        }
    }
    return kept;
}

/* Letters that may carry such marks: those of the scripts up to Syriac, and more of Latin and Greek. */
static bool has_optional(const UChar *units, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        if ((units[i] >= 0x80 && units[i] < 0x750) || (units[i] >= 0x1d00 && units[i] < 0x2100)) {
            return true;
        }
    }
    return false;
}

/* A piece that neither begins nor ends inside of what is folded together. */
static void piece_append(const struct folder *folder, struct str piece, struct buf *out) {
    UChar a[UNITS], b[UNITS];
    UErrorCode error = U_ZERO_ERROR;
    int32_t count = 0, bytes = 0;
    u_strFromUTF8WithSub(a, UNITS, &count, piece.data, (int32_t)piece.len, 0xfffd, NULL, &error);
    count = unorm2_normalize(folder->casefold, a, count, b, UNITS, &error);
    if (U_SUCCESS(error) && has_optional(b, count)) {
        count = unorm2_normalize(folder->decompose, b, count, a, UNITS, &error);
        count = marks_drop(a, U_SUCCESS(error) ? count : 0);
        count = unorm2_normalize(folder->compose, a, count, b, UNITS, &error);
    }
    char *to = U_SUCCESS(error) ? buf_reserve(out, (size_t)count * 3) : NULL; /* a unit has three bytes at most */
    if (to != NULL) {
        u_strToUTF8(to, count * 3, &bytes, b, count, &error);
        out->len += U_SUCCESS(error) ? (size_t)bytes : 0;
    }
}

static bool is_ascii(struct str text, size_t at) {
    return at < text.len && (unsigned char)text.data[at] < 0x80;
}

/* Behind the ASCII from `at` on that nothing follows which could join to its last character. */
static size_t ascii_end(struct str text, size_t at) {
    size_t end = at;
    while (is_ascii(text, end)) {
        end++;
    }
    return end < text.len && end > at ? end - 1 : end;
}

static void ascii_append(struct str text, struct buf *out) {
    char *to = buf_reserve(out, text.len);
    for (size_t i = 0; to != NULL && i < text.len; i++) {
        const char c = text.data[i];
        to[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    out->len += to != NULL ? text.len : 0;
}

/* As long as what follows may join to it, and for as many bytes as make a call worth its while. */
static size_t piece_end(const struct folder *folder, struct str text, size_t at) {
    size_t end = at;
    (void)chars_next(text, &end);
    for (size_t next = end; next < text.len; end = next) {
        const int32_t c = chars_next(text, &next);
        if (next - at > PIECE_BYTES || (end - at >= PIECE_ENOUGH && unorm2_hasBoundaryBefore(folder->casefold, c))) {
            return end;
        }
    }
    return end;
}

/* The next piece from `at` on, folded; behind it. */
static size_t step(const struct folder *folder, struct str text, size_t at, struct buf *out) {
    size_t end = ascii_end(text, at);
    if (end > at) {
        ascii_append((struct str){text.data + at, end - at}, out);
        return end;
    }
    end = piece_end(folder, text, at);
    piece_append(folder, (struct str){text.data + at, end - at}, out);
    return end;
}

void fold_append(struct str text, struct buf *out) {
    const struct folder folder = folder_get();
    for (size_t at = 0; folder.ok && at < text.len && !out->overflow;) {
        at = step(&folder, text, at, out);
    }
}

size_t fold_source(struct str text, size_t folded_bytes) {
    const struct folder folder = folder_get();
    struct buf piece;
    size_t at = 0, folded = 0;
    buf_init(&piece, text.len + UNITS * sizeof(UChar) * 2);
    while (folder.ok && at < text.len) {
        buf_reset(&piece);
        const size_t end = step(&folder, text, at, &piece);
        if (folded + piece.len > folded_bytes) {
            at += is_ascii(text, at) && piece.len == end - at ? folded_bytes - folded : 0;
            break;
        }
        folded += piece.len;
        at = end;
    }
    buf_clear(&piece);
    return at;
}
