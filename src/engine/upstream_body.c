#include "engine/upstream_body.h"

#include "base/json_write.h"

enum { OPENAI_STOPS = 4 }; /* more of them are refused */

const char *upstream_body_path(const struct gen_request *request) {
    return request->message_count > 0 ? "/chat/completions" : "/completions";
}

bool upstream_body_is_possible(const struct gen_request *request, const struct upstream_server *server) {
    const bool continues = request->continue_text.len > 0;
    if (request->grammar.len > 0 && (continues || !upstream_server_keeps_grammars(server))) {
        return false; /* its grammar would begin anew behind the text */
    }
    return !continues || request->message_count == 0 || upstream_server_continues_chats(server);
}

/* --- Messages --- */

static void write_message(struct json_writer *writer, enum gen_role role, struct str content) {
    json_begin_object(writer);
    json_member_cstr(writer, "role", gen_role_name(role));
    json_member_str(writer, "content", content);
    json_end_object(writer);
}

/* What the assistant said and called, as a text. */
static void append_calls(struct buf *text, const struct gen_message *message) {
    buf_append_str(text, message->content);
    for (size_t i = 0; i < message->tool_call_count; i++) {
        const struct gen_tool_call *call = &message->tool_calls[i];
        struct json_writer writer;
        buf_append_cstr(text, text->len > 0 ? "\n<tool_call>\n" : "<tool_call>\n");
        json_writer_init(&writer, text);
        json_begin_object(&writer);
        json_member_str(&writer, "name", call->name);
        json_write_key(&writer, "arguments");
        json_write_raw(&writer, call->arguments.len > 0 ? call->arguments : STR("{}")); /* as the model wrote it */
        json_end_object(&writer);
        buf_append_cstr(text, "\n</tool_call>");
    }
}

/* The results of one turn are one message: many templates want the user and the assistant in turns. */
static size_t append_results(struct buf *text, const struct gen_message *messages, size_t count) {
    size_t taken = 0;
    for (; taken < count && messages[taken].role == GEN_ROLE_TOOL; taken++) {
        buf_append_cstr(text, taken > 0 ? "\n<tool_response>\n" : "<tool_response>\n");
        buf_append_str(text, messages[taken].content);
        buf_append_cstr(text, "\n</tool_response>");
    }
    return taken;
}

static void write_messages(struct json_writer *writer, const struct gen_request *request, struct buf *text) {
    json_write_key(writer, "messages");
    json_begin_array(writer);
    for (size_t i = 0; i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        buf_reset(text);
        if (message->role == GEN_ROLE_TOOL) {
            i += append_results(text, message, request->message_count - i) - 1;
            write_message(writer, GEN_ROLE_USER, buf_str(text));
        } else if (message->tool_call_count > 0) {
            append_calls(text, message);
            write_message(writer, message->role, buf_str(text));
        } else {
            write_message(writer, message->role, message->content);
        }
    }
    if (request->continue_text.len > 0) {
        write_message(writer, GEN_ROLE_ASSISTANT, request->continue_text);
    }
    json_end_array(writer);
}

static void write_prompt(struct json_writer *writer, const struct gen_request *request, struct buf *text) {
    buf_append_str(text, request->prompt);
    buf_append_str(text, request->continue_text);
    json_member_str(writer, "prompt", buf_str(text));
}

/* --- Everything else --- */

static void write_stops(struct json_writer *writer, const struct upstream_ask *ask) {
    const struct gen_request *request = ask->request;
    const size_t most = ask->server->kind == UPSTREAM_PLAIN ? OPENAI_STOPS : LIMIT_STOP_STRINGS;
    if (request->stop_count == 0) {
        return;
    }
    json_write_key(writer, "stop");
    json_begin_array(writer);
    for (size_t i = 0; i < request->stop_count && i < most; i++) {
        json_write_str(writer, request->stop[i]);
    }
    json_end_array(writer);
}

/* What OpenAI's API has. */
static void write_common_sampling(struct json_writer *writer, const struct gen_request *request) {
    json_member_double(writer, "temperature", request->temperature);
    json_member_double(writer, "top_p", request->top_p);
    if (request->frequency_penalty != 0) {
        json_member_double(writer, "frequency_penalty", request->frequency_penalty);
    }
    if (request->presence_penalty != 0) {
        json_member_double(writer, "presence_penalty", request->presence_penalty);
    }
    if (request->seed_given) {
        json_member_int(writer, "seed", (int64_t)(request->seed & INT64_MAX));
    }
}

/* What open-weight servers have beside it. llama-server has other defaults than "off". */
static void write_open_sampling(struct json_writer *writer, const struct gen_request *request,
                                enum upstream_kind kind) {
    const bool always = kind == UPSTREAM_LLAMA_SERVER;
    if (request->top_k > 0 || always) {
        json_member_int(writer, "top_k", request->top_k);
    }
    if (request->min_p > 0 || always) {
        json_member_double(writer, "min_p", request->min_p);
    }
    if (request->repeat_penalty != 1.0 || always) {
        json_member_double(writer, kind == UPSTREAM_VLLM ? "repetition_penalty" : "repeat_penalty",
                           request->repeat_penalty);
    }
}

static void write_options(struct json_writer *writer, enum upstream_kind kind) {
    json_write_key(writer, "stream_options");
    json_begin_object(writer);
    json_member_bool(writer, "include_usage", true);
    if (kind == UPSTREAM_VLLM) {
        json_member_bool(writer, "continuous_usage_stats", true);
    }
    json_end_object(writer);
}

static void write_llama_server(struct json_writer *writer, const struct gen_request *request) {
    json_member_bool(writer, "timings_per_token", true); /* counts with every piece */
    json_member_bool(writer, "return_progress", true);   /* and how far the prompt is read */
    json_member_cstr(writer, "reasoning_format", "none");
    if (request->grammar.len > 0) {
        json_member_str(writer, "grammar", request->grammar);
    }
}

static void write_vllm(struct json_writer *writer, const struct gen_request *request) {
    if (request->scope.len > 0) {
        json_member_str(writer, "cache_salt", request->scope);
    }
    if (request->message_count > 0 && request->continue_text.len > 0) {
        json_member_bool(writer, "add_generation_prompt", false);
        json_member_bool(writer, "continue_final_message", true);
    }
}

bool upstream_body_write(struct buf *out, const struct upstream_ask *ask) {
    const struct gen_request *request = ask->request;
    const enum upstream_kind kind = ask->server->kind;
    struct json_writer writer;
    struct buf text;
    buf_init(&text, UPSTREAM_BODY_MAX);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_str(&writer, "model", ask->model);
    if (request->message_count > 0) {
        write_messages(&writer, request, &text);
    } else {
        write_prompt(&writer, request, &text);
    }
    json_member_bool(&writer, "stream", true);
    if (!ask->no_options) {
        write_options(&writer, kind);
    }
    if (!ask->no_maximum) {
        json_member_int(&writer, "max_tokens", request->max_tokens);
    }
    write_stops(&writer, ask);
    write_common_sampling(&writer, request);
    if (!ask->no_sampling) {
        write_open_sampling(&writer, request, kind);
    }
    switch (kind) {
    case UPSTREAM_PLAIN:
        break;
    case UPSTREAM_LLAMA_SERVER:
        write_llama_server(&writer, request);
        break;
    case UPSTREAM_VLLM:
        write_vllm(&writer, request);
        break;
    }
    json_end_object(&writer);
    const bool whole = !text.overflow && !out->overflow;
    buf_clear(&text);
    return whole;
}
