/* A model folder of a test's own, with models of made-up content in it. */
#ifndef NATARIS_TESTS_UNIT_PROVIDER_STORE_FOLDER_H
#define NATARIS_TESTS_UNIT_PROVIDER_STORE_FOLDER_H

#include "base/digest.h"
#include "provider/model_added.h"
#include "provider/model_store.h"
#include "provider/model_store_list.h"
#include "provider/model_store_room.h"
#include "provider/model_store_use.h"
#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/file.h>

struct store_folder {
    struct temp_tree tree;
    const char *path;
};

UNUSED static int store_folder_setup(void **state) {
    static struct store_folder folder;
    folder.path = folder.tree.path;
    *state = &folder;
    return temp_tree_init(&folder.tree);
}

UNUSED static int store_folder_teardown(void **state) {
    struct store_folder *folder = *state;
    temp_tree_clear(&folder->tree);
    return 0;
}

UNUSED static const char *store_folder_file(const struct store_folder *folder, const char *id, const char *ending) {
    char name[FILE_PATH_MAX];
    snprintf(name, sizeof(name), "%s.gguf%s", id, ending);
    return temp_tree_path(&folder->tree, name);
}

UNUSED static bool store_folder_has(const struct store_folder *folder, const char *id, const char *ending) {
    return file_exists(store_folder_file(folder, id, ending));
}

UNUSED static void store_folder_write(const struct store_folder *folder, const char *id, const char *ending,
                                      size_t bytes) {
    int fd = open(store_folder_file(folder, id, ending), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    close(fd);
}

/* Says where a model can be had; its hash is that of `bytes` zeros. */
UNUSED static void store_folder_add(const struct store_folder *folder, const char *id, size_t bytes) {
    static const char ZEROS[4096];
    static const char *const URLS[] = {"https://example.invalid/m.gguf"};
    uint8_t digest[DIGEST_SHA256_SIZE];
    char hex[DIGEST_HEX_SIZE];
    struct model_added added;
    assert_true(bytes <= sizeof(ZEROS));
    digest_sha256(ZEROS, bytes, digest);
    digest_hex(digest, sizeof(digest), hex);
    assert_true(model_added_init(&added, id, hex, URLS, 1, NULL));
    assert_true(model_added_write(&added, folder->path, NULL));
}

/* A verified model that was last used `second` seconds after 1970 began. */
UNUSED static void store_folder_model(const struct store_folder *folder, const char *id, size_t bytes, time_t second) {
    struct model_added added;
    store_folder_add(folder, id, bytes);
    store_folder_write(folder, id, "", bytes);
    assert_true(model_added_read(&added, folder->path, id, NULL));
    model_store_remember(store_folder_file(folder, id, ""), added.sha256);
    store_folder_write(folder, id, ".used", 0);
    const struct timespec times[2] = {{.tv_sec = second}, {.tv_sec = second}};
    assert_int_equal(utimensat(AT_FDCWD, store_folder_file(folder, id, ".used"), times, 0), 0);
}

/* Holds the lock of a file as another process would; to be closed. */
UNUSED static int store_folder_lock(const struct store_folder *folder, const char *id, const char *ending, int how) {
    int fd = open(store_folder_file(folder, id, ending), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, how | LOCK_NB), 0);
    return fd;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_folder_setup, store_folder_teardown)

#endif
