#include "provider/provider_options.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECONNECT_MS = 250, KEEP_WARM_MS = 30 * 60 * 1000 };

void provider_options_init(struct provider_options *options) {
    *options = (struct provider_options){.engine = "llama",
                                         .name = "",
                                         .region = "",
                                         .reconnect_ms = RECONNECT_MS,
                                         .keep_warm_ms = KEEP_WARM_MS,
                                         .device_root = "/"};
    owner_limits_init(&options->limits);
}

bool provider_default_model_folder(char *out, size_t out_size, struct err *err) {
    static const struct {
        const char *variable, *below;
    } PLACES[] = {{"NATARIS_MODELS", ""}, {"XDG_CACHE_HOME", "/nataris/models"}, {"HOME", "/.cache/nataris/models"}};
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        const char *value = getenv(PLACES[i].variable);
        if (value == NULL || value[0] == '\0') {
            continue;
        }
        int written = snprintf(out, out_size, "%s%s", value, PLACES[i].below);
        return (written > 0 && (size_t)written < out_size) ||
               err_set(err, ERR_TOO_LARGE, "the path in %s is too long", PLACES[i].variable);
    }
    return err_set(err, ERR_INVALID, "no folder for models: give --models DIR, or set NATARIS_MODELS or HOME");
}
