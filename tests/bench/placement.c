/* How long the core takes to decide which device gets a generation, by how many devices are ready, and what a device
 * takes of its memory. bench_placement [--decisions N] DEVICES... Prints one JSON object for each number of devices. */
#include "base/mem.h"
#include "base/random_source.h"
#include "core/core_internal.h"
#include "core/explain.h"

#include <getopt.h>
#include <stdio.h>
#include <time.h>

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int compare_u32(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void step_unheard(struct core *core, uint64_t at_ms, const struct core_event *event) {
    struct core_effects effects = core_step(core, at_ms, event);
    (void)effects;
}

static uint64_t join(struct core *core, struct random_source *random, size_t devices) {
    struct core_event joined = {.kind = CORE_EVENT_PROVIDER_JOINED, .joined = {.ram_bytes = UINT64_C(8) << 30}};
    core_record_init(&joined.joined.record);
    joined.joined.record.success = 700 + (uint32_t)random_below(random, 301);
    /* Three devices to an owner, a fifth of them new. */
    joined.joined.owner = 1 + random_below(random, devices / 3 + 1);
    joined.joined.record.audits = random_below(random, 5) > 0 ? CORE_AUDITS_FIRST : 0;
    joined.joined.record.earned = 64;
    struct core_effects effects = core_step(core, 1, &joined);
    uint64_t provider = effects.items[0].provider;
    struct core_offer offer = {
        .model = STR("m"),
        .state = random_below(random, 4) > 0 ? CORE_MODEL_WARM : CORE_MODEL_COLD,
        .slots = 1 + (uint32_t)random_below(random, 4),
        .context_length = 4096,
    };
    struct core_event status = {.kind = CORE_EVENT_PROVIDER_STATUS,
                                .provider = provider,
                                .status = {.offers = &offer, .offer_count = 1, .device = {.battery_percent = -1}}};
    step_unheard(core, 1, &status);
    /* As if it had been measured: from 1 to 100 tokens a second. */
    struct core_provider *object = (struct core_provider *)core_handles_get(&core->providers, provider);
    struct core_offering *offering = CORE_OF(core_list_first(&object->offerings), struct core_offering, provider_link);
    offering->decode_per_s = 1.0F + (float)random_below(random, 9901) / 100.0F;
    offering->prefill_per_s = 10 * offering->decode_per_s;
    core_belief_measured(offering);
    core_offering_sort(core, offering);
    return provider;
}

/* The decision alone, then the whole step of a request, the slot taken and given back in between. */
static void measure(struct core *core, size_t decisions, uint32_t *decision_ns, uint32_t *step_ns) {
    for (size_t i = 0; i < decisions; i++) {
        struct core_event request = {
            .kind = CORE_EVENT_REQUEST,
            .request = {.user = i, .model = STR("m"), .max_tokens = 256, .prompt_tokens_max = 900}};
        uint64_t started = now_ns();
        struct core_effects effects = core_step(core, 2, &request);
        step_ns[i] = (uint32_t)(now_ns() - started);
        struct core_generation *generation = core_handles_get(&core->generations, effects.items[0].generation);
        if (generation == NULL || generation->attempt == NULL) {
            fprintf(stderr, "bench_placement: no device was free for request %zu\n", i);
            exit(1);
        }
        const struct core_event gone = {.kind = CORE_EVENT_CLIENT_GONE, .generation = generation->handle};
        const struct core_event freed = {.kind = CORE_EVENT_DONE,
                                         .generation = generation->handle,
                                         .provider = generation->attempt->provider_handle};
        const uint32_t tried_count = generation->tried_count;
        uint32_t first, count;
        core->candidate_count = 0;
        generation->tried_count = 0;
        started = now_ns();
        (void)core_place(core, generation, &first, &count);
        decision_ns[i] = (uint32_t)(now_ns() - started);
        generation->tried_count = tried_count;
        step_unheard(core, 2, &gone);
        step_unheard(core, 2, &freed);
    }
    qsort(decision_ns, decisions, sizeof(*decision_ns), compare_u32);
    qsort(step_ns, decisions, sizeof(*step_ns), compare_u32);
}

/* The machine's own part in a percentile: how long such a piece of pure computing takes, at p99, as takes `ns` in half
 * of all cases. No decision's p99 is better than that, whatever it does. */
static void span_all(uint32_t *took_ns, size_t spans, uint64_t turns) {
    struct random_source random = {.state = 1};
    uint64_t sum = 0;
    for (size_t i = 0; i < spans; i++) {
        uint64_t started = now_ns();
        for (uint64_t j = 0; j < turns; j++) {
            sum |= random_next(&random);
        }
        took_ns[i] = (uint32_t)(now_ns() - started) + (sum == 0); /* so that it is computed */
    }
    qsort(took_ns, spans, sizeof(*took_ns), compare_u32);
}

static uint32_t span_p99_ns(uint32_t ns, uint32_t *took_ns, size_t spans) {
    const uint64_t turns = 256;
    span_all(took_ns, spans, turns);
    span_all(took_ns, spans, turns * ns / (took_ns[spans / 2] + 1) + 1);
    return took_ns[spans * 99 / 100];
}

static void run(size_t devices, size_t decisions) {
    struct core_config config;
    core_config_init(&config);
    config.max_providers = (uint32_t)devices;
    struct core *core = core_new(&config);
    struct random_source random = {.state = devices};
    for (size_t i = 0; i < devices; i++) {
        (void)join(core, &random, devices);
    }
    size_t bytes = core_provider_bytes(core) / devices;
    uint32_t *decision_ns = mem_calloc(decisions, sizeof(*decision_ns));
    uint32_t *step_ns = mem_calloc(decisions, sizeof(*step_ns));
    measure(core, decisions / 10 + 1, decision_ns, step_ns); /* warms the caches up */
    measure(core, decisions, decision_ns, step_ns);
    const uint32_t p50_ns = decision_ns[decisions / 2], p99_ns = decision_ns[decisions * 99 / 100];
    printf("{\"devices\": %zu, \"decisions\": %zu, \"p50_ns\": %u, \"p99_ns\": %u, \"step_p50_ns\": %u, "
           "\"step_p99_ns\": %u, \"machine_p99_ns\": %u, \"bytes_per_device\": %zu}\n",
           devices, decisions, p50_ns, p99_ns, step_ns[decisions / 2], step_ns[decisions * 99 / 100],
           span_p99_ns(p50_ns, decision_ns, decisions), bytes);
    free(decision_ns);
    free(step_ns);
    core_free(core);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"decisions", required_argument, NULL, 'd'}, {0}};
    uint64_t decisions = 100000, devices;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'd' || !str_parse_u64(str_from(optarg), 100000000, &decisions) || decisions == 0) {
            return 2;
        }
    }
    for (int i = optind; i < argc; i++) {
        if (!str_parse_u64(str_from(argv[i]), 1000000, &devices) || devices == 0) {
            return 2;
        }
        run((size_t)devices, (size_t)decisions);
    }
    return 0;
}
