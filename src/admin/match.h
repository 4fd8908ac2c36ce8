/* Which route a path means. */
#ifndef NATARIS_ADMIN_MATCH_H
#define NATARIS_ADMIN_MATCH_H

#include "base/str.h"
#include "store/limits.h"

#include <stdbool.h>

/* Segment by segment; "{id}" of the pattern is any one that is not empty and no longer than an id. */
bool admin_match(const char *pattern, struct str path, char id[STORE_ID_MAX]);

#endif
