#include "gateway/doors.h"

#include "wire/limits.h"

/* A machine with 15,000 devices behind one address, all of which connect at once, stays below them. */
enum { ADDRESS_CONNECTIONS = 8192, ADDRESS_NEW_CONNECTIONS = 5000, ADDRESS_FAILED_KEYS = 120 };

/* To a connection that its address may not have, before anything of it is read. */
#define DOORS_REFUSAL_BODY                                                                                             \
    "{\"error\":{\"message\":\"Your address has too many connections without a good API key, or opens them too fast. " \
    "Close some, or wait.\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"RATE_LIMIT_EXCEEDED\"}}"
#define DOORS_REFUSAL                                                                                                  \
    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: "               \
    "close\r\n\r\n" DOORS_REFUSAL_BODY

void doors_limits_init(struct address_limits *limits) {
    *limits = (struct address_limits){.connections = ADDRESS_CONNECTIONS,
                                      .new_connections = ADDRESS_NEW_CONNECTIONS,
                                      .body_bytes = LIMIT_ADDRESS_BODY_BYTES,
                                      .failed_keys = ADDRESS_FAILED_KEYS};
}

bool doors_init(struct doors *doors, const struct address_limits *limits, const char *proxies, struct err *err) {
    struct address_limits fitting = *limits;
    descriptors_init(&doors->descriptors);
    fitting.connections = descriptors_share(&doors->descriptors, limits->connections);
    return address_book_new(&doors->addresses, &fitting, proxies, err);
}

void doors_clear(struct doors *doors) {
    address_book_free(doors->addresses);
    doors->addresses = NULL;
}

struct listener_options doors_public(const struct doors *doors, const char *address, struct tls_context *tls) {
    return (struct listener_options){.address = address,
                                     .tls = tls,
                                     .max_connections = doors->descriptors.clients,
                                     .addresses = doors->addresses,
                                     .refusal = STR(DOORS_REFUSAL),
                                     .handshake_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS};
}

struct listener_options doors_admin(const char *address) {
    return (struct listener_options){.address = address, .max_connections = LIMIT_ADMIN_CONNECTIONS};
}

struct http_server_config doors_http_config(void) {
    return (struct http_server_config){
        .head_limits = {.head_bytes = LIMIT_HTTP_HEAD_BYTES,
                        .header_count = LIMIT_HTTP_HEADER_COUNT,
                        .url_bytes = LIMIT_HTTP_URL_BYTES},
        .body_bytes = LIMIT_HTTP_BODY_BYTES,
        .bodies_bytes = LIMIT_HTTP_BODIES_BYTES,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_pace = {.stretch_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
                      .stretch_bytes = LIMIT_HTTP_BODY_STRETCH_BYTES,
                      .total_ms = LIMIT_HTTP_BODY_TOTAL_MS,
                      .overstay_ms = LIMIT_HTTP_BODY_TIMEOUT_MS},
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS,
    };
}

struct link_server_config doors_links(uint32_t heartbeat_ms) {
    return (struct link_server_config){.heartbeat_ms = heartbeat_ms,
                                       .handshake_ms = LIMIT_LINK_HANDSHAKE_MS,
                                       .backlog_bytes = LIMIT_LINK_BACKLOG_BYTES,
                                       .backlogs_bytes = LIMIT_LINK_BACKLOGS_BYTES,
                                       .watch_ping_ms = LIMIT_LINK_WATCH_PING_MS,
                                       .watch_silence_ms = LIMIT_LINK_WATCH_SILENCE_MS,
                                       .messages_per_s = LIMIT_LINK_MESSAGES_PER_S,
                                       .bytes_per_s = LIMIT_LINK_BYTES_PER_S};
}
