/* Which device holds the beginning of a conversation in its cache: a table of fixed size, four entries to a set. A
 * wrong entry costs a prefill and nothing else, so nothing here is ever corrected, only replaced. */
#include "core/core_internal.h"

enum { AFFINITY_SETS = 4096, AFFINITY_WAYS = 4 };

struct affinity_entry {
    uint64_t key; /* of conversation and model; 0: free */
    uint64_t provider;
    uint32_t tokens, age; /* age: by the table's clock */
};

struct core_affinity {
    struct affinity_entry sets[AFFINITY_SETS][AFFINITY_WAYS];
    uint32_t clock;
};

/* SplitMix64's finish. The model's address is no part of any decision but which entries collide: so its id is used. */
static uint64_t affinity_key(uint64_t prefix, const struct core_model *model) {
    uint64_t key = prefix;
    for (size_t i = 0; i < model->id_len; i++) {
        key = (key ^ (uint8_t)model->id[i]) * UINT64_C(0x100000001b3);
    }
    key = (key ^ key >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
    key ^= key >> 31;
    return key == 0 ? 1 : key;
}

void core_affinity_store(struct core *core, const struct core_generation *generation,
                         const struct core_provider *provider) {
    if (generation->leaves_prefix == 0) {
        return;
    }
    if (core->affinity == NULL) {
        core->affinity = MEM_NEW(struct core_affinity);
    }
    uint64_t key = affinity_key(generation->leaves_prefix, generation->model);
    struct affinity_entry *set = core->affinity->sets[key % AFFINITY_SETS], *entry = set;
    uint32_t clock = ++core->affinity->clock;
    for (size_t i = 0; i < AFFINITY_WAYS && entry->key != key; i++) {
        if (set[i].key == key || clock - set[i].age > clock - entry->age) {
            entry = &set[i];
        }
    }
    *entry = (struct affinity_entry){
        .key = key,
        .provider = provider->handle,
        .tokens = generation->prompt_tokens + generation->part_tokens +
                  core_bill_tokens(&generation->attempt->delivered, UINT32_MAX),
        .age = clock,
    };
}

struct core_offering *core_affinity_find(const struct core *core, const struct core_generation *generation,
                                         uint32_t *tokens) {
    *tokens = 0;
    if (generation->prefix == 0 || core->affinity == NULL) {
        return NULL;
    }
    uint64_t key = affinity_key(generation->prefix, generation->model);
    const struct affinity_entry *set = core->affinity->sets[key % AFFINITY_SETS];
    for (size_t i = 0; i < AFFINITY_WAYS; i++) {
        if (set[i].key == key) {
            const struct core_provider *provider =
                (const struct core_provider *)core_handles_get(&core->providers, set[i].provider);
            *tokens = set[i].tokens;
            return provider == NULL ? NULL : core_offering_find(provider, generation->model);
        }
    }
    return NULL;
}

void core_affinity_clear(struct core *core) {
    free(core->affinity);
    core->affinity = NULL;
}
