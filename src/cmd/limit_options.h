/* The owner's limits as options: shared by `provider` and `provider doctor`. */
#ifndef NATARIS_CMD_LIMIT_OPTIONS_H
#define NATARIS_CMD_LIMIT_OPTIONS_H

#include "cmd/options.h"
#include "provider/limits.h"

struct limit_options {
    uint32_t battery_floor, cpu_percent, max_jobs, pause_in_use;
    uint64_t max_ram;
    const char *max_heat, *hours, *metered, *device_root;
    bool only_charging, avoid_metered;
};

/* For a command whose struct has `struct limit_options limits`. */
#define LIMIT_OPTIONS(type)                                                                                            \
    {"battery-floor",                                                                                                  \
     OPTION_NUMBER,                                                                                                    \
     "PERCENT",                                                                                                        \
     "0",                                                                                                              \
     "no new jobs below it while not charging",                                                                        \
     offsetof(type, limits.battery_floor)},                                                                            \
        {"only-charging", OPTION_FLAG, NULL, NULL, "no new jobs on battery", offsetof(type, limits.only_charging)},    \
        {"max-heat",                                                                                                   \
         OPTION_TEXT,                                                                                                  \
         "HEAT",                                                                                                       \
         "fair",                                                                                                       \
         "the hottest state that takes jobs: nominal, fair or serious",                                                \
         offsetof(type, limits.max_heat)},                                                                             \
        {"hours",                                                                                                      \
         OPTION_TEXT,                                                                                                  \
         "FROM-UNTIL",                                                                                                 \
         NULL,                                                                                                         \
         "local time in which jobs are taken, such as 22:00-06:30",                                                    \
         offsetof(type, limits.hours)},                                                                                \
        {"avoid-metered",                                                                                              \
         OPTION_FLAG,                                                                                                  \
         NULL,                                                                                                         \
         NULL,                                                                                                         \
         "no jobs and no downloads over a network that costs money",                                                   \
         offsetof(type, limits.avoid_metered)},                                                                        \
        {"metered",                                                                                                    \
         OPTION_TEXT,                                                                                                  \
         "WHICH",                                                                                                      \
         "auto",                                                                                                       \
         "whether the network costs money: auto, yes or no",                                                           \
         offsetof(type, limits.metered)},                                                                              \
        {"max-ram",                                                                                                    \
         OPTION_BYTES,                                                                                                 \
         "SIZE",                                                                                                       \
         "0",                                                                                                          \
         "memory of all models together, such as 4G; 0: half of what is available",                                    \
         offsetof(type, limits.max_ram)},                                                                              \
        {"cpu-percent",                                                                                                \
         OPTION_NUMBER,                                                                                                \
         "PERCENT",                                                                                                    \
         "100",                                                                                                        \
         "share of the cores for models; below 100 at low priority, too",                                              \
         offsetof(type, limits.cpu_percent)},                                                                          \
        {"max-jobs",                                                                                                   \
         OPTION_NUMBER,                                                                                                \
         "N",                                                                                                          \
         "0",                                                                                                          \
         "jobs at once over all models; 0: as many as the models' slots",                                              \
         offsetof(type, limits.max_jobs)},                                                                             \
        {"pause-in-use",                                                                                               \
         OPTION_NUMBER,                                                                                                \
         "SECONDS",                                                                                                    \
         "0",                                                                                                          \
         "no new jobs until nobody has used the device for so long; 0: off",                                           \
         offsetof(type, limits.pause_in_use)},                                                                         \
    {                                                                                                                  \
        "device-root", OPTION_TEXT, "DIR", "/", "where /proc, /sys and /dev are looked for (for tests)",               \
            offsetof(type, limits.device_root)                                                                         \
    }

MUST_CHECK bool limit_options_fill(const struct limit_options *options, struct owner_limits *limits, struct err *err);

#endif
