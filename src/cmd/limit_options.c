#include "cmd/limit_options.h"

enum { PERCENT_MAX = 100, IN_USE_MAX_S = 24 * 3600 };

bool limit_options_fill(const struct limit_options *options, struct owner_limits *limits, struct err *err) {
    owner_limits_init(limits);
    if (options->battery_floor > PERCENT_MAX) {
        return err_set(err, ERR_INVALID, "--battery-floor is 0 to 100 percent");
    }
    if (options->cpu_percent < 1 || options->cpu_percent > PERCENT_MAX) {
        return err_set(err, ERR_INVALID, "--cpu-percent is 1 to 100");
    }
    if (options->pause_in_use > IN_USE_MAX_S) {
        return err_set(err, ERR_INVALID, "--pause-in-use is at most %d seconds", IN_USE_MAX_S);
    }
    limits->battery_floor_percent = options->battery_floor;
    limits->only_charging = options->only_charging;
    limits->avoid_metered = options->avoid_metered;
    limits->cpu_percent = options->cpu_percent;
    limits->ram_max_bytes = options->max_ram;
    limits->max_jobs = options->max_jobs;
    limits->pause_in_use_s = options->pause_in_use;
    return owner_limits_set_heat(limits, str_from(options->max_heat), err) &&
           owner_limits_set_metered(limits, str_from(options->metered), err) &&
           (options->hours == NULL || owner_limits_set_hours(limits, str_from(options->hours), err));
}
