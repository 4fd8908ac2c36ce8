/* A folder that lives as long as one test. */
#ifndef NATARIS_TESTS_SUPPORT_TEMP_FOLDER_H
#define NATARIS_TESTS_SUPPORT_TEMP_FOLDER_H

#include "base/compiler.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct temp_folder {
    char path[64];
};

UNUSED static void temp_folder_init(struct temp_folder *folder) {
    snprintf(folder->path, sizeof(folder->path), "/tmp/nataris-test-XXXXXX");
    if (mkdtemp(folder->path) == NULL) {
        perror("mkdtemp");
        abort();
    }
}

/* The path of a file in it, in a buffer of the caller. */
UNUSED static const char *temp_folder_file(const struct temp_folder *folder, const char *name, char out[128]) {
    snprintf(out, 128, "%s/%s", folder->path, name);
    return out;
}

/* Removes it with the files in it; it has no folders inside. */
UNUSED static void temp_folder_clear(struct temp_folder *folder) {
    DIR *dir = opendir(folder->path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(folder->path);
}

#endif
