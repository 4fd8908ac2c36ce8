#include "workflow/formula_words.h"

#include "base/compiler.h"
#include "base/utf8.h"
#include "text/words.h"

#define OPERATOR(operator, word)                                                                                       \
    { STR(word), (operator), NULL, NULL }
#define FUNCTION(function, word)                                                                                       \
    { STR(word), 0, (function), NULL }
#define POWER(exponent, word)                                                                                          \
    { STR(word), '^', NULL, (exponent) }

static const struct formula_word words[] = {
    /* times */
    OPERATOR('*', "times"),
    OPERATOR('*', "multiplied by"),
    OPERATOR('*', "multiplied with"),
    OPERATOR('*', "mal"),
    OPERATOR('*', "multipliziert mit"),
    OPERATOR('*', "fois"),
    OPERATOR('*', "multiplié par"),
    OPERATOR('*', "por"),
    OPERATOR('*', "multiplicado por"),
    OPERATOR('*', "vezes"),
    OPERATOR('*', "per"),
    OPERATOR('*', "moltiplicato per"),
    OPERATOR('*', "keer"),
    OPERATOR('*', "maal"),
    OPERATOR('*', "gånger"),
    OPERATOR('*', "gange"),
    OPERATOR('*', "razy"),
    OPERATOR('*', "умножить на"),
    OPERATOR('*', "умноженное на"),
    OPERATOR('*', "помножить на"),
    OPERATOR('*', "помножити на"),
    OPERATOR('*', "乘以"),
    OPERATOR('*', "乘"),
    OPERATOR('*', "乘上"),
    OPERATOR('*', "かける"),
    OPERATOR('*', "掛ける"),
    OPERATOR('*', "곱하기"),
    OPERATOR('*', "ضرب"),
    OPERATOR('*', "في"),
    OPERATOR('*', "ضرب في"),
    OPERATOR('*', "गुणा"),
    OPERATOR('*', "गुना"),
    OPERATOR('*', "çarpı"),
    OPERATOR('*', "kali"),
    OPERATOR('*', "nhân"),
    OPERATOR('*', "คูณ"),
    OPERATOR('*', "επί"),
    OPERATOR('*', "כפול"),
    OPERATOR('*', "cdot"),
    /* plus */
    OPERATOR('+', "plus"),
    OPERATOR('+', "added to"),
    OPERATOR('+', "más"),
    OPERATOR('+', "mais"),
    OPERATOR('+', "più"),
    OPERATOR('+', "плюс"),
    OPERATOR('+', "加上"),
    OPERATOR('+', "加"),
    OPERATOR('+', "足す"),
    OPERATOR('+', "たす"),
    OPERATOR('+', "プラス"),
    OPERATOR('+', "더하기"),
    OPERATOR('+', "زائد"),
    OPERATOR('+', "जमा"),
    OPERATOR('+', "धन"),
    OPERATOR('+', "artı"),
    OPERATOR('+', "tambah"),
    OPERATOR('+', "cộng"),
    OPERATOR('+', "บวก"),
    OPERATOR('+', "συν"),
    OPERATOR('+', "ועוד"),
    /* minus */
    OPERATOR('-', "minus"),
    OPERATOR('-', "moins"),
    OPERATOR('-', "menos"),
    OPERATOR('-', "meno"),
    OPERATOR('-', "min"),
    OPERATOR('-', "минус"),
    OPERATOR('-', "мінус"),
    OPERATOR('-', "减去"),
    OPERATOR('-', "减"),
    OPERATOR('-', "減去"),
    OPERATOR('-', "減"),
    OPERATOR('-', "引く"),
    OPERATOR('-', "ひく"),
    OPERATOR('-', "マイナス"),
    OPERATOR('-', "빼기"),
    OPERATOR('-', "ناقص"),
    OPERATOR('-', "घटा"),
    OPERATOR('-', "ऋण"),
    OPERATOR('-', "eksi"),
    OPERATOR('-', "kurang"),
    OPERATOR('-', "trừ"),
    OPERATOR('-', "ลบ"),
    OPERATOR('-', "μείον"),
    OPERATOR('-', "פחות"),
    /* divided by */
    OPERATOR('/', "divided by"),
    OPERATOR('/', "over"),
    OPERATOR('/', "geteilt durch"),
    OPERATOR('/', "durch"),
    OPERATOR('/', "dividiert durch"),
    OPERATOR('/', "divisé par"),
    OPERATOR('/', "dividido por"),
    OPERATOR('/', "dividido entre"),
    OPERATOR('/', "entre"),
    OPERATOR('/', "diviso"),
    OPERATOR('/', "diviso per"),
    OPERATOR('/', "gedeeld door"),
    OPERATOR('/', "delat med"),
    OPERATOR('/', "delat på"),
    OPERATOR('/', "podzielić przez"),
    OPERATOR('/', "разделить на"),
    OPERATOR('/', "делить на"),
    OPERATOR('/', "поделить на"),
    OPERATOR('/', "除以"),
    OPERATOR('/', "割る"),
    OPERATOR('/', "わる"),
    OPERATOR('/', "나누기"),
    OPERATOR('/', "قسمة"),
    OPERATOR('/', "على"),
    OPERATOR('/', "قسمة على"),
    OPERATOR('/', "भाग"),
    OPERATOR('/', "bölü"),
    OPERATOR('/', "dibagi"),
    OPERATOR('/', "bagi"),
    OPERATOR('/', "chia"),
    OPERATOR('/', "chia cho"),
    OPERATOR('/', "หาร"),
    OPERATOR('/', "διά"),
    OPERATOR('/', "לחלק ל"),
    /* powers */
    OPERATOR('^', "to the power of"),
    OPERATOR('^', "to the power"),
    OPERATOR('^', "raised to the power of"),
    OPERATOR('^', "raised to"),
    OPERATOR('^', "hoch"),
    OPERATOR('^', "puissance"),
    OPERATOR('^', "elevado a"),
    OPERATOR('^', "elevado à"),
    OPERATOR('^', "elevato a"),
    OPERATOR('^', "в степени"),
    OPERATOR('^', "üssü"),
    POWER("2", "squared"),
    POWER("3", "cubed"),
    POWER("2", "zum Quadrat"),
    POWER("2", "au carré"),
    POWER("2", "al cuadrado"),
    POWER("2", "ao quadrado"),
    POWER("2", "al quadrato"),
    POWER("2", "в квадрате"),
    POWER("3", "в кубе"),
    POWER("2", "的平方"),
    POWER("3", "的立方"),
    POWER("2", "の二乗"),
    POWER("2", "의 제곱"),
    /* the others */
    OPERATOR('m', "mod"),
    OPERATOR('m', "modulo"),
    OPERATOR('m', "modulus"),
    OPERATOR('p', "percent"),
    OPERATOR('p', "per cent"),
    OPERATOR('p', "prozent"),
    OPERATOR('p', "pour cent"),
    OPERATOR('p', "por ciento"),
    OPERATOR('p', "por cento"),
    OPERATOR('p', "per cento"),
    OPERATOR('p', "procent"),
    OPERATOR('p', "процент"),
    OPERATOR('p', "процента"),
    OPERATOR('p', "процентов"),
    OPERATOR('p', "パーセント"),
    OPERATOR('p', "퍼센트"),
    OPERATOR('p', "في المئة"),
    OPERATOR('p', "प्रतिशत"),
    OPERATOR('o', "of"),
    OPERATOR('o', "von"),
    OPERATOR('o', "de"),
    OPERATOR('o', "du"),
    OPERATOR('o', "di"),
    OPERATOR('o', "del"),
    OPERATOR('o', "van"),
    OPERATOR('o', "av"),
    OPERATOR('o', "af"),
    OPERATOR('o', "от"),
    OPERATOR('o', "من"),
    OPERATOR('o', "का"),
    OPERATOR('o', "の"),
    OPERATOR('o', "的"),
    OPERATOR('o', "의"),
    OPERATOR('r', "的平方根"),
    OPERATOR('r', "の平方根"),
    OPERATOR('r', "의 제곱근"),
    OPERATOR('d', "degrees"),
    OPERATOR('d', "degree"),
    OPERATOR('d', "°"),
    OPERATOR('!', "factorial"),
    OPERATOR('!', "的阶乘"),
    OPERATOR('!', "の階乗"),
    FUNCTION("sqrt", "square root of"),
    FUNCTION("sqrt", "square root"),
    FUNCTION("sqrt", "quadratwurzel von"),
    FUNCTION("sqrt", "quadratwurzel aus"),
    FUNCTION("sqrt", "wurzel aus"),
    FUNCTION("sqrt", "wurzel von"),
    FUNCTION("sqrt", "racine carrée de"),
    FUNCTION("sqrt", "raíz cuadrada de"),
    FUNCTION("sqrt", "raiz quadrada de"),
    FUNCTION("sqrt", "radice quadrata di"),
    FUNCTION("sqrt", "wortel van"),
    FUNCTION("sqrt", "квадратный корень из"),
    FUNCTION("sqrt", "корень из"),
    FUNCTION("cbrt", "cube root of"),
    FUNCTION("cbrt", "∛"),
    FUNCTION("sqrt", "√"),
    FUNCTION("pi", "π"),
    FUNCTION("factorial", "factorial of"),
};

static const struct {
    struct str text;
    char what;
} signs[] = {
    {STR("**"), '^'},
    {STR("//"), 'f'},
    {STR("+"), '+'},
    {STR("＋"), '+'},
    {STR("-"), '-'},
    {STR("−"), '-'},
    {STR("–"), '-'},
    {STR("‐"), '-'},
    {STR("‑"), '-'},
    {STR("－"), '-'},
    {STR("*"), '*'},
    {STR("×"), '*'},
    {STR("⋅"), '*'},
    {STR("·"), '*'},
    {STR("∗"), '*'},
    {STR("✕"), '*'},
    {STR("✖"), '*'},
    {STR("＊"), '*'},
    {STR("/"), '/'},
    {STR("÷"), '/'},
    {STR("／"), '/'},
    {STR("∕"), '/'},
    {STR("⁄"), '/'},
    {STR("^"), '^'},
    {STR("＾"), '^'},
    {STR("%"), '%'},
    {STR("％"), '%'},
    {STR("٪"), '%'},
    {STR("!"), '!'},
    {STR("！"), '!'},
    {STR("="), '='},
    {STR("＝"), '='},
    {STR("("), '('},
    {STR("（"), '('},
    {STR("["), '('},
    {STR("［"), '('},
    {STR(")"), ')'},
    {STR("）"), ')'},
    {STR("]"), ')'},
    {STR("］"), ')'},
    {STR(","), ','},
    {STR("，"), ','},
    {STR(" "), ' '},
    {STR("\t"), ' '},
    {STR("\n"), ' '},
    {STR("\r"), ' '},
    {STR("\u00a0"), ' '},
    {STR("\u202f"), ' '},
    {STR("\u2009"), ' '},
    {STR("\u3000"), ' '},
    {STR("$"), '$'},
    {STR("€"), '$'},
    {STR("£"), '$'},
    {STR("¥"), '$'},
    {STR("￥"), '$'},
    {STR("₹"), '$'},
    {STR("₽"), '$'},
    {STR("₩"), '$'},
    {STR("\\"), '$'},
    {STR("`"), '$'},
    /* NOLINTBEGIN(misc-misleading-bidirectional): written as escapes, they mislead nobody */
    {STR("\u200b"), '$'},
    {STR("\u200c"), '$'},
    {STR("\u200d"), '$'},
    {STR("\u200e"), '$'},
    {STR("\u200f"), '$'},
    {STR("\u202a"), '$'},
    {STR("\u202b"), '$'},
    {STR("\u202c"), '$'},
    {STR("\u2066"), '$'},
    {STR("\u2067"), '$'},
    {STR("\u2068"), '$'},
    {STR("\u2069"), '$'},
    {STR("\u061c"), '$'},
    {STR("\ufeff"), '$'},
    {STR("\u2060"), '$'},
    /* NOLINTEND(misc-misleading-bidirectional) */
};

bool formula_may_begin(struct str text, struct str word) {
    enum { ASCII_END = 0x80, WIDE_LETTERS = 0xef /* full-width forms fold to ASCII */ };
    const uint8_t first = text.len > 0 ? (uint8_t)text.data[0] : 0, wanted = (uint8_t)word.data[0];
    const uint8_t small = first >= 'A' && first <= 'Z' ? (uint8_t)(first + ('a' - 'A')) : first;
    return small == wanted || (first >= ASCII_END && (wanted >= ASCII_END || first == WIDE_LETTERS));
}

uint32_t formula_character(struct str text, size_t *length) {
    static const uint8_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    bool valid = true;
    *length = utf8_sequence(text.data, text.len, &valid);
    if (!valid || *length == 0 || *length >= COUNT_OF(first_bits)) {
        *length = *length > 0 ? *length : 1;
        return 0xfffd;
    }
    uint32_t character = (uint8_t)text.data[0] & first_bits[*length];
    for (size_t i = 1; i < *length; i++) {
        character = character << 6 | ((uint8_t)text.data[i] & 0x3f);
    }
    return character;
}

int formula_digit(uint32_t character) {
    static const uint32_t zeros[] = {
        '0',    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66,  0x0be6,  0x0c66,  0x0ce6,  0x0d66,
        0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
    };
    for (size_t i = 0; i < COUNT_OF(zeros); i++) {
        if (character >= zeros[i] && character < zeros[i] + 10) {
            return (int)(character - zeros[i]);
        }
    }
    return -1;
}

/* Marks among the letters of scripts: Arabic and Indic ones. */
static bool is_script_mark(uint32_t c) {
    static const uint32_t marks[] = {0xd7,   0xf7,   0x060c, 0x061b, 0x061c, 0x061f,
                                     0x066a, 0x066b, 0x066c, 0x06d4, 0x0964, 0x0965};
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        if (c == marks[i]) {
            return true;
        }
    }
    return formula_digit(c) >= 0;
}

static bool is_within(uint32_t c, uint32_t from, uint32_t end) {
    return c >= from && c < end;
}

bool formula_is_letter(uint32_t c) {
    const bool blankless = is_within(c, 0x0e00, 0x1000) || is_within(c, 0x1000, 0x10a0) || is_within(c, 0x1780, 0x1800);
    return is_within(c, 'a', 'z' + 1) || is_within(c, 'A', 'Z' + 1) || c == '_' ||
           (is_within(c, 0xc0, 0x2000) && !blankless && !is_script_mark(c));
}

/* What follows does not go on with the word; a script without blanks has no such end. */
static bool ends_word(struct str word, struct str rest) {
    size_t length;
    size_t last = word.len - 1;
    while (last > 0 && ((uint8_t)word.data[last] & 0xc0) == 0x80) {
        last--;
    }
    const struct str end = words_rest(word, last);
    return !formula_is_letter(formula_character(end, &length)) || rest.len == 0 ||
           !formula_is_letter(formula_character(rest, &length));
}

const struct formula_word *formula_word_find(struct str text) {
    const struct formula_word *found = NULL;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const struct str word = words[i].text;
        if ((found == NULL || word.len > found->text.len) && formula_may_begin(text, word) && words_begin(text, word) &&
            ends_word(word, words_rest(text, word.len))) {
            found = &words[i];
        }
    }
    return found;
}

char formula_sign_find(struct str text, size_t *length) {
    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        if (str_starts_with(text, signs[i].text)) {
            *length = signs[i].text.len;
            return signs[i].what;
        }
    }
    *length = 0;
    return 0;
}
