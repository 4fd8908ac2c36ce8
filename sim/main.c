/* nataris-sim: the real core under made-up clients, devices, store and clock.
 *
 *     nataris-sim [--seeds N] [--first S] [--steps K] [--processes P]   many seeds; status 1 when one failed
 *     nataris-sim --seed S [--steps K]                                  one seed, with a trace of all it does
 *     nataris-sim network ...                                           a whole device network (network.h)
 */
#include "sim/network.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MAX = 64, STEPS_MAX = 1000000 };

struct options {
    uint64_t seeds, first, steps, processes, seed;
    bool alone;
};

static bool parse_options(int argc, char **argv, struct options *options) {
    const struct {
        const char *name;
        uint64_t *value, max;
    } table[] = {
        {"--seeds", &options->seeds, UINT32_MAX}, {"--first", &options->first, UINT64_MAX / 2},
        {"--steps", &options->steps, STEPS_MAX},  {"--processes", &options->processes, PROCESSES_MAX},
        {"--seed", &options->seed, UINT64_MAX},
    };
    for (int i = 1; i < argc; i += 2) {
        size_t entry = 0;
        while (entry < COUNT_OF(table) && strcmp(argv[i], table[entry].name) != 0) {
            entry++;
        }
        if (entry == COUNT_OF(table) || i + 1 == argc ||
            !str_parse_u64(str_from(argv[i + 1]), table[entry].max, table[entry].value)) {
            return false;
        }
        options->alone |= table[entry].value == &options->seed;
    }
    return options->steps > 0 && options->processes > 0;
}

/* Every `processes`-th seed, from the `index`-th on. All are run, also after one that failed. */
static bool run_share(const struct options *options, uint64_t index) {
    bool good = true;
    for (uint64_t i = index; i < options->seeds; i += options->processes) {
        good &= world_run(options->first + i, (unsigned)options->steps, false);
        (void)fflush(stdout);
    }
    return good;
}

static bool run_all(const struct options *options) {
    pid_t children[PROCESSES_MAX];
    bool good = true;
    for (uint64_t i = 1; i < options->processes; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(run_share(options, i) ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        good &= children[i] > 0;
    }
    good &= run_share(options, 0);
    for (uint64_t i = 1; i < options->processes; i++) {
        int status = 0;
        if (children[i] > 0) {
            good &= waitpid(children[i], &status, 0) == children[i] && status == 0;
        }
    }
    return good;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "network") == 0) {
        return net_main(argc - 1, argv + 1);
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {.seeds = 1000, .first = 1, .steps = 1000, .processes = 1};
    if (processors > 1) {
        options.processes = processors > PROCESSES_MAX ? PROCESSES_MAX : (uint64_t)processors;
    }
    if (!parse_options(argc, argv, &options)) {
        (void)fprintf(stderr, "usage: nataris-sim [--seeds N] [--first S] [--steps K] [--processes P]\n"
                              "       nataris-sim --seed S [--steps K]\n"
                              "       nataris-sim network ...\n");
        return 2;
    }
    bool good = options.alone ? world_run(options.seed, (unsigned)options.steps, true) : run_all(&options);
    if (good && !options.alone) {
        printf("%" PRIu64 " seeds of %" PRIu64 " steps: every invariant held after each step\n", options.seeds,
               options.steps);
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
