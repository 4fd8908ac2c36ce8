#include "engine/upstream_fault.h"

#include <string.h>

static bool says(struct str body, const char *word) {
    return body.len > 0 && memmem(body.data, body.len, word, strlen(word)) != NULL;
}

/* OpenAI's and vLLM's words, llama-server's, and those of others for the same. */
static bool is_about_context(struct str body) {
    return says(body, "context_length_exceeded") || says(body, "exceed_context_size") ||
           says(body, "maximum context length") || says(body, "context size") || says(body, "context window") ||
           says(body, "context length") || says(body, "max_model_len");
}

static struct upstream_fault of_request(struct str body) {
    if (is_about_context(body)) {
        return (struct upstream_fault){.failure = GEN_FAILURE_CONTEXT_LENGTH,
                                       .message = "prompt and max_tokens do not fit the context of the model there"};
    }
    return (struct upstream_fault){
        .failure = GEN_FAILURE_BAD_REQUEST,
        .message = "the upstream refuses the request",
        .about_sampling = says(body, "top_k") || says(body, "min_p") || says(body, "repeat_penalty") ||
                          says(body, "repetition_penalty"),
        .about_options = says(body, "stream_options") || says(body, "include_usage"),
    };
}

struct upstream_fault upstream_fault_of_status(int status, struct str body) {
    switch (status) {
    case 400:
    case 413:
    case 422:
        return of_request(body);
    case 401:
    case 403:
        return (struct upstream_fault){
            .failure = GEN_FAILURE_MODEL_MISSING, .message = "the upstream refuses this device's key", .away = true};
    case 402:
        return (struct upstream_fault){.failure = GEN_FAILURE_MODEL_MISSING,
                                       .message = "the upstream wants to be paid"};
    case 404:
        return (struct upstream_fault){
            .failure = GEN_FAILURE_MODEL_MISSING, .message = "the upstream does not have the model", .away = true};
    case 429:
        return (struct upstream_fault){.failure = GEN_FAILURE_OVERLOADED, .message = "the upstream is busy"};
    case 503:
        return (struct upstream_fault){
            .failure = GEN_FAILURE_OVERLOADED, .message = "the upstream is busy", .away = true};
    default:
        return (struct upstream_fault){.failure = GEN_FAILURE_ENGINE, .message = "the upstream failed", .away = true};
    }
}

struct upstream_fault upstream_fault_of_transfer(enum http_failure failure) {
    struct upstream_fault fault = {.failure = GEN_FAILURE_ENGINE, .away = true};
    switch (failure) {
    case HTTP_FAILURE_NONE:
        fault.message = "the upstream's answer has no end";
        break;
    case HTTP_FAILURE_REQUEST:
    case HTTP_FAILURE_NAME:
    case HTTP_FAILURE_ADDRESS:
    case HTTP_FAILURE_CONNECT:
    case HTTP_FAILURE_TLS:
        fault.message = "the upstream cannot be reached";
        break;
    case HTTP_FAILURE_TIME:
        fault.message = "the upstream did not answer in time";
        break;
    case HTTP_FAILURE_BROKEN:
    case HTTP_FAILURE_OTHER:
        fault.message = "the upstream broke off its answer";
        break;
    case HTTP_FAILURE_TOO_LARGE:
    case HTTP_FAILURE_STOPPED:
        fault.message = "the upstream's answer is none that is understood";
        fault.away = false;
        break;
    }
    return fault;
}
