/* Writing a result: to standard output ("-") or to a file, where every byte is checked, so that a
 * full disk or a reader that went away is noticed. A file that ends in .gz or .zst is compressed. A
 * regular file is written beside its place and moved there by output_close(): nobody ever sees half
 * of it. A database is never written over: the journal itself may have been named by mistake.
 *
 *     output_open(path, &output, &why) ... output_write(output, bytes, n, &why)
 *     output_close(output, err, &why)
 *
 * ERR_CLOSED means that the reader of a pipe went away, which is his right: end quietly. */
#ifndef SYS_OUTPUT_H
#define SYS_OUTPUT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct output;

enum err output_open(const char *path, struct output **out, struct why *why);
enum err output_write(struct output *output, const void *bytes, size_t n, struct why *why);
/* Finishes what was written and frees the output, whatever happens. If `err` says that writing it
 * failed, a file is not put in its place, and `err` is returned. */
enum err output_close(struct output *output, enum err err, struct why *why);

/* Of standard output and standard error: a terminal? And how wide, 80 if that is not known. */
bool stdout_is_terminal(void);
bool stderr_is_terminal(void);
int stdout_columns(void);

/* Puts something in the place of standard input, output and error where the caller left them
 * closed, so that no other file or socket can come to be there. Using them still fails. First of
 * all in main(). */
void output_hold_standard(void);
/* Makes a write to a closed pipe an error instead of the program's end. */
void output_ignore_closed_pipes(void);

#endif
