/* The parts of the reader of scenarios. */
#ifndef TEST_SCENARIO_PARSE_H
#define TEST_SCENARIO_PARSE_H

#include "script.h"

void parse_change(struct script *script); /* after `at` */
void parse_expectation(struct script *script);
void parse_truth(struct script *script); /* after `expect` */

/* Adds one of a kind to a growing list of the world. */
#define WORLD_ADD(world, list, count, capacity, value)                                             \
    do {                                                                                           \
        (world)->list = mem_grow((world)->list, &(world)->capacity, (world)->count + 1,            \
                                 sizeof *(world)->list);                                           \
        (world)->list[(world)->count++] = (value);                                                 \
    } while (0)

#endif
