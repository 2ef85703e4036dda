#include "source/table/live_table.h"

#include "base/buffer.h"
#include "base/mem.h"
#include "source/table/whole_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is handed on at once, if it does not wait for the next tick. */
enum { PARCEL = 1 << 20 };

/* How one thing that was heard stands in a parcel; behind it the bytes of the path and of the routes. */
struct record {
    struct utc time;
    uint32_t collector, asn;
    struct addr peer;
    uint8_t kind; /* enum heard_kind */
    uint8_t family;
    bool has_path, is_as4, has_path_ids;
    uint16_t head, tail, routes; /* bytes: an UPDATE has 65535 at most (RFC 8654) */
    uint16_t count;              /* of routes, each of which has a byte at least */
    unsigned head_hops;
};

/* What was heard from one tick to the next, or a part of it, and that it is that time then. */
struct parcel {
    struct parcel *next;
    struct buffer bytes;
    struct utc now; /* 0: there is more to come of that time */
};

struct live_table {
    struct live_table_options options;
    struct ear ear;
    pthread_t thread;
    struct parcel *filling; /* of the loop thread; NULL: nothing was heard */
    bool is_deaf;           /* what comes now is lost */
    uint64_t lost;          /* UPDATEs, since it is */

    pthread_mutex_t lock; /* for the rest */
    pthread_cond_t sent;
    struct parcel *first, *last; /* that wait */
    size_t waiting;              /* bytes of them, and of the one in hand */
    bool is_ended;
    struct bin_row *ready; /* rows that are to be taken, from `taken` on */
    size_t ready_count, taken;
    struct bin_who *watched; /* that are new; NULL: they are as before */
    size_t watched_count;

    struct whole_table whole; /* of its own thread, as what follows */
    struct bins *bins;
    struct bin_row *rows; /* of the bin that is being told */
    size_t row_count, row_capacity;
};

/* ---- what is heard, by the loop thread ---- */

static size_t waiting_bytes(struct live_table *table)
{
    pthread_mutex_lock(&table->lock);
    size_t waiting = table->waiting;
    pthread_mutex_unlock(&table->lock);
    return waiting;
}

static void put(struct live_table *table, const struct record *record, const struct heard *heard)
{
    if (!table->filling)
        table->filling = mem_new(1, sizeof *table->filling);
    struct buffer *bytes = &table->filling->bytes;
    buffer_add(bytes, record, sizeof *record);
    if (record->has_path) {
        buffer_add(bytes, heard->path->head.at, record->head);
        buffer_add(bytes, heard->path->tail.at, record->tail);
    }
    buffer_add(bytes, heard->routes.bytes.at, record->routes);
}

static void send(struct live_table *table, struct utc now)
{
    struct parcel *parcel = table->filling;
    if (!parcel)
        parcel = mem_new(1, sizeof *parcel);
    table->filling = NULL;
    parcel->now = now;
    pthread_mutex_lock(&table->lock);
    if (table->last)
        table->last->next = parcel;
    else
        table->first = parcel;
    table->last = parcel;
    table->waiting += parcel->bytes.size;
    pthread_cond_signal(&table->sent);
    pthread_mutex_unlock(&table->lock);
}

static void tell_lost(struct live_table *table)
{
    char text[200];
    snprintf(text, sizeof text,
             "the whole table does not keep up: %llu UPDATEs were lost to it, and it knows nothing "
             "of its peers' routes until they tell them again",
             (unsigned long long)table->lost);
    table->options.say(table->options.context, text);
}

/* While it is deaf nothing more is taken up until half of the room is free: one gap, not many. */
static bool has_room(struct live_table *table)
{
    size_t most = table->options.queue_max, waiting = waiting_bytes(table);
    if (!table->is_deaf)
        return !(table->is_deaf = waiting >= most);
    if (waiting > most / 2)
        return false;
    struct record gap = {.kind = HEARD_GAP, .collector = UINT32_MAX};
    struct heard nothing = {.kind = HEARD_GAP};
    table->is_deaf = false;
    tell_lost(table);
    table->lost = 0;
    put(table, &gap, &nothing);
    return true;
}

static void hear(void *context, const struct heard *heard)
{
    struct live_table *table = context;
    const struct bgp_path *path = heard->path;
    bool is_new = !table->filling || table->filling->bytes.size >= PARCEL;
    if (is_new && table->filling)
        send(table, (struct utc){0});
    if (is_new && !has_room(table)) {
        table->lost += heard->kind == HEARD_ROUTES;
        return;
    }
    struct record record = {.time = heard->time,
                            .collector = heard->collector,
                            .asn = heard->asn,
                            .peer = heard->peer,
                            .kind = (uint8_t)heard->kind,
                            .family = heard->routes.family,
                            .has_path = path != NULL,
                            .is_as4 = path && path->is_as4,
                            .has_path_ids = heard->routes.has_path_ids,
                            .head = (uint16_t)(path ? reader_left(&path->head) : 0),
                            .tail = (uint16_t)(path ? reader_left(&path->tail) : 0),
                            .routes = (uint16_t)reader_left(&heard->routes.bytes),
                            .count = (uint16_t)heard->routes.count,
                            .head_hops = path ? path->head_hops : 0};
    put(table, &record, heard);
}

void live_table_tick(struct live_table *table, struct utc now)
{
    send(table, now);
}

/* ---- the thread ---- */

static void hear_record(struct live_table *table, struct reader *bytes)
{
    struct record record;
    memcpy(&record, reader_bytes(bytes, sizeof record), sizeof record);
    struct bgp_path path = {.head = reader_sub(bytes, record.head),
                            .tail = reader_sub(bytes, record.tail),
                            .head_hops = record.head_hops,
                            .is_as4 = record.is_as4};
    struct heard heard = {.kind = (enum heard_kind)record.kind,
                          .time = record.time,
                          .collector = record.collector,
                          .peer = record.peer,
                          .asn = record.asn,
                          .path = record.has_path ? &path : NULL,
                          .routes = {.bytes = reader_sub(bytes, record.routes),
                                     .count = record.count,
                                     .family = record.family,
                                     .safi = BGP_UNICAST,
                                     .has_path_ids = record.has_path_ids}};
    assert(!bytes->bad);
    if (record.kind == HEARD_GAP && record.collector == UINT32_MAX)
        whole_table_gap(&table->whole, -1, (struct interval){table->whole.last, table->whole.last});
    else
        whole_table_hear(&table->whole, &heard);
}

static void keep_row(void *context, const struct bin_row *row)
{
    struct live_table *table = context;
    if (!row->is_due[0] && !row->is_due[1])
        return;
    table->rows =
        mem_grow(table->rows, &table->row_capacity, table->row_count + 1, sizeof *table->rows);
    table->rows[table->row_count++] = *row;
}

/* They wait here until those of the bin before are taken, which five minutes are ample for. */
static void publish_rows(struct live_table *table)
{
    pthread_mutex_lock(&table->lock);
    if (!table->ready) {
        table->ready = table->rows;
        table->ready_count = table->row_count;
        table->taken = table->row_count = table->row_capacity = 0;
        table->rows = NULL;
    }
    pthread_mutex_unlock(&table->lock);
}

static void take_parcel(struct live_table *table, struct parcel *parcel)
{
    struct reader bytes = reader_of(parcel->bytes.bytes, parcel->bytes.size);
    while (reader_left(&bytes))
        hear_record(table, &bytes);
    if (utc_is_known(parcel->now))
        whole_table_advance(&table->whole, parcel->now);
    if (table->row_count)
        publish_rows(table);
}

/* The next that waits; NULL at the end. */
static struct parcel *next_parcel(struct live_table *table)
{
    pthread_mutex_lock(&table->lock);
    while (!table->first && !table->is_ended)
        pthread_cond_wait(&table->sent, &table->lock);
    struct parcel *parcel = table->is_ended ? NULL : table->first;
    if (parcel)
        table->first = parcel->next;
    if (!table->first)
        table->last = NULL;
    struct bin_who *watched = table->watched;
    size_t count = table->watched_count;
    table->watched = NULL;
    pthread_mutex_unlock(&table->lock);
    if (watched)
        bins_watch(table->bins, watched, count);
    free(watched);
    return parcel;
}

static void free_parcel(struct parcel *parcel)
{
    if (parcel)
        buffer_done(&parcel->bytes);
    free(parcel);
}

static void *work(void *context)
{
    struct live_table *table = context;
    struct parcel *parcel;
    while ((parcel = next_parcel(table))) {
        take_parcel(table, parcel);
        pthread_mutex_lock(&table->lock);
        table->waiting -= parcel->bytes.size;
        pthread_mutex_unlock(&table->lock);
        free_parcel(parcel);
    }
    return NULL;
}

/* ---- in all ---- */

const struct ear *live_table_ear(const struct live_table *table)
{
    return &table->ear;
}

void live_table_watch(struct live_table *table, const struct bin_who *list, size_t count)
{
    struct bin_who *copy = mem_new(count + 1, sizeof *copy);
    if (count)
        memcpy(copy, list, count * sizeof *copy);
    pthread_mutex_lock(&table->lock);
    free(table->watched);
    table->watched = copy;
    table->watched_count = count;
    pthread_mutex_unlock(&table->lock);
}

void live_table_take(struct live_table *table,
                     void (*take)(void *context, const struct bin_row *row), void *context)
{
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < LIVE_TABLE_ROWS && table->taken < table->ready_count; i++)
        take(context, &table->ready[table->taken++]);
    if (table->taken == table->ready_count) {
        free(table->ready);
        table->ready = NULL;
    }
    pthread_mutex_unlock(&table->lock);
}

static void dispose(struct live_table *table)
{
    while (table->first) {
        struct parcel *parcel = table->first;
        table->first = parcel->next;
        free_parcel(parcel);
    }
    free_parcel(table->filling);
    whole_table_done(&table->whole);
    bins_free(table->bins);
    pthread_cond_destroy(&table->sent);
    pthread_mutex_destroy(&table->lock);
    free(table->watched);
    free(table->ready);
    free(table->rows);
    free(table);
}

struct live_table *live_table_new(const struct live_table_options *options, struct why *why)
{
    struct live_table *table = mem_new(1, sizeof *table);
    table->options = *options;
    if (!options->queue_max)
        table->options.queue_max = LIVE_TABLE_QUEUE_MAX;
    table->ear = (struct ear){hear, table};
    table->bins = bins_new(&(struct bins_options){
        .countries = options->countries, .tell = keep_row, .context = table});
    whole_table_init(&table->whole, &(struct whole_table_options){.bins = table->bins});
    pthread_mutex_init(&table->lock, NULL);
    pthread_cond_init(&table->sent, NULL);
    int error = pthread_create(&table->thread, NULL, work, table);
    if (!error)
        return table;
    dispose(table);
    why_set(why, ERR_LIMIT, "cannot start the thread of the whole table: %s", strerror(error));
    return NULL;
}

void live_table_free(struct live_table *table)
{
    if (!table)
        return;
    pthread_mutex_lock(&table->lock);
    table->is_ended = true;
    pthread_cond_signal(&table->sent);
    pthread_mutex_unlock(&table->lock);
    pthread_join(table->thread, NULL);
    dispose(table);
}
