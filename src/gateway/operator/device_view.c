#include "gateway/operator/device_view.h"

#include "base/clock.h"
#include "core/explain.h"
#include "gateway/operator/why.h"

static const char *heat_name(enum core_heat heat) {
    switch (heat) {
    case CORE_HEAT_NOMINAL:
        return "nominal";
    case CORE_HEAT_FAIR:
        return "fair";
    case CORE_HEAT_SERIOUS:
        return "serious";
    case CORE_HEAT_CRITICAL:
        return "critical";
    }
    return "";
}

static void write_offer(const struct core_offer_view *view, struct json_writer *writer) {
    const char *advice = why_gate_advice(view->gate);
    json_begin_object(writer);
    json_member_str(writer, "model", view->offer.model);
    json_member_cstr(writer, "state", why_model_state(view->offer.state));
    json_member_int(writer, "slots", view->offer.slots);
    json_member_int(writer, "slots_claimed", view->slots_claimed);
    json_member_int(writer, "active", view->active);
    json_member_int(writer, "context_length", view->offer.context_length);
    json_member_cstr(writer, "gate", core_gate_name(view->gate));
    json_member_cstr(writer, "yields", core_gate_name(view->yields));
    json_member_cstr(writer, "why", view->gate == CORE_GATE_NONE ? why_open(view) : why_gate(view->gate));
    json_member_cstr(writer, "advice", advice);
    json_member_int(writer, "prefill_tokens_per_s", (int64_t)view->prefill_per_s);
    json_member_int(writer, "decode_tokens_per_s", (int64_t)view->decode_per_s);
    json_member_int(writer, "rivals", (int64_t)view->rivals);
    json_member_int(writer, "jobs_waiting", (int64_t)view->waiting);
    json_end_object(writer);
}

static const char *state_of(const struct core_provider_view *view) {
    if (view->silent) {
        return "silent";
    }
    if (view->draining) {
        return "draining";
    }
    if (view->quarantined) {
        return "quarantined";
    }
    if (view->cooldown_ms > 0) {
        return "cooling down";
    }
    if (view->device.paused) {
        return "paused";
    }
    return view->active > 0 ? "busy" : "idle";
}

static void write_record(const struct core_record *record, struct json_writer *writer) {
    json_write_key(writer, "record");
    json_begin_object(writer);
    json_member_int(writer, "jobs", (int64_t)record->generations);
    json_member_int(writer, "failures", (int64_t)record->failures);
    json_member_int(writer, "success_permille", record->success);
    json_member_int(writer, "uptime_permille", record->uptime);
    json_member_int(writer, "reviews", (int64_t)record->reviews);
    json_member_int(writer, "audits_passed", record->audits);
    json_end_object(writer);
}

static void write_models(const struct core *core, uint64_t handle, struct json_writer *writer) {
    struct core_offer_view offer;
    json_write_key(writer, "models");
    json_begin_array(writer);
    for (size_t i = 0; core_provider_offer(core, handle, i, &offer); i++) {
        write_offer(&offer, writer);
    }
    json_end_array(writer);
}

/* The link, and since when; of one that is away, when it was last seen (null: it is not known). */
static void write_link(bool connected, int64_t since_ms, const char *state, struct json_writer *writer) {
    char since[CLOCK_TEXT_SIZE];
    if (since_ms != 0) {
        clock_format_utc(since_ms, since);
    }
    json_member_bool(writer, "connected", connected);
    json_member_cstr(writer, "since", since_ms != 0 ? since : NULL);
    json_member_cstr(writer, "state", state);
}

static void write_away(const struct device_view *view, struct json_writer *writer) {
    const bool removed = view->device->standing == STORE_STANDING_REMOVED;
    write_link(false, view->last_seen_ms, removed ? "removed" : "away", writer);
    write_record(&view->kept, writer);
    why_write_away(view->device, writer);
}

void device_view_write(const struct device_view *view, struct json_writer *writer) {
    struct core_provider_view live;
    if (view->handle == CORE_NO_HANDLE || !core_provider_view(view->core, view->handle, view->now_ms, &live)) {
        write_away(view, writer);
        return;
    }
    write_link(true, view->joined_ms, state_of(&live), writer);
    write_record(&live.record, writer);
    json_member_cstr(writer, "trust", live.trusted ? "trusted" : live.settled ? "settled" : "new");
    json_member_cstr(writer, "heat", heat_name(live.device.heat));
    if (live.device.battery_percent >= 0) {
        json_member_int(writer, "battery_percent", live.device.battery_percent);
    } else {
        json_member_cstr(writer, "battery_percent", NULL);
    }
    json_member_bool(writer, "charging", live.device.charging);
    json_member_cstr(writer, "paused", view->pause != LINK_PAUSE_NONE ? link_pause_name(view->pause) : NULL);
    json_member_int(writer, "cooldown_ms", (int64_t)live.cooldown_ms);
    json_member_int(writer, "active_jobs", live.active);
    write_models(view->core, view->handle, writer);
    why_write(view->core, view->handle, &live, view->pause, view->device, view->evades, writer);
}
