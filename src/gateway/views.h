/* What the rooms above see of the core and its devices: calls (struct call_backend), the operator and the owners of
 * devices. */
#ifndef NATARIS_GATEWAY_VIEWS_H
#define NATARIS_GATEWAY_VIEWS_H

#include "base/json_write.h"
#include "call/calls.h"
#include "gateway/core_shell.h"
#include "store/store.h"

#include <stdbool.h>

/* Live keys are answered by the devices, test keys by the sandbox; both are borrowed. */
struct call_backend views_call_backend(struct core_shell *shell, const struct executor *sandbox,
                                       const struct call_counter *counter);
/* Whether a device can serve some model now. */
bool views_ready(const struct core_shell *shell);
/* Members of what is known of a device at this moment, into an open object. */
void views_write_device(const struct core_shell *shell, const struct store_device *device, struct json_writer *writer);
/* The object of what happened to a generation; false, and nothing written, when it is not known (any more). */
MUST_CHECK bool views_write_story(struct core_shell *shell, const char *id, struct json_writer *writer);

/* The member "audit" of a line of the review list, into its open object: what audits have found of its device, when the
 * line is of them; else null. */
void views_write_review(const struct core_shell *shell, const struct store_review *review, struct json_writer *writer);

#endif
