#include "call/weigh.h"

#include "call/counting.h"
#include "call/price.h"

/* Tokens by which the templates of two versions of a model may differ: a date, a blank. */
enum { WEIGH_SLACK_TOKENS = 32 };

/* The most that the call can cost is within what its account can spend: then that is held, and nobody needs to
 * count. */
static bool is_rich(const struct draft *draft) {
    const struct call_backend *backend = &draft->calls->backend;
    const struct gen_request *request = &draft->input.request;
    struct core_account_view view;
    int64_t prompt_nano, completion_nano;
    if (backend->account_view == NULL || !backend->account_view(backend->context, draft->identity, &view)) {
        return true;
    }
    price_of_model(request->model, &prompt_nano, &completion_nano);
    return (int64_t)price_prompt_tokens_max(request) * prompt_nano + (int64_t)request->max_tokens * completion_nano <=
           view.balance_nano - view.held_nano;
}

static void on_counted(void *context, const uint32_t *tokens, size_t count) {
    struct draft *draft = draft_wait_end(context);
    if (draft != NULL) {
        draft->counted = tokens != NULL && count == 1 ? tokens[0] + WEIGH_SLACK_TOKENS : 0;
        draft_go_on(draft, DRAFT_ON);
    }
}

enum draft_step draft_weigh(struct draft *draft) {
    if (draft->identity->kind != STORE_KEY_LIVE || is_rich(draft) ||
        !counting_can(draft->calls, draft->input.request.model)) {
        return DRAFT_ON;
    }
    counting_ask_chat(draft->calls, &draft->input.request, on_counted, draft_wait_begin(draft));
    return DRAFT_WAITS;
}
