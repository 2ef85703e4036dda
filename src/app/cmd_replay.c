/* replay: archives through the same judgement as live data. */
#include "app/archives.h"
#include "app/command.h"
#include "app/config/config.h"
#include "app/country_source.h"
#include "app/ingest.h"

#include "store/query.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Collects --subject, --prefix and --asn as if they were a configuration of one subject. */
struct wanted {
    struct config config;
    struct subject_spec subject;
    struct member_spec *members;
    size_t member_capacity;
    struct countries *countries; /* as the configuration has them; NULL: none */
};

static void add_member(struct wanted *wanted, enum name_kind kind, const char *text)
{
    wanted->members = mem_grow(wanted->members, &wanted->member_capacity,
                               wanted->subject.member_count + 1, sizeof *wanted->members);
    wanted->members[wanted->subject.member_count++] = (struct member_spec){kind, text, 0};
}

static enum err add_prefixes(const struct options *options, struct wanted *wanted, struct why *why)
{
    struct config *config = &wanted->config;
    const char *text;
    for (size_t at = 0; (text = options_next(options, OPTION_PREFIX, &at));) {
        struct prefix prefix;
        if (!prefix_parse(text, strlen(text), &prefix))
            return why_set(
                why, ERR_USAGE,
                "--prefix: '%.60s' is not a prefix; expected ADDRESS/BITS with all further "
                "bits zero",
                text);
        config->prefixes = mem_grow(config->prefixes, &config->prefix_capacity,
                                    config->watch.prefix_count + 1, sizeof *config->prefixes);
        config->prefixes[config->watch.prefix_count++] = prefix;
        add_member(wanted, NAME_PREFIX, text);
    }
    return ERR_OK;
}

static enum err add_asns(const struct options *options, struct wanted *wanted, struct why *why)
{
    struct config *config = &wanted->config;
    const char *text;
    for (size_t at = 0; (text = options_next(options, OPTION_ASN, &at));) {
        uint32_t asn;
        if (!config_parse_asn(text, &asn))
            return why_set(why, ERR_USAGE,
                           "--asn: '%.60s' is not an AS number; expected one such as 36561", text);
        config->asns = mem_grow(config->asns, &config->asn_capacity, config->watch.asn_count + 1,
                                sizeof *config->asns);
        config->asns[config->watch.asn_count++] = asn;
        add_member(wanted, NAME_ASN, strpbrk(text, "0123456789"));
    }
    return ERR_OK;
}

static enum err want_subject(const struct options *options, struct wanted *wanted, struct why *why)
{
    const char *name = options_get(options, OPTION_SUBJECT);
    enum err err = add_prefixes(options, wanted, why);
    if (!err)
        err = add_asns(options, wanted, why);
    if (err)
        return err;
    if (!name && wanted->subject.member_count)
        return why_set(why, ERR_USAGE,
                       "--prefix and --asn belong to a subject; name it with --subject NAME");
    if (name && !wanted->subject.member_count)
        return why_set(
            why, ERR_USAGE,
            "--subject %.60s: say which routes it has, with --prefix PREFIX or --asn NUMBER", name);
    wanted->subject.name = name;
    wanted->subject.members = wanted->members;
    wanted->config.watch.prefixes = wanted->config.prefixes;
    wanted->config.watch.asns = wanted->config.asns;
    return ERR_OK;
}

static int want_config(const char *path, struct wanted *wanted)
{
    const struct table_config *table = &wanted->config.table;
    struct why why;
    int status = command_config(path, &wanted->config);
    if (!status && country_source_open(table, &wanted->countries, &why))
        status = command_fail(&why);
    return status;
}

/* 0, or the exit status of a failure that was told. */
static int want(const struct options *options, struct wanted *wanted)
{
    struct why why;
    const char *path = options_get(options, OPTION_CONFIG);
    bool has_subject = options_has(options, OPTION_SUBJECT) ||
                       options_has(options, OPTION_PREFIX) || options_has(options, OPTION_ASN);
    if (path && has_subject) {
        command_say("the subject comes from --config or from --subject; give one of them");
        return EXIT_USAGE;
    }
    if (path)
        return want_config(path, wanted);
    return want_subject(options, wanted, &why) ? command_fail(&why) : EXIT_DONE;
}

static void done(struct wanted *wanted)
{
    free(wanted->members);
    countries_free(wanted->countries);
    config_done(&wanted->config);
}

/* `has_run`: the journal could be opened, and the archives were looked at. */
static enum err replay(const struct archives *archives, const struct wanted *wanted,
                       const char *path, struct ingest_result *result, bool *has_run,
                       struct why *why)
{
    const struct config *config = &wanted->config;
    struct ingest ingest = {
        .paths = archives->paths,
        .path_count = archives->count,
        .collector = archives->collector ? archives->collector : config->collector,
        .watch = config->watch,
        .holes = archives->holes,
        .hole_count = archives->hole_count,
        .subjects = config->path ? config->subjects : &wanted->subject,
        .subject_count = config->path ? config->subject_count : wanted->subject.name != NULL,
        .table = &config->table,
        .countries = wanted->countries};
    struct pipeline *pipeline;
    struct why why_close;
    enum err err = command_pipeline(path, &pipeline, why);
    if (err)
        return err;
    *has_run = true;
    err = ingest_run(&ingest, pipeline, result, why);
    if (pipeline_close(pipeline, &why_close) && (!err || err == ERR_INPUT)) {
        err = why_close.err;
        *why = why_close;
    }
    return err;
}

/* All archives of the web first: the journal knows an input by all of its files, and one that came later
 * could take its place in it no more. */
static enum err gather(const struct options *options, const struct wanted *wanted,
                       struct archives *archives, bool *is_whole, struct why *why)
{
    enum err err = archives_open(options, wanted->config.contact, archives, why);
    if (err)
        return err;
    bool has_span = utc_is_known(archives->from) || utc_is_known(archives->until);
    if (has_span && options->argument_count)
        err = why_set(why, ERR_USAGE,
                      "--from and --until choose archives of the web; leave out "
                      "'%.60s', or the times",
                      options->arguments[0]);
    if (!err)
        err = archives_fetch(archives, why);
    *is_whole = err != ERR_INPUT;
    if (err == ERR_INPUT) {
        command_say("%s; replay it into another journal (-j) when all can be had", why->text);
        return ERR_OK;
    }
    if (err)
        archives_close(archives);
    return err;
}

/* What cannot be seen from the figures alone. */
static void tell_doubts(const struct wanted *wanted, const struct ingest_result *result,
                        const char *path)
{
    bool watches_routes = wanted->config.watch.prefix_count || wanted->config.watch.asn_count;
    if (result->was_complete)
        return;
    if (!result->observations && result->records && !watches_routes)
        command_say(
            "these are archives of routes, and no subject says which routes are of interest; name "
            "one: --subject NAME --prefix PREFIX [--asn NUMBER], or -c FILE");
    else if (!result->observations)
        command_say("nothing was found%s",
                    watches_routes ? " about the routes that are watched" : "");
    else if (!result->has_subject)
        command_say("no subject is defined, neither in the archive nor before, so nothing was "
                    "judged; name one: "
                    "--subject NAME --prefix PREFIX [--asn NUMBER], or -c FILE");
    if (result->late)
        command_say("%" PRIu64
                    " observations are older than what the journal %s held already: they are kept, "
                    "and were not judged; replay archives in order of time, or each into a journal "
                    "of its own (-j)",
                    result->late, path);
}

static uint64_t count_incidents(const char *path)
{
    struct journal *journal;
    struct journal_counts counts = {0};
    if (journal_open(path, JOURNAL_READ, &journal, NULL))
        return 0;
    if (query_counts(journal, &counts, NULL))
        counts.incidents = 0;
    journal_close(journal);
    return counts.incidents;
}

static void summary_json(const struct ingest_result *result, const char *path, uint64_t incidents,
                         struct buffer *out)
{
    json_t *whole =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b}", "journal", path, "observations",
                  (json_int_t)result->observations, "skipped", (json_int_t)result->skipped, "bad",
                  (json_int_t)result->bad, "late", (json_int_t)result->late, "incidents",
                  (json_int_t)incidents, "already_replayed", result->was_complete);
    char *line = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
    if (line)
        buffer_printf(out, "%s\n", line);
    free(line);
    json_decref(whole);
}

static void summary_text(const struct ingest_result *result, const char *path, uint64_t incidents,
                         struct buffer *out)
{
    char first[UTC_TEXT_MAX], last[UTC_TEXT_MAX];
    if (result->was_complete) {
        buffer_printf(out,
                      "already replayed: %s holds all %" PRIu64 " observations of this input\n",
                      path, result->skipped);
        return;
    }
    buffer_printf(out, "replayed %" PRIu64 " observations", result->observations - result->skipped);
    if (result->skipped)
        buffer_printf(out, " (after %" PRIu64 " from before)", result->skipped);
    if (utc_is_known(result->last))
        buffer_printf(out, " of %s to %s", utc_format(result->first, first),
                      utc_format(result->last, last));
    buffer_printf(out, "; %" PRIu64 " bad record%s; %" PRIu64 " incident%s in %s\n", result->bad,
                  result->bad == 1 ? "" : "s", incidents, incidents == 1 ? "" : "s", path);
}

/* Replays, and says what came of it. */
static int replay_into(const struct options *options, const struct wanted *wanted,
                       const struct archives *archives, const char *path)
{
    struct ingest_result result = {0};
    struct why why;
    struct buffer summary = {0};
    bool has_run = false;
    enum err err = replay(archives, wanted, path, &result, &has_run, &why);
    int status = err ? command_fail(&why) : EXIT_DONE;
    if (!has_run || (err && err != ERR_INPUT))
        return status;
    tell_doubts(wanted, &result, path);
    uint64_t incidents = count_incidents(path);
    (options_has(options, OPTION_JSON) ? summary_json : summary_text)(&result, path, incidents,
                                                                      &summary);
    int printed = command_print(options, &summary);
    return status ? status : printed ? printed : result.bad ? EXIT_FAILED : EXIT_DONE;
}

int cmd_replay(const struct options *options)
{
    struct wanted wanted = {0};
    struct archives archives = {0};
    struct arena arena = {0};
    struct why why;
    bool is_whole = true;
    int status = want(options, &wanted);
    if (!status && gather(options, &wanted, &archives, &is_whole, &why))
        status = command_fail(&why);
    if (!status) {
        const char *path =
            command_journal(options, wanted.config.path ? &wanted.config : NULL, &arena);
        status = replay_into(options, &wanted, &archives, path);
        archives_close(&archives);
        if (!is_whole && !status)
            status = EXIT_FAILED;
    }
    arena_done(&arena);
    done(&wanted);
    return status;
}
