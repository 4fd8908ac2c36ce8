#include "workflow/act.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "call/counting.h"
#include "conversation/stored.h"
#include "text/graphemes.h"
#include "workflow/agent.h"
#include "workflow/search.h"
#include "workflow/step.h"
#include "workflow/task.h"
#include "workflow/tools.h"

enum {
    SEARCH_TOKENS_MAX = 1 << 20,
    SEARCH_BYTES_MAX = 4 * 1024 * 1024,
    SAMPLE_BYTES = 256 * 1024, /* of a document are counted; the rest is taken to be like it */
    SAMPLE_BYTES_MIN = 512,    /* a shorter one is one chunk */
    SAMPLE_MARGIN_PERCENT = 5, /* parts of it may be denser than the whole */
    PERCENT_MIN = 10,
    PERCENT_MAX = 1000,
};

/* `percent`: of the tokens that the rates say, as the document has been counted. */
static void chunk(struct workflow_step *step, uint32_t percent) {
    struct workflow *workflow = step->workflow;
    struct tokens_rates rates = workflow->rates;
    tokens_rates_scale(&rates, percent);
    workflow->chunks = workflow_chunks_plan(&workflow->request, workflow->context_length, &rates);
    workflow->chunks.percent = percent;
    workflow_chunks_write(&workflow->chunks, &step->output);
    workflow_step_ends(step);
}

static struct str document_sample(const struct workflow *workflow) {
    const struct str document = task_document(&workflow->request);
    return (struct str){document.data,
                        utf8_whole_prefix(document.data, document.len < SAMPLE_BYTES ? document.len : SAMPLE_BYTES)};
}

static void on_counted(void *context, const uint32_t *tokens, size_t count) {
    struct workflow_step *step = context;
    if (!workflow_answered(step->workflow)) {
        return;
    }
    if (step->phase != STEP_READING) { /* it was cancelled */
        workflow_pump(step->workflow);
        return;
    }
    uint64_t percent = 100;
    if (tokens != NULL && count == 1) {
        const uint64_t said = (uint64_t)tokens_rates_count_str(&step->workflow->rates, document_sample(step->workflow));
        percent = ((uint64_t)tokens[0] * (100 + SAMPLE_MARGIN_PERCENT) + said - 1) / (said > 0 ? said : 1);
    }
    chunk(step, (uint32_t)(percent < PERCENT_MIN ? PERCENT_MIN : percent < PERCENT_MAX ? percent : PERCENT_MAX));
}

/* By the model's own vocabulary, where it is at hand. */
static void chunk_begin(struct workflow_step *step) {
    struct workflow *workflow = step->workflow;
    struct calls *calls = workflow->all->calls;
    const struct str model = str_from(workflow->row.model), sample = document_sample(workflow);
    if (sample.len < SAMPLE_BYTES_MIN || !counting_can(calls, model)) {
        chunk(step, 100);
        return;
    }
    step->phase = STEP_READING;
    workflow->asked_store++;
    counting_ask_texts(calls, model, &sample, 1, on_counted, step);
}

static struct workflow_meaning meaning_of(const struct workflow_step *step) {
    const struct workflow *workflow = step->workflow;
    return action_read(&workflow->asked, workflow->outputs[workflow->core->steps[step->number].first_input]);
}

static void observed(struct workflow_step *step) {
    struct buf *output = &step->output;
    if (output->len > WORKFLOW_OBSERVATION_BYTES) {
        output->len = graphemes_back(buf_str(output), WORKFLOW_OBSERVATION_BYTES);
    }
    workflow_step_ends(step);
}

static void on_read(void *context, const struct store_conversation *conversation, const struct store_message *messages,
                    size_t count, bool more, const struct err *err) {
    struct workflow_step *step = context;
    (void)conversation;
    (void)more;
    if (!workflow_answered(step->workflow)) {
        return;
    }
    if (step->phase != STEP_READING) { /* it was cancelled */
        workflow_pump(step->workflow);
        return;
    }
    struct buf query;
    buf_init(&query, 2 * WORKFLOW_ARGUMENT_BYTES);
    const struct workflow_meaning meaning = meaning_of(step);
    action_argument(&meaning, &query);
    workflow_search(messages, err == NULL ? count : 0, buf_str(&query), &step->output);
    buf_clear(&query);
    observed(step);
}

static void search_conversation(struct workflow_step *step) {
    struct workflow *workflow = step->workflow;
    const struct store_conversation_ask ask = {.account_id = workflow->row.account_id,
                                               .id = workflow->row.conversation_id,
                                               .test = workflow->row.test,
                                               .whole = true,
                                               .limit = STORE_MESSAGES_MAX,
                                               .tokens_max = SEARCH_TOKENS_MAX,
                                               .bytes_max = SEARCH_BYTES_MAX};
    step->phase = STEP_READING;
    workflow->asked_store++;
    store_conversation_read(workflow->all->calls->store, &ask, on_read, step);
}

/* Without a conversation: what came before the last message of the request. */
static void search_request(struct workflow_step *step, struct str query) {
    const struct gen_request *request = &step->workflow->request;
    const size_t count = request->message_count > 0 ? request->message_count - 1 : 0;
    struct arena arena;
    arena_init(&arena, LIMIT_MESSAGES * sizeof(struct store_message) + sizeof(struct store_message));
    struct store_message *messages = count > 0 ? ARENA_ARRAY(&arena, struct store_message, count) : NULL;
    for (size_t i = 0; messages != NULL && i < count; i++) {
        messages[i] = (struct store_message){.position = (int64_t)i,
                                             .role = conversation_stored_role(request->messages[i].role),
                                             .content = request->messages[i].content};
    }
    workflow_search(messages, messages != NULL ? count : 0, query, &step->output);
    arena_clear(&arena);
}

static void name_tools(struct workflow_step *step) {
    const struct orchestration *asked = &step->workflow->asked;
    buf_append_cstr(&step->output, "There is no such tool. Tools: calculator, time, search");
    for (size_t i = 0; i < asked->tool_count; i++) {
        buf_append_cstr(&step->output, ", ");
        buf_append_str(&step->output, asked->tools[i].name);
    }
    buf_append_cstr(&step->output, ".");
}

/* The second time: what came of it stands there already. False: it is the first time. */
static bool tell_again(struct workflow_step *step, const struct workflow_meaning *meaning) {
    const struct workflow_scene scene = workflow_scene_of(step->workflow, 1);
    struct str earlier;
    if (agent_called_before(&scene, step->workflow->core->steps[step->number].first_input, meaning, &earlier) == 0) {
        return false;
    }
    buf_append_cstr(&step->output, "This was called already, and gave: ");
    buf_append_str(&step->output, earlier);
    return true;
}

static void act(struct workflow_step *step) {
    const struct workflow_meaning meaning = meaning_of(step);
    struct buf argument;
    if (tell_again(step, &meaning)) {
        observed(step);
        return;
    }
    if (meaning.unknown_tool) {
        name_tools(step);
        observed(step);
        return;
    }
    buf_init(&argument, 2 * WORKFLOW_ARGUMENT_BYTES);
    action_argument(&meaning, &argument);
    switch (meaning.tool) {
    case WORKFLOW_TOOL_CALCULATOR:
        workflow_calculate(buf_str(&argument), &step->output);
        break;
    case WORKFLOW_TOOL_TIME:
        workflow_time(clock_wall_ms(), &step->output);
        break;
    case WORKFLOW_TOOL_SEARCH:
        if (step->workflow->row.conversation_id[0] != '\0') {
            buf_clear(&argument);
            search_conversation(step);
            return;
        }
        search_request(step, buf_str(&argument));
        break;
    case WORKFLOW_TOOL_CALLER: /* ends the workflow: it is never acted upon */
        break;
    }
    buf_clear(&argument);
    observed(step);
}

/* What a question asks for by itself: nobody generates it. */
static void rule(struct workflow_step *step) {
    const struct workflow *workflow = step->workflow;
    (void)agent_rule(&workflow->request, &workflow->asked, &step->output);
    step->record.outcome = STORE_STEP_ACTION;
    workflow_step_ends(step);
}

void workflow_step_local(struct workflow_step *step) {
    const enum core_step_name name = step->workflow->core->steps[step->number].name;
    buf_reset(&step->output);
    if (name == CORE_STEP_CHUNK) {
        chunk_begin(step);
    } else if (name == CORE_STEP_THINK) {
        rule(step);
    } else {
        act(step);
    }
}
