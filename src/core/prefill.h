/* How long a device may take for a prompt: by the speed that the gateway has seen, and by its progress. Pure. */
#ifndef NATARIS_CORE_PREFILL_H
#define NATARIS_CORE_PREFILL_H

#include <stdbool.h>
#include <stdint.h>

struct core;
struct core_attempt;

/* Tokens of the attempt's prompt and of the text to continue: as its device counted them, but no more than there can
 * be; 0: not counted. */
uint32_t core_prefill_tokens(const struct core_attempt *attempt);
/* What so many tokens may take: usually, and at most. */
uint64_t core_prefill_usual_ms(const struct core *core, uint64_t tokens);
uint64_t core_prefill_most_ms(const struct core *core, uint64_t tokens);
/* When its first token is due if it tells no progress; it has just accepted. */
uint64_t core_prefill_due_ms(const struct core *core, const struct core_attempt *attempt);
/* It says that it has read so much: true if its generation's first_due_ms was moved on by that. */
bool core_prefill_progress(const struct core *core, struct core_attempt *attempt, uint32_t done_tokens);
/* What the rest should take it by its progress so far; UINT64_MAX: it has told none. */
uint64_t core_prefill_left_ms(const struct core *core, const struct core_attempt *attempt);

#endif
