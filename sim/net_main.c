/* nataris-sim network: its options, and several seeds side by side. */
#include "sim/network.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEVICES_MOST = 200000, GENERATIONS_MOST = 10000000, MINUTES_MOST = 10000, PROCESSES_MOST = 64, LIARS_MOST = 6 };

static const char usage[] =
    "usage: nataris-sim network [--devices N] [--jobs N] [--minutes N] [--loss-per-minute PERCENT] [--seed S]\n"
    "                           [--seeds N] [--processes N] [--trace FILE] [--twice] [--json] [--spoil-seams]\n"
    "                           [--liars PERCENT-OF-EACH-KIND] [--audit-percent P] [--hold-minutes N] [--canary-s N]\n"
    "                           [--no-scorers]\n";

static bool parse_flag(const char *name, struct net_options *options) {
    const struct {
        const char *name;
        bool *value;
    } table[] = {{"--twice", &options->twice},
                 {"--json", &options->json},
                 {"--spoil-seams", &options->spoil},
                 {"--no-scorers", &options->no_scorers}};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (strcmp(name, table[i].name) == 0) {
            *table[i].value = true;
            return true;
        }
    }
    return false;
}

static bool parse_number(const char *name, const char *value, struct net_options *options) {
    uint64_t hours = 0;
    const struct {
        const char *name;
        uint64_t *value, max;
    } table[] = {
        {"--devices", &options->devices, DEVICES_MOST},     {"--jobs", &options->generations, GENERATIONS_MOST},
        {"--minutes", &options->minutes, MINUTES_MOST},     {"--hours", &hours, MINUTES_MOST / 60},
        {"--loss-per-minute", &options->loss_percent, 100}, {"--seed", &options->seed, UINT64_MAX / 2},
        {"--seeds", &options->seeds, UINT32_MAX},           {"--processes", &options->processes, PROCESSES_MOST},
        {"--liars", &options->liars_percent, LIARS_MOST},   {"--hold-minutes", &options->hold_minutes, MINUTES_MOST},
        {"--canary-s", &options->canary_s, 1000000},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (strcmp(name, table[i].name) == 0) {
            bool good = str_parse_u64(str_from(value), table[i].max, table[i].value);
            options->strangers = options->strangers || table[i].value == &options->liars_percent;
            options->minutes = hours > 0 ? hours * 60 : options->minutes;
            return good;
        }
    }
    return false;
}

/* "5", or "2.5": as --audit-percent of the gateway. */
static bool parse_percent(const char *value, uint64_t *permille) {
    const struct str text = str_from(value);
    size_t point = 0;
    uint64_t tenths = 0;
    while (point < text.len && text.data[point] != '.') {
        point++;
    }
    const struct str whole = {.data = text.data, .len = point};
    const bool has_tenths = point < text.len;
    const struct str rest = {.data = text.data + point + has_tenths, .len = text.len - point - has_tenths};
    bool good = str_parse_u64(whole, 100, permille);
    good = good && (!has_tenths || (rest.len == 1 && str_parse_u64(rest, 9, &tenths)));
    *permille = *permille * 10 + tenths;
    return good;
}

static bool parse(int argc, char **argv, struct net_options *options) {
    for (int i = 1; i < argc; i++) {
        if (parse_flag(argv[i], options)) {
            continue;
        }
        if (i + 1 == argc) {
            return false;
        }
        if (strcmp(argv[i], "--trace") == 0) {
            options->trace = argv[i + 1];
        } else if (strcmp(argv[i], "--audit-percent") == 0) {
            if (!parse_percent(argv[i + 1], &options->audit_permille)) {
                return false;
            }
        } else if (!parse_number(argv[i], argv[i + 1], options)) {
            return false;
        }
        i++;
    }
    return options->canary_s > 0 && options->devices > 0 && options->generations > 0 && options->minutes > 0 &&
           options->processes > 0;
}

static bool run_seed(const struct net_options *options, uint64_t seed) {
    uint64_t hash = 0, again = 0;
    bool good = net_world_run(options, seed, &hash);
    if (good && options->twice) {
        good = net_world_run(options, seed, &again);
        printf("seed %" PRIu64 " twice: %s trace\n", seed, hash == again ? "the same" : "ANOTHER");
        good &= hash == again;
    }
    (void)fflush(stdout);
    return good;
}

static bool run_share(const struct net_options *options, uint64_t index) {
    bool good = true;
    for (uint64_t i = index; i < options->seeds; i += options->processes) {
        good &= run_seed(options, options->seed + i);
    }
    return good;
}

int net_main(int argc, char **argv) {
    struct net_options options = {.devices = 2000,
                                  .generations = 20000,
                                  .minutes = 60,
                                  .loss_percent = 5,
                                  .seed = 1,
                                  .seeds = 1,
                                  .processes = 1,
                                  .audit_permille = 50,
                                  .hold_minutes = 60,
                                  .canary_s = 60};
    if (!parse(argc, argv, &options)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    pid_t children[PROCESSES_MOST];
    bool good = true;
    for (uint64_t i = 1; i < options.processes; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(run_share(&options, i) ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        good &= children[i] > 0;
    }
    good &= run_share(&options, 0);
    for (uint64_t i = 1; i < options.processes; i++) {
        int status = 0;
        if (children[i] > 0) {
            good &= waitpid(children[i], &status, 0) == children[i] && status == 0;
        }
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
