#include "gateway/operator/explain.h"

#include "core/explain.h"
#include "gateway/operator/why.h"

#include <inttypes.h>
#include <stdio.h>

/* The device behind a handle: its id and name as they are, or were when it left. */
static void write_device(const struct explain *explain, uint64_t handle, struct json_writer *writer) {
    const struct store_device *here = explain->find_device(explain->context, handle);
    const struct story_device *gone = here == NULL ? stories_find_device(explain->stories, handle) : NULL;
    json_member_cstr(writer, "provider_id", here != NULL ? here->id : gone != NULL ? gone->id : NULL);
    json_member_cstr(writer, "name", here != NULL ? here->name : gone != NULL ? gone->name : NULL);
}

static void say_weight(const struct core_candidate *candidate, char *out, size_t size) {
    (void)snprintf(
        out, size, "%sready in %" PRIu64 " ms: load %u + prompt %u + answer %u, divided by a weight of %u%%%s%s",
        candidate->chosen ? "won, " : "", candidate->finish_ms, candidate->load_ms, candidate->prefill_ms,
        candidate->decode_ms, candidate->weight / 10,
        candidate->cached ? "; it holds the beginning of this conversation" : "", why_yields(candidate->yields));
}

static void write_candidate(const struct explain *explain, const struct core_candidate *candidate,
                            struct json_writer *writer) {
    char words[512];
    json_begin_object(writer);
    write_device(explain, candidate->provider, writer);
    json_member_bool(writer, "chosen", candidate->chosen);
    json_member_cstr(writer, "gate", core_gate_name(candidate->gate));
    if (candidate->gate == CORE_GATE_NONE) {
        json_member_int(writer, "finish_ms", (int64_t)candidate->finish_ms);
        json_member_int(writer, "load_ms", candidate->load_ms);
        json_member_int(writer, "prefill_ms", candidate->prefill_ms);
        json_member_int(writer, "decode_ms", candidate->decode_ms);
        json_member_int(writer, "weight", candidate->weight);
        json_member_bool(writer, "cached", candidate->cached);
        json_member_cstr(writer, "yields", core_gate_name(candidate->yields));
        say_weight(candidate, words, sizeof(words));
        json_member_cstr(writer, "why", words);
    } else {
        json_member_cstr(writer, "why", why_gate(candidate->gate));
    }
    json_end_object(writer);
}

static void write_line(const struct explain *explain, const struct story *story, const struct story_line *line,
                       struct json_writer *writer) {
    json_begin_object(writer);
    json_member_int(writer, "at_ms", (int64_t)(line->at_ms - story->started_ms));
    if (line->to != NULL) {
        json_member_cstr(writer, "from", line->from);
        json_member_cstr(writer, "state", line->to);
        json_member_cstr(writer, "why", line->why);
    } else {
        json_member_cstr(writer, "state", "placed");
        json_member_int(writer, "attempt", line->attempt);
        json_member_bool(writer, "continues", line->continues);
        write_device(explain, line->provider, writer);
        json_write_key(writer, "candidates");
        json_begin_array(writer);
        for (uint32_t i = 0; i < line->candidate_count; i++) {
            write_candidate(explain, &story->candidates[line->first_candidate + i], writer);
        }
        json_end_array(writer);
    }
    json_end_object(writer);
}

/* Who could take it at this moment; only while the generation lives. */
static void write_now(const struct explain *explain, uint64_t handle, struct json_writer *writer) {
    struct core_candidate candidates[CORE_CANDIDATES_MAX];
    const size_t total = core_generation_explain(explain->core, handle, candidates, COUNT_OF(candidates));
    json_write_key(writer, "now");
    json_begin_array(writer);
    for (size_t i = 0; i < total && i < COUNT_OF(candidates); i++) {
        write_candidate(explain, &candidates[i], writer);
    }
    json_end_array(writer);
    json_member_int(writer, "devices_with_model", (int64_t)total);
}

void explain_write(const struct explain *explain, const struct story *story, uint64_t handle,
                   struct json_writer *writer) {
    json_begin_object(writer);
    json_member_cstr(writer, "id", story->id);
    json_member_cstr(writer, "model", story->model);
    json_member_cstr(writer, "outcome", story->outcome);
    json_write_key(writer, "steps");
    json_begin_array(writer);
    for (size_t i = 0; i < story->line_count; i++) {
        write_line(explain, story, &story->lines[i], writer);
    }
    json_end_array(writer);
    if (!story->ended) {
        write_now(explain, handle, writer);
    }
    json_end_object(writer);
}
