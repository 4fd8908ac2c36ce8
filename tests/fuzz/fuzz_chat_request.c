/* A request's body as a client sends it; the first byte chooses chat, inference or completions. Property: no body
 * harms, a refusal says why, and what is accepted keeps every range and limit and can be read by the other end of the
 * wire. */
#include "format/chat.h"
#include "format/completions.h"
#include "format/fields.h"
#include "format/inference.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 16 << 20, WIRE_BYTES = LIMIT_LINK_MESSAGE_BYTES };

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static bool within(double value, double min, double max) {
    return value >= min && value <= max;
}

static void check_messages(const struct gen_request *request) {
    check(request->message_count >= 1 && request->message_count <= LIMIT_MESSAGES);
    for (size_t i = 0; i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        check(message->role <= GEN_ROLE_TOOL && message->content.data != NULL);
        check(message->tool_call_count <= LIMIT_TOOL_CALLS);
        check(message->tool_call_count == 0 || message->role == GEN_ROLE_ASSISTANT);
        check((message->tool_call_id.len > 0) == (message->role == GEN_ROLE_TOOL));
    }
}

static void check_prompts(const struct call_input *input) {
    const struct call_prompts *prompts = input->prompts;
    check(input->request.message_count == 0 && prompts != NULL);
    check(prompts->count >= 1 && prompts->count <= LIMIT_PROMPTS);
    for (size_t i = 0; i < prompts->count; i++) {
        check(prompts->items[i].data != NULL && prompts->items[i].len > 0);
    }
    check(str_equal(input->request.prompt, prompts->items[0]));
}

static void check_request(const struct gen_request *request) {
    check(request->model.len >= 1 && request->model.len <= LIMIT_MODEL_ID_BYTES);
    check(within(request->temperature, 0, 2) && within(request->top_p, 0, 1) && within(request->min_p, 0, 1));
    check(within(request->frequency_penalty, -2, 2) && within(request->presence_penalty, -2, 2));
    check(within(request->repeat_penalty, 0.1, 2) && request->top_k <= 1000);
    check(request->max_tokens >= 1 && request->max_tokens <= LIMIT_MAX_TOKENS);
    check(request->seed <= INT64_MAX && request->stop_count <= LIMIT_STOP_STRINGS);
    for (size_t i = 0; i < request->stop_count; i++) {
        check(request->stop[i].len >= 1 && request->stop[i].len <= LIMIT_STOP_BYTES);
    }
}

/* The device reads the same request. */
static void check_wire(struct json_parser *parser, struct arena *arena, const struct gen_request *request) {
    struct buf text;
    struct json_writer writer;
    buf_init(&text, WIRE_BYTES);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    gen_request_write(request, &writer);
    json_end_object(&writer);
    struct json_value root;
    struct gen_request again;
    struct err err;
    check(!text.overflow && json_parse(parser, buf_str(&text), &root, &err));
    check(gen_request_read(root, arena, &again, &err));
    check(again.message_count == request->message_count && again.seed == request->seed);
    check(request->message_count > 0 ? str_equal(again.messages[0].content, request->messages[0].content)
                                     : str_equal(again.prompt, request->prompt));
    buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct json_parser *parser;
    if (parser == NULL) {
        parser = json_parser_new(WIRE_BYTES, LIMIT_JSON_DEPTH);
    }
    struct json_value body;
    struct err err;
    if (size == 0 || !json_parse(parser, (struct str){(const char *)data + 1, size - 1}, &body, &err)) {
        return 0;
    }
    struct arena arena;
    struct call_input input;
    arena_init(&arena, ARENA_BYTES);
    err_clear(&err);
    const struct format *format = data[0] == 'i'   ? &FORMAT_INFERENCE
                                  : data[0] == 'p' ? &FORMAT_COMPLETIONS
                                                   : &FORMAT_CHAT;
    if (format->read(body, &arena, &input, &err)) {
        if (format == &FORMAT_COMPLETIONS) {
            check_prompts(&input);
        } else {
            check_messages(&input.request);
        }
        check_request(&input.request);
        check(input.label.len <= LIMIT_NAME_BYTES);
        check_wire(parser, &arena, &input.request);
    } else {
        check(err.code == ERR_INVALID || err.code == ERR_UNSUPPORTED || err.code == ERR_TOO_LARGE);
        check(err.message[0] != '\0' && strlen(err.field) < ERR_FIELD_MAX);
    }
    arena_clear(&arena);
    return 0;
}
