#include "gateway/audit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "core/explain.h"
#include "gateway/audit_outcome.h"
#include "gateway/provider_commands.h"
#include "gateway/provider_scorers.h"
#include "gateway/provider_trust.h"
#include "gateway/providers.h"
#include "link/peer.h"
#include "store/admin.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    AUDIT_PUMP_MS = 500,
    AUDIT_PATIENCE_MS = 3 * 60 * 1000, /* for the score of one answer: a busy device takes a tenth of its time for it */
    AUDIT_TOKEN_MS = 100, /* and of a long one or one to a long prompt so much more for each token of both */
    AUDIT_TOKEN_BYTES = 4,
    AUDIT_KEEP_MS = 10 * 60 * 1000, /* an answer that nobody could score by then is forgotten */
    AUDIT_RUNS_MAX = 1024,
    AUDIT_FILES_BUSY = 16, /* files of which is remembered that all scorers are busy */
    AUDIT_PEERS = 2,       /* of different owners, where no trusted device has the file */
    AUDIT_PEERS_SEEN = 64, /* devices that are looked at for one that may score, from a random one on */
    AUDIT_PEERS_FIRST = 4096,
    AUDIT_SCOPE_BYTES = 22,
};

/* Numbers of these jobs: above all handles of the core (core/handle.c), below LINK_JOB_MAX. */
#define AUDIT_JOB_FIRST (UINT64_C(1) << 52)

struct audit_run {
    uint64_t job, provider; /* the scorer's handle */
    uint64_t due_ms;
    struct audit_capture *capture;
    struct audit_run *next, *prev;
};

static uint64_t now_of(const struct audits *audits) {
    return core_loop_now_ms(&audits->shell->core);
}

static struct audit_captures *captures_of(const struct audits *audits) {
    return &audits->shell->captures;
}

/* --- Who scores --- */

static bool is_idle(const struct audits *audits, const struct gateway_provider *provider) {
    struct core_provider_view view;
    return core_provider_view(audits->shell->core.core, provider->handle, now_of(audits), &view) && view.active == 0;
}

/* A trusted device with the file, rather one that has nothing to do. `exists`: some has it, busy or not. */
static struct gateway_provider *find_trusted(const struct audits *audits, const struct audit_capture *capture,
                                             bool *exists) {
    const struct provider_scorer *scorer =
        provider_scorers_of(&audits->shell->providers, capture->request.model, capture->subject.key.sha256);
    struct gateway_provider *found = NULL;
    *exists = false;
    for (; scorer != NULL; scorer = scorer->next) {
        struct gateway_provider *provider = scorer->provider;
        if (!provider_trust_has_file(provider, capture->request.model, capture->subject.key.sha256) ||
            !provider_trust_may_score(provider, capture->subject.account_id)) {
            continue;
        }
        *exists = true;
        if (provider->is_scoring) {
            continue;
        }
        found = provider;
        if (is_idle(audits, provider)) {
            break;
        }
    }
    return found;
}

/* Of neither the device's owner nor of one that was asked already. */
static bool may_be_peer(const struct audit_capture *capture, const struct gateway_provider *provider) {
    const char *owner = provider->device.account_id;
    bool good = strcmp(owner, capture->subject.account_id) != 0;
    for (uint32_t i = 0; i < capture->asked; i++) {
        good = good && strcmp(owner, capture->scorers[i]) != 0;
    }
    return good;
}

/* A random device, so that nobody can see to it that friends score each other. NULL: there is none. */
static struct gateway_provider *some_device(const struct providers *providers) {
    const size_t connected = providers_connected(providers);
    const size_t count = connected < AUDIT_PEERS_FIRST ? connected : AUDIT_PEERS_FIRST;
    struct gateway_provider *provider = providers->list;
    uint32_t random;
    random_few(&random, sizeof(random));
    for (size_t skip = count > 0 ? random % count : 0; skip > 0 && provider->next != NULL; skip--) {
        provider = provider->next;
    }
    return provider;
}

/* Behind the last comes the first. */
static struct gateway_provider *device_after(const struct providers *providers,
                                             const struct gateway_provider *provider) {
    return provider->next != NULL ? provider->next : providers->list;
}

static size_t devices_seen(const struct providers *providers) {
    size_t count = 0;
    const struct gateway_provider *provider;
    DL_FOREACH (providers->list, provider) {
        if (++count == AUDIT_PEERS_SEEN) {
            break;
        }
    }
    return count;
}

/* Rather one that has nothing to do. */
static struct gateway_provider *find_peer(const struct audits *audits, const struct audit_capture *capture) {
    const struct providers *providers = &audits->shell->providers;
    struct gateway_provider *provider = some_device(providers), *found = NULL;
    for (size_t left = devices_seen(providers); left > 0; left--, provider = device_after(providers, provider)) {
        if (provider->handle == CORE_NO_HANDLE || !may_be_peer(capture, provider) || provider->is_scoring ||
            !provider_trust_has_file(provider, capture->request.model, capture->subject.key.sha256)) {
            continue;
        }
        if (is_idle(audits, provider)) {
            return provider;
        }
        found = provider;
    }
    return found;
}

bool audits_can_score(const struct core_shell *shell, const struct gateway_provider *device, struct str model,
                      bool own_prompt) {
    const struct providers *providers = &shell->providers;
    const struct provider_file *file = provider_files_find(&device->files, model);
    size_t peers = 0;
    const char *first = NULL;
    if (file == NULL || device->is_trusted) {
        return false;
    }
    if (provider_trust_any(device, model, file->sha256)) {
        return true;
    }
    const struct gateway_provider *provider = some_device(providers);
    for (size_t left = own_prompt ? devices_seen(providers) : 0; left > 0;
         left--, provider = device_after(providers, provider)) {
        const char *owner = provider->device.account_id;
        if (strcmp(owner, device->device.account_id) != 0 && (first == NULL || strcmp(owner, first) != 0) &&
            provider_trust_has_file(provider, model, file->sha256)) {
            first = owner;
            peers++;
        }
    }
    return peers >= AUDIT_PEERS;
}

/* More places than the answer has, with its end: the scorer makes numbers up. */
static bool is_of(const struct audit_capture *capture, const struct gen_score *score) {
    return score->tokens <= capture->ids.len / sizeof(uint32_t) + 1;
}

/* Two that do not trust each other have scored it: what is worse for the device must be seen by both. */
static void join_score(struct audit_capture *capture, const struct gen_score *score) {
    if (capture->scored++ == 0) {
        capture->score = *score;
        return;
    }
    struct gen_score *joined = &capture->score;
    joined->spells = joined->spells || score->spells;
    joined->tokens = joined->tokens < score->tokens ? joined->tokens : score->tokens;
    joined->far = joined->far < score->far ? joined->far : score->far;
    joined->near = joined->near < score->near ? joined->near : score->near;
    core_audit_join(joined->ratios, score->ratios);
}

/* --- Runs --- */

static void run_free(struct audits *audits, struct audit_run *run) {
    struct gateway_provider *scorer = providers_find(&audits->shell->providers, run->provider);
    if (scorer != NULL) {
        scorer->is_scoring = false;
    }
    DL_DELETE(audits->runs, run);
    audits->run_count--;
    free(run);
}

/* It was not scored: another device may be asked, or nobody. */
static void run_failed(struct audits *audits, struct audit_run *run) {
    struct audit_capture *capture = run->capture;
    capture->asked--;
    run_free(audits, run);
    if (capture->scored == 0 && capture->asked == 0) {
        return; /* tried again until it is too old */
    }
    capture->given_up = true; /* one of two peers has scored it, the other has not */
}

static uint64_t patience_ms(const struct audit_capture *capture) {
    const uint64_t prompt = capture->arena.used_total / AUDIT_TOKEN_BYTES, answer = capture->ids.len / sizeof(uint32_t);
    return AUDIT_PATIENCE_MS + AUDIT_TOKEN_MS * (prompt + answer);
}

static bool begin_run(struct audits *audits, struct audit_capture *capture, struct gateway_provider *provider) {
    char scope[AUDIT_SCOPE_BYTES + 1];
    struct gen_request request = capture->request;
    const struct gen_answer answer = audit_capture_answer(capture);
    random_base62(scope, AUDIT_SCOPE_BYTES);
    scope[AUDIT_SCOPE_BYTES] = '\0';
    request.scope = str_from(scope);
    const uint64_t job = AUDIT_JOB_FIRST + audits->next_job % AUDIT_JOB_FIRST;
    if (!link_peer_send_score(provider->peer, job, &request, &answer)) {
        return false;
    }
    audits->next_job++;
    struct audit_run *run = MEM_NEW(struct audit_run);
    *run = (struct audit_run){
        .job = job, .provider = provider->handle, .due_ms = now_of(audits) + patience_ms(capture), .capture = capture};
    (void)str_copy(capture->scorers[capture->asked++ % AUDIT_PEERS], STORE_ID_MAX,
                   str_from(provider->device.account_id));
    provider->is_scoring = true;
    DL_APPEND(audits->runs, run);
    audits->run_count++;
    return true;
}

/* Answers whose scorers were all found busy in one look at what is ready: for others of that file they are not looked
 * for again. */
struct busy_files {
    const struct audit_capture *of[AUDIT_FILES_BUSY];
    size_t count;
};

static bool is_busy(const struct busy_files *busy, const struct audit_capture *capture) {
    bool found = false;
    for (size_t i = 0; i < busy->count && !found; i++) {
        found = memcmp(busy->of[i]->subject.key.sha256, capture->subject.key.sha256, DIGEST_SHA256_SIZE) == 0 &&
                str_equal(busy->of[i]->request.model, capture->request.model);
    }
    return found;
}

/* Gives one answer to whoever can score it; false when it can be forgotten. */
static bool advance(struct audits *audits, struct audit_capture *capture, struct busy_files *busy) {
    bool trusted = false;
    if (capture->asked > capture->scored) {
        return true; /* somebody is at it */
    }
    if (capture->given_up || now_of(audits) - capture->ready_ms >= AUDIT_KEEP_MS) {
        return false;
    }
    if (capture->asked == 0 && is_busy(busy, capture)) {
        return true;
    }
    struct gateway_provider *provider = capture->asked == 0 ? find_trusted(audits, capture, &trusted) : NULL;
    if (provider == NULL && trusted && busy->count < AUDIT_FILES_BUSY) {
        busy->of[busy->count++] = capture; /* it stays where it is */
    }
    if (provider == NULL && !trusted && capture->subject.canary && capture->asked < AUDIT_PEERS) {
        provider = find_peer(audits, capture);
    }
    return provider == NULL || begin_run(audits, capture, provider);
}

void audits_due(void *context) {
    struct audits *audits = context;
    struct audit_run *run, *next_run;
    struct audit_capture *capture, *next;
    struct network_counts *counts = &audits->shell->counts;
    struct busy_files busy = {.count = 0};
    const uint64_t now_ms = now_of(audits);
    counts->audits_given_up += captures_of(audits)->dropped;
    captures_of(audits)->dropped = 0;
    DL_FOREACH_SAFE (audits->runs, run, next_run) {
        if (now_ms >= run->due_ms) {
            provider_commands_cancel(&audits->shell->providers, run->provider, run->job);
            run_failed(audits, run);
        }
    }
    DL_FOREACH_SAFE (captures_of(audits)->ready, capture, next) {
        if (capture->contradicts) {
            audit_outcome_take(audits->shell, capture);
        } else if (audits->run_count >= AUDIT_RUNS_MAX || audits->stopped) {
            break;
        } else if (!advance(audits, capture, &busy)) {
            counts->audits_given_up++;
            audit_captures_forget(captures_of(audits), capture);
        }
    }
}

/* --- What scorers say --- */

static struct audit_run *run_of(const struct audits *audits, uint64_t provider, uint64_t job) {
    struct audit_run *run = NULL;
    if (job >= AUDIT_JOB_FIRST) {
        DL_SEARCH_SCALAR(audits->runs, run, job, job);
    }
    return run != NULL && run->provider == provider ? run : NULL;
}

static void on_scored(void *context, uint64_t provider, uint64_t job, const struct gen_score *score) {
    struct audits *audits = context;
    struct audit_run *run = run_of(audits, provider, job);
    if (run == NULL) {
        return;
    }
    struct audit_capture *capture = run->capture;
    const struct gateway_provider *scorer = providers_find(&audits->shell->providers, provider);
    const bool enough = (scorer != NULL && scorer->is_trusted) || capture->scored + 1 >= AUDIT_PEERS;
    if (!is_of(capture, score)) {
        capture->given_up = true;
        run_failed(audits, run);
        return;
    }
    run_free(audits, run);
    join_score(capture, score);
    if (enough) {
        audit_outcome_take(audits->shell, capture);
    }
    audits_due(audits);
}

static void log_not_scored(const struct audits *audits, const struct audit_run *run, const struct link_error *error) {
    const struct gateway_provider *scorer = providers_find(&audits->shell->providers, run->provider);
    char message[ERR_MESSAGE_MAX];
    (void)str_copy(message, sizeof(message), error->message);
    LOG_INFO_EVENT("audit.not_scored", LOG_TEXT("job_id", run->capture->subject.generation_id),
                   LOG_TEXT("scorer", scorer != NULL ? scorer->device.id : ""),
                   LOG_TEXT("failure", gen_failure_name(error->failure)), LOG_TEXT("message", message));
}

static bool on_error(void *context, uint64_t provider, const struct link_error *error) {
    struct audits *audits = context;
    struct audit_run *run = run_of(audits, provider, error->job);
    if (run != NULL) {
        log_not_scored(audits, run, error);
        /* Whatever was wrong with it, the same device is not asked again for the same answer at once. */
        run->capture->given_up = true;
        run_failed(audits, run);
    }
    return error->job >= AUDIT_JOB_FIRST;
}

static void on_joined(void *context, struct gateway_provider *provider) {
    (void)context;
    provider_trust_join(provider);
}

static void on_told(void *context, struct gateway_provider *provider) {
    (void)context;
    provider_trust_told(provider);
}

static void on_left(void *context, struct gateway_provider *provider, uint64_t handle) {
    struct audits *audits = context;
    struct audit_run *run, *next;
    provider_trust_leave(provider);
    DL_FOREACH_SAFE (audits->runs, run, next) {
        if (run->provider == handle) {
            run_failed(audits, run);
        }
    }
}

static const struct provider_scoring SCORING = {
    .on_scored = on_scored, .on_error = on_error, .on_joined = on_joined, .on_told = on_told, .on_left = on_left};

/* --- Life --- */

/* At once, and not for each of many: meanwhile its device gets more of other people's prompts. */
static void on_ready(void *context) {
    const struct audits *audits = context;
    loop_timer_start(audits->timer, 0, AUDIT_PUMP_MS);
}

void audits_init(struct audits *audits, struct core_shell *shell) {
    *audits = (struct audits){.shell = shell};
    shell->providers.scoring = &SCORING;
    shell->providers.scoring_context = audits;
    audits->timer = loop_timer_new(shell->core.loop, audits_due, audits);
    if (shell->audit_book.permille > 0) {
        shell->captures.on_ready = on_ready;
        shell->captures.context = audits;
        loop_timer_start(audits->timer, AUDIT_PUMP_MS, AUDIT_PUMP_MS);
    }
}

void audits_stop(struct audits *audits) {
    audits->stopped = true;
}

void audits_clear(struct audits *audits) {
    while (audits->runs != NULL) {
        run_free(audits, audits->runs);
    }
    loop_timer_free(audits->timer);
    if (audits->shell != NULL) {
        captures_of(audits)->on_ready = NULL;
    }
    *audits = (struct audits){0};
}
