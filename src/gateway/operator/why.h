/* Why a device gets no generations, in words: the same for the operator and for its owner. About the devices of others
 * nothing but how many there are and how fast the middle one is. */
#ifndef NATARIS_GATEWAY_OPERATOR_WHY_H
#define NATARIS_GATEWAY_OPERATOR_WHY_H

#include "base/json_write.h"
#include "core/core.h"
#include "core/explain.h"
#include "link/status.h"
#include "store/devices.h"

#include <stdint.h>

const char *why_gate(enum core_gate gate);
/* What the owner can do about it; NULL: nothing to say. */
const char *why_gate_advice(enum core_gate gate);
/* "; ...": why others go before a device that is free; "" for NONE. */
const char *why_yields(enum core_gate yields);
/* What one of a device's models gets generations by, when no gate keeps them out. */
const char *why_open(const struct core_offer_view *offer);
const char *why_model_state(enum core_model_state state); /* "downloading", ... */
/* The member `why`: the reasons in sentences, of a device that is connected, and of one that is not. `device` is as the
 * store has it: whether it was removed, is in quarantine, is of a suspended account. `evades`: its answers cannot be
 * judged, though others' can. */
void why_write(const struct core *core, uint64_t handle, const struct core_provider_view *view, enum link_pause pause,
               const struct store_device *device, bool evades, struct json_writer *writer);
void why_write_away(const struct store_device *device, struct json_writer *writer);

#endif
