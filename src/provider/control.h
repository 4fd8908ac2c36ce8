/* How the owner speaks to a running provider: HTTP on DATA/control.sock (mode 0600: who can open it is the owner).
 *
 *   GET  /status    docs/PROVIDERS.md, "Status", lists the members
 *   POST /pause     {"for_s": 7200}, or {} until resumed; answered like /status
 *   POST /resume    answered like /status
 *
 * Errors are {"error":{"message"}}. */
#ifndef NATARIS_PROVIDER_CONTROL_H
#define NATARIS_PROVIDER_CONTROL_H

#include "net/loop.h"
#include "provider/control_status.h"

#define CONTROL_SOCKET "control.sock"

enum { CONTROL_PAUSE_MAX_S = 366 * 24 * 3600 };

struct control_config {
    const char *data_folder; /* borrowed */
    struct owner_guard *guard;
    /* `models` has room for LIMIT_LINK_MODELS. */
    void (*fill)(void *context, struct control_view *view, struct link_model *models);
    void *context;
};

struct control;

/* A socket that cannot be had (the former provider of this folder is still stopping) is a warning, and tried again. */
struct control *control_new(struct loop *loop, const struct control_config *config);
/* Frees it, then on_closed, never inside this call. */
void control_close(struct control *control, void (*on_closed)(void *context), void *context);

#endif
