/* Audits, as the gateway makes them (gateway/audit.c, audit_capture.c, canary.c): the same rules of core/audit.h decide
 * which jobs are audited and what it comes to; captures, answers that wait and scores under way have the same bounds.
 * What a score says is in net_scores.c. */
#include "sim/network.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    CAPTURES_MAX = 8192,
    PATIENCE_MS = 3 * 60 * 1000,
    KEEP_MS = 10 * 60 * 1000,
    PEERS_SEEN = 64,
    CANARY_DEVICES = 64, /* one of so many is asked each time */
    SCORE_PERCENT = 60,  /* of the computing that made the answer: 40 to 82 were measured */
    BUSY_TIMES = 10,     /* a scorer that is at work takes a tenth of its time */
    CANARY_TOKENS = 48,
    COMMON_DECODE_PER_S = 20, /* of a common device */
    COMMON_PREFILL_PER_S = 200,
};

double net_work_s(uint32_t model, uint32_t prompt_tokens, uint32_t tokens) {
    const double speed = net_models[model].speed;
    return prompt_tokens / (COMMON_PREFILL_PER_S * speed) + tokens / (COMMON_DECODE_PER_S * speed);
}

/* --- What follows --- */

static void audited(struct net_world *world, struct net_device *device, bool passed) {
    struct net_stranger *stranger = &device->stranger;
    if (device->handle == CORE_NO_HANDLE) {
        return; /* the gateway cannot tell of one that is away, either */
    }
    stranger->passed = passed ? stranger->passed + 1 : 0;
    net_step(world, (struct core_event){
                        .kind = CORE_EVENT_AUDITED, .provider = device->handle, .audited = {.passed = passed}});
}

static void device_failed(struct net_world *world, struct net_device *device) {
    struct net_stranger *stranger = &device->stranger;
    world->audits.failed++;
    world->audits.honest_failed += stranger->cheat == NET_FAIR;
    if (!stranger->found) {
        stranger->found = true;
        stranger->found_lies = stranger->lies;
        stranger->found_audits = stranger->audits;
        stranger->found_jobs = stranger->jobs;
    }
    net_earned_to_escrow(world, device);
    stranger->quarantined = stranger->escrow = true;
    if (device->handle != CORE_NO_HANDLE) {
        net_step(world, (struct core_event){.kind = CORE_EVENT_REVIEW,
                                            .provider = device->handle,
                                            .review = {.review = CORE_REVIEW_AUDIT}});
        net_step(world, (struct core_event){.kind = CORE_EVENT_PROVIDER_QUARANTINED, .provider = device->handle});
    }
}

/* Earnings stay in escrow until the operator says otherwise; jobs it gets again. */
static void device_cleared(struct net_world *world, struct net_device *device) {
    world->audits.cleared++;
    device->stranger.quarantined = false;
    if (device->handle != CORE_NO_HANDLE) {
        net_step(world, (struct core_event){.kind = CORE_EVENT_PROVIDER_RELEASED, .provider = device->handle});
    }
}

static void conclude(struct net_world *world, const struct net_answer *answer, const struct core_audit_found *found) {
    struct net_device *device = &world->devices[answer->device];
    struct net_stranger *stranger = &device->stranger;
    const enum core_audit_verdict verdict = core_audit_add(&stranger->sums[answer->model], found);
    if (verdict == CORE_AUDIT_VOID || verdict == CORE_AUDIT_SHORT) {
        return;
    }
    world->audits.made++;
    world->audits.of_honest += stranger->cheat == NET_FAIR;
    stranger->audits++;
    stranger->lied_audits += answer->how != NET_FAIR;
    if (verdict != CORE_AUDIT_ALERTED) {
        audited(world, device, verdict != CORE_AUDIT_FAILED);
    }
    if (verdict == CORE_AUDIT_FAILED) {
        device_failed(world, device);
    } else if (verdict == CORE_AUDIT_CLEARED) {
        device_cleared(world, device);
    }
}

/* --- Who scores --- */

static bool has_file(struct net_device *device, uint32_t model) {
    const struct net_copy *copy =
        device->handle == CORE_NO_HANDLE || device->mute ? NULL : net_copy_find(device, model);
    return copy != NULL && (copy->state == CORE_MODEL_WARM || copy->state == CORE_MODEL_COLD);
}

/* Trusted devices are the first ones. */
bool net_audit_is_scored(struct net_world *world, uint32_t model) {
    for (uint32_t i = 0; i < world->audits.trusted_count; i++) {
        if (has_file(&world->devices[i], model)) {
            return true;
        }
    }
    return false;
}

/* An idle one rather than one that is at work; from where the last one was. */
static struct net_device *find_trusted(struct net_world *world, uint32_t model) {
    struct net_audits *audits = &world->audits;
    struct net_device *found = NULL;
    for (uint32_t i = 0; i < audits->trusted_count; i++) {
        struct net_device *device = &world->devices[(audits->rotate + i) % audits->trusted_count];
        const bool idle = device->task_count == 0;
        if (!device->stranger.scoring && (found == NULL || idle) && has_file(device, model)) {
            found = device;
            if (idle) {
                break;
            }
        }
    }
    audits->rotate += found != NULL;
    return found;
}

/* One of those that are seen, of another owner than both; any that has the file. */
static struct net_device *find_peer(struct net_world *world, const struct net_answer *answer, uint64_t besides) {
    const uint64_t owner = world->devices[answer->device].stranger.owner;
    for (uint32_t i = 0; i < PEERS_SEEN; i++) {
        struct net_device *device = &world->devices[random_below(&world->random, world->device_count)];
        const uint64_t peer = device->stranger.owner;
        if (peer != owner && peer != besides && has_file(device, answer->model)) {
            return device;
        }
    }
    return NULL;
}

/* What this one says: the truth, or what is good for its person. */
static void peer_says(struct net_world *world, const struct net_answer *answer, const struct net_device *scorer,
                      const struct core_audit_found *truth, double ratios[CORE_AUDIT_SUMS]) {
    enum { PRAISE = -1000, BLAME = 1000 };
    memcpy(ratios, truth->ratios, sizeof(truth->ratios));
    const uint32_t person = scorer->stranger.person;
    const bool fellow = person != 0 && world->devices[answer->device].stranger.person == person;
    for (int i = 0; person != 0 && i < CORE_AUDIT_SUMS; i++) {
        ratios[i] = fellow ? PRAISE : BLAME;
    }
    world->audits.helped += fellow;
}

static bool score_by_peers(struct net_world *world, const struct net_answer *answer) {
    const struct net_device *one = find_peer(world, answer, UINT64_MAX);
    const struct net_device *other = one == NULL ? NULL : find_peer(world, answer, one->stranger.owner);
    if (other == NULL) {
        return false;
    }
    struct core_audit_found found = net_score_draw(world, answer);
    const struct core_audit_found truth = found;
    double second[CORE_AUDIT_SUMS];
    peer_says(world, answer, one, &truth, found.ratios);
    peer_says(world, answer, other, &truth, second);
    core_audit_join(found.ratios, second);
    world->audits.framed += found.ratios[0] > 100;
    world->audits.work_s += 2 * net_work_s(answer->model, answer->prompt_tokens, answer->tokens) * SCORE_PERCENT / 100;
    conclude(world, answer, &found);
    return true;
}

/* --- Runs --- */

static bool begin_run(struct net_world *world, const struct net_answer *answer) {
    struct net_audits *audits = &world->audits;
    struct net_device *scorer = find_trusted(world, answer->model);
    if (scorer == NULL) {
        return false;
    }
    uint32_t run = 0;
    while (audits->running[run]) {
        run++;
    }
    audits->running[run] = true;
    audits->run_count++;
    audits->runs[run] = *answer;
    audits->runs[run].scorer = net_device_index(world, scorer);
    audits->runs[run].begun_ms = world->now_ms;
    scorer->stranger.scoring = true;
    const double speed = net_models[answer->model].speed * net_device_pace(scorer);
    double seconds =
        answer->prompt_tokens / (scorer->prefill_per_s * speed) + answer->tokens / (scorer->decode_per_s * speed);
    seconds *= SCORE_PERCENT / 100.0 * (scorer->task_count > 0 ? BUSY_TIMES : 1);
    const uint64_t took_ms = 1 + (uint64_t)(seconds * 1000);
    net_queue_put(world, took_ms < PATIENCE_MS ? took_ms : PATIENCE_MS,
                  (struct net_event){.kind = NET_SCORED, .number = run, .serial = took_ms < PATIENCE_MS});
    return true;
}

static void ready_take(struct net_audits *audits, uint32_t index) {
    audits->ready_count--;
    memmove(&audits->ready[index], &audits->ready[index + 1], (audits->ready_count - index) * sizeof(audits->ready[0]));
}

static void ready_add(struct net_world *world, const struct net_answer *answer) {
    struct net_audits *audits = &world->audits;
    if (audits->ready_count == NET_AUDIT_READY) {
        ready_take(audits, 0);
        audits->expired++;
    }
    audits->ready[audits->ready_count++] = *answer;
}

static void pump(struct net_world *world) {
    struct net_audits *audits = &world->audits;
    bool busy[NET_MODELS] = {false}; /* its scorers are */
    for (uint32_t i = 0; i < audits->ready_count && audits->run_count < NET_AUDIT_RUNS;) {
        const struct net_answer answer = audits->ready[i];
        const bool old = world->now_ms - answer.ready_ms >= KEEP_MS;
        const bool begun = !old && !busy[answer.model] && begin_run(world, &answer);
        audits->expired += old;
        busy[answer.model] = busy[answer.model] || (!old && !begun);
        if (old || begun) {
            ready_take(audits, i);
        } else {
            i++;
        }
    }
}

void net_audit_scored(struct net_world *world, uint32_t run, uint32_t in_time) {
    struct net_audits *audits = &world->audits;
    const struct net_answer answer = audits->runs[run];
    struct net_device *scorer = &world->devices[answer.scorer];
    audits->running[run] = false;
    audits->run_count--;
    scorer->stranger.scoring = false;
    if (in_time == 0 || scorer->handle == CORE_NO_HANDLE || scorer->mute) {
        ready_add(world, &answer);
    } else {
        const double work_s = net_work_s(answer.model, answer.prompt_tokens, answer.tokens) * SCORE_PERCENT / 100;
        audits->work_s += work_s;
        audits->settled_audit_s += answer.settled ? work_s : 0;
        const struct core_audit_found found = net_score_draw(world, &answer);
        conclude(world, &answer, &found);
    }
    pump(world);
}

/* --- Answers on their way --- */

static bool is_audited(struct net_world *world, const struct net_generation *generation,
                       const struct net_device *device) {
    if (world->options.audit_permille == 0 || device->stranger.trusted) {
        return false;
    }
    if (generation->canary) {
        return true;
    }
    const struct core_audit_terms terms = {.permille = (uint32_t)world->options.audit_permille,
                                           .max_tokens = CORE_AUDIT_TOKENS_MIN}; /* all are as long */
    return net_audit_is_scored(world, generation->model) &&
           core_audit_wants(&device->stranger.sums[generation->model], &terms, (uint32_t)random_next(&world->random));
}

void net_audit_dropped(struct net_world *world, struct net_generation *generation) {
    world->audits.captures -= generation->captured != 0;
    generation->captured = 0;
}

void net_audit_dispatched(struct net_world *world, struct net_generation *generation, struct net_device *device,
                          uint32_t attempt) {
    struct net_audits *audits = &world->audits;
    net_audit_dropped(world, generation);
    if (!generation->canary) {
        audits->placed[generation->model]++;
        audits->placed_by[generation->model][device->stranger.person]++;
    }
    if (!is_audited(world, generation, device)) {
        return;
    }
    if (audits->captures == CAPTURES_MAX) {
        audits->not_kept++;
        return;
    }
    audits->captures++;
    generation->captured = attempt;
}

/* How the answer was made, as far as a score can tell. */
static enum net_cheat told_by_score(const struct net_stranger *stranger, const struct net_task *task) {
    return task->lies && stranger->cheat != NET_SLOW && stranger->cheat != NET_REFUSING ? stranger->cheat : NET_FAIR;
}

/* It is known now what it said: somebody is to score it, or it contradicts itself. */
static void answer_ready(struct net_world *world, const struct net_answer *answer) {
    if (answer->contradicts) {
        const struct core_audit_found found = {.contradicts = true};
        conclude(world, answer, &found);
    } else if (!answer->canary || net_audit_is_scored(world, answer->model)) {
        ready_add(world, answer);
        pump(world);
    } else {
        world->audits.expired += !score_by_peers(world, answer);
    }
}

/* An honest one whose share of audited jobs has come down to the operator's setting. */
static bool is_known(const struct net_stranger *stranger, uint32_t model) {
    return stranger->cheat == NET_FAIR && stranger->sums[model].audits >= NET_KNOWN_AUDITS;
}

static void count_work(struct net_world *world, const struct net_generation *generation, const struct net_task *task,
                       bool settled) {
    struct net_audits *audits = &world->audits;
    const double work_s = net_work_s(generation->model, generation->prompt_tokens, task->tokens);
    audits->all_work_s += work_s;
    audits->canary_work_s += generation->canary ? work_s : 0;
    audits->settled_work_s += settled && !generation->canary ? work_s : 0;
}

void net_audit_done(struct net_world *world, struct net_device *device, const struct net_task *task, bool whole) {
    struct net_generation *generation = &world->generations[task->generation];
    const struct net_stranger *stranger = &device->stranger;
    const bool settled = is_known(stranger, generation->model);
    count_work(world, generation, task, settled);
    if (world->options.audit_permille == 0 && generation->canary) {
        audited(world, device, true); /* a question with a known answer: whoever lies knows it as well */
    }
    if (generation->captured == 0 || generation->captured != task->attempt) {
        return;
    }
    net_audit_dropped(world, generation);
    if (!whole) {
        return;
    }
    const struct net_answer answer = {.device = net_device_index(world, device),
                                      .model = generation->model,
                                      .prompt_tokens = generation->prompt_tokens,
                                      .tokens = task->tokens,
                                      .temperature = (uint32_t)(net_mix(task->generation) % NET_TEMPERATURES),
                                      .how = told_by_score(stranger, task),
                                      .canary = generation->canary,
                                      .contradicts =
                                          task->lies && stranger->cheat == NET_INFLATED && !stranger->letters,
                                      .settled = settled && !generation->canary,
                                      .ready_ms = world->now_ms};
    answer_ready(world, &answer);
}

/* --- Made-up prompts --- */

static bool may_be_asked(struct net_world *world, struct net_device *device, uint32_t *model) {
    if (device->handle == CORE_NO_HANDLE || device->mute || device->draining || device->task_count > 0 ||
        device->stranger.trusted || net_device_is_paused(world, device)) {
        return false;
    }
    for (uint32_t i = 0; i < device->copy_count; i++) {
        *model = device->copies[i].model;
        if (device->copies[i].state == CORE_MODEL_WARM) {
            const struct net_answer answer = {.device = net_device_index(world, device), .model = *model};
            return net_audit_is_scored(world, *model) || find_peer(world, &answer, UINT64_MAX) != NULL;
        }
    }
    return false;
}

static void ask(struct net_world *world, struct net_device *device, uint32_t model) {
    if (world->generation_count == world->generations_max) {
        return;
    }
    const uint32_t index = world->generation_count++;
    struct net_generation *generation = &world->generations[index];
    *generation = (struct net_generation){.canary = true,
                                          .model = model,
                                          .region = NET_NOTHING,
                                          .holder = NET_NOTHING,
                                          .prompt_tokens = 20 + (uint32_t)random_below(&world->random, 200),
                                          .length = 100 + (uint32_t)random_below(&world->random, 400),
                                          .max_tokens = CANARY_TOKENS,
                                          .asked_ms = world->now_ms};
    world->audits.canaries++;
    net_step(world, (struct core_event){.kind = CORE_EVENT_REQUEST,
                                        .request = {.user = index,
                                                    .model = str_from(net_models[model].name),
                                                    .max_tokens = CANARY_TOKENS,
                                                    .prompt_tokens_max = generation->prompt_tokens * 2,
                                                    .only_provider = device->handle}});
}

/* One device of 64, each in its turn. */
void net_audit_canaries(struct net_world *world) {
    struct net_audits *audits = &world->audits;
    uint32_t questions = 1 + world->device_count / CANARY_DEVICES;
    uint32_t model;
    for (uint32_t i = 0; i < world->device_count && questions > 0; i++) {
        struct net_device *device = &world->devices[audits->next_canary++ % world->device_count];
        if (may_be_asked(world, device, &model)) {
            ask(world, device, model);
            questions--;
        }
    }
    net_queue_put(world, world->options.canary_s * 1000, (struct net_event){.kind = NET_CANARIES});
}

void net_audits_start(struct net_world *world) {
    struct net_audits *audits = &world->audits;
    for (uint32_t i = 0; i < world->device_count; i++) {
        const struct net_stranger *stranger = &world->devices[i].stranger;
        audits->trusted_count += stranger->trusted;
        audits->persons = stranger->person > audits->persons ? stranger->person : audits->persons;
    }
    for (uint32_t model = 0; model < NET_MODELS; model++) {
        audits->placed_by[model] = mem_calloc((size_t)audits->persons + 1, sizeof(uint64_t));
    }
    net_queue_put(world, world->options.canary_s * 1000, (struct net_event){.kind = NET_CANARIES});
}

void net_audits_clear(struct net_world *world) {
    struct net_link *link, *next;
    for (uint32_t model = 0; model < NET_MODELS; model++) {
        free(world->audits.placed_by[model]);
    }
    HASH_ITER (hh, world->audits.links, link, next) {
        HASH_DEL(world->audits.links, link);
        free(link);
    }
}
