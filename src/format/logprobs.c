#include "format/logprobs.h"

#include "format/orchestration.h"
#include "wire/field.h"
#include "wire/logprobs.h"

#include <stdio.h>

enum { NUMBER_SIZE = 32 };

static bool read_wish(const struct fields_content *content, bool *wanted, struct field_integer *top, struct err *err) {
    static const struct field_rule whether = {.name = STR("logprobs")};
    static const struct field_rule number = {.name = STR("top_logprobs"), .min = 0, .max = LIMIT_LOGPROB_OTHERS};
    *wanted = false;
    *top = (struct field_integer){.given = false};
    return (json_type_of(content->logprobs) == JSON_NULL ||
            field_read_bool(&whether, content->logprobs, wanted, err)) &&
           (json_type_of(content->top_logprobs) == JSON_NULL ||
            field_read_integer(&number, content->top_logprobs, top, err));
}

bool logprobs_read_chat(struct fields_content *content, struct call_input *out, struct err *err) {
    struct field_integer top;
    bool wanted;
    content->logprobs_taken = true;
    if (!read_wish(content, &wanted, &top, err)) {
        return false;
    }
    if (!wanted) {
        return top.value == 0 || field_invalid(err, "top_logprobs", "is allowed only with \"logprobs\": true.");
    }
    if (out->tools != NULL) {
        return err_set_field(err, ERR_UNSUPPORTED, "logprobs",
                             "logprobs beside tools is not supported yet. Send the request without one of them, or "
                             "with \"tool_choice\": \"none\".");
    }
    if (out->orchestration != NULL && out->orchestration->enabled) {
        return field_unsupported(err, "logprobs");
    }
    out->request.logprobs = true;
    out->request.top_logprobs = (uint32_t)top.value;
    return true;
}

/* As precise as a float is. */
static void write_number(struct json_writer *writer, float logprob) {
    char number[NUMBER_SIZE];
    snprintf(number, sizeof(number), "%.7g", logprob < 0 ? (double)logprob : 0.0);
    json_write_key(writer, "logprob");
    json_write_raw(writer, str_from(number));
}

/* The members of a token. Of a part of a character only `bytes` says what it is. */
static void write_token(struct json_writer *writer, const struct gen_logprob *token) {
    json_member_str(writer, "token", token->bytes);
    write_number(writer, token->logprob);
    json_write_key(writer, "bytes");
    json_begin_array(writer);
    for (size_t i = 0; i < token->bytes.len; i++) {
        json_write_int(writer, (uint8_t)token->bytes.data[i]);
    }
    json_end_array(writer);
}

void logprobs_write_chat(struct json_writer *writer, struct str logprobs) {
    struct gen_token_logprobs token;
    json_begin_object(writer);
    json_write_key(writer, "content");
    json_begin_array(writer);
    while (gen_logprobs_next(&logprobs, &token)) {
        json_begin_object(writer);
        write_token(writer, &token.taken);
        json_write_key(writer, "top_logprobs");
        json_begin_array(writer);
        for (size_t i = 0; i < token.other_count; i++) {
            json_begin_object(writer);
            write_token(writer, &token.others[i]);
            json_end_object(writer);
        }
        json_end_array(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_cstr(writer, "refusal", NULL);
    json_end_object(writer);
}
