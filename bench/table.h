/* Benchmarks of the whole routing table, for bench.c. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdint.h>

void bench_table(uint64_t prefixes, uint64_t peers);
void bench_changes(char **paths);

#endif
