#include "conversation/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/counting.h"
#include "call/models.h"
#include "call/run.h"
#include "conversation/facts.h"
#include "conversation/prompts.h"
#include "text/graphemes.h"
#include "text/thinking.h"
#include "text/title.h"

#include <stdlib.h>
#include <string.h>

enum {
    TITLE_TOKENS = 24,
    TITLE_PROMPT_TOKENS = 512, /* of the exchange that it is about; of a small context a quarter */
    SUMMARY_TOKENS_MIN = 48,
    SUMMARY_TOKENS_MAX = 512, /* of a small context an eighth */
    SUMMARY_BYTES = 8 * 1024,
    FACTS_COST_MIN = 128,
    FACTS_COST_MAX = 1024, /* of a small context one for four tokens */
    FACTS_BYTES = 4 * FACTS_COST_MAX,
    UPKEEP_PROMPT_BYTES = 8 * 1024 * 1024,
    REPEAT_PENALTY_PERCENT = 110, /* small models fall into loops */
};

struct upkeep {
    struct conversation_work work; /* first */
    struct calls *calls;
    struct conversation_desk *desk;
    enum run_purpose purpose;
    struct auth_identity identity;
    char model[STORE_MODEL_MAX];
    struct buf prompt;
    uint32_t context_length, max_tokens;
    struct tokens_rates rates; /* of its model, with a margin */
    int64_t from, until;       /* positions that the summary is of */
    struct buf facts, summary; /* kept word for word; what the model wrote, with them behind it */
    char words[TITLE_SIZE];    /* the title where the model gives none */
    char title[TITLE_SIZE];
};

static void upkeep_free(struct conversation_work *work) {
    struct upkeep *upkeep = (struct upkeep *)work;
    buf_clear(&upkeep->prompt);
    buf_clear(&upkeep->facts);
    buf_clear(&upkeep->summary);
    free(upkeep);
}

static void upkeep_end(struct upkeep *upkeep) {
    struct conversation_desk *desk = upkeep->desk;
    if (upkeep->purpose == RUN_TITLE) {
        desk->title = NULL;
    } else {
        desk->summary = NULL;
    }
    upkeep_free(&upkeep->work);
    conversation_desk_release(desk);
}

static struct str summary_clean(struct str text) {
    return graphemes_prefix(thinking_skip(text), SUMMARY_BYTES);
}

/* What the model wrote becomes the title or the summary. False: it wrote nothing of use. */
static bool upkeep_turn(struct upkeep *upkeep, struct str text, struct store_turn *turn) {
    *turn = (struct store_turn){.test = upkeep->desk->name.test, .now_ms = clock_wall_ms()};
    memcpy(turn->conversation_id, upkeep->desk->name.id, sizeof(turn->conversation_id));
    memcpy(turn->account_id, upkeep->desk->name.account_id, sizeof(turn->account_id));
    if (upkeep->purpose == RUN_TITLE) {
        turn->kind = STORE_TURN_TITLE;
        turn->titled_by = STORE_TITLED_BY_MODEL;
        if (!title_tidy(text, upkeep->title)) {
            turn->titled_by = STORE_TITLED_BY_WORDS;
            memcpy(upkeep->title, upkeep->words, sizeof(upkeep->title));
        }
        turn->text = str_from(upkeep->title);
    } else {
        turn->kind = STORE_TURN_SUMMARY;
        turn->from = upkeep->from;
        turn->until = upkeep->until;
        text = summary_clean(text);
        if (text.len == 0) {
            return false;
        }
        buf_reset(&upkeep->summary);
        conversation_facts_join(text, buf_str(&upkeep->facts), &upkeep->summary);
        turn->text = buf_str(&upkeep->summary);
    }
    return turn->text.len > 0;
}

static bool on_turn(void *context, struct str text, const struct call_result *result, struct store_turn *turn) {
    (void)result;
    return upkeep_turn(context, text, turn);
}

/* It is stored by now. */
static void on_end(void *context, const struct answer *answer) {
    (void)answer;
    upkeep_end(context);
}

static void on_failed(void *context, const struct fault *fault) {
    struct upkeep *upkeep = context;
    LOG_INFO_EVENT("conversation.upkeep_failed", LOG_TEXT("conversation", upkeep->desk->name.id),
                   LOG_TEXT("purpose", run_purpose_name(upkeep->purpose)), LOG_TEXT("error", fault->message));
    upkeep_end(upkeep);
}

static const struct run_events UPKEEP_EVENTS = {.on_turn = on_turn, .on_end = on_end, .on_failed = on_failed};

static void upkeep_run(struct upkeep *upkeep) {
    char id[ID_SIZE];
    const bool title = upkeep->purpose == RUN_TITLE;
    const struct gen_message messages[] = {
        {.role = GEN_ROLE_SYSTEM, .content = title ? PROMPT_TITLE : PROMPT_SUMMARY, .tool_call_id = STR("")},
        {.role = GEN_ROLE_USER, .content = buf_str(&upkeep->prompt), .tool_call_id = STR("")}};
    struct gen_request generation;
    gen_request_init(&generation);
    generation.model = str_from(upkeep->model);
    generation.messages = messages;
    generation.message_count = COUNT_OF(messages);
    generation.max_tokens = upkeep->max_tokens;
    generation.temperature = 0.2;
    generation.repeat_penalty = REPEAT_PENALTY_PERCENT / 100.0;
    run_id_make(upkeep->purpose, id);
    const struct run_request asked = {.id = id,
                                      .purpose = upkeep->purpose,
                                      .kind = STORE_GENERATION_CHAT,
                                      .identity = &upkeep->identity,
                                      .generation = &generation,
                                      .label = str_from(upkeep->desk->name.id),
                                      .cost_max_nano = -1};
    (void)run_start(upkeep->calls, &asked, &UPKEEP_EVENTS, upkeep);
}

/* The model that it was made for, if that may be used; else the call's. */
static void model_choose(const struct conversation *own, char out[STORE_MODEL_MAX]) {
    struct str id;
    memcpy(out, own->model, STORE_MODEL_MAX);
    if (own->stored.model[0] != '\0' && models_resolve(own->desk->all->calls, str_from(own->stored.model), &id) &&
        models_allowed(own->identity.models, id)) {
        (void)str_copy(out, STORE_MODEL_MAX, id);
    }
}

static struct upkeep *upkeep_new(const struct conversation *own, enum run_purpose purpose) {
    struct upkeep *upkeep = MEM_NEW(struct upkeep);
    upkeep->work.free = upkeep_free;
    upkeep->calls = own->desk->all->calls;
    upkeep->desk = own->desk;
    upkeep->purpose = purpose;
    upkeep->identity = own->identity;
    upkeep->context_length = own->prompt.context_length;
    model_choose(own, upkeep->model);
    upkeep->rates = counting_rates(upkeep->calls, str_from(upkeep->model), TOKENS_MOST);
    buf_init(&upkeep->prompt, UPKEEP_PROMPT_BYTES);
    buf_init(&upkeep->facts, FACTS_BYTES);
    buf_init(&upkeep->summary, SUMMARY_BYTES + 2 * FACTS_BYTES);
    return upkeep;
}

/* --- Titles --- */

static void title_start(const struct conversation *own, struct str answer) {
    struct upkeep *upkeep = upkeep_new(own, RUN_TITLE);
    const struct str question = own->own_count > 0 ? own->all[own->stored_count + own->own_count - 1].content : answer;
    int64_t tokens = upkeep->context_length / 4;
    tokens = tokens < TITLE_PROMPT_TOKENS ? tokens : TITLE_PROMPT_TOKENS;
    prompt_append_message(&upkeep->prompt, false, question, tokens_rates_first(&upkeep->rates, question, tokens / 2));
    prompt_append_message(&upkeep->prompt, true, answer, tokens_rates_first(&upkeep->rates, answer, tokens / 2));
    buf_append_str(&upkeep->prompt, PROMPT_TITLE_ASK);
    (void)title_from_words(question, upkeep->words);
    upkeep->max_tokens = TITLE_TOKENS;
    own->desk->title = &upkeep->work;
    upkeep_run(upkeep);
}

/* --- Summaries --- */

/* Tokens of old messages that one upkeep folds; the rest of the context is for what it says about them and for its
 * answer. */
static int64_t fold_tokens(const struct upkeep *upkeep) {
    return upkeep->context_length / 2;
}

static size_t facts_cost(const struct upkeep *upkeep) {
    const size_t cost = upkeep->context_length / 4;
    return cost < FACTS_COST_MIN ? FACTS_COST_MIN : cost < FACTS_COST_MAX ? cost : FACTS_COST_MAX;
}

static void on_messages(void *context, const struct store_conversation *conversation,
                        const struct store_message *messages, size_t count, bool more, const struct err *err) {
    struct upkeep *upkeep = context;
    int64_t left = fold_tokens(upkeep);
    struct conversation_facts facts;
    struct str prose;
    (void)more; /* what is left comes with the next one */
    if (err != NULL || count == 0 || conversation->summary_until != messages[0].position) {
        upkeep_end(upkeep);
        return;
    }
    upkeep->from = conversation->summary_until;
    conversation_facts_init(&facts, facts_cost(upkeep));
    conversation_facts_read(&facts, conversation_facts_split(conversation->summary, &prose));
    if (conversation->summary.len > 0) {
        buf_append_str(&upkeep->prompt, PROMPT_SUMMARY_OLD);
        buf_append_str(&upkeep->prompt, conversation->summary);
        buf_append_str(&upkeep->prompt, PROMPT_SUMMARY_NEXT);
    }
    for (size_t i = 0; i < count; i++) {
        const struct store_message *message = &messages[i];
        const int64_t tokens = conversation_tokens(message->content, &upkeep->rates);
        if (i > 0 && tokens > left) {
            break;
        }
        prompt_append_message(&upkeep->prompt, message->role == STORE_ROLE_ASSISTANT, message->content,
                              tokens_rates_first(&upkeep->rates, message->content, left));
        left -= tokens;
        if (message->role == STORE_ROLE_USER) {
            conversation_facts_add(&facts, message->content);
        }
        upkeep->until = message->position + 1;
    }
    buf_append_str(&upkeep->prompt, PROMPT_SUMMARY_ASK);
    conversation_facts_write(&facts, &upkeep->facts);
    upkeep_run(upkeep);
}

/* Up to where messages are folded: what stays is a third of what a prompt may have, and begins with the user. */
static int64_t fold_until(const struct conversation *own) {
    const size_t count = own->stored_count + own->own_count + 1;
    int64_t left = own->prompt.budget / 3;
    size_t at = count;
    while (at > 0 && own->all[at - 1].tokens <= left) {
        left -= own->all[--at].tokens;
    }
    while (at < count && own->all[at].role != STORE_ROLE_USER) {
        at++;
    }
    if (at == count) { /* the last exchange always stays */
        at = own->stored_count;
    }
    return own->all[at].position;
}

static bool summary_is_due(const struct conversation *own) {
    const struct store_message *answer = &own->all[own->stored_count + own->own_count];
    int64_t used = own->prompt.known + answer->tokens;
    for (size_t i = 0; i < own->own_count; i++) {
        used += own->all[own->stored_count + i].tokens;
    }
    return own->prompt.cut || used > own->prompt.budget * 2 / 3;
}

static void summary_start(const struct conversation *own) {
    const int64_t until = fold_until(own);
    if (until <= own->stored.summary_until) {
        return;
    }
    struct upkeep *upkeep = upkeep_new(own, RUN_SUMMARY);
    upkeep->max_tokens = upkeep->context_length / 8;
    upkeep->max_tokens = upkeep->max_tokens < SUMMARY_TOKENS_MAX ? upkeep->max_tokens : SUMMARY_TOKENS_MAX;
    upkeep->max_tokens = upkeep->max_tokens > SUMMARY_TOKENS_MIN ? upkeep->max_tokens : SUMMARY_TOKENS_MIN;
    own->desk->summary = &upkeep->work;
    const struct store_conversation_ask ask = {.account_id = own->identity.account_id,
                                               .id = own->stored.id,
                                               .test = own->stored.test,
                                               .oldest = true,
                                               .before = until,
                                               .limit = STORE_MESSAGES_MAX,
                                               .tokens_max = fold_tokens(upkeep),
                                               .bytes_max = UPKEEP_PROMPT_BYTES / 2};
    store_conversation_read(own->desk->all->calls->store, &ask, on_messages, upkeep);
}

void upkeep_start(const struct conversation *own, struct str answer) {
    const struct conversations *all = own->desk->all;
    const struct store_conversation *conversation = &own->stored;
    if (calls_disk_is_low(all->calls)) {
        return; /* after a later turn */
    }
    if (conversation->auto_title && conversation->titled_by == STORE_TITLED_NOT && own->desk->title == NULL &&
        !all->titles_off) {
        title_start(own, answer);
    }
    if (conversation->auto_summary && own->desk->summary == NULL && !all->summaries_off && summary_is_due(own)) {
        summary_start(own);
    }
}
