#include "format/responses_echo.h"

#include "base/json_write.h"

static bool is_given(struct json_value value) {
    return json_type_of(value) != JSON_NULL;
}

static void write_text(struct json_writer *writer, const char *key, struct str text) {
    if (text.len > 0 && text.len <= RESPONSES_ECHO_BYTES) {
        json_member_str(writer, key, text);
    } else {
        json_member_cstr(writer, key, NULL);
    }
}

static void write_integer(struct json_writer *writer, const char *key, const struct field_integer *number) {
    if (number->given) {
        json_member_int(writer, key, number->value);
    } else {
        json_member_cstr(writer, key, NULL);
    }
}

static void write_value(struct json_writer *writer, struct json_value value) {
    json_serialize(value, writer->out);
    writer->need_comma = true;
}

/* A member of an object, or null: OpenAI's answers name those that were not sent. */
static void write_member(struct json_writer *writer, struct json_value object, const char *key) {
    struct json_value value;
    json_write_key(writer, key);
    if (json_get_given(object, key, &value)) {
        write_value(writer, value);
    } else {
        json_write_null(writer);
    }
}

static void write_tool(struct json_writer *writer, struct json_value tool) {
    struct json_value value;
    struct str type;
    if (!json_get_given(tool, "type", &value) || !json_as_str(value, &type) || !str_equal(type, STR("function"))) {
        json_write_raw(writer, STR("")); /* only its comma */
        write_value(writer, tool);
        return;
    }
    json_begin_object(writer);
    json_member_cstr(writer, "type", "function");
    write_member(writer, tool, "name");
    write_member(writer, tool, "description");
    write_member(writer, tool, "parameters");
    write_member(writer, tool, "strict");
    json_end_object(writer);
}

static void write_tools(struct json_writer *writer, struct json_value tools) {
    struct json_iterator iterator;
    struct json_value tool;
    const struct json_writer before = *writer;
    const size_t length = writer->out->len;
    json_write_key(writer, "tools");
    json_begin_array(writer);
    for (json_iterate(tools, &iterator); is_given(tools) && json_next(&iterator, NULL, &tool);) {
        write_tool(writer, tool);
    }
    json_end_array(writer);
    if (writer->out->len - length > RESPONSES_ECHO_BYTES) {
        *writer = before;
        writer->out->len = length;
        json_write_key(writer, "tools");
        json_begin_array(writer);
        json_end_array(writer);
    }
}

/* An object's value, unless it is long; or what stands for none. */
static void write_or(struct json_writer *writer, const char *key, struct json_value value, const char *none) {
    const struct json_writer before = *writer;
    const size_t length = writer->out->len;
    json_write_key(writer, key);
    if (is_given(value)) {
        write_value(writer, value);
    }
    if (!is_given(value) || writer->out->len - length > RESPONSES_ECHO_BYTES) {
        *writer = before;
        writer->out->len = length;
        json_write_key(writer, key);
        json_write_raw(writer, str_from(none));
    }
}

static void write_format(struct json_writer *writer, const struct fields_content *content) {
    json_write_key(writer, "text");
    json_begin_object(writer);
    write_or(writer, "format", content->response_format, "{\"type\":\"text\"}");
    json_member_cstr(writer, "verbosity", "medium");
    json_end_object(writer);
}

static void write_reasoning(struct json_writer *writer, struct json_value reasoning) {
    json_write_key(writer, "reasoning");
    json_begin_object(writer);
    write_member(writer, reasoning, "effort");
    write_member(writer, reasoning, "summary");
    json_end_object(writer);
}

static void write_echo(const struct responses_asked *asked, const struct fields_content *content,
                       const struct gen_request *request, struct json_writer *writer) {
    json_member_bool(writer, "background", false);
    json_member_double(writer, "frequency_penalty", request->frequency_penalty);
    write_text(writer, "instructions", asked->instructions);
    write_integer(writer, "max_output_tokens", &asked->max_output_tokens);
    write_integer(writer, "max_tool_calls", &asked->max_tool_calls);
    write_or(writer, "metadata", asked->metadata, "{}");
    json_member_bool(writer, "parallel_tool_calls", !content->one_call);
    json_member_double(writer, "presence_penalty", request->presence_penalty);
    write_text(writer, "previous_response_id", asked->previous);
    write_text(writer, "prompt_cache_key", asked->prompt_cache_key);
    write_reasoning(writer, asked->reasoning);
    write_text(writer, "safety_identifier", asked->safety_identifier);
    json_member_cstr(writer, "service_tier", "default");
    json_member_double(writer, "temperature", request->temperature);
    write_format(writer, content);
    write_or(writer, "tool_choice", content->tool_choice, "\"auto\"");
    write_tools(writer, content->tools);
    json_member_int(writer, "top_logprobs", 0);
    json_member_double(writer, "top_p", request->top_p);
    json_member_cstr(writer, "truncation", "disabled");
    write_text(writer, "user", asked->user);
}

bool responses_echo(const struct responses_asked *asked, const struct fields_content *content, struct arena *arena,
                    struct call_input *out, struct err *err) {
    struct json_writer writer;
    struct buf text;
    buf_init(&text, LIMIT_HTTP_BODY_BYTES);
    json_writer_init(&writer, &text);
    write_echo(asked, content, &out->request, &writer);
    const bool good = text.overflow ? err_set(err, ERR_TOO_LARGE, "The request is too large.")
                                    : fields_copy(arena, buf_str(&text), &out->echo, err);
    buf_clear(&text);
    return good;
}
