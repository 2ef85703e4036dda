#include "source/web/index_page.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* The value of an attribute, after its name: = "value", = 'value' or =value. Gives where it ends, NULL if
 * this is none. */
static const char *read_value(const char *at, const char *end, const char **value)
{
    at = skip_space(at, end);
    if (at == end || *at != '=')
        return NULL;
    at = skip_space(at + 1, end);
    if (at == end)
        return NULL;
    char quote = *at == '"' || *at == '\'' ? *at++ : '\0';
    *value = at;
    while (at < end && (quote ? *at != quote : *at != '>' && !is_space(*at)))
        at++;
    return at;
}

static bool is_href(const char *page, const char *at, const char *end)
{
    static const char word[] = "href";
    enum { LENGTH = sizeof word - 1 };
    return end - at > LENGTH && strncasecmp(at, word, LENGTH) == 0 && at > page &&
           (is_space(at[-1]) || at[-1] == '"' || at[-1] == '\'');
}

/* What follows the last slash: a page may name its files by their whole path. The folder is known, and
 * a link that leads elsewhere is thus brought back to it. */
static bool take_link(const char *value, const char *end, struct site_names *names)
{
    struct site_name name;
    const char *slash = memrchr(value, '/', (size_t)(end - value));
    const char *start = slash ? slash + 1 : value;
    if (!site_name_parse(start, (size_t)(end - start), &name))
        return false;
    site_names_add(names, &name);
    return true;
}

size_t index_page_read(const char *page, size_t n, struct site_names *names)
{
    const char *at = page, *end = page + (n < INDEX_PAGE_MAX ? n : INDEX_PAGE_MAX);
    size_t found = 0;
    while (at < end && found < INDEX_NAMES_MAX) {
        const char *value, *after = NULL;
        if ((*at == 'h' || *at == 'H') && is_href(page, at, end))
            after = read_value(at + 4, end, &value);
        if (after)
            found += take_link(value, after, names);
        at = after ? after : at + 1;
    }
    return found;
}
