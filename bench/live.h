/* The whole table of live peers, for bench.c: how long the loop is held up, and how long bins take. */
#ifndef BENCH_LIVE_H
#define BENCH_LIVE_H

#include <stdint.h>

void bench_live(uint64_t prefixes, uint64_t peers);

#endif
