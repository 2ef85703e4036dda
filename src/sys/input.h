/* Reading a file, or standard input ("-"), decompressed by what it contains and not by its name:
 * gzip, bzip2, zstd or xz, each also as several members, streams or frames one after the other and
 * with zero bytes behind them, or plain.
 *
 *     input_open(path, &input, &why)
 *     while (!(err = input_read(input, bytes, capacity, &n, &why)) && n > 0) ...
 *     input_close(input)
 *
 * A compressed file is decompressed ahead of its reader from when it is opened, within bounds: 1 MiB of text
 * for zstd, xz and a gzip file of one member. The blocks of bzip2, each of less than 1 MB (sys/unbzip2.h), and
 * the members of gzip, 3 MiB of text of each (sys/ahead.h), are decoded side by side on all cores
 * (sys/pool.h). So opening the next file early means that it is ready when it is needed.
 * Small files (plain ones of a few MB, compressed ones of up to INTAKE_FIRST bytes) and plain pipes are
 * read by the calling thread alone. Several threads may read, each its own input.
 *
 * Measured with every byte looked at, on two cores, in turns, best of five (bench read): a day of UPDATEs
 * of Route Views, 255 MB, from .bz2 in 0.80 s (lbzip2 1.77), as 95 .bz2 files with three opened early in
 * 0.83 s (lbzip2 2.02), from .gz in 0.21 s (igzip 0.19), .zst 0.23 s (zstd 0.24), .xz 1.2 s (xz 1.2). */
#ifndef SYS_INPUT_H
#define SYS_INPUT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input;

enum { INPUT_LOOK = 64 * 1024 };

enum err input_open(const char *path, struct input **out, struct why *why);
/* For who will perhaps only look at the beginning: nothing is decompressed ahead, and no thread is
 * started, before INPUT_LOOK bytes were read. */
enum err input_open_to_look(const char *path, struct input **out, struct why *why);
/* At any time; what was being decompressed is thrown away. */
void input_close(struct input *input);

/* To follow what comes in by a pipe that is not compressed; of anything else it does nothing. Whenever the
 * pipe is empty `wait` is called before it is waited for; false: it is not to be. Then, and where the
 * program is interrupted meanwhile (sys/interrupt.h), reading fails with ERR_CLOSED. */
void input_on_wait(struct input *input, bool (*wait)(void *context), void *context);

/* The next bytes, up to `capacity`; *n is 0 only at the end. A truncated or damaged compressed file
 * first gives all that could be decompressed, then ERR_CORRUPT (ERR_IO where the file cannot be read,
 * ERR_LIMIT where it would take too much memory) with the file and the offset in it; so does every
 * call after that. Of a bzip2 file whole blocks are given, or nothing of them. */
enum err input_read(struct input *input, void *bytes, size_t capacity, size_t *n, struct why *why);

/* Goes on to fill `capacity` bytes, of which the first n are there already; how many are there then: fewer only
 * at the end, or where it is damaged, which shows again when more is read. */
size_t input_fill(struct input *input, void *bytes, size_t n, size_t capacity);

const char *input_name(const struct input *input); /* the path; "standard input" for "-" */
/* Of the file itself, for progress: bytes as far as the reader has come, about, and all; the latter is 0
 * if it is not known. */
uint64_t input_consumed(const struct input *input);
uint64_t input_size(const struct input *input);

#endif
