#include "format/ollama_answer.h"

#include "base/json_values.h"
#include "format/parts.h"

static struct json_writer line_open(const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_str(&writer, "model", answer->model);
    json_member_time(&writer, "created_at", answer->created_ms);
    return writer;
}

static void line_close(struct json_writer *writer) {
    json_end_object(writer);
    buf_append_cstr(writer->out, "\n");
}

/* An object, where other forms have its text. One that was cut short is none. */
static void write_arguments(struct str json, struct json_writer *writer) {
    struct json_parser *parser = json_parser_new(LIMIT_ANSWER_BYTES, LIMIT_JSON_DEPTH);
    struct json_value root;
    if (json_parse(parser, json, &root, NULL) && json_type_of(root) == JSON_OBJECT) {
        json_write_raw(writer, json);
    } else {
        json_begin_object(writer);
        json_end_object(writer);
    }
    json_parser_free(parser);
}

static void write_calls(const struct answer *answer, struct json_writer *writer) {
    json_write_key(writer, "tool_calls");
    json_begin_array(writer);
    for (size_t i = 0; i < answer->call_count; i++) {
        json_begin_object(writer);
        json_member_str(writer, "id", answer->calls[i].id);
        json_write_key(writer, "function");
        json_begin_object(writer);
        json_member_int(writer, "index", (int64_t)i);
        json_member_str(writer, "name", answer->calls[i].name);
        json_write_key(writer, "arguments");
        write_arguments(answer->calls[i].arguments, writer);
        json_end_object(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* `calls`: with those of the answer. */
static void write_message(const struct answer *answer, struct str text, bool calls, struct json_writer *writer) {
    json_write_key(writer, "message");
    json_begin_object(writer);
    json_member_cstr(writer, "role", "assistant");
    json_member_str(writer, "content", text);
    if (calls && answer->call_count > 0) {
        write_calls(answer, writer);
    }
    json_end_object(writer);
}

/* Durations are nanoseconds. */
static void write_end(const struct answer *answer, struct json_writer *writer) {
    enum { NS_OF_MS = 1000 * 1000 };
    const struct call_result *result = answer->result;
    const int64_t total_ms = result->latency_ms;
    const int64_t first_ms = result->ttft_ms < result->latency_ms ? result->ttft_ms : result->latency_ms;
    json_member_bool(writer, "done", true);
    json_member_cstr(writer, "done_reason", parts_finish_word(result->finish));
    json_member_int(writer, "total_duration", total_ms * NS_OF_MS);
    json_member_int(writer, "load_duration", 0);
    json_member_int(writer, "prompt_eval_count", result->usage.prompt_tokens);
    json_member_int(writer, "prompt_eval_duration", first_ms * NS_OF_MS);
    json_member_int(writer, "eval_count", result->usage.completion_tokens);
    json_member_int(writer, "eval_duration", (total_ms - first_ms) * NS_OF_MS);
    parts_write_nataris(writer, answer);
}

void ollama_write_chat(const struct answer *answer, struct buf *out) {
    struct json_writer writer = line_open(answer, out);
    write_message(answer, answer->text, true, &writer);
    write_end(answer, &writer);
    json_end_object(&writer);
}

void ollama_write_generate(const struct answer *answer, struct buf *out) {
    struct json_writer writer = line_open(answer, out);
    json_member_str(&writer, "response", answer->text);
    write_end(answer, &writer);
    json_end_object(&writer);
}

/* --- A stream --- */

void ollama_write_begin(const struct format_stream *stream, struct buf *out) {
    (void)stream;
    (void)out;
}

void ollama_write_chat_text(const struct format_stream *stream, struct str text, struct buf *out) {
    struct json_writer writer = line_open(&stream->known, out);
    write_message(&stream->known, text, false, &writer);
    json_member_bool(&writer, "done", false);
    line_close(&writer);
}

void ollama_write_generate_text(const struct format_stream *stream, struct str text, struct buf *out) {
    struct json_writer writer = line_open(&stream->known, out);
    json_member_str(&writer, "response", text);
    json_member_bool(&writer, "done", false);
    line_close(&writer);
}

/* There is no line for that. */
void ollama_write_note(const struct format_stream *stream, struct str nataris, struct buf *out) {
    (void)stream;
    (void)nataris;
    (void)out;
}

void ollama_write_call_start(const struct format_stream *stream, size_t index, const struct gen_tool_call *call,
                             struct buf *out) {
    (void)stream;
    (void)index;
    (void)call;
    (void)out;
}

void ollama_write_call_arguments(const struct format_stream *stream, size_t index, struct str json, struct buf *out) {
    (void)stream;
    (void)index;
    (void)json;
    (void)out;
}

void ollama_write_chat_end(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    (void)stream;
    if (answer->call_count > 0) {
        writer = line_open(answer, out);
        write_message(answer, STR(""), true, &writer);
        json_member_bool(&writer, "done", false);
        line_close(&writer);
    }
    writer = line_open(answer, out);
    write_message(answer, STR(""), false, &writer);
    write_end(answer, &writer);
    line_close(&writer);
}

void ollama_write_generate_end(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    struct json_writer writer = line_open(answer, out);
    (void)stream;
    json_member_cstr(&writer, "response", "");
    write_end(answer, &writer);
    line_close(&writer);
}
