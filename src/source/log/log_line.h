/* One line of the observation log (JSON), into observations. A line is read like bytes are with a
 * struct reader: members are taken one after the other, the first thing that is wrong is kept, what
 * is taken after that is 0, and one check at the end suffices. Members that nobody took are
 * unknown: they go into the observation's `extra`, so that an export has them again. */
#ifndef SOURCE_LOG_LOG_LINE_H
#define SOURCE_LOG_LOG_LINE_H

#include "base/err.h"
#include "model/observation.h"
#include "model/registry.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { LOG_FORMAT_VERSION = 1 };

enum log_member {
#define LOG_MEMBER(constant, name) LOG_##constant,
#include "source/log/log_members.def"
#undef LOG_MEMBER
    LOG_MEMBER_COUNT
};

/* What a line came to, in order; a meta line is several observations. */
struct log_queue {
    struct observation *list;
    size_t count, capacity, next;
};
void log_queue_push(struct log_queue *queue, const struct observation *observation);

/* Reads one line without its line end. ERR_INPUT: bad, to be skipped. ERR_VERSION: nothing after it
 * can be understood either. `why` names the member, what was expected and what was found. */
enum err log_line_read(const char *text, size_t n, struct registry *registry,
                       struct log_queue *queue, struct why *why);

/* Below: for the readers of members. */
struct log_line {
    struct registry *registry;
    json_t *object;
    json_t *members[LOG_MEMBER_COUNT];
    uint64_t taken; /* a bit each */
    struct why *why;
    bool is_bad;
};

/* The longest texts. A line that exceeds one is bad. */
enum { LOG_NAME_MAX = 255, LOG_TEXT_MAX = 4096, LOG_EXTRA_MAX = 64 * 1024 };

void log_line_fail(struct log_line *line, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
json_t *log_line_take(struct log_line *line, enum log_member member); /* NULL if absent */
int64_t log_line_integer(struct log_line *line, enum log_member member, int64_t low, int64_t high);
bool log_line_flag(struct log_line *line, enum log_member member); /* false if absent */
struct utc log_line_time(struct log_line *line, enum log_member member);
/* A text of 1 to `longest` bytes without control characters. NULL if absent. */
const char *log_line_text(struct log_line *line, enum log_member member, size_t longest);
/* Its number in the registry; 0 if absent. */
uint32_t log_line_name(struct log_line *line, enum log_member member, enum name_kind kind);

/* True for a text of 1 to `longest` bytes without control characters. */
bool log_is_text(const json_t *value, size_t longest);

/* log_subject.c: a meta line. */
void log_subject_read(struct log_line *line, struct log_queue *queue);
/* log_probe.c: what is particular to probes. */
void log_probe_read(struct log_line *line, struct observation *out);

#endif
