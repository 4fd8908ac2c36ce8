/* One schema on its way into a grammar: where in it the writer is, what it has written, and what went wrong. */
#ifndef NATARIS_GRAMMAR_SCHEMA_WRITER_H
#define NATARIS_GRAMMAR_SCHEMA_WRITER_H

#include "base/err.h"
#include "grammar/gbnf.h"
#include "grammar/schema_source.h"

/* A subschema that others refer to, by its place. */
struct schema_ref {
    struct json_value target;
    uint32_t rule;
    uint32_t inside; /* how deep in values its rule began; UINT32_MAX once it is written */
};

struct schema_writer {
    /* Appends the part that is a value of this subschema; without a type of its own, it has one of `types` (0: any).
     * What a schema is made of calls it for its parts. */
    bool (*write)(struct schema_writer *writer, struct json_value schema, unsigned types, struct buf *body);
    const struct schema_source *source;
    struct gbnf *gbnf;
    struct err *err;
    char path[ERR_FIELD_MAX]; /* the place that is being read; cut where it is too long */
    size_t path_len;          /* as if nothing was cut */
    uint32_t nodes;
    uint32_t inside; /* objects and arrays around the value that is being written */
    struct schema_ref refs[SCHEMA_REFS_MAX];
    size_t ref_count;
};

/* Goes one step deeper into the schema, ".properties" or "[2]", and back to the length that it gave. */
size_t schema_enter(struct schema_writer *writer, const char *format, ...) PRINTF_LIKE(2, 3);
void schema_leave(struct schema_writer *writer, size_t before);
/* Each returns false. With a keyword of the present subschema (NULL: itself) as the place. */
bool schema_invalid(struct schema_writer *writer, const char *keyword, const char *format, ...) PRINTF_LIKE(3, 4);
bool schema_wrong_type(struct schema_writer *writer, const char *keyword, const char *wanted, struct json_value value);
/* False when strict: `what` cannot be expressed. True otherwise: it is left out. */
MUST_CHECK bool schema_leave_out(struct schema_writer *writer, const char *keyword, const char *what);
/* Whether the schema has the keyword. */
bool schema_has(struct json_value schema, const char *keyword);
/* Keywords whose value must be a count of at least 0; *given false when absent. */
MUST_CHECK bool schema_count(struct schema_writer *writer, struct json_value schema, const char *keyword, bool *given,
                             uint32_t *out);
/* What "$ref" names: within the same document. */
MUST_CHECK bool schema_resolve(struct schema_writer *writer, struct json_value ref, struct json_value *out);

#endif
