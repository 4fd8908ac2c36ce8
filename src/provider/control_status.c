/* The JSON that `nataris provider status` shows. */
#include "provider/control_status.h"

#include "base/clock.h"
#include "base/json_write.h"

#include <stdio.h>

enum { REASON_SIZE = 256, HOURS_SIZE = 16 };

static void member_time(struct json_writer *writer, const char *key, int64_t wall_ms) {
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    json_member_cstr(writer, key, wall_ms > 0 ? text : NULL);
}

static void member_count(struct json_writer *writer, const char *key, uint64_t value) {
    json_member_int(writer, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void write_models(struct json_writer *writer, const struct control_view *view) {
    json_write_key(writer, "models");
    json_begin_array(writer);
    for (size_t i = 0; i < view->model_count; i++) {
        const struct link_model *model = &view->models[i];
        json_begin_object(writer);
        json_member_str(writer, "id", model->id);
        json_member_cstr(writer, "state", link_model_state_name(model->state));
        json_member_int(writer, "slots", model->slots);
        json_member_int(writer, "context_length", model->context_length);
        if (model->state == LINK_MODEL_DOWNLOADING) {
            member_count(writer, "bytes_done", model->bytes_done);
            member_count(writer, "bytes_total", model->bytes_total);
            member_count(writer, "bytes_per_s", model->bytes_per_s);
        }
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_work(struct json_writer *writer, const struct control_view *view) {
    const struct tally *tally = view->tally;
    json_write_key(writer, "jobs");
    json_begin_object(writer);
    json_member_int(writer, "running", view->running);
    member_count(writer, "served", tally->served);
    member_count(writer, "failed", tally->failed);
    member_count(writer, "refused", tally->refused);
    member_count(writer, "handed_back", tally->handed_back);
    json_end_object(writer);
    json_write_key(writer, "tokens");
    json_begin_object(writer);
    member_count(writer, "prompt", tally->prompt_tokens);
    member_count(writer, "completion", tally->completion_tokens);
    json_end_object(writer);
}

static void write_pause(struct json_writer *writer, const struct owner_guard *guard) {
    char reason[REASON_SIZE];
    const enum link_pause pause = owner_guard_pause(guard);
    owner_guard_explain(guard, reason, sizeof(reason));
    json_write_key(writer, "pause");
    json_begin_object(writer);
    json_member_cstr(writer, "limit", link_pause_name(pause));
    json_member_cstr(writer, "reason", pause == LINK_PAUSE_NONE ? NULL : reason);
    member_time(writer, "until", pause == LINK_PAUSE_OWNER ? owner_guard_by_hand(guard)->until_ms : 0);
    json_end_object(writer);
}

static void write_device(struct json_writer *writer, const struct device_state *state) {
    json_write_key(writer, "device");
    json_begin_object(writer);
    json_write_key(writer, "battery_percent");
    state->battery_percent < 0 ? json_write_null(writer) : json_write_int(writer, state->battery_percent);
    json_member_bool(writer, "charging", state->charging);
    json_member_cstr(writer, "heat", link_heat_name(state->heat));
    json_write_key(writer, "celsius");
    state->hottest_c == DEVICE_HEAT_UNKNOWN ? json_write_null(writer) : json_write_int(writer, state->hottest_c);
    json_member_bool(writer, "metered", state->metered);
    json_write_key(writer, "idle_s");
    state->idle_s == DEVICE_IDLE_UNKNOWN ? json_write_null(writer) : json_write_int(writer, state->idle_s);
    member_count(writer, "ram_free_bytes", state->ram_free_bytes);
    json_end_object(writer);
}

static void write_limits(struct json_writer *writer, const struct owner_limits *limits) {
    static const char *const METERED[] = {
        [OWNER_METERED_AUTO] = "auto", [OWNER_METERED_YES] = "yes", [OWNER_METERED_NO] = "no"};
    char hours[HOURS_SIZE];
    snprintf(hours, sizeof(hours), "%02u:%02u-%02u:%02u", limits->hours_from / 60 % 100, limits->hours_from % 60,
             limits->hours_until / 60 % 100, limits->hours_until % 60);
    json_write_key(writer, "limits");
    json_begin_object(writer);
    json_member_int(writer, "battery_floor", limits->battery_floor_percent);
    json_member_bool(writer, "only_charging", limits->only_charging);
    json_member_cstr(writer, "max_heat", link_heat_name(limits->heat_max));
    json_member_cstr(writer, "hours", limits->hours_given ? hours : NULL);
    json_member_bool(writer, "avoid_metered", limits->avoid_metered);
    json_member_cstr(writer, "metered", METERED[limits->metered]);
    member_count(writer, "max_ram_bytes", limits->ram_max_bytes);
    json_member_int(writer, "cpu_percent", limits->cpu_percent);
    json_member_int(writer, "max_jobs", limits->max_jobs);
    json_member_int(writer, "pause_in_use_s", limits->pause_in_use_s);
    json_end_object(writer);
}

static void write_last_error(struct json_writer *writer, const struct tally *tally) {
    json_write_key(writer, "last_error");
    if (tally->last_error[0] == '\0') {
        json_write_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_cstr(writer, "message", tally->last_error);
    member_time(writer, "at", tally->last_error_ms);
    json_end_object(writer);
}

void control_write_status(struct buf *out, const struct control_view *view, const struct owner_guard *guard) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "provider_id", view->tally->provider_id[0] != '\0' ? view->tally->provider_id : NULL);
    json_member_cstr(&writer, "name", view->name);
    json_member_cstr(&writer, "version", NATARIS_VERSION);
    json_member_cstr(&writer, "gateway", view->gateway);
    json_member_bool(&writer, "connected", view->tally->connected);
    member_time(&writer, "since", view->tally->since_ms);
    json_member_bool(&writer, "draining", view->draining);
    write_pause(&writer, guard);
    write_models(&writer, view);
    write_work(&writer, view);
    write_device(&writer, owner_guard_state(guard));
    write_limits(&writer, owner_guard_limits(guard));
    write_last_error(&writer, view->tally);
    json_end_object(&writer);
}
