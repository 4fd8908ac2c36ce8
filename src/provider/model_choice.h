/* Which model a machine serves when nobody names one: a list in order of what the models can do, and what each
 * needs. */
#ifndef NATARIS_PROVIDER_MODEL_CHOICE_H
#define NATARIS_PROVIDER_MODEL_CHOICE_H

#include "catalog/catalog.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_CHOICE_MAX = 4, MODEL_CHOICE_WHY_MAX = 160 };

struct model_choice_facts {
    uint64_t memory_bytes; /* that can still be taken (base/machine.h); 0: unknown */
    uint64_t disk_bytes;   /* that may be written in the folder of models */
    uint32_t cores;
    uint64_t here_bytes[MODEL_CHOICE_MAX]; /* of each model's file, those that the folder has already */
};

struct model_choice {
    const struct catalog_model *model;
    bool fits;
    bool demo;                      /* good enough to show that everything works, and for little more */
    char why[MODEL_CHOICE_WHY_MAX]; /* it fits or not: for a person, such as "it needs more than 2 cores, here are 2" */
};

/* What the machine below `root` ("/", or a folder of tests) has. Makes the folder of models
 * when it is missing, to see its disk. */
void model_choice_look(struct model_choice_facts *facts, const char *root, const char *model_folder);
/* All models that may be the default, the best first; the first one that fits and whose file can be had is to be
 * served. Pure. */
void model_choice_judge(const struct model_choice_facts *facts, struct model_choice out[MODEL_CHOICE_MAX]);

#endif
