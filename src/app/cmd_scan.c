/* scan: what went out in archives of routes. */
#include "app/archives.h"
#include "app/command.h"
#include "app/country_source.h"
#include "app/progress.h"
#include "app/rpki_source.h"
#include "app/scan_report.h"

#include "source/mrt/route_files.h"
#include "sys/output.h"

#include <stdlib.h>
#include <string.h>

/* LEAST_PEERS: what one peer alone loses is no outage, whatever --min-peers says (losses.h). */
enum { TOP = 20, WRITE_AT = 64 * 1024, LEAST_PEERS = 2 };

struct scanning {
    struct archives archives;
    struct route_files *files;
    struct scan *scan;
    struct scan_wish wish;
    struct scan_report report;
    struct countries *countries;
    struct rpki_source *rpki;
    struct bins *bins;
    struct output *bin_output;
    struct buffer bin_lines;
    struct why bin_failed;
    unsigned min_peers;
    struct progress progress;
    struct stream_faults faults;
};

/* ---- options ---- */

static enum err read_number(const struct options *options, enum option option, unsigned most,
                            unsigned *out, struct why *why)
{
    const char *text = options_get(options, option);
    if (!text)
        return ERR_OK;
    size_t digits = strspn(text, "0123456789");
    unsigned long number = strtoul(text, NULL, 10);
    if (!digits || text[digits] || digits > 9 || number > most)
        return why_set(why, ERR_USAGE, "--%s: '%.60s' is not a number from 0 to %u",
                       option_row(option)->name, text, most);
    *out = (unsigned)number;
    return ERR_OK;
}

static enum err read_subject(const struct options *options, struct scan_wish *wish, struct why *why)
{
    const char *as = options_get(options, OPTION_SCAN_AS);
    const char *prefix = options_get(options, OPTION_SCAN_PREFIX);
    const char *country = options_get(options, OPTION_COUNTRY);
    const char *digits = as && strncasecmp(as, "AS", 2) == 0 ? as + 2 : as;
    char *end = NULL;
    unsigned long asn = digits ? strtoul(digits, &end, 10) : 0;
    if (digits && (!strspn(digits, "0123456789") || *end || !asn || asn > UINT32_MAX))
        return why_set(why, ERR_USAGE, "--as: '%.60s' is not the number of an AS", as);
    wish->asn = (uint32_t)asn;
    if (country &&
        (!country_read(country, strlen(country), &wish->country) || !wish->country.code[0]))
        return why_set(why, ERR_USAGE,
                       "--country: '%.60s' is no country; expected two letters, as KP", country);
    if (country && !options_has(options, OPTION_COUNTRIES))
        return why_set(why, ERR_USAGE,
                       "--country needs --countries FILE, which says what is of which country");
    if (prefix && !prefix_parse(prefix, strlen(prefix), &wish->prefix))
        return why_set(why, ERR_USAGE,
                       "--prefix: '%.60s' is not a prefix; expected ADDRESS/BITS with all further "
                       "bits zero",
                       prefix);
    return ERR_OK;
}

static void tell_fault(void *context, const char *fault)
{
    progress_fault(&((struct scanning *)context)->progress, fault);
}

static enum err load_countries(struct scanning *scanning, const struct options *options,
                               struct why *why)
{
    const char *named[64], *text;
    size_t count = 0;
    for (size_t at = 0; (text = options_next(options, OPTION_COUNTRIES, &at));) {
        if (count == sizeof named / sizeof *named)
            return why_set(why, ERR_USAGE, "--countries: given too often");
        named[count++] = text;
    }
    enum err err = country_source_load(named, count, &scanning->faults, &scanning->countries, why);
    scanning->wish.countries = scanning->countries;
    return err;
}

static enum err load(struct scanning *scanning, const struct options *options, struct why *why)
{
    const char *rpki = options_get(options, OPTION_RPKI);
    unsigned top = TOP;
    enum err err = read_number(options, OPTION_TOP, 1000000, &top, why);
    scanning->report.top = top;
    if (!err)
        err = read_number(options, OPTION_MIN_PEERS, 10000, &scanning->min_peers, why);
    if (!err)
        err = read_subject(options, &scanning->wish, why);
    scanning->wish.has_unsure = options_has(options, OPTION_UNSURE);
    if (!err)
        err = load_countries(scanning, options, why);
    if (!err && rpki) {
        scanning->rpki = rpki_source_open(rpki, &scanning->faults, why);
        err = scanning->rpki ? ERR_OK : why->err;
    }
    if (scanning->rpki) {
        scanning->wish.rpki = rpki_source_rpki(scanning->rpki);
        scanning->report.rpki_made = rpki_source_made(scanning->rpki);
    }
    return err;
}

/* ---- bins ---- */

static void write_bins(struct scanning *scanning)
{
    struct buffer *lines = &scanning->bin_lines;
    if (lines->size && !scanning->bin_failed.err)
        output_write(scanning->bin_output, lines->bytes, lines->size, &scanning->bin_failed);
    buffer_clear(lines);
    if (scanning->bin_failed.err && scanning->files)
        route_files_stop(scanning->files);
}

static void take_bin(void *context, const struct bin_row *row)
{
    struct scanning *scanning = context;
    bool is_of_all = !row->who.asn && !row->who.country.code[0];
    if (!row->is_changed && !is_of_all)
        return;
    scan_bin_json(row, &scanning->bin_lines);
    if (scanning->bin_lines.size >= WRITE_AT)
        write_bins(scanning);
}

static enum err open_bins(struct scanning *scanning, const struct options *options, struct why *why)
{
    const char *path = options_get(options, OPTION_BINS),
               *report = options_get(options, OPTION_OUTPUT);
    if (!path)
        return ERR_OK;
    if (report && strcmp(path, report) == 0)
        return why_set(why, ERR_USAGE,
                       "--bins and --output both name '%.200s'; give each a file of its own", path);
    struct bins_options bins = {
        .countries = scanning->countries, .tell = take_bin, .context = scanning};
    if (output_open(path, &scanning->bin_output, why))
        return why->err;
    scanning->bins = bins_new(&bins);
    return ERR_OK;
}

static enum err close_bins(struct scanning *scanning, enum err err, struct why *why)
{
    if (!scanning->bin_output)
        return err;
    write_bins(scanning);
    if (!err && scanning->bin_failed.err) {
        *why = scanning->bin_failed;
        err = why->err;
    }
    struct output *output = scanning->bin_output;
    scanning->bin_output = NULL;
    return output_close(output, err, why);
}

/* ---- reading ---- */

_Static_assert((int)ROUTE_COLLECTORS_MAX <= (int)SCAN_COLLECTORS_MAX,
               "each collector has its place");

static void take(void *context, const struct element *element)
{
    struct scanning *scanning = context;
    const struct route_file *file = route_files_current(scanning->files);
    scan_feed(scanning->scan, file->collector_number, element);
}

static void show_progress(void *context, uint64_t done, uint64_t total, uint64_t elements)
{
    progress_show(&((struct scanning *)context)->progress, done, total, elements);
}

static void lose_archive(void *context, struct site_hole hole)
{
    struct scanning *scanning = context;
    scan_hole(scanning->scan, (struct interval){hole.from, hole.until});
}

static void show_wait(void *context, const char *url, struct web_state state)
{
    archives_watch(&((struct scanning *)context)->progress, url, state);
}

static enum err read_archives(struct scanning *scanning, const struct options *options,
                              struct why *why)
{
    struct archives *archives = &scanning->archives;
    const char *path = options_get(options, OPTION_OUTPUT);
    bool is_shown = stderr_is_terminal() && (path || !stdout_is_terminal());
    struct element_filter filter = {.kinds = 0};
    enum err err = archives_open(options, NULL, archives, why);
    if (err)
        return err;
    filter.from = archives->from;
    filter.until = archives->until;
    archives->web.watch = is_shown ? show_wait : NULL;
    archives->web.lost = lose_archive;
    archives->web.context = scanning;
    for (size_t i = 0; i < archives->hole_count; i++)
        lose_archive(scanning, archives->holes[i]);
    struct route_files_options files = {.paths = archives->paths,
                                        .path_count = archives->count,
                                        .collector = archives->collector,
                                        .has_archives_only = true,
                                        .filter = &filter,
                                        .web = archives->web,
                                        .take = take,
                                        .progress = is_shown ? show_progress : NULL,
                                        .context = scanning};
    err = route_files_open(&files, &scanning->faults, &scanning->files, why);
    return err ? err : route_files_run(scanning->files, why);
}

static int print_report(struct scanning *scanning, const struct options *options)
{
    struct style style = command_style(options);
    struct scan_report *report = &scanning->report;
    struct buffer out = {0};
    struct scan_events *events = scan_events_new(scanning->scan, &scanning->wish);
    report->events = events;
    report->wish = &scanning->wish;
    report->summary = scan_summary(scanning->scan);
    report->counts = route_files_counts(scanning->files);
    report->records = scanning->faults.records;
    report->bad = scanning->faults.bad;
    report->missing = scanning->faults.missing;
    report->collectors = route_files_collectors(scanning->files, &report->collector_count);
    report->min_peers =
        scanning->min_peers > LEAST_PEERS ? scanning->min_peers : (unsigned)LEAST_PEERS;
    if (style.format == FORMAT_JSON)
        scan_json(report, &out);
    else
        scan_text(report, &style, &out);
    scan_events_free(events);
    return command_print(options, &out);
}

static int scan_archives(struct scanning *scanning, const struct options *options)
{
    struct why why = {0};
    enum err err = open_bins(scanning, options, &why);
    if (err)
        return command_fail(&why);
    scanning->scan =
        scan_new(&(struct scan_options){.min_peers = scanning->min_peers, .bins = scanning->bins});
    err = read_archives(scanning, options, &why);
    progress_end(&scanning->progress);
    bool is_read = !err || err == ERR_INPUT;
    if (is_read)
        scan_end(scanning->scan);
    int status = err ? command_fail(&why) : scanning->faults.bad ? EXIT_FAILED : EXIT_DONE;
    err = close_bins(scanning, is_read ? ERR_OK : err, &why);
    if (err && is_read)
        return command_fail(&why);
    if (!is_read)
        return status;
    int printed = print_report(scanning, options);
    return printed ? printed : status;
}

int cmd_scan(const struct options *options)
{
    struct scanning scanning = {.faults = {.report = tell_fault, .context = &scanning}};
    struct why why;
    progress_init(&scanning.progress, "routes");
    enum err err = load(&scanning, options, &why);
    int status = err ? command_fail(&why) : scan_archives(&scanning, options);
    scan_free(scanning.scan);
    route_files_free(scanning.files);
    archives_close(&scanning.archives);
    bins_free(scanning.bins);
    buffer_done(&scanning.bin_lines);
    countries_free(scanning.countries);
    rpki_source_close(scanning.rpki);
    return status;
}
