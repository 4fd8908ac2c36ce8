/* Answers: the headers that all of them carry, and the one place that knows the error envelope. */
#ifndef NATARIS_API_RESPOND_H
#define NATARIS_API_RESPOND_H

#include "api/request.h"
#include "base/json_write.h"

enum { RESPOND_HEADERS_MAX = 16, RESPOND_RATE_TEXT_SIZE = 24 };

struct respond_headers {
    struct http_response_header items[RESPOND_HEADERS_MAX];
    size_t count;
    char rate[3][RESPOND_RATE_TEXT_SIZE]; /* values that items refer to */
};

/* x-request-id, CORS, the content type and, for a known key, the rate headers. The request must outlive the headers,
 * and they must stay where they are. */
void respond_headers_init(struct respond_headers *headers, const struct api_request *request, struct str content_type);
void respond_headers_add(struct respond_headers *headers, const char *name, struct str value);

/* The API's one buffer for a text to send, empty; good until the next call. It holds any answer of legal size. */
struct buf *respond_buffer(struct api *api);

/* As OpenAI writes durations: "0s", "350ms", "6s", "1.5s", "1m3s". */
void respond_format_duration(uint64_t ms, char out[RESPOND_RATE_TEXT_SIZE]);

/* All of these end the exchange and with it the request. */
void respond_json(struct api_request *request, int status, struct str body);
/* The same with the headers made before. */
void respond_send(struct api_request *request, int status, const struct respond_headers *headers, struct str body);
void respond_error(struct api_request *request, const struct fault *error);
/* The same with one header more, such as Allow. */
void respond_error_header(struct api_request *request, const struct fault *error, const char *name, struct str value);
/* OPTIONS, for every path. */
void respond_preflight(struct api_request *request);

/* An error with its code's own status. */
void fault_set(struct fault *error, enum fault_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* What a failed function of ours means to a client. */
void fault_from_err(struct fault *error, const struct err *err);
int fault_status(const struct fault *error);
/* The code's text, such as "INVALID_REQUEST". */
const char *fault_name(enum fault_code code);
/* The object alone. */
void envelope_write_object(struct json_writer *writer, const struct fault *error);
/* Appends {"error":{...}}. */
void envelope_write(const struct fault *error, struct buf *out);

#endif
