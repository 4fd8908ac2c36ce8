/* What the routes that list things have in common: their query, the list, and lines of generations. */
#ifndef NATARIS_API_PAGE_H
#define NATARIS_API_PAGE_H

#include "api/period.h"
#include "api/request.h"
#include "base/json_write.h"
#include "call/fault.h"

enum { PAGE_LIMIT_DEFAULT = 20, PAGE_LIMIT_MAX = 100 };

struct page {
    unsigned limit;
    char after[STORE_ID_MAX]; /* empty: from the newest */
};

/* Reads ?limit and ?after; false: `fault` says which is wrong. `what`, such as "job", is what `after` names. */
MUST_CHECK bool page_read(const struct api_request *request, const char *what, struct page *out, struct fault *fault);
/* An id from the query, empty without one. One that cannot be an id of ours is a 404, like any that is not there. */
MUST_CHECK bool page_read_id(const struct api_request *request, const char *name, const char *what,
                             char out[STORE_ID_MAX], struct fault *fault);
/* What stands for {id} in the path, as far as it can be an id of ours; else "-", which is nobody's. */
void page_path_id(const struct api_request *request, char out[STORE_ID_MAX]);
/* Reads ?forget, true or false; without it false. */
MUST_CHECK bool page_read_forget(const struct api_request *request, bool *out, struct fault *fault);
/* Reads ?period; without it the month of now. */
MUST_CHECK bool page_read_period(const struct api_request *request, struct period *out, struct fault *fault);

/* A list as the answer: begin, one value for each of its items, end, which responds. */
void page_list_begin(struct api_request *request, struct json_writer *writer);
void page_list_end(struct api_request *request, struct json_writer *writer, bool more);

/* "completed", "failed", "cancelled". */
const char *page_outcome(enum store_outcome outcome);
/* The members id, created and model of the open object. */
void page_write_generation(struct json_writer *writer, const struct store_generation *generation);

#endif
