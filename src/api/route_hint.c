#include "api/route_hint.h"

#include <stdio.h>
#include <string.h>

enum {
    HINT_PATH_BYTES = 128,  /* longer ones are nobody's mistake */
    HINT_SHOWN_BYTES = 64,  /* of a path, in words */
    HINT_METHOD_BYTES = 16, /* likewise */
    HINT_MISTAKES_MAX = 2,  /* letters that may be wrong, missing or too many */
};

#define USE_CHAT "Use POST /v1/chat/completions."
#define USE_PROMPT "Use POST /v1/completions for a prompt, or POST /v1/chat/completions for messages."
#define USE_MODELS "Use GET /v1/models."
#define NO_OTHER "Models here only write text, so nothing here does it in its place."

/* Routes of other APIs, by the first part of their path behind a version: what is here in their place. Those of one
 * line are separated by blanks. */
static const struct {
    const char *names, *words;
} foreign[] = {
    {"chat complete converse", USE_CHAT},
    {"completion generate generate_stream infill engines predict invocations", USE_PROMPT},
    {"embeddings embedding embed images audio videos video speech realtime moderations rerank reranking score classify "
     "pooling",
     NO_OTHER},
    {"files uploads fine_tuning fine-tunes vector_stores evals containers responses_items", NO_OTHER},
    {"batches batch message_batches",
     "Use POST /v1/jobs, once for each request: it answers at once, GET /v1/jobs/{id} has the result."},
    {"assistants threads runs sessions",
     "Use POST /v1/conversations, and its id as the conversation_id of POST /v1/chat/completions."},
    {"tags ps show props slots info model model_info pull push create delete copy blobs lora-adapters catalog",
     USE_MODELS},
    {"tokenize detokenize apply-template tokens",
     "The usage of each answer counts its tokens; POST /v1/workflows/estimate tells them before."},
    {"dashboard credits key keys billing me account organization balance subscription",
     "GET /v1/usage has what was used, and the balance; keys and accounts are the operator's (nataris key, nataris "
     "account)."},
    {"live livez liveness ping status up healthcheck", "Use GET /healthz."},
    {"ready readiness", "Use GET /readyz."},
    {"version docs redoc swagger swagger.json openapi openapi.yaml schema",
     "GET /openapi.json has version and routes."},
    {"metrics", "The operator reads them from the admin socket."},
};

/* A path in lower case, with single slashes and none at its end. False: it is too long. */
static bool path_normalise(struct str path, char out[HINT_PATH_BYTES], struct str *normal) {
    size_t len = 0;
    for (size_t i = 0; i < path.len; i++) {
        const char byte = path.data[i];
        if (byte == '/' && len > 0 && out[len - 1] == '/') {
            continue;
        }
        if (len == HINT_PATH_BYTES) {
            return false;
        }
        out[len++] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    }
    *normal = (struct str){.data = out, .len = len > 1 && out[len - 1] == '/' ? len - 1 : len};
    return true;
}

static struct str skip(struct str s, size_t len) {
    return (struct str){.data = s.data + len, .len = s.len - len};
}

/* The route whose path `path` ends with, from some slash on, with or without /v1. */
static const struct route *find_ending(const struct router *router, struct str method, struct str path) {
    char longer[HINT_PATH_BYTES + sizeof("/v1")];
    for (size_t i = 0; i < path.len; i++) {
        const struct str end = skip(path, i);
        if (end.data[0] != '/') {
            continue;
        }
        const struct route *route = router_find_path(router, method, end);
        if (route != NULL) {
            return route;
        }
        const int len = snprintf(longer, sizeof(longer), "/v1%.*s", STR_ARG(end));
        route = router_find_path(router, method, (struct str){.data = longer, .len = (size_t)len});
        if (route != NULL) {
            return route;
        }
    }
    return NULL;
}

/* How many letters have to be changed, added or left out to make one of the other (Levenshtein). */
static size_t count_mistakes(struct str a, struct str b) {
    size_t row[HINT_PATH_BYTES + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const size_t changed = diagonal + (a.data[i - 1] == b.data[j - 1] ? 0 : 1);
            const size_t shorter = row[j - 1] < row[j] ? row[j - 1] : row[j];
            diagonal = row[j];
            row[j] = changed < shorter + 1 ? changed : shorter + 1;
        }
    }
    return row[b.len];
}

static const struct route *find_alike(const struct router *router, struct str method, struct str path,
                                      size_t mistakes_max) {
    const struct route *best = NULL;
    size_t least = mistakes_max + 1;
    for (size_t i = 0; i < router_count(router); i++) {
        const struct route *route = router_at(router, i);
        const struct str own = str_from(route->path);
        const size_t apart = own.len > path.len ? own.len - path.len : path.len - own.len;
        if (apart > mistakes_max || own.len > HINT_PATH_BYTES || strchr(route->path, '{') != NULL) {
            continue;
        }
        const size_t mistakes = count_mistakes(path, own);
        const bool better = best != NULL && mistakes == least && str_equal_cstr(method, route->method);
        if (mistakes < least || better) {
            best = route;
            least = mistakes;
        }
    }
    return best;
}

static bool holds_word(const char *words, struct str word) {
    struct str rest = str_from(words), head;
    for (bool more = true; more;) {
        more = str_split(rest, ' ', &head, &rest);
        if (str_equal(head, word)) {
            return true;
        }
    }
    return false;
}

static const char *find_foreign(struct str path) {
    static const char prefixes[] = "v1 v2 v3 v4 v1beta api openai anthropic inference messages";
    struct str part, rest = path.len > 0 ? skip(path, 1) : path;
    for (bool more = true; more;) {
        more = str_split(rest, '/', &part, &rest);
        for (size_t i = 0; i < COUNT_OF(foreign); i++) {
            if (holds_word(foreign[i].names, part)) {
                return foreign[i].words;
            }
        }
        if (!holds_word(prefixes, part)) {
            break;
        }
    }
    return NULL;
}

/* NULL, with *words in its place or without. A single slip is told before what another API would have meant. */
static const struct route *find_meant(const struct router *router, struct str method, struct str path,
                                      const char **words) {
    const struct route *route = find_ending(router, method, path);
    route = route != NULL ? route : find_alike(router, method, path, 1);
    if (route == NULL) {
        *words = find_foreign(path);
        route = *words == NULL ? find_alike(router, method, path, HINT_MISTAKES_MAX) : NULL;
    }
    return route;
}

void route_hint_set(const struct router *router, struct str method, struct str path, struct fault *fault) {
    char buffer[HINT_PATH_BYTES], asked[HINT_METHOD_BYTES], shown[HINT_SHOWN_BYTES];
    struct str normal;
    const struct route *meant = NULL;
    const char *words = NULL;
    (void)str_copy(asked, sizeof(asked), method);
    const char *cut = str_copy(shown, sizeof(shown), path) ? "" : "...";
    if (path_normalise(path, buffer, &normal)) {
        meant = find_meant(router, method, normal, &words);
    }
    if (meant != NULL) {
        fault_set(fault, FAULT_NOT_FOUND, "There is no route %s %s%s. Did you mean %s %s?", asked, shown, cut,
                  meant->method, meant->path);
    } else if (words != NULL) {
        fault_set(fault, FAULT_NOT_FOUND, "There is no route %s %s%s. %s", asked, shown, cut, words);
    } else {
        fault_set(
            fault, FAULT_NOT_FOUND,
            "There is no route %s %s%s. The base URL of an OpenAI client ends in /v1; GET /openapi.json lists the "
            "routes.",
            asked, shown, cut);
    }
}
