#include "source/origins/vrps.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Where the search begins is looked up by family and the first bits of the address: 16 in a large
 * table, fewer in a small one. */
static const size_t starts_max = 0x20000;
enum { NO_PARENT = 0xffffffff };

struct vrps {
    struct vrp *list;
    size_t count, capacity;
    bool is_sealed;
    /* Of each, its place: the nearest one before it whose prefix is, or holds, its own. */
    uint32_t *parents;
    /* [i]: how many come before those of family and first bits i; there are starts_max >> shift,
     * and one. */
    uint32_t *starts;
    unsigned shift;
};

const char *rpki_state_name(enum rpki_state state)
{
    static const char *const names[] = {
#define X(constant, name) name,
        RPKI_STATE_LIST(X)
#undef X
    };
    assert(state < RPKI_STATE_COUNT);
    return names[state];
}

struct vrps *vrps_new(void)
{
    return mem_new(1, sizeof(struct vrps));
}

void vrps_free(struct vrps *vrps)
{
    if (!vrps)
        return;
    free(vrps->list);
    free(vrps->parents);
    free(vrps->starts);
    free(vrps);
}

size_t vrps_count(const struct vrps *vrps)
{
    return vrps->count;
}

size_t vrps_memory(const struct vrps *vrps)
{
    size_t fixed = vrps->is_sealed ? ((starts_max >> vrps->shift) + 1) * sizeof *vrps->starts : 0;
    size_t links = vrps->is_sealed ? vrps->count * sizeof *vrps->parents : 0;
    return sizeof *vrps + vrps->capacity * sizeof *vrps->list + links + fixed;
}

static int compare(const void *left, const void *right)
{
    const struct vrp *a = left, *b = right;
    int order = prefix_compare(&a->prefix, &b->prefix);
    if (order)
        return order;
    if (a->asn != b->asn)
        return a->asn < b->asn ? -1 : 1;
    return (int)a->max_bits - (int)b->max_bits;
}

bool vrps_add(struct vrps *vrps, const struct vrp *vrp)
{
    assert(!vrps->is_sealed && vrp->prefix.bits <= vrp->max_bits &&
           vrp->max_bits <= addr_bits(&vrp->prefix.addr));
    if (vrps->count == VRPS_MAX)
        return false;
    vrps->list = mem_grow(vrps->list, &vrps->capacity, vrps->count + 1, sizeof *vrps->list);
    vrps->list[vrps->count++] = *vrp;
    return true;
}

/* ---- sealing ---- */

static size_t start_of(const struct addr *addr, unsigned shift)
{
    unsigned family = addr->family == 6;
    return (family << 16 | (unsigned)addr->bytes[0] << 8 | addr->bytes[1]) >> shift;
}

/* There are about as many starts as VRPs. */
static unsigned shift_for(size_t count)
{
    unsigned shift = 0;
    while (shift < 16 && starts_max >> shift > count)
        shift++;
    return shift;
}

static uint32_t *count_starts(const struct vrp *list, size_t count, unsigned shift)
{
    size_t starts_count = starts_max >> shift;
    uint32_t *starts = mem_new(starts_count + 1, sizeof *starts);
    for (size_t i = 0; i < count; i++)
        starts[start_of(&list[i].prefix.addr, shift) + 1]++;
    for (size_t i = 0; i < starts_count; i++)
        starts[i + 1] += starts[i];
    return starts;
}

/* Distributes them by their starts, and sorts what has the same one: twice as fast as sorting all
 * at once. */
static struct vrp *sort(struct vrp *list, size_t count)
{
    unsigned shift = shift_for(count);
    struct vrp *sorted = mem_new(count, sizeof *sorted);
    uint32_t *ends = count_starts(list, count, shift);
    for (size_t i = 0; i < count; i++)
        sorted[ends[start_of(&list[i].prefix.addr, shift)]++] = list[i];
    for (size_t i = 0, begin = 0; i < starts_max >> shift; begin = ends[i++])
        if (ends[i] - begin > 1)
            qsort(sorted + begin, ends[i] - begin, sizeof *sorted, compare);
    free(ends);
    free(list);
    return sorted;
}

/* Those that hold the one before hold this one too, or are over for good. */
static void link_parents(struct vrps *vrps)
{
    vrps->parents = mem_new(vrps->count, sizeof *vrps->parents);
    uint32_t at = NO_PARENT;
    for (uint32_t i = 0; i < vrps->count; i++) {
        while (at != NO_PARENT && !prefix_has(&vrps->list[at].prefix, &vrps->list[i].prefix))
            at = vrps->parents[at];
        vrps->parents[i] = at;
        at = i;
    }
}

/* The list is in order and holds nothing twice. */
static void seal_sorted(struct vrps *vrps)
{
    if (vrps->count < vrps->capacity && vrps->count) {
        vrps->list = realloc(vrps->list, vrps->count * sizeof *vrps->list);
        assert(vrps->list);
        vrps->capacity = vrps->count;
    }
    link_parents(vrps);
    vrps->shift = shift_for(vrps->count);
    vrps->starts = count_starts(vrps->list, vrps->count, vrps->shift);
    vrps->is_sealed = true;
}

size_t vrps_seal(struct vrps *vrps)
{
    assert(!vrps->is_sealed);
    size_t kept = 0, count = vrps->count;
    vrps->list = sort(vrps->list, count);
    vrps->capacity = count;
    for (size_t i = 0; i < count; i++)
        if (!kept || compare(&vrps->list[kept - 1], &vrps->list[i]) != 0)
            vrps->list[kept++] = vrps->list[i];
    vrps->count = kept;
    seal_sorted(vrps);
    return count - kept;
}

/* ---- asking ---- */

/* The last one that begins at the address or before it. */
static uint32_t find_last(const struct vrps *vrps, const struct addr *addr)
{
    size_t start = start_of(addr, vrps->shift);
    uint32_t low = vrps->starts[start], high = vrps->starts[start + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (addr_compare(&vrps->list[middle].prefix.addr, addr) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : NO_PARENT;
}

/* RFC 6811, 2: it is enough that one of those whose prefix holds the route matches it. */
enum rpki_state vrps_validate(const struct vrps *vrps, const struct prefix *prefix, uint32_t origin)
{
    assert(vrps->is_sealed);
    enum rpki_state state = RPKI_NOT_FOUND;
    for (uint32_t at = find_last(vrps, &prefix->addr); at != NO_PARENT; at = vrps->parents[at]) {
        const struct vrp *vrp = &vrps->list[at];
        if (!prefix_has(&vrp->prefix, prefix))
            continue;
        bool is_its_as = origin && vrp->asn == origin;
        if (is_its_as && prefix->bits <= vrp->max_bits)
            return RPKI_VALID;
        if (is_its_as)
            state = RPKI_INVALID_LENGTH;
        else if (state == RPKI_NOT_FOUND)
            state = RPKI_INVALID_ORIGIN;
    }
    return state;
}

/* ---- changes ---- */

static int compare_changes(const void *left, const void *right)
{
    const struct vrp_change *a = left, *b = right;
    int order = compare(&a->vrp, &b->vrp);
    return order ? order : a->order < b->order ? -1 : 1;
}

/* All changes of one VRP, in the order in which they came: those after `at`. Whether it is there
 * before, and in the end, is *is_there. */
static enum vrps_fault run_changes(const struct vrp_change *changes, size_t count, size_t *at,
                                   bool *is_there)
{
    const struct vrp *vrp = &changes[*at].vrp;
    for (; *at < count && compare(&changes[*at].vrp, vrp) == 0; ++*at) {
        if (changes[*at].is_announced == *is_there)
            return *is_there ? VRPS_TWICE : VRPS_UNKNOWN;
        *is_there = !*is_there;
    }
    return VRPS_OK;
}

/* Both in order, into `out`. */
static enum vrps_fault merge(const struct vrps *old, const struct vrp_change *changes, size_t count,
                             struct vrps *out)
{
    size_t i = 0, at = 0;
    while (i < old->count || at < count) {
        int order = i == old->count ? 1
                    : at == count   ? -1
                                    : compare(&old->list[i], &changes[at].vrp);
        bool is_there = order <= 0;
        const struct vrp *vrp = is_there ? &old->list[i] : &changes[at].vrp;
        enum vrps_fault fault = order >= 0 ? run_changes(changes, count, &at, &is_there) : VRPS_OK;
        i += order <= 0;
        if (fault)
            return fault;
        if (is_there && !vrps_add(out, vrp))
            return VRPS_TOO_MANY;
    }
    return VRPS_OK;
}

enum vrps_fault vrps_apply(const struct vrps *old, struct vrp_change *changes, size_t count,
                           struct vrps **out)
{
    assert(old->is_sealed);
    for (size_t i = 0; i < count; i++)
        changes[i].order = (uint32_t)i;
    if (count)
        qsort(changes, count, sizeof *changes, compare_changes);
    struct vrps *made = vrps_new();
    enum vrps_fault fault = merge(old, changes, count, made);
    if (fault) {
        vrps_free(made);
        return fault;
    }
    seal_sorted(made);
    *out = made;
    return VRPS_OK;
}
