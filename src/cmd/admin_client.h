/* The operator's commands against a data folder: through DATA/admin.sock when a gateway runs there, so that it knows at
 * once; else on the store itself. The same requests and answers either way (admin/admin.h). */
#ifndef NATARIS_CMD_ADMIN_CLIENT_H
#define NATARIS_CMD_ADMIN_CLIENT_H

#include "base/buf.h"
#include "base/file.h"
#include "base/json_read.h"
#include "cmd/command.h"

struct admin_reply {
    struct buf text; /* JSON */
    struct json_parser *parser;
    struct json_value root; /* of the text */
};

/* `path` with its query; `body` may be empty. False with the gateway's own words when it refuses. The reply is to be
 * cleared in any case. */
MUST_CHECK bool admin_client_call(const char *data_folder, const char *method, const char *path, struct str body,
                                  struct admin_reply *reply, struct err *err);
void admin_reply_clear(struct admin_reply *reply);
/* For other ways to a gateway: an empty reply, whose text is then filled in; and what an answer of this status
 * means. */
void admin_reply_init(struct admin_reply *reply);
MUST_CHECK bool admin_reply_read(struct admin_reply *reply, int status, struct err *err);

/* DATA/nataris.db, which must exist: these commands make no data folders. */
MUST_CHECK bool admin_client_store_path(const char *data_folder, char out[FILE_PATH_MAX], struct err *err);

#endif
