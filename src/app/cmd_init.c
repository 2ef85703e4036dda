/* init: what there is to be watched of a zone, an AS or a country, as a configuration. */
#include "app/command.h"
#include "app/country_source.h"
#include "app/init_config.h"
#include "app/progress.h"

#include "base/endpoint.h"
#include "source/origins/text.h"
#include "source/survey/survey_names.h"
#include "source/survey/survey_routes.h"
#include "sys/clock.h"
#include "sys/folder.h"
#include "sys/output.h"
#include "sys/resolver.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 64, NAMES_MAX = 2000 };

struct searching {
    const struct options *options;
    char zone[SURVEY_NAME_TEXT]; /* "": none */
    struct country country;
    const char *files[FILES_MAX], *routes[FILES_MAX];
    size_t file_count, route_count;
    struct survey survey;
    struct countries *countries;
    struct stream_faults faults;
    struct progress progress;
    const char **names;
    size_t name_count, name_capacity;
    struct addr resolver;
    uint16_t port;
    struct loop *loop;
    bool is_interrupted;
    size_t unanswered;
    struct arena arena;
};

/* ---- what is wanted ---- */

static enum err read_list(const struct searching *searching, enum option option, const char *name,
                          const char *list[FILES_MAX], size_t *count, struct why *why)
{
    const char *text;
    for (size_t at = 0; (text = options_next(searching->options, option, &at));) {
        if (*count == FILES_MAX)
            return why_set(why, ERR_USAGE, "%s: given more than %d times", name, FILES_MAX);
        list[(*count)++] = text;
    }
    return ERR_OK;
}

static enum err read_asns(struct searching *searching, struct why *why)
{
    const char *text;
    for (size_t at = 0; (text = options_next(searching->options, OPTION_INIT_ASN, &at));) {
        uint32_t asn;
        if (!config_parse_asn(text, &asn))
            return why_set(why, ERR_USAGE, "--asn: '%.60s' is not the number of an AS", text);
        survey_add_asn(&searching->survey, asn, SURVEY_ASKED_FOR);
    }
    return ERR_OK;
}

static enum err read_resolver(struct searching *searching, struct why *why)
{
    const char *text = options_get(searching->options, OPTION_RESOLVER);
    struct endpoint endpoint;
    if (!text)
        return ERR_OK;
    if (endpoint_parse(text, strlen(text), &endpoint) && endpoint.addr.family) {
        searching->resolver = endpoint.addr;
        searching->port = endpoint.port ? endpoint.port : 53;
        return ERR_OK;
    }
    return why_set(why, ERR_USAGE,
                   "--resolver: '%.60s' is no address; expected 192.0.2.53, 192.0.2.53:5353 or "
                   "[2001:db8::53]:53",
                   text);
}

static enum err read_wishes(struct searching *searching, struct why *why)
{
    const char *zone = options_get(searching->options, OPTION_INIT_ZONE);
    const char *country = options_get(searching->options, OPTION_INIT_COUNTRY);
    const char *path = options_get(searching->options, OPTION_INIT_OUTPUT);
    if (!zone && !country && !options_has(searching->options, OPTION_INIT_ASN))
        return why_set(why, ERR_USAGE, "what is it about? Give --zone, --asn or --country");
    if (path && file_is_there(path))
        return why_set(why, ERR_USAGE,
                       "%s is there already, and is not written over: give another name with -o",
                       path);
    if (zone && !survey_name(zone, searching->zone))
        return why_set(why, ERR_USAGE, "--zone: '%.60s' is no name", zone);
    if (country && (!country_read(country, strlen(country), &searching->country) ||
                    !searching->country.code[0]))
        return why_set(why, ERR_USAGE,
                       "--country: '%.60s' is no country; expected two letters, as KP", country);
    enum err err = read_asns(searching, why);
    if (!err)
        err = read_resolver(searching, why);
    if (!err)
        err = read_list(searching, OPTION_COUNTRIES, "--countries", searching->files,
                        &searching->file_count, why);
    if (!err)
        err = read_list(searching, OPTION_ROUTES, "--routes", searching->routes,
                        &searching->route_count, why);
    return err;
}

/* ---- names ---- */

static bool is_below(const char *name, const char *zone)
{
    size_t n = strlen(name), m = strlen(zone);
    return n > m && strcmp(name + n - m, zone) == 0 && name[n - m - 1] == '.';
}

static void take_name(struct searching *searching, const struct reader *line)
{
    char text[SURVEY_NAME_TEXT], name[SURVEY_NAME_TEXT];
    size_t n = 0;
    while (n < reader_left(line) && !strchr(" \t;#", line->at[n]))
        n++;
    if (!n || n >= sizeof text || searching->name_count == NAMES_MAX)
        return;
    memcpy(text, line->at, n);
    text[n] = '\0';
    if (!survey_name(text, name) || !is_below(name, searching->zone))
        return;
    for (size_t i = 0; i < searching->name_count; i++)
        if (strcmp(searching->names[i], name) == 0)
            return;
    searching->names = mem_grow(searching->names, &searching->name_capacity,
                                searching->name_count + 1, sizeof *searching->names);
    searching->names[searching->name_count++] = arena_copy(&searching->arena, name, strlen(name));
}

static enum err read_names(struct searching *searching, struct why *why)
{
    const char *path = options_get(searching->options, OPTION_NAMES);
    struct text text;
    struct reader line;
    int found = 0;
    enum err err = path ? text_open(&text, path, &searching->faults, why) : ERR_OK;
    if (err || !path)
        return err;
    while ((found = text_line(&text, &line)) > 0)
        take_name(searching, &line);
    if (found < 0)
        err = text_fail(&text, why, ERR_IO, "cannot be read");
    text_close(&text);
    return err;
}

static void on_names(void *context)
{
    loop_stop(((struct searching *)context)->loop);
}

static void on_interrupt(void *context)
{
    struct searching *searching = context;
    searching->is_interrupted = true;
    loop_stop(searching->loop);
}

static void show_names(void *context, size_t done, size_t count)
{
    struct searching *searching = context;
    if (stderr_is_terminal())
        progress_show(&searching->progress, done, count, done);
}

static enum err find_resolver(struct searching *searching, struct why *why)
{
    if (searching->resolver.family)
        return ERR_OK;
    struct resolver *resolver = resolver_new(searching->loop);
    struct resolver_server first;
    bool is_there = resolver_servers(resolver, &first, 1) == 1;
    resolver_free(resolver);
    if (!is_there)
        return why_set(why, ERR_NOT_FOUND, "this system has no resolver; name one with --resolver");
    searching->resolver = first.addr;
    searching->port = first.port;
    return ERR_OK;
}

static enum err ask_names(struct searching *searching, struct why *why)
{
    struct survey_names_options options = {.resolver = searching->resolver,
                                           .port = searching->port,
                                           .zone = searching->zone,
                                           .names = searching->names,
                                           .name_count = searching->name_count,
                                           .progress = show_names,
                                           .done = on_names,
                                           .context = searching};
    struct survey_names *names = survey_names_new(searching->loop, &options, &searching->survey);
    loop_signal_new(searching->loop, SIGINT, on_interrupt, searching);
    loop_run(searching->loop);
    progress_end(&searching->progress);
    enum err err = searching->is_interrupted ? why_set(why, ERR_IO, "interrupted")
                                             : survey_names_result(names, why);
    searching->unanswered = survey_names_unanswered(names);
    survey_names_free(names);
    return err;
}

static enum err search_names(struct searching *searching, struct why *why)
{
    if (!searching->zone[0])
        return ERR_OK;
    enum err err = read_names(searching, why);
    if (err)
        return err;
    progress_init(&searching->progress, "questions");
    searching->loop = loop_new();
    err = find_resolver(searching, why);
    if (!err)
        err = ask_names(searching, why);
    loop_free(searching->loop);
    return err;
}

/* ---- numbers ---- */

static void take_asn(void *context, uint32_t asn)
{
    survey_add_asn(&((struct searching *)context)->survey, asn, SURVEY_REGISTRY);
}

static void take_prefix(void *context, const struct prefix *prefix)
{
    const struct survey_prefix delegated = {.prefix = *prefix, .sources = SURVEY_REGISTRY};
    survey_add_prefix(&((struct searching *)context)->survey, &delegated);
}

static void tell_fault(void *context, const char *fault)
{
    progress_fault(&((struct searching *)context)->progress, fault);
}

static void show_routes(void *context, uint64_t done, uint64_t total, uint64_t elements)
{
    progress_show(&((struct searching *)context)->progress, done, total, elements);
}

static enum err search_registries(struct searching *searching, struct why *why)
{
    progress_init(&searching->progress, "lines");
    enum err err = country_source_load(searching->files, searching->file_count, &searching->faults,
                                       &searching->countries, why);
    progress_end(&searching->progress);
    if (!err && searching->countries && searching->country.code[0])
        countries_each(searching->countries, searching->country, take_asn, take_prefix, searching);
    survey_sort(&searching->survey);
    return err;
}

static enum err search_routes(struct searching *searching, struct why *why)
{
    struct route_files_options files = {.paths = searching->routes,
                                        .path_count = searching->route_count,
                                        .has_archives_only = true,
                                        .progress = stderr_is_terminal() ? show_routes : NULL,
                                        .context = searching};
    if (!searching->route_count)
        return ERR_OK;
    progress_init(&searching->progress, "routes");
    enum err err = survey_routes(&searching->survey, &files, searching->countries,
                                 searching->country, &searching->faults, why);
    progress_end(&searching->progress);
    if (err == ERR_INPUT) /* what is damaged was told; the rest was used */
        err = ERR_OK;
    return err;
}

/* ---- writing ---- */

/* "kp" of the zone kp., else the country's code, else the AS. */
static const char *subject_name(struct searching *searching)
{
    const char *zone = searching->zone;
    if (zone[0])
        return arena_copy(&searching->arena, zone, strlen(zone) - 1);
    if (searching->country.code[0])
        return arena_printf(&searching->arena, "%s", searching->country.code);
    return arena_printf(&searching->arena, "AS%u", (unsigned)searching->survey.asns[0].asn);
}

static int write_file(const char *path, const struct buffer *text)
{
    struct output *output;
    struct why why;
    enum err err = output_open(path ? path : "-", &output, &why);
    if (!err) {
        err = output_write(output, text->bytes, text->size, &why);
        err = output_close(output, err, &why);
    }
    return err ? command_fail(&why) : EXIT_DONE;
}

/* What is written must run. */
static int check_and_write(const char *path, const struct buffer *text)
{
    struct config config;
    struct buffer faults = {0};
    struct why why;
    enum err err = config_parse(path ? path : "-", text->bytes, text->size, &config, &faults, &why);
    if (err) {
        command_say("what was found makes no sound configuration: %s", why.text);
        buffer_done(&faults);
        return EXIT_FAILED;
    }
    config_done(&config);
    buffer_done(&faults);
    return write_file(path, text);
}

static int write_config(struct searching *searching, const struct init_targets *targets)
{
    const char *path = options_get(searching->options, OPTION_INIT_OUTPUT);
    char resolver[ADDR_TEXT_MAX];
    struct buffer text = {0};
    struct init_finding finding = {
        .survey = &searching->survey,
        .targets = targets,
        .name = subject_name(searching),
        .country = searching->country,
        .resolver = searching->zone[0] ? addr_format(&searching->resolver, resolver) : NULL,
        .unanswered = searching->unanswered,
        .now = clock_utc()};
    init_config_write(&finding, &text);
    int status = check_and_write(path, &text);
    if (!status && path)
        command_say("wrote %s; see what it would watch with: lastlight run --check-config -c %s",
                    path, path);
    buffer_done(&text);
    return status;
}

static int try_and_write(struct searching *searching)
{
    struct init_targets targets = {0};
    struct config config;
    struct why why;
    const char *path = options_get(searching->options, OPTION_CONFIG);
    int status = path ? command_config(path, &config) : EXIT_DONE;
    if (status)
        return status;
    if (!path)
        config = (struct config){0};
    init_targets_make(&targets, &searching->survey);
    if (!options_has(searching->options, OPTION_NO_PROBE) &&
        init_targets_try(&targets, &config, &why))
        status = command_fail(&why);
    if (!status)
        status = write_config(searching, &targets);
    init_targets_done(&targets);
    config_done(&config);
    return status;
}

static int search(struct searching *searching)
{
    struct why why;
    if (read_wishes(searching, &why) || search_names(searching, &why) ||
        search_registries(searching, &why) || search_routes(searching, &why))
        return command_fail(&why);
    return try_and_write(searching);
}

int cmd_init(const struct options *options)
{
    struct searching searching = {.options = options};
    searching.faults = (struct stream_faults){.report = tell_fault, .context = &searching};
    int status = search(&searching);
    survey_done(&searching.survey);
    countries_free(searching.countries);
    free(searching.names);
    arena_done(&searching.arena);
    return status;
}
