#include "provider/delta_parts.h"

#include "link/part.h"

/* Beside a text of full length and all that a message has around it. */
enum { PARTS_MAX = LIMIT_LINK_PROVIDER_BYTES - LIMIT_DELTA_BYTES - 64 };

void delta_parts_init(struct delta_parts *parts) {
    buf_init(&parts->parts, LIMIT_LINK_MESSAGE_BYTES);
    buf_init(&parts->logprobs, LIMIT_LINK_MESSAGE_BYTES);
}

void delta_parts_clear(struct delta_parts *parts) {
    buf_clear(&parts->parts);
    buf_clear(&parts->logprobs);
}

void delta_parts_keep(struct delta_parts *parts, struct str logprobs) {
    buf_reset(&parts->logprobs);
    (void)buf_append_str(&parts->logprobs, logprobs);
}

void delta_parts_fill(struct delta_parts *parts, const uint32_t *ids, struct link_delta *delta) {
    const struct str logprobs = buf_str(&parts->logprobs);
    if (delta->tokens > 0 && link_delta_fits(delta)) {
        buf_reset(&parts->parts);
        if (ids != NULL) {
            link_parts_add_token_ids(&parts->parts, ids, delta->tokens);
        }
        if (logprobs.len > 0 && delta->text.len + parts->parts.len + logprobs.len <= LIMIT_DELTA_BYTES + PARTS_MAX) {
            link_parts_add_logprobs(&parts->parts, logprobs);
        }
        delta->parts = buf_str(&parts->parts);
    }
    buf_reset(&parts->logprobs);
}
