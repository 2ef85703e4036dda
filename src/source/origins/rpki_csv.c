/* CSV of VRPs. What the columns are is said by the first line; their order differs from writer to
 * writer. */
#include "source/origins/rpki_read.h"

#include <strings.h>

/* Where the columns are that are used; -1: not there. */
struct columns {
    int asn, prefix, max_bits;
};

/* RFC 4180, 2; a quote within quotes is not looked for, as no field of ours has one. */
static struct reader next_field(struct reader *line)
{
    if (!reader_left(line) || *line->at != '"')
        return text_field(line, ',');
    reader_u8(line);
    struct reader field = text_field(line, '"');
    text_field(line, ',');
    return field;
}

static bool is_named(const struct reader *field, const char *name)
{
    return reader_left(field) == strlen(name) &&
           strncasecmp((const char *)field->at, name, strlen(name)) == 0;
}

static struct columns read_columns(struct reader line)
{
    struct columns columns = {-1, -1, -1};
    for (int i = 0; reader_left(&line); i++) {
        struct reader field = next_field(&line);
        if (is_named(&field, "ASN"))
            columns.asn = i;
        else if (is_named(&field, "IP Prefix"))
            columns.prefix = i;
        else if (is_named(&field, "Max Length"))
            columns.max_bits = i;
    }
    return columns;
}

static struct rpki_entry read_entry(struct reader line, const struct columns *columns)
{
    struct rpki_entry entry = {0};
    for (int i = 0; reader_left(&line); i++) {
        struct reader field = next_field(&line);
        if (i == columns->asn)
            entry.asn = field;
        else if (i == columns->prefix)
            entry.prefix = field;
        else if (i == columns->max_bits)
            entry.max_bits = field;
    }
    return entry;
}

enum err rpki_csv_read(struct text *text, struct vrps *vrps, struct why *why)
{
    struct reader line = {0};
    int got = text_line(text, &line);
    struct columns columns = read_columns(line);
    if (got >= 0 && (columns.asn < 0 || columns.prefix < 0))
        return text_fail(text, why, ERR_INPUT,
                         "this is neither JSON nor CSV whose first line names the columns \"ASN\" "
                         "and \"IP Prefix\"; give what a validator wrote");
    for (uint64_t number = 1; got >= 0 && (got = text_line(text, &line)) > 0; number++) {
        if (!reader_left(&line))
            continue;
        struct rpki_entry entry = read_entry(line, &columns);
        if (!rpki_entry_add(text, number, &entry, vrps))
            return text_fail(text, why, ERR_LIMIT, "there are more than %d entries", VRPS_MAX);
    }
    return got < 0 ? text_fail(text, why, ERR_IO, "cannot be read") : ERR_OK;
}
