#include "workflow/agent_prompt.h"

#include "text/words.h"
#include "workflow/agent.h"
#include "workflow/prompts.h"
#include "workflow/task.h"
#include "workflow/tools.h"

#include <string.h>

enum {
    PIECES_OWN = 32,
    PIECES_PER_TOOL = 2,
    PIECES_PER_STEP = 2,
    FACTS_BYTES = 64 * 1024,
    TEXT_BYTES = 16 * 1024 * 1024, /* of a message; far over what a request holds */
    EXAMPLES_CONTEXT_MIN = 1024,   /* a smaller one has no room for them */
    HISTORY_PART = 2,              /* of the context: what the conversation may take */
    TURN_TOKENS = 8,               /* of a template, around one */
};

struct maker {
    const struct workflow_scene *scene;
    uint32_t step;
    struct arena *arena;
    struct agent_prompt *out;
    bool full;
};

size_t agent_prompt_capacity(const struct workflow_scene *scene) {
    return PIECES_OWN + 2 * PROMPT_AGENT_EXAMPLES + PIECES_PER_TOOL * ORCHESTRATION_TOOLS_MAX +
           2 * scene->request->message_count + PIECES_PER_STEP * (size_t)scene->workflow->step_count;
}

static void turn_open(struct maker *maker, enum gen_role role) {
    maker->out->roles[maker->out->turn_count++] = role;
}

static void piece_add(struct maker *maker, struct str text, struct fit_piece piece) {
    struct fit_prompt *pieces = &maker->out->pieces;
    if (text.len > 0 && pieces->count < pieces->capacity) {
        piece.text = text;
        maker->out->turns[pieces->count] = maker->out->turn_count - 1;
        pieces->pieces[pieces->count++] = piece;
    }
}

static void own_add(struct maker *maker, struct str text) {
    piece_add(maker, text, (struct fit_piece){.own = true});
}

/* A text made for this prompt. */
static struct str keep(struct maker *maker, struct buf *text) {
    const struct str copy = arena_copy(maker->arena, buf_str(text));
    maker->full = maker->full || copy.data == NULL;
    buf_clear(text);
    return copy.data != NULL ? copy : STR("");
}

/* --- The system text --- */

static void client_system_add(struct maker *maker, bool *given) {
    const struct gen_request *request = maker->scene->request;
    *given = false;
    for (size_t i = 0; i < request->message_count; i++) {
        if (request->messages[i].role == GEN_ROLE_SYSTEM && request->messages[i].content.len > 0) {
            piece_add(maker, request->messages[i].content, (struct fit_piece){.cut = FIT_BOTH_ENDS});
            own_add(maker, STR("\n"));
            *given = true;
        }
    }
}

static void tool_add(struct maker *maker, const struct orchestration_tool *tool) {
    struct buf line;
    buf_init(&line, 2 * ORCHESTRATION_TOOL_BYTES);
    buf_append_cstr(&line, "- ");
    buf_append_str(&line, tool->name);
    buf_append_cstr(&line, "[");
    buf_append_str(&line, tool->parameters);
    buf_append_cstr(&line, tool->description.len > 0 ? "]: " : "]");
    buf_append_str(&line, tool->description);
    piece_add(maker, keep(maker, &line), (struct fit_piece){.cut = FIT_BEGINNING}); /* its name stays */
    own_add(maker, STR("\n"));
}

static void tools_add(struct maker *maker, bool all) {
    const struct orchestration *asked = maker->scene->asked;
    own_add(maker, PROMPT_AGENT_TOOLS);
    if (all && !toolbox_hides(asked, STR("calculator"))) {
        own_add(maker, PROMPT_TOOL_CALCULATOR);
    }
    if (all && !toolbox_hides(asked, STR("search")) && maker->scene->request->message_count > 2) {
        own_add(maker, PROMPT_TOOL_SEARCH);
    }
    for (size_t i = 0; i < asked->tool_count; i++) {
        tool_add(maker, &asked->tools[i]);
    }
}

static void system_add(struct maker *maker, enum agent_mode mode) {
    const bool more = maker->scene->asked->tool_count > 0 && !agent_has_echoed(maker->scene, maker->step);
    struct buf line;
    bool given;
    turn_open(maker, GEN_ROLE_SYSTEM);
    client_system_add(maker, &given);
    if (!given) {
        own_add(maker, PROMPT_AGENT_SYSTEM);
    }
    if (mode == AGENT_CHOOSES) {
        tools_add(maker, true);
    } else if (more && !agent_is_last(maker->scene, maker->step)) {
        tools_add(maker, false);
    }
    buf_init(&line, 256);
    buf_append_str(&line, PROMPT_AGENT_TIME);
    workflow_time_words(maker->scene->now_ms, &line);
    piece_add(maker, keep(maker, &line), (struct fit_piece){.own = true});
}

static void examples_add(struct maker *maker) {
    for (size_t i = 0; i < PROMPT_AGENT_EXAMPLES; i++) {
        const bool tool = str_starts_with(prompt_agent_examples[i].said, STR("Action: calculator"));
        if (tool && toolbox_hides(maker->scene->asked, STR("calculator"))) {
            continue;
        }
        turn_open(maker, GEN_ROLE_USER);
        own_add(maker, prompt_agent_examples[i].asked);
        turn_open(maker, GEN_ROLE_ASSISTANT);
        own_add(maker, prompt_agent_examples[i].said);
    }
}

/* --- The conversation --- */

static bool is_turn(const struct gen_message *message) {
    return message->content.len > 0 && (message->role == GEN_ROLE_USER || message->role == GEN_ROLE_ASSISTANT);
}

/* The first message that has room with all behind it, and is the user's; `task`: none has. */
static size_t history_first(const struct maker *maker, size_t task, int64_t room) {
    const struct gen_request *request = maker->scene->request;
    size_t first = task;
    for (size_t i = task; i > 0 && room > 0; i--) {
        const struct gen_message *message = &request->messages[i - 1];
        if (!is_turn(message)) {
            continue;
        }
        room -= fit_text_tokens(message->content, &maker->scene->rates) + TURN_TOKENS;
        if (room >= 0 && message->role == GEN_ROLE_USER) {
            first = i - 1;
        }
    }
    return first;
}

/* Messages of one speaker after each other are one turn: templates want turns to alternate. */
static void history_add(struct maker *maker, size_t task) {
    const struct gen_request *request = maker->scene->request;
    const int64_t context = fit_context(maker->scene->context_length);
    const int64_t question = fit_text_tokens(task_text(request), &maker->scene->rates);
    const int64_t room = context / HISTORY_PART - question / HISTORY_PART;
    for (size_t i = history_first(maker, task, room); i < task; i++) {
        const struct gen_message *message = &request->messages[i];
        if (!is_turn(message)) {
            continue;
        }
        if (maker->out->roles[maker->out->turn_count - 1] != message->role) {
            turn_open(maker, message->role);
        } else {
            own_add(maker, PROMPT_INPUT_END);
        }
        piece_add(maker, message->content, (struct fit_piece){.cut = FIT_BOTH_ENDS});
    }
}

/* --- The question, and what was done since --- */

static void question_add(struct maker *maker, enum agent_mode mode) {
    struct buf facts;
    bool again;
    if (maker->out->roles[maker->out->turn_count - 1] != GEN_ROLE_USER) {
        turn_open(maker, GEN_ROLE_USER);
    } else {
        own_add(maker, PROMPT_INPUT_END);
    }
    const struct str question = task_text(maker->scene->request);
    piece_add(maker, question, (struct fit_piece){.cut = FIT_BOTH_ENDS});
    if (mode == AGENT_CHOOSES) {
        return;
    }
    buf_init(&facts, FACTS_BYTES);
    agent_facts_append(maker->scene, maker->step, &facts, &again);
    while (facts.len > 0 && facts.data[facts.len - 1] == '\n') {
        facts.len--;
    }
    const struct str said = keep(maker, &facts);
    if (said.len > 0) {
        own_add(maker, STR("\n("));
        piece_add(maker, said, (struct fit_piece){.cut = FIT_BOTH_ENDS});
        own_add(maker, STR(")"));
    }
    if (again) {
        own_add(maker, PROMPT_AGENT_AGAIN);
    }
    if (agent_has_echoed(maker->scene, maker->step)) {
        own_add(maker, PROMPT_AGENT_ECHOED);
    }
}

/* What a tool found wrong, as turns, for the call to be mended. */
static void errors_add(struct maker *maker) {
    const struct workflow_scene *scene = maker->scene;
    for (uint32_t i = 0; i + 1 < maker->step; i++) {
        if (scene->workflow->steps[i].name != CORE_STEP_THINK || scene->workflow->steps[i + 1].name != CORE_STEP_ACT) {
            continue;
        }
        const struct workflow_meaning call = action_read(scene->asked, scene->outputs[i]);
        struct buf line;
        buf_init(&line, FACTS_BYTES);
        buf_append_cstr(&line, "Action: ");
        buf_append_str(&line, call.tool_name);
        buf_append_cstr(&line, "[");
        action_argument(&call, &line);
        buf_append_cstr(&line, "]");
        turn_open(maker, GEN_ROLE_ASSISTANT);
        piece_add(maker, keep(maker, &line), (struct fit_piece){.cut = FIT_BOTH_ENDS});
        turn_open(maker, GEN_ROLE_USER);
        own_add(maker, STR("Observation: "));
        piece_add(maker, scene->outputs[i + 1], (struct fit_piece){.cut = FIT_BOTH_ENDS});
    }
}

bool agent_prompt_make(const struct workflow_scene *scene, uint32_t step, struct arena *arena,
                       struct agent_prompt *out) {
    struct maker maker = {.scene = scene, .step = step, .arena = arena, .out = out};
    const enum agent_mode mode = agent_mode(scene, step);
    const struct gen_request *request = scene->request;
    const size_t capacity = agent_prompt_capacity(scene);
    size_t task = request->message_count;
    out->turns = ARENA_ARRAY(arena, uint32_t, capacity);
    out->roles = ARENA_ARRAY(arena, enum gen_role, capacity);
    out->turn_count = 0;
    if (out->turns == NULL || out->roles == NULL) {
        return false;
    }
    while (task > 0 && request->messages[task - 1].role != GEN_ROLE_USER) {
        task--;
    }
    task -= task > 0;
    system_add(&maker, mode);
    if (mode == AGENT_CHOOSES && fit_context(scene->context_length) >= EXAMPLES_CONTEXT_MIN) {
        examples_add(&maker);
    }
    history_add(&maker, task);
    question_add(&maker, mode);
    if (mode == AGENT_CHOOSES) {
        errors_add(&maker);
    }
    return !maker.full;
}

int64_t agent_prompt_turn_tokens(const struct agent_prompt *prompt) {
    return prompt->turn_count > 2 ? (int64_t)(prompt->turn_count - 2) * TURN_TOKENS : 0;
}

bool agent_prompt_messages(const struct agent_prompt *prompt, struct arena *arena, struct gen_request *out) {
    struct gen_message *messages = ARENA_ARRAY(arena, struct gen_message, prompt->turn_count);
    size_t count = 0, piece = 0;
    for (uint32_t turn = 0; messages != NULL && turn < prompt->turn_count; turn++) {
        struct buf text;
        buf_init(&text, TEXT_BYTES);
        for (; piece < prompt->pieces.count && prompt->turns[piece] == turn; piece++) {
            buf_append_str(&text, prompt->pieces.pieces[piece].text);
        }
        const struct str content = arena_copy(arena, words_trim(buf_str(&text)));
        buf_clear(&text);
        if (content.data == NULL) {
            return false;
        }
        if (content.len > 0 || turn + 1 == prompt->turn_count) {
            messages[count++] = (struct gen_message){prompt->roles[turn], content, STR(""), NULL, 0};
        }
    }
    out->messages = messages;
    out->message_count = count;
    return messages != NULL;
}
