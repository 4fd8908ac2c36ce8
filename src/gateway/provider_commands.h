/* Effects of the core that are words to devices. Handles of the core; nothing happens when the device has gone. */
#ifndef NATARIS_GATEWAY_PROVIDER_COMMANDS_H
#define NATARIS_GATEWAY_PROVIDER_COMMANDS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct providers;

void provider_commands_cancel(const struct providers *providers, uint64_t handle, uint64_t generation);
void provider_commands_watch(const struct providers *providers, uint64_t handle, bool watched);
void provider_commands_want(const struct providers *providers, uint64_t handle, struct str model);

#endif
