#include "grammar/matcher.h"

#include "base/mem.h"
#include "grammar/network.h"

#include <stdlib.h>
#include <string.h>

enum {
    WAYS_FROM = 64, /* room for so many at one place of a text; a power of two, doubled when there are more */
    WAYS_MAX = 8192,
    ROOMS_MAX = 1 << 20, /* of calls, and of returns */
    COMPACT_FROM = 4096, /* calls: fewer are not worth it */
    BEGIN_BUDGET = 1 << 22,
    STEPS_A_WAY = 8, /* to look at so many takes about as long as to add a way */
};

#define NOWHERE UINT32_MAX

/* One way: a state, and what is returned to at the end of the rule that it is in. */
struct way {
    uint32_t state, call;
};

/* A rule entered at one place of the text, by whoever entered it there. */
struct call {
    uint32_t rule;
    uint32_t returns;   /* the first of a list; NOWHERE: the root's */
    uint64_t passed_at; /* the place where its end was reached last */
};

struct way_back {
    uint32_t state, call; /* where it goes on */
    uint32_t next;
};

struct ways {
    struct way *items;
    uint32_t count, capacity;
    bool may_end;
};

struct matcher {
    struct network network;
    struct call *calls;
    struct way_back *backs;
    uint32_t call_count, back_count, call_capacity, back_capacity;
    uint32_t compact_at;
    struct ways now, next, spare; /* `now` is what the text has come to */
    uint64_t firsts[4];           /* the bytes that may come next */
    uint64_t place;               /* counts all places ever looked at */
    struct entered {              /* of each rule: its call, where it was entered last */
        uint64_t place;
        uint32_t call;
    } * entered;
    uint64_t *table_place; /* ways of this place, by a hash; twice as much room as there is for ways */
    uint32_t *table, table_size;
    uint64_t budget;
};

/* --- A place of the text --- */

static bool spend(struct matcher *matcher, uint64_t steps) {
    matcher->budget -= matcher->budget < steps ? matcher->budget : steps;
    return matcher->budget > 0;
}

static uint32_t hash_of(struct way way) {
    return (way.state * UINT32_C(0x9E3779B1) ^ way.call * UINT32_C(0x85EBCA6B)) >> 7;
}

/* Where the way is in the table, or would be. */
static uint32_t slot_of(const struct matcher *matcher, const struct ways *ways, struct way way) {
    uint32_t slot = hash_of(way) & (matcher->table_size - 1);
    while (matcher->table_place[slot] == matcher->place) {
        const struct way *other = &ways->items[matcher->table[slot]];
        if (other->state == way.state && other->call == way.call) {
            return slot;
        }
        slot = (slot + 1) & (matcher->table_size - 1);
    }
    return slot;
}

static void enter_slot(struct matcher *matcher, uint32_t slot, uint32_t index) {
    matcher->table_place[slot] = matcher->place;
    matcher->table[slot] = index;
}

static void make_table(struct matcher *matcher, uint32_t size) {
    free(matcher->table_place);
    free(matcher->table);
    matcher->table_place = mem_calloc(size, sizeof(*matcher->table_place));
    matcher->table = mem_calloc(size, sizeof(*matcher->table));
    matcher->table_size = size;
}

static void grow(struct matcher *matcher, struct ways *ways) {
    ways->capacity = ways->capacity == 0 ? WAYS_FROM : 2 * ways->capacity;
    ways->items = mem_realloc(ways->items, ways->capacity * sizeof(*ways->items));
    if (matcher->table_size >= 2 * ways->capacity) {
        return;
    }
    make_table(matcher, 2 * ways->capacity);
    for (uint32_t i = 0; i < ways->count; i++) {
        enter_slot(matcher, slot_of(matcher, ways, ways->items[i]), i);
    }
}

/* Adds a way that is not there yet. False: there are too many, or the budget is used up. */
static bool add_way(struct matcher *matcher, struct ways *ways, struct way way) {
    if (ways->count == ways->capacity && ways->count < WAYS_MAX) {
        grow(matcher, ways);
    }
    const uint32_t slot = slot_of(matcher, ways, way);
    if (matcher->table_place[slot] == matcher->place) {
        return true;
    }
    if (ways->count == WAYS_MAX) {
        matcher->budget = 0;
    }
    if (!spend(matcher, 1)) {
        return false;
    }
    enter_slot(matcher, slot, ways->count);
    ways->items[ways->count++] = way;
    return true;
}

static bool is_returned_to(struct matcher *matcher, const struct call *call, struct way to) {
    for (uint32_t i = call->returns; i != NOWHERE; i = matcher->backs[i].next) {
        (void)spend(matcher, 1);
        if (matcher->backs[i].state == to.state && matcher->backs[i].call == to.call) {
            return true;
        }
    }
    return false;
}

static bool make_room(struct matcher *matcher) {
    if (matcher->call_count == ROOMS_MAX || matcher->back_count == ROOMS_MAX) {
        matcher->budget = 0;
        return false;
    }
    if (matcher->call_count == matcher->call_capacity) {
        matcher->call_capacity = matcher->call_capacity == 0 ? 64 : 2 * matcher->call_capacity;
        matcher->calls = mem_realloc(matcher->calls, matcher->call_capacity * sizeof(*matcher->calls));
    }
    if (matcher->back_count == matcher->back_capacity) {
        matcher->back_capacity = matcher->back_capacity == 0 ? 64 : 2 * matcher->back_capacity;
        matcher->backs = mem_realloc(matcher->backs, matcher->back_capacity * sizeof(*matcher->backs));
    }
    return true;
}

/* The call of a rule at this place; made when it is the first one here. */
static uint32_t enter(struct matcher *matcher, uint32_t rule, bool *made) {
    struct entered *entered = &matcher->entered[rule];
    *made = entered->place != matcher->place;
    if (*made) {
        *entered = (struct entered){.place = matcher->place, .call = matcher->call_count};
        matcher->calls[matcher->call_count++] = (struct call){.rule = rule, .returns = NOWHERE};
    }
    return entered->call;
}

static bool go_through(struct matcher *matcher, struct ways *ways, const struct network_step *step, uint32_t caller) {
    const struct way to = {.state = step->to, .call = caller};
    bool made;
    if (!make_room(matcher)) {
        return false;
    }
    const uint32_t index = enter(matcher, step->rule, &made);
    struct call *call = &matcher->calls[index];
    if (is_returned_to(matcher, call, to)) {
        return true;
    }
    matcher->backs[matcher->back_count] = (struct way_back){.state = to.state, .call = to.call, .next = call->returns};
    call->returns = matcher->back_count++;
    const struct way begin = {.state = matcher->network.rules[step->rule].begin, .call = index};
    if (made) {
        return add_way(matcher, ways, begin);
    }
    /* Its end was reached here, without a byte, before this way came to it. */
    return call->passed_at != matcher->place || add_way(matcher, ways, to);
}

static bool come_back(struct matcher *matcher, struct ways *ways, uint32_t index) {
    matcher->calls[index].passed_at = matcher->place;
    ways->may_end = ways->may_end || matcher->calls[index].returns == NOWHERE;
    for (uint32_t i = matcher->calls[index].returns; i != NOWHERE; i = matcher->backs[i].next) {
        const struct way_back *back = &matcher->backs[i];
        if (!add_way(matcher, ways, (struct way){.state = back->state, .call = back->call})) {
            return false;
        }
    }
    return true;
}

/* All ways that lead on from these without a byte. */
static bool go_on(struct matcher *matcher, struct ways *ways) {
    const struct network *network = &matcher->network;
    for (uint32_t i = 0; i < ways->count; i++) {
        const struct way way = ways->items[i];
        bool good = true;
        for (uint32_t s = network->steps_of[way.state]; good && s < network->steps_of[way.state + 1]; s++) {
            const struct network_step *step = &network->steps[s];
            if (step->kind == NETWORK_EMPTY) {
                good = add_way(matcher, ways, (struct way){.state = step->to, .call = way.call});
            } else if (step->kind == NETWORK_RULE) {
                good = go_through(matcher, ways, step, way.call);
            }
        }
        if (good && network->rules[matcher->calls[way.call].rule].end == way.state) {
            good = come_back(matcher, ways, way.call);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool advance(struct matcher *matcher, const struct ways *from, uint8_t byte, struct ways *to) {
    const struct network *network = &matcher->network;
    to->count = 0;
    to->may_end = false;
    matcher->place++;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct way way = from->items[i];
        if (!spend(matcher, (network->steps_of[way.state + 1] - network->steps_of[way.state]) / STEPS_A_WAY)) {
            return false;
        }
        for (uint32_t s = network->steps_of[way.state]; s < network->steps_of[way.state + 1]; s++) {
            const struct network_step *step = &network->steps[s];
            if (step->kind == NETWORK_BYTE && byte >= step->byte.first && byte <= step->byte.last &&
                !add_way(matcher, to, (struct way){.state = step->to, .call = way.call})) {
                return false;
            }
        }
    }
    return to->count > 0 && go_on(matcher, to);
}

static void swap(struct ways *a, struct ways *b) {
    const struct ways kept = *a;
    *a = *b;
    *b = kept;
}

/* What comes of these bytes is in `next` then. */
static bool walk(struct matcher *matcher, struct str bytes) {
    const struct ways *from = &matcher->now;
    for (size_t i = 0; i < bytes.len; i++) {
        if (i > 0) {
            swap(&matcher->next, &matcher->spare);
            from = &matcher->spare;
        }
        if (!advance(matcher, from, (uint8_t)bytes.data[i], &matcher->next)) {
            return false;
        }
    }
    return true;
}

/* Those that need no byte have done their part. */
static void settle(struct matcher *matcher) {
    const struct network *network = &matcher->network;
    struct ways *now = &matcher->now;
    uint32_t kept = 0;
    memset(matcher->firsts, 0, sizeof(matcher->firsts));
    for (uint32_t i = 0; i < now->count; i++) {
        const uint32_t state = now->items[i].state;
        bool waits = false;
        for (uint32_t s = network->steps_of[state]; s < network->steps_of[state + 1]; s++) {
            const struct network_step *step = &network->steps[s];
            for (uint32_t c = step->byte.first; step->kind == NETWORK_BYTE && c <= step->byte.last; c++) {
                matcher->firsts[c / 64] |= UINT64_C(1) << c % 64;
                waits = true;
            }
        }
        if (waits) {
            now->items[kept++] = now->items[i];
        }
    }
    now->count = kept;
}

/* --- Calls that nobody comes back to any more --- */

struct compaction {
    uint32_t *numbers; /* of each call: 0, when nobody comes back to it, else its new number and 1 */
    uint32_t *todo;
    uint32_t todo_count;
    struct way_back *backs; /* those that are kept */
};

static void want(struct compaction *compaction, uint32_t call) {
    if (compaction->numbers[call] == 0) {
        compaction->numbers[call] = 1;
        compaction->todo[compaction->todo_count++] = call;
    }
}

static void mark_wanted(const struct matcher *matcher, struct compaction *compaction) {
    for (uint32_t i = 0; i < matcher->now.count; i++) {
        want(compaction, matcher->now.items[i].call);
    }
    while (compaction->todo_count > 0) {
        const uint32_t call = compaction->todo[--compaction->todo_count];
        for (uint32_t i = matcher->calls[call].returns; i != NOWHERE; i = matcher->backs[i].next) {
            want(compaction, matcher->backs[i].call);
        }
    }
}

/* Numbers are given before any call is moved: one may be returned to from one that was made before it. */
static void move_wanted(struct matcher *matcher, struct compaction *compaction) {
    uint32_t *numbers = compaction->numbers;
    uint32_t calls = 0, backs = 0;
    for (uint32_t i = 0; i < matcher->call_count; i++) {
        numbers[i] = numbers[i] == 0 ? 0 : ++calls;
    }
    for (uint32_t i = 0; i < matcher->call_count; i++) {
        if (numbers[i] == 0) {
            continue;
        }
        struct call call = matcher->calls[i];
        call.returns = NOWHERE;
        for (uint32_t b = matcher->calls[i].returns; b != NOWHERE; b = matcher->backs[b].next) {
            const struct way_back *back = &matcher->backs[b];
            compaction->backs[backs] =
                (struct way_back){.state = back->state, .call = numbers[back->call] - 1, .next = call.returns};
            call.returns = backs++;
        }
        matcher->calls[numbers[i] - 1] = call;
    }
    for (uint32_t i = 0; i < matcher->now.count; i++) {
        matcher->now.items[i].call = numbers[matcher->now.items[i].call] - 1;
    }
    matcher->call_count = calls;
    matcher->back_count = backs;
}

static void compact(struct matcher *matcher) {
    struct compaction compaction = {.numbers = mem_calloc(matcher->call_count, sizeof(*compaction.numbers)),
                                    .todo = mem_calloc(matcher->call_count, sizeof(*compaction.todo)),
                                    .backs = mem_calloc(matcher->back_capacity, sizeof(*compaction.backs))};
    mark_wanted(matcher, &compaction);
    move_wanted(matcher, &compaction);
    free(matcher->backs);
    matcher->backs = compaction.backs;
    free(compaction.numbers);
    free(compaction.todo);
    matcher->compact_at = 2 * matcher->call_count + COMPACT_FROM;
}

/* --- For others --- */

struct matcher *matcher_new(struct str gbnf, size_t steps_max, struct err *err) {
    struct network network;
    if (!network_read(gbnf, steps_max, &network, err)) {
        return NULL;
    }
    struct matcher *matcher = MEM_NEW(struct matcher);
    *matcher = (struct matcher){.network = network,
                                .place = 1,
                                .compact_at = COMPACT_FROM,
                                .entered = mem_calloc(network.rule_count, sizeof(struct entered)),
                                .budget = BEGIN_BUDGET};
    bool made;
    const bool good = make_room(matcher) &&
                      add_way(matcher, &matcher->now,
                              (struct way){.state = network.rules[network.root].begin,
                                           .call = enter(matcher, network.root, &made)}) &&
                      go_on(matcher, &matcher->now);
    if (!good) {
        err_set_field(err, ERR_TOO_LARGE, "grammar", "the grammar can begin in too many ways");
        matcher_free(matcher);
        return NULL;
    }
    settle(matcher);
    matcher->budget = 0;
    return matcher;
}

void matcher_free(struct matcher *matcher) {
    if (matcher == NULL) {
        return;
    }
    network_clear(&matcher->network);
    free(matcher->calls);
    free(matcher->backs);
    free(matcher->now.items);
    free(matcher->next.items);
    free(matcher->spare.items);
    free(matcher->entered);
    free(matcher->table_place);
    free(matcher->table);
    free(matcher);
}

size_t matcher_bytes(const struct matcher *matcher) {
    const size_t ways = (size_t)matcher->now.capacity + matcher->next.capacity + matcher->spare.capacity;
    return sizeof(*matcher) + network_bytes(&matcher->network) + ways * sizeof(struct way) +
           matcher->call_capacity * sizeof(*matcher->calls) + matcher->back_capacity * sizeof(*matcher->backs) +
           matcher->network.rule_count * sizeof(*matcher->entered) +
           matcher->table_size * (sizeof(*matcher->table) + sizeof(*matcher->table_place));
}

void matcher_set_budget(struct matcher *matcher, uint64_t steps) {
    matcher->budget = steps;
}

uint64_t matcher_budget(const struct matcher *matcher) {
    return matcher->budget;
}

bool matcher_is_spent(const struct matcher *matcher) {
    return matcher->budget == 0;
}

bool matcher_allows(struct matcher *matcher, struct str bytes) {
    if (bytes.len == 0) {
        return true;
    }
    const uint8_t first = (uint8_t)bytes.data[0];
    if ((matcher->firsts[first / 64] >> first % 64 & 1) == 0) {
        return false;
    }
    const uint32_t calls = matcher->call_count, backs = matcher->back_count;
    const bool good = walk(matcher, bytes);
    matcher->call_count =
        calls; /* what was entered at this place is known by its place, so nothing of it is found again */
    matcher->back_count = backs;
    return good;
}

bool matcher_accept(struct matcher *matcher, struct str bytes) {
    const uint32_t calls = matcher->call_count, backs = matcher->back_count;
    if (bytes.len == 0) {
        return true;
    }
    if (!walk(matcher, bytes)) {
        matcher->call_count = calls;
        matcher->back_count = backs;
        return false;
    }
    swap(&matcher->now, &matcher->next);
    settle(matcher);
    if (matcher->call_count >= matcher->compact_at) {
        compact(matcher);
    }
    return true;
}

bool matcher_may_end(const struct matcher *matcher) {
    return matcher->now.may_end;
}
