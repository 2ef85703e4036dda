/* What stands in a text, for people to read where it does not. After cmocka.h. */
#ifndef TEST_UNIT_TEXTS_H
#define TEST_UNIT_TEXTS_H

#include <string.h>

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static inline void assert_hasnt(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("'%s' is in:\n%s", part, text);
}

#endif
