#include "app/config/config_reading.h"

#include "sys/host.h"
#include "sys/input.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_LEAST NS_PER_S
#define INTERVAL_MOST NS_PER_DAY
#define TIMEOUT_LEAST (10 * NS_PER_MS)
/* An answer that is waited for longer than the judgement waits (LATENESS_NS) would come too late
 * for it. */
#define TIMEOUT_MOST (10 * NS_PER_S)
enum { COUNT_MOST = 20, TITLE_LONGEST = 400 };

const char *config_keep(struct reading *reading, const char *text)
{
    return arena_copy(&reading->config.arena, text, strlen(text));
}

void config_warn(struct reading *reading, const yaml_node_t *node, const char *format, ...)
{
    struct config *config = &reading->config;
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (config->warning_count == DOCUMENT_FAULTS_MAX)
        return;
    config->warnings = mem_grow(config->warnings, &config->warning_capacity,
                                config->warning_count + 1, sizeof *config->warnings);
    config->warnings[config->warning_count++] =
        arena_printf(&config->arena, "%s:%zu:%zu: %s", reading->document.path,
                     node->start_mark.line + 1, node->start_mark.column + 1, text);
}

bool config_is_new(struct reading *reading, const yaml_node_t *node, enum name_kind kind,
                   const char *text, const char *what)
{
    uint32_t before = registry_count(reading->seen);
    uint32_t id = registry_intern(reading->seen, kind, text, strlen(text));
    if (id > before) {
        size_t old = reading->line_capacity;
        reading->lines =
            mem_grow(reading->lines, &reading->line_capacity, id + 1, sizeof *reading->lines);
        if (reading->line_capacity > old)
            memset(reading->lines + old, 0,
                   (reading->line_capacity - old) * sizeof *reading->lines);
        reading->lines[id] = node->start_mark.line + 1;
        return true;
    }
    document_fault(&reading->document, node, "%s %s is there already, in line %zu", what, text,
                   reading->lines[id]);
    return false;
}

const char *config_keep_path(struct reading *reading, const char *path)
{
    const char *own = reading->document.path;
    const char *slash = strrchr(own, '/');
    if (path[0] == '/' || !slash)
        return config_keep(reading, path);
    return arena_printf(&reading->config.arena, "%.*s%s", (int)(slash - own + 1), own, path);
}

void config_read_pace(struct reading *reading, const yaml_node_t *interval,
                      const yaml_node_t *timeout, const yaml_node_t *count, struct pace *pace)
{
    struct document *document = &reading->document;
    bool fits = true;
    if (interval)
        fits = document_duration(document, interval, "interval", INTERVAL_LEAST, INTERVAL_MOST,
                                 &pace->interval_ns);
    if (timeout) {
        pace->has_timeout = document_duration(document, timeout, "timeout", TIMEOUT_LEAST,
                                              TIMEOUT_MOST, &pace->timeout_ns);
        if (fits && pace->has_timeout && pace->timeout_ns > pace->interval_ns) {
            char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];
            document_fault(document, timeout,
                           "timeout %s is longer than the interval, %s; expected at most that",
                           duration_format(pace->timeout_ns, a),
                           duration_format(pace->interval_ns, b));
        }
    }
    if (pace->timeout_ns > pace->interval_ns) /* one that is only inherited gives way */
        pace->timeout_ns = pace->interval_ns;
    if (count)
        document_number(document, count, "count", 1, COUNT_MOST, &pace->count);
}

static void read_defaults(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *interval = NULL, *timeout = NULL, *count = NULL;
    const struct field fields[] = {
        {"interval", &interval}, {"timeout", &timeout}, {"count", &count}};
    if (document_fields(&reading->document, node, "defaults", fields, 3))
        config_read_pace(reading, interval, timeout, count, &reading->defaults);
    reading->defaults.has_timeout = false; /* each target may have a shorter interval */
}

static void read_vantage(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *name = NULL, *controls = NULL, *ntp = NULL, *control;
    const struct field fields[] = {{"name", &name}, {"controls", &controls}, {"ntp", &ntp}};
    const char *text;
    size_t at = 0;
    if (document_scalar(node)) /* vantage: lon */
        name = node;
    else if (!document_fields(&reading->document, node, "vantage", fields, 3))
        return;
    if (name &&
        document_text(&reading->document, name, "the name of the vantage", CONFIG_NAME_MAX, &text))
        reading->config.vantage = config_keep(reading, text);
    while ((control = document_next(&reading->document, controls, "controls", &at)))
        config_read_target(reading, control, true);
    if (ntp)
        config_read_clocks(reading, ntp);
    if (!reading->config.control_count)
        config_warn(
            reading, node,
            "no controls: without targets that have nothing to do with the subjects, the vantage "
            "cannot tell its own failure from theirs");
}

static void read_contact(struct reading *reading, const yaml_node_t *node)
{
    const char *text;
    if (!document_text(&reading->document, node, "a contact", TITLE_LONGEST, &text))
        return;
    if (strncmp(text, "mailto:", 7) != 0 && strncmp(text, "http://", 7) != 0 &&
        strncmp(text, "https://", 8) != 0) {
        document_fault(
            &reading->document, node,
            "contact: found '%.60s'; expected mailto:ADDRESS or a http:// or https:// URL", text);
        return;
    }
    reading->config.contact = config_keep(reading, text);
}

static void read_subjects(struct reading *reading, const yaml_node_t *node)
{
    const yaml_node_t *subject;
    size_t at = 0;
    while ((subject = document_next(&reading->document, node, "subjects", &at)))
        config_read_subject(reading, subject);
    if (at == 0)
        document_fault(&reading->document, node,
                       "subjects: the list is empty; expected at least one");
}

static void read_all(struct reading *reading)
{
    struct document *document = &reading->document;
    const yaml_node_t *journal = NULL, *contact = NULL, *vantage = NULL, *defaults = NULL,
                      *subjects = NULL, *routes = NULL, *limits = NULL, *exclude = NULL,
                      *allow = NULL, *blocks = NULL, *asn_db = NULL;
    const struct field fields[] = {
        {"journal", &journal}, {"contact", &contact},   {"vantage", &vantage},
        {"limits", &limits},   {"exclude", &exclude},   {"allow", &allow},
        {"routes", &routes},   {"defaults", &defaults}, {"subjects", &subjects},
        {"blocks", &blocks},   {"asn_db", &asn_db}};
    const yaml_node_t *root = document_root(document);
    const char *text;
    if (!document_fields(document, root, "the configuration", fields, 11))
        return;
    if (journal &&
        document_text(document, journal, "the journal's file", CONFIG_PATH_LONGEST, &text))
        reading->config.journal = config_keep_path(reading, text);
    if (asn_db &&
        document_text(document, asn_db, "the database's file", CONFIG_PATH_LONGEST, &text))
        reading->config.asn_db = config_keep_path(reading, text);
    if (contact)
        read_contact(reading, contact);
    config_read_manners(reading, limits, exclude, allow);
    if (defaults)
        read_defaults(reading, defaults);
    if (vantage)
        read_vantage(reading, vantage);
    if (routes)
        config_read_routes(reading, routes);
    config_read_block_settings(reading, blocks);
    if (subjects)
        read_subjects(reading, subjects);
    else
        document_fault(document, root,
                       "the configuration has no 'subjects'; expected a list of what is to "
                       "be watched");
    if (routes)
        config_check_routes(reading, routes);
    config_check_manners(reading, limits ? limits : root);
    config_check_table(reading, routes ? routes : root);
    if (!vantage && (reading->config.plan_count || reading->config.blocks.count))
        config_warn(
            reading, root,
            "no vantage with controls: without targets that have nothing to do with the subjects, "
            "its own failure cannot be told from theirs");
}

static void fill_in(struct reading *reading)
{
    struct config *config = &reading->config;
    char name[HOST_NAME_TEXT_MAX];
    if (!config->vantage)
        config->vantage = config_keep(reading, host_name(name));
    if (!config->journal)
        config->journal = config_keep_path(reading, "lastlight.db");
    config_fill_in_routes(reading);
    config_fill_in_blocks(reading);
    config->watch.prefixes = config->prefixes;
    config->watch.asns = config->asns;
}

static enum err parse(const char *path, const void *bytes, size_t n, bool reads_files,
                      struct config *out, struct buffer *faults, struct why *why)
{
    struct reading reading = {
        .reads_files = reads_files,
        .defaults = {.interval_ns = 30 * NS_PER_S, .timeout_ns = 3 * NS_PER_S, .count = 1}};
    size_t start = faults->size;
    reading.config.path = arena_copy(&reading.config.arena, path, strlen(path));
    reading.seen = registry_new();
    if (document_open(&reading.document, reading.config.path, bytes, n, faults))
        read_all(&reading);
    document_close(&reading.document);
    registry_free(reading.seen);
    free(reading.lines);
    free(reading.members);
    fill_in(&reading);
    if (!reading.document.fault_count) {
        *out = reading.config;
        return ERR_OK;
    }
    config_done(&reading.config);
    const char *first = faults->bytes + start;
    return why_set(why, ERR_CONFIG, "%.*s", (int)strcspn(first, "\n"), first);
}

enum err config_parse(const char *path, const void *bytes, size_t n, struct config *out,
                      struct buffer *faults, struct why *why)
{
    return parse(path, bytes, n, false, out, faults, why);
}

enum err config_read_file(const char *path, size_t most, struct buffer *out, struct why *why)
{
    struct input *input;
    char chunk[16 * 1024];
    size_t n = 1;
    enum err err = input_open(path, &input, why);
    if (err)
        return err;
    while (!err && n && out->size <= most) {
        err = input_read(input, chunk, sizeof chunk, &n, why);
        buffer_add(out, chunk, n);
    }
    input_close(input);
    if (!err && out->size > most)
        err = why_set(why, ERR_LIMIT, "%s: a file of more than %zu bytes is not read", path, most);
    return err;
}

enum err config_load(const char *path, struct config *out, struct buffer *faults, struct why *why)
{
    struct buffer bytes = {0};
    enum err err = config_read_file(path, CONFIG_BYTES_MAX, &bytes, why);
    if (!err)
        err = parse(path, bytes.bytes ? bytes.bytes : "", bytes.size, true, out, faults, why);
    buffer_done(&bytes);
    return err;
}

void config_done(struct config *config)
{
    free(config->plan);
    free(config->subjects);
    free(config->prefixes);
    free(config->asns);
    free(config->archives);
    free(config->bgp.peers);
    free(config->ris_live.hosts);
    free(config->table.countries);
    free(config->blocks.plan);
    free(config->warnings);
    prefix_set_done(&config->manners.excluded);
    prefix_set_done(&config->manners.allowed);
    arena_done(&config->arena);
    *config = (struct config){0};
}

const struct subject_spec *config_find_subject(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->subject_count; i++)
        if (strcmp(config->subjects[i].name, name) == 0)
            return &config->subjects[i];
    return NULL;
}

static bool is_same_member(const struct member_spec *a, const struct member_spec *b)
{
    return a->kind == b->kind && a->interval_ns == b->interval_ns && strcmp(a->text, b->text) == 0;
}

bool config_has_subject(const struct config *config, const struct subject_spec *subject)
{
    const struct subject_spec *mine = config_find_subject(config, subject->name);
    if (!mine || mine->member_count != subject->member_count ||
        mine->utc_offset_s != subject->utc_offset_s ||
        !config_is_same_text(mine->title, subject->title))
        return false;
    for (size_t i = 0; i < mine->member_count; i++)
        if (!is_same_member(&mine->members[i], &subject->members[i]))
            return false;
    return true;
}

void config_user_agent(const struct config *config, struct buffer *out)
{
    const char *contact = config->contact;
    buffer_printf(out, "lastlight/%s%s%s%s", LASTLIGHT_VERSION, contact ? " (+" : "",
                  contact ? contact : "", contact ? ")" : "");
}
