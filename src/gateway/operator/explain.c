/* `nataris job explain`: what a job went through and which devices were weighed for it, in words. */
#include "gateway/internal.h"

#include <inttypes.h>
#include <stdio.h>

/* The device behind a handle: its id and name as they are, or were when it left. */
static void write_device(const struct gateway *gateway, uint64_t handle, struct json_writer *writer) {
    const struct gateway_provider *provider = gateway_provider_find((struct gateway *)(uintptr_t)gateway, handle);
    const struct job_log_device *gone = provider == NULL ? job_log_find_device(gateway->job_log, handle) : NULL;
    json_member_cstr(writer, "provider_id", provider != NULL ? provider->device.id : gone != NULL ? gone->id : NULL);
    json_member_cstr(writer, "name", provider != NULL ? provider->device.name : gone != NULL ? gone->name : NULL);
}

static void say_weight(const struct core_candidate *candidate, char *out, size_t size) {
    snprintf(out, size, "%sready in %" PRIu64 " ms: load %u + prompt %u + answer %u, divided by a weight of %u%%%s",
             candidate->chosen ? "won, " : "", candidate->finish_ms, candidate->load_ms, candidate->prefill_ms,
             candidate->decode_ms, candidate->weight / 10,
             candidate->cached ? "; it holds the beginning of this conversation" : "");
}

static void write_candidate(const struct gateway *gateway, const struct core_candidate *candidate,
                            struct json_writer *writer) {
    char words[256];
    json_begin_object(writer);
    write_device(gateway, candidate->provider, writer);
    json_member_bool(writer, "chosen", candidate->chosen);
    json_member_cstr(writer, "gate", core_gate_name(candidate->gate));
    if (candidate->gate == CORE_GATE_NONE) {
        json_member_int(writer, "finish_ms", (int64_t)candidate->finish_ms);
        json_member_int(writer, "load_ms", candidate->load_ms);
        json_member_int(writer, "prefill_ms", candidate->prefill_ms);
        json_member_int(writer, "decode_ms", candidate->decode_ms);
        json_member_int(writer, "weight", candidate->weight);
        json_member_bool(writer, "cached", candidate->cached);
        say_weight(candidate, words, sizeof words);
        json_member_cstr(writer, "why", words);
    } else {
        json_member_cstr(writer, "why", gateway_gate_words(candidate->gate));
    }
    json_end_object(writer);
}

static void write_step(const struct gateway *gateway, const struct job_story *story, const struct job_step *step,
                       struct json_writer *writer) {
    json_begin_object(writer);
    json_member_int(writer, "at_ms", (int64_t)(step->at_ms - story->started_ms));
    if (step->to != NULL) {
        json_member_cstr(writer, "from", step->from);
        json_member_cstr(writer, "state", step->to);
        json_member_cstr(writer, "why", step->why);
    } else {
        json_member_cstr(writer, "state", "placed");
        json_member_int(writer, "attempt", step->attempt);
        json_member_bool(writer, "continues", step->continues);
        write_device(gateway, step->provider, writer);
        json_write_key(writer, "candidates");
        json_begin_array(writer);
        for (uint32_t i = 0; i < step->candidate_count; i++) {
            write_candidate(gateway, &story->candidates[step->first_candidate + i], writer);
        }
        json_end_array(writer);
    }
    json_end_object(writer);
}

/* Who could take it at this moment; only while the job lives. */
static void write_now(const struct gateway *gateway, uint64_t handle, struct json_writer *writer) {
    struct core_candidate candidates[CORE_CANDIDATES_MAX];
    const size_t total = core_job_explain(gateway->core, handle, candidates, COUNT_OF(candidates));
    json_write_key(writer, "now");
    json_begin_array(writer);
    for (size_t i = 0; i < total && i < COUNT_OF(candidates); i++) {
        write_candidate(gateway, &candidates[i], writer);
    }
    json_end_array(writer);
    json_member_int(writer, "devices_with_model", (int64_t)total);
}

static void write_story(const struct gateway *gateway, const struct job_story *story, uint64_t handle,
                        struct json_writer *writer) {
    json_begin_object(writer);
    json_member_cstr(writer, "id", story->id);
    json_member_cstr(writer, "model", story->model);
    json_member_cstr(writer, "outcome", story->outcome);
    json_write_key(writer, "steps");
    json_begin_array(writer);
    for (size_t i = 0; i < story->step_count; i++) {
        write_step(gateway, story, &story->steps[i], writer);
    }
    json_end_array(writer);
    if (!story->ended) {
        write_now(gateway, handle, writer);
    }
    json_end_object(writer);
}

bool gateway_job_write(void *context, const char *id, struct json_writer *writer) {
    const struct gateway *gateway = context;
    const struct gateway_job *job;
    DL_FOREACH (gateway->jobs, job) {
        if (strcmp(job->record.id, id) == 0) {
            write_story(gateway, job->story, job->handle, writer);
            return true;
        }
    }
    const struct job_story *story = job_log_find(gateway->job_log, id);
    if (story != NULL) {
        write_story(gateway, story, CORE_NO_HANDLE, writer);
    }
    return story != NULL;
}
