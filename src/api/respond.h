/* Answers over HTTP: the headers that all of them carry, and the ways to end a request. */
#ifndef NATARIS_API_RESPOND_H
#define NATARIS_API_RESPOND_H

#include "api/request.h"
#include "base/json_write.h"
#include "call/fault.h"

/* The methods that some route has. */
#define RESPOND_METHODS "GET, HEAD, POST, PATCH, DELETE, OPTIONS"

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

/* A JSON object as the answer: begin gives a writer inside it, end closes it and responds. */
struct json_writer respond_json_begin(struct api_request *request);
void respond_json_end(struct api_request *request, int status, struct json_writer *writer);

/* All of these end the exchange and with it the request. */
void respond_json(struct api_request *request, int status, struct str body);
/* The same with the headers made before. */
void respond_send(struct api_request *request, int status, const struct respond_headers *headers, struct str body);
void respond_fault(struct api_request *request, const struct fault *fault);
/* The same with one header more, such as Allow. */
void respond_fault_header(struct api_request *request, const struct fault *fault, const char *name, struct str value);
/* OPTIONS, for every path. */
void respond_preflight(struct api_request *request);

#endif
