/* A grammar in GBNF (as gbnf.h writes it) as a recursive transition network over bytes: each rule is a piece of a
 * finite automaton whose steps take a byte, take nothing, or go through another rule and come back (Woods, "Transition
 * Network Grammars for Natural Language Analysis", 1970). Characters beyond ASCII are steps over the bytes of their
 * UTF-8. */
#ifndef NATARIS_GRAMMAR_NETWORK_H
#define NATARIS_GRAMMAR_NETWORK_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Repetitions are written out, so a few bytes may ask for many steps: some 30 bytes and 50 ns each. Of devices: */
    NETWORK_STEPS_MAX = 1 << 19,
    /* Where everybody waits, as on the gateway's thread: */
    NETWORK_STEPS_FEW = 1 << 15,
    NETWORK_RULES_MAX = 1 << 16,
    NETWORK_TIMES_MAX = 2000, /* of one repetition */
    NETWORK_DEPTH_MAX = 64,   /* of groups within groups */
};

enum network_step_kind { NETWORK_EMPTY, NETWORK_BYTE, NETWORK_RULE };

struct network_step {
    enum network_step_kind kind;
    uint32_t to; /* the state behind it */
    union {
        struct {
            uint8_t first, last;
        } byte; /* any of these */
        uint32_t rule;
    };
};

/* The rule begins in one state and ends in another. */
struct network_rule {
    uint32_t begin, end;
};

/* All is owned. The steps of state s are those from steps_of[s] to steps_of[s + 1]. */
struct network {
    struct network_step *steps;
    uint32_t *steps_of;
    struct network_rule *rules;
    uint32_t state_count, rule_count, root;
};

/* ERR_INVALID: it is none; ERR_TOO_LARGE: it has more than `steps_max` steps (NETWORK_STEPS_MAX at most), or is beyond
 * another limit above. `out` is then empty. */
MUST_CHECK bool network_read(struct str gbnf, size_t steps_max, struct network *out, struct err *err);
void network_clear(struct network *network);
size_t network_bytes(const struct network *network); /* that it takes */

#endif
