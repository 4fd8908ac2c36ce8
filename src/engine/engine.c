#include "engine/engine.h"

#include <string.h>

const struct engine_ops *engine_ops_find(const char *name) {
    static const struct engine_ops *const BACKENDS[] = {&ENGINE_LLAMA, &ENGINE_SCRIPTED, &ENGINE_UPSTREAM};
    for (size_t i = 0; i < COUNT_OF(BACKENDS); i++) {
        if (strcmp(name, BACKENDS[i]->name) == 0) {
            return BACKENDS[i];
        }
    }
    return NULL;
}
