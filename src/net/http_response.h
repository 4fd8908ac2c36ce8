/* Answers to an exchange: whole, in pieces, or with another protocol. */
#ifndef NATARIS_NET_HTTP_RESPONSE_H
#define NATARIS_NET_HTTP_RESPONSE_H

#include "net/conn.h"
#include "net/http_exchange.h"

/* A header line to send (not the ones that frame the answer, which are made here). One with control bytes in its name
 * or value is dropped. */
struct http_response_header {
    const char *name;
    struct str value;
};
/* A whole answer; Content-Length, Date and Connection are added. HEAD requests get no body. Ends the exchange:
 * it must not be touched afterwards. */
void http_respond(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                  size_t header_count, struct str body);
/* An answer in pieces (chunked, or until close for HTTP/1.0): begin, write any number of times, end. */
void http_stream_begin(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                       size_t header_count);
void http_stream_write(struct http_exchange *exchange, struct str data);
void http_stream_end(struct http_exchange *exchange); /* ends the exchange */
/* Breaks the connection in mid-answer so that the client sees it was not complete. Ends the exchange. */
void http_stream_abort(struct http_exchange *exchange);
/* To be called within on_request only. Answers 101 with `headers` and hands the raw connection over with any bytes that
 * came early (`early`, borrowed until the next turn). Ends the exchange. Returns the conn; set its events at once. */
struct conn *http_upgrade(struct http_exchange *exchange, const struct http_response_header *headers,
                          size_t header_count, struct str *early);

#endif
