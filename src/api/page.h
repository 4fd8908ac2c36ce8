/* What the routes that list things have in common: their query, the list, and lines of jobs. */
#ifndef NATARIS_API_PAGE_H
#define NATARIS_API_PAGE_H

#include "api/period.h"
#include "api/request.h"
#include "base/json_write.h"

enum { PAGE_LIMIT_DEFAULT = 20, PAGE_LIMIT_MAX = 100 };

struct page {
    unsigned limit;
    char after[STORE_ID_MAX]; /* empty: from the newest */
};

/* Reads ?limit and ?after; false: `error` says which is wrong. */
MUST_CHECK bool page_read(const struct api_request *request, struct page *out, struct fault *error);
/* An id from the query, empty without one. One that cannot be an id of ours is a 404, like any that is not there. */
MUST_CHECK bool page_read_id(const struct api_request *request, const char *name, char out[STORE_ID_MAX],
                             struct fault *error);
/* What stands for {id} in the path, as it can be an id of ours; else the empty text, which is nobody's. */
void page_path_id(const struct api_request *request, char out[STORE_ID_MAX]);
/* Reads ?period; without it the month of now. */
MUST_CHECK bool page_read_period(const struct api_request *request, struct period *out, struct fault *error);

/* The id in the query is not there, or somebody else's: nobody can tell which. */
void page_set_missing(struct fault *error, const char *param);
/* What a read that failed means; ERR_NOT_FOUND is about the id in `param`. */
void page_set_failed(struct fault *error, const struct err *err, const char *param);

/* A list as the answer: begin, one value for each of its items, end, which responds. */
void page_list_begin(struct api_request *request, struct json_writer *writer);
void page_list_end(struct api_request *request, struct json_writer *writer, bool more);

/* A member with a time in UTC; null for 0, which is never. */
void page_write_time(struct json_writer *writer, const char *key, int64_t wall_ms);
/* "completed", "failed", "cancelled". */
const char *page_outcome(enum store_outcome outcome);
/* The members id, created and model of the open object. */
void page_write_generation(struct json_writer *writer, const struct store_generation *job);

#endif
