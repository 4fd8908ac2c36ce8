/* How a refusal looks: in OpenAI's form, or in that of the API whose route was asked. */
#ifndef NATARIS_FORMAT_ENVELOPE_H
#define NATARIS_FORMAT_ENVELOPE_H

#include "base/buf.h"
#include "base/json_write.h"
#include "call/fault.h"

/* One form of refusals. A format that has one of its own names it (format/format.h); it then holds for every path below
 * `below`: other routes, what is no route, and before the request's key or body is known. */
struct envelope {
    const char *below;     /* "/v1/messages"; NULL: everywhere else */
    const char *but;       /* not below that; NULL: no such */
    const char *id_header; /* has the request's id beside x-request-id; NULL: none */
    int (*status)(const struct fault *fault);
    /* The whole body; request_id is that of x-request-id. */
    void (*write)(const struct fault *fault, const char *request_id, struct buf *out);
};

/* OpenAI's. */
extern const struct envelope ENVELOPE_OPENAI;
/* Whether a path is one that the envelope holds for. */
bool envelope_is_for(const struct envelope *envelope, struct str path);

/* {"error":{...}} */
void envelope_write(const struct fault *fault, struct buf *out);
/* The inner object alone, as a value. */
void envelope_write_object(struct json_writer *writer, const struct fault *fault);

#endif
