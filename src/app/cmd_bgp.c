/* bgp: the routes of archives, one a line. */
#include "app/archives.h"
#include "app/command.h"
#include "app/progress.h"
#include "app/route_dump.h"
#include "app/route_json.h"
#include "app/route_options.h"

#include "base/mem.h"
#include "source/mrt/route_files.h"
#include "sys/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is written at once; behind it there is room for one line more. */
enum { WRITE_AT = 128 * 1024 };

struct printing {
    struct element_filter filter;
    struct archives archives;
    struct route_files *files;
    struct route_dump *dump; /* NULL: JSON */
    struct route_json *json;
    struct output *output;
    char *bytes; /* of WRITE_AT + ROUTE_LINE_MAX; NULL: elements are counted, not printed */
    size_t used;
    uint64_t left; /* lines still to print */
    struct progress progress;
    struct why failed; /* to write */
};

static void write_lines(struct printing *printing)
{
    if (!printing->failed.err)
        output_write(printing->output, printing->bytes, printing->used, &printing->failed);
    printing->used = 0;
    if (printing->failed.err)
        route_files_stop(printing->files);
}

static void take(void *context, const struct element *element)
{
    struct printing *printing = context;
    const struct route_file *file = route_files_current(printing->files);
    if (!printing->left)
        return;
    char *start = printing->bytes + printing->used;
    char *end = printing->dump ? route_dump_line(printing->dump, file, element, start)
                               : route_json_line(printing->json, file, element, start);
    if (end == start)
        return;
    printing->used += (size_t)(end - start);
    if (--printing->left == 0)
        route_files_stop(printing->files);
    if (printing->used >= WRITE_AT)
        write_lines(printing);
}

/* Nothing is to be read just now: who reads the lines need not wait for more. */
static bool write_what_there_is(void *context)
{
    struct printing *printing = context;
    if (printing->used)
        write_lines(printing);
    return !printing->failed.err;
}

static void show_progress(void *context, uint64_t done, uint64_t total, uint64_t elements)
{
    progress_show(&((struct printing *)context)->progress, done, total, elements);
}

static void tell_fault(void *context, const char *fault)
{
    progress_fault(&((struct printing *)context)->progress, fault);
}

static void add_row(struct buffer *out, bool is_json, const char *name, uint64_t count)
{
    if (is_json)
        buffer_printf(out, "%s\"%s\":%" PRIu64, out->size ? "," : "{", name, count);
    else
        buffer_printf(out, "%-12s%14" PRIu64 "\n", name, count);
}

static void add_counts(struct buffer *out, bool is_json, const struct element_counts *counts,
                       const struct stream_faults *faults)
{
    static const char *const kinds[ELEMENT_KINDS] = {"announce", "withdraw",   "table",
                                                     "state",    "end_of_rib", "message"};
    for (size_t i = 0; i < ELEMENT_KINDS; i++)
        add_row(out, is_json, kinds[i], counts->of[i]);
    add_row(out, is_json, "ipv4", counts->of_family[0]);
    add_row(out, is_json, "ipv6", counts->of_family[1]);
    add_row(out, is_json, "faulty", counts->faulty);
    add_row(out, is_json, "records", faults->records);
    add_row(out, is_json, "bad", faults->bad);
    if (faults->missing) /* archives of the web that could not be fetched */
        add_row(out, is_json, "missing", faults->missing);
    if (is_json)
        buffer_puts(out, "}\n");
}

static enum err read_files(struct printing *printing, const struct options *options,
                           struct stream_faults *faults, struct why *why)
{
    const char *path = options_get(options, OPTION_OUTPUT);
    bool is_shown = stderr_is_terminal() && (path || !stdout_is_terminal());
    struct archives *archives = &printing->archives;
    enum err err = archives_open(options, NULL, archives, why);
    if (err)
        return err;
    printing->filter.from = archives->from;
    archives->web.watch = is_shown ? archives_watch : NULL;
    archives->web.context = &printing->progress;
    struct route_files_options files = {.paths = archives->paths,
                                        .path_count = archives->count,
                                        .collector = archives->collector,
                                        .filter = &printing->filter,
                                        .web = archives->web,
                                        .wait = write_what_there_is,
                                        .take = printing->bytes ? take : NULL,
                                        .progress = is_shown ? show_progress : NULL,
                                        .context = printing};
    progress_init(&printing->progress, "routes");
    err = route_files_open(&files, faults, &printing->files, why);
    if (!err)
        err = route_files_run(printing->files, why);
    progress_end(&printing->progress);
    return err;
}

/* Prints, and closes the output: what was printed before a failure stays, but in a file only if all
 * of it is there. */
static int print_routes(struct printing *printing, const struct options *options)
{
    const char *path = options_get(options, OPTION_OUTPUT);
    struct stream_faults faults = {.report = tell_fault, .context = printing};
    struct why why;
    if (output_open(path ? path : "-", &printing->output, &why))
        return command_fail(&why);
    printing->bytes = mem_new(WRITE_AT + ROUTE_LINE_MAX, 1);
    enum err err = read_files(printing, options, &faults, &why);
    int status = err ? command_fail(&why) : faults.bad ? EXIT_FAILED : EXIT_DONE;
    bool is_complete = !err || err == ERR_INPUT;
    if (is_complete)
        write_lines(printing);
    err = printing->failed.err ? printing->failed.err : is_complete ? ERR_OK : err;
    if (output_close(printing->output, err, &printing->failed) && is_complete)
        return command_fail(&printing->failed);
    return status;
}

static int print_counts(struct printing *printing, const struct options *options)
{
    struct stream_faults faults = {.report = tell_fault, .context = printing};
    struct buffer out = {0};
    struct why why;
    enum err err = read_files(printing, options, &faults, &why);
    int status = err ? command_fail(&why) : faults.bad ? EXIT_FAILED : EXIT_DONE;
    if (err && err != ERR_INPUT)
        return status;
    struct element_counts counts = route_files_counts(printing->files);
    add_counts(&out, options_has(options, OPTION_JSON), &counts, &faults);
    int printed = command_print(options, &out);
    return printed ? printed : status;
}

static enum err read_head(const struct options *options, uint64_t *out, struct why *why)
{
    const char *text = options_get(options, OPTION_HEAD);
    char *end;
    *out = UINT64_MAX;
    if (!text)
        return ERR_OK;
    size_t digits = strspn(text, "0123456789");
    *out = strtoull(text, &end, 10);
    if (!digits || text[digits] || digits > 18 || !*out)
        return why_set(why, ERR_USAGE, "--head: '%.60s' is no number of lines; expected 1 or more",
                       text);
    return ERR_OK;
}

/* What cannot go together. */
static enum err check_form(const struct options *options, struct why *why)
{
    bool is_long = options_has(options, OPTION_BGPDUMP);
    bool is_short = options_has(options, OPTION_BGPDUMP_SHORT);
    const char *collector = options_get(options, OPTION_COLLECTOR);
    if (is_long && is_short)
        return why_set(why, ERR_USAGE, "-m and -M are two forms of a line; give one");
    if (options_has(options, OPTION_COUNTS)) {
        if (is_long || is_short || options_has(options, OPTION_HEAD))
            return why_set(why, ERR_USAGE, "--count prints no routes; leave out -m, -M and --head");
    } else if ((is_long || is_short) && options_has(options, OPTION_JSON)) {
        return why_set(why, ERR_USAGE, "--json is another form than -m and -M; give one");
    }
    bool is_about_lines =
        options_has(options, OPTION_LARGE) || options_has(options, OPTION_TABLE_TIME);
    if (!is_long && !is_short && is_about_lines)
        return why_set(why, ERR_USAGE,
                       "-l and -t are about the lines of -m and -M; give one of them, too");
    if (collector && strlen(collector) > ROUTE_COLLECTOR_MAX)
        return why_set(why, ERR_USAGE, "--collector: longer than %d characters",
                       ROUTE_COLLECTOR_MAX);
    return ERR_OK;
}

/* bgpdump has no lines for what is no route and no change of a session. */
static void make_form(struct printing *printing, const struct options *options)
{
    static const uint32_t dumped =
        1 << ELEMENT_ANNOUNCE | 1 << ELEMENT_WITHDRAW | 1 << ELEMENT_TABLE | 1 << ELEMENT_STATE;
    const char *time = options_get(options, OPTION_TABLE_TIME);
    struct route_dump_options dump = {.is_short = options_has(options, OPTION_BGPDUMP_SHORT),
                                      .has_large_communities = options_has(options, OPTION_LARGE),
                                      .is_time_of_change = time && strcmp(time, "change") == 0};
    if (!dump.is_short && !options_has(options, OPTION_BGPDUMP)) {
        printing->json = route_json_new();
        return;
    }
    printing->dump = route_dump_new(&dump);
    if (!printing->filter.kinds)
        printing->filter.kinds = dumped;
}

int cmd_bgp(const struct options *options)
{
    struct printing printing = {0};
    struct why why;
    enum err err = check_form(options, &why);
    if (!err)
        err = route_options_read(options, &printing.filter, &why);
    if (!err)
        err = read_head(options, &printing.left, &why);
    if (err)
        return command_fail(&why);
    make_form(&printing, options);
    int status = options_has(options, OPTION_COUNTS) ? print_counts(&printing, options)
                                                     : print_routes(&printing, options);
    route_files_free(printing.files);
    archives_close(&printing.archives);
    route_dump_free(printing.dump);
    route_json_free(printing.json);
    free(printing.bytes);
    return status;
}
