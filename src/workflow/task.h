/* Where a request's words are: its task, the question in it, the document that it is about. Pure. */
#ifndef NATARIS_WORKFLOW_TASK_H
#define NATARIS_WORKFLOW_TASK_H

#include "wire/generation.h"
#include "workflow/question.h"

/* The last message of the user; of a request without messages its prompt. */
struct str task_text(const struct gen_request *request);
/* The task where there is a document: the last message of the user, if it is short or another one is the document; else
 * the question in it (workflow/question.h). The first is never empty. */
void task_question(const struct gen_request *request, struct str out[QUESTION_PARTS]);
/* What is cut into chunks: the longest message of the user. */
struct str task_document(const struct gen_request *request);
/* What lists show as the task, cut between graphemes to `size` with its NUL. */
void task_copy(const struct gen_request *request, char *out, size_t size);

#endif
