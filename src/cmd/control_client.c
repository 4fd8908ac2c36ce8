#include "cmd/control_client.h"

#include "base/file.h"
#include "provider/control.h"

enum { REPLY_MAX = 1024 * 1024, REPLY_DEPTH = 8 };

static enum socket_outcome judge(struct control_reply *reply, int status, struct err *err) {
    struct json_value error, value;
    struct str message;
    if (!json_parse(reply->parser, buf_str(&reply->text), &reply->root, err)) {
        return SOCKET_FAILED;
    }
    if (status < 400) {
        return SOCKET_ANSWERED;
    }
    if (json_get(reply->root, "error", &error) && json_get(error, "message", &value) && json_as_str(value, &message)) {
        err_set(err, ERR_INVALID, "%.*s", STR_ARG(message));
    } else {
        err_set(err, ERR_INTERNAL, "the provider answered with status %d", status);
    }
    return SOCKET_FAILED;
}

enum socket_outcome control_client_call(const char *data_folder, const char *method, const char *path, struct str body,
                                        struct control_reply *reply, struct err *err) {
    char socket_path[FILE_PATH_MAX];
    int status = 0;
    buf_init(&reply->text, REPLY_MAX);
    reply->parser = json_parser_new(REPLY_MAX, REPLY_DEPTH);
    if (!file_join(socket_path, data_folder, CONTROL_SOCKET, err)) {
        return SOCKET_FAILED;
    }
    const struct socket_call call = {
        .socket_path = socket_path, .method = method, .path = path, .body = body, .reply = &reply->text};
    const enum socket_outcome outcome = socket_call(&call, &status, err);
    return outcome == SOCKET_ANSWERED ? judge(reply, status, err) : outcome;
}

void control_reply_clear(struct control_reply *reply) {
    json_parser_free(reply->parser);
    reply->parser = NULL;
    buf_clear(&reply->text);
}

bool control_parse_duration(struct str text, uint64_t *seconds, struct err *err) {
    static const struct {
        char suffix;
        uint64_t seconds;
    } UNITS[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 24 * 3600}};
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if (text.len > 1 && text.data[text.len - 1] == UNITS[i].suffix &&
            str_parse_u64((struct str){text.data, text.len - 1}, CONTROL_PAUSE_MAX_S / UNITS[i].seconds, seconds) &&
            *seconds > 0) {
            *seconds *= UNITS[i].seconds;
            return true;
        }
    }
    return err_set(err, ERR_INVALID, "a time is given as 90s, 30m, 2h or 3d, not '%.*s'", STR_ARG(text));
}
