/* Encoding of every message, the binary frame, and the names of the protocol. Decoding of text: link_decode.c. */
#include "link/codec.h"

#include "base/json_write.h"
#include "base/utf8.h"

#include <string.h>

enum { BASE64_SIZE = 4 * ((ED25519_SIGNATURE_SIZE + 2) / 3) + 1 };

const char *link_kind_name(enum link_kind kind) {
    switch (kind) {
    case LINK_HELLO:
        return "hello";
    case LINK_CHALLENGE:
        return "challenge";
    case LINK_AUTH:
        return "auth";
    case LINK_WELCOME:
        return "welcome";
    case LINK_STATUS:
        return "status";
    case LINK_JOB:
        return "job";
    case LINK_ACCEPT:
        return "accept";
    case LINK_DELTA:
        return "delta";
    case LINK_DONE:
        return "done";
    case LINK_ERROR:
        return "error";
    case LINK_CANCEL:
        return "cancel";
    case LINK_DRAIN:
        return "drain";
    case LINK_WANT:
        return "want";
    case LINK_UNKNOWN:
        break;
    }
    return "unknown";
}

const char *link_model_state_name(enum link_model_state state) {
    switch (state) {
    case LINK_MODEL_DOWNLOADING:
        return "downloading";
    case LINK_MODEL_LOADING:
        return "loading";
    case LINK_MODEL_WARM:
        return "warm";
    case LINK_MODEL_COLD:
        return "cold";
    case LINK_MODEL_FAILED:
        break;
    }
    return "failed";
}

const char *link_heat_name(enum link_heat heat) {
    switch (heat) {
    case LINK_HEAT_NOMINAL:
        return "nominal";
    case LINK_HEAT_FAIR:
        return "fair";
    case LINK_HEAT_SERIOUS:
        return "serious";
    case LINK_HEAT_CRITICAL:
        break;
    }
    return "critical";
}

const char *link_pause_name(enum link_pause pause) {
    switch (pause) {
    case LINK_PAUSE_NONE:
        return "none";
    case LINK_PAUSE_OWNER:
        break;
    case LINK_PAUSE_BATTERY:
        return "battery";
    case LINK_PAUSE_POWER:
        return "power";
    case LINK_PAUSE_HEAT:
        return "heat";
    case LINK_PAUSE_HOURS:
        return "hours";
    case LINK_PAUSE_METERED:
        return "metered";
    case LINK_PAUSE_IN_USE:
        return "in_use";
    }
    return "owner";
}

static struct json_writer begin(struct buf *out, enum link_kind kind) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "type", link_kind_name(kind));
    return writer;
}

static void write_base64(struct json_writer *writer, const char *key, const uint8_t *bytes, size_t len) {
    char text[BASE64_SIZE];
    digest_base64_encode(bytes, len, text);
    json_member_cstr(writer, key, text);
}

static void write_count(struct json_writer *writer, const char *key, uint64_t value) {
    json_member_int(writer, key, (int64_t)value);
}

/* Numbers whose 0 means unknown or none. */
static void write_known_count(struct json_writer *writer, const char *key, uint64_t value) {
    if (value > 0) {
        write_count(writer, key, value);
    }
}

static void write_flag(struct json_writer *writer, const char *key, bool value) {
    if (value) {
        json_member_bool(writer, key, true);
    }
}

/* Unknown facts are left out. */
static void write_fact(struct json_writer *writer, const char *key, struct str value) {
    if (value.len > 0) {
        json_member_str(writer, key, value);
    }
}

static void write_device(struct json_writer *writer, const struct link_device *device) {
    json_write_key(writer, "device");
    json_begin_object(writer);
    write_fact(writer, "name", device->name);
    write_fact(writer, "os", device->os);
    write_fact(writer, "arch", device->arch);
    write_fact(writer, "cpu", device->cpu);
    write_fact(writer, "agent", device->agent);
    write_fact(writer, "region", device->region);
    write_count(writer, "cores", device->cores);
    write_count(writer, "ram_bytes", device->ram_bytes);
    json_end_object(writer);
}

void link_encode_hello(struct buf *out, const struct link_hello *hello) {
    struct json_writer writer = begin(out, LINK_HELLO);
    json_write_key(&writer, "versions");
    json_begin_array(&writer);
    for (size_t i = 0; i < hello->version_count; i++) {
        json_write_int(&writer, hello->versions[i]);
    }
    json_end_array(&writer);
    write_base64(&writer, "public_key", hello->public_key, sizeof hello->public_key);
    write_fact(&writer, "join_token", hello->join_token);
    write_device(&writer, &hello->device);
    json_end_object(&writer);
}

void link_encode_challenge(struct buf *out, const struct link_challenge *challenge) {
    struct json_writer writer = begin(out, LINK_CHALLENGE);
    write_count(&writer, "version", challenge->version);
    write_base64(&writer, "nonce", challenge->nonce, sizeof challenge->nonce);
    json_end_object(&writer);
}

void link_encode_auth(struct buf *out, const struct link_auth *auth) {
    struct json_writer writer = begin(out, LINK_AUTH);
    write_base64(&writer, "signature", auth->signature, sizeof auth->signature);
    json_end_object(&writer);
}

void link_encode_welcome(struct buf *out, const struct link_welcome *welcome) {
    struct json_writer writer = begin(out, LINK_WELCOME);
    json_member_str(&writer, "provider_id", welcome->provider_id);
    write_count(&writer, "heartbeat_ms", welcome->heartbeat_ms);
    json_end_object(&writer);
}

static void write_model(struct json_writer *writer, const struct link_model *model) {
    json_begin_object(writer);
    json_member_str(writer, "id", model->id);
    json_member_cstr(writer, "state", link_model_state_name(model->state));
    write_count(writer, "slots", model->slots);
    write_count(writer, "context_length", model->context_length);
    if (model->state == LINK_MODEL_DOWNLOADING) {
        write_count(writer, "bytes_done", model->bytes_done);
        write_count(writer, "bytes_total", model->bytes_total);
        write_known_count(writer, "bytes_per_s", model->bytes_per_s);
    }
    write_known_count(writer, "load_ms", model->load_ms);
    write_flag(writer, "too_large", model->too_large);
    json_end_object(writer);
}

void link_encode_status(struct buf *out, const struct link_status *status) {
    struct json_writer writer = begin(out, LINK_STATUS);
    json_write_key(&writer, "models");
    json_begin_array(&writer);
    for (size_t i = 0; i < status->model_count; i++) {
        write_model(&writer, &status->models[i]);
    }
    json_end_array(&writer);
    write_count(&writer, "active_jobs", status->active_jobs);
    json_member_cstr(&writer, "heat", link_heat_name(status->heat));
    if (status->battery_percent >= 0) {
        json_member_int(&writer, "battery_percent", status->battery_percent);
        json_member_bool(&writer, "charging", status->charging);
    }
    write_count(&writer, "ram_free_bytes", status->ram_free_bytes);
    if (status->pause != LINK_PAUSE_NONE) {
        json_member_cstr(&writer, "pause", link_pause_name(status->pause));
    }
    write_flag(&writer, "takes_wants", status->takes_wants);
    write_known_count(&writer, "storage_free_bytes", status->storage_free_bytes);
    json_end_object(&writer);
}

void link_encode_job(struct buf *out, uint64_t job, const struct gen_request *request) {
    struct json_writer writer = begin(out, LINK_JOB);
    write_count(&writer, "job", job);
    json_write_key(&writer, "request");
    json_begin_object(&writer);
    gen_request_write(request, &writer);
    json_end_object(&writer);
    json_end_object(&writer);
}

void link_encode_accept(struct buf *out, const struct link_accept *accept) {
    struct json_writer writer = begin(out, LINK_ACCEPT);
    write_count(&writer, "job", accept->job);
    write_count(&writer, "prompt_tokens", accept->prompt_tokens);
    json_end_object(&writer);
}

void link_encode_done(struct buf *out, const struct link_done *done) {
    const struct gen_usage *usage = &done->done.usage;
    const struct gen_timings *timings = &done->done.timings;
    struct json_writer writer = begin(out, LINK_DONE);
    write_count(&writer, "job", done->job);
    json_member_cstr(&writer, "finish", gen_finish_name(done->done.finish));
    json_write_key(&writer, "usage");
    json_begin_object(&writer);
    write_count(&writer, "prompt_tokens", usage->prompt_tokens);
    write_count(&writer, "completion_tokens", usage->completion_tokens);
    write_count(&writer, "cached_tokens", usage->cached_tokens);
    json_end_object(&writer);
    json_write_key(&writer, "timings");
    json_begin_object(&writer);
    write_count(&writer, "queue_ms", timings->queue_ms);
    write_count(&writer, "prefill_ms", timings->prefill_ms);
    write_count(&writer, "decode_ms", timings->decode_ms);
    json_end_object(&writer);
    json_end_object(&writer);
}

void link_encode_error(struct buf *out, const struct link_error *error) {
    struct json_writer writer = begin(out, LINK_ERROR);
    write_count(&writer, "job", error->job);
    json_member_cstr(&writer, "failure", gen_failure_name(error->failure));
    write_fact(&writer, "message", error->message);
    write_fact(&writer, "param", error->param);
    json_end_object(&writer);
}

void link_encode_cancel(struct buf *out, uint64_t job) {
    struct json_writer writer = begin(out, LINK_CANCEL);
    write_count(&writer, "job", job);
    json_end_object(&writer);
}

void link_encode_drain(struct buf *out) {
    struct json_writer writer = begin(out, LINK_DRAIN);
    json_end_object(&writer);
}

void link_encode_want(struct buf *out, const struct link_want *want) {
    struct json_writer writer = begin(out, LINK_WANT);
    json_member_str(&writer, "model", want->model);
    json_end_object(&writer);
}

static void put_big_endian(uint8_t *out, size_t size, uint64_t value) {
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
}

static uint64_t get_big_endian(const uint8_t *bytes, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

void link_encode_delta(struct buf *out, const struct link_delta *delta) {
    uint8_t *at = (uint8_t *)buf_reserve(out, LINK_DELTA_HEADER + delta->text.len);
    if (!at) {
        return; /* out->overflow is set */
    }
    at[0] = LINK_BINARY_DELTA;
    put_big_endian(at + 1, 2, delta->tokens);
    put_big_endian(at + 3, 8, delta->job);
    if (delta->text.len > 0) {
        memcpy(at + LINK_DELTA_HEADER, delta->text.data, delta->text.len);
    }
    out->len += LINK_DELTA_HEADER + delta->text.len;
}

bool link_decode_binary(struct str payload, struct link_message *message, struct err *err) {
    *message = (struct link_message){.kind = LINK_UNKNOWN};
    const uint8_t *bytes = (const uint8_t *)payload.data;
    if (payload.len == 0) {
        return err_set(err, ERR_INVALID, "empty binary frame");
    }
    if (bytes[0] != LINK_BINARY_DELTA) {
        return true;
    }
    if (payload.len < LINK_DELTA_HEADER) {
        return err_set(err, ERR_INVALID, "delta shorter than its header");
    }
    message->kind = LINK_DELTA;
    message->delta = (struct link_delta){
        .job = get_big_endian(bytes + 3, 8),
        .tokens = (uint32_t)get_big_endian(bytes + 1, 2),
        .text = {payload.data + LINK_DELTA_HEADER, payload.len - LINK_DELTA_HEADER},
    };
    if (message->delta.job == 0 || message->delta.job > LINK_JOB_MAX) {
        return err_set_field(err, ERR_INVALID, "job", "delta with an impossible job number");
    }
    if (message->delta.text.len > LIMIT_DELTA_BYTES) {
        return err_set_field(err, ERR_INVALID, "text", "delta with more than %d bytes of text", LIMIT_DELTA_BYTES);
    }
    if (!utf8_valid(message->delta.text.data, message->delta.text.len)) {
        return err_set_field(err, ERR_INVALID, "text", "delta whose text is not whole UTF-8 characters");
    }
    return true;
}

void link_signed_bytes(struct buf *out, const uint8_t nonce[LINK_NONCE_SIZE],
                       const uint8_t public_key[ED25519_KEY_SIZE]) {
    buf_append_cstr(out, "nataris link v1\n");
    buf_append(out, nonce, LINK_NONCE_SIZE);
    buf_append(out, public_key, ED25519_KEY_SIZE);
}
