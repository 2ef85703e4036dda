#include "source/web/web_cache.h"

#include "base/hash.h"
#include "base/mem.h"
#include "source/web/packing.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_WAIT_NS (200 * NS_PER_MS)

struct host {
    uint64_t hash; /* of "https://HOST:PORT" */
    int failures;  /* files in a row */
};

struct web_cache {
    struct web_cache_options options;
    char *folder, *agent, *ca_file;
    struct web_client *client;
    struct host hosts[WEB_HOSTS_MAX];
    size_t host_count;
    struct why broken; /* the folder cannot be written */
    atomic_uint_fast64_t done, size, requests;
    atomic_int attempt;
    atomic_bool is_waiting;
};

/* One file on its way. */
struct job {
    struct web_cache *cache;
    const struct web_wish *wish;
    struct cache_part *part;
    bool has_copy; /* an older one is in its place */
    struct cache_note copy;
    char path[CACHE_PATH_MAX];
    bool is_other;   /* a part came of another version than the one that is there */
    struct why ours; /* why our own part of it failed */
};

void web_cache_options_init(struct web_cache_options *options, const char *folder)
{
    *options = (struct web_cache_options){.folder = folder,
                                          .attempts = WEB_ATTEMPTS,
                                          .backoff_ns = NS_PER_S,
                                          .backoff_max_ns = NS_PER_MINUTE,
                                          .retry_after_max_ns = 5 * NS_PER_MINUTE,
                                          .connect_ns = 30 * NS_PER_S,
                                          .stall_ns = NS_PER_MINUTE,
                                          .size_max = WEB_FILE_MAX};
}

struct web_cache *web_cache_new(const struct web_cache_options *options)
{
    struct web_cache *cache = mem_new(1, sizeof *cache);
    assert(options->attempts > 0 && options->stall_ns > 0 && options->connect_ns > 0);
    cache->options = *options;
    cache->folder = mem_copy(options->folder);
    cache->agent = mem_copy(options->agent ? options->agent : "lastlight/" LASTLIGHT_VERSION);
    cache->ca_file = mem_copy(options->ca_file);
    struct web_options web = {.agent = cache->agent,
                              .connect_ns = options->connect_ns,
                              .stall_ns = options->stall_ns,
                              .ca_file = cache->ca_file};
    cache->client = web_client_new(&web);
    return cache;
}

void web_cache_free(struct web_cache *cache)
{
    if (!cache)
        return;
    web_client_free(cache->client);
    free(cache->folder);
    free(cache->agent);
    free(cache->ca_file);
    free(cache);
}

void web_cache_stop(struct web_cache *cache)
{
    web_client_stop(cache->client);
}

struct web_state web_cache_state(const struct web_cache *cache)
{
    return (struct web_state){.done = atomic_load(&cache->done),
                              .size = atomic_load(&cache->size),
                              .attempt = atomic_load(&cache->attempt),
                              .is_waiting = atomic_load(&cache->is_waiting)};
}

uint64_t web_cache_requests(const struct web_cache *cache)
{
    return atomic_load(&cache->requests);
}

/* Hosts. */

/* NULL once there are too many to count. */
static struct host *host_of(struct web_cache *cache, const char *url)
{
    const char *start = strstr(url, "://");
    size_t n = start ? (size_t)(start - url) + 3 + strcspn(start + 3, "/?#") : strlen(url);
    uint64_t hash = hash_bytes(url, n, 0);
    for (size_t i = 0; i < cache->host_count; i++)
        if (cache->hosts[i].hash == hash)
            return &cache->hosts[i];
    if (cache->host_count == WEB_HOSTS_MAX)
        return NULL;
    cache->hosts[cache->host_count] = (struct host){.hash = hash};
    return &cache->hosts[cache->host_count++];
}

/* After a file that could not be had in spite of all attempts, the next of its host gets fewer. */
static int attempts_left(struct web_cache *cache, const char *url)
{
    const struct host *host = host_of(cache, url);
    if (!host || host->failures == 0)
        return cache->options.attempts;
    return host->failures < WEB_HOST_FAILURES_MAX ? 1 : 0;
}

static void count_host(struct web_cache *cache, const char *url, bool is_well)
{
    struct host *host = host_of(cache, url);
    if (host)
        host->failures = is_well ? 0 : host->failures + 1;
}

/* Copies. */

/* Whether the copy was asked for so long after its last change that it can be taken for final. */
static bool is_settled(const struct web_wish *wish, const struct cache_note *note)
{
    if (utc_is_known(wish->final_at))
        return note->checked.ns >= wish->final_at.ns;
    return utc_diff(note->checked, note->changed) >= WEB_SETTLED_NS;
}

static bool find_copy(struct job *job)
{
    job->has_copy =
        cache_note_read(job->path, &job->copy) && strcmp(job->copy.url, job->wish->url) == 0;
    return job->has_copy;
}

/* One transfer. */

/* What tells that two parts are of one version of a file; NULL if nothing does. RFC 9110, 13.1.5: no weak tag,
 * and no date beside a tag; 8.8.2.2: nor a date so young that the file may have changed again since, within
 * the same second. */
static const char *validator(const struct cache_note *note)
{
    if (*note->etag)
        return strncmp(note->etag, "W/", 2) == 0 ? NULL : note->etag;
    bool is_strong =
        utc_is_known(note->changed) && utc_diff(note->checked, note->changed) >= WEB_STRONG_DATE_NS;
    return is_strong ? note->modified : NULL;
}

/* A server that does not know If-Range sends a part of whatever it has by now. */
static bool is_other_version(const struct cache_note *note, const struct web_head *head)
{
    return (*note->etag && *head->etag && strcmp(note->etag, head->etag) != 0) ||
           (*note->modified && *head->modified && strcmp(note->modified, head->modified) != 0) ||
           (note->size && head->size >= 0 && note->size != (uint64_t)head->size);
}

static bool on_head(void *context, const struct web_head *head)
{
    struct job *job = context;
    struct web_cache *cache = job->cache;
    struct cache_note note = {.size = head->size > 0 ? (uint64_t)head->size : 0};
    if (!packing_is_own(job->path, head->encoding)) {
        why_set(&job->ours, ERR_INPUT, "the server sends it packed once more (%s)", head->encoding);
        return false;
    }
    atomic_store(&cache->size, note.size);
    atomic_store(&cache->done, head->offset);
    if (head->is_part) {
        job->is_other = is_other_version(cache_part_note(job->part), head);
        return !job->is_other;
    }
    snprintf(note.url, sizeof note.url, "%s", job->wish->url);
    snprintf(note.etag, sizeof note.etag, "%s", head->etag);
    snprintf(note.modified, sizeof note.modified, "%s", head->modified);
    note.changed = web_date(head->modified);
    note.checked = head->date;
    return !cache_part_begin(job->part, &note, &job->ours);
}

static bool on_body(void *context, const void *bytes, size_t n)
{
    struct job *job = context;
    atomic_fetch_add(&job->cache->done, n);
    return !cache_part_add(job->part, bytes, n, &job->ours);
}

static uint64_t resumable(const struct job *job)
{
    const struct cache_note *note = cache_part_note(job->part);
    bool is_of_this = strcmp(note->url, job->wish->url) == 0 && validator(note);
    return is_of_this ? cache_part_size(job->part) : 0;
}

static void ask(struct job *job, bool is_whole, struct web_answer *answer)
{
    struct web_cache *cache = job->cache;
    job->is_other = false;
    atomic_store(&cache->done, 0);
    atomic_store(&cache->size, 0);
    struct web_ask ask = {.url = job->wish->url,
                          .offset = is_whole ? 0 : resumable(job),
                          .body_max =
                              job->wish->size_max ? job->wish->size_max : cache->options.size_max,
                          .head = on_head,
                          .body = on_body,
                          .context = job};
    if (ask.offset) {
        ask.if_range = validator(cache_part_note(job->part));
    } else if (job->has_copy) {
        ask.if_none_match = *job->copy.etag ? job->copy.etag : NULL;
        ask.if_modified = *job->copy.modified ? job->copy.modified : NULL;
    }
    atomic_fetch_add(&cache->requests, 1);
    web_client_get(cache->client, &ask, answer);
    if (answer->end == WEB_OURS && job->is_other)
        answer->end = WEB_NO_RANGE;
}

/* All of it came, and is put into its place. What nobody dates counts as changed when it was fetched. */
static enum err finish(struct job *job, struct web_file *out, struct why *why)
{
    uint8_t head[8];
    struct cache_note note = *cache_part_note(job->part);
    size_t n = cache_part_head(job->part, head, sizeof head);
    if (!packing_is_named(job->path, head, n)) {
        cache_part_begin(job->part, &note, NULL);
        return why_set(why, ERR_INPUT,
                       "what the server sends is no archive: it does not begin as "
                       "its name says; does the network ask for a login?");
    }
    note.size = out->size = cache_part_size(job->part);
    note.checked = clock_utc();
    note.changed = web_date(note.modified);
    if (!utc_is_known(note.changed))
        note.changed = note.checked;
    enum err err = cache_part_finish(job->part, &note, why);
    job->part = NULL;
    return err;
}

static enum err keep_copy(struct job *job, struct web_file *out)
{
    job->copy.checked = clock_utc();
    out->size = job->copy.size;
    cache_note_write(job->path, &job->copy, NULL); /* else it is asked for again: no harm */
    return ERR_OK;
}

/* Attempts. */

/* Half of it fixed, half by chance, so that many who failed at once do not come back at once. */
static int64_t backoff(const struct web_cache *cache, int attempt, const struct web_answer *answer)
{
    const struct web_cache_options *options = &cache->options;
    int64_t wait = options->backoff_ns;
    for (int i = 1; i < attempt && wait < options->backoff_max_ns; i++)
        wait *= 2;
    if (wait > options->backoff_max_ns)
        wait = options->backoff_max_ns;
    wait = wait / 2 + (int64_t)(entropy_u64() % (uint64_t)(wait / 2 + 1));
    int64_t wanted = answer->retry_after_ns < options->retry_after_max_ns
                         ? answer->retry_after_ns
                         : options->retry_after_max_ns;
    return wait > wanted ? wait : wanted;
}

static bool wait_for(struct web_cache *cache, int64_t ns)
{
    atomic_store(&cache->is_waiting, true);
    bool goes_on = web_client_wait(cache->client, ns);
    atomic_store(&cache->is_waiting, false);
    return goes_on;
}

static enum err give_up(const struct job *job, const struct web_answer *answer, int attempts,
                        struct why *why)
{
    const char *url = job->wish->url;
    if (answer->end == WEB_STOPPED)
        return why_set(why, ERR_CLOSED, "%s: stopped", url);
    if (answer->end == WEB_ABSENT)
        return why_set(why, ERR_NOT_FOUND, "%s: %s", url, answer->what);
    if (answer->end == WEB_TOO_LARGE)
        return why_set(why, ERR_LIMIT, "%s: larger than the %" PRIu64 " bytes that are taken", url,
                       job->wish->size_max ? job->wish->size_max : job->cache->options.size_max);
    if (answer->end == WEB_AGAIN || answer->end == WEB_NO_RANGE)
        return why_set(why, ERR_IO,
                       "%s: %s; tried %d time%s; run it again later, what came is kept", url,
                       answer->what, attempts, attempts == 1 ? "" : "s");
    return why_set(why, ERR_IO, "%s: %s; check the address, or fetch the file by other means", url,
                   answer->what);
}

static void note_broken(struct web_cache *cache, const struct why *why)
{
    if (why->err == ERR_FULL || why->err == ERR_DENIED)
        cache->broken = *why;
}

/* An error of our own while bytes came: of the folder, which spoils all that follows, or of the reply. */
static enum err fail_ours(struct job *job, struct why *why)
{
    const struct why *ours = &job->ours;
    if (ours->err == ERR_INPUT)
        return why_set(why, ERR_IO, "%s: %s", job->wish->url, ours->text);
    note_broken(job->cache, ours);
    *why = *ours;
    return ours->err;
}

/* What one attempt led to. True if it is over, and *err says how. */
static bool conclude(struct job *job, const struct web_answer *answer, struct web_file *out,
                     enum err *err, struct why *why)
{
    struct why inner;
    switch (answer->end) {
    case WEB_DONE:
        *err = finish(job, out, &inner);
        if (*err) {
            job->ours = inner;
            *err = fail_ours(job, why);
        }
        return true;
    case WEB_UNCHANGED:
        if (job->has_copy)
            *err = keep_copy(job, out);
        return job->has_copy;
    case WEB_OURS:
        *err = fail_ours(job, why);
        return true;
    case WEB_AGAIN:
    case WEB_NO_RANGE:
        return false;
    default:
        return true;
    }
}

static enum err fetch(struct job *job, int attempts, struct web_file *out, struct why *why)
{
    struct web_cache *cache = job->cache;
    struct web_answer answer = {0};
    enum err err = ERR_OK;
    int attempt = 1;
    for (;; attempt++) {
        atomic_store(&cache->attempt, attempt);
        ask(job, false, &answer);
        if (answer.end == WEB_NO_RANGE) /* the server is well, and has no more of this version */
            ask(job, true, &answer);
        if (conclude(job, &answer, out, &err, why) || attempt >= attempts)
            break;
        if (!wait_for(cache, backoff(cache, attempt, &answer))) {
            answer.end = WEB_STOPPED;
            break;
        }
    }
    atomic_store(&cache->attempt, 0);
    bool is_had = answer.end == WEB_DONE || answer.end == WEB_OURS ||
                  (answer.end == WEB_UNCHANGED && job->has_copy);
    if (answer.end != WEB_STOPPED)
        count_host(cache, job->wish->url, answer.end != WEB_AGAIN);
    return is_had ? err : give_up(job, &answer, attempt, why);
}

/* Opens the part. While another process fetches the same file we wait for it, and then most likely find
 * it in its place. */
static enum err open_part(struct job *job, struct why *why)
{
    enum err err;
    while ((err = cache_part_open(job->path, &job->part, why)) == ERR_BUSY)
        if (!wait_for(job->cache, BUSY_WAIT_NS))
            return why_set(why, ERR_CLOSED, "%s: stopped", job->wish->url);
    if (err)
        note_broken(job->cache, why);
    return err;
}

static enum err fetch_locked(struct job *job, struct web_file *out, struct why *why)
{
    struct utc start = clock_utc();
    enum err err = open_part(job, why);
    if (err)
        return err;
    if (find_copy(job) && (is_settled(job->wish, &job->copy) || job->copy.checked.ns > start.ns)) {
        out->size = job->copy.size; /* another process has it now */
        return ERR_OK;
    }
    int attempts = attempts_left(job->cache, job->wish->url);
    if (!attempts)
        return why_set(why, ERR_IO,
                       "%s: not asked for, as its host failed %d times in a row; run it again "
                       "later",
                       job->wish->url, WEB_HOST_FAILURES_MAX);
    return fetch(job, attempts, out, why);
}

/* A copy that need not be asked for. */
static bool is_there(struct job *job, uint64_t *size)
{
    bool is_page = utc_is_known(job->wish->final_at); /* which only its note can date */
    if (!is_page && cache_file_is_foreign(job->path, size))
        return true;
    if (!find_copy(job) || !is_settled(job->wish, &job->copy))
        return false;
    *size = job->copy.size;
    return true;
}

enum err web_cache_get(struct web_cache *cache, const struct web_wish *wish, struct web_file *out,
                       struct why *why)
{
    struct job job = {.cache = cache, .wish = wish};
    struct web_file file = {.size = 0};
    struct why inner = {0};
    enum err err = cache_file_path(cache->folder, wish->url, job.path, why);
    if (err)
        return err;
    snprintf(file.path, sizeof file.path, "%s", job.path);
    if (is_there(&job, &file.size)) {
        *out = file;
        return ERR_OK;
    }
    if (cache->broken.err) {
        inner = cache->broken;
        err = inner.err;
    } else {
        err = fetch_locked(&job, &file, &inner);
    }
    if (err == ERR_LIMIT || (job.part && !resumable(&job)))
        cache_part_drop(job.part);
    else
        cache_part_close(job.part);
    bool is_old = err && err != ERR_CLOSED && err != ERR_NOT_FOUND && job.has_copy;
    if (is_old)
        file.size = job.copy.size;
    file.is_old = is_old;
    if (err)
        *why = inner;
    if (!err || is_old)
        *out = file;
    return is_old ? ERR_OK : err;
}
