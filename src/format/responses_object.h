/* The object of POST /v1/responses, as OpenAI documents it: alone, and in the events of its stream. */
#ifndef NATARIS_FORMAT_RESPONSES_OBJECT_H
#define NATARIS_FORMAT_RESPONSES_OBJECT_H

#include "base/json_write.h"
#include "call/answer.h"
#include "call/fault.h"

/* What the object says of how far it is. */
struct responses_view {
    struct str output;         /* its items, with commas between them */
    const struct fault *fault; /* it has failed; NULL: it has not */
};

/* As a value. Without answer->result it is in progress, or has failed. */
void responses_write_object(struct json_writer *writer, const struct answer *answer, const struct responses_view *view);
/* "completed", or "incomplete" of one that was cut: the answer, and its last item. */
const char *responses_status(const struct answer *answer);
/* Appends the items of a whole answer: a message, unless there are but calls, and the calls. */
void responses_write_output(const struct answer *answer, struct buf *out);

#endif
