#include "api/route_generate.h"

#include "api/body.h"
#include "api/http_call.h"
#include "api/idempotency.h"
#include "api/kept_responses.h"
#include "api/respond.h"
#include "call/batch.h"
#include "call/weigh.h"
#include "conversation/conversation.h"
#include "format/orchestration.h"
#include "workflow/executor.h"

/* In the exchange's arena. */
struct http_draft {
    struct draft draft; /* first: an owner's draft is its http_draft */
    struct api_request *request;
};

static struct api_request *request_of(struct draft *draft) {
    return ((struct http_draft *)draft)->request;
}

/* --- The stages --- */

static enum draft_step parse(struct draft *draft) {
    struct api_request *request = request_of(draft);
    struct json_value body;
    struct fault fault;
    if (!body_parse(request, &body, &fault) ||
        !body_read_input(request, request->route->format, body, &draft->input, &fault) ||
        !idempotency_read(request, &draft->idempotency, &fault)) {
        return draft_refuse(draft, &fault);
    }
    return DRAFT_ON;
}

/* What a conversation keeps are texts. */
static enum draft_step refuse_tools(struct draft *draft) {
    struct fault fault;
    fault_set_param(&fault, FAULT_INVALID_REQUEST, "tools",
                    "tools is not supported yet in a conversation that is kept. Send its messages instead.");
    return draft_refuse(draft, &fault);
}

/* Any other conversation_id is only a label. */
static enum draft_step enter_conversation(struct draft *draft) {
    const struct api_request *request = request_of(draft);
    if (!request->route->format->converses || !id_has_form(draft->input.label, STR("conv_"))) {
        return DRAFT_ON;
    }
    if (draft->input.tools != NULL) {
        return refuse_tools(draft);
    }
    return conversation_enter(request->api->conversations, draft);
}

static enum draft_step tell_tools(struct draft *draft) {
    if (draft->input.tools == NULL || tools_tell(draft->input.tools, draft->arena, &draft->input.request)) {
        return DRAFT_ON;
    }
    struct fault fault;
    fault_set_too_large(&fault);
    return draft_refuse(draft, &fault);
}

static bool is_workflow(const struct draft *draft) {
    return draft->input.orchestration != NULL && draft->input.orchestration->enabled;
}

static bool is_batch(const struct draft *draft) {
    return draft->input.prompts != NULL && draft->input.prompts->count > 1;
}

/* The parts of a batch are looked for one by one. */
static enum draft_step look_stored(struct draft *draft) {
    return is_batch(draft) ? DRAFT_ON : draft_look_stored(draft);
}

/* The steps of a workflow, and the parts of a batch, are held for one by one. */
static enum draft_step weigh(struct draft *draft) {
    return is_workflow(draft) || is_batch(draft) ? DRAFT_ON : draft_weigh(draft);
}

static enum draft_step start(struct draft *draft) {
    struct api_request *request = request_of(draft);
    const struct executor *executor = calls_executor(draft->calls, &request->identity);
    void *executor_data = NULL;
    if (is_workflow(draft)) {
        executor = workflow_executor(request->api->workflows);
        executor_data = workflow_executor_data(draft);
    } else if (is_batch(draft)) {
        executor = &BATCH_EXECUTOR;
        executor_data = batch_executor_data(draft, request->route->format->id_prefix);
    }
    if (executor_data == NULL && (is_workflow(draft) || is_batch(draft))) {
        struct fault fault;
        fault_set_too_large(&fault);
        return draft_refuse(draft, &fault);
    }
    http_call_start(request, draft, request->route->format, executor, executor_data);
    return DRAFT_OVER;
}

static const struct draft_stage stages[] = {
    {.name = "parse", .enter = parse},
    {.name = "claim", .enter = draft_claim},
    {.name = "stored?", .enter = look_stored},
    {.name = "conversation?", .enter = enter_conversation, .gone = conversation_enter_gone},
    {.name = "kept responses?", .enter = kept_responses_enter},
    {.name = "tools", .enter = tell_tools},
    {.name = "weigh", .enter = weigh},
    {.name = "start", .enter = start},
    {.name = "end"},
};

/* --- The owner --- */

/* The exchange is answered at once when nothing waits, and its client may go while something does. */
static void refuse(struct draft *draft, const struct fault *fault) {
    struct api_request *request = request_of(draft);
    http_exchange_on_gone(request->exchange, NULL, NULL);
    respond_fault(request, fault);
}

static void replay(struct draft *draft, const struct store_answer *answer) {
    struct api_request *request = request_of(draft);
    http_exchange_on_gone(request->exchange, NULL, NULL);
    http_call_replay(request, answer);
}

static const struct draft_owner owner = {.refuse = refuse, .replay = replay};

static void on_gone(void *user) {
    draft_gone(user);
}

void route_generate_handle(struct api_request *request) {
    struct arena *arena = http_exchange_arena(request->exchange);
    struct http_draft *http = ARENA_NEW(arena, struct http_draft);
    if (http == NULL) {
        struct fault fault;
        fault_set_too_large(&fault);
        respond_fault(request, &fault);
        return;
    }
    http->request = request;
    http->draft.calls = request->api->calls;
    http->draft.owner = &owner;
    http->draft.arena = arena;
    http->draft.identity = &request->identity;
    http->draft.request_id = request->id;
    http_exchange_on_gone(request->exchange, on_gone, &http->draft);
    draft_run(&http->draft, stages);
}
