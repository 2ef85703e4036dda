/* JSON values as text, always the same for the same value: what a log's reader keeps of members
 * that it does not know. Reading the text and writing it again gives the same bytes. */
#ifndef SOURCE_LOG_LOG_JSON_H
#define SOURCE_LOG_LOG_JSON_H

#include "base/buffer.h"

#include <jansson.h>

/* Compact, members in their order, real numbers with as few digits as keep them. */
void log_json_write(const json_t *value, struct buffer *out);

/* The value for a message: its text, cut to what a line can hold, unprintable bytes shown as '?'.
 */
#define LOG_JSON_SHOWN_MAX 80
const char *log_json_show(const json_t *value, char buffer[LOG_JSON_SHOWN_MAX]);

#endif
