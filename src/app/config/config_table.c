/* The whole table: whether it is kept, and which country its parts are of. */
#include "app/config/config_reading.h"

#include "source/paths.h"
#include "sys/input.h"

#include <string.h>

/* What cannot be opened is a fault here; what stands in it shows when it is loaded. */
static void check_files(struct reading *reading, const yaml_node_t *node, const char *path)
{
    struct paths paths;
    struct why why;
    enum err err = paths_gather(&path, 1, &paths, &why);
    if (err) {
        document_fault(&reading->document, node, "countries: %s", why.text);
        return;
    }
    for (size_t i = 0; i < paths.count && !err; i++) {
        struct input *input;
        err = input_open_to_look(paths.list[i].path, &input, &why);
        if (!err)
            input_close(input);
    }
    if (err)
        document_fault(&reading->document, node, "countries: %s", why.text);
    paths_done(&paths);
}

static void read_files(struct reading *reading, const yaml_node_t *list)
{
    struct table_config *table = &reading->config.table;
    const yaml_node_t *node;
    const char *text;
    size_t at = 0;
    while ((node = document_next(&reading->document, list, "countries", &at))) {
        if (!document_text(&reading->document, node, "a file or folder", CONFIG_PATH_LONGEST,
                           &text))
            continue;
        const char *path = config_keep_path(reading, text);
        table->countries = mem_grow(table->countries, &table->country_capacity,
                                    table->country_count + 1, sizeof *table->countries);
        table->countries[table->country_count++] = path;
        if (reading->reads_files)
            check_files(reading, node, path);
    }
    if (at == 0)
        document_fault(&reading->document, list,
                       "countries: the list is empty; expected delegated files of the registries, "
                       "or a MaxMind database, or no list");
}

void config_read_table(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *countries = NULL;
    const struct field fields[] = {{"countries", &countries}};
    const char *word = document_scalar(node);
    char shown[DOCUMENT_SHOWN_MAX];
    if (word && strcmp(word, "no") == 0)
        return;
    reading->config.table.is_wanted = true;
    if (word && strcmp(word, "yes") == 0)
        return;
    if (!document_is_mapping(node)) {
        document_fault(&reading->document, node,
                       "whole_table: found %s; expected yes, no, or {countries: [FILE]}",
                       document_show(node, shown));
        return;
    }
    if (document_fields(&reading->document, node, "whole_table", fields, 1) && countries)
        read_files(reading, countries);
}

static const struct subject_spec *find_country(const struct config *config)
{
    for (size_t i = 0; i < config->subject_count; i++)
        for (size_t k = 0; k < config->subjects[i].member_count; k++)
            if (config->subjects[i].members[k].kind == NAME_COUNTRY)
                return &config->subjects[i];
    return NULL;
}

void config_check_table(struct reading *reading, const yaml_node_t *node)
{
    const struct config *config = &reading->config;
    const struct subject_spec *subject = find_country(config);
    bool is_told =
        config->archive_count || config->bmp || config->bgp.listen || config->ris_live.is_wanted;
    if (subject && !config->table.country_count)
        config_warn(reading, node,
                    "subject %s has countries, of which nothing is counted: that needs routes: "
                    "{whole_table: {countries: [FILE]}}",
                    subject->name);
    if (config->table.is_wanted && !is_told)
        config_warn(reading, node,
                    "the whole table is to be kept, and nobody tells it: that needs archives, bmp, "
                    "bgp or ris_live");
}

bool config_has_same_table(const struct config *a, const struct config *b)
{
    const struct table_config *x = &a->table, *y = &b->table;
    if (x->is_wanted != y->is_wanted || x->country_count != y->country_count)
        return false;
    for (size_t i = 0; i < x->country_count; i++)
        if (strcmp(x->countries[i], y->countries[i]) != 0)
            return false;
    return true;
}
