/* What the commands about models share. */
#ifndef NATARIS_CMD_MODEL_TEXT_H
#define NATARIS_CMD_MODEL_TEXT_H

#include "base/err.h"
#include "base/file.h"

#include <stdint.h>

enum { MODEL_TEXT_SIZE = 24 };

/* "98.4 MB"; returns `out`. */
const char *model_text_bytes(uint64_t bytes, char out[MODEL_TEXT_SIZE]);
/* What --models says, or else the default folder. */
MUST_CHECK bool model_text_folder(char out[FILE_PATH_MAX], const char *given, struct err *err);
/* The catalog's id when `name` is an alias of it, else `name`. */
const char *model_text_id(const char *name);

#define OPTION_MODELS(type)                                                                                            \
    {                                                                                                                  \
        "models", OPTION_TEXT, "DIR", NULL, "where model files are kept (default ~/.cache/nataris/models)",            \
            offsetof(type, models)                                                                                     \
    }

#endif
