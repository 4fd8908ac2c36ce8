#include "call/prefix.h"

#include "base/random.h"

#include <string.h>

enum { TURN_MESSAGES = 2 }; /* an answer and the next question */

void prefix_key_init(struct prefix_key *key) {
    random_bytes(key->words, sizeof(key->words));
    key->words[1] |= 1; /* a factor of zero would make all names one */
}

/* The two halves of the product, as in wyhash: eight bytes of text for one multiplication. A name is no proof of
 * anything, and a collision only costs a cache that is not there. */
static uint64_t mix(uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t add_number(uint64_t state, const struct prefix_key *key, uint64_t number) {
    return mix(state ^ number ^ key->words[0], key->words[1]);
}

/* With its length, so that two texts never run into each other. */
static uint64_t add_text(uint64_t state, const struct prefix_key *key, struct str text) {
    uint64_t word;
    state = add_number(state, key, text.len);
    for (; text.len >= sizeof(word); text.data += sizeof(word), text.len -= sizeof(word)) {
        memcpy(&word, text.data, sizeof(word));
        state = add_number(state, key, word);
    }
    word = 0;
    if (text.len > 0) {
        memcpy(&word, text.data, text.len);
    }
    return add_number(state, key, word);
}

static uint64_t add_message(uint64_t state, const struct prefix_key *key, const struct gen_message *message) {
    state = add_number(state, key, (uint64_t)message->role);
    state = add_text(state, key, message->content);
    state = add_text(state, key, message->tool_call_id);
    for (size_t i = 0; i < message->tool_call_count; i++) {
        const struct gen_tool_call *call = &message->tool_calls[i];
        state = add_text(state, key, call->id);
        state = add_text(state, key, call->name);
        state = add_text(state, key, call->arguments);
    }
    return state;
}

/* 0 stands for none. */
static uint64_t name_of(uint64_t state) {
    return state != 0 ? state : 1;
}

struct prefix_names prefix_names(const struct prefix_key *key, uint64_t account_number,
                                 const struct gen_request *request) {
    struct prefix_names names = {0};
    uint64_t state = add_text(add_number(key->words[0], key, account_number), key, request->model);
    for (size_t i = 0; i < request->message_count; i++) {
        if (i > 0 && i + TURN_MESSAGES == request->message_count) {
            names.begins = name_of(state);
        }
        state = add_message(state, key, &request->messages[i]);
    }
    names.leaves = request->message_count > 0 ? name_of(state) : 0;
    return names;
}
