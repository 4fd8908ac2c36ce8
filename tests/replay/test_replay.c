/* Runs every scenario of tests/replay/ against the core, each as a test of its own. A scenario is a list of lines:
 *
 *     # comment; the first one tells the story
 *     config accept_ms=2000 ...          before the first event; the rest are the defaults
 *     show wake|trace                    these effects must be expected too; else they are passed over
 *     at 2000                            moves the clock to this time; timers that were asked for fire on the way
 *     join p1
 *     status p1 m:warm:4:4096 ...        model:state:slots:context_length
 *     draining p1 | leave p1
 *     request r1 m [max_tokens]
 *     accept r1 p1 [prompt_tokens]
 *     delta r1 p1 tokens [text]
 *     done r1 p1 stop|length|cancelled [prompt completion cached]
 *     error r1 p1 kind [message [param]]
 *     gone r1 | drain
 *     > effect ...                       what the line above must have caused, in order, nothing more and nothing less
 *     counts jobs=1 queued=0 ...         what core_counts says now
 *     model m available|coming|absent
 *
 * Of an expected effect's key=value words those that do not matter are left out. After each step core_check must hold. */
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WORDS_MAX = 24, NAMES_MAX = 64, EFFECTS_MAX = 256, LINE_MAX_BYTES = 512, FILES_MAX = 256 };

struct names { /* of jobs or of providers: their place is the shell's own id */
    struct {
        char name[32];
        uint64_t handle;
    } items[NAMES_MAX];
    size_t count;
};

struct scenario {
    const char *file;
    unsigned line;
    bool failed;
    struct core_config config;
    struct core *core; /* made by the first event */
    uint64_t now_ms, wake_at_ms;
    bool show_wake, show_trace;
    struct names jobs, providers;
    struct str words[WORDS_MAX]; /* of the present line */
    size_t word_count;
    char effects[EFFECTS_MAX][LINE_MAX_BYTES]; /* not yet expected */
    size_t effect_count, effect_next;
};

static void fail_line(struct scenario *s, const char *problem, struct str expected, const char *got) {
    fprintf(stderr, "%s:%u: %s\n  expected: %.*s\n  got:      %s\n", s->file, s->line, problem, STR_ARG(expected), got);
    s->failed = true;
}

static struct str word(const struct scenario *s, size_t index) {
    return index < s->word_count ? s->words[index] : STR("");
}

static uint32_t word_number(struct scenario *s, size_t index, uint32_t missing) {
    uint64_t number = missing;
    if (index < s->word_count && !str_parse_u64(s->words[index], UINT32_MAX, &number)) {
        fail_line(s, "not a number", STR("a number"), "something else");
    }
    return (uint32_t)number;
}

/* The index of a word in a list of names. */
static size_t choose(struct scenario *s, struct str text, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_cstr(text, names[i])) {
            return i;
        }
    }
    fail_line(s, "unknown word", STR("a word of the scenario language"), "another");
    return 0;
}

static size_t name_find(struct scenario *s, struct names *names, struct str name) {
    for (size_t i = 0; i < names->count; i++) {
        if (str_equal_cstr(name, names->items[i].name)) {
            return i;
        }
    }
    if (names->count == NAMES_MAX) {
        fail_line(s, "too many names", STR("fewer"), "more");
        return 0;
    }
    (void)str_copy(names->items[names->count].name, sizeof(names->items[0].name), name);
    return names->count++;
}

static uint64_t name_handle(struct scenario *s, struct names *names, struct str name) {
    return names->items[name_find(s, names, name)].handle;
}

static const char *provider_name(const struct scenario *s, uint64_t handle) {
    for (size_t i = 0; i < s->providers.count; i++) {
        if (handle != CORE_NO_HANDLE && s->providers.items[i].handle == handle) {
            return s->providers.items[i].name;
        }
    }
    return "none";
}

static const char *const failure_names[] = {"queue_full",     "warming", "timeout", "bad_request",
                                            "context_length", "lost",    "attempts"};
static const char *const error_names[] = {"bad_request", "context_length", "overloaded", "model_missing", "engine",
                                          "draining"};
static const char *const finish_names[] = {"stop", "length", "cancelled"};
static const char *const state_names[] = {"downloading", "loading", "warm", "failed"};
static const char *const availability_names[] = {"absent", "coming", "available"};

static void print_end(char *out, size_t size, const char *kind, const char *job, const char *provider,
                      const struct core_effect *e) {
    (void)snprintf(out, size, "%s %s %s provider=%s prompt=%u completion=%u cached=%u attempts=%u ttft=%u latency=%u",
                   kind, job, finish_names[e->finish.finish], provider, e->finish.prompt_tokens,
                   e->finish.completion_tokens, e->finish.cached_tokens, e->finish.attempts, e->finish.ttft_ms,
                   e->finish.latency_ms);
}

static void print_effect(const struct scenario *s, const struct core_effect *e, char *out, size_t size) {
    const char *job = e->user < s->jobs.count ? s->jobs.items[e->user].name : "none";
    const char *provider = provider_name(s, e->provider);
    switch (e->kind) {
    case CORE_EFFECT_ADMITTED:
        (void)snprintf(out, size, "admitted %s", job);
        break;
    case CORE_EFFECT_DISPATCH:
        (void)snprintf(out, size, "dispatch %s %s", job, provider);
        break;
    case CORE_EFFECT_CANCEL:
        (void)snprintf(out, size, "cancel %s %s", job, provider);
        break;
    case CORE_EFFECT_ACCEPTED:
        (void)snprintf(out, size, "accepted %s %s", job, provider);
        break;
    case CORE_EFFECT_DELIVER:
        (void)snprintf(out, size, "deliver %s %s tokens=%u text=%.*s", job, provider, e->deliver.tokens,
                       STR_ARG(e->deliver.text));
        break;
    case CORE_EFFECT_FINISH:
        print_end(out, size, "finish", job, provider, e);
        break;
    case CORE_EFFECT_CANCELLED:
        print_end(out, size, "cancelled", job, provider, e);
        break;
    case CORE_EFFECT_FAIL:
        (void)snprintf(out, size, "fail %s %s started=%s attempts=%u retry_after=%u job=%s message=%.*s param=%.*s", job,
                       failure_names[e->fail.failure], e->fail.started ? "yes" : "no", e->fail.attempts,
                       e->fail.retry_after_s, e->job == CORE_NO_HANDLE ? "none" : job, STR_ARG(e->fail.message),
                       STR_ARG(e->fail.param));
        break;
    case CORE_EFFECT_PROVIDER_ADMITTED:
        (void)snprintf(out, size, "joined %s", s->providers.items[e->user].name);
        break;
    case CORE_EFFECT_PROVIDER_REFUSED:
        (void)snprintf(out, size, "refused %s", s->providers.items[e->user].name);
        break;
    case CORE_EFFECT_WAKE:
        (void)snprintf(out, size, "wake %llu", (unsigned long long)e->wake_at_ms);
        break;
    case CORE_EFFECT_TRACE:
        (void)snprintf(out, size, "trace %s %s %s", job, e->trace.from, e->trace.to);
        break;
    }
}

static void take_effect(struct scenario *s, const struct core_effect *e) {
    if (e->kind == CORE_EFFECT_ADMITTED) {
        s->jobs.items[e->user].handle = e->job;
    } else if (e->kind == CORE_EFFECT_PROVIDER_ADMITTED) {
        s->providers.items[e->user].handle = e->provider;
    } else if (e->kind == CORE_EFFECT_WAKE) {
        s->wake_at_ms = e->wake_at_ms;
    }
    bool hidden =
        (e->kind == CORE_EFFECT_WAKE && !s->show_wake) || (e->kind == CORE_EFFECT_TRACE && !s->show_trace);
    if (!hidden && s->effect_count < EFFECTS_MAX) {
        print_effect(s, e, s->effects[s->effect_count++], LINE_MAX_BYTES);
    }
}

static void step(struct scenario *s, const struct core_event *event) {
    if (s->core == NULL) {
        s->core = core_new(&s->config);
    }
    struct core_effects effects = core_step(s->core, s->now_ms, event);
    for (size_t i = 0; i < effects.count; i++) {
        take_effect(s, &effects.items[i]);
    }
    const char *broken = NULL;
    if (!core_check(s->core, &broken)) {
        fail_line(s, "core_check", str_from(broken), "it broken");
    }
}

static void do_at(struct scenario *s) {
    uint64_t target = word_number(s, 1, 0);
    if (target < s->now_ms) {
        fail_line(s, "time goes back", STR("a later time"), "an earlier one");
    }
    while (s->wake_at_ms <= target) {
        s->now_ms = s->wake_at_ms;
        s->wake_at_ms = UINT64_MAX;
        step(s, &(struct core_event){.kind = CORE_EVENT_TIMER});
    }
    s->now_ms = target;
}

static struct core_offer parse_offer(struct scenario *s, struct str text) {
    struct core_offer offer = {.context_length = 4096};
    struct str state, slots, context;
    uint64_t number = 0;
    (void)str_split(text, ':', &offer.model, &text);
    (void)str_split(text, ':', &state, &text);
    bool more = str_split(text, ':', &slots, &context);
    offer.state = (enum core_model_state)choose(s, state, state_names, COUNT_OF(state_names));
    if (str_parse_u64(slots, UINT32_MAX, &number)) {
        offer.slots = (uint32_t)number;
    }
    if (more && str_parse_u64(context, UINT32_MAX, &number)) {
        offer.context_length = (uint32_t)number;
    }
    return offer;
}

static void do_status(struct scenario *s) {
    struct core_offer offers[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 2; i < s->word_count; i++) {
        offers[count++] = parse_offer(s, s->words[i]);
    }
    step(s, &(struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                 .provider = name_handle(s, &s->providers, word(s, 1)),
                                 .status = {.offers = offers, .offer_count = count}});
}

static void do_request(struct scenario *s) {
    step(s, &(struct core_event){.kind = CORE_EVENT_REQUEST,
                                 .request = {.user = name_find(s, &s->jobs, word(s, 1)),
                                             .model = word(s, 2),
                                             .max_tokens = word_number(s, 3, 0)}});
}

/* accept, delta, done, error: `kind` of this job from this provider. */
static void do_device(struct scenario *s, enum core_event_kind kind) {
    struct core_event event = {.kind = kind,
                               .job = name_handle(s, &s->jobs, word(s, 1)),
                               .provider = name_handle(s, &s->providers, word(s, 2))};
    if (kind == CORE_EVENT_ACCEPT) {
        event.accept.prompt_tokens = word_number(s, 3, 0);
    } else if (kind == CORE_EVENT_DELTA) {
        event.delta.tokens = word_number(s, 3, 0);
        event.delta.text = word(s, 4);
    } else if (kind == CORE_EVENT_DONE) {
        event.done.finish = (enum core_finish)choose(s, word(s, 3), finish_names, COUNT_OF(finish_names));
        event.done.prompt_tokens = word_number(s, 4, 0);
        event.done.completion_tokens = word_number(s, 5, 0);
        event.done.cached_tokens = word_number(s, 6, 0);
    } else {
        event.error.failure = (enum core_attempt_failure)choose(s, word(s, 3), error_names, COUNT_OF(error_names));
        event.error.message = word(s, 4);
        event.error.param = word(s, 5);
    }
    step(s, &event);
}

static void do_config(struct scenario *s) {
    const struct {
        const char *name;
        uint32_t *value;
    } table[] = {
        {"max_jobs", &s->config.max_jobs},
        {"max_queue", &s->config.max_queue},
        {"max_providers", &s->config.max_providers},
        {"max_attempts", &s->config.max_attempts},
        {"queue_ms", &s->config.queue_ms},
        {"accept_ms", &s->config.accept_ms},
        {"first_token_ms", &s->config.first_token_ms},
        {"first_token_per_prompt_token_us", &s->config.first_token_per_prompt_token_us},
        {"silence_ms", &s->config.silence_ms},
        {"whole_ms", &s->config.whole_ms},
        {"whole_per_token_ms", &s->config.whole_per_token_ms},
        {"cancel_ms", &s->config.cancel_ms},
        {"cooldown_ms", &s->config.cooldown_ms},
        {"warming_retry_s", &s->config.warming_retry_s},
    };
    for (size_t i = 1; i < s->word_count; i++) {
        struct str key, value;
        uint64_t number = 0;
        bool known = str_split(s->words[i], '=', &key, &value) && str_parse_u64(value, UINT32_MAX, &number);
        size_t entry = 0;
        while (entry < COUNT_OF(table) && !str_equal_cstr(key, table[entry].name)) {
            entry++;
        }
        if (!known || entry == COUNT_OF(table) || s->core != NULL) {
            fail_line(s, "config", STR("name=number before the first event"), "something else");
            return;
        }
        *table[entry].value = (uint32_t)number;
    }
}

static void do_counts(struct scenario *s) {
    struct core_counts counts = core_counts(s->core);
    char got[LINE_MAX_BYTES], padded[LINE_MAX_BYTES + 2];
    (void)snprintf(got, sizeof(got), "jobs=%zu queued=%zu running=%zu cancelling=%zu providers=%zu models=%zu",
                   counts.jobs, counts.queued, counts.running, counts.cancelling, counts.providers, counts.models);
    (void)snprintf(padded, sizeof(padded), " %s ", got);
    for (size_t i = 1; i < s->word_count; i++) {
        char wanted[64];
        (void)snprintf(wanted, sizeof(wanted), " %.*s ", STR_ARG(s->words[i]));
        if (strstr(padded, wanted) == NULL) {
            fail_line(s, "counts", s->words[i], got);
        }
    }
}

static void do_model(struct scenario *s) {
    const char *got = availability_names[core_model_availability(s->core, word(s, 1), NULL)];
    if (!str_equal_cstr(word(s, 2), got)) {
        fail_line(s, "model", word(s, 2), got);
    }
}

static size_t split_words(struct str line, struct str words[WORDS_MAX]) {
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

/* Words without '=' are the same and in the same order; the expected key=value words all occur. */
static bool effect_matches(const struct str *expected, size_t expected_count, struct str got) {
    struct str words[WORDS_MAX];
    size_t count = split_words(got, words), place = 0;
    for (size_t i = 0; i < expected_count; i++) {
        bool pair = memchr(expected[i].data, '=', expected[i].len) != NULL;
        size_t found = pair ? 0 : place++;
        while (pair && found < count && !str_equal(words[found], expected[i])) {
            found++;
        }
        if (found >= count || !str_equal(words[found], expected[i])) {
            return false;
        }
    }
    return place >= count || memchr(words[place].data, '=', words[place].len) != NULL;
}

static void do_expect(struct scenario *s, struct str line) {
    const char *got = s->effect_next < s->effect_count ? s->effects[s->effect_next++] : "nothing";
    if (!effect_matches(s->words + 1, s->word_count - 1, str_from(got))) {
        fail_line(s, "another effect", line, got);
    }
}

static void expect_no_more(struct scenario *s) {
    if (s->effect_next < s->effect_count) {
        fail_line(s, "an effect too many before this line", STR("nothing"), s->effects[s->effect_next]);
    }
    s->effect_count = s->effect_next = 0;
}

static void do_provider(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind, .provider = name_handle(s, &s->providers, word(s, 1))});
}

static void do_show(struct scenario *s) {
    bool wake = str_equal_cstr(word(s, 1), "wake");
    s->show_wake |= wake;
    s->show_trace |= !wake;
    s->config.trace |= !wake;
}

static void do_command(struct scenario *s) {
    static const char *const commands[] = {"config", "show",    "at",    "join", "status", "draining", "leave", "request",
                                           "accept", "delta",   "done",  "error", "gone",  "drain",    "counts", "model"};
    enum { CONFIG, SHOW, AT, JOIN, STATUS, DRAINING, LEAVE, REQUEST, ACCEPT, DELTA, DONE, ERROR, GONE, DRAIN, COUNTS };
    size_t command = choose(s, s->words[0], commands, COUNT_OF(commands));
    static const enum core_event_kind device[] = {CORE_EVENT_ACCEPT, CORE_EVENT_DELTA, CORE_EVENT_DONE,
                                                  CORE_EVENT_ERROR};
    switch (command) {
    case CONFIG:
        do_config(s);
        break;
    case SHOW:
        do_show(s);
        break;
    case AT:
        do_at(s);
        break;
    case JOIN:
        step(s, &(struct core_event){.kind = CORE_EVENT_PROVIDER_JOINED,
                                     .joined = {.user = name_find(s, &s->providers, word(s, 1))}});
        break;
    case STATUS:
        do_status(s);
        break;
    case DRAINING:
        do_provider(s, CORE_EVENT_PROVIDER_DRAINING);
        break;
    case LEAVE:
        do_provider(s, CORE_EVENT_PROVIDER_LEFT);
        break;
    case REQUEST:
        do_request(s);
        break;
    case ACCEPT:
    case DELTA:
    case DONE:
    case ERROR:
        do_device(s, device[command - ACCEPT]);
        break;
    case GONE:
        step(s, &(struct core_event){.kind = CORE_EVENT_CLIENT_GONE, .job = name_handle(s, &s->jobs, word(s, 1))});
        break;
    case DRAIN:
        step(s, &(struct core_event){.kind = CORE_EVENT_DRAIN});
        break;
    case COUNTS:
        do_counts(s);
        break;
    default:
        do_model(s);
    }
}

static void run_line(struct scenario *s, struct str line) {
    s->word_count = split_words(line, s->words);
    if (s->word_count == 0 || s->words[0].data[0] == '#') {
        return;
    }
    if (str_equal_cstr(s->words[0], ">")) {
        do_expect(s, line);
        return;
    }
    expect_no_more(s);
    do_command(s);
}
