/* db check: is the journal whole? */
#include "app/command.h"

#include "store/query.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

struct faults {
    struct buffer text;
    bool is_json;
};

/* More than these are not worth reading one by one; all are counted. */
enum { FAULT_BYTES_MAX = 1024 * 1024 };

static void add_fault(void *context, const char *fault)
{
    struct faults *faults = context;
    if (faults->text.size > FAULT_BYTES_MAX)
        return;
    if (!faults->is_json) {
        buffer_printf(&faults->text, "%s\n", fault);
        return;
    }
    json_t *row = json_pack("{s:s}", "fault", fault);
    char *line = row ? json_dumps(row, JSON_COMPACT) : NULL;
    if (line)
        buffer_printf(&faults->text, "%s\n", line);
    free(line);
    json_decref(row);
}

static void add_summary(struct faults *faults, const char *path, uint64_t count,
                        const struct journal_counts *counts)
{
    if (faults->is_json)
        buffer_printf(&faults->text,
                      "{\"faults\":%" PRIu64 ",\"observations\":%" PRIu64 ",\"blocks\":%" PRIu64
                      ",\"names\":%" PRIu64 ",\"incidents\":%" PRIu64 "}\n",
                      count, counts->observations, counts->blocks, counts->names,
                      counts->incidents);
    else
        buffer_printf(&faults->text,
                      "%s: %" PRIu64 " fault%s in %" PRIu64 " observations (%" PRIu64
                      " blocks), %" PRIu64 " names, %" PRIu64 " incidents\n",
                      path, count, count == 1 ? "" : "s", counts->observations, counts->blocks,
                      counts->names, counts->incidents);
}

static int check(const struct options *options, const char *path)
{
    struct why why;
    struct journal *journal;
    struct faults faults = {.is_json = options_has(options, OPTION_JSON)};
    if (journal_open(path, JOURNAL_READ, &journal, &why))
        return command_fail(&why);
    uint64_t count = 0;
    struct journal_counts counts = {0};
    enum err err = journal_check(journal, add_fault, &faults, &count, &why);
    /* On a damaged database even counting may fail: that is among the faults then. */
    if (!err && query_counts(journal, &counts, &why) && !count)
        err = why.err;
    journal_close(journal);
    if (!err)
        add_summary(&faults, path, count, &counts);
    int status = command_print(options, &faults.text);
    if (err)
        return command_fail(&why);
    return count ? EXIT_FAILED : status;
}

int cmd_db_check(const struct options *options)
{
    struct arena arena = {0};
    int status = check(options, command_journal(options, NULL, &arena));
    arena_done(&arena);
    return status;
}
