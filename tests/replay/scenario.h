/* One scenario while it runs: its core, its clock, the names it has introduced, the effects it has not expected yet. */
#ifndef NATARIS_TESTS_REPLAY_SCENARIO_H
#define NATARIS_TESTS_REPLAY_SCENARIO_H

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "replay/effect_text.h"

enum { WORDS_MAX = 24, EFFECTS_MAX = 256, LINE_MAX_BYTES = 512, SCENARIO_MAX_BYTES = 65536 };

struct scenario {
    const char *file;
    unsigned line;
    bool failed;
    struct core_config config;
    struct core *core; /* made by the first event */
    uint64_t now_ms, wake_at_ms;
    bool show_wake, show_trace, show_settle, show_busy;
    uint64_t settling[EFFECTS_MAX]; /* generations that are durable as soon as the step is over */
    size_t settling_count;
    struct names generations, providers;
    struct str words[WORDS_MAX]; /* of the present line */
    size_t word_count;
    char effects[EFFECTS_MAX][LINE_MAX_BYTES]; /* not yet expected */
    size_t effect_count, effect_next;
};

static inline void fail_line(struct scenario *s, const char *problem, struct str expected, const char *got) {
    fprintf(stderr, "%s:%u: %s\n  expected: %.*s\n  got:      %s\n", s->file, s->line, problem, STR_ARG(expected), got);
    s->failed = true;
}

static inline struct str word(const struct scenario *s, size_t index) {
    return index < s->word_count ? s->words[index] : STR("");
}

static inline uint32_t word_number(struct scenario *s, size_t index, uint32_t missing) {
    uint64_t number = missing;
    if (index < s->word_count && !str_parse_u64(s->words[index], UINT32_MAX, &number)) {
        fail_line(s, "not a number", STR("a number"), "something else");
    }
    return (uint32_t)number;
}

/* A signed number; nothing is 0. */
static inline int64_t parse_amount(struct scenario *s, struct str text) {
    bool negative = str_starts_with(text, STR("-"));
    uint64_t number = 0;
    if (negative) {
        text = (struct str){.data = text.data + 1, .len = text.len - 1};
    }
    if (text.len > 0 && !str_parse_u64(text, INT64_MAX, &number)) {
        fail_line(s, "not an amount", STR("a number"), "something else");
    }
    return negative ? -(int64_t)number : (int64_t)number;
}

/* The value of the word key=value; empty when there is none. */
static inline struct str word_text(const struct scenario *s, const char *wanted) {
    for (size_t i = 1; i < s->word_count; i++) {
        struct str key, value;
        if (str_split(s->words[i], '=', &key, &value) && str_equal_cstr(key, wanted)) {
            return value;
        }
    }
    return STR("");
}

static inline int64_t word_value(struct scenario *s, const char *wanted, int64_t missing) {
    struct str text = word_text(s, wanted);
    return text.len == 0 ? missing : parse_amount(s, text);
}

/* The index of a word in a list of names. */
static inline size_t choose(struct scenario *s, struct str text, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_cstr(text, names[i])) {
            return i;
        }
    }
    fail_line(s, "unknown word", STR("a word of the scenario language"), "another");
    return 0;
}

static inline size_t name_find(const struct names *names, struct str name) {
    size_t i = 0;
    while (i < names->count && !str_equal_cstr(name, names->items[i].name)) {
        i++;
    }
    return i;
}

static inline size_t name_add(struct scenario *s, struct names *names, struct str name) {
    size_t index = name_find(names, name);
    if (index == NAMES_MAX) {
        fail_line(s, "too many names", STR("fewer"), "more");
        return 0;
    }
    if (index == names->count) {
        (void)str_copy(names->items[names->count++].name, sizeof(names->items[0].name), name);
    }
    return index;
}

static inline uint64_t name_handle(struct scenario *s, struct names *names, struct str name) {
    size_t index = name_find(names, name);
    if (index == names->count) {
        fail_line(s, "unknown name", STR("one that was introduced"), "another");
        return CORE_NO_HANDLE;
    }
    return names->items[index].handle;
}

static const char *const error_names[] = {"bad_request",   "context_length", "overloaded",
                                          "model_missing", "engine",         "draining"};
static const char *const state_names[] = {"downloading", "loading", "warm", "failed", "cold"};
static const char *const heat_names[] = {"nominal", "fair", "serious", "critical"};
static const char *const review_names[] = {"too_fast", "too_many", "over_limit", "empty",
                                           "looping",  "prompt",   "canary",     "refusal"};
static const char *const commit_names[] = {"lost", "durable", "doubtful"};
static const char *const availability_names[] = {"absent", "resting", "coming", "available"};

/* Passed over unless the scenario asks for it. */
static inline bool is_hidden(const struct scenario *s, const struct core_effect *e) {
    bool busy = e->kind == CORE_EFFECT_PROVIDER_BUSY || e->kind == CORE_EFFECT_PROVIDER_IDLE;
    return (e->kind == CORE_EFFECT_SETTLE && !s->show_settle) || (e->kind == CORE_EFFECT_WAKE && !s->show_wake) ||
           (e->kind == CORE_EFFECT_TRACE && !s->show_trace) || (busy && !s->show_busy);
}

static inline void take_effect(struct scenario *s, const struct core_effect *e) {
    if (e->kind == CORE_EFFECT_ADMITTED) {
        s->generations.items[e->user].handle = e->generation;
    } else if (e->kind == CORE_EFFECT_PROVIDER_ADMITTED) {
        s->providers.items[e->user].handle = e->provider;
    } else if (e->kind == CORE_EFFECT_WAKE) {
        s->wake_at_ms = e->wake_at_ms;
    }
    if (e->kind == CORE_EFFECT_SETTLE && !s->show_settle && s->settling_count < EFFECTS_MAX) {
        s->settling[s->settling_count++] = e->generation;
    }
    if (!is_hidden(s, e) && s->effect_count < EFFECTS_MAX) {
        print_effect(&s->generations, &s->providers, e, s->effects[s->effect_count++], LINE_MAX_BYTES);
    }
}

static inline struct core *scenario_core(struct scenario *s) {
    if (s->core == NULL) {
        s->core = core_new(&s->config);
    }
    return s->core;
}

static inline void step(struct scenario *s, const struct core_event *event) {
    struct core_effects effects = core_step(scenario_core(s), s->now_ms, event);
    for (size_t i = 0; i < effects.count; i++) {
        take_effect(s, &effects.items[i]);
    }
    const char *broken = NULL;
    if (!core_check(s->core, &broken)) {
        fail_line(s, "core_check", str_from(broken), "that rule broken");
    }
    while (s->settling_count > 0) {
        uint64_t generation = s->settling[--s->settling_count];
        step(s, &(struct core_event){
                    .kind = CORE_EVENT_COMMITTED, .generation = generation, .committed = {.durable = true}});
    }
}

static inline size_t split_words(struct str line, struct str words[WORDS_MAX]) {
    size_t count = 0;
    while (line.len > 0 && count < WORDS_MAX) {
        struct str head, tail;
        bool more = str_split(line, ' ', &head, &tail);
        if (head.len > 0) {
            words[count++] = head;
        }
        line = more ? tail : STR("");
    }
    return count;
}

#endif
