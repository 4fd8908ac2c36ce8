/* nataris provider audits: what audits have found of a device, for the operator (docs/AUDITS.md). */
#ifndef NATARIS_CMD_PROVIDER_AUDITS_H
#define NATARIS_CMD_PROVIDER_AUDITS_H

#include "base/json_read.h"
#include "cmd/command.h"

enum { PROVIDER_AUDITS_RATIOS_SIZE = 160 };

extern const struct command COMMAND_PROVIDER_AUDITS;

/* "flatter 0.0, flattest 1.3, sharper 0.0, far 0.0": the four ratios or sums of the member `name`. Returns `out`. */
const char *provider_audits_ratios(struct json_value object, const char *name, char *out, size_t size);
/* All that audits have found of a device, an answer of GET /admin/providers/ID. */
void provider_audits_print(struct json_value device);

#endif
