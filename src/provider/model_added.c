#include "provider/model_added.h"

#include "base/file.h"
#include "provider/model_store.h"

#include <stdio.h>
#include <string.h>

enum { SOURCE_FILE_MAX = CATALOG_SOURCES_MAX * MODEL_ADDED_URL_MAX + DIGEST_HEX_SIZE };

static bool is_sha256(const char *text) {
    size_t len = strlen(text);
    return len == DIGEST_HEX_SIZE - 1 && strspn(text, "0123456789abcdefABCDEF") == len;
}

static bool add_url(struct model_added *added, size_t index, struct str url, struct err *err) {
    for (size_t i = 0; i < url.len; i++) {
        if (url.data[i] <= ' ' || url.data[i] == 0x7f) {
            return err_set(err, ERR_INVALID, "an address holds no blanks or control characters");
        }
    }
    if (index == CATALOG_SOURCES_MAX) {
        return err_set(err, ERR_INVALID, "a model has at most %d addresses", CATALOG_SOURCES_MAX);
    }
    if (url.len == 0 || !str_copy(added->urls[index], sizeof(added->urls[index]), url)) {
        return err_set(err, ERR_INVALID, "an address has 1 to %d bytes", MODEL_ADDED_URL_MAX - 1);
    }
    added->model.sources[index] = (struct catalog_source){.kind = CATALOG_SOURCE_URL, .location = added->urls[index]};
    return true;
}

static bool set_identity(struct model_added *added, const char *id, const char *sha256, struct err *err) {
    char path[FILE_PATH_MAX];
    *added = (struct model_added){.model = {.id = added->id, .sha256 = added->sha256, .type = "llm"}};
    if (!str_copy(added->id, sizeof(added->id), str_from(id)) || !catalog_id_is_valid(str_from(id)) ||
        !model_store_path(path, "", id, NULL)) {
        return err_set(err, ERR_INVALID,
                       "the id of an added model has 1 to %d letters, digits and . _ - : @ +, and no "
                       "'.' in front",
                       LIMIT_MODEL_ID_BYTES);
    }
    if (!is_sha256(sha256)) {
        return err_set(err, ERR_INVALID, "a SHA-256 has 64 hexadecimal digits");
    }
    for (size_t i = 0; sha256[i] != '\0'; i++) {
        added->sha256[i] = sha256[i] >= 'A' && sha256[i] <= 'F' ? (char)(sha256[i] - 'A' + 'a') : sha256[i];
    }
    return true;
}

bool model_added_init(struct model_added *added, const char *id, const char *sha256, const char *const *urls,
                      size_t url_count, struct err *err) {
    bool worked = set_identity(added, id, sha256, err);
    for (size_t i = 0; worked && i < url_count; i++) {
        worked = add_url(added, i, str_from(urls[i]), err);
    }
    return worked && (url_count > 0 || err_set(err, ERR_INVALID, "an added model needs an address"));
}

static bool source_path(char out[FILE_PATH_MAX], const char *folder, const char *id, struct err *err) {
    char path[FILE_PATH_MAX];
    if (!model_store_path(path, folder, id, err)) {
        return false;
    }
    int written = snprintf(out, FILE_PATH_MAX, "%s.source", path);
    return (written > 0 && written < FILE_PATH_MAX) ||
           err_set(err, ERR_TOO_LARGE, "a path is longer than %d bytes", FILE_PATH_MAX - 1);
}

static bool parse(struct model_added *added, const char *id, struct str text, struct err *err) {
    char sha256[DIGEST_HEX_SIZE] = "";
    struct str line;
    size_t count = 0;
    bool more = str_split(text, '\n', &line, &text);
    if (!str_copy(sha256, sizeof(sha256), line) || !set_identity(added, id, sha256, err)) {
        return false;
    }
    while (more && text.len > 0) {
        more = str_split(text, '\n', &line, &text);
        if (!add_url(added, count++, line, err)) {
            return false;
        }
    }
    return count > 0;
}

bool model_added_read(struct model_added *added, const char *folder, const char *id, struct err *err) {
    char path[FILE_PATH_MAX];
    struct buf text;
    if (!source_path(path, folder, id, err)) {
        return false;
    }
    buf_init(&text, SOURCE_FILE_MAX);
    bool worked = file_read(path, &text, err);
    if (worked && !parse(added, id, buf_str(&text), NULL)) {
        worked = err_set(err, ERR_INVALID, "%s is damaged", path);
    }
    buf_clear(&text);
    return worked;
}

bool model_added_write(const struct model_added *added, const char *folder, struct err *err) {
    char path[FILE_PATH_MAX];
    struct buf text;
    if (!file_make_folders(folder, err) || !source_path(path, folder, added->id, err)) {
        return false;
    }
    buf_init(&text, SOURCE_FILE_MAX);
    buf_append_format(&text, "%s\n", added->sha256);
    for (size_t i = 0; i < CATALOG_SOURCES_MAX && added->urls[i][0] != '\0'; i++) {
        buf_append_format(&text, "%s\n", added->urls[i]);
    }
    bool worked = file_write_atomic(path, buf_str(&text), 0600, err);
    buf_clear(&text);
    return worked;
}

const struct catalog_model *model_added_find(struct model_added *added, const char *folder, const char *name) {
    const struct catalog_model *model = catalog_find(str_from(name));
    if (model == NULL && model_added_read(added, folder, name, NULL)) {
        model = &added->model;
    }
    return model;
}
