#include "app/config/document.h"

#include "app/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_fault(struct document *document, size_t line, size_t column, const char *format,
                      va_list args)
{
    if (document->fault_count++ >= DOCUMENT_FAULTS_MAX)
        return;
    char text[640];
    vsnprintf(text, sizeof text, format, args);
    buffer_printf(document->faults, "%s:%zu:%zu: %s\n", document->path, line + 1, column + 1, text);
}

void document_fault(struct document *document, const yaml_node_t *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_fault(document, node ? node->start_mark.line : 0, node ? node->start_mark.column : 0,
              format, args);
    va_end(args);
}

static void fault_at(struct document *document, const yaml_mark_t *mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fault_at(struct document *document, const yaml_mark_t *mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_fault(document, mark->line, mark->column, format, args);
    va_end(args);
}

static void yaml_fault(struct document *document, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "out of memory";
    if (parser->error == YAML_READER_ERROR) /* it knows only the byte */
        fault_at(document, &parser->mark, "not YAML in UTF-8: %s (byte %zu)", problem,
                 parser->problem_offset);
    else if (parser->context)
        fault_at(document, &parser->problem_mark, "not YAML: %s %s (line %zu)", problem,
                 parser->context, parser->context_mark.line + 1);
    else
        fault_at(document, &parser->problem_mark, "not YAML: %s", problem);
}

/* A second document in the same file would be passed over in silence. */
static void check_single(struct document *document, yaml_parser_t *parser)
{
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) {
        yaml_fault(document, parser);
        return;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    if (root)
        document_fault(document, root, "found a second document after '---'; expected one");
    yaml_document_delete(&second);
}

/* libyaml takes time by the square of the depth, so that a file of nothing but brackets would hold
 * us up for hours. No sane file nests deeper than this, not even by the brackets in its comments.
 */
enum { DEPTH_MAX = 1000 };

static bool is_shallow(struct document *document, const char *bytes, size_t n)
{
    yaml_mark_t at = {0};
    unsigned depth = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_line = bytes[i] == '\n';
        depth += bytes[i] == '[' || bytes[i] == '{';
        depth -= depth > 0 && (bytes[i] == ']' || bytes[i] == '}');
        if (depth > DEPTH_MAX) {
            fault_at(document, &at, "nested deeper than %d brackets; expected at most four",
                     DEPTH_MAX);
            return false;
        }
        at.line += is_line;
        at.column = is_line ? 0 : at.column + 1;
    }
    return true;
}

bool document_open(struct document *document, const char *path, const void *bytes, size_t n,
                   struct buffer *faults)
{
    *document = (struct document){.path = path, .faults = faults};
    if (!is_shallow(document, bytes, n))
        return false;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, bytes, n);
    document->is_open = yaml_parser_load(&parser, &document->yaml) != 0;
    if (!document->is_open)
        yaml_fault(document, &parser);
    else if (yaml_document_get_root_node(&document->yaml))
        check_single(document, &parser);
    yaml_parser_delete(&parser);
    return document->is_open;
}

void document_close(struct document *document)
{
    if (document->fault_count > DOCUMENT_FAULTS_MAX)
        buffer_printf(document->faults, "%s: and %u more\n", document->path,
                      document->fault_count - DOCUMENT_FAULTS_MAX);
    if (document->is_open)
        yaml_document_delete(&document->yaml);
    document->is_open = false;
}

const yaml_node_t *document_root(struct document *document)
{
    return yaml_document_get_root_node(&document->yaml);
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

const char *document_show(const yaml_node_t *node, char buffer[DOCUMENT_SHOWN_MAX])
{
    if (node->type == YAML_SEQUENCE_NODE)
        return "a list";
    if (node->type == YAML_MAPPING_NODE)
        return "a mapping";
    if (node->type != YAML_SCALAR_NODE || !node->data.scalar.length)
        return "nothing";
    int n = node->data.scalar.length > 60 ? 57 : (int)node->data.scalar.length;
    snprintf(buffer, DOCUMENT_SHOWN_MAX, "'%.*s%s'", n, text_of(node), n == 57 ? "..." : "");
    for (char *at = buffer; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    return buffer;
}

static const yaml_node_t *node_of(struct document *document, int index)
{
    return yaml_document_get_node(&document->yaml, index);
}

static void unknown_key(struct document *document, const yaml_node_t *key, const char *what,
                        const struct field *fields, size_t count)
{
    char shown[DOCUMENT_SHOWN_MAX];
    document_show(key, shown);
    struct suggestion suggestion = suggestion_for(text_of(key), key->data.scalar.length);
    for (size_t i = 0; i < count; i++)
        suggestion_consider(&suggestion, fields[i].key);
    if (suggestion.best) {
        document_fault(document, key, "%s has no key %s; did you mean '%s'?", what, shown,
                       suggestion.best);
        return;
    }
    struct buffer known = {0};
    for (size_t i = 0; i < count; i++)
        buffer_printf(&known, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", fields[i].key);
    document_fault(document, key, "%s has no key %s; expected %s", what, shown, known.bytes);
    buffer_done(&known);
}

static void take_field(struct document *document, const yaml_node_t *key, const yaml_node_t *value,
                       const char *what, const struct field *fields, size_t count)
{
    char shown[DOCUMENT_SHOWN_MAX];
    if (key->type != YAML_SCALAR_NODE || !key->data.scalar.length) {
        document_fault(document, key, "found %s as a key of %s", document_show(key, shown), what);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, text_of(key)) != 0)
            continue;
        if (*fields[i].out)
            document_fault(document, key, "%s has the key '%s' twice", what, fields[i].key);
        *fields[i].out = value;
        return;
    }
    unknown_key(document, key, what, fields, count);
}

bool document_fields(struct document *document, const yaml_node_t *node, const char *what,
                     const struct field *fields, size_t count)
{
    char shown[DOCUMENT_SHOWN_MAX];
    if (!node || node->type != YAML_MAPPING_NODE) {
        document_fault(document, node,
                       "found %s where %s begins; expected a mapping of keys (KEY: VALUE)",
                       node ? document_show(node, shown) : "nothing", what);
        return false;
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        take_field(document, node_of(document, pair->key), node_of(document, pair->value), what,
                   fields, count);
    return true;
}

const yaml_node_t *document_next(struct document *document, const yaml_node_t *list,
                                 const char *what, size_t *at)
{
    char shown[DOCUMENT_SHOWN_MAX];
    if (!list)
        return NULL;
    if (list->type != YAML_SEQUENCE_NODE) {
        if ((*at)++ == 0)
            document_fault(
                document, list,
                "%s: found %s; expected a list, as in [a, b] or lines that begin with '- '", what,
                document_show(list, shown));
        return NULL;
    }
    const yaml_node_item_t *start = list->data.sequence.items.start;
    if (start + *at >= list->data.sequence.items.top)
        return NULL;
    return node_of(document, start[(*at)++]);
}

const char *document_scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length ? text_of(node) : NULL;
}

bool document_is_mapping(const yaml_node_t *node)
{
    return node->type == YAML_MAPPING_NODE;
}

/* What YAML 1.1 readers take for something else than a text when it is not quoted: boolean and null
 * (https://yaml.org/type/bool.html, null.html). NULL if it is none of these. */
static const char *disguise(const yaml_node_t *node)
{
    static const char *const no[] = {"n", "no", "off", "false"};
    static const char *const yes[] = {"y", "yes", "on", "true"};
    if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return NULL;
    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(text_of(node), no[i]) == 0)
            return "false";
        if (strcasecmp(text_of(node), yes[i]) == 0)
            return "true";
    }
    if (strcasecmp(text_of(node), "null") == 0 || strcmp(text_of(node), "~") == 0)
        return "nothing";
    return NULL;
}

bool document_text(struct document *document, const yaml_node_t *node, const char *what,
                   size_t longest, const char **out)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    if (!text) {
        document_fault(document, node, "found %s; expected %s", document_show(node, shown), what);
        return false;
    }
    const char *meaning = disguise(node);
    if (meaning) {
        document_fault(document, node,
                       "found %s without quotes, which means %s in YAML; expected %s: write \"%s\"",
                       document_show(node, shown), meaning, what, text);
        return false;
    }
    for (size_t i = 0; i < node->data.scalar.length; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            document_fault(document, node, "%s holds a control character", what);
            return false;
        }
    }
    if (node->data.scalar.length > longest) {
        document_fault(document, node, "%s is longer than %zu bytes", what, longest);
        return false;
    }
    *out = text;
    return true;
}

bool document_duration(struct document *document, const yaml_node_t *node, const char *what,
                       int64_t least_ns, int64_t most_ns, int64_t *out)
{
    char shown[DOCUMENT_SHOWN_MAX], least[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];
    const char *text = document_scalar(node);
    int64_t ns;
    if (!text || !duration_parse(text, &ns)) {
        document_fault(document, node,
                       "%s: found %s; expected a duration with its unit, such as 500ms, 30s or 5m",
                       what, document_show(node, shown));
        return false;
    }
    if (ns < least_ns || ns > most_ns) {
        document_fault(document, node, "%s: found %s; expected %s to %s", what,
                       document_show(node, shown), duration_format(least_ns, least),
                       duration_format(most_ns, most));
        return false;
    }
    *out = ns;
    return true;
}

bool document_number(struct document *document, const yaml_node_t *node, const char *what,
                     uint32_t least, uint32_t most, uint32_t *out)
{
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    size_t digits = text ? strspn(text, "0123456789") : 0;
    unsigned long long value = digits && digits <= 10 ? strtoull(text, NULL, 10) : 0;
    if (!digits || digits > 10 || digits != node->data.scalar.length || value < least ||
        value > most) {
        document_fault(document, node, "%s: found %s; expected a whole number from %u to %u", what,
                       document_show(node, shown), least, most);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}
