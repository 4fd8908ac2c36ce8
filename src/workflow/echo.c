#include "workflow/echo.h"

#include "base/compiler.h"
#include "text/words.h"
#include "workflow/formula_words.h"
#include "workflow/prompts.h"

#include <string.h>

enum {
    FOLDED_BYTES = 16 * 1024,
    GREETING_BYTES = 24,    /* folded; what is no longer may be said back */
    INSTRUCTION_BYTES = 14, /* folded; less of the instructions may be chance */
    BEGINNING_PERCENT = 70, /* of an example's sentence with which an answer begins */
    PART_PERCENT = 75,      /* of a question that an answer repeats */
    REPEATED_PERCENT = 80,  /* of an answer that is the question, perhaps several times */
    SMALL_WORD_BYTES = 3,   /* "the", "is", "es": they say nothing by themselves */
};

static bool is_within(uint32_t c, uint32_t from, uint32_t end) {
    return c >= from && c < end;
}

/* A letter beyond ASCII: no blank, mark or other punctuation. */
static bool is_letter(uint32_t c) {
    return c >= 0xc0 && !is_within(c, 0x2000, 0x2070) && !is_within(c, 0x3000, 0x3040) &&
           !is_within(c, 0xff00, 0xff10) && !is_within(c, 0xff1a, 0xff21);
}

void echo_fold(struct str text, struct buf *out) {
    size_t length;
    for (size_t at = 0; at < text.len; at += length) {
        const struct str rest = words_rest(text, at);
        const uint32_t c = formula_character(rest, &length);
        const int digit = formula_digit(c);
        if (digit >= 0) {
            buf_append(out, &"0123456789"[digit], 1);
        } else if (is_within(c, 'A', 'Z' + 1)) {
            buf_append(out, &"abcdefghijklmnopqrstuvwxyz"[c - 'A'], 1);
        } else if (is_within(c, 'a', 'z' + 1) || is_letter(c)) {
            buf_append(out, rest.data, length);
        }
    }
}

static bool contains(struct str text, struct str part) {
    return part.len > 0 && part.len <= text.len && memmem(text.data, text.len, part.data, part.len) != NULL;
}

static bool says(struct str words, struct str answer) {
    return (answer.len >= INSTRUCTION_BYTES && contains(words, answer)) ||
           (words.len >= INSTRUCTION_BYTES && contains(answer, words));
}

/* An example's answer with another end: "A word that rhymes with mouse is egg." */
static bool begins_like(struct str words, struct str answer, struct str question) {
    const struct str label = STR("answer");
    size_t same = 0;
    words = str_starts_with(words, label) ? words_rest(words, label.len) : words;
    while (same < words.len && same < answer.len && words.data[same] == answer.data[same]) {
        same++;
    }
    return same >= INSTRUCTION_BYTES && 100 * same >= BEGINNING_PERCENT * words.len &&
           !contains(question, (struct str){words.data, same});
}

/* Part of what an agent is told, or all of a sentence of it; not what the user has said as well. */
static bool is_instruction(struct str answer, struct str question) {
    struct buf told;
    bool found = false;
    buf_init(&told, FOLDED_BYTES);
    for (size_t i = 0; !found && i < PROMPT_AGENT_WORDS; i++) {
        buf_reset(&told);
        echo_fold(prompt_agent_words(i), &told);
        found = begins_like(buf_str(&told), answer, question) ||
                (says(buf_str(&told), answer) && !contains(question, buf_str(&told)) && !contains(question, answer));
    }
    for (size_t i = 0; found && i < PROMPT_AGENT_EXAMPLES; i++) { /* the user asks just that */
        buf_reset(&told);
        echo_fold(prompt_agent_examples[i].asked, &told);
        found = !contains(question, buf_str(&told));
    }
    buf_clear(&told);
    return found;
}

static bool asks_to_repeat(struct str question) {
    static const struct str wishes[] = {
        STR("repeat"),    STR("say"),        STR("echo"),       STR("copy"),        STR("quote"),
        STR("after me"),  STR("spell"),      STR("correct"),    STR("rewrite"),     STR("rephrase"),
        STR("translate"), STR("proofread"),  STR("reply with"), STR("answer with"), STR("respond with"),
        STR("only the"),  STR("exactly"),    STR("complete"),   STR("continue"),    STR("fix"),
        STR("grammar"),   STR("spelling"),   STR("edit"),       STR("format"),      STR("convert"),
        STR("uppercase"), STR("lowercase"),  STR("capitalize"), STR("punctuation"), STR("summarize"),
        STR("shorten"),   STR("extract"),    STR("sort"),       STR("which of"),    STR("choose"),
        STR("pick"),      STR("korrigiere"), STR("corrige"),    STR("исправь"),     STR("改正"),
        STR("修改"),      STR("翻译"),       STR("選"),         STR("选择"),        STR("wiederhole"),
        STR("sag"),       STR("répète"),     STR("répétez"),    STR("repite"),      STR("repita"),
        STR("ripeti"),    STR("повтори"),    STR("скажи"),      STR("重复"),        STR("说"),
        STR("繰り返"),    STR("言って"),     STR("반복"),       STR("말해"),        STR("كرر"),
        STR("दोहरा"),
    };
    return words_find_any(question, wishes, COUNT_OF(wishes));
}

static bool is_question_again(struct str answer, struct str question) {
    if (question.len <= GREETING_BYTES && str_equal(answer, question)) {
        return false;
    }
    size_t again = 0;
    for (struct str rest = answer; question.len > GREETING_BYTES && contains(rest, question);) {
        const char *at = memmem(rest.data, rest.len, question.data, question.len);
        rest = words_rest(rest, (size_t)(at - rest.data) + question.len);
        again += question.len;
    }
    return str_equal(answer, question) || 100 * again >= REPEATED_PERCENT * answer.len ||
           (contains(question, answer) && 100 * answer.len >= PART_PERCENT * question.len);
}

static bool has_question_mark(struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        const struct str rest = words_rest(text, i);
        if (rest.data[0] == '?' || str_starts_with(rest, STR("？")) || str_starts_with(rest, STR("؟"))) {
            return true;
        }
    }
    return false;
}

bool echo_is(struct str answer, struct str question) {
    static const struct str placeholders[] = {STR("theanswer"),  STR("answer"),       STR("finalanswer"),
                                              STR("youranswer"), STR("nameargument"), STR("toolinput"),
                                              STR("nameinput")};
    struct buf said, asked;
    buf_init(&said, FOLDED_BYTES);
    buf_init(&asked, FOLDED_BYTES);
    echo_fold(answer, &said);
    echo_fold(question, &asked);
    const struct str said_text = buf_str(&said), asked_text = buf_str(&asked);
    bool echo = words_trim(answer).len == 0;
    for (size_t i = 0; i < COUNT_OF(placeholders); i++) {
        echo = echo || str_equal(said_text, placeholders[i]);
    }
    if (!echo && said_text.len > 0 && !said.overflow && !asks_to_repeat(question)) {
        echo = is_question_again(said_text, asked_text) || is_instruction(said_text, asked_text) ||
               (has_question_mark(question) && str_equal(said_text, asked_text));
    }
    buf_clear(&said);
    buf_clear(&asked);
    return echo;
}

/* The letters that the text begins with. */
static struct str first_word(struct str text) {
    size_t length, bytes = 0;
    while (bytes < text.len) {
        const uint32_t c = formula_character(words_rest(text, bytes), &length);
        if (!is_within(c, 'A', 'Z' + 1) && !is_within(c, 'a', 'z' + 1) && !is_letter(c)) {
            break;
        }
        bytes += length;
    }
    return (struct str){text.data, bytes};
}

bool echo_says_more(struct str answer, struct str question) {
    size_t length;
    for (size_t at = 0; at < answer.len; at += length) {
        const struct str rest = words_rest(answer, at), word = first_word(rest);
        if (formula_digit(formula_character(rest, &length)) >= 0 ||
            (word.len > SMALL_WORD_BYTES && words_find(question, word) == WORDS_NONE)) {
            return true;
        }
        length = word.len > 0 ? word.len : length;
    }
    return false;
}
