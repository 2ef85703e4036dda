/* Reading a file, or standard input ("-"), decompressed by what it contains and not by its name:
 * gzip (concatenated members too), bzip2 (concatenated streams too), zstd, or plain. */
#ifndef SYS_INPUT_H
#define SYS_INPUT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct input;

enum err input_open(const char *path, struct input **out, struct why *why);
void input_close(struct input *input);

/* The next bytes, up to `capacity`; *n is 0 only at the end. A truncated or damaged compressed file
 * first gives all that could be decompressed, then ERR_CORRUPT (ERR_IO where the file cannot be
 * read) with the file and the offset in it; so does every call after that. */
enum err input_read(struct input *input, void *bytes, size_t capacity, size_t *n, struct why *why);

const char *input_name(const struct input *input);  /* the path; "standard input" for "-" */
uint64_t input_consumed(const struct input *input); /* bytes of the file itself, for progress */
uint64_t input_size(const struct input *input);     /* of the file itself; 0 if not known */

#endif
