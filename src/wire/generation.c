#include "wire/generation.h"

#include "base/compiler.h"

static const char *const role_names[] = {
    [GEN_ROLE_SYSTEM] = "system",
    [GEN_ROLE_USER] = "user",
    [GEN_ROLE_ASSISTANT] = "assistant",
    [GEN_ROLE_TOOL] = "tool",
};

static const char *const finish_names[] = {
    [GEN_FINISH_STOP] = "stop",
    [GEN_FINISH_LENGTH] = "length",
    [GEN_FINISH_CANCELLED] = "cancelled",
};

static const char *const failure_names[] = {
    [GEN_FAILURE_BAD_REQUEST] = "bad_request", [GEN_FAILURE_CONTEXT_LENGTH] = "context_length",
    [GEN_FAILURE_OVERLOADED] = "overloaded",   [GEN_FAILURE_MODEL_MISSING] = "model_missing",
    [GEN_FAILURE_ENGINE] = "engine",           [GEN_FAILURE_DRAINING] = "draining",
};

static bool gen_find_name(const char *const *names, size_t count, struct str name, size_t *out) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_cstr(name, names[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *gen_role_name(enum gen_role role) {
    return role_names[role];
}

bool gen_role_from_name(struct str name, enum gen_role *out) {
    size_t index;
    if (!gen_find_name(role_names, COUNT_OF(role_names), name, &index)) {
        return false;
    }
    *out = (enum gen_role)index;
    return true;
}

const char *gen_finish_name(enum gen_finish finish) {
    return finish_names[finish];
}

bool gen_finish_from_name(struct str name, enum gen_finish *out) {
    size_t index;
    if (!gen_find_name(finish_names, COUNT_OF(finish_names), name, &index)) {
        return false;
    }
    *out = (enum gen_finish)index;
    return true;
}

const char *gen_failure_name(enum gen_failure failure) {
    return failure_names[failure];
}

bool gen_failure_from_name(struct str name, enum gen_failure *out) {
    size_t index;
    if (!gen_find_name(failure_names, COUNT_OF(failure_names), name, &index)) {
        return false;
    }
    *out = (enum gen_failure)index;
    return true;
}

void gen_request_init(struct gen_request *request) {
    *request = (struct gen_request){
        .model = STR(""),
        .prompt = STR(""),
        .continue_text = STR(""),
        .scope = STR(""),
        .max_tokens = 256,
        .temperature = 0.7,
        .top_p = 0.9,
        .top_k = 40,
        .repeat_penalty = 1.0,
    };
}

static void gen_message_write(const struct gen_message *message, struct json_writer *writer) {
    json_begin_object(writer);
    json_member_cstr(writer, "role", gen_role_name(message->role));
    json_member_str(writer, "content", message->content);
    if (message->tool_call_id.len > 0) {
        json_member_str(writer, "tool_call_id", message->tool_call_id);
    }
    if (message->tool_call_count > 0) {
        json_write_key(writer, "tool_calls");
        json_begin_array(writer);
        for (size_t i = 0; i < message->tool_call_count; i++) {
            const struct gen_tool_call *call = &message->tool_calls[i];
            json_begin_object(writer);
            json_member_str(writer, "id", call->id);
            json_member_str(writer, "name", call->name);
            json_member_str(writer, "arguments", call->arguments);
            json_end_object(writer);
        }
        json_end_array(writer);
    }
    json_end_object(writer);
}

static void gen_sampling_write(const struct gen_request *request, struct json_writer *writer) {
    json_member_double(writer, "temperature", request->temperature);
    json_member_double(writer, "top_p", request->top_p);
    json_member_int(writer, "top_k", request->top_k);
    json_member_double(writer, "repeat_penalty", request->repeat_penalty);
    json_member_double(writer, "frequency_penalty", request->frequency_penalty);
    json_member_double(writer, "presence_penalty", request->presence_penalty);
    if (request->seed_given) {
        json_member_int(writer, "seed", (int64_t)(request->seed & INT64_MAX));
    }
}

void gen_request_write(const struct gen_request *request, struct json_writer *writer) {
    json_member_str(writer, "model", request->model);
    if (request->message_count > 0) {
        json_write_key(writer, "messages");
        json_begin_array(writer);
        for (size_t i = 0; i < request->message_count; i++) {
            gen_message_write(&request->messages[i], writer);
        }
        json_end_array(writer);
    } else {
        json_member_str(writer, "prompt", request->prompt);
    }
    if (request->continue_text.len > 0) {
        json_member_str(writer, "continue_text", request->continue_text);
    }
    json_member_int(writer, "max_tokens", request->max_tokens);
    json_member_bool(writer, "max_tokens_given", request->max_tokens_given);
    gen_sampling_write(request, writer);
    if (request->stop_count > 0) {
        json_write_key(writer, "stop");
        json_begin_array(writer);
        for (size_t i = 0; i < request->stop_count; i++) {
            json_write_str(writer, request->stop[i]);
        }
        json_end_array(writer);
    }
    json_member_bool(writer, "stream", request->stream);
}
