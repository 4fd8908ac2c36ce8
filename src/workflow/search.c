#include "workflow/search.h"

#include "conversation/prompts.h"
#include "text/find.h"
#include "text/graphemes.h"
#include "text/words.h"

enum {
    FOUND_MAX = 5,
    EXCERPT_BYTES = 360,
    EXCERPT_BEFORE = 80, /* of them, before the first word found */
};

struct found {
    const struct store_message *message;
    size_t score;
};

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

static struct str excerpt(struct find_query *query, struct str text) {
    size_t first = 0;
    if (text.len > EXCERPT_BYTES) {
        (void)find_score(query, text, &first);
    }
    return words_rest(text, first > EXCERPT_BEFORE ? graphemes_back(text, first - EXCERPT_BEFORE) : 0);
}

void workflow_search(const struct store_message *messages, size_t count, struct str words, struct buf *out) {
    struct found found[FOUND_MAX] = {{0}};
    struct find_query query;
    find_query_init(&query, words);
    for (size_t i = 0; i < count; i++) {
        const size_t score = find_score(&query, messages[i].content, NULL);
        if (score > 0) {
            found_add(found, (struct found){&messages[i], score});
        }
    }
    for (size_t i = 0; i < FOUND_MAX && found[i].message != NULL; i++) {
        const struct store_message *message = found[i].message; /* prompt_append_message cuts the end of its excerpt */
        prompt_append_message(out, message->role != STORE_ROLE_USER, excerpt(&query, message->content), EXCERPT_BYTES);
    }
    if (found[0].message == NULL) {
        buf_append_cstr(out, "No message has these words.");
    }
    find_query_clear(&query);
}
