#include "source/origins/spans.h"

#include "base/mem.h"

#include <stdlib.h>

bool spans_add(struct spans *spans, uint64_t first, uint64_t last, struct country country)
{
    if (spans->count == SPANS_MAX)
        return false;
    spans->list = mem_grow(spans->list, &spans->capacity, spans->count + 1, sizeof *spans->list);
    spans->list[spans->count] =
        (struct span){first, last, (uint32_t)spans->count, {country.code[0], country.code[1]}};
    spans->count++;
    return true;
}

void spans_done(struct spans *spans)
{
    free(spans->list);
    *spans = (struct spans){0};
}

/* ---- sealing: a sweep from the lowest number to the highest ---- */

/* Those that have begun, as a heap with the latest on top. Some may have ended. */
struct heap {
    struct span *list;
    size_t count, capacity;
};

static void swap(struct span *a, struct span *b)
{
    struct span old = *a;
    *a = *b;
    *b = old;
}

static void push(struct heap *heap, const struct span *span)
{
    heap->list = mem_grow(heap->list, &heap->capacity, heap->count + 1, sizeof *heap->list);
    size_t at = heap->count++;
    heap->list[at] = *span;
    for (; at && heap->list[(at - 1) / 2].order < heap->list[at].order; at = (at - 1) / 2)
        swap(&heap->list[(at - 1) / 2], &heap->list[at]);
}

static void pop(struct heap *heap)
{
    heap->list[0] = heap->list[--heap->count];
    for (size_t at = 0, child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && heap->list[child].order < heap->list[child + 1].order)
            child++;
        if (heap->list[at].order >= heap->list[child].order)
            break;
        swap(&heap->list[at], &heap->list[child]);
    }
}

static void drop_ended(struct heap *heap, uint64_t at)
{
    while (heap->count && heap->list[0].last < at)
        pop(heap);
}

static bool is_same(const struct span *a, const struct span *b)
{
    return a->code[0] == b->code[0] && a->code[1] == b->code[1];
}

static void append(struct spans *out, struct span span)
{
    struct span *before = out->count ? &out->list[out->count - 1] : NULL;
    if (before && before->last + 1 == span.first && is_same(before, &span)) {
        before->last = span.last;
        return;
    }
    out->list = mem_grow(out->list, &out->capacity, out->count + 1, sizeof *out->list);
    out->list[out->count++] = span;
}

static int compare(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Lets begin what begins at `at`. Returns how many of them lie in one of another country. */
static uint64_t begin_at(const struct spans *spans, size_t *next, uint64_t at, struct heap *heap)
{
    uint64_t conflicts = 0;
    for (; *next < spans->count && spans->list[*next].first == at; ++*next) {
        const struct span *span = &spans->list[*next];
        drop_ended(heap, at);
        conflicts += heap->count && !is_same(&heap->list[0], span);
        push(heap, span);
    }
    drop_ended(heap, at);
    return conflicts;
}

uint64_t spans_seal(struct spans *spans)
{
    struct heap heap = {0};
    struct spans sealed = {0};
    uint64_t conflicts = 0, at = 0;
    size_t next = 0;
    bool is_over = false;
    if (spans->count)
        qsort(spans->list, spans->count, sizeof *spans->list, compare);
    while (!is_over && (heap.count || next < spans->count)) {
        if (!heap.count)
            at = spans->list[next].first;
        conflicts += begin_at(spans, &next, at, &heap);
        if (!heap.count)
            continue;
        /* It goes on to its end, or to where the next one may take over. */
        struct span piece = heap.list[0];
        piece.first = at;
        if (next < spans->count && spans->list[next].first <= piece.last)
            piece.last = spans->list[next].first - 1;
        append(&sealed, piece);
        is_over = piece.last == UINT64_MAX;
        at = piece.last + 1;
    }
    free(heap.list);
    spans_done(spans);
    *spans = sealed;
    return conflicts;
}

/* ---- asking ---- */

struct country spans_find(const struct spans *spans, uint64_t number, uint64_t *last)
{
    size_t low = 0, high = spans->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spans->list[middle].last < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == spans->count || spans->list[low].first > number)
        return country_none();
    if (last)
        *last = spans->list[low].last;
    return (struct country){{spans->list[low].code[0], spans->list[low].code[1], 0}};
}
