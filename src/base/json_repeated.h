/* Keys that an object of JSON has twice. */
#ifndef NATARIS_BASE_JSON_REPEATED_H
#define NATARIS_BASE_JSON_REPEATED_H

#include "base/json_read.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether some object in `value`, at any depth, has a key twice (RFC 8259 4 leaves open what that means, and two
 * readers of one text may differ). *key is such a one, borrowed from the document. Keys are compared as they read,
 * escapes resolved. Takes n log n for n keys, whoever chose them. */
bool json_repeated_key(struct json_value value, struct str *key);

#ifdef __cplusplus
}
#endif

#endif
