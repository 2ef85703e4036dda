#include "source/table/events_inside.h"

static bool was_dark(const struct making *making, const struct row_notes *notes, struct utc at)
{
    const struct loss *loss;
    for (uint32_t i = notes->loss; i; i = loss->previous) {
        loss = &making->losses->list[i - 1];
        bool has_begun = loss->was_gone && loss->went.first_after.ns <= at.ns;
        if (has_begun && (loss->is_open || loss->ended.first_after.ns > at.ns))
            return true;
    }
    return false;
}

/* Whether peers had it then, as far as what became of it tells. */
static bool was_carried(const struct making *making, struct table_row row, struct utc at)
{
    const struct row_notes *notes = row_notes(making->table, row);
    bool was_told = notes->told == 1 || notes->told <= at.ns / NS_PER_S;
    return was_told && !was_dark(making, notes, at) &&
           route_table_sight(making->table, row).carried > 0;
}

static bool is_covered(const struct making *making, const struct prefix *prefix, uint32_t asn,
                       struct utc at)
{
    for (unsigned bits = prefix->bits; bits-- > 0;) {
        struct prefix less = prefix_of(&prefix->addr, bits);
        struct table_row row = route_table_find(making->table, &less);
        if (row.row && route_table_origin(making->table, row) == asn &&
            was_carried(making, row, at))
            return true;
    }
    return false;
}

/* Blocks within a prefix that more specific ones covered. */
static uint64_t covered_inside(const struct making *making, const struct prefix *prefix,
                               struct utc at)
{
    const struct space *space = &making->spaces[making_family(prefix->addr.family)];
    uint64_t covered = 0, sum = 0;
    for (size_t i = space_find(space, prefix);
         i < space->count && prefix_has(prefix, &space->list[i].prefix); i++)
        if (space->list[i].prefix.bits > prefix->bits &&
            was_carried(making, space->list[i].row, at))
            sum += blocks_add(&space->list[i].prefix, &covered);
    return sum;
}

uint64_t lost_blocks(const struct making *making, const struct placed *placed, uint32_t asn,
                     struct utc at, uint64_t fresh)
{
    if (!fresh || is_covered(making, &placed->prefix, asn, at))
        return 0;
    uint64_t covered = covered_inside(making, &placed->prefix, at);
    return covered < fresh ? fresh - covered : 0;
}
