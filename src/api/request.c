#include "api/request.h"

#include "format/envelope.h"

enum { REQUEST_ID_RANDOM = 22 };

void request_init(struct api_request *request, struct api *api, struct http_exchange *exchange) {
    *request = (struct api_request){
        .api = api, .exchange = exchange, .envelope = &ENVELOPE_OPENAI, .started_ms = loop_now_ms(api->calls->loop)};
    id_make_random("req_", REQUEST_ID_RANDOM, request->id);
}

bool request_is_test(const struct api_request *request) {
    return request->identity.kind == STORE_KEY_TEST;
}
