#include "base/key_file.h"

#include "base/file.h"
#include "base/log.h"

#include <sys/stat.h>

enum { KEY_TEXT = 2 * ED25519_KEY_SIZE, KEY_FILE_MAX = 256 };

static bool parse(struct str text, uint8_t private_key[ED25519_KEY_SIZE]) {
    if (text.len > 0 && text.data[text.len - 1] == '\n') {
        text.len--;
    }
    return text.len == KEY_TEXT && digest_from_hex(text, private_key, ED25519_KEY_SIZE);
}

static bool make(const char *path, uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    uint8_t public_key[ED25519_KEY_SIZE];
    char text[KEY_TEXT + 2];
    ed25519_generate(private_key, public_key);
    digest_hex(private_key, ED25519_KEY_SIZE, text);
    text[KEY_TEXT] = '\n';
    return file_write_atomic(path, (struct str){text, KEY_TEXT + 1}, 0600, err);
}

static void keep_private(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & 077) != 0) {
        const bool tightened = chmod(path, 0600) == 0;
        LOG_WARN_EVENT("key.was_readable", LOG_TEXT("path", path),
                       LOG_TEXT("now", tightened ? "mode 0600" : "unchanged"));
    }
}

bool key_file_read(const char *path, const char *loss, uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    struct buf text;
    struct err why = {0};
    buf_init(&text, KEY_FILE_MAX);
    const bool found = file_read(path, &text, &why);
    const bool worked = found && parse(buf_str(&text), private_key);
    buf_clear(&text);
    if (worked) {
        keep_private(path);
        return true;
    }
    if (!found && why.code != ERR_TOO_LARGE) {
        return err_set(err, why.code, "%s", why.message);
    }
    return err_set(err, ERR_INVALID, "%s is damaged: it must hold 64 hex digits; without that file %s", path, loss);
}

bool key_file_load(const char *path, const char *loss, uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    struct err why = {0};
    if (key_file_read(path, loss, private_key, &why)) {
        return true;
    }
    return why.code == ERR_NOT_FOUND ? make(path, private_key, err) : err_set(err, why.code, "%s", why.message);
}
