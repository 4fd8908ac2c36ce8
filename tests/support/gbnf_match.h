/* Whether a text keeps to a grammar in GBNF: as much of it as our grammars use, read anew and simply. */
#ifndef NATARIS_TESTS_SUPPORT_GBNF_MATCH_H
#define NATARIS_TESTS_SUPPORT_GBNF_MATCH_H

#include "base/str.h"

#include <stdbool.h>

enum { GBNF_MATCH_TEXT_MAX = 2047 };

/* Fails the test when the grammar itself cannot be read, or has rules that it does not define. */
bool gbnf_matches(struct str grammar, struct str text);

#endif
