#include "jobs/job.h"

#include "base/json_values.h"
#include "format/chat.h"
#include "format/formats.h"
#include "jobs/stored.h"
#include "wire/id.h"

_Static_assert((int)ID_SIZE == (int)STORE_ID_MAX, "an id fits into the store");

static const char *state_name(enum store_job_state state) {
    switch (state) {
    case STORE_JOB_QUEUED:
        return "QUEUED";
    case STORE_JOB_RUNNING:
        return "RUNNING";
    case STORE_JOB_COMPLETED:
        return "COMPLETED";
    case STORE_JOB_FAILED:
        return "FAILED";
    case STORE_JOB_CANCELLED:
        break;
    }
    return "CANCELLED";
}

bool job_state_of(struct str name, enum store_job_state *out) {
    for (int i = 0; i < STORE_JOB_STATES; i++) {
        if (str_equal_nocase(name, str_from(state_name((enum store_job_state)i)))) {
            *out = (enum store_job_state)i;
            return true;
        }
    }
    return false;
}

/* --- Its format --- */

const struct format *job_format(const struct formats *formats, enum store_job_kind kind) {
    const struct format *found = format_by_stored(formats, job_generation_kind(kind));
    return found != NULL ? found : &FORMAT_CHAT;
}

/* Whether bodies of that form are jobs. */
static bool is_offered(const struct format *format) {
    return format != NULL && format->begins_with != NULL;
}

static size_t offered_count(const struct formats *formats) {
    size_t count = 0;
    for (size_t i = 0; i < formats->count; i++) {
        count += is_offered(formats->items[i]);
    }
    return count;
}

/* What stands in front of one of a list: "a, b or c". */
static const char *joint(size_t at, size_t count) {
    return at == 0 ? "" : at + 1 == count ? " or " : ", ";
}

/* "\"a\" or \"b\"": all names, or all paths. */
static void write_choices(const struct formats *formats, bool paths, struct buf *out) {
    const size_t count = offered_count(formats);
    for (size_t i = 0, at = 0; i < formats->count; i++) {
        const struct format *format = formats->items[i];
        if (is_offered(format)) {
            buf_append_format(out, "%s\"%s\"", joint(at++, count), paths ? format->path : format->name);
        }
    }
}

static const struct format *refuse_name(const struct formats *formats, const char *member, bool paths,
                                        struct fault *fault) {
    struct buf choices;
    buf_init(&choices, ERR_MESSAGE_MAX);
    write_choices(formats, paths, &choices);
    fault_set_param(fault, FAULT_INVALID_REQUEST, member, "%s must be %s.", member, buf_cstr(&choices));
    buf_clear(&choices);
    return NULL;
}

/* By the members of the body: exactly one format must be meant. */
static const struct format *format_guess(const struct formats *formats, struct json_value body, struct fault *fault) {
    const struct format *found = NULL;
    struct json_value value;
    struct buf choices;
    size_t count = 0;
    for (size_t i = 0; i < formats->count; i++) {
        if (formats->items[i]->member != NULL && json_get(body, formats->items[i]->member, &value)) {
            found = formats->items[i];
            count++;
        }
    }
    if (count == 1) {
        return found;
    }
    buf_init(&choices, ERR_MESSAGE_MAX);
    for (size_t i = 0, at = 0; i < formats->count; i++) {
        if (is_offered(formats->items[i])) {
            buf_append_format(&choices, "%sof %s", joint(at++, offered_count(formats)), formats->items[i]->begins_with);
        }
    }
    fault_set_param(fault, FAULT_INVALID_REQUEST, formats->items[0]->member, "A job is the body %s.",
                    buf_cstr(&choices));
    buf_clear(&choices);
    return NULL;
}

const struct format *job_format_read(const struct formats *formats, struct json_value body, struct fault *fault) {
    struct json_value value;
    struct str name;
    if (json_get_given(body, "endpoint", &value)) {
        const struct format *found = json_as_str(value, &name) ? format_by_path(formats, name) : NULL;
        return is_offered(found) ? found : refuse_name(formats, "endpoint", true, fault);
    }
    if (json_get_given(body, "type", &value)) {
        const struct format *found = json_as_str(value, &name) ? format_by_name(formats, name) : NULL;
        return is_offered(found) ? found : refuse_name(formats, "type", false, fault);
    }
    return format_guess(formats, body, fault);
}

/* --- The job as JSON --- */

static void write_texts(struct json_writer *writer, const struct store_job *job, bool whole) {
    if (whole && job->state == STORE_JOB_COMPLETED) {
        json_write_key(writer, "result");
        json_write_raw(writer, job->result);
    }
    if (job->state == STORE_JOB_FAILED && job->result.len > 0) {
        json_write_key(writer, "error");
        json_write_raw(writer, job->result);
    }
}

void job_write(struct json_writer *writer, const struct formats *formats, const struct store_job *job,
               const struct job_writing *how) {
    const bool ended = job->state >= STORE_JOB_COMPLETED;
    json_begin_object(writer);
    json_member_cstr(writer, "id", job->id);
    json_member_cstr(writer, "object", "job");
    json_member_cstr(writer, "type", job_format(formats, job->kind)->object);
    json_member_cstr(writer, "status", state_name(job->state));
    if (!ended && how->waits != WAITING_NOT) {
        json_member_cstr(writer, "waiting_for", waiting_name(how->waits));
    }
    json_member_cstr(writer, "model", job->model);
    json_member_time(writer, "created_at", job->created_ms);
    json_member_time(writer, "started_at", job->started_ms);
    json_member_time(writer, "completed_at", job->ended_ms);
    json_member_time(writer, "expires_at", ended ? job->ended_ms + STORE_JOB_KEPT_MS : 0);
    json_write_key(writer, "usage");
    json_begin_object(writer);
    json_member_int(writer, "prompt_tokens", job->prompt_tokens);
    json_member_int(writer, "completion_tokens", job->completion_tokens);
    json_member_int(writer, "total_tokens", (int64_t)job->prompt_tokens + job->completion_tokens);
    json_end_object(writer);
    json_member_usd(writer, "cost_usd", job->charge_nano);
    write_texts(writer, job, how->whole);
    json_end_object(writer);
}

/* --- Of a workflow --- */

void job_workflow_id(const char *id, char out[STORE_ID_MAX]) {
    id_rename("wf_", id, out);
}

void job_workflow_write(const struct formats *formats, const struct store_job *job,
                        const struct workflow_answer *answer, struct str ignored, struct buf *out) {
    enum { NATARIS_BYTES = 1024 };
    const struct format *format = job_format(formats, job->kind);
    char id[ID_SIZE];
    struct buf nataris;
    buf_init(&nataris, NATARIS_BYTES);
    id_rename(format->id_prefix, answer->id, id);
    const struct call_result result = workflow_answer_result(answer, &nataris);
    const struct answer whole = {.id = id,
                                 .model = str_from(job->model),
                                 .text = answer->text,
                                 .created_ms = job->created_ms,
                                 .result = &result,
                                 .ignored = ignored};
    format->whole(&whole, out);
    buf_clear(&nataris);
}
