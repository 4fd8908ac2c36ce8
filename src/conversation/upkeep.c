/* Titles and summaries: written by the conversation's own model, in jobs that cost its account the normal rate. One of each
 * at a time for a conversation. What one makes is stored in the transaction of its settlement; one that fails is tried again
 * after the next call, and the conversation goes on without it. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/models.h"
#include "call/run.h"
#include "conversation/conversations.h"
#include "conversation/facts.h"
#include "conversation/prompts.h"

#include <stdlib.h>
#include <string.h>

enum {
    TITLE_TOKENS = 24,
    TITLE_PROMPT_TOKENS = 512, /* of the exchange that it is about; of a small context a quarter */
    SUMMARY_TOKENS_MIN = 48,
    SUMMARY_TOKENS_MAX = 512, /* of a small context an eighth */
    SUMMARY_BYTES = 8 * 1024,
    FACTS_BYTES_MIN = 128,
    FACTS_BYTES_MAX = 1024, /* of a small context a byte for four tokens */
    JOB_PROMPT_BYTES = 8 * 1024 * 1024,
    JOB_REPEAT_PENALTY_PERCENT = 110, /* small models fall into loops */
};

struct conversation_job {
    struct api *api;
    struct conversation_desk *desk;
    enum run_purpose purpose;
    struct auth_identity identity;
    char model[STORE_MODEL_MAX];
    struct buf prompt;
    uint32_t context_length, max_tokens;
    int64_t density;
    int64_t from, until;           /* positions that the summary is of */
    struct buf facts, summary;     /* kept word for word; what the model wrote, with them behind it */
    char words[PROMPT_TITLE_SIZE]; /* the title where the model gives none */
    char title[PROMPT_TITLE_SIZE];
};

void conversation_job_free(struct conversation_job *job) {
    if (job != NULL) {
        buf_clear(&job->prompt);
        buf_clear(&job->facts);
        buf_clear(&job->summary);
        free(job);
    }
}

static void job_end(struct conversation_job *job) {
    struct conversation_desk *desk = job->desk;
    struct api *api = job->api;
    if (job->purpose == RUN_TITLE) {
        desk->title = NULL;
    } else {
        desk->summary = NULL;
    }
    conversation_job_free(job);
    conversation_desk_release(api, desk);
}

static struct str summary_clean(struct str text) {
    while (text.len > 0 && (unsigned char)text.data[0] <= ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (unsigned char)text.data[text.len - 1] <= ' ') {
        text.len--;
    }
    return text.len > SUMMARY_BYTES ? (struct str){text.data, SUMMARY_BYTES} : text;
}

/* What the model wrote becomes the title or the summary. False: it wrote nothing of use. */
static bool job_turn(struct conversation_job *job, struct str text, struct store_turn *turn) {
    *turn = (struct store_turn){.test = job->desk->name.test, .now_ms = clock_wall_ms()};
    memcpy(turn->conversation_id, job->desk->name.id, sizeof(turn->conversation_id));
    memcpy(turn->account_id, job->desk->name.account_id, sizeof(turn->account_id));
    if (job->purpose == RUN_TITLE) {
        turn->kind = STORE_TURN_TITLE;
        turn->titled_by = STORE_TITLED_BY_MODEL;
        if (!prompt_title_clean(text, job->title)) {
            turn->titled_by = STORE_TITLED_BY_WORDS;
            memcpy(job->title, job->words, sizeof(job->title));
        }
        turn->text = str_from(job->title);
    } else {
        turn->kind = STORE_TURN_SUMMARY;
        turn->from = job->from;
        turn->until = job->until;
        text = summary_clean(text);
        if (text.len == 0) {
            return false;
        }
        buf_reset(&job->summary);
        conversation_facts_join(text, buf_str(&job->facts), &job->summary);
        turn->text = buf_str(&job->summary);
    }
    return turn->text.len > 0;
}

static bool on_turn(void *context, struct str text, const struct call_result *result, struct store_turn *turn) {
    (void)result;
    return job_turn(context, text, turn);
}

/* Of a live key it is stored by now; the sandbox has no settlements. */
static void on_end(void *context, const struct run_answer *answer) {
    struct conversation_job *job = context;
    struct store_turn turn;
    if (job->desk->name.test && job_turn(job, answer->text, &turn)) {
        store_turn_keep(job->api->store, &turn, NULL, NULL);
    }
    job_end(job);
}

static void on_failed(void *context, const struct fault *error) {
    struct conversation_job *job = context;
    LOG_INFO_EVENT("conversation.job_failed", LOG_TEXT("conversation", job->desk->name.id),
                   LOG_TEXT("purpose", run_purpose_name(job->purpose)), LOG_TEXT("error", error->message));
    job_end(job);
}

static const struct run_events JOB_EVENTS = {.on_turn = on_turn, .on_end = on_end, .on_failed = on_failed};

static void job_run(struct conversation_job *job) {
    char id[ID_SIZE];
    const bool title = job->purpose == RUN_TITLE;
    const struct gen_message messages[] = {
        {.role = GEN_ROLE_SYSTEM, .content = title ? PROMPT_TITLE : PROMPT_SUMMARY, .tool_call_id = STR("")},
        {.role = GEN_ROLE_USER, .content = buf_str(&job->prompt), .tool_call_id = STR("")}};
    struct gen_request generation;
    gen_request_init(&generation);
    generation.model = str_from(job->model);
    generation.messages = messages;
    generation.message_count = COUNT_OF(messages);
    generation.max_tokens = job->max_tokens;
    generation.temperature = 0.2;
    generation.repeat_penalty = JOB_REPEAT_PENALTY_PERCENT / 100.0;
    run_id_make(job->purpose, id);
    const struct run_request asked = {.id = id,
                                      .purpose = job->purpose,
                                      .identity = &job->identity,
                                      .kind = API_CALL_CHAT,
                                      .generation = &generation,
                                      .label = str_from(job->desk->name.id),
                                      .cost_max_nano = -1};
    (void)run_start(job->api, &asked, &JOB_EVENTS, job);
}

/* The model that it was made for, if that may be used; else the call's. */
static void model_choose(const struct conversation_call *call, char out[STORE_MODEL_MAX]) {
    struct str id;
    memcpy(out, call->model, STORE_MODEL_MAX);
    if (call->conversation.model[0] != '\0' && models_resolve(call->api, str_from(call->conversation.model), &id) &&
        models_allowed(call->identity.models, id)) {
        str_copy(out, STORE_MODEL_MAX, id);
    }
}

static struct conversation_job *job_new(const struct conversation_call *call, enum run_purpose purpose) {
    struct conversation_job *job = MEM_NEW(struct conversation_job);
    job->api = call->api;
    job->desk = call->desk;
    job->purpose = purpose;
    job->identity = call->identity;
    job->context_length = call->prompt.context_length;
    model_choose(call, job->model);
    job->density = strcmp(job->model, call->model) == 0 ? call->prompt.density : 0;
    buf_init(&job->prompt, JOB_PROMPT_BYTES);
    buf_init(&job->facts, FACTS_BYTES_MAX);
    buf_init(&job->summary, SUMMARY_BYTES + 2 * FACTS_BYTES_MAX);
    return job;
}

/* Bytes of text that are surely no more tokens than that. */
static size_t bytes_of_tokens(int64_t tokens, struct str text, int64_t density) {
    const int64_t all = conversation_tokens(text, density) - CONVERSATION_TOKENS_PER_MESSAGE;
    return all <= tokens ? text.len : (size_t)tokens; /* a token is at least a byte */
}

/* --- Titles --- */

static void title_start(const struct conversation_call *call, struct str answer) {
    struct conversation_job *job = job_new(call, RUN_TITLE);
    const struct str question =
        call->own_count > 0 ? call->all[call->stored_count + call->own_count - 1].content : answer;
    int64_t tokens = job->context_length / 4;
    tokens = tokens < TITLE_PROMPT_TOKENS ? tokens : TITLE_PROMPT_TOKENS;
    prompt_append_message(&job->prompt, false, question, bytes_of_tokens(tokens / 2, question, job->density));
    prompt_append_message(&job->prompt, true, answer, bytes_of_tokens(tokens / 2, answer, job->density));
    buf_append_str(&job->prompt, PROMPT_TITLE_ASK);
    (void)prompt_title_words(question, job->words);
    job->max_tokens = TITLE_TOKENS;
    call->desk->title = job;
    job_run(job);
}

/* --- Summaries --- */

/* Tokens of old messages that one job folds; the rest of the context is for what it says about them and for its answer. */
static int64_t fold_tokens(const struct conversation_job *job) {
    return job->context_length / 2;
}

static size_t facts_bytes(const struct conversation_job *job) {
    const size_t bytes = job->context_length / 4;
    return bytes < FACTS_BYTES_MIN ? FACTS_BYTES_MIN : bytes < FACTS_BYTES_MAX ? bytes : FACTS_BYTES_MAX;
}

static void on_messages(void *context, const struct store_conversation *conversation,
                        const struct store_message *messages, size_t count, bool more, const struct err *err) {
    struct conversation_job *job = context;
    int64_t left = fold_tokens(job);
    struct str prose;
    (void)more; /* what is left comes with the next one */
    if (err != NULL || count == 0 || conversation->summary_until != messages[0].position) {
        job_end(job);
        return;
    }
    job->from = conversation->summary_until;
    buf_append_str(&job->facts, conversation_facts_split(conversation->summary, &prose));
    if (conversation->summary.len > 0) {
        buf_append_str(&job->prompt, PROMPT_SUMMARY_OLD);
        buf_append_str(&job->prompt, conversation->summary);
        buf_append_str(&job->prompt, PROMPT_SUMMARY_NEXT);
    }
    for (size_t i = 0; i < count; i++) {
        const struct store_message *message = &messages[i];
        const int64_t tokens = conversation_tokens(message->content, job->density);
        if (i > 0 && tokens > left) {
            break;
        }
        prompt_append_message(&job->prompt, message->role == STORE_ROLE_ASSISTANT, message->content,
                              bytes_of_tokens(left, message->content, job->density));
        left -= tokens;
        if (message->role == STORE_ROLE_USER) {
            conversation_facts_add(&job->facts, message->content, facts_bytes(job));
        }
        job->until = message->position + 1;
    }
    buf_append_str(&job->prompt, PROMPT_SUMMARY_ASK);
    job_run(job);
}

/* Up to where messages are folded: what stays is a third of what a prompt may have, and begins with the user. */
static int64_t fold_until(const struct conversation_call *call) {
    const size_t count = call->stored_count + call->own_count + 1;
    int64_t left = call->prompt.budget / 3;
    size_t at = count;
    while (at > 0 && call->all[at - 1].tokens <= left) {
        left -= call->all[--at].tokens;
    }
    while (at < count && call->all[at].role != STORE_ROLE_USER) {
        at++;
    }
    if (at == count) { /* the last exchange always stays */
        at = call->stored_count;
    }
    return call->all[at].position;
}

static bool summary_is_due(const struct conversation_call *call) {
    const struct store_message *answer = &call->all[call->stored_count + call->own_count];
    int64_t used = call->prompt.known + answer->tokens;
    for (size_t i = 0; i < call->own_count; i++) {
        used += call->all[call->stored_count + i].tokens;
    }
    return call->prompt.cut || used > call->prompt.budget * 2 / 3;
}

static void summary_start(const struct conversation_call *call) {
    const int64_t until = fold_until(call);
    if (until <= call->conversation.summary_until) {
        return;
    }
    struct conversation_job *job = job_new(call, RUN_SUMMARY);
    job->max_tokens = job->context_length / 8;
    job->max_tokens = job->max_tokens < SUMMARY_TOKENS_MAX ? job->max_tokens : SUMMARY_TOKENS_MAX;
    job->max_tokens = job->max_tokens > SUMMARY_TOKENS_MIN ? job->max_tokens : SUMMARY_TOKENS_MIN;
    call->desk->summary = job;
    const struct store_conversation_ask ask = {.account_id = call->identity.account_id,
                                               .id = call->conversation.id,
                                               .test = call->conversation.test,
                                               .oldest = true,
                                               .before = until,
                                               .limit = STORE_MESSAGES_MAX,
                                               .tokens_max = fold_tokens(job),
                                               .bytes_max = JOB_PROMPT_BYTES / 2};
    store_conversation_read(call->api->store, &ask, on_messages, job);
}

void conversation_jobs_start(const struct conversation_call *call, struct str answer) {
    const struct api_backend *backend = &call->api->backend;
    const struct store_conversation *conversation = &call->conversation;
    if (conversation->auto_title && conversation->titled_by == STORE_TITLED_NOT && call->desk->title == NULL &&
        !backend->titles_off) {
        title_start(call, answer);
    }
    if (conversation->auto_summary && call->desk->summary == NULL && !backend->summaries_off && summary_is_due(call)) {
        summary_start(call);
    }
}
