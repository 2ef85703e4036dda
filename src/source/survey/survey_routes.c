#include "source/survey/survey_routes.h"

#include "source/table/route_table.h"

struct looking {
    struct survey *survey;
    struct route_table *table;
    struct route_files *files;
    struct utc last;
    void (*progress)(void *context, uint64_t done, uint64_t total, uint64_t elements);
    void *context;
};

static void take(void *context, const struct element *element)
{
    struct looking *looking = context;
    if (element->time.ns > looking->last.ns)
        looking->last = element->time;
    route_table_feed(looking->table, route_files_current(looking->files)->collector_number,
                     element);
}

static void show(void *context, uint64_t done, uint64_t total, uint64_t elements)
{
    struct looking *looking = context;
    if (looking->progress)
        looking->progress(looking->context, done, total, elements);
}

static enum err read_all(struct looking *looking, const struct route_files_options *files,
                         struct stream_faults *faults, struct why *why)
{
    struct route_files_options options = *files;
    looking->progress = files->progress;
    looking->context = files->context;
    options.take = take;
    options.progress = show;
    options.context = looking;
    enum err err = route_files_open(&options, faults, &looking->files, why);
    if (err)
        return err;
    err = route_files_run(looking->files, why);
    route_files_free(looking->files);
    route_table_flush(looking->table);
    route_table_judge(looking->table, utc_add(looking->last, NS_PER_HOUR));
    return err;
}

/* A default route is nobody's. */
static bool look(const struct looking *looking, struct table_row row, struct survey_prefix *out)
{
    struct table_view view;
    *out = (struct survey_prefix){.prefix = route_table_prefix(looking->table, row)};
    route_table_view(looking->table, row, &view);
    if (!out->prefix.bits || !view.sight.carried || !view.origin_count)
        return false;
    out->origin = view.origins[0].asn;
    out->peers = view.sight.carried;
    out->peers_total = route_table_full_feeds(looking->table, row.family);
    return true;
}

static struct table_row next_of(const struct route_table *table, struct table_row row)
{
    row = route_table_next(table, row);
    return row.row || row.family == 6 ? row : route_table_next(table, (struct table_row){0, 6});
}

/* The country's ASes that originate something: of those that are only registered, most announce nothing. */
static void find_origins(struct looking *looking, const struct countries *countries,
                         struct country country)
{
    struct table_row row = {0, 4};
    struct survey_prefix prefix;
    while ((row = next_of(looking->table, row)).row) {
        if (!look(looking, row, &prefix))
            continue;
        bool is_of_country =
            countries && country_is(countries_of_asn(countries, prefix.origin), country);
        if (!is_of_country && !survey_find_asn(looking->survey, prefix.origin))
            continue;
        struct survey_asn *as = survey_add_asn(looking->survey, prefix.origin, SURVEY_ROUTES);
        if (as)
            as->prefixes++;
        prefix.sources = SURVEY_ROUTES;
        survey_add_prefix(looking->survey, &prefix);
    }
}

/* The most specific prefix that an address is in; row 0 if there is none. */
static struct table_row row_of(const struct looking *looking, const struct addr *addr)
{
    struct table_row row = {0};
    struct survey_prefix found;
    for (unsigned bits = addr_bits(addr); bits && !row.row; bits--) {
        struct prefix prefix = prefix_of(addr, bits);
        row = route_table_find(looking->table, &prefix);
        if (row.row && !look(looking, row, &found))
            row.row = 0;
    }
    return row;
}

static void find_hosts(struct looking *looking)
{
    struct survey *survey = looking->survey;
    struct survey_prefix prefix;
    for (size_t i = 0; i < survey->host_count; i++) {
        for (size_t k = 0; k < survey->hosts[i].addr_count; k++) {
            struct table_row row = row_of(looking, &survey->hosts[i].addrs[k]);
            if (!row.row || !look(looking, row, &prefix))
                continue;
            prefix.sources = SURVEY_HAS_HOST;
            survey_add_prefix(survey, &prefix);
            survey_add_asn(survey, prefix.origin, SURVEY_HAS_HOST);
        }
    }
}

/* Prefixes that the registries delegated, and that are announced just so. */
static void mark_delegated(struct looking *looking)
{
    struct survey *survey = looking->survey;
    struct survey_prefix found;
    for (size_t i = 0; i < survey->prefix_count; i++) {
        struct survey_prefix *prefix = &survey->prefixes[i];
        struct table_row row = route_table_find(looking->table, &prefix->prefix);
        if (!row.row || !look(looking, row, &found))
            continue;
        found.sources = prefix->sources;
        *prefix = found;
    }
}

enum err survey_routes(struct survey *survey, const struct route_files_options *files,
                       const struct countries *countries, struct country country,
                       struct stream_faults *faults, struct why *why)
{
    struct looking looking = {.survey = survey,
                              .table = route_table_new(&(struct route_table_options){0})};
    enum err err = read_all(&looking, files, faults, why);
    if (!err || err == ERR_INPUT) {
        mark_delegated(&looking);
        find_origins(&looking, countries, country);
        find_hosts(&looking);
        survey_sort(survey);
    }
    route_table_free(looking.table);
    return err;
}
