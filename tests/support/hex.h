/* Bytes that a test writes down in hex. */
#ifndef NATARIS_TESTS_SUPPORT_HEX_H
#define NATARIS_TESTS_SUPPORT_HEX_H

#include "base/buf.h"
#include "base/str.h"

/* Appends the bytes; a text that is no hex (lower case) or is too long for `out` fails the test. */
void hex_append(struct buf *out, struct str hex);

#endif
