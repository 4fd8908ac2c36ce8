#include "gateway/grammar_watch.h"

#include "base/mem.h"
#include "grammar/matcher.h"
#include "grammar/network.h"

#include <stdlib.h>
#include <uthash.h>

enum {
    WATCHED_BYTES = 64 * 1024 * 1024, /* that all of them take; beyond, answers are not looked at */
    /* Of one answer, some 0.1 s: more than any grammar with a meaning takes. Then it is looked at no longer. */
    STEPS_AN_ANSWER = 10 * 1000 * 1000,
    STEPS_A_DELTA = 200 * 1000,
};

struct watched_answer {
    uint64_t generation, provider;
    struct matcher *matcher;
    size_t bytes;
    uint64_t steps_left;
    bool stops; /* it has stop strings, which may end it anywhere */
    UT_hash_handle hh;
};

static struct watched_answer *find(const struct grammar_watch *watch, uint64_t generation) {
    struct watched_answer *answer = NULL;
    HASH_FIND(hh, watch->open, &generation, sizeof(generation), answer);
    return answer;
}

static void answer_free(struct watched_answer *answer) {
    matcher_free(answer->matcher);
    free(answer);
}

static void drop(struct grammar_watch *watch, struct watched_answer *answer) {
    HASH_DEL(watch->open, answer);
    watch->bytes -= answer->bytes;
    answer_free(answer);
}

/* Counts what it takes by now. False: all of them take too much, and it is dropped. */
static bool weigh(struct grammar_watch *watch, struct watched_answer *answer) {
    const size_t bytes = sizeof(*answer) + matcher_bytes(answer->matcher);
    watch->bytes += bytes - answer->bytes;
    answer->bytes = bytes;
    if (watch->bytes > WATCHED_BYTES) {
        drop(watch, answer);
        return false;
    }
    return true;
}

/* Reads on. False: it breaks the grammar. That one, and one that takes too long or too much, is dropped. */
static bool read_on(struct grammar_watch *watch, struct watched_answer *answer, struct str text) {
    const uint64_t steps = answer->steps_left < STEPS_A_DELTA ? answer->steps_left : STEPS_A_DELTA;
    matcher_set_budget(answer->matcher, steps);
    if (matcher_accept(answer->matcher, text)) {
        answer->steps_left -= steps - matcher_budget(answer->matcher);
        (void)weigh(watch, answer);
        return true;
    }
    const bool spent = matcher_is_spent(answer->matcher);
    drop(watch, answer);
    return spent;
}

void grammar_watch_begin(struct grammar_watch *watch, uint64_t generation, uint64_t provider,
                         const struct gen_request *request) {
    grammar_watch_end(watch, generation);
    if (request->grammar.len == 0 || watch->bytes >= WATCHED_BYTES) {
        return;
    }
    struct matcher *matcher = matcher_new(request->grammar, NETWORK_STEPS_FEW, NULL);
    if (matcher == NULL) { /* it would take too long here, where everybody waits */
        return;
    }
    struct watched_answer *answer = MEM_NEW(struct watched_answer);
    *answer = (struct watched_answer){.generation = generation,
                                      .provider = provider,
                                      .matcher = matcher,
                                      .steps_left = STEPS_AN_ANSWER,
                                      .stops = request->stop_count > 0};
    HASH_ADD(hh, watch->open, generation, sizeof(answer->generation), answer);
    matcher_set_budget(matcher, STEPS_AN_ANSWER);
    if (!matcher_accept(matcher, request->continue_text)) {
        drop(watch, answer);
    } else {
        (void)weigh(watch, answer);
    }
}

bool grammar_watch_delta(struct grammar_watch *watch, uint64_t provider, const struct link_delta *delta) {
    struct watched_answer *answer = watch->open == NULL ? NULL : find(watch, delta->job);
    return answer == NULL || answer->provider != provider || read_on(watch, answer, delta->text);
}

bool grammar_watch_done(struct grammar_watch *watch, uint64_t provider, uint64_t generation, enum link_finish finish) {
    struct watched_answer *answer = watch->open == NULL ? NULL : find(watch, generation);
    if (answer == NULL || answer->provider != provider) {
        return true;
    }
    const bool cut = finish == LINK_FINISH_LENGTH || finish == LINK_FINISH_CANCELLED;
    const bool good = cut || answer->stops || matcher_may_end(answer->matcher);
    drop(watch, answer);
    return good;
}

void grammar_watch_end(struct grammar_watch *watch, uint64_t generation) {
    struct watched_answer *answer = watch->open == NULL ? NULL : find(watch, generation);
    if (answer != NULL) {
        drop(watch, answer);
    }
}

void grammar_watch_clear(struct grammar_watch *watch) {
    struct watched_answer *answer = watch->open; /* which stay linked in their order when the table is gone */
    HASH_CLEAR(hh, watch->open);
    while (answer != NULL) {
        struct watched_answer *next = answer->hh.next;
        answer_free(answer);
        answer = next;
    }
    watch->bytes = 0;
}
