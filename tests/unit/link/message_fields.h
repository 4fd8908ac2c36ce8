/* A decoded message as a JSON object, in the words of tests/vectors/link.json, and encoded again. One file of tests
 * includes it. */
#ifndef NATARIS_TESTS_UNIT_LINK_MESSAGE_FIELDS_H
#define NATARIS_TESTS_UNIT_LINK_MESSAGE_FIELDS_H

#include "base/json_write.h"
#include "link/message.h"
#include "link/part.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { FIELDS_HEX_MAX = 256 };

static void fields_hex(struct json_writer *writer, const char *key, struct str bytes) {
    char hex[2 * FIELDS_HEX_MAX + 1];
    assert_true(bytes.len <= FIELDS_HEX_MAX);
    digest_hex((const uint8_t *)bytes.data, bytes.len, hex);
    json_member_cstr(writer, key, hex);
}

static void fields_hello(struct json_writer *writer, const struct link_hello *hello) {
    const struct link_device *device = &hello->device;
    json_write_key(writer, "versions");
    json_begin_array(writer);
    for (size_t i = 0; i < hello->version_count; i++) {
        json_write_int(writer, hello->versions[i]);
    }
    json_end_array(writer);
    fields_hex(writer, "public_key", (struct str){(const char *)hello->public_key, sizeof(hello->public_key)});
    json_member_str(writer, "join_token", hello->join_token);
    json_write_key(writer, "device");
    json_begin_object(writer);
    json_member_str(writer, "name", device->name);
    json_member_str(writer, "os", device->os);
    json_member_str(writer, "arch", device->arch);
    json_member_str(writer, "cpu", device->cpu);
    json_member_str(writer, "agent", device->agent);
    json_member_str(writer, "region", device->region);
    json_member_int(writer, "cores", device->cores);
    json_member_int(writer, "ram_bytes", (int64_t)device->ram_bytes);
    json_end_object(writer);
}

static void fields_model(struct json_writer *writer, const struct link_model *model) {
    json_begin_object(writer);
    json_member_str(writer, "id", model->id);
    json_member_cstr(writer, "state", link_model_state_name(model->state));
    json_write_key(writer, "kinds");
    json_begin_array(writer);
    for (int kind = LINK_JOB_KIND_GENERATE; kind <= LINK_JOB_KIND_OTHER; kind++) {
        if ((model->kinds & LINK_JOB_KIND_BIT(kind)) != 0) {
            json_write_cstr(writer, link_job_kind_name((enum link_job_kind)kind));
        }
    }
    json_end_array(writer);
    json_member_int(writer, "slots", model->slots);
    json_member_int(writer, "context_length", model->context_length);
    json_member_int(writer, "bytes_done", (int64_t)model->bytes_done);
    json_member_int(writer, "bytes_total", (int64_t)model->bytes_total);
    json_member_int(writer, "bytes_per_s", (int64_t)model->bytes_per_s);
    json_member_int(writer, "load_ms", model->load_ms);
    json_member_bool(writer, "too_large", model->too_large);
    json_end_object(writer);
}

static void fields_status(struct json_writer *writer, const struct link_status *status) {
    json_write_key(writer, "models");
    json_begin_array(writer);
    for (size_t i = 0; i < status->model_count; i++) {
        fields_model(writer, &status->models[i]);
    }
    json_end_array(writer);
    json_member_int(writer, "active_jobs", status->active_jobs);
    json_member_cstr(writer, "heat", link_heat_name(status->heat));
    json_write_key(writer, "battery_percent");
    if (status->battery_percent < 0) {
        json_write_null(writer);
    } else {
        json_write_int(writer, status->battery_percent);
    }
    json_member_bool(writer, "charging", status->charging);
    json_member_int(writer, "ram_free_bytes", (int64_t)status->ram_free_bytes);
    json_member_cstr(writer, "pause", link_pause_name(status->pause));
    json_member_bool(writer, "takes_wants", status->takes_wants);
    json_member_int(writer, "storage_free_bytes", (int64_t)status->storage_free_bytes);
}

static void fields_job(struct json_writer *writer, const struct link_job *job) {
    json_member_int(writer, "job", (int64_t)job->job);
    json_member_str(writer, "kind", job->kind_name);
    if (job->kind != LINK_JOB_KIND_GENERATE) {
        json_member_cstr(writer, "scope", ""); /* of no use without a request */
        return;
    }
    json_member_str(writer, "scope", job->request.scope);
    if (job->request.signing.salt.len > 0) {
        json_write_key(writer, "sign");
        json_begin_object(writer);
        json_member_str(writer, "salt", job->request.signing.salt);
        json_member_int(writer, "attempt", job->request.signing.attempt);
        json_end_object(writer);
    }
    json_write_key(writer, "request");
    json_begin_object(writer);
    gen_request_write(&job->request, writer);
    json_end_object(writer);
}

static void fields_logprob(struct json_writer *writer, const struct gen_logprob *token) {
    json_member_int(writer, "id", token->id);
    json_member_double(writer, "logprob", token->logprob);
    fields_hex(writer, "bytes", token->bytes);
}

static void fields_logprobs(struct json_writer *writer, struct str logprobs) {
    struct gen_token_logprobs token;
    json_write_key(writer, "tokens");
    json_begin_array(writer);
    while (gen_logprobs_next(&logprobs, &token)) {
        json_begin_object(writer);
        fields_logprob(writer, &token.taken);
        json_write_key(writer, "others");
        json_begin_array(writer);
        for (size_t i = 0; i < token.other_count; i++) {
            json_begin_object(writer);
            fields_logprob(writer, &token.others[i]);
            json_end_object(writer);
        }
        json_end_array(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void fields_token_ids(struct json_writer *writer, struct str ids) {
    json_write_key(writer, "ids");
    json_begin_array(writer);
    for (size_t i = 0; i < link_token_id_count(ids); i++) {
        json_write_int(writer, link_token_id(ids, i));
    }
    json_end_array(writer);
}

static void fields_part(struct json_writer *writer, const struct link_part *part) {
    static const char *const NAMES[] = {"unknown", "text", "token_ids", "reasoning", "tool_call", "logprobs", "audio"};
    json_begin_object(writer);
    json_member_cstr(writer, "part", NAMES[part->kind]);
    switch (part->kind) {
    case LINK_PART_TEXT:
    case LINK_PART_REASONING:
        json_member_str(writer, "text", part->text);
        break;
    case LINK_PART_TOKEN_IDS:
        fields_token_ids(writer, part->token_ids);
        break;
    case LINK_PART_TOOL_CALL:
        json_member_int(writer, "index", part->tool_call.index);
        json_member_str(writer, "id", part->tool_call.id);
        json_member_str(writer, "name", part->tool_call.name);
        json_member_str(writer, "arguments", part->tool_call.arguments);
        break;
    case LINK_PART_LOGPROBS:
        fields_logprobs(writer, part->logprobs);
        break;
    case LINK_PART_AUDIO:
        json_member_str(writer, "format", part->audio.format);
        fields_hex(writer, "bytes", part->audio.bytes);
        break;
    case LINK_PART_UNKNOWN:
        break;
    }
    json_end_object(writer);
}

static void fields_delta(struct json_writer *writer, const struct link_delta *delta) {
    struct str parts = delta->parts;
    struct link_part part;
    json_member_int(writer, "job", (int64_t)delta->job);
    json_member_int(writer, "tokens", delta->tokens);
    json_member_str(writer, "text", delta->text);
    json_write_key(writer, "parts");
    json_begin_array(writer);
    while (link_parts_next(&parts, &part)) {
        fields_part(writer, &part);
    }
    json_end_array(writer);
    assert_int_equal(parts.len, 0); /* all of them were seen */
}

static void fields_done(struct json_writer *writer, const struct link_done *done) {
    json_member_int(writer, "job", (int64_t)done->job);
    json_member_cstr(writer, "finish", link_finish_name(done->finish));
    json_member_str(writer, "word", done->finish_word);
    json_write_key(writer, "usage");
    json_begin_object(writer);
    json_member_int(writer, "prompt_tokens", done->usage.prompt_tokens);
    json_member_int(writer, "completion_tokens", done->usage.completion_tokens);
    json_member_int(writer, "cached_tokens", done->usage.cached_tokens);
    json_end_object(writer);
    json_write_key(writer, "timings");
    json_begin_object(writer);
    json_member_int(writer, "queue_ms", done->timings.queue_ms);
    json_member_int(writer, "prefill_ms", done->timings.prefill_ms);
    json_member_int(writer, "decode_ms", done->timings.decode_ms);
    json_end_object(writer);
    if (done->has_claim) {
        json_write_key(writer, "signed");
        json_begin_object(writer);
        fields_hex(writer, "delivered_sha256", (struct str){(const char *)done->claim.sha256, DIGEST_SHA256_SIZE});
        fields_hex(writer, "signature", (struct str){(const char *)done->claim.signature, ED25519_SIGNATURE_SIZE});
        json_end_object(writer);
    }
}

static void fields_members(struct json_writer *writer, const struct link_message *message) {
    switch (message->kind) {
    case LINK_HELLO:
        fields_hello(writer, &message->hello);
        break;
    case LINK_CHALLENGE:
        json_member_int(writer, "version", message->challenge.version);
        fields_hex(writer, "nonce", (struct str){(const char *)message->challenge.nonce, LINK_NONCE_SIZE});
        break;
    case LINK_AUTH:
        fields_hex(writer, "signature", (struct str){(const char *)message->auth.signature, ED25519_SIGNATURE_SIZE});
        break;
    case LINK_WELCOME:
        json_member_str(writer, "provider_id", message->welcome.provider_id);
        json_member_int(writer, "heartbeat_ms", message->welcome.heartbeat_ms);
        break;
    case LINK_STATUS:
        fields_status(writer, &message->status);
        break;
    case LINK_JOB:
        fields_job(writer, &message->job);
        break;
    case LINK_PROGRESS:
        json_member_int(writer, "job", (int64_t)message->progress.job);
        json_member_int(writer, "done_tokens", message->progress.done_tokens);
        break;
    case LINK_ACCEPT:
        json_member_int(writer, "job", (int64_t)message->accept.job);
        json_member_int(writer, "prompt_tokens", message->accept.prompt_tokens);
        break;
    case LINK_DELTA:
        fields_delta(writer, &message->delta);
        break;
    case LINK_DONE:
        fields_done(writer, &message->done);
        break;
    case LINK_SCORED:
        json_member_int(writer, "job", (int64_t)message->scored.job);
        gen_score_write(&message->scored.score, writer);
        break;
    case LINK_ERROR:
        json_member_int(writer, "job", (int64_t)message->error.job);
        json_member_cstr(writer, "failure", gen_failure_name(message->error.failure));
        json_member_str(writer, "message", message->error.message);
        json_member_str(writer, "param", message->error.param);
        break;
    case LINK_CANCEL:
        json_member_int(writer, "job", (int64_t)message->cancel_job);
        break;
    case LINK_WANT:
        json_member_str(writer, "model", message->want.model);
        break;
    case LINK_DRAIN:
    case LINK_LEAVE:
    case LINK_UNKNOWN:
        break;
    }
}

static inline void message_fields(struct buf *out, const struct link_message *message) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    fields_members(&writer, message);
    json_end_object(&writer);
}

/* --- Encoded again, parts one by one --- */

static void add_logprobs(struct buf *out, struct str logprobs) {
    struct gen_token_logprobs token;
    struct buf encoded;
    buf_init(&encoded, 1 << 16);
    while (gen_logprobs_next(&logprobs, &token)) {
        gen_logprobs_append(&encoded, &token);
    }
    link_parts_add_logprobs(out, buf_str(&encoded));
    buf_clear(&encoded);
}

static void add_token_ids(struct buf *out, struct str token_ids) {
    uint32_t ids[4];
    const size_t count = link_token_id_count(token_ids);
    assert_true(count <= COUNT_OF(ids));
    for (size_t i = 0; i < count; i++) {
        ids[i] = link_token_id(token_ids, i);
    }
    link_parts_add_token_ids(out, ids, count);
}

static void add_part(struct buf *out, const struct link_part *part) {
    switch (part->kind) {
    case LINK_PART_TOKEN_IDS:
        add_token_ids(out, part->token_ids);
        break;
    case LINK_PART_REASONING:
        link_parts_add_reasoning(out, part->text);
        break;
    case LINK_PART_TOOL_CALL:
        link_parts_add_tool_call(out, &part->tool_call);
        break;
    case LINK_PART_LOGPROBS:
        add_logprobs(out, part->logprobs);
        break;
    case LINK_PART_AUDIO:
        link_parts_add_audio(out, &part->audio);
        break;
    case LINK_PART_TEXT:
    case LINK_PART_UNKNOWN:
        fail_msg("no part that is written");
        break;
    }
}

static void encode_delta(struct buf *out, enum link_version version, const struct link_delta *delta) {
    struct link_delta again = *delta;
    struct link_part part;
    struct str parts = delta->parts;
    struct buf rebuilt;
    buf_init(&rebuilt, LIMIT_LINK_PROVIDER_BYTES);
    while (link_parts_next(&parts, &part)) {
        add_part(&rebuilt, &part);
    }
    again.parts = buf_str(&rebuilt);
    link_encode_delta(out, version, &again);
    buf_clear(&rebuilt);
}

static inline void message_encode(struct buf *out, enum link_version version, const struct link_message *message) {
    switch (message->kind) {
    case LINK_HELLO:
        link_encode_hello(out, &message->hello);
        break;
    case LINK_CHALLENGE:
        link_encode_challenge(out, &message->challenge);
        break;
    case LINK_AUTH:
        link_encode_auth(out, &message->auth);
        break;
    case LINK_WELCOME:
        link_encode_welcome(out, &message->welcome);
        break;
    case LINK_STATUS:
        link_encode_status(out, version, &message->status);
        break;
    case LINK_JOB:
        link_encode_job(out, version, message->job.job, &message->job.request);
        break;
    case LINK_PROGRESS:
        link_encode_progress(out, version, &message->progress);
        break;
    case LINK_ACCEPT:
        link_encode_accept(out, version, &message->accept);
        break;
    case LINK_DELTA:
        encode_delta(out, version, &message->delta);
        break;
    case LINK_DONE:
        link_encode_done(out, version, &message->done);
        break;
    case LINK_SCORED:
        link_encode_scored(out, &message->scored);
        break;
    case LINK_ERROR:
        link_encode_error(out, &message->error);
        break;
    case LINK_CANCEL:
        link_encode_cancel(out, message->cancel_job);
        break;
    case LINK_DRAIN:
    case LINK_LEAVE:
        link_encode_word(out, message->kind);
        break;
    case LINK_WANT:
        link_encode_want(out, &message->want);
        break;
    case LINK_UNKNOWN:
        fail_msg("no message that is written");
        break;
    }
}

#endif
