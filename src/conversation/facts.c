#include "conversation/facts.h"

#include "base/compiler.h"
#include "text/words.h"

enum {
    FACT_BYTES_MIN = 6,
    FACT_BYTES_MAX = 160,
    FACT_MESSAGE_BYTES = 2 * 1024, /* what is longer is a text to work on, not something told */
};

static const struct str head = STR("\nFacts: ");

static const struct str about_the_user[] = {
    STR("my"),      STR("i am"),   STR("i'm"),    STR("i live"),  STR("i work"),  STR("i have"),   STR("i like"),
    STR("i love"),  STR("i hate"), STR("i was"),  STR("i will"),  STR("i want"),  STR("i need"),   STR("i prefer"),
    STR("call me"), STR("our"),    STR("we are"), STR("we have"), STR("we will"), STR("remember"), STR("note that"),
};
static const struct str statements[] = {STR("is"), STR("are"), STR("was"), STR("were"), STR("equals")};

struct str conversation_facts_split(struct str summary, struct str *prose) {
    for (size_t at = summary.len; at-- > 0;) {
        if (str_starts_with(words_rest(summary, at), head)) {
            *prose = (struct str){.data = summary.data, .len = at};
            return words_rest(summary, at + head.len);
        }
    }
    *prose = summary;
    return STR("");
}

/* A number, or a capital letter that does not begin the sentence. */
static bool has_name(struct str sentence) {
    for (size_t i = 1; i < sentence.len; i++) {
        const char c = sentence.data[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) {
            return true;
        }
    }
    return sentence.len > 0 && sentence.data[0] >= '0' && sentence.data[0] <= '9';
}

static bool is_fact(struct str sentence) {
    if (sentence.len < FACT_BYTES_MIN || sentence.len > FACT_BYTES_MAX || sentence.data[sentence.len - 1] == '?') {
        return false;
    }
    return words_find_any(sentence, about_the_user, COUNT_OF(about_the_user)) ||
           (has_name(sentence) && words_find_any(sentence, statements, COUNT_OF(statements)));
}

/* The next one with its mark; `text` moves behind it. */
static struct str next_sentence(struct str *text) {
    size_t len = 0;
    while (len < text->len) {
        const char c = text->data[len++];
        const bool mark = c == '.' || c == '!' || c == '?';
        if (c == '\n' || (mark && (len == text->len || words_is_blank(text->data[len])))) {
            break;
        }
    }
    const struct str sentence = words_trim((struct str){.data = text->data, .len = len});
    *text = words_rest(*text, len);
    return sentence;
}

static bool ends_with_mark(struct str text) {
    const char last = text.data[text.len - 1];
    return last == '.' || last == '!';
}

void conversation_facts_add(struct buf *facts, struct str message, size_t bytes_max) {
    if (message.len > FACT_MESSAGE_BYTES) {
        return;
    }
    while (message.len > 0) {
        const struct str sentence = next_sentence(&message);
        if (!is_fact(sentence) || facts->len + sentence.len + 2 > bytes_max ||
            words_find(buf_str(facts), sentence) != WORDS_NONE) {
            continue;
        }
        if (facts->len > 0) {
            buf_append_str(facts, STR(" "));
        }
        buf_append_str(facts, sentence);
        if (!ends_with_mark(sentence)) {
            buf_append_str(facts, STR("."));
        }
    }
}

void conversation_facts_join(struct str prose, struct str facts, struct buf *out) {
    buf_append_str(out, prose);
    if (facts.len > 0) {
        buf_append_str(out, head);
        buf_append_str(out, facts);
    }
}
