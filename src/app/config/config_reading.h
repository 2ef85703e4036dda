/* Within config*.c: what is known while a configuration is being read. */
#ifndef APP_CONFIG_CONFIG_READING_H
#define APP_CONFIG_CONFIG_READING_H

#include "app/config/config.h"
#include "app/config/document.h"
#include "source/origins/countries.h"

/* How a target is asked. `has_timeout`: it was written there, and not only filled in. */
struct pace {
    int64_t interval_ns;
    int64_t timeout_ns;
    uint32_t count;
    bool has_timeout;
};

enum { CONFIG_PATH_LONGEST = 4096 };

struct reading {
    struct document document;
    bool reads_files; /* that the configuration names */
    struct config config;
    struct pace defaults;
    struct registry *seen; /* targets, controls, prefixes, subjects so far */
    size_t *lines;         /* of each of them, by its number */
    size_t line_capacity;
    struct member_spec *members; /* of the subject being read */
    size_t member_count, member_capacity;
    struct countries *countries; /* NULL: not yet wanted */
};

/* A file that the configuration names, or itself: ERR_LIMIT if it is longer than `most` bytes. */
enum err config_read_file(const char *path, size_t most, struct buffer *out, struct why *why);

/* Each reads its part of the file and adds faults to the document. */
void config_read_pace(struct reading *reading, const yaml_node_t *interval,
                      const yaml_node_t *timeout, const yaml_node_t *count, struct pace *pace);
void config_read_target(struct reading *reading, const yaml_node_t *node, bool is_control);
/* A zone of a subject, which makes a target. */
void config_read_zone(struct reading *reading, const yaml_node_t *node);
/* Adds to the subject that is being read, and to what is asked. */
void config_add_member(struct reading *reading, const yaml_node_t *node, enum name_kind kind,
                       const char *text, int64_t interval_ns);
void config_add_plan(struct reading *reading, const yaml_node_t *node,
                     const struct probe_plan *plan, const struct target *target);
void config_read_subject(struct reading *reading, const yaml_node_t *node);
/* Whole networks: how, before the subjects; those of a subject; and after all else was read. */
void config_read_block_settings(struct reading *reading, const yaml_node_t *node);
void config_read_blocks(struct reading *reading, const yaml_node_t *list);
void config_fill_in_blocks(struct reading *reading);
/* Before the targets; all of them may be NULL. */
void config_read_manners(struct reading *reading, const yaml_node_t *limits,
                         const yaml_node_t *exclude, const yaml_node_t *allow);
/* False, with a fault, if the target is an address that is excluded. */
bool config_may_ask(struct reading *reading, const yaml_node_t *node, const struct target *target);
/* After all targets: whether the limits hold them back. */
void config_check_manners(struct reading *reading, const yaml_node_t *node);
void config_read_clocks(struct reading *reading, const yaml_node_t *list);
void config_read_routes(struct reading *reading, const yaml_node_t *node);
/* After all else was read: what only the whole shows about the routes, and what is not written. */
void config_check_routes(struct reading *reading, const yaml_node_t *node);
void config_fill_in_routes(struct reading *reading);

void config_read_archives(struct reading *reading, const yaml_node_t *node);

void config_read_ris_live(struct reading *reading, const yaml_node_t *node);
void config_check_ris_live(struct reading *reading, const yaml_node_t *node);
void config_fill_in_ris_live(struct reading *reading);

void config_read_table(struct reading *reading, const yaml_node_t *node);
void config_check_table(struct reading *reading, const yaml_node_t *node);

/* A copy that lives as long as the configuration. */
const char *config_keep(struct reading *reading, const char *text);
/* The same for a path, which is meant from where the file lies. */
const char *config_keep_path(struct reading *reading, const char *path);
void config_warn(struct reading *reading, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Remembers a name; if it was there before, adds a fault that says where, and returns false. */
bool config_is_new(struct reading *reading, const yaml_node_t *node, enum name_kind kind,
                   const char *text, const char *what);

/* NULL is the same as NULL only. */
bool config_is_same_text(const char *a, const char *b);

#endif
