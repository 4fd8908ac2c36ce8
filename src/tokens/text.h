/* What a text is made of, as tokenizers see it: words, digits, marks, and the characters of other scripts, each in
 * units that cost about the same wherever they stand. From that and a model's rates (tokens/rates.h) follows how many
 * tokens it has. Pure; linear in the text; any bytes may be in it. */
#ifndef NATARIS_TOKENS_TEXT_H
#define NATARIS_TOKENS_TEXT_H

#include "base/str.h"

#include <stdint.h>

/* The units. A word is a run of letters of the Latin script; what is said of its length is in letters. */
enum tokens_class {
    TOKENS_WORD,
    TOKENS_LETTER, /* of a word, past its fifth */
    TOKENS_ACCENT, /* letters of the Latin script beyond A to Z, and marks that combine with letters */
    TOKENS_DENSE,  /* characters of long runs of mixed letters and digits: base64, hashes, very long words */
    TOKENS_DIGIT,
    TOKENS_MARK,     /* punctuation and signs */
    TOKENS_BLANK,    /* runs of blanks that are more than one space, each sixteenth of them once more */
    TOKENS_CYRILLIC, /* from here on characters */
    TOKENS_GREEK,
    TOKENS_ARABIC,
    TOKENS_HEBREW,
    TOKENS_DEVANAGARI,
    TOKENS_INDIC, /* Bengali to Sinhala */
    TOKENS_THAI,
    TOKENS_RARE, /* Khmer, Lao, Burmese, Tibetan, Georgian, Armenian, Ethiopic, all others; bytes that are no UTF-8 */
    TOKENS_HAN,  /* and the punctuation that goes with it */
    TOKENS_KANA,
    TOKENS_HANGUL,
    TOKENS_EMOJI, /* and symbols; also characters beyond the basic plane */
};
enum { TOKENS_CLASSES = TOKENS_EMOJI + 1 };

struct tokens_text {
    uint64_t bytes;
    uint32_t units[TOKENS_CLASSES];
};

/* Adds what `text` is made of. */
void tokens_text_add(struct tokens_text *sum, struct str text);
/* Adds the first piece of a text (a word, a run, a character), of at most 256 bytes: for those who go through one.
 * Returns its length in bytes; 0 when the text is empty. A piece is no part of a character. */
size_t tokens_text_add_piece(struct tokens_text *sum, struct str text);

#endif
