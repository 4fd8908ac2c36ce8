/* How a job ended well. An open set since version 2: a peer that does not know a value takes it for OTHER. */
#ifndef NATARIS_LINK_FINISH_H
#define NATARIS_LINK_FINISH_H

#include "link/version.h"
#include "wire/generation.h"

/* The numbers of the wire. */
enum link_finish {
    LINK_FINISH_OTHER = 0, /* its word says more */
    LINK_FINISH_STOP = 1,
    LINK_FINISH_LENGTH = 2,
    LINK_FINISH_CANCELLED = 3,
    LINK_FINISH_TOOL_CALLS = 4,
    LINK_FINISH_CONTENT_FILTER = 5,
};

const char *link_finish_name(enum link_finish finish); /* "stop", ...; "other" */
/* A number of the wire; OTHER when it is not known. */
enum link_finish link_finish_from_number(uint8_t number);
/* The words of version 1: "stop", "length" and "cancelled". */
MUST_CHECK bool link_finish_from_name(struct str name, enum link_finish *out);
/* What a peer of that version is told: version 1 knows three, and all others count as STOP there. */
enum link_finish link_finish_for(enum link_version version, enum link_finish finish);
enum link_finish link_finish_from_generation(enum gen_finish finish);

#endif
