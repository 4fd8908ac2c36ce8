/* POST /v1/inference: one prompt. */
#include "format/input.h"

enum { INFERENCE_DEFAULT_MAX_TOKENS = 100 };

bool inference_request_read(struct json_value body, struct arena *arena, struct generation_input *out,
                            struct err *err) {
    struct generation_content content;
    struct str prompt;
    if (!generation_fields_read(body, INFERENCE_DEFAULT_MAX_TOKENS, arena, out, &content, err) ||
        !generation_orchestration_refuse(&content, err)) {
        return false;
    }
    if (json_type_of(content.prompt) == JSON_NULL) {
        return field_invalid(err, "prompt", "is required.");
    }
    if (!field_string(err, "prompt", content.prompt, SIZE_MAX, &prompt)) {
        return false;
    }
    if (prompt.len == 0) {
        return field_invalid(err, "prompt", "must not be empty.");
    }
    /* The models are instruction-tuned: a prompt is answered best as the user's one message in their chat template. */
    struct gen_message *message = ARENA_NEW(arena, struct gen_message);
    if (message == NULL) {
        return err_set(err, ERR_TOO_LARGE, "The request is too large.");
    }
    *message = (struct gen_message){.role = GEN_ROLE_USER, .content = STR(""), .tool_call_id = STR("")};
    out->request.messages = message;
    out->request.message_count = 1;
    return generation_copy(arena, prompt, &message->content, err);
}
