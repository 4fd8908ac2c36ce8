/* Which file of each of its models a device has told (link/status.h), and whether it scores answers with it. */
#ifndef NATARIS_GATEWAY_PROVIDER_FILES_H
#define NATARIS_GATEWAY_PROVIDER_FILES_H

#include "base/digest.h"
#include "base/str.h"
#include "link/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct provider_file {
    uint64_t model; /* provider_files_model */
    uint8_t sha256[DIGEST_SHA256_SIZE];
    uint32_t context_length; /* tokens of prompt and answer together, as the device says */
    bool tells_ids;          /* it does jobs of the kind SCORE, so that its answers have ids of their tokens, too */
    bool scores;             /* now: and the model is loaded */
};

struct provider_files { /* zeroed: none */
    struct provider_file *items;
    size_t count;
};

/* A model whose file was not told is taken for that of the catalog, if that has one: whoever says nothing is held to
 * what everybody has. Models that are neither told nor known are left out. */
void provider_files_set(struct provider_files *files, const struct link_model *models, size_t count);
void provider_files_clear(struct provider_files *files);
uint64_t provider_files_model(struct str model); /* a hash of its id */
/* NULL: its file is not known. */
const struct provider_file *provider_files_find(const struct provider_files *files, struct str model);

#endif
