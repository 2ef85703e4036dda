#include "app/handover.h"

#include "base/buffer.h"
#include "base/mem.h"
#include "base/reader.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Observations and the names that are new with them: kind, length, text, one after the other. */
struct load {
    struct observation *list;
    size_t count, capacity;
    struct buffer names;
};

struct handover {
    struct registry *registry; /* of the loop thread, and only touched by it */
    uint32_t vantage;
    uint32_t names_sent;
    struct load filling; /* of the loop thread */
    uint64_t dropped;
    struct utc gap_from, gap_until; /* of what was dropped since the last GAP; 0: nothing */
    struct load taking;             /* of the writer thread */
    pthread_mutex_t lock;           /* for the rest */
    pthread_cond_t sent;
    struct load waiting;
    bool has_news;
    bool is_ended;
};

struct handover *handover_new(struct registry *registry, const char *vantage)
{
    struct handover *handover = mem_new(1, sizeof *handover);
    handover->registry = registry;
    handover->names_sent = registry_count(registry);
    handover->vantage = registry_intern(registry, NAME_VANTAGE, vantage, strlen(vantage));
    pthread_mutex_init(&handover->lock, NULL);
    pthread_cond_init(&handover->sent, NULL);
    return handover;
}

static void load_done(struct load *load)
{
    free(load->list);
    buffer_done(&load->names);
}

void handover_free(struct handover *handover)
{
    if (!handover)
        return;
    load_done(&handover->filling);
    load_done(&handover->waiting);
    load_done(&handover->taking);
    pthread_cond_destroy(&handover->sent);
    pthread_mutex_destroy(&handover->lock);
    free(handover);
}

static void load_add(struct load *load, const struct observation *list, size_t count)
{
    load->list = mem_grow(load->list, &load->capacity, load->count + count, sizeof *load->list);
    memcpy(load->list + load->count, list, count * sizeof *list);
    load->count += count;
}

static void put(void *context, const struct observation *observation)
{
    struct handover *handover = context;
    load_add(&handover->filling, observation, 1);
}

struct sink handover_sink(struct handover *handover)
{
    return (struct sink){handover->registry, put, handover};
}

static void collect_names(struct handover *handover)
{
    struct buffer *names = &handover->filling.names;
    uint32_t count = registry_count(handover->registry);
    while (handover->names_sent < count) {
        uint32_t id = ++handover->names_sent;
        const char *text = registry_text(handover->registry, id);
        size_t n = strlen(text);
        buffer_varint(names, (uint64_t)registry_kind(handover->registry, id));
        buffer_varint(names, n);
        buffer_add(names, text, n);
    }
}

/* Counts what has no room, and remembers from when to when it was seen. */
static void drop(struct handover *handover, const struct observation *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct utc time = list[i].time;
        if (!utc_is_known(handover->gap_from) || time.ns < handover->gap_from.ns)
            handover->gap_from = time;
        if (time.ns > handover->gap_until.ns)
            handover->gap_until = time;
    }
    handover->dropped += count;
}

static void add_gap(struct handover *handover)
{
    struct observation gap = {.kind = OBSERVATION_GAP,
                              .time = handover->gap_from,
                              .source = handover->vantage,
                              .value = handover->gap_until.ns};
    load_add(&handover->waiting, &gap, 1);
    handover->gap_from = handover->gap_until = (struct utc){0};
}

void handover_send(struct handover *handover)
{
    struct load *filling = &handover->filling;
    collect_names(handover);
    pthread_mutex_lock(&handover->lock);
    size_t waiting = handover->waiting.count; /* a GAP may have made it one too many */
    size_t room = waiting < HANDOVER_CAP ? HANDOVER_CAP - waiting : 0;
    /* While it is full nothing more is taken up until half of it is free: one gap, not many. */
    bool is_full = utc_is_known(handover->gap_from) && room < HANDOVER_CAP / 2;
    size_t taken = is_full ? 0 : filling->count < room ? filling->count : room;
    if (!is_full && utc_is_known(handover->gap_from))
        add_gap(handover);
    if (taken)
        load_add(&handover->waiting, filling->list, taken);
    buffer_add(&handover->waiting.names, filling->names.bytes, filling->names.size);
    handover->has_news = true;
    pthread_cond_signal(&handover->sent);
    pthread_mutex_unlock(&handover->lock);
    drop(handover, filling->list + taken, filling->count - taken);
    filling->count = 0;
    buffer_clear(&filling->names);
}

void handover_end(struct handover *handover)
{
    handover_send(handover);
    pthread_mutex_lock(&handover->lock);
    handover->is_ended = true;
    pthread_cond_signal(&handover->sent);
    pthread_mutex_unlock(&handover->lock);
}

uint64_t handover_dropped(const struct handover *handover)
{
    return handover->dropped;
}

bool handover_wait(struct handover *handover)
{
    pthread_mutex_lock(&handover->lock);
    while (!handover->has_news && !handover->is_ended)
        pthread_cond_wait(&handover->sent, &handover->lock);
    handover->has_news = false;
    bool goes_on = !handover->is_ended;
    pthread_mutex_unlock(&handover->lock);
    return goes_on;
}

/* Both registries began alike and get the same names in the same order: the numbers must agree. */
static void intern_names(const struct buffer *names, struct registry *registry)
{
    struct reader reader = reader_of(names->bytes, names->size);
    while (reader_left(&reader)) {
        uint64_t kind = reader_varint(&reader);
        size_t n = (size_t)reader_varint(&reader);
        const uint8_t *text = reader_bytes(&reader, n);
        uint32_t expected = registry_count(registry) + 1;
        uint32_t id = registry_intern(registry, (enum name_kind)kind, (const char *)text, n);
        assert(id == expected);
    }
}

void handover_take(struct handover *handover, const struct sink *sink)
{
    pthread_mutex_lock(&handover->lock);
    struct load load = handover->waiting;
    handover->waiting = handover->taking;
    handover->taking = load;
    pthread_mutex_unlock(&handover->lock);
    intern_names(&load.names, sink->registry);
    for (size_t i = 0; i < load.count; i++)
        sink_emit(sink, &load.list[i]);
    handover->taking.count = 0;
    buffer_clear(&handover->taking.names);
}
