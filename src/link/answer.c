#include "link/answer.h"

#include "base/utf8.h"
#include "link/bytes.h"
#include "link/job.h"
#include "link/part.h"
#include "link/writer.h"
#include "wire/limits.h"

#include <string.h>

enum {
    MESSAGE_TEXT_MAX = 1024, /* words of an error */
    /* Where the fields of binary messages are. */
    JOB_AT = 1,
    TEXT_DELTA_TOKENS_AT = 1,
    TEXT_DELTA_JOB_AT = 3,
    DELTA_TOKENS_AT = 9,
    PROMPT_TOKENS_AT = 9,
    DONE_TOKENS_AT = 9,
    FINISH_AT = 9,
    USAGE_AT = 10,
    TIMINGS_AT = 22,
    WORD_AT = 34,
    CLAIM_NONE = 0,
    CLAIM_SIGNED = 1, /* the byte that says that a digest and a signature follow */
};

/* --- Text --- */

static void write_accept(struct buf *out, const struct link_accept *accept) {
    struct json_writer writer = link_writer_begin(out, "accept");
    link_writer_count(&writer, "job", accept->job);
    link_writer_count(&writer, "prompt_tokens", accept->prompt_tokens);
    json_end_object(&writer);
}

static void write_done(struct buf *out, const struct link_done *done) {
    struct json_writer writer = link_writer_begin(out, "done");
    link_writer_count(&writer, "job", done->job);
    json_member_cstr(&writer, "finish", link_finish_name(link_finish_for(LINK_VERSION_1, done->finish)));
    if (done->stop > 0) {
        link_writer_count(&writer, "stop", done->stop);
    }
    json_write_key(&writer, "usage");
    json_begin_object(&writer);
    link_writer_count(&writer, "prompt_tokens", done->usage.prompt_tokens);
    link_writer_count(&writer, "completion_tokens", done->usage.completion_tokens);
    link_writer_count(&writer, "cached_tokens", done->usage.cached_tokens);
    json_end_object(&writer);
    json_write_key(&writer, "timings");
    json_begin_object(&writer);
    link_writer_count(&writer, "queue_ms", done->timings.queue_ms);
    link_writer_count(&writer, "prefill_ms", done->timings.prefill_ms);
    link_writer_count(&writer, "decode_ms", done->timings.decode_ms);
    json_end_object(&writer);
    json_end_object(&writer);
}

void link_encode_scored(struct buf *out, const struct link_scored *scored) {
    struct json_writer writer = link_writer_begin(out, "scored");
    link_writer_count(&writer, "job", scored->job);
    gen_score_write(&scored->score, &writer);
    json_end_object(&writer);
}

bool link_read_scored(const struct link_reader *reader, struct link_scored *out) {
    return link_read_job_number(reader, &out->job) && gen_score_read(reader->object, &out->score, reader->err);
}

void link_encode_error(struct buf *out, const struct link_error *error) {
    struct json_writer writer = link_writer_begin(out, "error");
    link_writer_count(&writer, "job", error->job);
    json_member_cstr(&writer, "failure", gen_failure_name(error->failure));
    link_writer_fact(&writer, "message", error->message);
    link_writer_fact(&writer, "param", error->param);
    json_end_object(&writer);
}

bool link_read_accept(const struct link_reader *reader, struct link_accept *out) {
    return link_read_job_number(reader, &out->job) && link_reader_require(reader, "prompt_tokens") &&
           link_reader_u32(reader, "prompt_tokens", UINT32_MAX, &out->prompt_tokens);
}

static bool read_usage(const struct link_reader *reader, struct gen_usage *usage) {
    struct link_reader inner;
    return link_reader_object(reader, "usage", &inner) && link_reader_require(&inner, "prompt_tokens") &&
           link_reader_u32(&inner, "prompt_tokens", UINT32_MAX, &usage->prompt_tokens) &&
           link_reader_require(&inner, "completion_tokens") &&
           link_reader_u32(&inner, "completion_tokens", UINT32_MAX, &usage->completion_tokens) &&
           link_reader_u32(&inner, "cached_tokens", UINT32_MAX, &usage->cached_tokens);
}

static bool read_timings(const struct link_reader *reader, struct gen_timings *timings) {
    struct json_value value;
    struct link_reader inner;
    return !link_reader_has(reader, "timings", &value) ||
           (link_reader_object(reader, "timings", &inner) &&
            link_reader_u32(&inner, "queue_ms", UINT32_MAX, &timings->queue_ms) &&
            link_reader_u32(&inner, "prefill_ms", UINT32_MAX, &timings->prefill_ms) &&
            link_reader_u32(&inner, "decode_ms", UINT32_MAX, &timings->decode_ms));
}

static bool read_finish(const struct link_reader *reader, enum link_finish *finish) {
    struct str name;
    return (link_reader_word(reader, "finish", &name) && link_finish_from_name(name, finish)) ||
           link_reader_fail(reader, "finish", "stop, length or cancelled");
}

bool link_read_done(const struct link_reader *reader, struct link_done *out) {
    out->has_claim = false;
    out->finish_word = STR("");
    return link_read_job_number(reader, &out->job) && read_finish(reader, &out->finish) &&
           link_reader_u32(reader, "stop", UINT32_MAX, &out->stop) && read_usage(reader, &out->usage) &&
           read_timings(reader, &out->timings);
}

/* A failure that a newer peer knows and we do not (version 2): something broke there. */
static bool read_failure(const struct link_reader *reader, enum link_version version, enum gen_failure *failure) {
    struct str name;
    if (!link_reader_word(reader, "failure", &name)) {
        return link_reader_fail(reader, "failure", "one of the known failures");
    }
    if (gen_failure_from_name(name, failure)) {
        return true;
    }
    *failure = GEN_FAILURE_ENGINE;
    return version >= LINK_VERSION_2 || link_reader_fail(reader, "failure", "one of the known failures");
}

bool link_read_error(const struct link_reader *reader, enum link_version version, struct link_error *out) {
    return link_read_job_number(reader, &out->job) && read_failure(reader, version, &out->failure) &&
           link_reader_text(reader, "message", MESSAGE_TEXT_MAX, &out->message) &&
           link_reader_text(reader, "param", LIMIT_NAME_BYTES, &out->param);
}

/* --- Binary --- */

/* Room for a message of `size` bytes, which it is from now on; NULL past the limit. */
static uint8_t *begin_binary(struct buf *out, enum link_binary kind, size_t size) {
    uint8_t *at = (uint8_t *)buf_reserve(out, size);
    if (at != NULL) {
        at[0] = (uint8_t)kind;
        out->len += size;
    }
    return at;
}

void link_encode_accept(struct buf *out, enum link_version version, const struct link_accept *accept) {
    if (version < LINK_VERSION_2) {
        write_accept(out, accept);
        return;
    }
    uint8_t *at = begin_binary(out, LINK_BINARY_ACCEPT, LINK_ACCEPT_SIZE);
    if (at != NULL) {
        at = link_put_u64(at + JOB_AT, accept->job);
        (void)link_put_u32(at, accept->prompt_tokens);
    }
}

void link_encode_progress(struct buf *out, enum link_version version, const struct link_progress *progress) {
    uint8_t *at = version >= LINK_VERSION_2 ? begin_binary(out, LINK_BINARY_PROGRESS, LINK_PROGRESS_SIZE) : NULL;
    if (at != NULL) {
        at = link_put_u64(at + JOB_AT, progress->job);
        (void)link_put_u32(at, progress->done_tokens);
    }
}

static void put_text_delta(struct buf *out, const struct link_delta *delta) {
    uint8_t *at = begin_binary(out, LINK_BINARY_TEXT_DELTA, LINK_DELTA_HEAD + delta->text.len);
    if (at != NULL) {
        at = link_put_u16(at + TEXT_DELTA_TOKENS_AT, delta->tokens);
        at = link_put_u64(at, delta->job);
        (void)link_put_str(at, delta->text);
    }
}

bool link_delta_fits(const struct link_delta *delta) {
    return delta->text.len <= LIMIT_DELTA_BYTES && delta->tokens <= LIMIT_DELTA_TOKENS;
}

struct link_delta link_delta_cut(struct link_delta *rest) {
    struct link_delta first = *rest;
    if (first.text.len > LIMIT_DELTA_BYTES) {
        first.text.len = utf8_whole_prefix(first.text.data, LIMIT_DELTA_BYTES);
    }
    if (first.tokens > LIMIT_DELTA_TOKENS) {
        first.tokens = LIMIT_DELTA_TOKENS;
    }
    rest->text = (struct str){rest->text.data + first.text.len, rest->text.len - first.text.len};
    rest->tokens -= first.tokens;
    rest->parts = STR("");
    return first;
}

void link_encode_delta(struct buf *out, enum link_version version, const struct link_delta *delta) {
    if (version < LINK_VERSION_2) {
        put_text_delta(out, delta);
        return;
    }
    const size_t text_size = delta->text.len > 0 ? LINK_PART_HEAD + delta->text.len : 0;
    uint8_t *at = begin_binary(out, LINK_BINARY_DELTA, LINK_DELTA_HEAD + text_size + delta->parts.len);
    if (at == NULL) {
        return;
    }
    at = link_put_u64(at + JOB_AT, delta->job);
    at = link_put_u16(at, delta->tokens);
    if (text_size > 0) {
        at = link_part_put_head(at, LINK_PART_TEXT, delta->text.len);
        at = link_put_str(at, delta->text);
    }
    (void)link_put_str(at, delta->parts);
}

void link_encode_done(struct buf *out, enum link_version version, const struct link_done *done) {
    if (version < LINK_VERSION_2) {
        write_done(out, done);
        return;
    }
    const struct str word = done->finish == LINK_FINISH_OTHER ? done->finish_word : STR("");
    const size_t stop = done->stop > 0 ? 1 : 0;
    const size_t claim = done->has_claim ? LINK_CLAIM_SIZE : stop; /* a byte must say that there is none */
    uint8_t *at = begin_binary(out, LINK_BINARY_DONE, LINK_DONE_SIZE + word.len + claim + stop);
    if (at == NULL) {
        return;
    }
    at = link_put_u64(at + JOB_AT, done->job);
    *at++ = (uint8_t)done->finish;
    at = link_put_u32(at, done->usage.prompt_tokens);
    at = link_put_u32(at, done->usage.completion_tokens);
    at = link_put_u32(at, done->usage.cached_tokens);
    at = link_put_u32(at, done->timings.queue_ms);
    at = link_put_u32(at, done->timings.prefill_ms);
    at = link_put_u32(at, done->timings.decode_ms);
    *at++ = (uint8_t)word.len;
    at = link_put_str(at, word);
    if (done->has_claim) {
        *at++ = CLAIM_SIGNED;
        memcpy(at, done->claim.sha256, sizeof(done->claim.sha256));
        memcpy(at + sizeof(done->claim.sha256), done->claim.signature, sizeof(done->claim.signature));
        at += sizeof(done->claim.sha256) + sizeof(done->claim.signature);
    } else if (stop > 0) {
        *at++ = CLAIM_NONE;
    }
    if (stop > 0) {
        *at = (uint8_t)done->stop;
    }
}

/* What stands behind the word; anything else there is a newer peer's. */
static void take_claim(struct str rest, struct link_done *out) {
    out->has_claim = rest.len >= LINK_CLAIM_SIZE && (uint8_t)rest.data[0] == CLAIM_SIGNED;
    if (out->has_claim) {
        out->claim.prompt_tokens = out->usage.prompt_tokens;
        out->claim.completion_tokens = out->usage.completion_tokens;
        memcpy(out->claim.sha256, rest.data + 1, sizeof(out->claim.sha256));
        memcpy(out->claim.signature, rest.data + 1 + sizeof(out->claim.sha256), sizeof(out->claim.signature));
    }
}

/* Behind the signature, or the byte that says that there is none. */
static uint32_t take_stop(struct str rest, const struct link_done *done) {
    const size_t at = done->has_claim ? LINK_CLAIM_SIZE : 1;
    const bool told = rest.len > at && (done->has_claim || (uint8_t)rest.data[0] == CLAIM_NONE);
    return told ? (uint8_t)rest.data[at] : 0;
}

static bool take_job(struct str payload, size_t at, uint64_t *out, struct err *err) {
    *out = link_get_u64(payload.data + at);
    return (*out > 0 && *out <= LINK_JOB_MAX) ||
           err_set_field(err, ERR_INVALID, "job", "binary message with an impossible job number");
}

bool link_take_text_delta(struct str payload, struct link_delta *out, struct err *err) {
    if (payload.len < LINK_DELTA_HEAD) {
        return err_set(err, ERR_INVALID, "delta shorter than its header");
    }
    out->tokens = link_get_u16(payload.data + TEXT_DELTA_TOKENS_AT);
    out->text = (struct str){payload.data + LINK_DELTA_HEAD, payload.len - LINK_DELTA_HEAD};
    out->parts = STR("");
    if (!take_job(payload, TEXT_DELTA_JOB_AT, &out->job, err)) {
        return false;
    }
    if (out->text.len > LIMIT_DELTA_BYTES) {
        return err_set_field(err, ERR_INVALID, "text", "delta with more than %d bytes of text", LIMIT_DELTA_BYTES);
    }
    return utf8_valid(out->text.data, out->text.len) ||
           err_set_field(err, ERR_INVALID, "text", "delta whose text is not whole UTF-8 characters");
}

bool link_take_accept(struct str payload, struct link_accept *out, struct err *err) {
    if (payload.len < LINK_ACCEPT_SIZE) {
        return err_set(err, ERR_INVALID, "accept shorter than its fields");
    }
    out->prompt_tokens = link_get_u32(payload.data + PROMPT_TOKENS_AT);
    return take_job(payload, JOB_AT, &out->job, err);
}

bool link_take_progress(struct str payload, struct link_progress *out, struct err *err) {
    if (payload.len < LINK_PROGRESS_SIZE) {
        return err_set(err, ERR_INVALID, "progress shorter than its fields");
    }
    out->done_tokens = link_get_u32(payload.data + DONE_TOKENS_AT);
    return take_job(payload, JOB_AT, &out->job, err);
}

bool link_take_delta(struct str payload, struct link_delta *out, struct err *err) {
    if (payload.len < LINK_DELTA_HEAD) {
        return err_set(err, ERR_INVALID, "delta shorter than its header");
    }
    const struct str parts = {payload.data + LINK_DELTA_HEAD, payload.len - LINK_DELTA_HEAD};
    out->tokens = link_get_u16(payload.data + DELTA_TOKENS_AT);
    return take_job(payload, JOB_AT, &out->job, err) &&
           link_parts_read(parts, out->tokens, &out->text, &out->parts, err);
}

static bool is_word(struct str word) {
    for (size_t i = 0; i < word.len; i++) {
        const char c = word.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return word.len <= LIMIT_LINK_FINISH_BYTES;
}

bool link_take_done(struct str payload, struct link_done *out, struct err *err) {
    if (payload.len < LINK_DONE_SIZE || payload.len - LINK_DONE_SIZE < (uint8_t)payload.data[WORD_AT]) {
        return err_set(err, ERR_INVALID, "done shorter than its fields");
    }
    const char *at = payload.data;
    out->finish = link_finish_from_number((uint8_t)at[FINISH_AT]);
    out->usage = (struct gen_usage){.prompt_tokens = link_get_u32(at + USAGE_AT),
                                    .completion_tokens = link_get_u32(at + USAGE_AT + 4),
                                    .cached_tokens = link_get_u32(at + USAGE_AT + 8)};
    out->timings = (struct gen_timings){.queue_ms = link_get_u32(at + TIMINGS_AT),
                                        .prefill_ms = link_get_u32(at + TIMINGS_AT + 4),
                                        .decode_ms = link_get_u32(at + TIMINGS_AT + 8)};
    out->finish_word = (struct str){at + LINK_DONE_SIZE, (uint8_t)at[WORD_AT]};
    const size_t known = LINK_DONE_SIZE + out->finish_word.len;
    const struct str rest = {payload.data + known, payload.len - known};
    take_claim(rest, out);
    out->stop = take_stop(rest, out);
    if (!is_word(out->finish_word)) {
        return err_set_field(err, ERR_INVALID, "finish", "done with a word that is not of letters, digits and _");
    }
    return take_job(payload, JOB_AT, &out->job, err);
}
