/* Fields by which other servers let a client change the answer, and that are not supported here: refused by name, in
 * every spelling in use, unless their value asks for nothing. */
#ifndef NATARIS_FORMAT_REFUSED_H
#define NATARIS_FORMAT_REFUSED_H

#include "base/err.h"
#include "base/json_read.h"
#include "base/str.h"

/* Which values ask for nothing, beside null and what is empty (false, "", [], {}). */
enum refused_nothing {
    REFUSED_BUT_EMPTY,
    REFUSED_BUT_NUMBER, /* `neutral` as a number */
    REFUSED_BUT_TRUE,   /* true, and only that */
    REFUSED_BUT_OFF,    /* 0, "none", "off", "disabled", and objects of which every member is such a value */
    REFUSED_BUT_WORD,   /* `instead`, in any case of letters */
    REFUSED_ALWAYS,     /* being there asks for something, also when it is empty */
};

struct refused_field {
    struct str name;
    enum refused_nothing nothing;
    double neutral;
    const char *instead; /* the field to use instead, or the word that asks for nothing; NULL: none */
};

/* The table, in no order that matters. A name may stand in it twice: with each value that asks for nothing. */
extern const struct refused_field REFUSED_FIELDS[];
extern const size_t REFUSED_FIELD_COUNT;

/* Two spellings of one name: "maxTokens" is "max_tokens", "top-p" is "top_p". */
bool refused_same_name(struct str a, struct str b);
/* False when the field is one of the table and asks for something: ERR_UNSUPPORTED, err->field is its name as it is
 * spelled in `name`. *known: it is one of the table. */
MUST_CHECK bool refused_check(struct str name, struct json_value value, bool *known, struct err *err);
/* null, false, "", [] or {}. */
bool refused_is_empty(struct json_value value);
/* "<name> is not supported yet. ..."; with `instead`: "... Use <instead>." Returns false. */
bool refused_set(struct err *err, struct str name, const char *instead);

#endif
