#include "app/network_watch.h"

#include "app/command.h"
#include "sys/output.h"
#include "sys/pool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAVE_NS (10 * NS_PER_MINUTE)

/* What is known, on its way to the disk. The pool's while its task is submitted. */
struct saving {
    struct task task; /* first, which is how the task finds it */
    const char *path;
    struct block_record *records;
    size_t count;
    struct why why; /* of the last time */
};

struct network_watch {
    struct loop *loop;
    struct block_prober_options options;
    struct sink sink;
    struct block_prober *prober; /* NULL: there never was a network */
    struct loop_timer *timer;
    struct saving saving;
    struct block_counters told;
    char *path;
};

/* ---- keeping ---- */

static void save(struct task *task, void **scratch)
{
    (void)scratch;
    struct saving *saving = (struct saving *)task;
    struct buffer text = {0};
    struct output *output;
    saving->why = (struct why){0};
    block_file_begin(&text);
    for (size_t i = 0; i < saving->count; i++)
        block_file_write(&saving->records[i], &text);
    enum err err = output_open(saving->path, &output, &saving->why);
    if (!err) {
        err = output_write(output, text.bytes, text.size, &saving->why);
        output_close(output, err, &saving->why);
    }
    buffer_done(&text);
}

/* The one before has long come to its end, or is waited for. */
static void finish_saving(struct saving *saving)
{
    pool_lock();
    pool_withdraw(&saving->task);
    pool_unlock();
    if (saving->why.err)
        command_say("what was learned of networks is not kept: %s", saving->why.text);
    saving->why = (struct why){0};
    free(saving->records);
    saving->records = NULL;
}

static bool is_saving(struct saving *saving)
{
    pool_lock();
    bool is_under_way = saving->task.is_queued || saving->task.is_running;
    pool_unlock();
    return is_under_way;
}

static void tell(struct network_watch *watch)
{
    struct block_counters now = block_prober_counters(watch->prober);
    const struct block_counters *told = &watch->told;
    if (now.judged == told->judged && now.unfit == told->unfit && now.learning == told->learning)
        return;
    command_say("%zu whole network%s judged; of %zu it is being learned who answers; %zu cannot be "
                "judged, since fewer than %d addresses ever answered there, or these too rarely",
                now.judged, now.judged == 1 ? " is" : "s are", now.learning, now.unfit,
                TRINOCULAR_ACTIVE_MIN);
    watch->told.judged = now.judged;
    watch->told.learning = now.learning;
    watch->told.unfit = now.unfit;
}

/* Rounds that are no data, and not for what networks do. */
static void tell_losses(struct network_watch *watch)
{
    struct block_counters now = block_prober_counters(watch->prober);
    uint64_t missed = now.missed - watch->told.missed, broken = now.broken - watch->told.broken;
    if (missed || broken)
        command_say(
            "of rounds over whole networks %" PRIu64 " were left out lately, since there was no "
            "time or the limits held them back, and we spoiled %" PRIu64 "; they do not count",
            missed, broken);
    watch->told.missed = now.missed;
    watch->told.broken = now.broken;
}

static void on_timer(void *context)
{
    struct network_watch *watch = context;
    struct saving *saving = &watch->saving;
    if (is_saving(saving)) /* the disk stands still: the loop does not */
        return;
    finish_saving(saving);
    saving->records = block_prober_records(watch->prober, &saving->count);
    pool_lock();
    pool_submit(&saving->task);
    pool_unlock();
    tell(watch);
    tell_losses(watch);
}

/* ---- reading ---- */

static void say_fault(void *context, const char *fault)
{
    (void)context;
    command_say("%s", fault);
}

static void take(void *context, const struct block_record *record)
{
    struct network_watch *watch = context;
    block_prober_know(watch->prober, record);
}

static void read_known(struct network_watch *watch, const char *path)
{
    struct stream_faults faults = {.report = say_fault};
    struct text text;
    struct why why;
    enum err err = text_open(&text, path, &faults, &why);
    if (!err) {
        err = block_file_read(&text, take, watch, &why);
        text_close(&text);
    }
    if (err)
        command_say("%s", why.text);
}

/* Where there are networks that are new. */
static void read_all(struct network_watch *watch, const struct blocks_config *blocks)
{
    if (!block_prober_counters(watch->prober).unknown)
        return;
    if (access(watch->path, F_OK) == 0)
        read_known(watch, watch->path);
    for (size_t i = 0; i < blocks->known.count; i++)
        read_known(watch, blocks->known.list[i]);
}

/* ---- the watch ---- */

static void start(struct network_watch *watch)
{
    watch->prober = block_prober_new(watch->loop, &watch->options, &watch->sink);
    watch->timer = loop_timer_new(watch->loop, on_timer, watch);
    loop_timer_start(watch->timer, SAVE_NS, SAVE_NS);
    pool_join();
}

void network_watch_set(struct network_watch *watch, const struct config *config)
{
    const struct blocks_config *blocks = &config->blocks;
    struct why why;
    if (!watch->prober && !blocks->count)
        return;
    if (!watch->prober)
        start(watch);
    if (block_prober_set_plan(watch->prober, blocks->plan, blocks->count, &blocks->settings,
                              &config->manners, &why))
        command_say("%s", why.text);
    read_all(watch, blocks);
    tell(watch);
}

struct network_watch *network_watch_new(struct loop *loop,
                                        const struct block_prober_options *options,
                                        const struct sink *sink, const char *journal)
{
    struct network_watch *watch = mem_new(1, sizeof *watch);
    struct buffer path = {0};
    buffer_printf(&path, "%s.blocks", journal);
    watch->path = mem_copy(path.bytes);
    buffer_done(&path);
    watch->loop = loop;
    watch->options = *options;
    watch->sink = *sink;
    watch->saving =
        (struct saving){.task = {.run = save, .is_for_later = true}, .path = watch->path};
    return watch;
}

void network_watch_stop(struct network_watch *watch)
{
    if (watch->prober)
        block_prober_stop(watch->prober);
}

static void finish(struct network_watch *watch)
{
    struct saving *saving = &watch->saving;
    void *scratch = NULL;
    struct block_counters counters = block_prober_counters(watch->prober);
    loop_timer_free(watch->timer);
    finish_saving(saving);
    saving->records = block_prober_records(watch->prober, &saving->count);
    save(&saving->task, &scratch);
    finish_saving(saving);
    pool_leave();
    command_say("%" PRIu64 " rounds over whole networks, %.2f questions each; %" PRIu64
                " left out, %" PRIu64 " spoiled by ourselves",
                counters.rounds,
                counters.rounds ? (double)counters.asked / (double)counters.rounds : 0,
                counters.missed, counters.broken);
    block_prober_free(watch->prober);
}

void network_watch_free(struct network_watch *watch)
{
    if (!watch)
        return;
    if (watch->prober)
        finish(watch);
    free(watch->path);
    free(watch);
}
