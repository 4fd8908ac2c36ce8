#include "workflow/compose.h"

#include "base/buf.h"
#include "base/digest.h"
#include "conversation/prompts.h"
#include "text/words.h"
#include "workflow/agent.h"
#include "workflow/agent_prompt.h"
#include "workflow/budget.h"
#include "workflow/fit.h"
#include "workflow/prompts.h"
#include "workflow/task.h"

enum {
    PIECES_OWN = 64,               /* of a prompt without its many inputs: words, labels, tools */
    PIECES_PER_MESSAGE = 4,        /* a role, a text, or a call, each with its end */
    TEXT_BYTES = 16 * 1024 * 1024, /* bound on the texts joined for one input; far over what a request holds */
};

/* A prompt in the making. */
struct composer {
    const struct workflow_scene *scene;
    const struct core_step *step;
    uint32_t number;
    struct tokens_rates rates;
    struct arena *arena;
    struct fit_prompt prompt;
};

static struct fit_piece *piece_add(struct composer *composer, struct str text, struct fit_piece piece) {
    struct fit_prompt *prompt = &composer->prompt;
    if (text.len == 0 || prompt->count == prompt->capacity) {
        return NULL;
    }
    piece.text = text;
    prompt->pieces[prompt->count] = piece;
    return &prompt->pieces[prompt->count++];
}

static void own_add(struct composer *composer, struct str text) {
    piece_add(composer, text, (struct fit_piece){.own = true});
}

static void text_add(struct composer *composer, struct str text, enum fit_cut cut) {
    piece_add(composer, text, (struct fit_piece){.cut = cut});
}

static bool is_done(const struct composer *composer, uint32_t step) {
    return composer->scene->workflow->steps[step].state == CORE_STEP_DONE;
}

/* The output of the last step of that name before this one. */
static struct str output_of(const struct composer *composer, enum core_step_name name) {
    for (uint32_t i = composer->number; i > 0; i--) {
        if (composer->scene->workflow->steps[i - 1].name == name && is_done(composer, i - 1)) {
            return composer->scene->outputs[i - 1];
        }
    }
    return STR("");
}

/* Where the task stands among the messages; their count: nowhere. */
static size_t task_index(const struct gen_request *request) {
    for (size_t i = request->message_count; i > 0; i--) {
        if (request->messages[i - 1].role == GEN_ROLE_USER) {
            return i - 1;
        }
    }
    return request->message_count;
}

static void history_append(const struct gen_request *request, struct buf *out) {
    const size_t end = task_index(request);
    for (size_t i = 0; i < end; i++) {
        const struct gen_message *message = &request->messages[i];
        if (message->role != GEN_ROLE_SYSTEM && message->content.len > 0) {
            prompt_append_message(out, message->role != GEN_ROLE_USER, message->content, message->content.len);
        }
    }
}

/* data NULL: the arena is full. */
static struct str history(const struct composer *composer) {
    struct buf text;
    buf_init(&text, TEXT_BYTES);
    history_append(composer->scene->request, &text);
    const struct str copy = arena_copy(composer->arena, buf_str(&text));
    buf_clear(&text);
    return copy;
}

static void label_add(struct composer *composer, struct str label, bool *labelled) {
    if (!*labelled) {
        own_add(composer, label);
        *labelled = true;
    }
}

static void task_add(struct composer *composer, struct str label) {
    struct str question[QUESTION_PARTS] = {task_text(composer->scene->request), STR(""), STR("")};
    const enum core_step_name name = composer->step->name;
    const bool map = name == CORE_STEP_MAP;
    bool labelled = false;
    if (map || name == CORE_STEP_REDUCE) {
        task_question(composer->scene->request, question);
    }
    for (size_t i = 0; i < COUNT_OF(question); i++) {
        if (question[i].len > 0) {
            label_add(composer, label, &labelled);
            piece_add(composer, question[i],
                      (struct fit_piece){.cap = map ? budget_map_cap(composer->scene->context_length) : 0});
            own_add(composer, PROMPT_INPUT_END);
        }
    }
}

static void notes_add(struct composer *composer, struct str label) {
    bool labelled = false;
    for (uint32_t i = 0; i < composer->step->input_count; i++) {
        const struct str note = composer->scene->outputs[composer->step->first_input + i];
        if (note.len > 0) {
            label_add(composer, label, &labelled);
            text_add(composer, note, FIT_BOTH_ENDS);
            own_add(composer, PROMPT_INPUT_END);
        }
    }
}

/* The text of an input that is one text. */
static struct str input_text(const struct composer *composer, enum prompt_source source) {
    const struct workflow_scene *scene = composer->scene;
    switch (source) {
    case PROMPT_HISTORY:
        return history(composer);
    case PROMPT_RESEARCH_OUTPUT:
        return output_of(composer, CORE_STEP_RESEARCH);
    case PROMPT_ANALYZE_OUTPUT:
        return output_of(composer, CORE_STEP_ANALYZE);
    case PROMPT_PLAN_OUTPUT:
        return output_of(composer, CORE_STEP_PLAN);
    case PROMPT_IMPLEMENT_OUTPUT:
        return output_of(composer, CORE_STEP_IMPLEMENT);
    case PROMPT_REVIEW_OUTPUT:
        return output_of(composer, CORE_STEP_REVIEW);
    case PROMPT_CHUNK:
        return workflow_chunk(task_document(scene->request), &scene->chunks, composer->step->part);
    case PROMPT_NOTHING:
    case PROMPT_TASK:
    case PROMPT_NOTES:
        break;
    }
    return STR("");
}

/* False: the arena is full. */
static bool input_add(struct composer *composer, const struct prompt_input *input) {
    if (input->source == PROMPT_TASK) {
        task_add(composer, input->label);
        return true;
    }
    if (input->source == PROMPT_NOTES) {
        notes_add(composer, input->label);
        return true;
    }
    const bool latest_counts = input->source == PROMPT_HISTORY;
    const struct str text = input_text(composer, input->source);
    if (text.len > 0) {
        own_add(composer, input->label);
        text_add(composer, text, latest_counts ? FIT_END : FIT_BOTH_ENDS);
        own_add(composer, PROMPT_INPUT_END);
    }
    return text.data != NULL;
}

/* This step's output may be the answer: it is told what the client says about answers. */
static bool may_answer(const struct composer *composer) {
    const enum core_step_name name = composer->step->name;
    return name == CORE_STEP_WRITE || name == CORE_STEP_IMPLEMENT || name == CORE_STEP_THINK ||
           core_workflow_is_last(composer->scene->workflow, composer->number);
}

static void client_system_add(struct composer *composer) {
    const struct gen_request *request = composer->scene->request;
    const bool map = composer->step->name == CORE_STEP_MAP; /* chunks were planned with room for so much of it */
    int64_t left = map ? budget_map_cap(composer->scene->context_length) : INT64_MAX;
    for (size_t i = 0; i < request->message_count && left > 0; i++) {
        const struct str text = request->messages[i].content;
        if (request->messages[i].role == GEN_ROLE_SYSTEM && text.len > 0) {
            piece_add(composer, text, (struct fit_piece){.system = true, .cap = left});
            piece_add(composer, PROMPT_INPUT_END, (struct fit_piece){.system = true, .own = true});
            left -= fit_text_tokens(text, &composer->rates);
        }
    }
}

/* False: the arena is full. */
static bool pieces_make(struct composer *composer) {
    const enum core_step_name name = composer->step->name;
    const bool again = name == CORE_STEP_IMPLEMENT && composer->step->round > 1;
    const struct prompt_step *words = prompt_of_step(name, again);
    if (may_answer(composer)) {
        client_system_add(composer);
    }
    piece_add(composer, words->system, (struct fit_piece){.system = true, .own = true});
    for (size_t i = 0; i < PROMPT_INPUTS_MAX && words->inputs[i].source != PROMPT_NOTHING; i++) {
        if (!input_add(composer, &words->inputs[i])) {
            return false;
        }
    }
    piece_add(composer, words->ask, (struct fit_piece){.own = true, .ask = true});
    return true;
}

/* Of the answer: what is wanted, less where the prompt needs the room, but not less than a half of the context. */
static uint32_t max_tokens_of(const struct composer *composer, int64_t prompt_tokens) {
    const uint32_t context = fit_context(composer->scene->context_length);
    const uint32_t step_tokens = budget_step_tokens(context);
    if (!may_answer(composer)) {
        return step_tokens;
    }
    const int64_t wanted = composer->scene->request->max_tokens;
    const int64_t floor = composer->step->name == CORE_STEP_MAP ? step_tokens : context / 2;
    const int64_t room = (int64_t)context - fit_template_tokens(context) - prompt_tokens;
    const int64_t least = wanted < floor ? wanted : floor;
    const int64_t given = wanted < room ? wanted : room;
    return (uint32_t)(given > least ? given : least);
}

static void sampling_set(const struct composer *composer, struct gen_request *out) {
    *out = *composer->scene->request;
    out->prompt = out->continue_text = STR("");
    out->max_tokens_given = true; /* room was made for so many */
    out->stop_count = 0;
    const bool think = composer->step->name == CORE_STEP_THINK;
    for (size_t i = 0; may_answer(composer) && i < composer->scene->request->stop_count; i++) {
        const struct str stop = composer->scene->request->stop[i];
        if (!think || words_trim(stop).len > 0) { /* a line's end would end a think before its action */
            out->stop[out->stop_count++] = stop;
        }
    }
    if (think && out->stop_count < LIMIT_STOP_STRINGS) {
        out->stop[out->stop_count++] = PROMPT_TOOL_STOP;
    }
    if (think && agent_mode(composer->scene, composer->number) == AGENT_CHOOSES) {
        out->temperature = 0; /* a choice is not left to chance */
    }
}

/* System and user. False: the arena is full. */
static bool messages_make(struct composer *composer, struct gen_request *out) {
    struct gen_message *messages = ARENA_ARRAY(composer->arena, struct gen_message, 2);
    const struct str system = fit_prompt_join(&composer->prompt, true, composer->arena);
    const struct str user = fit_prompt_join(&composer->prompt, false, composer->arena);
    size_t count = 0;
    if (messages == NULL || system.data == NULL || user.data == NULL) {
        return false;
    }
    if (system.len > 0) {
        messages[count++] = (struct gen_message){GEN_ROLE_SYSTEM, system, STR(""), NULL, 0};
    }
    messages[count++] = (struct gen_message){GEN_ROLE_USER, user, STR(""), NULL, 0};
    out->messages = messages;
    out->message_count = count;
    return true;
}

bool workflow_step_compose(const struct workflow_scene *scene, uint32_t step, struct arena *arena,
                           struct gen_request *out) {
    struct composer composer = {
        .scene = scene, .step = &scene->workflow->steps[step], .number = step, .rates = scene->rates, .arena = arena};
    struct agent_prompt agent = {.turn_count = 0};
    if (composer.step->name == CORE_STEP_MAP && scene->chunks.percent > 0) { /* as its chunk was cut */
        tokens_rates_scale(&composer.rates, scene->chunks.percent);
    }
    const bool think = composer.step->name == CORE_STEP_THINK;
    composer.prompt.capacity = think ? agent_prompt_capacity(scene)
                                     : PIECES_OWN + 2 * (size_t)composer.step->input_count +
                                           PIECES_PER_MESSAGE * scene->request->message_count;
    composer.prompt.pieces = ARENA_ARRAY(arena, struct fit_piece, composer.prompt.capacity);
    agent.pieces = composer.prompt;
    if (composer.prompt.pieces == NULL ||
        !(think ? agent_prompt_make(scene, step, arena, &agent) : pieces_make(&composer))) {
        return false;
    }
    struct fit_prompt *prompt = think ? &agent.pieces : &composer.prompt;
    sampling_set(&composer, out);
    const int64_t turns = agent_prompt_turn_tokens(&agent);
    out->max_tokens = max_tokens_of(&composer, turns + fit_tokens(prompt, &composer.rates));
    const uint32_t context = fit_context(scene->context_length);
    const int64_t budget = (int64_t)context - fit_template_tokens(context) - out->max_tokens - turns;
    return fit_prompt_cut(prompt, budget, &composer.rates, arena) &&
           (think ? agent_prompt_messages(&agent, arena, out) : messages_make(&composer, out));
}

void workflow_prompt_digest(const struct gen_request *generation, uint8_t out[32]) {
    struct digest_stream *stream = digest_stream_new();
    for (size_t i = 0; i < generation->message_count; i++) {
        const struct str text = generation->messages[i].content;
        digest_stream_update(stream, text.data, text.len);
        digest_stream_update(stream, "\n", 1);
    }
    digest_stream_finish(stream, out);
}
