/* A folder with folders inside that lives as long as one test. */
#ifndef NATARIS_TESTS_UNIT_PROVIDER_TEMP_TREE_H
#define NATARIS_TESTS_UNIT_PROVIDER_TEMP_TREE_H

#include "base/file.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct temp_tree {
    char path[64];
};

UNUSED static int temp_tree_init(struct temp_tree *tree) {
    snprintf(tree->path, sizeof(tree->path), "/tmp/nataris-test-XXXXXX");
    return mkdtemp(tree->path) == NULL ? -1 : 0;
}

UNUSED static int temp_tree_remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

UNUSED static void temp_tree_clear(struct temp_tree *tree) {
    nftw(tree->path, temp_tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a file in it; the result is overwritten by the next but three calls. */
UNUSED static const char *temp_tree_path(const struct temp_tree *tree, const char *name) {
    static char paths[4][FILE_PATH_MAX];
    static unsigned next;
    char *out = paths[next++ % 4];
    if (!file_join(out, tree->path, name, NULL)) {
        abort();
    }
    return out;
}

/* Writes a file, its folders too. */
UNUSED static void temp_tree_write_bytes(const struct temp_tree *tree, const char *name, struct str content,
                                         unsigned mode) {
    char folder[FILE_PATH_MAX];
    const char *path = temp_tree_path(tree, name);
    str_copy(folder, sizeof(folder), str_from(path));
    *strrchr(folder, '/') = '\0';
    if (!file_make_folders(folder, NULL) || !file_write_atomic(path, content, mode, NULL)) {
        abort();
    }
}

UNUSED static void temp_tree_write(const struct temp_tree *tree, const char *name, const char *content) {
    temp_tree_write_bytes(tree, name, str_from(content), 0600);
}

#endif
