#include "core/detect/queue.h"

#include <string.h>

void queue_init(struct queue *queue)
{
    table_init(&queue->run, sizeof(struct observation));
    table_init(&queue->heap, sizeof(struct observation));
    queue->run_at = 0;
}

void queue_done(struct queue *queue)
{
    table_done(&queue->run);
    table_done(&queue->heap);
}

size_t queue_count(const struct queue *queue)
{
    return queue->run.count - (size_t)queue->run_at + queue->heap.count;
}

/* At the same moment: configuration first, then what sources say, time itself last. */
static int rank(const struct observation *o)
{
    switch (o->kind) {
    case OBSERVATION_SUBJECT:
        return 0;
    case OBSERVATION_MEMBER:
        return 1;
    case OBSERVATION_TICK:
        return 3;
    default:
        return 2;
    }
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_names(const struct registry *registry, uint32_t a, uint32_t b)
{
    return a == b ? 0 : compare_u64(registry_hash(registry, a), registry_hash(registry, b));
}

static int compare_content(const struct registry *registry, const struct observation *a,
                           const struct observation *b)
{
    int order = rank(a) - rank(b);
    if (!order)
        order = (int)a->kind - (int)b->kind;
    if (!order)
        order = compare_names(registry, a->source, b->source);
    if (!order)
        order = compare_names(registry, a->target, b->target);
    if (!order)
        order = compare_names(registry, a->peer, b->peer);
    if (!order)
        order = (int)a->code - (int)b->code;
    if (!order)
        order = (int)a->outcome - (int)b->outcome;
    if (!order)
        order = compare_names(registry, a->path, b->path);
    if (!order)
        order = compare_u64((uint64_t)a->rtt_ns, (uint64_t)b->rtt_ns);
    if (!order)
        order = compare_u64((uint64_t)a->value, (uint64_t)b->value);
    return order ? order : (int)a->stage - (int)b->stage;
}

static inline bool is_before(const struct registry *registry, const struct observation *a,
                             const struct observation *b)
{
    if (a->time.ns != b->time.ns)
        return a->time.ns < b->time.ns;
    return compare_content(registry, a, b) < 0;
}

static struct observation *heap_at(const struct queue *queue, size_t i)
{
    return table_at(&queue->heap, i);
}

static void heap_push(struct queue *queue, const struct registry *registry,
                      const struct observation *observation)
{
    table_add(&queue->heap);
    size_t i = queue->heap.count - 1;
    for (; i > 0; i = (i - 1) / 2) {
        struct observation *parent = heap_at(queue, (i - 1) / 2);
        if (!is_before(registry, observation, parent))
            break;
        *heap_at(queue, i) = *parent;
    }
    *heap_at(queue, i) = *observation;
}

static void heap_drop_top(struct queue *queue, const struct registry *registry)
{
    struct observation last = *heap_at(queue, --queue->heap.count);
    size_t n = queue->heap.count, i = 0;
    for (size_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && is_before(registry, heap_at(queue, child + 1), heap_at(queue, child)))
            child++;
        if (!is_before(registry, heap_at(queue, child), &last))
            break;
        *heap_at(queue, i) = *heap_at(queue, child);
        i = child;
    }
    if (n)
        *heap_at(queue, i) = last;
}

/* Gives the room of what has left back to the run, before it would grow. */
static void compact_run(struct queue *queue)
{
    size_t left = queue->run.count - (size_t)queue->run_at;
    if (queue->run_at < 256 || queue->run_at < left)
        return;
    memmove(queue->run.rows, table_at(&queue->run, (size_t)queue->run_at), left * queue->run.size);
    queue->run.count = left;
    queue->run_at = 0;
}

void queue_push(struct queue *queue, const struct registry *registry,
                const struct observation *observation)
{
    if (queue->run.count > queue->run_at &&
        is_before(registry, observation, table_at(&queue->run, queue->run.count - 1))) {
        heap_push(queue, registry, observation);
        return;
    }
    compact_run(queue);
    *(struct observation *)table_add(&queue->run) = *observation;
}

bool queue_pop(struct queue *queue, const struct registry *registry, struct utc until,
               struct observation *out)
{
    const struct observation *first = NULL;
    bool is_heap = false;
    if (queue->run_at < queue->run.count)
        first = table_at(&queue->run, (size_t)queue->run_at);
    if (queue->heap.count && (!first || is_before(registry, heap_at(queue, 0), first))) {
        first = heap_at(queue, 0);
        is_heap = true;
    }
    if (!first || (first->time.ns > until.ns && queue_count(queue) <= QUEUE_MAX))
        return false;
    *out = *first;
    if (is_heap)
        heap_drop_top(queue, registry);
    else if (++queue->run_at == queue->run.count)
        queue->run_at = queue->run.count = 0;
    return true;
}

void queue_save(const struct queue *queue, struct buffer *out)
{
    buffer_varint(out, queue->run_at);
    table_save(&queue->run, out);
    table_save(&queue->heap, out);
}

bool queue_load(struct queue *queue, struct reader *in)
{
    queue->run_at = reader_varint(in);
    return table_load(&queue->run, in) && table_load(&queue->heap, in) &&
           queue->run_at <= queue->run.count;
}
