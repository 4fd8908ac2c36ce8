#include "workflow/brackets.h"

#include "base/compiler.h"
#include "text/words.h"

#include <string.h>

/* What is longer is not closed: no argument is, and a text of nothing but brackets must not take long. */
enum { WINDOW_BYTES = 4 * 1024 };

static struct str window(struct str text) {
    return (struct str){text.data, text.len < WINDOW_BYTES ? text.len : WINDOW_BYTES};
}

static const struct {
    struct str open, close;
    enum bracket bracket;
} brackets[] = {
    {STR("["), STR("]"), BRACKET_SQUARE},   {STR("［"), STR("］"), BRACKET_SQUARE},
    {STR("【"), STR("】"), BRACKET_SQUARE}, {STR("〔"), STR("〕"), BRACKET_SQUARE},
    {STR("〖"), STR("〗"), BRACKET_SQUARE}, {STR("("), STR(")"), BRACKET_ROUND},
    {STR("（"), STR("）"), BRACKET_ROUND},  {STR("{"), STR("}"), BRACKET_BRACE},
    {STR("｛"), STR("｝"), BRACKET_BRACE},
};

static const struct {
    struct str open, close;
} quotes[] = {
    {STR("\""), STR("\"")}, {STR("'"), STR("'")},   {STR("`"), STR("`")},   {STR("“"), STR("”")},
    {STR("”"), STR("”")},   {STR("„"), STR("“")},   {STR("„"), STR("”")},   {STR("‘"), STR("’")},
    {STR("’"), STR("’")},   {STR("‚"), STR("‘")},   {STR("«"), STR("»")},   {STR("»"), STR("«")},
    {STR("‹"), STR("›")},   {STR("「"), STR("」")}, {STR("『"), STR("』")}, {STR("＂"), STR("＂")},
    {STR("＇"), STR("＇")}, {STR("″"), STR("″")},
};

/* A quick look: most bytes are none. */
static bool may_be_mark(struct str text) {
    return text.len > 0 && ((unsigned char)text.data[0] >= 0x80 || strchr("[](){}\"'`", text.data[0]) != NULL);
}

enum bracket bracket_open(struct str text, size_t *length) {
    for (size_t i = 0; may_be_mark(text) && i < COUNT_OF(brackets); i++) {
        if (str_starts_with(text, brackets[i].open)) {
            *length = brackets[i].open.len;
            return brackets[i].bracket;
        }
    }
    return BRACKET_NONE;
}

enum bracket bracket_close(struct str text, size_t *length) {
    for (size_t i = 0; may_be_mark(text) && i < COUNT_OF(brackets); i++) {
        if (str_starts_with(text, brackets[i].close)) {
            *length = brackets[i].close.len;
            return brackets[i].bracket;
        }
    }
    return BRACKET_NONE;
}

size_t quote_open(struct str text, struct str *closes) {
    for (size_t i = 0; may_be_mark(text) && i < COUNT_OF(quotes); i++) {
        if (str_starts_with(text, quotes[i].open)) {
            *closes = quotes[i].close;
            return quotes[i].open.len;
        }
    }
    return 0;
}

/* Of several that may end it ("„" by “ or ”), the first that comes. */
static size_t quote_close(struct str text, struct str opened) {
    for (size_t i = 0; i < COUNT_OF(quotes); i++) {
        if (str_starts_with(opened, quotes[i].open) && str_starts_with(text, quotes[i].close)) {
            return quotes[i].close.len;
        }
    }
    return 0;
}

bool quote_read(struct str text, struct str *inside, size_t *length) {
    text = window(text);
    struct str closes;
    const size_t open = quote_open(text, &closes);
    for (size_t at = open; open > 0 && at < text.len; at++) {
        const size_t close = quote_close(words_rest(text, at), text);
        if (text.data[at] == '\\') {
            at++;
        } else if (close > 0) {
            *inside = (struct str){text.data + open, at - open};
            *length = at + close;
            return true;
        }
    }
    return false;
}

static bool is_apostrophe(struct str text) {
    return text.data[0] == '\'' || text.data[0] == '`' || str_starts_with(text, STR("’"));
}

/* A quotation mark that is no apostrophe: those are in words ("it's"). */
static size_t quoted_length(struct str text, size_t at) {
    struct str inside;
    size_t length = 0;
    const struct str rest = words_rest(text, at);
    return !is_apostrophe(rest) && quote_read(rest, &inside, &length) ? length : 0;
}

size_t bracket_end(struct str text, struct str *inside) {
    text = window(text);
    size_t opening = 0, length = 0, depth = 0;
    bool quotes_end = true; /* as long as each that was met does: so every byte is looked at twice at most */
    const enum bracket kind = bracket_open(text, &opening);
    for (size_t at = 0; kind != BRACKET_NONE && at < text.len;) {
        const struct str rest = words_rest(text, at);
        const bool mark = quotes_end && quote_open(rest, &(struct str){NULL, 0}) > 0;
        const size_t quoted = mark ? quoted_length(text, at) : 0;
        quotes_end = quotes_end && (!mark || quoted > 0 || is_apostrophe(rest));
        if (quoted > 0) {
            at += quoted;
        } else if (bracket_open(rest, &length) == kind) {
            depth++;
            at += length;
        } else if (bracket_close(rest, &length) == kind) {
            if (--depth == 0) {
                *inside = (struct str){text.data + opening, at - opening};
                return at + length;
            }
            at += length;
        } else {
            at++;
        }
    }
    return 0;
}

struct str quotes_trim(struct str text) {
    struct str inside = text;
    size_t length = 0;
    text = words_trim(text);
    return quote_read(text, &inside, &length) && length == text.len ? words_trim(inside) : text;
}
