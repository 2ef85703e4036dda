#include "source/web/fetch_ahead.h"

#include "base/mem.h"
#include "sys/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define WATCH_NS (100 * NS_PER_MS)

/* What became of a file. */
struct outcome {
    char *path; /* NULL: it could not be had */
    uint64_t size;
    bool is_old;
    enum err err;
    char *why; /* NULL: nothing to say */
};

struct fetch_ahead {
    struct web_cache *cache;
    const char *const *urls;
    size_t count;
    void (*watch)(void *context, const char *url, struct web_state state);
    void *context;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct outcome **outcomes; /* for each URL; NULL: not tried yet */
    size_t wanted;             /* the one that is waited for, or was taken last */
    size_t busy;               /* the one under way; `count`: none */
    bool is_ended;
};

/* The one that is waited for, else the first of those after it; `count` if there is nothing to do. */
static size_t next_of(const struct fetch_ahead *ahead)
{
    size_t end = ahead->wanted + 1 + FETCH_AHEAD;
    for (size_t i = ahead->wanted; i < ahead->count && i < end; i++)
        if (!ahead->outcomes[i])
            return i;
    return ahead->count;
}

static struct outcome *fetch(struct web_cache *cache, const char *url)
{
    struct outcome *outcome = mem_new(1, sizeof *outcome);
    struct web_wish wish = {.url = url};
    struct web_file file = {.size = 0};
    struct why why = {0};
    outcome->err = web_cache_get(cache, &wish, &file, &why);
    outcome->path = outcome->err ? NULL : mem_copy(file.path);
    outcome->size = file.size;
    outcome->is_old = file.is_old;
    outcome->why = outcome->err || file.is_old ? mem_copy(why.text) : NULL;
    return outcome;
}

static void *work(void *context)
{
    struct fetch_ahead *ahead = context;
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->is_ended) {
        ahead->busy = next_of(ahead);
        if (ahead->busy == ahead->count) {
            pthread_cond_wait(&ahead->changed, &ahead->lock);
            continue;
        }
        pthread_mutex_unlock(&ahead->lock);
        struct outcome *outcome = fetch(ahead->cache, ahead->urls[ahead->busy]);
        pthread_mutex_lock(&ahead->lock);
        ahead->outcomes[ahead->busy] = outcome;
        ahead->busy = ahead->count;
        pthread_cond_broadcast(&ahead->changed);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

struct fetch_ahead *fetch_ahead_new(struct web_cache *cache, const char *const *urls, size_t count,
                                    void (*watch)(void *context, const char *url,
                                                  struct web_state state),
                                    void *context)
{
    struct fetch_ahead *ahead = mem_new(1, sizeof *ahead);
    *ahead = (struct fetch_ahead){.cache = cache,
                                  .urls = urls,
                                  .count = count,
                                  .watch = watch,
                                  .context = context,
                                  .outcomes = mem_new(count + 1, sizeof *ahead->outcomes),
                                  .wanted = 0,
                                  .busy = count};
    pthread_mutex_init(&ahead->lock, NULL);
    clock_condition_init(&ahead->changed);
    int failed = pthread_create(&ahead->thread, NULL, work, ahead);
    assert(!failed);
    return ahead;
}

enum err fetch_ahead_take(struct fetch_ahead *ahead, size_t i, struct web_file *out,
                          struct why *why)
{
    assert(i < ahead->count);
    pthread_mutex_lock(&ahead->lock);
    ahead->wanted = i;
    pthread_cond_broadcast(&ahead->changed);
    while (!ahead->outcomes[i]) {
        clock_condition_wait(&ahead->changed, &ahead->lock, WATCH_NS);
        size_t busy = ahead->busy;
        if (!ahead->watch || ahead->outcomes[i] || busy == ahead->count)
            continue;
        pthread_mutex_unlock(&ahead->lock);
        ahead->watch(ahead->context, ahead->urls[busy], web_cache_state(ahead->cache));
        pthread_mutex_lock(&ahead->lock);
    }
    const struct outcome *outcome = ahead->outcomes[i];
    pthread_mutex_unlock(&ahead->lock); /* what is in it does not change any more */
    if (outcome->why)
        why_set(why, outcome->err, "%s", outcome->why);
    if (outcome->err)
        return outcome->err;
    out->size = outcome->size;
    out->is_old = outcome->is_old;
    snprintf(out->path, sizeof out->path, "%s", outcome->path);
    return ERR_OK;
}

bool fetch_ahead_has(struct fetch_ahead *ahead, size_t i)
{
    assert(i < ahead->count);
    pthread_mutex_lock(&ahead->lock);
    bool has = ahead->outcomes[i] != NULL;
    pthread_mutex_unlock(&ahead->lock);
    return has;
}

void fetch_ahead_free(struct fetch_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->is_ended = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    web_cache_stop(ahead->cache);
    pthread_join(ahead->thread, NULL);
    for (size_t i = 0; i < ahead->count; i++) {
        if (ahead->outcomes[i]) {
            free(ahead->outcomes[i]->path);
            free(ahead->outcomes[i]->why);
        }
        free(ahead->outcomes[i]);
    }
    free(ahead->outcomes);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
}
