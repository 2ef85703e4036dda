#include "source/probe/neighbours.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

enum { LISTS_LEAST = 64 };

void neighbours_done(struct neighbours *neighbours)
{
    free(neighbours->lists);
    *neighbours = (struct neighbours){0};
}

static struct neighbour **list_of(const struct neighbours *neighbours, uint64_t place)
{
    return &neighbours->lists[hash_mix(place) & (neighbours->capacity - 1)];
}

static void link_entry(struct neighbours *neighbours, struct neighbour *entry)
{
    struct neighbour **list = list_of(neighbours, entry->place);
    entry->next = *list;
    entry->link = list;
    if (entry->next)
        entry->next->link = &entry->next;
    *list = entry;
}

static void grow(struct neighbours *neighbours)
{
    struct neighbours old = *neighbours;
    neighbours->capacity = old.capacity ? 2 * old.capacity : LISTS_LEAST;
    neighbours->lists = mem_new(neighbours->capacity, sizeof *neighbours->lists);
    for (size_t i = 0; i < old.capacity; i++)
        for (struct neighbour *entry = old.lists[i], *next; entry; entry = next) {
            next = entry->next;
            link_entry(neighbours, entry);
        }
    free(old.lists);
}

void neighbours_add(struct neighbours *neighbours, struct neighbour *entry, uint64_t place)
{
    if (neighbours->count == neighbours->capacity)
        grow(neighbours);
    entry->place = place;
    link_entry(neighbours, entry);
    neighbours->count++;
}

void neighbours_remove(struct neighbours *neighbours, struct neighbour *entry)
{
    if (!entry->link)
        return;
    *entry->link = entry->next;
    if (entry->next)
        entry->next->link = entry->link;
    *entry = (struct neighbour){0};
    neighbours->count--;
}

static struct neighbour *of_place(struct neighbour *entry, uint64_t place)
{
    while (entry && entry->place != place)
        entry = entry->next;
    return entry;
}

struct neighbour *neighbours_first(const struct neighbours *neighbours, uint64_t place)
{
    return neighbours->capacity ? of_place(*list_of(neighbours, place), place) : NULL;
}

struct neighbour *neighbours_next(const struct neighbour *entry)
{
    return of_place(entry->next, entry->place);
}
