#include "workflow/answer.h"

#include "base/json_values.h"

static void write_nataris(const struct workflow_answer *answer, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "inference_type", answer->test ? "sandbox" : "p2p");
    json_member_cstr(&writer, "workflow_id", answer->id);
    json_member_cstr(&writer, "workflow", core_workflow_kind_name(answer->kind));
    json_member_cstr(&writer, "status", core_workflow_status_name(answer->status));
    json_member_int(&writer, "steps_executed", answer->steps_executed);
    json_member_usd(&writer, "total_cost_usd", answer->cost_nano);
    json_member_bool(&writer, "auto", answer->chosen);
    json_member_int(&writer, "latency_ms", answer->latency_ms);
    json_end_object(&writer);
}

struct call_result workflow_answer_result(const struct workflow_answer *answer, struct buf *nataris) {
    write_nataris(answer, nataris);
    return (struct call_result){.finish = answer->finish,
                                .usage = answer->usage,
                                .inference_type = "workflow",
                                .attempts = 1,
                                .latency_ms = answer->latency_ms,
                                .cost_nano = answer->cost_nano,
                                .composed = true,
                                .repeated = answer->repeated,
                                .tool_calls = answer->tool_calls,
                                .nataris = buf_str(nataris)};
}
