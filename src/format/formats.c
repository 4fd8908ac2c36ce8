#include "format/formats.h"

#include "base/compiler.h"
#include "format/anthropic.h"
#include "format/chat.h"
#include "format/completions.h"
#include "format/inference.h"
#include "format/ollama.h"
#include "format/responses.h"

/* A new format is its file and a line here. */
static const struct format *const all[] = {
    &FORMAT_CHAT,     &FORMAT_INFERENCE, &FORMAT_COMPLETIONS, &FORMAT_OLLAMA_CHAT, &FORMAT_OLLAMA_GENERATE,
    &FORMAT_MESSAGES, &FORMAT_RESPONSES,
};

const struct formats FORMATS = {.items = all, .count = COUNT_OF(all)};

const struct format *format_by_name(const struct formats *formats, struct str name) {
    for (size_t i = 0; i < formats->count; i++) {
        if (str_equal_cstr(name, formats->items[i]->name)) {
            return formats->items[i];
        }
    }
    return NULL;
}

const struct format *format_by_path(const struct formats *formats, struct str path) {
    for (size_t i = 0; i < formats->count; i++) {
        if (str_equal_cstr(path, formats->items[i]->path)) {
            return formats->items[i];
        }
    }
    return NULL;
}

const struct format *format_by_stored(const struct formats *formats, enum store_generation_kind stored) {
    for (size_t i = 0; i < formats->count; i++) {
        if (formats->items[i]->stored == stored) {
            return formats->items[i];
        }
    }
    return NULL;
}
