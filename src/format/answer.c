#include "format/answer.h"

#include "workflow/workflows.h"

const char *answer_finish_reason(enum gen_finish finish) {
    switch (finish) {
    case GEN_FINISH_STOP:
        return "stop";
    case GEN_FINISH_LENGTH:
    case GEN_FINISH_CANCELLED: /* cut short; clients know no better word for it */
        return "length";
    }
    return "stop";
}

struct str answer_tool_calls(const struct call *call) {
    return call->workflow_answer != NULL ? call->workflow_answer->tool_calls : STR("");
}

const char *answer_call_finish_reason(const struct call *call, const struct call_result *result) {
    return answer_tool_calls(call).len > 0 ? "tool_calls" : answer_finish_reason(result->finish);
}

void answer_write_usage(struct json_writer *writer, const struct gen_usage *usage) {
    json_write_key(writer, "usage");
    json_begin_object(writer);
    json_member_int(writer, "prompt_tokens", usage->prompt_tokens);
    json_member_int(writer, "completion_tokens", usage->completion_tokens);
    json_member_int(writer, "total_tokens", (int64_t)usage->prompt_tokens + usage->completion_tokens);
    json_write_key(writer, "prompt_tokens_details");
    json_begin_object(writer);
    json_member_int(writer, "cached_tokens", usage->cached_tokens);
    json_end_object(writer);
    json_end_object(writer);
}

static const char *region_of(const struct call_result *result) {
    return result->provider_region != NULL && result->provider_region[0] != '\0' ? result->provider_region : NULL;
}

void answer_write_provider(struct json_writer *writer, const struct call_result *result) {
    json_write_key(writer, "provider");
    json_begin_object(writer);
    json_member_cstr(writer, "region", region_of(result));
    json_member_int(writer, "latency_ms", result->latency_ms);
    json_end_object(writer);
}

void answer_write_nataris(struct json_writer *writer, const struct call *call, const struct call_result *result) {
    if (call->workflow_answer != NULL) {
        workflow_answer_write(writer, call->workflow_answer);
        return;
    }
    json_write_key(writer, "nataris");
    json_begin_object(writer);
    json_member_cstr(writer, "inference_type", result->inference_type);
    json_write_key(writer, "provider");
    json_begin_object(writer);
    json_member_cstr(writer, "id", result->provider_id);
    json_member_cstr(writer, "region", region_of(result));
    json_end_object(writer);
    json_member_int(writer, "attempts", result->attempts);
    if (result->continued > 0) {
        json_member_int(writer, "continued", result->continued);
    }
    json_member_int(writer, "latency_ms", result->latency_ms);
    json_member_int(writer, "ttft_ms", result->ttft_ms);
    json_end_object(writer);
}

static void write_choices(const struct call *call, const struct call_result *result, struct json_writer *writer) {
    json_write_key(writer, "choices");
    json_begin_array(writer);
    json_begin_object(writer);
    json_member_int(writer, "index", 0);
    json_write_key(writer, "message");
    json_begin_object(writer);
    json_member_cstr(writer, "role", "assistant");
    if (answer_tool_calls(call).len > 0) {
        json_member_cstr(writer, "content", NULL);
        json_write_key(writer, "tool_calls");
        json_write_raw(writer, answer_tool_calls(call));
    } else {
        json_member_str(writer, "content", buf_str(&call->answer));
    }
    json_end_object(writer);
    json_member_cstr(writer, "logprobs", NULL);
    json_member_cstr(writer, "finish_reason", answer_call_finish_reason(call, result));
    json_end_object(writer);
    json_end_array(writer);
}

void answer_write(const struct call *call, const struct call_result *result, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", call->id);
    json_member_cstr(&writer, "object", call->kind == API_CALL_CHAT ? "chat.completion" : "inference");
    json_member_int(&writer, "created", call->created_ms / 1000);
    json_member_str(&writer, "model", call->generation.model);
    switch (call->kind) {
    case API_CALL_CHAT:
        write_choices(call, result, &writer);
        answer_write_usage(&writer, &result->usage);
        break;
    case API_CALL_INFERENCE:
        json_member_str(&writer, "output", buf_str(&call->answer));
        json_member_cstr(&writer, "finish_reason", answer_finish_reason(result->finish));
        answer_write_usage(&writer, &result->usage);
        answer_write_provider(&writer, result);
        break;
    }
    answer_write_nataris(&writer, call, result);
    json_end_object(&writer);
}
