/* The archives that are read in first: files, folders and URLs, or those that a collector has on the web. */
#include "app/config/config_reading.h"

#include "app/archives.h"
#include "source/paths.h"
#include "sys/cache_file.h"

#include <string.h>

static void add(struct config *config, const char *path)
{
    config->archives = mem_grow(config->archives, &config->archive_capacity,
                                config->archive_count + 1, sizeof *config->archives);
    config->archives[config->archive_count++] = path;
}

static void read_archive(struct reading *reading, const yaml_node_t *node)
{
    const char *text;
    char place[CACHE_PATH_MAX];
    struct why why;
    if (!document_text(&reading->document, node, "a file, a folder or a URL", CONFIG_PATH_LONGEST,
                       &text))
        return;
    if (!path_is_url(text) && strstr(text, "://"))
        document_fault(&reading->document, node,
                       "archives: found '%.80s'; expected a file, a folder, or a http:// or "
                       "https:// URL",
                       text);
    else if (!path_is_url(text))
        add(&reading->config, config_keep_path(reading, text));
    else if (cache_file_path(".", text, place, &why))
        document_fault(&reading->document, node, "archives: %s", why.text);
    else
        add(&reading->config, config_keep(reading, text));
}

/* False, with a fault, if it is no time. */
static bool read_time(struct reading *reading, const yaml_node_t *node, const char *key,
                      struct utc *out)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    if (text && archives_parse_time(text, out))
        return true;
    document_fault(&reading->document, node,
                   "%s: found %s; expected a time such as 2022-02-07T05:30:00Z, or seconds since "
                   "1970",
                   key, document_show(node, shown));
    return false;
}

static void read_times(struct reading *reading, const yaml_node_t *from, const yaml_node_t *until)
{
    struct archive_span *span = &reading->config.archive_span;
    bool is_good = read_time(reading, from, "from", &span->from);
    if (!read_time(reading, until, "until", &span->until) || !is_good)
        return;
    if (span->until.ns <= span->from.ns)
        document_fault(&reading->document, until, "until: found '%s'; expected a time after 'from'",
                       document_scalar(until));
}

/* Whose archives, and where; together they must be a place. */
static void read_place(struct reading *reading, const yaml_node_t *collector,
                       const yaml_node_t *site)
{
    struct archive_span *span = &reading->config.archive_span;
    struct collector_site place;
    const char *name, *url = NULL;
    struct why why;
    if (!document_text(&reading->document, collector, "the name of a collector",
                       CONFIG_PATH_LONGEST, &name) ||
        (site && !document_text(&reading->document, site, "the URL of a mirror",
                                CONFIG_PATH_LONGEST, &url)))
        return;
    bool is_known = !collector_site_init(&place, name, NULL, &why);
    if (!is_known || collector_site_init(&place, name, url, &why)) {
        document_fault(&reading->document, is_known ? site : collector, "archives: %s", why.text);
        return;
    }
    span->collector = config_keep(reading, name);
    span->site = url ? config_keep(reading, url) : NULL;
}

static void read_rib(struct reading *reading, const yaml_node_t *node)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *word = document_scalar(node);
    reading->config.archive_span.with_table = word && strcmp(word, "yes") == 0;
    if (!word || (strcmp(word, "yes") != 0 && strcmp(word, "no") != 0))
        document_fault(&reading->document, node, "rib: found %s; expected yes or no",
                       document_show(node, shown));
}

static void read_span(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *collector = NULL, *from = NULL, *until = NULL, *rib = NULL, *site = NULL;
    const struct field fields[] = {{"collector", &collector},
                                   {"from", &from},
                                   {"until", &until},
                                   {"rib", &rib},
                                   {"site", &site}};
    if (!document_fields(&reading->document, node, "archives", fields, 5))
        return;
    if (!collector || !from || !until) {
        document_fault(&reading->document, node,
                       "archives has no '%s'; expected collector, from and until, or a list of "
                       "files, folders and URLs",
                       !collector ? "collector"
                       : !from    ? "from"
                                  : "until");
        return;
    }
    read_place(reading, collector, site);
    read_times(reading, from, until);
    if (rib)
        read_rib(reading, rib);
}

void config_read_archives(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *archive;
    size_t at = 0;
    if (document_is_mapping(node)) {
        read_span(reading, node);
        return;
    }
    while ((archive = document_next(&reading->document, node, "archives", &at)))
        read_archive(reading, archive);
}
