#include "workflow/search.h"

#include "base/words.h"
#include "conversation/prompts.h"
#include "wire/generation.h"
#include "workflow/fit.h"

enum {
    QUERY_WORDS_MAX = 32,
    WORD_BYTES_MIN = 2,
    FOUND_MAX = 5,
    EXCERPT_BYTES = 360,
    EXCERPT_BEFORE = 80, /* of them, before the first word found */
};

struct found {
    const struct store_message *message;
    size_t score;
};

/* Words that are everywhere find nothing. */
static bool is_common(struct str word) {
    static const struct str common[] = {
        STR("the"),  STR("a"),     STR("an"), STR("and"),  STR("or"),   STR("of"),   STR("to"),
        STR("in"),   STR("on"),    STR("is"), STR("it"),   STR("was"),  STR("what"), STR("my"),
        STR("your"), STR("you"),   STR("me"), STR("did"),  STR("do"),   STR("for"),  STR("that"),
        STR("this"), STR("about"), STR("we"), STR("user"), STR("said"),
    };
    for (size_t i = 0; i < COUNT_OF(common); i++) {
        if (str_equal_nocase(common[i], word)) {
            return true;
        }
    }
    return false;
}

static size_t query_read(struct str query, struct str words[QUERY_WORDS_MAX]) {
    size_t count = 0, at = 0;
    struct str word;
    while (count < QUERY_WORDS_MAX && words_next(query, &at, &word)) {
        bool fresh = word.len >= WORD_BYTES_MIN && !is_common(word);
        for (size_t i = 0; fresh && i < count; i++) {
            fresh = !str_equal_nocase(words[i], word);
        }
        if (fresh) {
            words[count++] = word;
        }
    }
    return count;
}

/* Kept in order: the best first, of equals the newest. The messages come oldest first. */
static void found_add(struct found found[FOUND_MAX], struct found add) {
    for (size_t i = 0; i < FOUND_MAX; i++) {
        if (found[i].message == NULL || add.score >= found[i].score) {
            const struct found pushed = found[i];
            found[i] = add;
            if (pushed.message == NULL) {
                return;
            }
            add = pushed;
        }
    }
}

static struct str excerpt(struct str text, const struct str *words, size_t count) {
    int64_t first = (int64_t)text.len;
    if (text.len <= EXCERPT_BYTES) {
        return text;
    }
    for (size_t i = 0; i < count; i++) {
        const int64_t at = words_find(text, words[i]);
        first = at != WORDS_NONE && at < first ? at : first;
    }
    const size_t start = first > EXCERPT_BEFORE ? fit_back(text, (size_t)first - EXCERPT_BEFORE) : 0;
    return words_rest(text, start); /* prompt_append_message cuts its end */
}

void workflow_search(const struct store_message *messages, size_t count, struct str query, struct buf *out) {
    struct str words[QUERY_WORDS_MAX];
    struct found found[FOUND_MAX] = {{0}};
    const size_t word_count = query_read(query, words);
    for (size_t i = 0; i < count; i++) {
        size_t score = 0;
        for (size_t k = 0; k < word_count; k++) {
            score += words_find(messages[i].content, words[k]) != WORDS_NONE;
        }
        if (score > 0) {
            found_add(found, (struct found){&messages[i], score});
        }
    }
    for (size_t i = 0; i < FOUND_MAX && found[i].message != NULL; i++) {
        const struct store_message *message = found[i].message;
        prompt_append_message(out, message->role != STORE_ROLE_USER, excerpt(message->content, words, word_count),
                              EXCERPT_BYTES);
    }
    if (found[0].message == NULL) {
        buf_append_cstr(out, "No message has these words.");
    }
}
