/* Runs every scenario of tests/replay/ against the core, each as a test of its own. A scenario is a list of lines:
 *
 *     # comment; the first one tells the story
 *     config accept_ms=2000 ...          before the first event; the rest are the defaults
 *     show wake|trace|settle|busy        these effects must be expected too (busy: idle as well); else they are passed
 *                                        over, and what is settled is durable at once
 *     at 2000                            moves the clock to this time; timers that were asked for fire on the way
 *     join p1 [region=DE] [verified=1] [ram=bytes] [owner=1] [escrow=1]
 *                                        escrow: it is under review
 *     escrow p1 on|off
 *     status p1 m:warm:4:4096:500 ... [heat=fair] [battery=20] [charging=1] [paused=1] [wants=1] [storage=bytes]
 *                                        model:state:slots:context_length:load_ms:bytes_left:bytes_per_s:bytes_total;
 *                                        what is left out at the end is 4096 for the context, else not known
 *     draining p1 | leave p1 | silent p1 | alive p1
 *     review p1 canary
 *     catalog m 1000 2000                bytes of its file, and of the memory that it needs
 *     account 1 [rate=10] [concurrent=2] [suspended=1]
 *     credit 1 -500 [given=-200]         nano-dollars; of them, given credit
 *     key 1 [cap=500] [spent=20]
 *     request r1 m [max_tokens] [account=1] [key=1] [prompt=20] [price=2:3] [region=DE] [verified=1] [only=p1]
 *                  [likely=10] [sure=12]
 *                                        max_tokens: else 16; prompt: its tokens at most; price: nano-dollars for a
 *                                        token in and out; only: a canary
 *     accept r1 p1 [prompt_tokens]
 *     progress r1 p1 done_tokens
 *     delta r1 p1 tokens [text]
 *     done r1 p1 stop|length|cancelled [prompt completion cached]
 *     error r1 p1 kind [param]
 *     counted r1 [prompt_tokens]         the answer to COUNT
 *     gone r1 | abort r1 too_long|stopped | drain
 *     committed r1 durable|lost|doubtful
 *     > effect ...                       what the line above must have caused, in order, nothing more and nothing less
 *     counts generations=1 queued=0 ...         what core_counts says now
 *     view 1 balance=500 held=0 ...      likewise core_account_view
 *     model m available|coming|resting|absent
 *
 * Of an expected effect's key=value words those that do not matter are left out. After each step core_check must hold.
 */
#include "base/buf.h"
#include "base/file.h"
#include "replay/scenario.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void do_at(struct scenario *s, enum core_event_kind kind UNUSED) {
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
    struct str name, state, head;
    uint64_t numbers[] = {0, 4096, 0, 0, 0, 0};
    (void)str_split(text, ':', &name, &text);
    bool more = str_split(text, ':', &state, &text);
    for (size_t i = 0; more && i < COUNT_OF(numbers); i++) {
        more = str_split(text, ':', &head, &text);
        if (!str_parse_u64(head, UINT32_MAX, &numbers[i])) {
            fail_line(s, "not a number", STR("a number"), "something else");
        }
    }
    return (struct core_offer){
        .model = name,
        .state = (enum core_model_state)choose(s, state, state_names, COUNT_OF(state_names)),
        .slots = (uint32_t)numbers[0],
        .context_length = (uint32_t)numbers[1],
        .load_ms = (uint32_t)numbers[2],
        .bytes_left = numbers[3],
        .bytes_per_s = numbers[4],
        .bytes_total = numbers[5],
    };
}

static void do_status(struct scenario *s, enum core_event_kind kind) {
    struct core_offer offers[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 2; i < s->word_count; i++) {
        if (memchr(s->words[i].data, '=', s->words[i].len) == NULL) {
            offers[count++] = parse_offer(s, s->words[i]);
        }
    }
    struct str heat = word_text(s, "heat");
    struct core_device_state device = {
        .heat = heat.len == 0 ? CORE_HEAT_NOMINAL : (enum core_heat)choose(s, heat, heat_names, COUNT_OF(heat_names)),
        .battery_percent = (int32_t)word_value(s, "battery", -1),
        .charging = word_value(s, "charging", 0) != 0,
        .paused = word_value(s, "paused", 0) != 0,
        .takes_wants = word_value(s, "wants", 0) != 0,
        .storage_free_bytes = (uint64_t)word_value(s, "storage", 0),
    };
    step(s, &(struct core_event){.kind = kind,
                                 .provider = name_handle(s, &s->providers, word(s, 1)),
                                 .status = {.offers = offers, .offer_count = count, .device = device}});
}

static void do_request(struct scenario *s, enum core_event_kind kind) {
    struct str in, out;
    (void)str_split(word_text(s, "price"), ':', &in, &out);
    bool limited = word(s, 3).len > 0 && memchr(word(s, 3).data, '=', word(s, 3).len) == NULL;
    struct str only = word_text(s, "only");
    struct core_event event = {
        .kind = kind,
        .request = {.user = name_add(s, &s->generations, word(s, 1)),
                    .model = word(s, 2),
                    .max_tokens = limited ? word_number(s, 3, 0) : 16,
                    .account = (uint64_t)word_value(s, "account", 0),
                    .key = (uint64_t)word_value(s, "key", 0),
                    .prompt_tokens_max = (uint32_t)word_value(s, "prompt", 0),
                    .prompt_tokens_likely = (uint32_t)word_value(s, "likely", 0),
                    .prompt_tokens_sure = (uint32_t)word_value(s, "sure", 0),
                    .max_tokens_given = limited,
                    .prompt_price_nano = parse_amount(s, in),
                    .completion_price_nano = parse_amount(s, out),
                    .verified = word_value(s, "verified", 0) != 0,
                    .only_provider = only.len == 0 ? CORE_NO_HANDLE : name_handle(s, &s->providers, only)}};
    (void)str_copy(event.request.region, sizeof(event.request.region), word_text(s, "region"));
    step(s, &event);
}

static void do_account(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind,
                                 .account = {.account = word_number(s, 1, 0),
                                             .requests_per_minute = (uint32_t)word_value(s, "rate", 0),
                                             .concurrent = (uint32_t)word_value(s, "concurrent", 0),
                                             .suspended = word_value(s, "suspended", 0) != 0}});
}

static void do_credit(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind,
                                 .credit = {.account = word_number(s, 1, 0),
                                            .amount_nano = parse_amount(s, word(s, 2)),
                                            .given_nano = word_value(s, "given", 0)}});
}

static void do_key(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind,
                                 .key = {.key = word_number(s, 1, 0),
                                         .cap_nano = word_value(s, "cap", -1),
                                         .spent_nano = word_value(s, "spent", 0)}});
}

static void do_committed(struct scenario *s, enum core_event_kind kind) {
    const size_t end = choose(s, word(s, 2), commit_names, COUNT_OF(commit_names));
    step(s, &(struct core_event){.kind = kind,
                                 .generation = name_handle(s, &s->generations, word(s, 1)),
                                 .committed = {.durable = end > 0, .in_doubt = end == 2}});
}

static void do_counted(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind,
                                 .generation = name_handle(s, &s->generations, word(s, 1)),
                                 .counted = {word_number(s, 2, 0)}});
}

/* accept, progress, delta, done, error: `kind` of this generation from this provider. */
static void do_device(struct scenario *s, enum core_event_kind kind) {
    struct core_event event = {.kind = kind,
                               .generation = name_handle(s, &s->generations, word(s, 1)),
                               .provider = name_handle(s, &s->providers, word(s, 2))};
    if (kind == CORE_EVENT_ACCEPT) {
        event.accept.prompt_tokens = word_number(s, 3, 0);
    } else if (kind == CORE_EVENT_PROGRESS) {
        event.progress.done_tokens = word_number(s, 3, 0);
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
        event.error.param = word(s, 4);
    }
    step(s, &event);
}

static void do_config(struct scenario *s, enum core_event_kind kind UNUSED) {
    const struct {
        const char *name;
        uint32_t *value;
    } table[] = {
        {"max_jobs", &s->config.max_generations},
        {"max_queue", &s->config.max_queue},
        {"max_providers", &s->config.max_providers},
        {"max_accounts", &s->config.max_accounts},
        {"max_attempts", &s->config.max_attempts},
        {"queue_ms", &s->config.queue_ms},
        {"accept_ms", &s->config.accept_ms},
        {"first_token_ms", &s->config.first_token_ms},
        {"first_token_per_prompt_token_us", &s->config.first_token_per_prompt_token_us},
        {"prefill_least_per_s", &s->config.prefill_least_per_s},
        {"silence_ms", &s->config.silence_ms},
        {"whole_ms", &s->config.whole_ms},
        {"whole_per_token_ms", &s->config.whole_per_token_ms},
        {"cancel_ms", &s->config.cancel_ms},
        {"cooldown_ms", &s->config.cooldown_ms},
        {"warming_retry_s", &s->config.warming_retry_s},
        {"failover_ms", &s->config.failover_ms},
        {"continue_ms", &s->config.continue_ms},
        {"backoff_step_ms", &s->config.backoff_step_ms},
        {"retry_percent", &s->config.retry_percent},
        {"retry_floor", &s->config.retry_floor},
        {"load_ms", &s->config.load_ms},
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

/* Each word of the line but the first `skip` must be one of `got`. */
static void expect_words(struct scenario *s, size_t skip, const char *got) {
    struct str words[WORDS_MAX];
    size_t count = split_words(str_from(got), words);
    for (size_t i = skip; i < s->word_count; i++) {
        size_t found = 0;
        while (found < count && !str_equal(words[found], s->words[i])) {
            found++;
        }
        if (found == count) {
            fail_line(s, "another value", s->words[i], got);
        }
    }
}

static void do_counts(struct scenario *s, enum core_event_kind kind UNUSED) {
    struct core_counts counts = core_counts(scenario_core(s));
    char got[LINE_MAX_BYTES];
    (void)snprintf(got, sizeof(got),
                   "jobs=%zu queued=%zu running=%zu cancelling=%zu settling=%zu providers=%zu models=%zu",
                   counts.generations, counts.queued, counts.running, counts.cancelling, counts.settling,
                   counts.providers, counts.models);
    expect_words(s, 1, got);
}

static void do_view(struct scenario *s, enum core_event_kind kind UNUSED) {
    struct core_account_view view;
    char got[LINE_MAX_BYTES] = "unknown";
    if (core_account_view(scenario_core(s), word_number(s, 1, 0), s->now_ms, &view)) {
        (void)snprintf(got, sizeof(got), "balance=%lld held=%lld given=%lld active=%u rate=%u remaining=%u reset=%llu",
                       (long long)view.balance_nano, (long long)view.held_nano, (long long)view.given_nano, view.active,
                       view.requests_per_minute, view.remaining, (unsigned long long)view.reset_ms);
    }
    expect_words(s, 2, got);
}

static void do_model(struct scenario *s, enum core_event_kind kind UNUSED) {
    const char *got = availability_names[core_model_availability(scenario_core(s), word(s, 1), NULL)];
    if (!str_equal_cstr(word(s, 2), got)) {
        fail_line(s, "model", word(s, 2), got);
    }
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

static void do_plain(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind});
}

static void do_join(struct scenario *s, enum core_event_kind kind) {
    struct core_event event = {.kind = kind,
                               .joined = {.user = name_add(s, &s->providers, word(s, 1)),
                                          .verified = word_value(s, "verified", 0) != 0,
                                          .trusted = word_value(s, "new", 0) == 0,
                                          .owner = (uint64_t)word_value(s, "owner", 0),
                                          .escrow = word_value(s, "escrow", 0) != 0,
                                          .ram_bytes = (uint64_t)word_value(s, "ram", 0)}};
    (void)str_copy(event.joined.region, sizeof(event.joined.region), word_text(s, "region"));
    core_record_init(&event.joined.record);
    event.joined.record.audits = (uint32_t)word_value(s, "audits", 0);
    event.joined.record.earned = (uint32_t)word_value(s, "earned", 0);
    step(s, &event);
}

static void do_escrow(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind,
                                 .provider = name_handle(s, &s->providers, word(s, 1)),
                                 .escrow = {.on = str_equal_cstr(word(s, 2), "on")}});
}

static void do_review(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){
                .kind = kind,
                .provider = name_handle(s, &s->providers, word(s, 1)),
                .review = {(enum core_review)choose(s, word(s, 2), review_names, COUNT_OF(review_names))}});
}

static void do_audited(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind,
                                 .provider = name_handle(s, &s->providers, word(s, 1)),
                                 .audited = {str_equal_cstr(word(s, 2), "passed")}});
}

static void do_catalog(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){
                .kind = kind,
                .model = {.model = word(s, 1), .file_bytes = word_number(s, 2, 0), .ram_bytes = word_number(s, 3, 0)}});
}

static void do_provider(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind, .provider = name_handle(s, &s->providers, word(s, 1))});
}

static void do_gone(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){.kind = kind, .generation = name_handle(s, &s->generations, word(s, 1))});
}

static void do_abort(struct scenario *s, enum core_event_kind kind) {
    step(s, &(struct core_event){
                .kind = kind,
                .generation = name_handle(s, &s->generations, word(s, 1)),
                .abort = {(enum core_failure)choose(s, word(s, 2), failure_names, COUNT_OF(failure_names))}});
}

static void do_show(struct scenario *s, enum core_event_kind kind UNUSED) {
    static const char *const names[] = {"wake", "trace", "settle", "busy"};
    bool *const shown[] = {&s->show_wake, &s->show_trace, &s->show_settle, &s->show_busy};
    *shown[choose(s, word(s, 1), names, COUNT_OF(names))] = true;
    s->config.trace = s->show_trace;
}

static void do_command(struct scenario *s) {
    static const struct {
        const char *name;
        void (*run)(struct scenario *, enum core_event_kind);
        enum core_event_kind kind;
    } commands[] = {
        {"config", do_config, CORE_EVENT_TIMER},
        {"show", do_show, CORE_EVENT_TIMER},
        {"at", do_at, CORE_EVENT_TIMER},
        {"join", do_join, CORE_EVENT_PROVIDER_JOINED},
        {"status", do_status, CORE_EVENT_PROVIDER_STATUS},
        {"draining", do_provider, CORE_EVENT_PROVIDER_DRAINING},
        {"leave", do_provider, CORE_EVENT_PROVIDER_LEFT},
        {"silent", do_provider, CORE_EVENT_PROVIDER_SILENT},
        {"alive", do_provider, CORE_EVENT_PROVIDER_ALIVE},
        {"quarantined", do_provider, CORE_EVENT_PROVIDER_QUARANTINED},
        {"released", do_provider, CORE_EVENT_PROVIDER_RELEASED},
        {"review", do_review, CORE_EVENT_REVIEW},
        {"audited", do_audited, CORE_EVENT_AUDITED},
        {"escrow", do_escrow, CORE_EVENT_ESCROW},
        {"catalog", do_catalog, CORE_EVENT_MODEL},
        {"request", do_request, CORE_EVENT_REQUEST},
        {"accept", do_device, CORE_EVENT_ACCEPT},
        {"progress", do_device, CORE_EVENT_PROGRESS},
        {"delta", do_device, CORE_EVENT_DELTA},
        {"done", do_device, CORE_EVENT_DONE},
        {"error", do_device, CORE_EVENT_ERROR},
        {"gone", do_gone, CORE_EVENT_CLIENT_GONE},
        {"abort", do_abort, CORE_EVENT_ABORT},
        {"drain", do_plain, CORE_EVENT_DRAIN},
        {"account", do_account, CORE_EVENT_ACCOUNT},
        {"credit", do_credit, CORE_EVENT_CREDIT},
        {"key", do_key, CORE_EVENT_KEY},
        {"counted", do_counted, CORE_EVENT_COUNTED},
        {"committed", do_committed, CORE_EVENT_COMMITTED},
        {"counts", do_counts, CORE_EVENT_TIMER},
        {"view", do_view, CORE_EVENT_TIMER},
        {"model", do_model, CORE_EVENT_TIMER},
    };
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (str_equal_cstr(s->words[0], commands[i].name)) {
            commands[i].run(s, commands[i].kind);
            return;
        }
    }
    fail_line(s, "unknown command", STR("one of the commands above"), "another");
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

static void run_text(struct scenario *s, struct str text) {
    while (text.len > 0) {
        struct str line, rest;
        bool more = str_split(text, '\n', &line, &rest);
        s->line++;
        run_line(s, line);
        text = more ? rest : STR("");
    }
    expect_no_more(s);
}

static void run_file(void **state) {
    const char *path = (const char *)*state;
    struct buf text;
    struct err err;
    buf_init(&text, SCENARIO_MAX_BYTES);
    if (!file_read(path, &text, &err)) {
        fail_msg("%s: %s", path, err.message);
    }
    struct scenario *s = MEM_NEW(struct scenario);
    s->file = path;
    s->wake_at_ms = UINT64_MAX;
    core_config_init(&s->config);
    run_text(s, buf_str(&text));
    bool failed = s->failed;
    core_free(s->core);
    free(s);
    buf_clear(&text);
    assert_false(failed);
}

static int is_scenario(const struct dirent *entry) {
    const char *end = strrchr(entry->d_name, '.');
    return end != NULL && strcmp(end, ".replay") == 0;
}

int main(void) {
    const char *folder = getenv("REPLAY_DIR");
    folder = folder == NULL ? NATARIS_SOURCE_DIR "/tests/replay" : folder;
    struct dirent **entries;
    int count = scandir(folder, &entries, is_scenario, alphasort);
    if (count <= 0) {
        fprintf(stderr, "%s: no scenario\n", folder);
        return 1;
    }
    struct CMUnitTest *tests = mem_calloc((size_t)count, sizeof(*tests));
    char(*paths)[FILE_PATH_MAX] = (char(*)[FILE_PATH_MAX])mem_calloc((size_t)count, sizeof(*paths));
    for (int i = 0; i < count; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, entries[i]->d_name);
        tests[i] = (struct CMUnitTest){
            .name = paths[i] + strlen(folder) + 1, .test_func = run_file, .initial_state = paths[i]};
        free(entries[i]);
    }
    free((void *)entries);
    int failed = _cmocka_run_group_tests("replay", tests, (size_t)count, NULL, NULL);
    free(tests);
    free(paths);
    return failed;
}
