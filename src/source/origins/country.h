/* A country, as a value: the two upper-case letters of ISO 3166-1, or "" for none. */
#ifndef SOURCE_ORIGINS_COUNTRY_H
#define SOURCE_ORIGINS_COUNTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct country {
    char code[3];
};

static inline struct country country_none(void)
{
    return (struct country){{0}};
}

/* False if it is not two letters. "ZZ", which the registries write for "none", is none. */
static inline bool country_read(const void *text, size_t n, struct country *out)
{
    const char *letters = (const char *)text;
    if (n != 2)
        return false;
    struct country country = country_none();
    for (size_t i = 0; i < 2; i++) {
        country.code[i] = (char)(letters[i] & ~0x20);
        if ((letters[i] & 0x80) || country.code[i] < 'A' || country.code[i] > 'Z')
            return false;
    }
    bool is_none = country.code[0] == 'Z' && country.code[1] == 'Z';
    *out = is_none ? country_none() : country;
    return true;
}

static inline bool country_is(struct country a, struct country b)
{
    return a.code[0] == b.code[0] && a.code[1] == b.code[1];
}

/* All that two letters can name, as small numbers; 0: none. */
enum { COUNTRIES = 26 * 26 + 1 };

static inline uint16_t country_number(struct country country)
{
    unsigned first = (unsigned)(country.code[0] - 'A'), second = (unsigned)(country.code[1] - 'A');
    return country.code[0] ? (uint16_t)(first * 26 + second + 1) : 0;
}

static inline struct country country_numbered(uint16_t number)
{
    unsigned letters = number - 1U;
    return number ? (struct country){{(char)('A' + letters / 26), (char)('A' + letters % 26), 0}}
                  : country_none();
}

#endif
