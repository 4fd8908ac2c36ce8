#include "cmd/admin_command.h"

#include "base/money.h"

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
    snprintf(query, sizeof query, "%s?limit=%u%s%s%s", path, limit, after != NULL ? "&" : "", after != NULL ? name : "",
             after != NULL ? "=" : "");
    if (after != NULL) {
        return admin_path(out, query, after, "", err);
    }
    return str_copy(out, ADMIN_PATH_MAX, str_from(query));
}

static void print_warnings(struct json_value answer) {
    struct json_value warnings, item = {0};
    struct json_iterator iterator;
    struct str text;
    if (!json_get(answer, "warnings", &warnings)) {
        return;
    }
    for (json_iterate(warnings, &iterator); json_next(&iterator, NULL, &item);) {
        if (json_as_str(item, &text)) {
            fprintf(stderr, "nataris: warning: %.*s\n", STR_ARG(text));
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

void admin_body_begin(struct buf *body, struct json_writer *writer) {
    buf_init(body, ADMIN_BODY_MAX);
    json_writer_init(writer, body);
    json_begin_object(writer);
}

struct str admin_body_end(struct buf *body, struct json_writer *writer) {
    json_end_object(writer);
    return buf_str(body);
}

/* Names are what devices and clients call themselves: nothing of them may steer the operator's terminal. Controls are C0,
 * DEL, and C1, which is two bytes in UTF-8. */
static void hide_controls(char *text) {
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7f) {
            *at = '?';
        } else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) {
            at[0] = at[1] = '?';
        }
    }
}

const char *admin_cell(struct json_value object, const char *name, char *out, size_t size) {
    struct json_value value = {0};
    struct str text = STR("-");
    char money[MONEY_TEXT_SIZE];
    struct buf digits;
    bool truth;
    buf_init(&digits, ADMIN_BODY_MAX);
    (void)json_get(object, name, &value);
    if (json_as_bool(value, &truth)) {
        text = truth ? STR("yes") : STR("no");
    } else if (json_type_of(value) != JSON_NULL && !json_as_str(value, &text)) {
        json_serialize(value, &digits);
        text = buf_str(&digits);
        /* A double as JSON writes it may have an exponent, which is no way to write an amount. */
        int64_t nano;
        if (strstr(name, "_usd") != NULL && money_parse_usd(text, &nano)) {
            text = str_from(money_format_usd(nano, money));
        }
    }
    (void)str_copy(out, size, text);
    hide_controls(out);
    buf_clear(&digits);
    return out;
}

bool admin_flag(struct json_value object, const char *name) {
    struct json_value value;
    bool truth = false;
    return json_get(object, name, &value) && json_as_bool(value, &truth) && truth;
}

void admin_print_rows(struct json_value list, void (*row)(struct json_value item), const char *option,
                      const char *name) {
    struct json_value data, item = {0};
    struct json_iterator iterator;
    char last[64];
    if (!json_get(list, "data", &data)) {
        return;
    }
    for (json_iterate(data, &iterator); json_next(&iterator, NULL, &item);) {
        row(item);
    }
    if (admin_flag(list, "has_more")) {
        printf("There are more: %s %s\n", option, admin_cell(item, name, last, sizeof last));
    }
}
