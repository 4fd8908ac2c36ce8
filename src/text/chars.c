#include "text/chars.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

enum {
    TEXT_BYTES_MAX = INT32_MAX, /* what ICU's places can count */
    REPLACEMENT = 0xfffd,
    ZERO_WIDTH_SPACE = 0x200b,
    BYTE_ORDER_MARK = 0xfeff,
    LONG_VOWEL_MARK = 0x30fc, /* of two scripts, so of none by its property */
};

static int32_t len_of(struct str text) {
    return text.len < TEXT_BYTES_MAX ? (int32_t)text.len : TEXT_BYTES_MAX;
}

int32_t chars_next(struct str text, size_t *at) {
    const uint8_t *bytes = (const uint8_t *)text.data;
    const int32_t len = len_of(text);
    int32_t here = (int32_t)*at, c;
    if (*at >= (size_t)len) {
        return CHARS_END;
    }
    U8_NEXT(bytes, here, len, c);
    *at = (size_t)here;
    return c >= 0 ? c : REPLACEMENT;
}

int32_t chars_before(struct str text, size_t *at) {
    const uint8_t *bytes = (const uint8_t *)text.data;
    int32_t here, c;
    if (*at == 0) {
        return CHARS_END;
    }
    here = *at < (size_t)len_of(text) ? (int32_t)*at : len_of(text);
    U8_PREV(bytes, 0, here, c);
    *at = (size_t)here;
    return c >= 0 ? c : REPLACEMENT;
}

size_t chars_back(struct str text, size_t at) {
    const uint8_t *bytes = (const uint8_t *)text.data;
    if (at >= text.len || at >= TEXT_BYTES_MAX) {
        return text.len < at ? text.len : at;
    }
    int32_t here = (int32_t)at;
    U8_SET_CP_START(bytes, 0, here);
    return (size_t)here;
}

size_t chars_count(struct str text) {
    size_t count = 0, at = 0;
    while (chars_next(text, &at) != CHARS_END) {
        count++;
    }
    return count;
}

bool chars_is_blank(int32_t c) {
    return u_isUWhiteSpace(c) || c == ZERO_WIDTH_SPACE || c == BYTE_ORDER_MARK;
}

bool chars_is_mark(int32_t c) {
    return (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
}

bool chars_is_word(int32_t c) {
    return c == '_' || u_isalnum(c) || chars_is_mark(c) || (U_GET_GC_MASK(c) & U_GC_N_MASK) != 0;
}

bool chars_is_ideograph(int32_t c) {
    return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC);
}

bool chars_is_unseen(int32_t c) {
    return (U_GET_GC_MASK(c) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CS_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK)) != 0 ||
           u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

bool chars_is_joined(int32_t c) {
    static const UScriptCode scripts[] = {USCRIPT_HAN,     USCRIPT_HIRAGANA, USCRIPT_KATAKANA, USCRIPT_BOPOMOFO,
                                          USCRIPT_HANGUL,  USCRIPT_THAI,     USCRIPT_LAO,      USCRIPT_KHMER,
                                          USCRIPT_MYANMAR, USCRIPT_TIBETAN,  USCRIPT_JAVANESE, USCRIPT_YI};
    UErrorCode error = U_ZERO_ERROR;
    if (c < 0x0e00) { /* all of them are above */
        return false;
    }
    const UScriptCode script = uscript_getScript(c, &error);
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (script == scripts[i]) {
            return true;
        }
    }
    return c == LONG_VOWEL_MARK;
}
