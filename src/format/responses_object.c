#include "format/responses_object.h"

#include "format/parts.h"
#include "format/responses_items.h"

const char *responses_status(const struct answer *answer) {
    return answer->result->finish == GEN_FINISH_STOP ? "completed" : "incomplete";
}

void responses_write_output(const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    char id[ID_SIZE];
    size_t place = 0;
    json_writer_init(&writer, out);
    if (answer->text.len > 0 || answer->call_count == 0) {
        responses_item_id(answer->id, false, place++, id);
        responses_write_message(&writer, id, answer->call_count > 0 ? "completed" : responses_status(answer),
                                answer->text);
    }
    for (size_t i = 0; i < answer->call_count; i++) {
        responses_item_id(answer->id, true, place++, id);
        responses_write_call(&writer, id, i + 1 < answer->call_count ? "completed" : responses_status(answer),
                             &answer->calls[i]);
    }
}

/* OpenAI's words for what went wrong, by which clients decide whether to try again. */
static const char *error_code(const struct fault *fault) {
    if (fault->code == FAULT_CONTEXT_LENGTH) {
        return "context_length_exceeded";
    }
    if (fault->code == FAULT_RATE_LIMIT_EXCEEDED) {
        return "rate_limit_exceeded";
    }
    if (fault->code == FAULT_INSUFFICIENT_CREDITS) {
        return "insufficient_quota";
    }
    return fault_is_retryable(fault) || fault_status(fault) >= 500 ? "server_error" : "invalid_prompt";
}

static void write_error(struct json_writer *writer, const struct fault *fault) {
    json_write_key(writer, "error");
    if (fault == NULL) {
        json_write_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_cstr(writer, "code", error_code(fault));
    json_member_cstr(writer, "message", fault->message);
    json_end_object(writer);
}

static void write_incomplete(struct json_writer *writer, const struct answer *answer) {
    json_write_key(writer, "incomplete_details");
    if (answer->result == NULL || answer->result->finish == GEN_FINISH_STOP) {
        json_write_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_cstr(writer, "reason", "max_output_tokens");
    json_end_object(writer);
}

static void write_usage(struct json_writer *writer, const struct answer *answer) {
    json_write_key(writer, "usage");
    if (answer->result == NULL) {
        json_write_null(writer);
        return;
    }
    const struct gen_usage *usage = &answer->result->usage;
    json_begin_object(writer);
    json_member_int(writer, "input_tokens", usage->prompt_tokens);
    json_write_key(writer, "input_tokens_details");
    json_begin_object(writer);
    json_member_int(writer, "cached_tokens", usage->cached_tokens);
    json_end_object(writer);
    json_member_int(writer, "output_tokens", usage->completion_tokens);
    json_write_key(writer, "output_tokens_details");
    json_begin_object(writer);
    json_member_int(writer, "reasoning_tokens", 0);
    json_end_object(writer);
    json_member_int(writer, "total_tokens", (int64_t)usage->prompt_tokens + usage->completion_tokens);
    json_end_object(writer);
}

void responses_write_object(struct json_writer *writer, const struct answer *answer,
                            const struct responses_view *view) {
    const char *running = view->fault != NULL ? "failed" : "in_progress";
    json_begin_object(writer);
    json_member_cstr(writer, "id", answer->id);
    json_member_cstr(writer, "object", "response");
    json_member_int(writer, "created_at", answer->created_ms / 1000);
    json_member_cstr(writer, "status", answer->result != NULL ? responses_status(answer) : running);
    json_write_key(writer, "completed_at");
    if (answer->result != NULL && answer->result->finish == GEN_FINISH_STOP) {
        json_write_int(writer, (answer->created_ms + answer->result->latency_ms) / 1000);
    } else {
        json_write_null(writer);
    }
    write_error(writer, view->fault);
    write_incomplete(writer, answer);
    json_member_str(writer, "model", answer->model);
    json_write_key(writer, "output");
    json_begin_array(writer);
    if (view->output.len > 0) {
        json_write_raw(writer, view->output);
    }
    json_end_array(writer);
    write_usage(writer, answer);
    json_member_bool(writer, "store", answer->kept);
    if (answer->echo.len > 0) {
        json_write_raw(writer, answer->echo);
    }
    if (answer->result != NULL) {
        parts_write_nataris(writer, answer);
    }
    json_end_object(writer);
}
