#include "conversation/facts.h"

#include "base/compiler.h"
#include "text/chars.h"
#include "text/cues.h"
#include "text/sentences.h"
#include "text/words.h"

#include <string.h>

enum {
    FACT_CHARS_MAX = 240,
    FACT_WORDS_MIN = 2,
    FACT_JOINED_MIN = 3,           /* characters, in scripts without blanks */
    FACT_MESSAGE_BYTES = 2 * 1024, /* what is longer is a text to work on, not something told */
    FACT_COST = 3,                 /* of what stands between two */
    SENTENCES_MAX = 64,
    ALIKE_PERCENT = 60, /* of the shorter one, at both ends: the later says the same of something else */
};

/* How much a sentence says of the user. */
enum rank { RANK_NONE, RANK_UNKNOWN, RANK_NAME, RANK_SPEAKER, RANK_SPEAKER_NAME };

static const struct str head = STR("\nFacts:\n- ");
static const struct str head_before = STR("\nFacts: "); /* as earlier builds wrote it, with all facts in a line */
static const struct str between = STR("\n- ");

struct str conversation_facts_split(struct str summary, struct str *prose) {
    for (size_t at = summary.len; at-- > 0;) {
        const struct str rest = words_rest(summary, at);
        const struct str found = str_starts_with(rest, head)          ? head
                                 : str_starts_with(rest, head_before) ? head_before
                                                                      : STR("");
        if (found.len > 0) {
            *prose = (struct str){.data = summary.data, .len = at};
            return words_rest(summary, at + found.len);
        }
    }
    *prose = summary;
    return STR("");
}

void conversation_facts_join(struct str prose, struct str facts, struct buf *out) {
    buf_append_str(out, prose);
    if (facts.len > 0) {
        buf_append_str(out, head);
        buf_append_str(out, facts);
    }
}

void conversation_facts_init(struct conversation_facts *facts, size_t cost_max) {
    facts->count = 0;
    facts->cost = 0;
    facts->cost_max = cost_max;
}

static bool has_length(struct str sentence) {
    size_t chars = 0, words = 0, joined = 0;
    bool inside = false;
    for (size_t at = 0; at < sentence.len; chars++) {
        const int32_t c = chars_next(sentence, &at);
        words += chars_is_word(c) && !inside;
        joined += chars_is_joined(c) && !chars_is_mark(c);
        inside = !chars_is_blank(c) && (inside || chars_is_word(c));
    }
    return chars <= FACT_CHARS_MAX && (words >= FACT_WORDS_MIN || joined >= FACT_JOINED_MIN);
}

static enum rank rank_of(struct str sentence) {
    const struct cues cues = cues_read(sentence);
    if (cues.remember) {
        return RANK_SPEAKER_NAME;
    }
    if (cues.asks || (cues.maybe_asks && !cues.speaker)) {
        return RANK_NONE;
    }
    if (cues.speaker) {
        return cues.chat ? RANK_NAME : cues.name ? RANK_SPEAKER_NAME : RANK_SPEAKER;
    }
    if (cues.name) {
        return RANK_NAME;
    }
    return cues.familiar && cues.cased ? RANK_NONE : RANK_UNKNOWN;
}

static uint32_t cost_of(struct str text) {
    uint32_t cost = FACT_COST;
    for (size_t at = 0; at < text.len;) {
        cost += chars_next(text, &at) < 0x80 ? 1 : 2;
    }
    return cost;
}

static void fact_remove(struct conversation_facts *facts, size_t index) {
    facts->cost -= facts->list[index].cost;
    facts->count--;
    memmove(&facts->list[index], &facts->list[index + 1], (facts->count - index) * sizeof(facts->list[0]));
}

/* They begin and end alike: "I live in Bremen." and "I live in Rome." */
static bool is_alike(struct str a, struct str b) {
    const size_t shorter = a.len < b.len ? a.len : b.len;
    size_t front = 0, back = 0;
    while (front < shorter && a.data[front] == b.data[front]) {
        front++;
    }
    while (back < shorter - front && a.data[a.len - 1 - back] == b.data[b.len - 1 - back]) {
        back++;
    }
    return front * 3 >= shorter && (front + back) * 100 >= shorter * ALIKE_PERCENT;
}

static bool is_superseded(const struct conversation_facts *facts, size_t index) {
    for (size_t i = index + 1; i < facts->count; i++) {
        if (facts->list[i].rank >= facts->list[index].rank && is_alike(facts->list[i].text, facts->list[index].text)) {
            return true;
        }
    }
    return false;
}

/* The one that goes when there is no more room for all, or for those of the lowest rank. */
static size_t victim_find(const struct conversation_facts *facts, uint64_t room) {
    uint8_t rank = UINT8_MAX;
    uint64_t kept = 0;
    size_t last = 0;
    for (size_t i = 0; i < facts->count; i++) {
        rank = facts->list[i].rank < rank ? facts->list[i].rank : rank;
    }
    for (size_t i = 0; i < facts->count; i++) {
        if (facts->list[i].rank == rank && is_superseded(facts, i)) {
            return i;
        }
    }
    for (size_t i = 0; i < facts->count; i++) {
        if (facts->list[i].rank == rank) {
            last = i;
            kept += facts->list[i].cost;
            if (kept > room / 2) {
                return i;
            }
        }
    }
    return last;
}

/* What nobody knows to be of the user may fill half of the room. */
static uint64_t unknown_cost(const struct conversation_facts *facts) {
    uint64_t cost = 0;
    for (size_t i = 0; i < facts->count; i++) {
        cost += facts->list[i].rank <= RANK_UNKNOWN ? facts->list[i].cost : 0;
    }
    return cost;
}

static bool is_same(struct str a, struct str b) {
    return a.len == b.len && words_begin(a, b);
}

static void fact_add(struct conversation_facts *facts, struct str text, enum rank rank) {
    for (size_t i = 0; i < facts->count; i++) {
        if (is_same(facts->list[i].text, text)) {
            if (i + 1 == facts->count) {
                return;
            }
            fact_remove(facts, i); /* said again, it is the latest that was said */
        }
    }
    if (facts->count == CONVERSATION_FACTS_MAX) {
        fact_remove(facts, victim_find(facts, facts->cost_max));
    }
    facts->list[facts->count] = (struct conversation_fact){text, cost_of(text), (uint8_t)rank};
    facts->cost += facts->list[facts->count++].cost;
    while (unknown_cost(facts) > facts->cost_max / 2) {
        fact_remove(facts, victim_find(facts, facts->cost_max / 2));
    }
    while (facts->cost > facts->cost_max) {
        fact_remove(facts, victim_find(facts, facts->cost_max));
    }
}

static bool is_listed(struct str stored) {
    return memmem(stored.data, stored.len, between.data, between.len) != NULL;
}

void conversation_facts_read(struct conversation_facts *facts, struct str stored) {
    if (stored.len > 0 && !is_listed(stored)) {
        struct str sentences[SENTENCES_MAX];
        const size_t count = sentences_split(stored, sentences, SENTENCES_MAX);
        for (size_t i = 0; i < count; i++) {
            fact_add(facts, sentences[i], rank_of(sentences[i]));
        }
        return;
    }
    while (stored.len > 0) {
        struct str line;
        (void)str_split(stored, '\n', &line, &stored);
        line = words_trim(str_starts_with(line, STR("- ")) ? words_rest(line, 2) : line);
        if (line.len > 0) {
            fact_add(facts, line, rank_of(line));
        }
    }
}

void conversation_facts_add(struct conversation_facts *facts, struct str message) {
    struct str sentences[SENTENCES_MAX];
    if (message.len > FACT_MESSAGE_BYTES || memmem(message.data, message.len, "```", 3) != NULL) {
        return;
    }
    const size_t count = sentences_split(message, sentences, SENTENCES_MAX);
    for (size_t i = 0; i < count; i++) {
        const enum rank rank = has_length(sentences[i]) ? rank_of(sentences[i]) : RANK_NONE;
        if (rank != RANK_NONE) {
            fact_add(facts, sentences[i], rank);
        }
    }
}

void conversation_facts_write(const struct conversation_facts *facts, struct buf *out) {
    for (size_t i = 0; i < facts->count; i++) {
        buf_append_str(out, i > 0 ? between : STR(""));
        buf_append_str(out, facts->list[i].text);
    }
}
