#include "base/json_repeated.h"

#include "base/mem.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace {

/* Up to so many keys each is compared with all before it; more are sorted. */
constexpr size_t FEW_KEYS = 16;

/* Also looks into the values. */
bool find_among_few(struct json_value object, struct str *key) {
    struct str keys[FEW_KEYS];
    struct json_iterator iterator;
    struct json_value item;
    size_t count = 0;
    for (json_iterate(object, &iterator); count < FEW_KEYS && json_next(&iterator, &keys[count], &item); count++) {
        for (size_t i = 0; i < count; i++) {
            if (str_equal(keys[i], keys[count])) {
                *key = keys[i];
                return true;
            }
        }
        if (json_repeated_key(item, key)) {
            return true;
        }
    }
    return false;
}

/* A key with its first bytes as a number, so that most comparisons need not look at the text. */
struct sort_key {
    uint64_t start;
    struct str name;
};

uint64_t start_of(struct str name) {
    uint64_t start = 0;
    std::memcpy(&start, name.data, name.len < sizeof(start) ? name.len : sizeof(start));
    return start;
}

/* Some order in which equal keys stand together. */
bool stands_before(const sort_key &a, const sort_key &b) {
    if (a.start != b.start) {
        return a.start < b.start;
    }
    return a.name.len != b.name.len ? a.name.len < b.name.len : std::memcmp(a.name.data, b.name.data, a.name.len) < 0;
}

/* Sorting has no bad inputs, as a table of hashes without a secret would have. */
bool find_among_many(struct json_value object, size_t count, struct str *key) {
    auto *keys = static_cast<sort_key *>(mem_alloc(count * sizeof(sort_key)));
    struct json_iterator iterator;
    struct json_value item;
    struct str name;
    size_t found = 0;
    for (json_iterate(object, &iterator); found < count && json_next(&iterator, &name, &item); found++) {
        keys[found] = {start_of(name), name};
    }
    std::sort(keys, keys + found, stands_before);
    const sort_key *twice = std::adjacent_find(
        keys, keys + found, [](const sort_key &a, const sort_key &b) { return str_equal(a.name, b.name); });
    const bool is_there = twice != keys + found;
    if (is_there) {
        *key = twice->name;
    }
    free(keys);
    return is_there;
}

} // namespace

bool json_repeated_key(struct json_value value, struct str *key) {
    const enum json_type type = json_type_of(value);
    if (type != JSON_OBJECT && type != JSON_ARRAY) {
        return false;
    }
    if (type == JSON_OBJECT) {
        const size_t count = json_count(value);
        if (count <= FEW_KEYS) {
            return find_among_few(value, key);
        }
        if (find_among_many(value, count, key)) {
            return true;
        }
    }
    struct json_iterator iterator;
    struct json_value item;
    for (json_iterate(value, &iterator); json_next(&iterator, nullptr, &item);) {
        if (json_repeated_key(item, key)) {
            return true;
        }
    }
    return false;
}
