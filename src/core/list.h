/* Doubly linked lists whose links lie inside the objects: membership costs no allocation and ends in constant time. */
#ifndef NATARIS_CORE_LIST_H
#define NATARIS_CORE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct core_link {
    struct core_link *prev, *next; /* NULL while in no list */
};

struct core_list {
    struct core_link head; /* points at itself: a list stays where it was initialised */
    size_t count;
};

/* The object of `type` whose link `member` is. */
#define CORE_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void core_list_init(struct core_list *list) {
    list->head.prev = list->head.next = &list->head;
    list->count = 0;
}

static inline struct core_link *core_list_next(const struct core_list *list, const struct core_link *link) {
    return link->next == &list->head ? NULL : link->next;
}

static inline struct core_link *core_list_first(const struct core_list *list) {
    return core_list_next(list, &list->head);
}

static inline void core_list_insert_behind(struct core_list *list, struct core_link *place, struct core_link *link) {
    link->prev = place;
    link->next = place->next;
    place->next->prev = link;
    place->next = link;
    list->count++;
}

static inline void core_list_push_front(struct core_list *list, struct core_link *link) {
    core_list_insert_behind(list, &list->head, link);
}

static inline void core_list_push_back(struct core_list *list, struct core_link *link) {
    core_list_insert_behind(list, list->head.prev, link);
}

static inline void core_list_remove(struct core_list *list, struct core_link *link) {
    assert(link->prev != NULL && link->next != NULL);
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->prev = link->next = NULL;
    list->count--;
}

static inline bool core_link_is_listed(const struct core_link *link) {
    return link->next != NULL;
}

#endif
