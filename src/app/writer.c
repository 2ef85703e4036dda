#include "app/writer.h"

#include "app/command.h"
#include "app/herald.h"
#include "base/mem.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    pthread_t thread;
    struct pipeline *pipeline;
    struct handover *handover;
    bool is_failing;
    uint64_t dropped; /* by the pipeline, as told last */
    struct herald herald;
    struct why why; /* of the end */
};

static void tell(struct writer *writer, enum err err, const struct why *why)
{
    if (err && !writer->is_failing)
        command_say(
            "%s; probing goes on, results are kept in memory and written when that works again",
            why->text);
    if (!err && writer->is_failing)
        command_say("the journal is written again");
    writer->is_failing = err != ERR_OK;
    uint64_t dropped = pipeline_counters(writer->pipeline).dropped;
    if (dropped > writer->dropped)
        command_say("%" PRIu64 " observations were lost because the journal could not be written",
                    dropped - writer->dropped);
    writer->dropped = dropped;
}

static void write_all(struct writer *writer, const struct sink *sink)
{
    struct why why = {0};
    enum err err = writer->is_failing ? pipeline_commit(writer->pipeline, &why) : ERR_OK;
    if (!err) {
        handover_take(writer->handover, sink);
        err = pipeline_commit(writer->pipeline, &why);
    }
    tell(writer, err, &why);
}

static void *work(void *context)
{
    struct writer *writer = context;
    struct sink sink = pipeline_sink(writer->pipeline);
    bool goes_on;
    do {
        goes_on = handover_wait(writer->handover);
        write_all(writer, &sink);
    } while (goes_on);
    pipeline_close(writer->pipeline, &writer->why);
    return NULL;
}

enum err writer_start(struct pipeline *pipeline, struct handover *handover, struct writer **out,
                      struct why *why)
{
    struct writer *writer = mem_new(1, sizeof *writer);
    writer->pipeline = pipeline;
    writer->handover = handover;
    herald_init(&writer->herald, pipeline_registry(pipeline));
    pipeline_listen(pipeline, herald_hear, &writer->herald);
    int error = pthread_create(&writer->thread, NULL, work, writer);
    if (error) {
        herald_done(&writer->herald);
        free(writer);
        return why_set(why, ERR_LIMIT, "cannot start the writing thread: %s", strerror(error));
    }
    *out = writer;
    return ERR_OK;
}

enum err writer_join(struct writer *writer, struct why *why)
{
    pthread_join(writer->thread, NULL);
    enum err err = writer->why.err;
    if (err)
        *why = writer->why;
    herald_done(&writer->herald);
    free(writer);
    return err;
}
