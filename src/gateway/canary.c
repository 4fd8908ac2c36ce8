#include "gateway/canary.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "call/call.h"
#include "call/price.h"
#include "catalog/canary.h"
#include "core/explain.h"
#include "gateway/audit.h"
#include "gateway/canary_prompt.h"
#include "gateway/provider_trust.h"
#include "wire/id.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

enum {
    CANARY_TOKENS = 64,
    CANARY_TEXT_BYTES = 16 * 1024, /* what is looked at of an answer */
    CANARY_ID_RANDOM = 16,
    /* Of so many connected devices one is asked each time, and always one. More would keep models warm that nobody
     * uses. */
    CANARY_DEVICES_PER_QUESTION = 64,
};

struct canary {
    struct call call; /* first: its sink gets this */
    struct canaries *canaries;
    const struct catalog_canary *question; /* NULL: the answer is scored (gateway/audit.h) */
    struct gen_message message;
    struct canary_prompt prompt; /* made up, when there is no question */
    char model[LIMIT_MODEL_ID_BYTES + 1];
    struct buf answer;
    uint64_t provider; /* handle */
    struct canary *next, *prev;
};

static struct canary *canary_of(struct call *call) {
    return (struct canary *)call;
}

static void canary_free(struct canary *canary) {
    DL_DELETE(canary->canaries->list, canary);
    buf_clear(&canary->answer);
    canary_prompt_clear(&canary->prompt);
    free(canary);
}

/* --- The sink --- */

static void accepted(struct call *call) {
    (void)call;
}

static enum call_delivery deliver(struct call *call, struct str text) {
    (void)buf_append_str(&canary_of(call)->answer, text); /* its beginning is enough */
    return CALL_DELIVERED;
}

static void tell_audited(const struct canary *canary, bool passed) {
    core_loop_step_later(
        &canary->canaries->shell->core,
        &(struct core_event){.kind = CORE_EVENT_AUDITED, .provider = canary->provider, .audited = {.passed = passed}});
}

/* A question with a known answer says little: a smaller model knows it, too. It counts where nobody can say more, and
 * not for one who keeps out of what could be said by telling of another file or no ids. */
static bool counts(const struct canary *canary) {
    const struct gateway_provider *provider = providers_find(&canary->canaries->shell->providers, canary->provider);
    const struct str model = str_from(canary->model);
    return provider != NULL && provider_trust_judged(provider, model) != PROVIDER_JUDGED_EVADED &&
           provider_trust_is_catalogs(provider, model);
}

static void finished(struct call *call, const struct call_result *result) {
    struct canary *canary = canary_of(call);
    if (canary->question == NULL) {
        LOG_DEBUG_EVENT("canary.answered", LOG_TEXT("provider_id", result->provider_id));
    } else if (catalog_canary_is_right(canary->question, buf_str(&canary->answer))) {
        LOG_DEBUG_EVENT("canary.right", LOG_TEXT("provider_id", result->provider_id));
        if (counts(canary)) {
            tell_audited(canary, true);
        }
    } else {
        core_loop_step_later(&canary->canaries->shell->core,
                             &(struct core_event){.kind = CORE_EVENT_REVIEW,
                                                  .provider = canary->provider,
                                                  .review = {.review = CORE_REVIEW_CANARY}});
        tell_audited(canary, false);
    }
    canary_free(canary);
}

static void failed(struct call *call, const struct fault *fault) {
    (void)fault;
    canary_free(canary_of(call));
}

/* Nothing of it is stored, so nobody asks for an answer or a turn. */
static const struct call_sink CANARY_SINK = {
    .accepted = accepted, .deliver = deliver, .finished = finished, .failed = failed};

/* --- Questions --- */

static const struct catalog_canary *question_for(struct str model) {
    size_t count = 0;
    while (catalog_canary_at(model, count) != NULL) {
        count++;
    }
    uint64_t number;
    random_bytes(&number, sizeof(number));
    return count == 0 ? NULL : catalog_canary_at(model, (size_t)(number % count));
}

/* What an idle device is asked. */
struct asked {
    const struct gateway_provider *provider;
    struct str model;                      /* the core's, until its next step */
    const struct catalog_canary *question; /* NULL: a made-up prompt */
};

/* A model that is warm there and whose answers can be scored or, where nobody could, has questions; loading one for
 * this would be a waste. */
static bool choose(const struct core_shell *shell, const struct gateway_provider *provider, struct asked *asked) {
    const struct core_loop *core = &shell->core;
    struct core_provider_view view;
    struct core_offer_view offer;
    if (provider->handle == CORE_NO_HANDLE ||
        !core_provider_view(core->core, provider->handle, core_loop_now_ms(core), &view) || view.active > 0) {
        return false;
    }
    for (size_t i = 0; core_provider_offer(core->core, provider->handle, i, &offer); i++) {
        const struct str model = offer.offer.model;
        const bool open = offer.gate == CORE_GATE_NONE || offer.gate == CORE_GATE_QUARANTINED;
        if (!open || offer.offer.state != CORE_MODEL_WARM) {
            continue;
        }
        const bool scored = shell->audit_book.permille > 0 && audits_can_score(shell, provider, model, true);
        const struct catalog_canary *question = scored ? NULL : question_for(model);
        if (scored || question != NULL) {
            *asked = (struct asked){.provider = provider, .model = model, .question = question};
            return true;
        }
    }
    return false;
}

static void set_question(struct canary *canary, struct gen_request *request) {
    canary->message = (struct gen_message){
        .role = GEN_ROLE_USER, .content = str_from(canary->question->question), .tool_call_id = STR("")};
    request->messages = &canary->message;
    request->message_count = 1;
    request->max_tokens = CANARY_TOKENS;
    request->max_tokens_given = true;
    request->temperature = 0;
    request->stream = true;
}

static void set_prompt(struct canary *canary, struct gen_request *request) {
    struct random_source random;
    random_bytes(&random.state, sizeof(random.state));
    canary_prompt_make(&canary->prompt, &random, request);
}

static struct canary *canary_new(struct canaries *canaries, const struct asked *asked) {
    struct canary *canary = MEM_NEW(struct canary);
    struct call *call = &canary->call;
    struct gen_request *request = &call->generation;
    canary->canaries = canaries;
    canary->question = asked->question;
    canary->provider = asked->provider->handle;
    (void)str_copy(canary->model, sizeof(canary->model), asked->model);
    buf_init(&canary->answer, CANARY_TEXT_BYTES);
    gen_request_init(request);
    request->model = str_from(canary->model);
    if (canary->question != NULL) {
        set_question(canary, request);
    } else {
        set_prompt(canary, request);
    }
    id_make_random("canary_", CANARY_ID_RANDOM, call->id);
    call->sink = &CANARY_SINK;
    call->executor = &canaries->shell->generations.executor;
    call->prompt_tokens_max = call->prompt_tokens_enough = price_prompt_tokens_max(request);
    call->label = STR("");
    call->created_ms = clock_wall_ms();
    DL_APPEND(canaries->list, canary);
    return canary;
}

static void ask(struct canaries *canaries, const struct asked *asked) {
    struct canary *canary = canary_new(canaries, asked);
    canaries->shell->counts.canaries++;
    generation_submit(&canaries->shell->generations, &canary->call, canary->provider);
}

/* Whoever was asked or passed over goes to the end of the list, so that nobody is left out. */
void canaries_due(void *context) {
    struct canaries *canaries = context;
    size_t connected = providers_connected(&canaries->shell->providers);
    size_t questions = 1 + connected / CANARY_DEVICES_PER_QUESTION;
    for (; !canaries->stopped && connected > 0 && questions > 0; connected--) {
        struct asked asked;
        if (choose(canaries->shell, providers_rotate(&canaries->shell->providers), &asked)) {
            ask(canaries, &asked);
            questions--;
        }
    }
}

void canaries_stop(struct canaries *canaries) {
    const struct canary *canary;
    canaries->stopped = true;
    DL_FOREACH (canaries->list, canary) {
        generation_abort(canary->call.executor_data, CORE_FAILURE_STOPPED);
    }
}

void canaries_init(struct canaries *canaries, struct core_shell *shell, uint32_t every_ms) {
    *canaries = (struct canaries){.shell = shell};
    canaries->timer = loop_timer_new(shell->core.loop, canaries_due, canaries);
    if (every_ms > 0) {
        loop_timer_start(canaries->timer, every_ms, every_ms);
    }
}

void canaries_clear(struct canaries *canaries) {
    assert(canaries->list == NULL);
    loop_timer_free(canaries->timer);
    *canaries = (struct canaries){0};
}
