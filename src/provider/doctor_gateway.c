/* Whether the gateway can be reached, who it is, and whether its clock and ours agree. */
#include "base/clock.h"
#include "base/file.h"
#include "net/ws_url.h"
#include "provider/doctor.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { CONNECT_TIMEOUT_S = 10, REPLY_TIMEOUT_S = 20, CLOCK_SKEW_S = 60 };

struct reply {
    int64_t date_s; /* of the gateway, as it says; 0: it did not */
    char words[CURL_ERROR_SIZE];
    long status;
};

static size_t on_header(char *data, size_t one, size_t len, void *context) {
    struct reply *reply = context;
    struct str name, value, line = {data, len};
    char text[64];
    (void)one; /* always 1 */
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r')) {
        line.len--;
    }
    if (str_split(line, ':', &name, &value) && str_equal_nocase(name, STR("date")) &&
        str_copy(text, sizeof text, str_trim(value))) {
        const time_t date = curl_getdate(text, NULL);
        reply->date_s = date > 0 ? (int64_t)date : 0;
    }
    return len;
}

static size_t on_body(char *data, size_t one, size_t len, void *context) {
    (void)data, (void)one, (void)context;
    return len;
}

static CURLcode ask(const char *url, const char *ca_file, struct reply *reply) {
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        return CURLE_FAILED_INIT;
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reply->words);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* as the link, which knows no proxies */
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "nataris/" NATARIS_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REPLY_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    if (ca_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    }
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_cleanup(curl);
    return code;
}

static bool is_tls_failure(CURLcode code) {
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_INVALIDCERTSTATUS;
}

static bool is_loopback(const char *host) {
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

static void judge_reply(struct doctor *doctor, const struct ws_url *url, const struct reply *reply) {
    if (reply->status != 200) {
        doctor_say(doctor, "gateway", DOCTOR_FAIL, "look at the address and port of --gateway",
                   "%s answers, but not as a gateway does (status %ld)", url->authority, reply->status);
        return;
    }
    doctor_say(doctor, "gateway", DOCTOR_OK, NULL, "the gateway %s answers", url->authority);
    if (url->secure) {
        doctor_say(doctor, "tls", DOCTOR_OK, NULL, "its certificate is good");
    } else if (!is_loopback(url->host)) {
        doctor_say(doctor, "tls", DOCTOR_WARN, "ask the operator for an https address",
                   "the link is not encrypted: others on the way can read prompts and answers");
    }
    if (reply->date_s == 0) {
        return;
    }
    const long long skew_s = (long long)(clock_wall_ms() / 1000 - reply->date_s);
    const bool wrong = skew_s > CLOCK_SKEW_S || skew_s < -CLOCK_SKEW_S;
    doctor_say(doctor, "clock", wrong ? DOCTOR_WARN : DOCTOR_OK, wrong ? "let the system set its clock by NTP" : NULL,
               wrong ? "this device's clock is %lld s off the gateway's" : "this device's clock is right (%lld s off)",
               skew_s);
}

void doctor_check_gateway(struct doctor *doctor) {
    struct ws_url parsed;
    struct err err = {0};
    struct reply reply = {0};
    char url[sizeof parsed.authority + 32];
    if (doctor->options->gateway_url == NULL) {
        doctor_say(doctor, "gateway", DOCTOR_WARN, "give --gateway URL, or let the provider run meanwhile",
                   "the gateway was not tried: its address is not known");
        return;
    }
    if (!ws_url_parse(&parsed, doctor->options->gateway_url, &err)) {
        doctor_say(doctor, "gateway", DOCTOR_FAIL, "look at --gateway", "%s", err.message);
        return;
    }
    snprintf(url, sizeof url, "%s://%s/healthz", parsed.secure ? "https" : "http", parsed.authority);
    const CURLcode code = ask(url, doctor->options->ca_file, &reply);
    const char *why = reply.words[0] != '\0' ? reply.words : curl_easy_strerror(code);
    if (code == CURLE_OK) {
        judge_reply(doctor, &parsed, &reply);
    } else if (is_tls_failure(code)) {
        doctor_say(doctor, "tls", DOCTOR_FAIL, "look at the clock; for a private authority give --ca-file", "%s: %s",
                   parsed.authority, why);
    } else {
        doctor_say(doctor, "gateway", DOCTOR_FAIL,
                   "look whether the gateway runs, listens on more than loopback, and no firewall is between", "%s: %s",
                   parsed.authority, why);
    }
}
