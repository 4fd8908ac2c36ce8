/* The query of a URL. */
#ifndef NATARIS_API_QUERY_H
#define NATARIS_API_QUERY_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Percent-decodes; false when it is malformed or longer than `size`. */
MUST_CHECK bool query_decode(struct str text, char *out, size_t size, struct str *decoded);
/* The value of the first `name`, still encoded; false without one. */
MUST_CHECK bool query_find(struct str query, const char *name, struct str *value);

#endif
