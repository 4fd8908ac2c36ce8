#include "net/http_failure.h"

#include <curl/curl.h>

enum http_failure http_failure_of(int code) {
    switch (code) {
    case CURLE_OK:
        return HTTP_FAILURE_NONE;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return HTTP_FAILURE_REQUEST;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return HTTP_FAILURE_NAME;
    case CURLE_COULDNT_CONNECT:
        return HTTP_FAILURE_CONNECT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return HTTP_FAILURE_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_FAILURE_TIME;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        return HTTP_FAILURE_BROKEN;
    default:
        return HTTP_FAILURE_OTHER;
    }
}

/* Libcurl's words, but for what we ourselves broke off or looked up. */
const char *http_failure_reason(enum http_failure failure, bool ours, int code) {
    switch (failure) {
    case HTTP_FAILURE_NONE:
        return "";
    case HTTP_FAILURE_ADDRESS:
        return "the host's address is not allowed";
    case HTTP_FAILURE_TOO_LARGE:
        return "the answer is too long";
    case HTTP_FAILURE_STOPPED:
        return "it was stopped";
    case HTTP_FAILURE_NAME:
        return "the host's name was not found";
    case HTTP_FAILURE_REQUEST:
    case HTTP_FAILURE_CONNECT:
    case HTTP_FAILURE_TLS:
    case HTTP_FAILURE_TIME:
    case HTTP_FAILURE_BROKEN:
    case HTTP_FAILURE_OTHER:
        break;
    }
    return ours ? "the answer's head is too long" : curl_easy_strerror((CURLcode)code);
}
