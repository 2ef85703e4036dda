/* Parts of the observation log's writer, shared between its files (log.c, log_line.c, log_meta.c).
 */
#ifndef OUT_LOG_LINE_H
#define OUT_LOG_LINE_H

#include "base/buffer.h"
#include "model/observation.h"
#include "model/registry.h"

#include <stddef.h>

/* The version that log_line_meta() writes. */
enum { LOG_LINE_VERSION = 1 };

/* {"type":"...","time":"..." and the end, with the members that the reader did not know. */
void log_line_begin(struct buffer *out, const char *type, struct utc time);
void log_line_end(struct buffer *out, const char *extra);

/* A SUBJECT and the MEMBERs that follow it as one line. */
void log_line_meta(const struct registry *registry, const struct observation *subject,
                   const struct observation *members, size_t count, struct buffer *out);

#endif
