/* What the operator's commands share: one request, and its answer as JSON or as text for a person. */
#ifndef NATARIS_CMD_ADMIN_COMMAND_H
#define NATARIS_CMD_ADMIN_COMMAND_H

#include "cmd/admin_client.h"
#include "cmd/table.h"

#include "base/json_write.h"

enum { ADMIN_BODY_MAX = 16 * 1024, ADMIN_PATH_MAX = 256 };

struct admin_options {
    const char *config, *data;
    bool json;
};

#define ADMIN_OPTIONS(type)                                                                                            \
    {"data", OPTION_TEXT, "DIR", NULL, "the gateway's data folder", offsetof(type, admin.data)},                       \
        {"json", OPTION_FLAG, NULL, NULL, "print JSON", offsetof(type, admin.json)},                                   \
        OPTION_CONFIG_FILE(type, admin.config)

/* "/admin/accounts/<id><tail>"; ERR_INVALID when the id can be none. */
MUST_CHECK bool admin_path(char out[ADMIN_PATH_MAX], const char *prefix, const char *id, const char *tail,
                           struct err *err);
/* The page of a list that is asked for; `after` may be NULL. */
MUST_CHECK bool admin_page_path(char out[ADMIN_PATH_MAX], const char *path, uint32_t limit, const char *name,
                                const char *after, struct err *err);

/* Makes the call and prints the answer: as it came with --json, else by `print`. Returns the exit status. */
int admin_command_run(const struct admin_options *options, const char *method, const char *path, struct str body,
                      void (*print)(struct json_value answer));

struct admin_object {
    const char *prefix; /* "/admin/accounts/" */
    const char *id;     /* as a person gave it */
    const char *tail;   /* "/keys", or "" */
};
/* The same on one object; an id that can be none is said to be so. */
int admin_command_on(const struct admin_options *options, const char *method, const struct admin_object *object,
                     struct str body, void (*print)(struct json_value answer));

struct admin_page {
    uint32_t limit;
    const char *name;  /* of the query's member: "after" or "before" */
    const char *after; /* its value as a person gave it; NULL: the first page */
};
/* GET of a page of the list at `path`. */
int admin_command_list(const struct admin_options *options, const char *path, const struct admin_page *page,
                       void (*print)(struct json_value answer));

/* A body is built between these two; *writer stands in its object. */
void admin_body_begin(struct buf *body, struct json_writer *writer);
struct str admin_body_end(struct buf *body, struct json_writer *writer);

#endif
