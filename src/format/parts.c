#include "format/parts.h"

const char *parts_finish_word(enum gen_finish finish) {
    switch (finish) {
    case GEN_FINISH_STOP:
        return "stop";
    case GEN_FINISH_LENGTH:
    case GEN_FINISH_CANCELLED: /* cut short; clients know no better word for it */
        return "length";
    }
    return "stop";
}

const char *parts_finish_reason(const struct answer *answer) {
    const struct call_result *result = answer->result;
    const bool calls = result->tool_calls.len > 0 || (answer->call_count > 0 && result->finish == GEN_FINISH_STOP);
    return calls ? "tool_calls" : parts_finish_word(result->finish);
}

void parts_write_usage(struct json_writer *writer, const struct gen_usage *usage) {
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

void parts_write_provider(struct json_writer *writer, const struct call_result *result) {
    json_write_key(writer, "provider");
    json_begin_object(writer);
    json_member_cstr(writer, "region", region_of(result));
    json_member_int(writer, "latency_ms", result->latency_ms);
    json_end_object(writer);
}

/* Behind the members that are there already. */
static void write_ignored(struct json_writer *writer, const struct answer *answer) {
    if (answer->ignored.len > 0) {
        json_write_raw(writer, answer->ignored);
    }
}

void parts_write_nataris(struct json_writer *writer, const struct answer *answer) {
    const struct call_result *result = answer->result;
    json_write_key(writer, "nataris");
    if (result->nataris.len > 0) { /* an object that is not empty */
        json_write_raw(writer, (struct str){.data = result->nataris.data, .len = result->nataris.len - 1});
        write_ignored(writer, answer);
        json_end_object(writer);
        return;
    }
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
    write_ignored(writer, answer);
    json_end_object(writer);
}

void parts_write_ignored(struct json_writer *writer, const struct answer *answer) {
    json_write_key(writer, "nataris");
    json_begin_object(writer);
    write_ignored(writer, answer);
    json_end_object(writer);
}
