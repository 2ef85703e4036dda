/* A YAML file whose every value knows its line and column, read with the errors that people make in
 * mind. Faults are collected, not only the first told: each is one line "FILE:LINE:COLUMN: what was
 * found, what was expected".
 *
 *     struct document document;
 *     document_open(&document, path, bytes, n, &faults);
 *     struct field fields[] = {{"journal", &journal}, ...};
 *     document_fields(&document, document_root(&document), "the configuration", fields, 6);
 *     ... document_text(), document_duration() ... each adds a fault and returns false if it does
 * not fit document_close(&document);
 *
 * Nodes and texts live until document_close(). YAML's own idea of types is not followed: `no` and
 * `yes` are never booleans here, and are refused as names, so that nobody's Norway becomes false.
 */
#ifndef APP_CONFIG_DOCUMENT_H
#define APP_CONFIG_DOCUMENT_H

#include "base/buffer.h"
#include "base/utc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

enum { DOCUMENT_FAULTS_MAX = 20 /* told; all are counted */ };

struct document {
    const char *path;
    struct buffer *faults;
    unsigned fault_count;
    yaml_document_t yaml;
    bool is_open;
};

/* False if it is not YAML, with the fault. The document must be closed in any case. */
bool document_open(struct document *document, const char *path, const void *bytes, size_t n,
                   struct buffer *faults);
void document_close(struct document *document); /* adds "and N more" where faults were not told */

/* NULL if the file is empty. */
const yaml_node_t *document_root(struct document *document);

void document_fault(struct document *document, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a node is, for "found ...": "a list", "'abc'", "nothing". Returns buffer. */
#define DOCUMENT_SHOWN_MAX 80
const char *document_show(const yaml_node_t *node, char buffer[DOCUMENT_SHOWN_MAX]);

struct field {
    const char *key;
    const yaml_node_t **out; /* stays NULL where the key is missing */
};
/* Takes a mapping apart. Unknown and doubled keys are faults. */
bool document_fields(struct document *document, const yaml_node_t *node, const char *what,
                     const struct field *fields, size_t count);

/* Elements of a list, one after the other: start with *at = 0; NULL at the end. Anything but a list
 * is a fault. */
const yaml_node_t *document_next(struct document *document, const yaml_node_t *list,
                                 const char *what, size_t *at);

/* A scalar's text without further ado: NULL, and no fault, if it is not a scalar or is empty. */
const char *document_scalar(const yaml_node_t *node);
bool document_is_mapping(const yaml_node_t *node);

/* A name or other text. Words that other YAML readers take for false, true or null must be quoted.
 */
bool document_text(struct document *document, const yaml_node_t *node, const char *what,
                   size_t longest, const char **out);
bool document_duration(struct document *document, const yaml_node_t *node, const char *what,
                       int64_t least_ns, int64_t most_ns, int64_t *out);
bool document_number(struct document *document, const yaml_node_t *node, const char *what,
                     uint32_t least, uint32_t most, uint32_t *out);

#endif
