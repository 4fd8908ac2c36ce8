/* Which workflow answers a request that leaves that to us. Pure. */
#ifndef NATARIS_WORKFLOW_CHOOSE_H
#define NATARIS_WORKFLOW_CHOOSE_H

#include "format/orchestration.h"
#include "tokens/rates.h"
#include "wire/generation.h"

/* "auto": the rule, in this order, on the text of the last user message and the whole request. 1. The longest message
 * of the user does not fit half of the context: map_reduce. 2. Tools were given, or it is a plain sum or asks for the
 * time (workflow/tool_question.h): agent. 3. It has a code block or words
 * of programming ("function", "script", "bug", "implement", "python", "sql", ...): code. 4. It asks to calculate, for
 * the time or the date, or a third of it is an expression with digits: agent. 5. Words of research ("research",
 * "compare", "analyze", "report", "trends", "pros and cons", ...): research. 6. Else agent, which takes one step where
 * the model knows the answer. Words are whole words in any case of letters. */
enum core_workflow_kind workflow_choose(const struct gen_request *request, const struct orchestration *asked,
                                        uint32_t context_length, const struct tokens_rates *rates);

#endif
