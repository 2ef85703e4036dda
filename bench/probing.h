/* Probes targets for some rounds and prints what that took. */
#ifndef BENCH_PROBING_H
#define BENCH_PROBING_H

#include <stdint.h>

/* Asks the targets of a file, one a line, each `rounds` times at that interval, and with them those of
 * another, if `others` is not NULL. Round-trip times are told of the first file only. */
void bench_probe(uint64_t interval_ms, uint64_t rounds, const char *path, const char *others);

#endif
