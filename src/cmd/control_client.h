/* Commands to a running provider, over DATA/control.sock. */
#ifndef NATARIS_CMD_CONTROL_CLIENT_H
#define NATARIS_CMD_CONTROL_CLIENT_H

#include "base/json_read.h"
#include "cmd/socket_call.h"

struct control_reply {
    struct buf text; /* JSON */
    struct json_parser *parser;
    struct json_value root;
};

/* SOCKET_ANSWERED only when the provider did it; its refusals are SOCKET_FAILED with its own words. The reply is to be
 * cleared in any case. */
enum socket_outcome control_client_call(const char *data_folder, const char *method, const char *path, struct str body,
                                        struct control_reply *reply, struct err *err);
void control_reply_clear(struct control_reply *reply);

/* "90s", "30m", "2h", "3d" in seconds. */
MUST_CHECK bool control_parse_duration(struct str text, uint64_t *seconds, struct err *err);

#endif
