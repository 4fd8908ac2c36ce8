/* What an account's own devices do for it is free (docs/LEDGER.md "Own devices"), also for one whose money does not
 * cover the worst case of a request. Such a generation holds nothing, and no device of anybody else ever has it. Part
 * of core_internal.h, which has the structs that are only named here. */
#ifndef NATARIS_CORE_OWN_H
#define NATARIS_CORE_OWN_H

#include "core/core_internal.h"

/* A request that its account cannot pay, because of `failure` (CREDITS or KEY_CAP): true when a device of the account
 * itself can take it, now or before long. The hold is then one of nothing, for own devices alone. */
MUST_CHECK bool core_own_admit(const struct core *core, const struct core_event *event, enum core_failure failure,
                               struct core_hold *hold);
/* False: the generation is for devices of its account alone, and this is none. */
bool core_own_allows(const struct core_generation *generation, const struct core_provider *provider);
/* The largest context among the devices that the generation may go to. */
uint32_t core_own_context(const struct core_generation *generation);
/* Its account's devices that can take a generation of its model now, up to `most`. */
size_t core_own_free(const struct core_generation *generation, struct core_offering **out, size_t most);
/* core_place_has_untried among its account's devices. */
bool core_own_has_untried(const struct core_generation *generation, bool failed_ones);
/* Whether one of them that has not refused it may answer it, now or before long. */
bool core_own_has_unasked(const struct core_generation *generation);
/* Whoever asks is whom the device belongs to, and it is not trusted: its owner knows what was asked, pays nothing and
 * can have it answered as it likes. So it neither earns the device anything nor says what it is like. The operator is
 * the one whom that would deceive: what is asked by that account counts, also of devices which it let in as its own. */
bool core_own_is_self_made(const struct core_generation *generation, const struct core_provider *provider);

#endif
