/* Whether the gateway can be reached, who it is, and whether its clock and ours agree. */
#include "provider/doctor_gateway.h"

#include "base/clock.h"
#include "base/file.h"
#include "net/http_question.h"
#include "net/ws_url.h"

#include <stdio.h>
#include <string.h>

enum { CONNECT_MS = 10 * 1000, REPLY_MS = 20 * 1000, BODY_MAX = 64 * 1024, CLOCK_SKEW_S = 60 };

static void ask(const char *url, const char *ca_file, struct http_result *result) {
    const struct http_transfer_options options = {
        .url = url, .ca_file = ca_file, .connect_ms = CONNECT_MS, .whole_ms = REPLY_MS, .plain = true};
    struct buf body;
    buf_init(&body, BODY_MAX);
    http_question_ask(&options, &body, result);
    buf_clear(&body);
}

static bool is_loopback(const char *host) {
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

static void judge_reply(struct doctor *doctor, const struct ws_url *url, const struct http_answer *reply) {
    if (reply->status != 200) {
        doctor_say(doctor, "gateway", DOCTOR_FAIL, "look at the address and port of --gateway",
                   "%s answers, but not as a gateway does (status %d)", url->authority, reply->status);
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
    struct http_result result;
    char url[sizeof(parsed.authority) + 32];
    if (doctor->options->gateway_url == NULL) {
        doctor_say(doctor, "gateway", DOCTOR_WARN, "give --gateway URL, or let the provider run meanwhile",
                   "the gateway was not tried: its address is not known");
        return;
    }
    if (!ws_url_parse(&parsed, doctor->options->gateway_url, &err)) {
        doctor_say(doctor, "gateway", DOCTOR_FAIL, "look at --gateway", "%s", err.message);
        return;
    }
    snprintf(url, sizeof(url), "%s://%s/healthz", parsed.secure ? "https" : "http", parsed.authority);
    ask(url, doctor->options->ca_file, &result);
    if (result.failure == HTTP_FAILURE_NONE) {
        judge_reply(doctor, &parsed, &result.answer);
    } else if (result.failure == HTTP_FAILURE_TLS) {
        doctor_say(doctor, "tls", DOCTOR_FAIL, "look at the clock; for a private authority give --ca-file", "%s: %s",
                   parsed.authority, result.detail);
    } else {
        doctor_say(doctor, "gateway", DOCTOR_FAIL,
                   "look whether the gateway runs, listens on more than loopback, and no firewall is between", "%s: %s",
                   parsed.authority, result.detail);
    }
}
