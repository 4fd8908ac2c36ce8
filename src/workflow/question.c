#include "workflow/question.h"

#include "text/chars.h"
#include "text/cues.h"
#include "text/graphemes.h"
#include "text/sentences.h"
#include "text/words.h"
#include "workflow/prompts.h"

enum {
    LOOK_BYTES = 2 * 1024, /* of each end */
    OWN_CHARS = 600,       /* of paragraphs and lines that are no text to read ... */
    SENTENCE_CHARS = 300,  /* ... and of a sentence ... */
    MAYBE_CHARS = 120,     /* ... and of a line that only may ask */
    LINES = 3,             /* at each end: a greeting, a question, a word on the answer */
    SENTENCES_MAX = 64,
    QUESTIONS_MIN = 4,
    COUNT_BYTES = 64 * 1024, /* in which they are counted */
};

enum asking { ASKS_NOT, ASKS_MAYBE, ASKS };

/* A part of an end of the text, and how far it asks. */
struct part {
    struct str text;
    enum asking asking;
};

static const struct part nothing = {{"", 0}, ASKS_NOT};

static struct str span(struct str first, struct str last) {
    return (struct str){first.data, (size_t)(last.data + last.len - first.data)};
}

static bool is_short(struct str text, size_t chars) {
    return text.len <= chars * 4 && chars_count(text) <= chars;
}

static bool is_clause_end(int32_t c) {
    static const int32_t marks[] = {';',   ':',   ',',   0xff1b, 0xff1a, 0xff0c, 0x3001,
                                    0x61b, 0x60c, 0x387, 0x2014, 0x2026, 0x104a};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (c == marks[i]) {
            return true;
        }
    }
    return false;
}

/* An order may begin a clause: "Here is a text, summarize it." In Chinese a verb there mostly goes on with what was
 * told: only a "please" or "help" before it makes it an order. */
static bool clause_orders(struct str clause) {
    static const int32_t asking[] = {0x8bf7, 0x8acb, 0x5e2e, 0x5e6b, 0x9ebb};
    size_t at = 0;
    const int32_t first = chars_next(clause, &at);
    bool may = !chars_is_ideograph(first);
    for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++) {
        may = may || first == asking[i];
    }
    const struct cues cues = cues_read(clause);
    return may && cues.asks && !cues.mark;
}

static bool has_order(struct str sentence) {
    int32_t before = CHARS_END;
    for (size_t at = 0; at < sentence.len;) {
        const int32_t c = chars_next(sentence, &at);
        const bool gap = chars_is_blank(c) && chars_is_joined(before);
        if ((is_clause_end(c) || gap) && clause_orders(words_trim(words_rest(sentence, at)))) {
            return true;
        }
        before = chars_is_mark(c) ? before : c;
    }
    return false;
}

static enum asking sentence_asks(struct str sentence) {
    if (!is_short(sentence, SENTENCE_CHARS)) {
        return ASKS_NOT;
    }
    const struct cues cues = cues_read(sentence);
    if (cues.asks || has_order(sentence)) {
        return ASKS;
    }
    return cues.maybe_asks && is_short(sentence, MAYBE_CHARS) ? ASKS_MAYBE : ASKS_NOT;
}

/* A text of some sentences. */
static enum asking text_asks(struct str text) {
    struct str sentences[SENTENCES_MAX];
    enum asking asking = ASKS_NOT;
    const size_t count = sentences_split(text, sentences, SENTENCES_MAX);
    for (size_t i = 0; i < count; i++) {
        const enum asking here = sentence_asks(sentences[i]);
        asking = here > asking ? here : asking;
    }
    return asking == ASKS_MAYBE && count > 1 ? ASKS_NOT : asking;
}

/* The lines of an end, without blanks, the outermost first; *paragraph is how many belong to its first paragraph, 0: it
 * has no end here. */
static size_t lines_of(struct str text, bool at_end, struct str lines[SENTENCES_MAX], size_t *paragraph) {
    size_t count = 0;
    *paragraph = 0;
    while (text.len > 0 && count < SENTENCES_MAX) {
        size_t at = at_end ? text.len : 0;
        struct str line;
        while (at_end ? at > 0 && text.data[at - 1] != '\n' : at < text.len && text.data[at] != '\n') {
            at = at_end ? at - 1 : at + 1;
        }
        line = words_trim(at_end ? words_rest(text, at) : (struct str){text.data, at});
        text = at_end ? (struct str){text.data, at > 0 ? at - 1 : 0} : words_rest(text, at + 1);
        if (line.len > 0) {
            lines[count++] = line;
        } else if (count > 0 && *paragraph == 0) {
            *paragraph = count;
        }
    }
    return count;
}

/* From the outermost line to the last of `count` that asks. */
static struct part lines_ask(const struct str *lines, size_t count, bool at_end) {
    struct part found = nothing;
    for (size_t i = 0; i < count && is_short(lines[i], OWN_CHARS); i++) {
        const struct str text = at_end ? span(lines[i], lines[0]) : span(lines[0], lines[i]);
        const enum asking asking = is_short(text, OWN_CHARS) ? text_asks(lines[i]) : ASKS_NOT;
        if (asking == ASKS || (asking > found.asking && i == 0)) {
            found = (struct part){asking == ASKS ? text : lines[i], asking};
        }
    }
    return found;
}

/* A text without the marks of sentences, or a sentence without end: its outermost clause. Scripts without blanks
 * between words have them between clauses. */
static struct part clause_asks(struct str text, bool at_end) {
    size_t at = at_end ? text.len : 0;
    int32_t before = CHARS_END;
    while (at_end ? at > 0 : at < text.len) {
        const size_t here = at;
        const int32_t c = at_end ? chars_before(text, &at) : chars_next(text, &at);
        const struct str clause = words_trim(at_end ? words_rest(text, here) : (struct str){text.data, here});
        if (!is_short(clause, SENTENCE_CHARS)) {
            break;
        }
        const bool gap = chars_is_blank(c) && chars_is_joined(before);
        if ((is_clause_end(c) || gap) && clause.len > 0) {
            const enum asking asking = sentence_asks(clause);
            return asking != ASKS_NOT ? (struct part){clause, asking} : nothing;
        }
        before = chars_is_mark(c) ? before : c;
    }
    return nothing;
}

/* From the outermost sentence to the last of LINES that asks. */
static struct part sentences_ask(struct str text, bool at_end) {
    struct str sentences[SENTENCES_MAX];
    struct part found = nothing;
    const size_t count = sentences_split(text, sentences, SENTENCES_MAX);
    for (size_t i = 0; i < LINES && i < count; i++) {
        const size_t outermost = at_end ? count - 1 : 0, here = at_end ? count - 1 - i : i;
        const enum asking asking = sentence_asks(sentences[here]);
        if (!is_short(sentences[here], SENTENCE_CHARS)) {
            break;
        }
        if (asking == ASKS || (asking > found.asking && i == 0)) {
            found = (struct part){at_end ? span(sentences[here], sentences[outermost])
                                         : span(sentences[outermost], sentences[here]),
                                  asking};
        }
    }
    return found.asking != ASKS_NOT || count == 0 ? found : clause_asks(sentences[at_end ? count - 1 : 0], at_end);
}

static struct part end_asks(struct str text, bool at_end) {
    struct str lines[SENTENCES_MAX];
    size_t paragraph;
    const size_t start = at_end && text.len > LOOK_BYTES ? graphemes_forward(text, text.len - LOOK_BYTES) : 0;
    const struct str end = at_end ? words_rest(text, start) : graphemes_prefix(text, LOOK_BYTES);
    const size_t count = lines_of(end, at_end, lines, &paragraph);
    struct part found = nothing;
    if (paragraph > 0) {
        const struct str own = at_end ? span(lines[paragraph - 1], lines[0]) : span(lines[0], lines[paragraph - 1]);
        found = is_short(own, OWN_CHARS) && text_asks(own) == ASKS ? (struct part){own, ASKS} : nothing;
    }
    if (found.asking != ASKS && count > 1) {
        found = lines_ask(lines, count - 1 < LINES ? count - 1 : LINES, at_end);
    }
    if (found.asking != ASKS && count > 0) {
        const struct part sentences = sentences_ask(lines[0], at_end);
        found = sentences.asking > found.asking ? sentences : found;
    }
    return found;
}

/* Every tenth line or sentence is a question, as in an interview or a list of them. */
static bool is_of_questions(struct str text) {
    size_t questions = 0, ends = 1;
    text = graphemes_prefix(text, COUNT_BYTES);
    for (size_t at = 0; at < text.len;) {
        const int32_t c = chars_next(text, &at);
        const bool question = c == '?' || c == 0xff1f || c == 0x61f;
        questions += question;
        ends += question || c == '.' || c == '!' || c == '\n' || c == 0x3002 || c == 0xff01 || c == 0x964 || c == 0x6d4;
    }
    return questions >= QUESTIONS_MIN && questions * 10 >= ends;
}

static bool has_orders(struct str text) {
    struct str sentences[SENTENCES_MAX];
    const size_t count = sentences_split(text, sentences, SENTENCES_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct cues cues = cues_read(sentences[i]);
        if ((cues.asks && !cues.mark) || has_order(sentences[i])) {
            return true;
        }
    }
    return false;
}

/* In a text of questions one more may be its own. */
static void doubt(struct str text, struct part *part) {
    if (part->asking == ASKS && is_of_questions(text) && !has_orders(part->text)) {
        part->asking = ASKS_MAYBE;
    }
}

void question_find(struct str text, struct str out[QUESTION_PARTS]) {
    struct part ends[2] = {end_asks(text, false), end_asks(text, true)};
    size_t count = 0;
    enum asking asking = ASKS_NOT;
    for (size_t i = 0; i < 2; i++) {
        doubt(text, &ends[i]);
        asking = ends[i].asking > asking ? ends[i].asking : asking;
    }
    for (size_t i = 0; i < 2; i++) {
        if (asking != ASKS_NOT && ends[i].asking == asking) {
            out[count++] = ends[i].text;
        }
    }
    if (asking != ASKS) {
        out[count++] = PROMPT_QUESTION_NONE;
    }
    while (count < QUESTION_PARTS) {
        out[count++] = STR("");
    }
}
