/* Decoding of text frames. Members that are not known are ignored; those that are must have their type and range. */
#include "link/codec.h"

#include "catalog/catalog.h"
#include "wire/limits.h"

#include <stdio.h>
#include <string.h>

enum {
    VERSION_MAX = 65535,
    CORES_MAX = 65536,
    HEARTBEAT_MAX_MS = 3600 * 1000,
    MESSAGE_TEXT_MAX = 1024, /* words of an error */
    REGION_LENGTH = 2,
};

/* One object of a message, and where it lies in it. */
struct fields {
    struct json_value object;
    struct arena *arena;
    struct err *err;
    char path[32]; /* "device." or "models[3]." or empty */
};

static bool wrong(const struct fields *fields, const char *key, const char *demand) {
    char field[ERR_FIELD_MAX];
    snprintf(field, sizeof field, "%s%s", fields->path, key);
    return err_set_field(fields->err, ERR_INVALID, field, "%s must be %s", field, demand);
}

/* Null counts as absent. */
static bool present(const struct fields *fields, const char *key, struct json_value *value) {
    return json_get(fields->object, key, value) && json_type_of(*value) != JSON_NULL;
}

static bool to_count(struct json_value value, uint64_t max, uint64_t *out) {
    int64_t number = 0;
    if (!json_as_int64(value, &number) || number < 0 || (uint64_t)number > max) {
        return false;
    }
    *out = (uint64_t)number;
    return true;
}

/* Absent leaves *out as it is. */
static bool read_count(const struct fields *fields, const char *key, uint64_t max, uint64_t *out) {
    struct json_value value;
    if (!present(fields, key, &value) || to_count(value, max, out)) {
        return true;
    }
    char demand[64];
    snprintf(demand, sizeof demand, "a whole number from 0 to %llu", (unsigned long long)max);
    return wrong(fields, key, demand);
}

static bool read_u32(const struct fields *fields, const char *key, uint32_t max, uint32_t *out) {
    uint64_t number = *out;
    if (!read_count(fields, key, max, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool require(const struct fields *fields, const char *key) {
    struct json_value value;
    return present(fields, key, &value) || wrong(fields, key, "present");
}

static bool read_text(const struct fields *fields, const char *key, size_t max, struct str *out) {
    struct json_value value;
    *out = (struct str){"", 0};
    if (!present(fields, key, &value)) {
        return true;
    }
    struct str text;
    if (!json_as_str(value, &text) || text.len > max) {
        char demand[64];
        snprintf(demand, sizeof demand, "a string of at most %zu bytes", max);
        return wrong(fields, key, demand);
    }
    *out = arena_copy(fields->arena, text);
    return out->data || err_set(fields->err, ERR_TOO_LARGE, "message too large");
}

static bool read_bool(const struct fields *fields, const char *key, bool *out) {
    struct json_value value;
    return !present(fields, key, &value) || json_as_bool(value, out) || wrong(fields, key, "true or false");
}

static bool read_bytes(const struct fields *fields, const char *key, uint8_t *out, size_t size) {
    struct json_value value;
    struct str text;
    size_t len = 0;
    if (present(fields, key, &value) && json_as_str(value, &text) && digest_base64_decode(text, out, size, &len) &&
        len == size) {
        return true;
    }
    char demand[64];
    snprintf(demand, sizeof demand, "%zu bytes in base64", size);
    return wrong(fields, key, demand);
}

/* An object inside; absent gives an empty one, whose required members are then missing. */
static bool read_object(const struct fields *fields, const char *key, struct fields *inner) {
    *inner = *fields;
    snprintf(inner->path, sizeof inner->path, "%s.", key);
    return (json_get(fields->object, key, &inner->object) && json_type_of(inner->object) == JSON_OBJECT) ||
           wrong(fields, key, "an object");
}

static bool read_job_id(const struct fields *fields, uint64_t *job) {
    *job = 0;
    return require(fields, "job") && read_count(fields, "job", LINK_JOB_MAX, job) &&
           (*job > 0 || wrong(fields, "job", "above 0"));
}

static bool read_versions(const struct fields *fields, struct link_hello *hello) {
    struct json_value versions;
    if (!json_get(fields->object, "versions", &versions) || json_type_of(versions) != JSON_ARRAY ||
        json_count(versions) == 0 || json_count(versions) > COUNT_OF(hello->versions)) {
        return wrong(fields, "versions", "an array of 1 to 8 numbers");
    }
    struct json_iterator it;
    struct json_value item;
    json_iterate(versions, &it);
    while (json_next(&it, NULL, &item)) {
        uint64_t version = 0;
        if (!to_count(item, VERSION_MAX, &version)) {
            return wrong(fields, "versions", "an array of 1 to 8 numbers");
        }
        hello->versions[hello->version_count++] = (uint32_t)version;
    }
    return true;
}

static bool read_region(const struct fields *fields, struct str *region) {
    if (!read_text(fields, "region", REGION_LENGTH, region)) {
        return false;
    }
    bool letters = region->len == 0 || region->len == REGION_LENGTH;
    for (size_t i = 0; i < region->len; i++) {
        letters = letters && region->data[i] >= 'A' && region->data[i] <= 'Z';
    }
    return letters || wrong(fields, "region", "two upper-case letters");
}

static bool read_device(const struct fields *fields, struct link_device *device) {
    struct fields inner;
    return read_object(fields, "device", &inner) && read_text(&inner, "name", LIMIT_NAME_BYTES, &device->name) &&
           read_text(&inner, "os", LIMIT_NAME_BYTES, &device->os) &&
           read_text(&inner, "arch", LIMIT_NAME_BYTES, &device->arch) &&
           read_text(&inner, "cpu", LIMIT_NAME_BYTES, &device->cpu) &&
           read_text(&inner, "agent", LIMIT_NAME_BYTES, &device->agent) && read_region(&inner, &device->region) &&
           read_u32(&inner, "cores", CORES_MAX, &device->cores) &&
           read_count(&inner, "ram_bytes", INT64_MAX, &device->ram_bytes);
}

static bool decode_hello(const struct fields *fields, struct link_message *message) {
    struct link_hello *hello = &message->hello;
    return read_versions(fields, hello) && read_bytes(fields, "public_key", hello->public_key, ED25519_KEY_SIZE) &&
           read_text(fields, "join_token", LIMIT_NAME_BYTES, &hello->join_token) && read_device(fields, &hello->device);
}

static bool decode_challenge(const struct fields *fields, struct link_message *message) {
    return require(fields, "version") && read_u32(fields, "version", VERSION_MAX, &message->challenge.version) &&
           read_bytes(fields, "nonce", message->challenge.nonce, LINK_NONCE_SIZE);
}

static bool decode_auth(const struct fields *fields, struct link_message *message) {
    return read_bytes(fields, "signature", message->auth.signature, ED25519_SIGNATURE_SIZE);
}

static bool decode_welcome(const struct fields *fields, struct link_message *message) {
    struct link_welcome *welcome = &message->welcome;
    return require(fields, "provider_id") &&
           read_text(fields, "provider_id", LIMIT_NAME_BYTES, &welcome->provider_id) &&
           require(fields, "heartbeat_ms") &&
           read_u32(fields, "heartbeat_ms", HEARTBEAT_MAX_MS, &welcome->heartbeat_ms) &&
           (welcome->heartbeat_ms > 0 || wrong(fields, "heartbeat_ms", "above 0"));
}

/* A state that a newer peer knows and we do not: no jobs for that model, but no reason to part. */
static bool read_model_state(const struct fields *fields, enum link_model_state *state) {
    struct json_value value;
    struct str name;
    if (!json_get(fields->object, "state", &value) || !json_as_str(value, &name)) {
        return wrong(fields, "state", "downloading, loading, warm, failed or cold");
    }
    for (int i = LINK_MODEL_DOWNLOADING; i <= LINK_MODEL_COLD; i++) {
        *state = (enum link_model_state)i;
        if (str_equal_cstr(name, link_model_state_name(*state))) {
            return true;
        }
    }
    *state = LINK_MODEL_FAILED;
    return true;
}

static bool read_model_id(const struct fields *fields, const char *key, struct str *id) {
    return read_text(fields, key, LIMIT_MODEL_ID_BYTES, id) &&
           (catalog_id_is_valid(*id) || wrong(fields, key, "letters, digits and . _ - / : @ +"));
}

static bool read_model(const struct fields *fields, struct link_model *model) {
    return read_model_id(fields, "id", &model->id) && read_model_state(fields, &model->state) &&
           read_u32(fields, "slots", LIMIT_PROVIDER_SLOTS, &model->slots) &&
           read_u32(fields, "context_length", UINT32_MAX, &model->context_length) &&
           read_count(fields, "bytes_done", INT64_MAX, &model->bytes_done) &&
           read_count(fields, "bytes_total", INT64_MAX, &model->bytes_total) &&
           read_count(fields, "bytes_per_s", INT64_MAX, &model->bytes_per_s) &&
           read_u32(fields, "load_ms", UINT32_MAX, &model->load_ms) &&
           read_bool(fields, "too_large", &model->too_large);
}

static bool read_models(const struct fields *fields, struct link_status *status) {
    struct json_value array;
    if (!json_get(fields->object, "models", &array) || json_type_of(array) != JSON_ARRAY ||
        json_count(array) > LIMIT_LINK_MODELS) {
        return wrong(fields, "models", "an array of at most 64 models");
    }
    struct link_model *models = ARENA_ARRAY(fields->arena, struct link_model, json_count(array) + 1);
    if (!models) {
        return err_set(fields->err, ERR_TOO_LARGE, "message too large");
    }
    status->models = models;
    struct fields inner = *fields;
    struct json_iterator it;
    json_iterate(array, &it);
    while (json_next(&it, NULL, &inner.object)) {
        snprintf(inner.path, sizeof inner.path, "models[%zu].", status->model_count);
        if (!read_model(&inner, &models[status->model_count])) {
            return false;
        }
        status->model_count++;
    }
    return true;
}

static bool read_heat(const struct fields *fields, enum link_heat *heat) {
    struct json_value value;
    struct str name;
    if (!present(fields, "heat", &value)) {
        *heat = LINK_HEAT_NOMINAL;
        return true;
    }
    if (json_as_str(value, &name)) {
        for (int i = LINK_HEAT_NOMINAL; i <= LINK_HEAT_CRITICAL; i++) {
            *heat = (enum link_heat)i;
            if (str_equal_cstr(name, link_heat_name(*heat))) {
                return true;
            }
        }
    }
    return wrong(fields, "heat", "nominal, fair, serious or critical");
}

static bool read_battery(const struct fields *fields, struct link_status *status) {
    struct json_value value;
    uint64_t percent = 0;
    status->battery_percent = -1;
    if (!present(fields, "battery_percent", &value)) {
        return true;
    }
    if (!to_count(value, 100, &percent)) {
        return wrong(fields, "battery_percent", "a whole number from 0 to 100");
    }
    status->battery_percent = (int32_t)percent;
    return true;
}

/* A reason that a newer peer knows and we do not: paused it is. */
static bool read_pause(const struct fields *fields, enum link_pause *pause) {
    struct json_value value;
    struct str name;
    *pause = LINK_PAUSE_NONE;
    if (!present(fields, "pause", &value)) {
        return true;
    }
    if (!json_as_str(value, &name)) {
        return wrong(fields, "pause", "a string");
    }
    for (int i = LINK_PAUSE_NONE; i <= LINK_PAUSE_IN_USE; i++) {
        *pause = (enum link_pause)i;
        if (str_equal_cstr(name, link_pause_name(*pause))) {
            return true;
        }
    }
    *pause = LINK_PAUSE_OWNER;
    return true;
}

static bool decode_status(const struct fields *fields, struct link_message *message) {
    struct link_status *status = &message->status;
    return read_models(fields, status) && read_u32(fields, "active_jobs", UINT32_MAX, &status->active_jobs) &&
           read_heat(fields, &status->heat) && read_battery(fields, status) &&
           read_bool(fields, "charging", &status->charging) &&
           read_count(fields, "ram_free_bytes", INT64_MAX, &status->ram_free_bytes) &&
           read_pause(fields, &status->pause) && read_bool(fields, "takes_wants", &status->takes_wants) &&
           read_count(fields, "storage_free_bytes", INT64_MAX, &status->storage_free_bytes);
}

static bool decode_job(const struct fields *fields, struct link_message *message) {
    struct fields inner;
    return read_job_id(fields, &message->job.job) && read_object(fields, "request", &inner) &&
           gen_request_read(inner.object, fields->arena, &message->job.request, fields->err);
}

static bool decode_accept(const struct fields *fields, struct link_message *message) {
    return read_job_id(fields, &message->accept.job) && require(fields, "prompt_tokens") &&
           read_u32(fields, "prompt_tokens", UINT32_MAX, &message->accept.prompt_tokens);
}

static bool read_finish(const struct fields *fields, enum gen_finish *finish) {
    struct json_value value;
    struct str name;
    return (json_get(fields->object, "finish", &value) && json_as_str(value, &name) &&
            gen_finish_from_name(name, finish)) ||
           wrong(fields, "finish", "stop, length or cancelled");
}

static bool read_usage(const struct fields *fields, struct gen_usage *usage) {
    struct fields inner;
    return read_object(fields, "usage", &inner) && require(&inner, "prompt_tokens") &&
           read_u32(&inner, "prompt_tokens", UINT32_MAX, &usage->prompt_tokens) &&
           require(&inner, "completion_tokens") &&
           read_u32(&inner, "completion_tokens", UINT32_MAX, &usage->completion_tokens) &&
           read_u32(&inner, "cached_tokens", UINT32_MAX, &usage->cached_tokens);
}

static bool read_timings(const struct fields *fields, struct gen_timings *timings) {
    struct json_value value;
    struct fields inner;
    return !present(fields, "timings", &value) ||
           (read_object(fields, "timings", &inner) && read_u32(&inner, "queue_ms", UINT32_MAX, &timings->queue_ms) &&
            read_u32(&inner, "prefill_ms", UINT32_MAX, &timings->prefill_ms) &&
            read_u32(&inner, "decode_ms", UINT32_MAX, &timings->decode_ms));
}

static bool decode_done(const struct fields *fields, struct link_message *message) {
    struct gen_done *done = &message->done.done;
    return read_job_id(fields, &message->done.job) && read_finish(fields, &done->finish) &&
           read_usage(fields, &done->usage) && read_timings(fields, &done->timings);
}

static bool read_failure(const struct fields *fields, enum gen_failure *failure) {
    struct json_value value;
    struct str name;
    return (json_get(fields->object, "failure", &value) && json_as_str(value, &name) &&
            gen_failure_from_name(name, failure)) ||
           wrong(fields, "failure", "one of the known failures");
}

static bool decode_error(const struct fields *fields, struct link_message *message) {
    struct link_error *error = &message->error;
    return read_job_id(fields, &error->job) && read_failure(fields, &error->failure) &&
           read_text(fields, "message", MESSAGE_TEXT_MAX, &error->message) &&
           read_text(fields, "param", LIMIT_NAME_BYTES, &error->param);
}

static bool decode_cancel(const struct fields *fields, struct link_message *message) {
    return read_job_id(fields, &message->cancel_job);
}

static bool decode_drain(const struct fields *fields, struct link_message *message) {
    (void)fields;
    (void)message;
    return true;
}

static bool decode_want(const struct fields *fields, struct link_message *message) {
    return read_model_id(fields, "model", &message->want.model);
}

static const struct {
    enum link_kind kind;
    bool (*decode)(const struct fields *fields, struct link_message *message);
} DECODERS[] = {
    {LINK_HELLO, decode_hello},     {LINK_CHALLENGE, decode_challenge}, {LINK_AUTH, decode_auth},
    {LINK_WELCOME, decode_welcome}, {LINK_STATUS, decode_status},       {LINK_JOB, decode_job},
    {LINK_ACCEPT, decode_accept},   {LINK_DONE, decode_done},           {LINK_ERROR, decode_error},
    {LINK_CANCEL, decode_cancel},   {LINK_DRAIN, decode_drain},         {LINK_WANT, decode_want},
};

bool link_decode_text(struct json_parser *parser, struct arena *arena, struct str payload, struct link_message *message,
                      struct err *err) {
    *message = (struct link_message){.kind = LINK_UNKNOWN};
    struct fields fields = {.arena = arena, .err = err};
    if (!json_parse(parser, payload, &fields.object, err)) {
        return false;
    }
    struct json_value type;
    struct str name;
    if (!json_get(fields.object, "type", &type) || !json_as_str(type, &name)) {
        return wrong(&fields, "type", "a string");
    }
    for (size_t i = 0; i < COUNT_OF(DECODERS); i++) {
        if (str_equal_cstr(name, link_kind_name(DECODERS[i].kind))) {
            message->kind = DECODERS[i].kind;
            return DECODERS[i].decode(&fields, message);
        }
    }
    return true;
}
