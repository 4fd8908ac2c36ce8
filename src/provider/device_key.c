#include "provider/device_key.h"

#include "base/file.h"
#include "base/key_file.h"

bool device_key_load(const char *data_folder, uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    char path[FILE_PATH_MAX];
    return file_make_folders(data_folder, err) && file_join(path, data_folder, "device_key", err) &&
           key_file_load(path, "the device enrols anew under a new key", private_key, err);
}
