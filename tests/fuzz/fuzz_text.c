/* Any bytes as a text, cut, split, folded, searched and read for its question, facts and title. Properties: nothing
 * harms, a place is inside and between characters, pieces are parts of the text, and a title keeps its limits. The
 * first two bytes choose a place. */
#include "base/utf8.h"
#include "conversation/facts.h"
#include "text/chars.h"
#include "text/cut.h"
#include "text/find.h"
#include "text/fold.h"
#include "text/graphemes.h"
#include "text/sentences.h"
#include "text/title.h"
#include "text/words.h"
#include "workflow/question.h"

#include <stdlib.h>
#include <string.h>

enum { SENTENCES_MAX = 32, FACTS_COST = 512 };

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static bool is_part(struct str text, struct str part) {
    return part.data >= text.data && part.data + part.len <= text.data + text.len;
}

static void check_places(struct str text, size_t at) {
    const size_t back = graphemes_back(text, at), forward = graphemes_forward(text, at);
    check(back <= at && at - back <= GRAPHEMES_BYTES_MAX && forward >= back && forward <= text.len);
    check(at > text.len || (forward >= at && forward - at <= GRAPHEMES_BYTES_MAX));
    if (utf8_valid(text.data, text.len)) {
        check(utf8_valid(text.data, back) && utf8_valid(text.data, forward));
        check(utf8_valid(text.data, cut_back(text, at / 2, at)));
    }
    check(cut_back(text, at / 2, at) <= text.len);
    check(cut_forward(text, at, at + 64) <= text.len);
}

static void check_title(struct str text) {
    char title[TITLE_SIZE];
    const bool found = title_tidy(text, title);
    const struct str out = str_from(title);
    check(found == (out.len > 0) && out.len < TITLE_SIZE && chars_count(out) <= TITLE_CHARS);
    check(!utf8_valid(text.data, text.len) || utf8_valid(out.data, out.len));
    (void)title_from_words(text, title);
}

static void check_search(struct str text, size_t at) {
    struct find_query query;
    size_t first;
    find_query_init(&query, words_rest(text, at));
    (void)find_score(&query, text, &first);
    check(first <= text.len);
    find_query_clear(&query);
}

static void check_facts(struct str text) {
    static struct conversation_facts facts;
    struct buf out;
    struct str prose;
    buf_init(&out, 1 << 16);
    conversation_facts_init(&facts, FACTS_COST);
    conversation_facts_read(&facts, conversation_facts_split(text, &prose));
    conversation_facts_add(&facts, text);
    check(facts.cost <= FACTS_COST);
    for (size_t i = 0; i < facts.count; i++) {
        check(is_part(text, facts.list[i].text) && facts.list[i].text.len > 0);
    }
    conversation_facts_write(&facts, &out);
    check(!out.overflow);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str sentences[SENTENCES_MAX], question[QUESTION_PARTS];
    if (size < 2) {
        return 0;
    }
    const struct str text = {(const char *)data + 2, size - 2};
    const size_t at = (size_t)(data[0] | data[1] << 8) % (text.len + 2);
    check_places(text, at);
    check_title(text);
    check_search(text, at);
    check_facts(text);
    const size_t count = sentences_split(text, sentences, SENTENCES_MAX);
    for (size_t i = 0; i < count; i++) {
        check(is_part(text, sentences[i]) && sentences[i].len > 0);
    }
    question_find(text, question);
    check(question[0].len > 0);
    return 0;
}
