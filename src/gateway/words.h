/* What links say of devices, in the words of the core. */
#ifndef NATARIS_GATEWAY_WORDS_H
#define NATARIS_GATEWAY_WORDS_H

#include "core/core.h"
#include "link/answer.h"
#include "link/finish.h"
#include "link/status.h"
#include "wire/generation.h"

enum core_model_state words_model_state(enum link_model_state state);
enum core_heat words_heat(enum link_heat heat);
enum core_attempt_failure words_failure(enum gen_failure failure);
/* The core knows three; an answer that ended well in another way has stopped. */
enum core_finish words_finish(enum link_finish finish);
/* No device gets a generation of a kind that it did not list, and ours are all of this one. */
bool words_generates(const struct link_model *model);
/* What a device must be able to do for a request, and what one can do with a model: sums of enum core_ability. */
uint8_t words_abilities(const struct gen_request *request);
uint8_t words_offered_abilities(const struct link_model *model);
/* Its texts are the link's. */
struct core_offer words_offer(const struct link_model *model);
/* The event of a delta of this provider (the core's handle); its texts are the link's. */
struct core_event words_delta(const struct link_delta *delta, uint64_t provider);
/* The core knows two letters or nothing; one that is neither leaves `out` as it is. */
void words_region(char out[CORE_REGION_SIZE], const char *region);

#endif
