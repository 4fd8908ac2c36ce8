#include "provider/device_key.h"

#include "base/file.h"
#include "base/log.h"

#include <sys/stat.h>

enum { DEVICE_KEY_TEXT = 2 * ED25519_KEY_SIZE, DEVICE_KEY_FILE_MAX = 256 };

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse(struct str text, uint8_t private_key[ED25519_KEY_SIZE]) {
    if (text.len > 0 && text.data[text.len - 1] == '\n') {
        text.len--;
    }
    if (text.len != DEVICE_KEY_TEXT) {
        return false;
    }
    for (size_t i = 0; i < ED25519_KEY_SIZE; i++) {
        int high = hex_digit(text.data[2 * i]);
        int low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        private_key[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static bool make(const char *path, uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    uint8_t public_key[ED25519_KEY_SIZE];
    char text[DEVICE_KEY_TEXT + 2];
    ed25519_generate(private_key, public_key);
    digest_hex(private_key, ED25519_KEY_SIZE, text);
    text[DEVICE_KEY_TEXT] = '\n';
    return file_write_atomic(path, (struct str){text, DEVICE_KEY_TEXT + 1}, 0600, err);
}

static void keep_private(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & 077) != 0) {
        bool tightened = chmod(path, 0600) == 0;
        LOG_WARN_EVENT("provider.key_was_readable", LOG_TEXT("path", path),
                       LOG_TEXT("now", tightened ? "mode 0600" : "unchanged"));
    }
}

bool device_key_load(const char *data_folder, uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    char path[FILE_PATH_MAX];
    if (!file_make_folders(data_folder, err) || !file_join(path, data_folder, "device_key", err)) {
        return false;
    }
    struct buf text;
    struct err why = {0};
    buf_init(&text, DEVICE_KEY_FILE_MAX);
    bool found = file_read(path, &text, &why);
    bool worked = found && parse(buf_str(&text), private_key);
    buf_clear(&text);
    if (worked) {
        keep_private(path);
        return true;
    }
    if (!found && why.code == ERR_NOT_FOUND) {
        return make(path, private_key, err);
    }
    if (!found && why.code != ERR_TOO_LARGE) {
        return err_set(err, why.code, "%s", why.message);
    }
    return err_set(err, ERR_INVALID,
                   "%s is damaged: it must hold 64 hex digits; without that file the device enrols anew "
                   "under a new key",
                   path);
}
