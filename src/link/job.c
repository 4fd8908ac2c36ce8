#include "link/job.h"

#include "link/writer.h"
#include "wire/limits.h"
#include "wire/receipt.h"

static void write_kind(struct json_writer *writer, enum link_job_kind kind, const struct gen_request *request) {
    json_member_cstr(writer, "kind", link_job_kind_name(kind));
    json_member_str(writer, "scope", request->scope);
}

static void write_signing(struct json_writer *writer, const struct gen_signing *signing) {
    if (signing->salt.len > 0) {
        json_write_key(writer, "sign");
        json_begin_object(writer);
        json_member_str(writer, "salt", signing->salt);
        link_writer_count(writer, "attempt", signing->attempt);
        json_end_object(writer);
    }
}

static void write_request(struct json_writer *writer, const struct gen_request *request) {
    json_write_key(writer, "request");
    json_begin_object(writer);
    gen_request_write(request, writer);
    json_end_object(writer);
}

void link_encode_job(struct buf *out, enum link_version version, uint64_t job, const struct gen_request *request) {
    struct json_writer writer = link_writer_begin(out, "job");
    link_writer_count(&writer, "job", job);
    if (version >= LINK_VERSION_2) {
        write_kind(&writer, link_job_kind_of(request), request);
        write_signing(&writer, &request->signing);
    }
    write_request(&writer, request);
    json_end_object(&writer);
}

void link_encode_score(struct buf *out, uint64_t job, const struct gen_request *request,
                       const struct gen_answer *answer) {
    struct json_writer writer = link_writer_begin(out, "job");
    link_writer_count(&writer, "job", job);
    write_kind(&writer, LINK_JOB_KIND_SCORE, request);
    write_request(&writer, request);
    json_write_key(&writer, "answer");
    json_begin_object(&writer);
    gen_answer_write(answer, &writer);
    json_end_object(&writer);
    json_end_object(&writer);
}

void link_encode_cancel(struct buf *out, uint64_t job) {
    struct json_writer writer = link_writer_begin(out, "cancel");
    link_writer_count(&writer, "job", job);
    json_end_object(&writer);
}

bool link_read_job_number(const struct link_reader *reader, uint64_t *out) {
    *out = 0;
    return link_reader_require(reader, "job") && link_reader_count(reader, "job", LINK_JOB_MAX, out) &&
           (*out > 0 || link_reader_fail(reader, "job", "above 0"));
}

/* Absent: GENERATE. */
static bool read_kind(const struct link_reader *reader, struct link_job *job) {
    struct json_value value;
    if (!link_reader_has(reader, "kind", &value)) {
        return true;
    }
    if (!link_reader_text(reader, "kind", LIMIT_LINK_JOB_KIND_BYTES, &job->kind_name)) {
        return false;
    }
    job->kind = link_job_kind_from_name(job->kind_name);
    return true;
}

/* Absent: no signature is asked for. */
static bool read_signing(const struct link_reader *reader, struct gen_signing *out) {
    uint8_t salt[RECEIPT_SALT_SIZE];
    struct json_value value;
    struct link_reader inner;
    *out = (struct gen_signing){.salt = STR("")};
    if (!link_reader_has(reader, "sign", &value)) {
        return true;
    }
    return link_reader_object(reader, "sign", &inner) &&
           link_reader_text(&inner, "salt", 2 * RECEIPT_SALT_SIZE, &out->salt) &&
           (digest_from_hex(out->salt, salt, sizeof(salt)) ||
            link_reader_fail(&inner, "salt", "32 small hexadecimal digits")) &&
           link_reader_require(&inner, "attempt") && link_reader_u32(&inner, "attempt", UINT32_MAX, &out->attempt);
}

bool link_read_job(const struct link_reader *reader, enum link_version version, struct link_job *out) {
    struct link_reader inner;
    struct str scope = STR("");
    struct gen_signing signing = {.salt = STR("")};
    out->kind = LINK_JOB_KIND_GENERATE;
    out->kind_name = str_from(link_job_kind_name(out->kind));
    if (!link_read_job_number(reader, &out->job) || !link_reader_object(reader, "request", &inner)) {
        return false;
    }
    if (version >= LINK_VERSION_2 &&
        (!read_kind(reader, out) || !link_reader_text(reader, "scope", LIMIT_LINK_SCOPE_BYTES, &scope) ||
         !read_signing(reader, &signing))) {
        return false;
    }
    if (!link_job_kind_generates(out->kind) && out->kind != LINK_JOB_KIND_SCORE) {
        return true;
    }
    if (!gen_request_read(inner.object, reader->arena, &out->request, reader->err)) {
        return false;
    }
    out->request.scope = scope;
    out->request.signing = signing;
    return out->kind != LINK_JOB_KIND_SCORE ||
           (link_reader_object(reader, "answer", &inner) &&
            gen_answer_read(inner.object, reader->arena, &out->answer, reader->err));
}
