/* JSON of VRPs, some 60 MB of it: it is cut into entries by its brackets as it passes, and each is
 * read by itself. So memory is that of one entry, and one that is damaged does no harm to the
 * next. */
#include "source/origins/rpki_read.h"

#include "base/mem.h"

#include <stdlib.h>

enum { VALUE_MAX = 64 * 1024 };

/* The value that was cut out last: its text, in which "\/" has become "/". */
struct value {
    char bytes[VALUE_MAX];
    size_t size;
    bool is_overlong; /* the text is not all of it */
};

/* ---- cutting ---- */

static bool is_space(int c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int next_sign(struct text *text)
{
    int c;
    while (is_space(c = text_peek(text)))
        text_take(text);
    return c;
}

static void keep(struct value *value, int c)
{
    if (value->size < VALUE_MAX)
        value->bytes[value->size++] = (char)c;
    else
        value->is_overlong = true;
}

/* The rest of a string, behind the quote that opens it. False if the text ends. */
static bool cut_string(struct text *text, struct value *value)
{
    int c;
    while ((c = text_take(text)) >= 0 && c != '"') {
        if (c == '\\' && (c = text_take(text)) != '/')
            keep(value, '\\');
        keep(value, c);
    }
    keep(value, c);
    return c >= 0;
}

static bool ends_scalar(int c)
{
    return c == ',' || c == ':' || c == ']' || c == '}';
}

/* Any value, which may be empty; what follows it is left there. False if the text ends within. */
static bool cut_value(struct text *text, struct value *value)
{
    size_t depth = 0;
    int c = next_sign(text);
    value->size = 0;
    value->is_overlong = false;
    do {
        if (depth == 0 && ends_scalar(c))
            return true;
        if (text_take(text) < 0)
            return false;
        keep(value, c);
        if (c == '"' && !cut_string(text, value))
            return false;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        if (depth == 0 && (c == '"' || c == '}' || c == ']'))
            return true;
        c = text_peek(text);
    } while (c >= 0);
    return false;
}

/* ---- reading what was cut out ---- */

static void skip_space(struct reader *r)
{
    while (reader_left(r) && is_space(*r->at))
        r->at++;
}

static void expect(struct reader *r, char sign)
{
    skip_space(r);
    if (reader_u8(r) != sign)
        reader_fail(r, "is no object in JSON");
}

/* A string, without its quotes; what is escaped in it stays so. */
static struct reader read_string(struct reader *r)
{
    expect(r, '"');
    const uint8_t *begin = r->at;
    for (uint8_t c = reader_u8(r); c != '"' && !r->bad; c = reader_u8(r))
        if (c == '\\')
            reader_u8(r);
    size_t n = r->bad ? 0 : (size_t)(r->at - begin) - 1;
    return reader_of(begin, n);
}

/* A list or an object: nothing of use is in one. */
static void skip_nested(struct reader *r)
{
    size_t depth = 0;
    do {
        skip_space(r);
        uint8_t c = reader_left(r) ? *r->at : 0;
        if (c == '"')
            read_string(r);
        else
            reader_u8(r);
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
    } while (depth && !r->bad);
}

/* A string's or scalar's text. */
static struct reader read_value(struct reader *r)
{
    skip_space(r);
    if (reader_left(r) && *r->at == '"')
        return read_string(r);
    const uint8_t *begin = r->at;
    if (reader_left(r) && (*r->at == '{' || *r->at == '[')) {
        skip_nested(r);
        return (struct reader){0};
    }
    while (reader_left(r) && !is_space(*r->at) && !ends_scalar(*r->at))
        r->at++;
    if (r->at == begin)
        reader_fail(r, "has a member without a value");
    return reader_of(begin, (size_t)(r->at - begin));
}

/* The next member of an object. False behind the last, or if it is none. */
static bool next_member(struct reader *r, bool is_first, struct reader *key, struct reader *value)
{
    if (is_first)
        expect(r, '{');
    skip_space(r);
    uint8_t sign = reader_left(r) ? *r->at : 0;
    if (sign == '}' || (!is_first && sign != ',')) {
        expect(r, '}');
        skip_space(r);
        reader_finish(r);
        return false;
    }
    if (!is_first)
        expect(r, ',');
    *key = read_string(r);
    expect(r, ':');
    *value = read_value(r);
    return !r->bad;
}

/* ---- what it means ---- */

static bool take_entry(struct text *text, const struct value *value, uint64_t number,
                       struct vrps *vrps)
{
    struct rpki_entry entry = {0};
    struct reader key, found, r = reader_of(value->bytes, value->size);
    if (value->is_overlong)
        reader_fail(&r, "is longer than any may be");
    for (bool is_first = true; next_member(&r, is_first, &key, &found); is_first = false) {
        if (text_is(&key, "asn"))
            entry.asn = found;
        else if (text_is(&key, "prefix"))
            entry.prefix = found;
        else if (text_is(&key, "maxLength"))
            entry.max_bits = found;
    }
    if (!r.bad)
        return rpki_entry_add(text, number, &entry, vrps);
    text->faults->records++;
    text_report(text, "entry %llu: %s", (unsigned long long)number, r.bad);
    return true;
}

static enum err read_entries(struct text *text, struct value *value, struct vrps *vrps,
                             struct why *why)
{
    int sign = next_sign(text);
    if (sign != '[')
        return text_fail(text, why, ERR_INPUT, "\"roas\" is no list; give what a validator wrote");
    text_take(text);
    if (next_sign(text) == ']') {
        text_take(text);
        return ERR_OK;
    }
    for (uint64_t number = 1; sign != ']'; number++) {
        if (!cut_value(text, value))
            return text_fail(text, why, ERR_CORRUPT, "it ends within entry %llu; fetch it again",
                             (unsigned long long)number);
        if (!take_entry(text, value, number, vrps))
            return text_fail(text, why, ERR_LIMIT, "there are more than %d entries", VRPS_MAX);
        sign = next_sign(text);
        if (sign != ',' && sign != ']')
            return text_fail(text, why, ERR_CORRUPT,
                             "behind entry %llu comes neither another nor the end of the list; "
                             "fetch it again",
                             (unsigned long long)number);
        text_take(text);
    }
    return ERR_OK;
}

/* rpki-client writes "buildtime", Routinator "generatedTime", others seconds in "generated". */
static void take_metadata(const struct value *value, struct utc *made)
{
    struct reader key, found, r = reader_of(value->bytes, value->size);
    uint64_t seconds;
    for (bool is_first = true; next_member(&r, is_first, &key, &found); is_first = false) {
        if (text_is(&key, "buildtime") || text_is(&key, "generatedTime"))
            utc_parse((const char *)found.at, reader_left(&found), made);
        else if (text_is(&key, "generated") && text_number(&found, &seconds) &&
                 seconds <= UINT32_MAX)
            made->ns = (int64_t)seconds * NS_PER_S;
    }
}

static enum err fail_damaged(struct text *text, struct why *why)
{
    return text_fail(text, why, ERR_CORRUPT,
                     "the JSON is damaged or ends too early; fetch it again");
}

static enum err read_member(struct text *text, struct value *value, struct vrps *vrps,
                            struct utc *made, struct why *why)
{
    if (!cut_value(text, value) || next_sign(text) != ':')
        return fail_damaged(text, why);
    text_take(text);
    struct reader key = reader_of(value->bytes, value->size);
    if (text_is(&key, "\"roas\""))
        return read_entries(text, value, vrps, why);
    bool is_metadata = text_is(&key, "\"metadata\"");
    if (!cut_value(text, value))
        return fail_damaged(text, why);
    if (is_metadata)
        take_metadata(value, made);
    return ERR_OK;
}

static enum err read_document(struct text *text, struct value *value, struct vrps *vrps,
                              struct utc *made, struct why *why)
{
    if (next_sign(text) != '{')
        return text_fail(text, why, ERR_INPUT,
                         "this is no object in JSON with a list \"roas\"; give what a validator "
                         "wrote");
    do {
        text_take(text); /* the brace, or the comma */
        enum err err = read_member(text, value, vrps, made, why);
        if (err)
            return err;
    } while (next_sign(text) == ',');
    if (text_take(text) != '}' || next_sign(text) >= 0 || text->failure.err)
        return fail_damaged(text, why);
    return ERR_OK;
}

enum err rpki_json_read(struct text *text, struct vrps *vrps, struct utc *made, struct why *why)
{
    struct value *value = mem_new(1, sizeof *value);
    enum err err = read_document(text, value, vrps, made, why);
    free(value);
    return err;
}
