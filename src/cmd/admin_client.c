#include "cmd/admin_client.h"

#include "admin/routes.h"
#include "cmd/socket_call.h"
#include "gateway/database.h"

#include <string.h>

enum { REPLY_MAX = 8 * 1024 * 1024, REPLY_DEPTH = 8 };

static const char ACTOR[] = "cli";

struct admin_call {
    const char *data_folder, *method, *path;
    struct str body;
    struct admin_reply *reply;
    int status;
};

bool admin_client_store_path(const char *data_folder, char out[FILE_PATH_MAX], struct err *err) {
    if (data_folder == NULL) {
        return err_set(err, ERR_INVALID, "--data DIR is needed: the gateway's data folder");
    }
    if (!file_join(out, data_folder, "nataris.db", err)) {
        return false;
    }
    return file_exists(out) ||
           err_set(err, ERR_NOT_FOUND, "%s is no data folder: start a gateway there first", data_folder);
}

/* --- On the store itself --- */

static void on_answer(void *context, const struct admin_answer *answer) {
    struct admin_call *call = context;
    call->status = answer->status;
    buf_append_str(&call->reply->text, answer->body);
}

static void execute(void *context, const struct store_admin *action, admin_done *done, void *done_context) {
    struct store *store = context;
    if (action->kind == STORE_ADMIN_REVIEWS_ACCEPT || action->kind == STORE_ADMIN_REVIEWS_DISMISS) {
        struct err err; /* the escrow is ended step by step, which only a gateway does */
        (void)err_set(&err, ERR_CONFLICT, "The gateway does not run: start it, and say it again");
        done(done_context, NULL, &err);
        return;
    }
    store_admin(store, action, done, done_context);
}

static void on_broken(void *context, const struct err *err) {
    (void)context; /* the call that waits is told too */
    (void)err;
}

static void call_admin(struct admin_call *call, struct loop *loop, struct store *store) {
    const struct admin_backend backend = {.context = store, .execute = execute};
    const char *query = strchr(call->path, '?');
    const struct str path = str_from(call->path);
    const size_t path_len = query != NULL ? (size_t)(query - call->path) : path.len;
    const struct admin_request request = {.method = str_from(call->method),
                                          .path = {path.data, path_len},
                                          .query = str_from(query != NULL ? query + 1 : ""),
                                          .body = call->body,
                                          .actor = str_from(ACTOR)};
    struct admin *admin = admin_new(loop, store, &backend);
    admin_handle(admin, &request, on_answer, call);
    loop_run(loop); /* until the store has nothing left to answer */
    admin_free(admin);
}

static bool call_store(struct admin_call *call, struct err *err) {
    char path[FILE_PATH_MAX];
    struct store *store = NULL;
    if (!admin_client_store_path(call->data_folder, path, err)) {
        return false;
    }
    struct loop *loop = loop_new();
    const bool ok = gateway_database_open(&store, path, err) && store_start(store, loop_uv(loop), on_broken, NULL, err);
    if (ok) {
        call_admin(call, loop, store);
    }
    store_close(store);
    loop_run(loop);
    loop_free(loop);
    return ok;
}

/* --- Either --- */

static bool send_call(struct admin_call *call, struct err *err) {
    char socket_path[FILE_PATH_MAX];
    if (call->data_folder == NULL) {
        return err_set(err, ERR_INVALID, "--data DIR is needed: the gateway's data folder");
    }
    if (!file_join(socket_path, call->data_folder, "admin.sock", err)) {
        return false;
    }
    const struct socket_call through = {.socket_path = socket_path,
                                        .method = call->method,
                                        .path = call->path,
                                        .body = call->body,
                                        .header = "x-admin-actor: cli",
                                        .reply = &call->reply->text};
    switch (socket_call(&through, &call->status, err)) {
    case SOCKET_ANSWERED:
        return true;
    case SOCKET_FAILED:
        return false;
    case SOCKET_NOBODY:
        break;
    }
    return call_store(call, err);
}

/* The message of an error envelope. */
static bool refused(const struct admin_reply *reply, int status, struct err *err) {
    struct json_value error, value;
    struct str message;
    if (json_get(reply->root, "error", &error) && json_get(error, "message", &value) && json_as_str(value, &message)) {
        return err_set(err, ERR_INVALID, "%.*s", STR_ARG(message));
    }
    return err_set(err, ERR_INTERNAL, "the gateway answered with status %d", status);
}

void admin_reply_init(struct admin_reply *reply) {
    buf_init(&reply->text, REPLY_MAX);
    reply->parser = json_parser_new(REPLY_MAX, REPLY_DEPTH);
}

bool admin_reply_read(struct admin_reply *reply, int status, struct err *err) {
    return json_parse(reply->parser, buf_str(&reply->text), &reply->root, err) &&
           (status < 400 || refused(reply, status, err));
}

bool admin_client_call(const char *data_folder, const char *method, const char *path, struct str body,
                       struct admin_reply *reply, struct err *err) {
    struct admin_call call = {.data_folder = data_folder, .method = method, .path = path, .body = body, .reply = reply};
    admin_reply_init(reply);
    return send_call(&call, err) && admin_reply_read(reply, call.status, err);
}

void admin_reply_clear(struct admin_reply *reply) {
    json_parser_free(reply->parser);
    reply->parser = NULL;
    buf_clear(&reply->text);
}
