#include "out/bins.h"

#include "out/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- from the journal ---- */

struct gathering {
    const struct registry *registry;
    struct utc time; /* of the bins that are wanted */
    struct observation *list;
    size_t count, capacity;
};

static bool gather(void *context, const struct observation *o)
{
    struct gathering *gathering = context;
    uint32_t names = registry_count(gathering->registry);
    bool is_wanted = o->kind == OBSERVATION_BIN && o->peer && o->time.ns == gathering->time.ns;
    if (!is_wanted || o->peer > names || o->target > names)
        return true;
    gathering->list = mem_grow(gathering->list, &gathering->capacity, gathering->count + 1,
                               sizeof *gathering->list);
    gathering->list[gathering->count++] = *o;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct observation *x = a, *y = b;
    if (x->peer != y->peer)
        return x->peer < y->peer ? -1 : 1;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (x->family > y->family) - (x->family < y->family);
}

/* Sorted, each once: an archive may have been replayed twice. */
static size_t put_in_order(struct observation *list, size_t count)
{
    size_t kept = 0;
    qsort(list, count, sizeof *list, by_key);
    for (size_t i = 0; i < count; i++)
        if (!kept || by_key(&list[kept - 1], &list[i]) != 0)
            list[kept++] = list[i];
    return kept;
}

static enum err gather_bin(struct journal *journal, struct gathering *gathering, struct utc time,
                           struct why *why)
{
    struct journal_visitor visitor = {.visit = gather, .context = gathering};
    gathering->time = time;
    return journal_read_span(journal, time, time, &visitor, why);
}

/* Only what lies around the moments at which a bin may have ended is read: that of an archive, before the
 * TICK that settles it; else the last full five minutes, or those before, if the newest is not told yet. */
enum err bins_fetch(struct journal *journal, const struct registry *registry, struct utc last,
                    struct arena *arena, struct bin_list *out, struct why *why)
{
    struct utc full = {last.ns - last.ns % BIN_NS};
    const struct utc ends[] = {utc_add(last, -SETTLE_NS), full, utc_add(full, -BIN_NS)};
    struct gathering gathering = {.registry = registry};
    enum err err = ERR_OK;
    for (size_t i = 0; i < 3 && !err && !gathering.count; i++)
        err = gather_bin(journal, &gathering, ends[i], why);
    *out = (struct bin_list){0};
    if (!err && gathering.count) {
        size_t kept = put_in_order(gathering.list, gathering.count);
        struct observation *list = arena_alloc(arena, kept * sizeof *list);
        memcpy(list, gathering.list, kept * sizeof *list);
        *out = (struct bin_list){list, kept};
    }
    free(gathering.list);
    return err;
}

/* ---- for people ---- */

static const char *unit_of(const struct observation *bin)
{
    return bin->family == 6 ? "/48s" : "/24s";
}

/* "4 of 4 /24s are visible (40 of 42 peers vote)"; NULL where nothing of it was ever there. */
static const char *family_words(struct arena *arena, const struct observation *bin)
{
    if (!bin_has_quorum(bin))
        return arena_printf(arena, "no data about %s (only %u of %u peers vote)", unit_of(bin),
                            bin->code, bin->peers_total);
    if (!bin->known)
        return NULL;
    return arena_printf(arena, "%" PRId64 " of %" PRId64 " %s are visible (%u of %u peers vote)",
                        bin->value, bin->known, unit_of(bin), bin->code, bin->peers_total);
}

/* What is said of one AS or country: its first line, and the second if it has one. */
static const char *who_words(struct arena *arena, const struct registry *registry,
                             const struct observation *first, const struct observation *second)
{
    const char *texts[2];
    size_t count = 0;
    bool is_as = registry_kind(registry, first->target) == NAME_ASN;
    const char *one = family_words(arena, first);
    const char *other = second ? family_words(arena, second) : NULL;
    if (one)
        texts[count++] = one;
    if (other)
        texts[count++] = other;
    return arena_printf(
        arena, "%s%s: %s.", is_as ? "AS" : "", registry_text(registry, first->target),
        count ? words_list(arena, texts, count) : "nothing is known of its address space");
}

void bins_put(const struct bin_list *bins, const struct registry *registry, uint32_t subject,
              struct page *page, struct arena *arena)
{
    size_t told = 0;
    for (size_t i = 0, n; i < bins->count; i += n) {
        const struct observation *bin = &bins->list[i];
        bool has_second =
            i + 1 < bins->count && bin[1].target == bin->target && bin[1].peer == bin->peer;
        n = has_second ? 2 : 1;
        if (bin->peer != subject)
            continue;
        if (told++ == 0)
            page_paragraph(page, arena_printf(arena, "In the whole routing table, at %s:",
                                              words_time(arena, bin->time)));
        page_item(page, "-", who_words(arena, registry, bin, has_second ? bin + 1 : NULL));
    }
    if (told)
        page_space(page);
}

/* ---- for programs ---- */

static json_t *number_or_null(bool is_there, int64_t number)
{
    return is_there ? json_integer(number) : json_null();
}

json_t *bins_json(const struct registry *registry, const struct observation *bin)
{
    bool is_as = registry_kind(registry, bin->target) == NAME_ASN, has_data = bin_has_quorum(bin);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:i, s:i}", "type", "bin", "time",
                     json_time(bin->time), "subject", json_name(registry, bin->peer), "asn",
                     number_or_null(is_as, is_as ? registry_asn(registry, bin->target) : 0),
                     "country", is_as ? json_null() : json_name(registry, bin->target), "family",
                     bin->family, "seen", number_or_null(has_data, bin->value), "known",
                     number_or_null(has_data, bin->known), "peers_up", bin->code, "peers_total",
                     bin->peers_total);
}
