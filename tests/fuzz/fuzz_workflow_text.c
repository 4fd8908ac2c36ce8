/* What a client writes about a workflow, and what models write in its steps. The first byte chooses. Properties:
 * nothing harms; a refusal names its field; what a think or review means is part of its output; chunks cover their
 * document without cutting a character; a step's prompt fits; the calculator always says something. */
#include "base/utf8.h"
#include "workflow/budget.h"
#include "workflow/choose.h"
#include "workflow/compose.h"
#include "workflow/fit.h"
#include "workflow/meaning.h"
#include "workflow/review.h"
#include "workflow/search.h"
#include "workflow/task.h"
#include "workflow/tool_question.h"
#include "workflow/tools.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 16 << 20, JSON_BYTES = 1 << 20, OUT_BYTES = 1 << 20 };

static struct json_parser *parser;

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static void fuzz_orchestration(struct str text, struct arena *arena, bool tools) {
    struct orchestration read, again;
    struct json_value root;
    struct json_writer writer;
    struct buf out;
    struct err err;
    err_clear(&err);
    orchestration_init(&read);
    if (!json_parse(parser, text, &root, NULL)) {
        return;
    }
    if (!(tools ? tools_read(root, arena, &read.tools, &read.tool_count, &err)
                : orchestration_read(root, &read, &err))) {
        check(err.message[0] != '\0' && err.field[0] != '\0');
        return;
    }
    check(read.max_steps >= 1 && read.max_steps <= CORE_WORKFLOW_STEPS_MAX);
    buf_init(&out, OUT_BYTES);
    json_writer_init(&writer, &out);
    orchestration_write(&read, &writer);
    check(!out.overflow && json_parse(parser, buf_str(&out), &root, NULL));
    check(orchestration_read_stored(root, arena, &again, &err));
    check(again.max_cost_nano == read.max_cost_nano && again.tool_count == read.tool_count);
    check(again.kind == read.kind && again.enabled == read.enabled && again.automatic == read.automatic);
    buf_clear(&out);
}

static bool is_within(struct str part, struct str whole) {
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void fuzz_meaning(struct str output, enum core_step_name name) {
    static const struct orchestration_tool tool = {STR("look"), STR(""), STR("at"), STR("at")};
    const struct orchestration asked = {.tools = &tool, .tool_count = 1};
    struct core_step step = {.name = name};
    struct core_workflow workflow = {.steps = &step, .step_count = 1};
    const struct gen_message question = {GEN_ROLE_USER, STR("Who built it?"), STR(""), NULL, 0};
    const struct gen_request request = {.messages = &question, .message_count = 1};
    const struct workflow_scene scene = {.request = &request, .asked = &asked, .workflow = &workflow};
    const struct workflow_meaning meaning = workflow_step_meaning(&scene, 0, output);
    struct json_value root;
    struct buf out;
    check(is_within(meaning.text, output) && is_within(meaning.tool_name, output));
    check(is_within(meaning.argument, output) && meaning.argument.len <= WORKFLOW_ARGUMENT_BYTES);
    check(is_within(workflow_answer_text(name, output), output));
    if (meaning.outcome == CORE_OUTCOME_CALL) {
        buf_init(&out, OUT_BYTES);
        workflow_call_arguments(parser, &meaning, &out);
        check(json_parse(parser, buf_str(&out), &root, NULL) && json_type_of(root) == JSON_OBJECT);
        buf_clear(&out);
    }
}

static void check_step(struct workflow_scene *scene, struct arena *arena, bool valid) {
    struct gen_request made;
    check(workflow_step_compose(scene, 0, arena, &made));
    int64_t tokens = made.max_tokens;
    for (size_t i = 0; i < made.message_count; i++) {
        const struct str text = made.messages[i].content;
        tokens += fit_text_tokens(text, &scene->rates);
        check(!valid || utf8_valid(text.data, text.len));
    }
    check(tokens <= scene->context_length);
}

static void fuzz_chunks(struct str document, uint32_t context, uint32_t scale, struct arena *arena) {
    const struct gen_message message = {GEN_ROLE_USER, document, STR(""), NULL, 0};
    const bool valid = utf8_valid(document.data, document.len);
    struct core_step step = {.name = CORE_STEP_MAP};
    struct core_workflow workflow = {.steps = &step, .step_count = 1};
    struct orchestration asked;
    struct gen_request request;
    struct str output = STR("");
    size_t covered = 0;
    gen_request_init(&request);
    orchestration_init(&asked);
    request.messages = &message;
    request.message_count = 1;
    struct tokens_rates rates = tokens_prior_of(STR("demo"))->rates;
    tokens_rates_scale(&rates, 100 * (uint64_t)scale);
    const struct workflow_chunks chunks = workflow_chunks_plan(&request, context, &rates);
    struct workflow_scene scene = {.request = &request,
                                   .asked = &asked,
                                   .workflow = &workflow,
                                   .outputs = &output,
                                   .chunks = chunks,
                                   .context_length = context,
                                   .rates = rates};
    for (uint32_t i = 0; i < chunks.count; i++) {
        const struct str chunk = workflow_chunk(document, &chunks, i);
        const size_t start = (size_t)(chunk.data - document.data);
        check(start <= covered && start + chunk.len >= covered && chunk.len <= chunks.bytes);
        check(!valid || utf8_valid(chunk.data, chunk.len));
        covered = start + chunk.len;
        step.part = i;
        if (i < 4) {
            check_step(&scene, arena, valid);
        }
    }
    check(covered == document.len);
    (void)workflow_choose(&request, &asked, context, &rates);
}

static void fuzz_calculator(struct str text) {
    struct buf out;
    buf_init(&out, OUT_BYTES);
    workflow_calculate(text, &out);
    (void)tool_question_read(text);
    (void)review_passes(text);
    check(out.len > 0 && !out.overflow);
    const struct store_message message = {.role = GEN_ROLE_USER, .content = text};
    workflow_search(&message, 1, text, &out);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (parser == NULL) {
        parser = json_parser_new(JSON_BYTES, LIMIT_JSON_DEPTH);
    }
    if (size == 0) {
        return 0;
    }
    /* A copy of its own, so that a read behind the end is seen. */
    char *copy = malloc(size); /* at least one byte */
    check(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    const struct str text = {copy, size - 1};
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    switch (data[0] % 6) {
    case 0:
    case 1:
        fuzz_orchestration(text, &arena, data[0] % 6 == 1);
        break;
    case 2:
        fuzz_meaning(text, CORE_STEP_THINK);
        break;
    case 3:
        fuzz_meaning(text, CORE_STEP_REVIEW);
        break;
    case 4:
        fuzz_chunks(text, 64U << (data[0] / 6 % 8), 1U << (data[0] / 48 % 3), &arena);
        break;
    default:
        fuzz_calculator(text);
        break;
    }
    arena_clear(&arena);
    free(copy);
    return 0;
}
