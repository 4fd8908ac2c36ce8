#include "text/title.h"

#include "base/buf.h"
#include "base/compiler.h"
#include "text/chars.h"
#include "text/graphemes.h"
#include "text/thinking.h"
#include "text/words.h"

#include <string.h>
#include <unicode/uchar.h>

enum {
    TITLE_WORDS = 8,
    JOINED_PER_WORD = 4,   /* characters of a script without blanks that are about a word */
    LINE_BYTES = 4 * 1024, /* what is longer is cut before it is looked at */
    LABEL_BYTES = 96,
    TAG_BYTES = 32,
    ROUNDS_MAX = 8, /* layers of marks around a title */
    ZERO_WIDTH_NON_JOINER = 0x200c,
    ZERO_WIDTH_JOINER = 0x200d,
    REPLACEMENT = 0xfffd,
    TAG_FIRST = 0xe0020, /* letters of flags of regions */
    TAG_LAST = 0xe007f,
};

/* "Title" in the languages that models answer in; each with a | behind it. */
static const char labels[] =
    "title|titel|titre|título|titulo|titolo|tytuł|başlık|tiêu đề|judul|otsikko|rubrik|tittel|"
    "overskrift|název|názov|naslov|cím|titlu|pealkiri|pavadinimas|virsraksts|kichwa|pamagat|название|"
    "заголовок|тема|назва|заглавие|наслов|τίτλος|כותרת|العنوان|عنوان|शीर्षक|শিরোনাম|தலைப்பு|శీర్షిక|"
    "ಶೀರ್ಷಿಕೆ|തലക്കെട്ട്|શીર્ષક|ਸਿਰਲੇਖ|หัวข้อ|ชื่อเรื่อง|ចំណងជើង|ຫົວຂໍ້|ခေါင်းစဉ်|სათაური|վերնագիր|"
    "ርዕስ|标题|標題|题目|題目|主题|タイトル|題名|件名|제목|subject|topic|headline|";

/* What may stand beside the label of an English one: "Sure! Here's a short title for this conversation:". */
static const char fillers[] =
    "sure|here|here's|is|a|an|the|short|your|chat|for|this|suggested|conversation|my|new|possible|"
    "good|proposed|concise|final|of|would|be|okay|ok|certainly|course|";

/* One of a list's words, in any case. */
static bool is_one_of(struct str word, const char *list) {
    struct str rest = str_from(list), head;
    while (rest.len > 0) {
        (void)str_split(rest, '|', &head, &rest);
        if (word.len == head.len && words_begin(word, head)) {
            return true;
        }
    }
    return false;
}

static bool is_quote(int32_t c) {
    static const int32_t more[] = {0x60,   0xb4,   0x275b, 0x275c, 0x275d, 0x275e,
                                   0x3008, 0x3009, 0x300a, 0x300b, 0x3010, 0x3011};
    for (size_t i = 0; i < COUNT_OF(more); i++) {
        if (c == more[i]) {
            return true;
        }
    }
    return u_hasBinaryProperty(c, UCHAR_QUOTATION_MARK);
}

static bool is_apostrophe(int32_t c) {
    return c == '\'' || c == 0x2019 || c == 0xff07;
}

static int32_t first_char(struct str text) {
    size_t at = 0;
    return chars_next(text, &at);
}

static int32_t last_char(struct str text) {
    size_t at = text.len;
    return chars_before(text, &at);
}

static struct str without_first(struct str text) {
    size_t at = 0;
    (void)chars_next(text, &at);
    return words_rest(text, at);
}

static struct str without_last(struct str text) {
    size_t at = text.len;
    (void)chars_before(text, &at);
    return (struct str){text.data, at};
}

static bool has_quote(struct str text) {
    for (size_t at = 0; at < text.len;) {
        const int32_t c = chars_next(text, &at);
        if (is_quote(c) && !is_apostrophe(c)) {
            return true;
        }
    }
    return false;
}

/* Quotation marks around all of it, or one that lost its other; those inside ("A" and "B") belong to it. */
static struct str quotes_strip(struct str text) {
    const int32_t first = first_char(text), last = last_char(text);
    const struct str inner = without_last(without_first(text)), front = without_first(text), back = without_last(text);
    if (text.len > 1 && is_quote(first) && is_quote(last) && front.len > 0) {
        return has_quote(inner) && !(is_quote(first_char(inner)) && is_quote(last_char(inner))) ? text : inner;
    }
    if (is_quote(first) && !is_apostrophe(first) && !has_quote(front)) {
        return front;
    }
    return is_quote(last) && !is_apostrophe(last) && !has_quote(back) ? back : text;
}

/* "**x**", "_x_", "~~x~~", "[x]" around all of it; a name such as __init__ is none. */
static struct str emphasis_strip(struct str text) {
    const char first = text.len > 2 ? text.data[0] : '\0', last = text.len > 2 ? text.data[text.len - 1] : '\0';
    const struct str inner = {text.data + 1, text.len > 2 ? text.len - 2 : 0};
    if (first == '[' && last == ']') {
        return memchr(inner.data, ']', inner.len) == NULL ? inner : text;
    }
    if ((first != '*' && first != '_' && first != '~') || last != first) {
        return text;
    }
    return first == '_' && memchr(inner.data, ' ', inner.len) == NULL ? text : inner;
}

/* Before a blank: a heading's "#", a list's bullet, a quotation's ">". Lines of such marks alone say nothing anyway. */
static struct str bullet_strip(struct str text) {
    static const struct str bullets[] = {STR("- "), STR("* "), STR("+ "), STR("> "),
                                         STR("• "), STR("· "), STR("– "), STR("— ")};
    size_t hashes = 0;
    while (hashes < text.len && text.data[hashes] == '#') {
        hashes++;
    }
    if (hashes > 1 || (hashes == 1 && text.len > 1 && words_is_blank(text.data[1]))) {
        text = words_trim(words_rest(text, hashes));
        size_t end = text.len; /* "## x ##" */
        while (end > 0 && text.data[end - 1] == '#') {
            end--;
        }
        return end > 0 && words_is_blank(text.data[end - 1]) ? (struct str){text.data, end} : text;
    }
    for (size_t i = 0; i < COUNT_OF(bullets); i++) {
        if (str_starts_with(text, bullets[i])) {
            return words_rest(text, bullets[i].len);
        }
    }
    return text;
}

/* Bytes of the tag at the front; 0: there is none. */
static size_t tag_len(struct str text) {
    size_t at = 1;
    if (text.len < 3 || text.data[0] != '<') {
        return 0;
    }
    while (at < text.len && at < TAG_BYTES && text.data[at] != '>' && text.data[at] != '<') {
        at++;
    }
    return at < text.len && text.data[at] == '>' && at > 1 && text.data[1] != ' ' ? at + 1 : 0;
}

/* "<title>x</title>". */
static struct str tags_strip(struct str text) {
    const size_t open = tag_len(text);
    size_t close = text.len;
    while (close > 0 && text.data[close - 1] != '<') {
        close--;
    }
    if (open > 0 && close > open && tag_len(words_rest(text, close - 1)) == text.len - close + 1 &&
        text.data[close] == '/') {
        return (struct str){text.data + open, close - 1 - open};
    }
    return text;
}

static bool is_colon(int32_t c) {
    return c == ':' || c == 0xff1a || c == 0xfe55;
}

/* Only the label and words that introduce it: all are known, one is the label. */
static bool is_label(struct str text) {
    bool labelled = false;
    text = words_trim(text);
    if (is_one_of(text, labels)) {
        return true;
    }
    while (text.len > 0) {
        size_t at = 0, end = 0;
        for (int32_t c = chars_next(text, &at); chars_is_word(c) || is_apostrophe(c); c = chars_next(text, &at)) {
            end = at;
        }
        const struct str word = {text.data, end};
        const bool label = is_one_of(word, labels);
        if (word.len > 0 && !label && !is_one_of(word, fillers)) {
            return false;
        }
        labelled = labelled || label;
        text = words_rest(text, end > 0 ? end : at);
    }
    return labelled;
}

static struct str label_strip(struct str text) {
    for (size_t at = 0; at < text.len && at < LABEL_BYTES;) {
        const size_t before = at;
        if (is_colon(chars_next(text, &at))) {
            return is_label((struct str){text.data, before}) ? words_rest(text, at) : text;
        }
    }
    return text;
}

static bool is_stop(int32_t c) {
    return c == '.' || c == 0x3002 || c == 0xff0e || c == 0xff61 || c == 0x964 || c == 0x6d4 || c == 0x1362;
}

/* A full stop, unless it is one of several in a word ("U.S."). */
static struct str stop_strip(struct str text) {
    const struct str rest = without_last(text);
    if (!is_stop(last_char(text))) {
        return text;
    }
    for (size_t at = rest.len; at > 0;) {
        const int32_t c = chars_before(rest, &at);
        if (chars_is_blank(c)) {
            break;
        }
        if (c == '.' && at + 1 < rest.len) {
            return text;
        }
    }
    return rest;
}

static struct str marks_strip(struct str line) {
    for (int i = 0; i < ROUNDS_MAX; i++) {
        const struct str before = words_trim(line);
        line = quotes_strip(emphasis_strip(words_trim(tags_strip(before))));
        line = words_trim(stop_strip(words_trim(label_strip(bullet_strip(words_trim(line))))));
        if (line.len == before.len) {
            break;
        }
    }
    return line;
}

/* What is inside of a line: "**" and "`" in pairs, a template's own tokens. */
static void markup_drop(struct str line, struct buf *out) {
    static const struct str pairs[] = {STR("**"), STR("`")};
    size_t at = 0;
    while (at < line.len) {
        const struct str rest = words_rest(line, at);
        size_t skip = 0;
        for (size_t i = 0; i < COUNT_OF(pairs); i++) {
            const struct str behind = words_rest(rest, pairs[i].len);
            const char *close = str_starts_with(rest, pairs[i]) && behind.len > 0
                                    ? memmem(behind.data, behind.len, pairs[i].data, pairs[i].len)
                                    : NULL;
            if (close != NULL && close > behind.data && behind.data[0] != ' ' && close[-1] != ' ') {
                buf_append(out, behind.data, (size_t)(close - behind.data));
                skip = pairs[i].len * 2 + (size_t)(close - behind.data);
                break;
            }
        }
        if (skip == 0 && str_starts_with(rest, STR("<|"))) {
            const char *close = memmem(rest.data, rest.len < TAG_BYTES ? rest.len : TAG_BYTES, "|>", 2);
            skip = close != NULL ? (size_t)(close - rest.data) + 2 : 0;
        }
        if (skip == 0) {
            buf_append(out, rest.data, 1);
            skip = 1;
        }
        at += skip;
    }
}

static bool says(int32_t c) {
    return (chars_is_word(c) && c != '_') || u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) ||
           u_hasBinaryProperty(c, UCHAR_EMOJI_PRESENTATION);
}

/* It shows nothing and is no part of an emoji or of a word. */
static bool is_dropped(int32_t c) {
    return chars_is_unseen(c) && c != ZERO_WIDTH_JOINER && c != ZERO_WIDTH_NON_JOINER && !chars_is_mark(c) &&
           (c < TAG_FIRST || c > TAG_LAST);
}

/* Runs of blanks and controls become one space; what shows nothing goes. */
static void blanks_join(struct str line, struct buf *out) {
    bool blank = false;
    for (size_t at = 0; at < line.len;) {
        const size_t start = at;
        const int32_t c = chars_next(line, &at);
        if (u_isUWhiteSpace(c) || u_charType(c) == U_CONTROL_CHAR || c == REPLACEMENT) {
            blank = true;
        } else if (!is_dropped(c)) {
            buf_append_str(out, blank && out->len > 0 ? STR(" ") : STR(""));
            buf_append(out, line.data + start, at - start);
            blank = false;
        }
    }
}

static bool says_something(struct str text) {
    bool found = false;
    for (size_t at = 0; !found && at < text.len;) {
        found = says(chars_next(text, &at));
    }
    return found;
}

/* The bytes of so many words. */
static size_t words_end(struct str text, size_t words) {
    size_t at = 0, blanks = 0, joined = 0;
    while (at < text.len) {
        const size_t before = at;
        const int32_t c = chars_next(text, &at);
        blanks += c == ' ';
        joined += chars_is_joined(c);
        if (blanks + joined / JOINED_PER_WORD >= words) {
            return before;
        }
    }
    return text.len;
}

static size_t chars_end(struct str text, size_t chars) {
    size_t at = 0;
    while (chars > 0 && chars_next(text, &at) != CHARS_END) {
        chars--;
    }
    return at;
}

static void title_copy(struct str text, size_t bytes, char out[TITLE_SIZE]) {
    const size_t chars = chars_end(text, TITLE_CHARS);
    bytes = bytes < chars ? bytes : chars;
    bytes = bytes < TITLE_SIZE - 1 ? bytes : TITLE_SIZE - 1;
    const struct str title = words_trim(graphemes_prefix(text, bytes));
    memcpy(out, title.data, title.len);
    out[title.len] = '\0';
}

/* "1. Sea" before a line "2. ...": one of several proposals. */
static struct str number_strip(struct str line, struct str behind) {
    const bool listed = line.len > 3 && line.data[0] == '1' && (line.data[1] == '.' || line.data[1] == ')') &&
                        line.data[2] == ' ' && words_begin(words_trim(behind), STR("2"));
    return listed ? words_rest(line, 3) : line;
}

struct tidying {
    struct buf plain, line;
};

/* The title that a line is, if any; `behind` are the lines after it. */
static struct str line_tidy(struct tidying *tidying, struct str line, struct str behind) {
    buf_reset(&tidying->plain);
    buf_reset(&tidying->line);
    blanks_join(graphemes_prefix(line, LINE_BYTES), &tidying->plain);
    markup_drop(buf_str(&tidying->plain), &tidying->line);
    line = buf_str(&tidying->line);
    if (is_colon(last_char(line)) && words_trim(behind).len > 0) { /* it introduces the title */
        return STR("");
    }
    line = marks_strip(number_strip(line, behind));
    return says_something(line) ? line : STR("");
}

bool title_tidy(struct str text, char out[TITLE_SIZE]) {
    struct tidying tidying;
    struct str title = STR("");
    buf_init(&tidying.plain, LINE_BYTES);
    buf_init(&tidying.line, LINE_BYTES);
    text = thinking_skip(text);
    while (title.len == 0 && text.len > 0) {
        size_t end = 0;
        while (end < text.len && text.data[end] != '\n' && text.data[end] != '\r') {
            end++;
        }
        const struct str behind = words_rest(text, end + 1);
        title = line_tidy(&tidying, (struct str){text.data, end}, behind);
        text = behind;
    }
    title_copy(title, title.len, out);
    buf_clear(&tidying.plain);
    buf_clear(&tidying.line);
    return title.len > 0;
}

bool title_from_words(struct str message, char out[TITLE_SIZE]) {
    struct buf line;
    buf_init(&line, LINE_BYTES);
    blanks_join(graphemes_prefix(message, LINE_BYTES), &line);
    const struct str title = says_something(buf_str(&line)) ? buf_str(&line) : STR("");
    title_copy(title, words_end(title, TITLE_WORDS), out);
    buf_clear(&line);
    return title.len > 0;
}
