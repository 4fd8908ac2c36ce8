#include "gateway/operator/why.h"

#include "base/clock.h"
#include "core/explain.h"

#include <stdio.h>

enum { SENTENCE_SIZE = 512 };

const char *why_gate(enum core_gate gate) {
    switch (gate) {
    case CORE_GATE_NONE:
        return "it can take a job now";
    case CORE_GATE_MODEL:
        return "it does not have the model yet";
    case CORE_GATE_LOADING:
        return "it loads the model at this moment";
    case CORE_GATE_FAILED:
        return "the model cannot be loaded there";
    case CORE_GATE_MEMORY:
        return "the model does not fit its memory now";
    case CORE_GATE_CONTEXT:
        return "prompt and answer do not fit the context that it offers";
    case CORE_GATE_SLOTS:
        return "all of its slots are taken";
    case CORE_GATE_HEAT:
        return "it is too hot";
    case CORE_GATE_PAUSED:
        return "a limit of its owner takes no jobs now";
    case CORE_GATE_QUARANTINED:
        return "it is in quarantine";
    case CORE_GATE_DRAINING:
        return "it is about to stop";
    case CORE_GATE_COOLDOWN:
        return "it failed or was silent a moment ago";
    case CORE_GATE_SILENT:
        return "it does not answer at this moment";
    case CORE_GATE_REGION:
        return "it is not in the region asked for";
    case CORE_GATE_PRIVACY:
        return "a verified device was asked for";
    case CORE_GATE_ABILITY:
        return "it is too old for what was asked for";
    case CORE_GATE_TRIED:
        return "this job has failed there already";
    case CORE_GATE_PINNED:
        return "the job is for one certain device";
    case CORE_GATE_RAMP:
        return "it is new, and has its one job";
    case CORE_GATE_OWNER_SHARE:
        return "its owner has had its share of the model's jobs";
    case CORE_GATE_NOT_OWN:
        return "it belongs to somebody else: the account's money does not cover this job, so it is for own devices "
               "only";
    }
    return "";
}

const char *why_yields(enum core_gate yields) {
    if (yields == CORE_GATE_RAMP) {
        return "; it is new and has had its small share: devices that have passed their first audits go before it";
    }
    return yields == CORE_GATE_OWNER_SHARE ? "; its owner has had its share: devices of others go before it" : "";
}

const char *why_gate_advice(enum core_gate gate) {
    switch (gate) {
    case CORE_GATE_MODEL:
    case CORE_GATE_LOADING:
    case CORE_GATE_COOLDOWN:
        return "Nothing: it passes by itself.";
    case CORE_GATE_FAILED:
        return "Look into the provider's log, and check the file: nataris model list.";
    case CORE_GATE_MEMORY:
        return "Free memory, raise --max-ram, or serve a smaller model.";
    case CORE_GATE_CONTEXT:
        return "Offer a longer context: --context.";
    case CORE_GATE_SLOTS:
        return "Nothing: it is busy earning. More slots: --slots.";
    case CORE_GATE_HEAT:
        return "Let it cool down; fewer slots or threads heat it less.";
    case CORE_GATE_PAUSED:
        return "nataris provider status says which limit; nataris provider resume ends a pause by hand.";
    case CORE_GATE_QUARANTINED:
        return "The operator can release it: nataris provider release.";
    case CORE_GATE_DRAINING:
        return "Start the provider again.";
    case CORE_GATE_SILENT:
        return "Check its network, and whether it sleeps or has too little CPU time.";
    case CORE_GATE_ABILITY:
        return "Install a newer version of nataris on it.";
    case CORE_GATE_RAMP:
        return "Nothing: it gets more when it has passed its first audits.";
    case CORE_GATE_OWNER_SHARE:
        return "Nothing: it gets jobs when devices of others are busy.";
    case CORE_GATE_NONE:
    case CORE_GATE_REGION:
    case CORE_GATE_PRIVACY:
    case CORE_GATE_TRIED:
    case CORE_GATE_PINNED:
    case CORE_GATE_NOT_OWN:
        break;
    }
    return NULL;
}

const char *why_model_state(enum core_model_state state) {
    static const char *const names[CORE_MODEL_STATE_COUNT] = {
        [CORE_MODEL_DOWNLOADING] = "downloading", [CORE_MODEL_LOADING] = "loading", [CORE_MODEL_WARM] = "warm",
        [CORE_MODEL_FAILED] = "failed",           [CORE_MODEL_COLD] = "cold",
    };
    return names[state];
}

const char *why_open(const struct core_offer_view *offer) {
    if (offer->active > 0) {
        return "It has jobs at this moment.";
    }
    if (offer->yields == CORE_GATE_RAMP) {
        return "It is new and has had its small share: devices that have passed their first audits go before it.";
    }
    if (offer->yields == CORE_GATE_OWNER_SHARE) {
        return "Its owner's devices have had their share of this model's jobs: devices of others go before it.";
    }
    if (offer->waiting > 0) {
        return "Jobs wait for this model and none of them may go here, or one is about to.";
    }
    if (offer->rivals > 0) {
        return "No demand lately that other devices do not serve as fast: speed, heat and reliability decide.";
    }
    return "No demand lately: nobody asks for this model.";
}

static const char *pause_words(enum link_pause pause) {
    switch (pause) {
    case LINK_PAUSE_NONE:
        return NULL;
    case LINK_PAUSE_OWNER:
        return "It takes no jobs: it was paused by hand. nataris provider resume, on the device, ends that.";
    case LINK_PAUSE_BATTERY:
        return "It takes no jobs: its battery is below its owner's floor (--battery-floor).";
    case LINK_PAUSE_POWER:
        return "It takes no jobs: it does not charge, and its owner wants it to (--only-charging).";
    case LINK_PAUSE_HEAT:
        return "It takes no jobs: it is hotter than its owner allows (--max-heat).";
    case LINK_PAUSE_HOURS:
        return "It takes no jobs: it is outside the hours that its owner gave it (--hours).";
    case LINK_PAUSE_METERED:
        return "It takes no jobs: its network costs money (--avoid-metered).";
    case LINK_PAUSE_IN_USE:
        return "It takes no jobs: its owner is using it (--pause-in-use).";
    }
    return NULL;
}

static void write_device_reasons(enum link_pause pause, const struct core_provider_view *view,
                                 struct json_writer *writer) {
    char text[SENTENCE_SIZE];
    const char *words = pause_words(pause);
    if (words != NULL) {
        json_write_cstr(writer, words);
    }
    if (!view->settled) {
        (void)snprintf(
            text, sizeof(text),
            "It is new: one job at a time, and a small share while other devices are there, until it has"
            " passed %d audits (%u so far). They come by themselves; an operator who knows it can verify it.",
            CORE_AUDITS_FIRST, (unsigned)view->record.audits);
        json_write_cstr(writer, text);
    }
    if (view->cooldown_ms > 0) {
        (void)snprintf(text, sizeof(text),
                       "It failed or was silent a moment ago, and gets no new jobs for another %u s.",
                       (unsigned)((view->cooldown_ms + 999) / 1000));
        json_write_cstr(writer, text);
    }
    if (view->offer_count == 0) {
        json_write_cstr(writer, "It offers no model: nataris model pull, then nataris provider --model.");
    }
}

/* "n other devices could take such a generation now; ..." */
static void write_rivals(const struct core_offer_view *offer, double rivals_per_s, struct json_writer *writer) {
    char text[SENTENCE_SIZE], own[48] = "is not measured yet";
    size_t used = (size_t)snprintf(text, sizeof(text), "%zu other device%s could take such a job now", offer->rivals,
                                   offer->rivals == 1 ? "" : "s");
    if (offer->decode_per_s > 0) {
        (void)snprintf(own, sizeof(own), "%.1f", offer->decode_per_s);
    }
    if (rivals_per_s > 0) {
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "; the median of them decodes %.1f tokens/s, yours %s", rivals_per_s, own);
    } else if (offer->decode_per_s > 0) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "; yours decodes %s tokens/s", own);
    }
    (void)snprintf(text + used, sizeof(text) - used, ". %zu job%s for it.", offer->waiting,
                   offer->waiting == 1 ? " waits" : "s wait");
    json_write_cstr(writer, text);
}

static void write_offer_reasons(const struct core_offer_view *offer, struct json_writer *writer) {
    char text[SENTENCE_SIZE];
    const char *advice = why_gate_advice(offer->gate);
    const bool open = offer->gate == CORE_GATE_NONE;
    (void)snprintf(text, sizeof(text), "%.*s (%s): %s%s%s%s", STR_ARG(offer->offer.model),
                   why_model_state(offer->offer.state), open ? why_open(offer) : why_gate(offer->gate), open ? "" : ".",
                   advice != NULL ? " " : "", advice != NULL ? advice : "");
    json_write_cstr(writer, text);
    if (offer->offer.slots < offer->slots_claimed) {
        (void)snprintf(text, sizeof(text),
                       "%.*s: %u of the %u slots that it offers are used; good answers earn it more.",
                       STR_ARG(offer->offer.model), (unsigned)offer->offer.slots, (unsigned)offer->slots_claimed);
        json_write_cstr(writer, text);
    }
}

/* What keeps it out whether it is linked or not; true: there is nothing else to say. */
static bool write_standing(const struct store_device *device, struct json_writer *writer) {
    char text[SENTENCE_SIZE], since[CLOCK_TEXT_SIZE];
    const bool removed = device->standing == STORE_STANDING_REMOVED;
    if (device->standing != STORE_STANDING_SERVING) {
        clock_format_utc(device->standing_ms, since);
        (void)snprintf(text, sizeof(text), "%s since %s%s%s.%s",
                       removed ? "It was removed from the network, for good,"
                               : "It is in quarantine, without paid jobs,",
                       since, device->standing_reason[0] != '\0' ? ": " : "", device->standing_reason,
                       removed ? " To serve again it needs a new key (its file device_key) and a new join token." : "");
        json_write_cstr(writer, text);
    }
    if (device->suspended) {
        json_write_cstr(writer, "Its account is suspended: its devices are not let in, and nothing is paid out.");
    }
    return removed || device->suspended;
}

void why_write_away(const struct store_device *device, struct json_writer *writer) {
    json_write_key(writer, "why");
    json_begin_array(writer);
    if (!write_standing(device, writer)) {
        json_write_cstr(writer, "It is not connected: start nataris provider there, and look into its log.");
    }
    json_end_array(writer);
}

void why_write(const struct core *core, uint64_t handle, const struct core_provider_view *view, enum link_pause pause,
               const struct store_device *device, bool evades, struct json_writer *writer) {
    struct core_offer_view offer;
    json_write_key(writer, "why");
    json_begin_array(writer);
    (void)write_standing(device, writer);
    write_device_reasons(pause, view, writer);
    if (evades) {
        json_write_cstr(writer,
                        "Its answers cannot be audited, so it stays new: for one of its models it has another file"
                        " than the operator's devices, or it is of a version that tells no token ids.");
    }
    for (size_t i = 0; core_provider_offer(core, handle, i, &offer); i++) {
        write_offer_reasons(&offer, writer);
        write_rivals(&offer, core_provider_rivals_per_s(core, handle, i), writer);
    }
    json_end_array(writer);
}
