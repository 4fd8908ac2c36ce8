#include "cmd/admin_command.h"

#include <stdio.h>
#include <string.h>

bool admin_path(char out[ADMIN_PATH_MAX], const char *prefix, const char *id, const char *tail, struct err *err) {
    static const char ID_BYTES[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (id[0] == '\0' || id[strspn(id, ID_BYTES)] != '\0' ||
        (size_t)snprintf(out, ADMIN_PATH_MAX, "%s%s%s", prefix, id, tail) >= ADMIN_PATH_MAX) {
        return err_set(err, ERR_INVALID, "'%.64s' is no id", id);
    }
    return true;
}

bool admin_page_path(char out[ADMIN_PATH_MAX], const char *path, uint32_t limit, const char *name, const char *after,
                     struct err *err) {
    char query[ADMIN_PATH_MAX];
    snprintf(query, sizeof(query), "%s?limit=%u%s%s%s", path, limit, after != NULL ? "&" : "",
             after != NULL ? name : "", after != NULL ? "=" : "");
    if (after != NULL) {
        return admin_path(out, query, after, "", err);
    }
    return str_copy(out, ADMIN_PATH_MAX, str_from(query));
}

static void print_warnings(struct json_value answer) {
    struct json_value warnings, item = {0};
    struct json_iterator iterator;
    struct str text;
    char words[TABLE_CELL_SIZE];
    if (!json_get(answer, "warnings", &warnings)) {
        return;
    }
    for (json_iterate(warnings, &iterator); json_next(&iterator, NULL, &item);) {
        if (json_as_str(item, &text)) {
            fprintf(stderr, "nataris: warning: %s\n", table_clean(text, words, sizeof(words)));
        }
    }
}

int admin_command_run(const struct admin_options *options, const char *method, const char *path, struct str body,
                      void (*print)(struct json_value answer)) {
    struct admin_reply reply = {0};
    struct err err = {0};
    int status = COMMAND_OK;
    if (!admin_client_call(options->data, method, path, body, &reply, &err)) {
        status = command_fail(&err);
    } else {
        print_warnings(reply.root);
        if (options->json) {
            printf("%s\n", buf_cstr(&reply.text));
        } else {
            print(reply.root);
        }
    }
    admin_reply_clear(&reply);
    return status;
}

int admin_command_on(const struct admin_options *options, const char *method, const struct admin_object *object,
                     struct str body, void (*print)(struct json_value answer)) {
    char path[ADMIN_PATH_MAX];
    struct err err = {0};
    if (!admin_path(path, object->prefix, object->id, object->tail, &err)) {
        return command_fail(&err);
    }
    return admin_command_run(options, method, path, body, print);
}

int admin_command_list(const struct admin_options *options, const char *path, const struct admin_page *page,
                       void (*print)(struct json_value answer)) {
    char page_path[ADMIN_PATH_MAX];
    struct err err = {0};
    if (!admin_page_path(page_path, path, page->limit, page->name, page->after, &err)) {
        return command_fail(&err);
    }
    return admin_command_run(options, "GET", page_path, STR(""), print);
}

void admin_body_begin(struct buf *body, struct json_writer *writer) {
    buf_init(body, ADMIN_BODY_MAX);
    json_writer_init(writer, body);
    json_begin_object(writer);
}

struct str admin_body_end(struct buf *body, struct json_writer *writer) {
    json_end_object(writer);
    return buf_str(body);
}
