#include "conversation/prompts.h"

#include "base/utf8.h"
#include "text/graphemes.h"

#include <string.h>

enum { TITLE_WORDS = 8 };

const struct str PROMPT_TITLE = STR("You write titles. Answer with a title of two to six words and nothing else.");
const struct str PROMPT_TITLE_ASK = STR("\nWrite a short title for this conversation.");
const struct str PROMPT_SUMMARY =
    STR("You write short summaries of conversations. Keep names, numbers, facts, wishes and "
        "decisions. Answer with the summary and nothing else.");
const struct str PROMPT_SUMMARY_ASK = STR("\nWrite one summary of all this in a few sentences.");
const struct str PROMPT_SUMMARY_OLD = STR("Summary so far:\n");
const struct str PROMPT_SUMMARY_NEXT = STR("\nWhat was said then:\n");
const struct str PROMPT_SUMMARY_HEAD = STR("Summary of the conversation so far: ");

void prompt_append_message(struct buf *out, bool assistant, struct str text, size_t bytes_max) {
    if (text.len > bytes_max) {
        text = graphemes_prefix(text, bytes_max);
    }
    buf_append_str(out, assistant ? STR("Assistant: ") : STR("User: "));
    buf_append_str(out, text);
    buf_append_str(out, STR("\n"));
}

static bool is_decoration(char c) {
    return c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '*' || c == '#' || c == '`' || c == '_' || c == '-';
}

static struct str decoration_trim(struct str line) {
    static const struct str label = STR("title:");
    while (line.len > 0 && is_decoration(line.data[0])) {
        line.data++;
        line.len--;
    }
    if (line.len >= label.len && str_equal_nocase((struct str){line.data, label.len}, label)) {
        return decoration_trim((struct str){line.data + label.len, line.len - label.len});
    }
    while (line.len > 0 && (is_decoration(line.data[line.len - 1]) || line.data[line.len - 1] == '.')) {
        line.len--;
    }
    return line;
}

static bool is_word_byte(unsigned char c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

struct title {
    char *out;
    size_t len, chars, words;
    bool blank, says; /* a space is due; there is more in it than marks */
};

/* False: it is full. */
static bool title_add(struct title *title, struct str character, size_t words_max) {
    const size_t more = title->blank ? 2 : 1;
    if (title->words + title->blank > words_max || title->chars + more > PROMPT_TITLE_CHARS ||
        title->len + character.len + more >= PROMPT_TITLE_SIZE) {
        return false;
    }
    if (title->blank) {
        title->out[title->len++] = ' ';
        title->words++;
        title->blank = false;
    }
    memcpy(title->out + title->len, character.data, character.len);
    title->len += character.len;
    title->chars += more;
    title->says = title->says || is_word_byte((unsigned char)character.data[0]);
    return true;
}

/* Copies whole characters, runs of blanks and control characters as one space; false when nothing but marks is left. */
static bool title_copy(struct str text, size_t words_max, char out[PROMPT_TITLE_SIZE]) {
    struct title title = {.out = out, .words = 1};
    for (size_t i = 0; i < text.len;) {
        bool valid = true;
        const size_t size = utf8_sequence(text.data + i, text.len - i, &valid);
        const unsigned char first = (unsigned char)text.data[i];
        if (!valid || first <= ' ' || first == 0x7f) {
            title.blank = title.len > 0;
        } else if (!title_add(&title, (struct str){text.data + i, size}, words_max)) {
            break;
        }
        i += size;
    }
    out[title.len] = '\0';
    return title.says;
}

bool prompt_title_clean(struct str text, char out[PROMPT_TITLE_SIZE]) {
    struct str line;
    while (text.len > 0) {
        (void)str_split(text, '\n', &line, &text);
        if (title_copy(decoration_trim(line), SIZE_MAX, out)) {
            return true;
        }
    }
    out[0] = '\0';
    return false;
}

bool prompt_title_words(struct str message, char out[PROMPT_TITLE_SIZE]) {
    return title_copy(message, TITLE_WORDS, out);
}
