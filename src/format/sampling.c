#include "format/sampling.h"

#include "wire/field.h"
#include "wire/limits.h"

static const char *const BIASES = "logit_bias";

/* A number as tokenizers print it, so that no two names mean one token. */
static bool read_token(struct str name, uint32_t *token) {
    uint64_t number = 0;
    if ((name.len > 1 && name.data[0] == '0') || !str_parse_u64(name, INT32_MAX, &number)) {
        return false;
    }
    *token = (uint32_t)number;
    return true;
}

static bool read_bias(struct str name, struct json_value value, struct gen_bias *out, struct err *err) {
    if (!read_token(name, &out->token)) {
        return field_invalid(err, BIASES, "must have the numbers of tokens as its names, such as \"1024\".");
    }
    if (!json_as_double(value, &out->bias)) {
        return field_wrong_type(err, BIASES, "an object of numbers", value);
    }
    return (out->bias >= -GEN_BIAS_MAX && out->bias <= GEN_BIAS_MAX) ||
           field_invalid(err, BIASES, "must have values from %g to %g.", -GEN_BIAS_MAX, GEN_BIAS_MAX);
}

bool sampling_read_biases(struct json_value value, struct arena *arena, struct gen_request *request, struct err *err) {
    struct json_iterator iterator;
    struct json_value member;
    struct str name;
    if (json_type_of(value) == JSON_NULL) {
        return true;
    }
    if (json_type_of(value) != JSON_OBJECT) {
        return field_wrong_type(err, BIASES, "an object", value);
    }
    const size_t count = json_count(value);
    if (count > LIMIT_LOGIT_BIASES) {
        return field_invalid(err, BIASES, "must name at most %d tokens.", LIMIT_LOGIT_BIASES);
    }
    if (count == 0) {
        return true;
    }
    struct gen_bias *biases = ARENA_ARRAY(arena, struct gen_bias, count);
    if (biases == NULL) {
        return err_set(err, ERR_TOO_LARGE, "The request is too large.");
    }
    for (json_iterate(value, &iterator); json_next(&iterator, &name, &member);) {
        struct gen_bias *bias = &biases[request->bias_count];
        if (!read_bias(name, member, bias, err)) {
            return false;
        }
        request->bias_count += bias->bias < 0 || bias->bias > 0;
    }
    request->biases = biases;
    return true;
}
