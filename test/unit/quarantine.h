/* For tests that measure memory: the address sanitizer, which keeps 256 MiB of what was freed to find those
 * who still use it, keeps no more than this here. Included by a program once. */
#ifndef TEST_QUARANTINE_H
#define TEST_QUARANTINE_H

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8";
}

#endif
