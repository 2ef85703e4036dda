#include "source/origins/rpki.h"

#include "base/mem.h"
#include "source/origins/rpki_read.h"

#include <stdlib.h>

struct rpki {
    struct vrps *vrps; /* NULL: nothing is known */
    struct utc made;
};

/* ---- one entry, of whatever form ---- */

static bool read_asn(struct reader field, uint32_t *out)
{
    uint64_t asn;
    if (reader_left(&field) > 2 && (field.at[0] | 0x20) == 'a' && (field.at[1] | 0x20) == 's')
        field.at += 2;
    if (!text_number(&field, &asn) || asn > UINT32_MAX)
        return false;
    *out = (uint32_t)asn;
    return true;
}

/* Nothing said is the prefix's own length (RFC 6482, 3.3). */
static bool read_max_bits(const struct reader *field, const struct prefix *prefix, uint8_t *out)
{
    uint64_t bits = prefix->bits;
    if (reader_left(field) && !text_number(field, &bits))
        return false;
    *out = (uint8_t)bits;
    return bits >= prefix->bits && bits <= addr_bits(&prefix->addr);
}

bool rpki_entry_add(struct text *text, uint64_t number, const struct rpki_entry *entry,
                    struct vrps *vrps)
{
    struct vrp vrp = {0};
    const struct reader *culprit;
    const char *fault;
    text->faults->records++;
    if (!read_asn(entry->asn, &vrp.asn)) {
        culprit = &entry->asn;
        fault = "is no AS number";
    } else if (!reader_left(&entry->prefix) ||
               !prefix_parse((const char *)entry->prefix.at, reader_left(&entry->prefix),
                             &vrp.prefix)) {
        culprit = &entry->prefix;
        fault = "is no prefix";
    } else if (!read_max_bits(&entry->max_bits, &vrp.prefix, &vrp.max_bits)) {
        culprit = &entry->max_bits;
        fault = "is shorter than the prefix, or longer than an address";
    } else {
        return vrps_add(vrps, &vrp);
    }
    char shown[TEXT_SHOWN_MAX];
    text_report(text, "entry %llu: \"%s\" %s", (unsigned long long)number,
                text_show(culprit, shown), fault);
    return true;
}

/* ---- a file ---- */

enum err rpki_read(struct text *text, struct vrps *vrps, struct utc *made, struct why *why)
{
    int first = text_peek(text);
    enum err err = first == '{' || first == '[' || first <= ' '
                       ? rpki_json_read(text, vrps, made, why)
                       : rpki_csv_read(text, vrps, why);
    if (!err && vrps_count(vrps) == 0)
        return why_set(why, ERR_INPUT,
                       "%.300s: holds no entry that can be used; give what a validator wrote",
                       text->name);
    return err;
}

struct rpki *rpki_load(const char *path, struct stream_faults *faults, struct why *why)
{
    struct text text;
    if (text_open(&text, path, faults, why))
        return NULL;
    struct rpki *rpki = rpki_new();
    rpki->vrps = vrps_new();
    enum err err = rpki_read(&text, rpki->vrps, &rpki->made, why);
    text_close(&text);
    if (err) {
        rpki_free(rpki);
        return NULL;
    }
    vrps_seal(rpki->vrps); /* several trust anchors may say the same */
    return rpki;
}

struct rpki *rpki_new(void)
{
    return mem_new(1, sizeof(struct rpki));
}

void rpki_free(struct rpki *rpki)
{
    if (!rpki)
        return;
    vrps_free(rpki->vrps);
    free(rpki);
}

enum rpki_state rpki_validate(const struct rpki *rpki, const struct prefix *prefix, uint32_t origin)
{
    return rpki->vrps ? vrps_validate(rpki->vrps, prefix, origin) : RPKI_UNKNOWN;
}

const struct vrps *rpki_vrps(const struct rpki *rpki)
{
    return rpki->vrps;
}

struct utc rpki_made(const struct rpki *rpki)
{
    return rpki->made;
}

void rpki_replace(struct rpki *rpki, struct vrps *vrps)
{
    vrps_free(rpki->vrps);
    rpki->vrps = vrps;
}
