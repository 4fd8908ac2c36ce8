#include "provider/limits.h"

#include <inttypes.h>
#include <stdio.h>

enum { MINUTES_OF_DAY = 24 * 60, PERCENT = 100 };

void owner_limits_init(struct owner_limits *limits) {
    *limits = (struct owner_limits){.heat_max = LINK_HEAT_FAIR, .metered = OWNER_METERED_AUTO, .cpu_percent = PERCENT};
}

/* "22:00" */
static bool parse_minute(struct str text, uint16_t *out) {
    struct str hours, minutes;
    uint64_t hour, minute;
    if (!str_split(str_trim(text), ':', &hours, &minutes) || hours.len > 2 || minutes.len != 2 ||
        !str_parse_u64(hours, 24, &hour) || !str_parse_u64(minutes, 59, &minute) ||
        hour * 60 + minute > MINUTES_OF_DAY) {
        return false;
    }
    *out = (uint16_t)(hour * 60 + minute);
    return true;
}

bool owner_limits_set_hours(struct owner_limits *limits, struct str text, struct err *err) {
    struct str from, until;
    if (!str_split(text, '-', &from, &until) || !parse_minute(from, &limits->hours_from) ||
        !parse_minute(until, &limits->hours_until) || limits->hours_from == limits->hours_until ||
        limits->hours_from == MINUTES_OF_DAY) {
        return err_set(err, ERR_INVALID, "hours are given as 22:00-06:30, in local time, not '%.*s'", STR_ARG(text));
    }
    limits->hours_given = true;
    return true;
}

bool owner_limits_set_metered(struct owner_limits *limits, struct str text, struct err *err) {
    static const struct {
        const char *name;
        enum owner_metered value;
    } NAMES[] = {{"auto", OWNER_METERED_AUTO}, {"yes", OWNER_METERED_YES}, {"no", OWNER_METERED_NO}};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal_cstr(text, NAMES[i].name)) {
            limits->metered = NAMES[i].value;
            return true;
        }
    }
    return err_set(err, ERR_INVALID, "metered is auto, yes or no, not '%.*s'", STR_ARG(text));
}

bool owner_limits_set_heat(struct owner_limits *limits, struct str text, struct err *err) {
    for (enum link_heat heat = LINK_HEAT_NOMINAL; heat < LINK_HEAT_CRITICAL; heat++) {
        if (str_equal_cstr(text, link_heat_name(heat))) {
            limits->heat_max = heat;
            return true;
        }
    }
    return err_set(err, ERR_INVALID, "the most heat is nominal, fair or serious, not '%.*s'", STR_ARG(text));
}

uint32_t owner_limits_threads(const struct owner_limits *limits, uint32_t cores, uint32_t asked) {
    if (limits->cpu_percent >= PERCENT || cores == 0) {
        return asked;
    }
    uint32_t share = (uint32_t)((uint64_t)cores * limits->cpu_percent / PERCENT);
    share = share > 0 ? share : 1;
    return asked > 0 && asked < share ? asked : share;
}

uint64_t owner_limits_memory(const struct owner_limits *limits, size_t model_count) {
    return model_count > 0 ? limits->ram_max_bytes / model_count : limits->ram_max_bytes;
}

bool owner_limits_must_stop(const struct device_state *state) {
    return state->heat == LINK_HEAT_CRITICAL;
}

static bool is_within_hours(const struct owner_limits *limits, uint16_t minute) {
    if (!limits->hours_given) {
        return true;
    }
    return limits->hours_from < limits->hours_until ? minute >= limits->hours_from && minute < limits->hours_until
                                                    : minute >= limits->hours_from || minute < limits->hours_until;
}

static bool is_metered(const struct owner_limits *limits, const struct device_state *state) {
    switch (limits->metered) {
    case OWNER_METERED_AUTO:
        break;
    case OWNER_METERED_YES:
        return true;
    case OWNER_METERED_NO:
        return false;
    }
    return state->metered;
}

bool owner_limits_may_download(const struct owner_limits *limits, const struct device_state *state) {
    return !limits->avoid_metered || !is_metered(limits, state);
}

enum link_pause owner_limits_check(const struct owner_limits *limits, const struct device_state *state,
                                   uint16_t minute_of_day, bool paused_by_owner) {
    if (paused_by_owner) {
        return LINK_PAUSE_OWNER;
    }
    if (!state->charging && state->battery_percent >= 0 &&
        (uint32_t)state->battery_percent < limits->battery_floor_percent) {
        return LINK_PAUSE_BATTERY;
    }
    if (limits->only_charging && !state->charging) {
        return LINK_PAUSE_POWER;
    }
    if (state->heat > limits->heat_max) {
        return LINK_PAUSE_HEAT;
    }
    if (!is_within_hours(limits, minute_of_day)) {
        return LINK_PAUSE_HOURS;
    }
    if (!owner_limits_may_download(limits, state)) {
        return LINK_PAUSE_METERED;
    }
    if (limits->pause_in_use_s > 0 && state->idle_s < limits->pause_in_use_s) {
        return LINK_PAUSE_IN_USE;
    }
    return LINK_PAUSE_NONE;
}

static void explain_heat(const struct owner_limits *limits, const struct device_state *state, char *out, size_t size) {
    char degrees[24] = "";
    if (state->hottest_c != DEVICE_HEAT_UNKNOWN) {
        snprintf(degrees, sizeof(degrees), " (%" PRId32 " C)", state->hottest_c);
    }
    snprintf(out, size, "its heat is %s%s, the limit is %s", link_heat_name(state->heat), degrees,
             link_heat_name(limits->heat_max));
}

void owner_limits_explain(enum link_pause pause, const struct owner_limits *limits, const struct device_state *state,
                          char *out, size_t out_size) {
    switch (pause) {
    case LINK_PAUSE_NONE:
        str_copy(out, out_size, STR("no limit is hit"));
        return;
    case LINK_PAUSE_OWNER:
        str_copy(out, out_size, STR("paused by hand; 'nataris provider resume' ends it"));
        return;
    case LINK_PAUSE_BATTERY:
        snprintf(out, out_size, "the battery is at %" PRId32 "%% and not charging, the floor is %" PRIu32 "%%",
                 state->battery_percent, limits->battery_floor_percent);
        return;
    case LINK_PAUSE_POWER:
        str_copy(out, out_size, STR("the device is not charging, and serves only while it is"));
        return;
    case LINK_PAUSE_HEAT:
        explain_heat(limits, state, out, out_size);
        return;
    case LINK_PAUSE_HOURS:
        snprintf(out, out_size, "it is outside the hours %02u:%02u-%02u:%02u", limits->hours_from / 60,
                 limits->hours_from % 60, limits->hours_until / 60, limits->hours_until % 60);
        return;
    case LINK_PAUSE_METERED:
        str_copy(out, out_size,
                 limits->metered == OWNER_METERED_YES ? STR("the network costs money, as its owner says")
                                                      : STR("the network is a mobile one or a tethered phone"));
        return;
    case LINK_PAUSE_IN_USE:
        snprintf(out, out_size, "somebody used the device %" PRIu32 " s ago, the limit is %" PRIu32 " s", state->idle_s,
                 limits->pause_in_use_s);
        return;
    }
}
