#include "engine/upstream_chunk.h"

static bool read_count(struct json_value object, const char *key, uint32_t *out) {
    struct json_value value;
    int64_t number;
    if (!json_get(object, key, &value) || !json_as_int64(value, &number) || number < 0 || number > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static struct str read_text(struct json_value object, const char *key) {
    struct json_value value;
    struct str text = {0};
    return json_get(object, key, &value) && json_as_str(value, &text) ? text : (struct str){0};
}

static void read_choice(struct json_value root, struct upstream_chunk *out) {
    struct json_value choices, choice, part;
    struct json_iterator iterator;
    if (!json_get(root, "choices", &choices) || json_type_of(choices) != JSON_ARRAY) {
        return;
    }
    json_iterate(choices, &iterator);
    if (!json_next(&iterator, NULL, &choice)) {
        return;
    }
    out->finish = read_text(choice, "finish_reason");
    out->text = read_text(choice, "text"); /* of a plain prompt */
    if (json_get_given(choice, "delta", &part)) {
        out->text = read_text(part, "content");
        out->thought = read_text(part, "reasoning_content");
        if (out->thought.len == 0) {
            out->thought = read_text(part, "reasoning");
        }
    }
}

static void read_usage(struct json_value usage, struct upstream_chunk *out) {
    struct json_value details;
    out->counted = read_count(usage, "completion_tokens", &out->completion_tokens);
    (void)read_count(usage, "prompt_tokens", &out->prompt_tokens);
    if (json_get_given(usage, "prompt_tokens_details", &details)) {
        (void)read_count(details, "cached_tokens", &out->cached_tokens);
    }
}

/* Of llama-server, with every piece when it is asked for them. */
static void read_timings(struct json_value timings, struct upstream_chunk *out) {
    uint32_t computed = 0, cached = 0;
    out->counted = read_count(timings, "predicted_n", &out->completion_tokens);
    (void)read_count(timings, "prompt_n", &computed);
    (void)read_count(timings, "cache_n", &cached);
    if (computed <= UINT32_MAX - cached) {
        out->prompt_tokens = computed + cached;
    }
}

bool upstream_chunk_read(struct json_value root, struct upstream_chunk *out) {
    struct json_value part;
    *out = (struct upstream_chunk){0};
    if (json_type_of(root) != JSON_OBJECT) {
        return false;
    }
    out->failed = json_get_given(root, "error", &part);
    read_choice(root, out);
    if (json_get_given(root, "usage", &part)) {
        read_usage(part, out);
    } else if (json_get_given(root, "timings", &part)) {
        read_timings(part, out);
    }
    if (json_get_given(root, "prompt_progress", &part)) {
        (void)read_count(part, "processed", &out->read_tokens);
        (void)read_count(part, "total", &out->prompt_tokens);
    }
    return true;
}
