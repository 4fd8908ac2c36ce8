/* The error envelope, {"error": {...}}: the one place that writes it. */
#ifndef NATARIS_FORMAT_ENVELOPE_H
#define NATARIS_FORMAT_ENVELOPE_H

#include "base/json_write.h"
#include "call/fault.h"

/* The object alone. */
void envelope_write_object(struct json_writer *writer, const struct fault *fault);
/* Appends {"error":{...}}. */
void envelope_write(const struct fault *fault, struct buf *out);

#endif
