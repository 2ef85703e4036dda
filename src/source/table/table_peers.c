/* Peers and their sessions, and who of them is asked: those that are live and have a full feed. What that
 * is, is told by comparing peers with one another, in each family for itself:
 *
 * - Full feed: of peers whose whole table was seen, those that have at least 90 % as many prefixes as is
 *   usual; usual is the median of all that have at least half as many as the largest. Of peers of which
 *   only updates were seen nobody knows the table: those are taken that spoke of at least a quarter as many
 *   prefixes as three quarters of them do not exceed. (On 24 February 2008 the full feeds of
 *   route-views2 spoke of 11 000 to 36 000, and two peers with tables of research networks of 780.)
 * - Live: its session is up and not still telling its table, and it does not lack more than 10 % of
 *   the table beyond what others lack, too: peers that have lost their own upstreams are no witnesses.
 *   Where all lost the same, it is the world that did. */
#include "source/table/table_inside.h"

#include "base/hash.h"

#include <string.h>

/* A session that began has told its table after that time, or says so before (RFC 4724). */
static const int64_t TELLING_NS = 5 * NS_PER_MINUTE;
/* A dump that told of nothing for so long has ended. */
static const int64_t DUMPED_NS = NS_PER_MINUTE;
/* Every five minutes what is usual comes nearer to what is, so that after a week it is the same. */
static const int64_t DECAY_NS = 5 * NS_PER_MINUTE;
enum { DECAYS = 7 * 24 * 12 };
/* Who was asked so long ago is still one of those that usually are. */
static const int64_t OF_LATE_NS = NS_PER_DAY;
/* Who lacks less than this lacks nothing: a share of a handful is noise. */
enum { LACKING_MIN = 100 };

static uint64_t hash_of(uint32_t collector, const struct mrt_peer *peer)
{
    uint64_t halves[2];
    memcpy(halves, peer->addr.bytes, sizeof halves);
    return hash_mix(hash_mix(halves[0] ^ hash_mix(halves[1])) ^
                    ((uint64_t)peer->asn << 32 | collector));
}

static bool is_peer(const struct table_peer *known, uint32_t collector, const struct mrt_peer *peer)
{
    return known->name.asn == peer->asn && known->collector == collector &&
           memcmp(&known->name.addr, &peer->addr, sizeof peer->addr) == 0;
}

static uint32_t add_peer(struct route_table *table, uint32_t collector, const struct mrt_peer *peer,
                         uint64_t hash)
{
    if (table->peer_count == TABLE_PEERS_MAX)
        return 0;
    table->peers =
        mem_grow(table->peers, &table->peer_capacity, table->peer_count + 1, sizeof *table->peers);
    table->peers[table->peer_count++] = (struct table_peer){
        .name = *peer, .collector = collector, .column = {NO_COLUMN, NO_COLUMN}};
    if (!lookup_is_full(&table->peer_lookup)) {
        lookup_add(&table->peer_lookup, hash, table->peer_count);
        return table->peer_count;
    }
    lookup_reset(&table->peer_lookup, table->peer_count);
    for (uint32_t i = 0; i < table->peer_count; i++)
        lookup_add(&table->peer_lookup, hash_of(table->peers[i].collector, &table->peers[i].name),
                   i + 1);
    return table->peer_count;
}

uint32_t table_peer_number(struct route_table *table, uint32_t collector,
                           const struct mrt_peer *peer)
{
    uint32_t last = table->last_peer;
    if (last && is_peer(&table->peers[last - 1], collector, peer))
        return last;
    uint64_t hash = hash_of(collector, peer);
    struct lookup_walk walk = lookup_walk(&table->peer_lookup, hash);
    for (uint32_t n; (n = lookup_next(&table->peer_lookup, &walk));)
        if (is_peer(&table->peers[n - 1], collector, peer))
            return table->last_peer = n;
    return table->last_peer = add_peer(table, collector, peer, hash);
}

/* ---- columns ---- */

static uint8_t *longer_mask(uint8_t *mask, size_t groups)
{
    uint8_t *longer = mem_new(groups + 1, 1);
    if (mask)
        memcpy(longer, mask, groups);
    free(mask);
    return longer;
}

static void add_group(struct table_family *family)
{
    uint32_t count = family->column_count, groups = count / CHUNK_CELLS;
    family->columns = mem_grow(family->columns, &family->column_capacity, count + CHUNK_CELLS,
                               sizeof *family->columns);
    memset(family->columns + count, 0, CHUNK_CELLS * sizeof *family->columns);
    family->column_count += CHUNK_CELLS;
    family->full = longer_mask(family->full, groups);
    family->complete = longer_mask(family->complete, groups);
    prefix_rows_add_groups(&family->rows, 1);
}

static uint32_t free_column(const struct table_family *family)
{
    for (uint32_t i = 0; i < family->column_count; i++)
        if (!family->columns[i].peer)
            return i;
    return NO_COLUMN;
}

/* Columns of lost sessions are emptied, which goes over the whole table, once they are many. */
static uint32_t new_column(struct route_table *table, struct table_family *family)
{
    uint32_t column = free_column(family);
    bool are_many = family->retired >= CHUNK_CELLS && family->retired >= family->column_count / 4;
    if (column == NO_COLUMN && (are_many || family->column_count >= 2 * TABLE_PEERS_MAX)) {
        route_table_collect(table);
        column = free_column(family);
    }
    if (column == NO_COLUMN && family->column_count < 2 * TABLE_PEERS_MAX) {
        add_group(family);
        column = free_column(family);
    }
    return column;
}

uint32_t table_peer_column(struct route_table *table, uint32_t peer, uint8_t version)
{
    size_t index = family_index(version);
    uint32_t column = table->peers[peer - 1].column[index];
    if (column != NO_COLUMN)
        return column;
    struct table_family *family = &table->families[index];
    column = new_column(table, family);
    if (column == NO_COLUMN)
        return column;
    struct table_peer *known = &table->peers[peer - 1];
    family->columns[column] = (struct column){.peer = peer,
                                              .is_telling = known->is_lost,
                                              .telling_until = utc_add(table->now, TELLING_NS)};
    known->column[index] = column;
    return column;
}

/* Leaves its columns behind. */
static void retire(struct route_table *table, struct table_peer *peer)
{
    for (size_t i = 0; i < 2; i++) {
        struct table_family *family = &table->families[i];
        uint32_t column = peer->column[i];
        if (column == NO_COLUMN)
            continue;
        uint8_t bit = (uint8_t)(1U << column % CHUNK_CELLS);
        family->full_count -= (family->full[column / CHUNK_CELLS] & bit) != 0;
        family->full[column / CHUNK_CELLS] &= (uint8_t)~bit;
        family->complete[column / CHUNK_CELLS] &= (uint8_t)~bit;
        family->columns[column].is_retired = true;
        table->epoch++;
        family->retired++;
        peer->column[i] = NO_COLUMN;
    }
}

void table_peer_leave(struct route_table *table, uint32_t number)
{
    struct table_peer *peer = &table->peers[number - 1];
    route_table_flush(table);
    table->counts.sessions_lost += peer->column[0] != NO_COLUMN || peer->column[1] != NO_COLUMN;
    retire(table, peer);
    peer->is_lost = true;
    if (peer->has_path_ids)
        path_memory_forget(&table->add_paths, number);
}

void route_table_gap(struct route_table *table, int64_t collector)
{
    route_table_flush(table);
    for (uint32_t i = 0; i < table->peer_count; i++) {
        struct table_peer *peer = &table->peers[i];
        if (collector >= 0 && peer->collector != collector)
            continue;
        retire(table, peer);
        peer->is_lost = false; /* if a session began meanwhile, its table was not heard */
        if (peer->has_path_ids)
            path_memory_forget(&table->add_paths, i + 1);
    }
}

void table_peer_complete(struct route_table *table, uint32_t number, uint8_t version)
{
    if (version != 4 && version != 6)
        return;
    struct table_peer *peer = &table->peers[number - 1];
    uint32_t column = peer->column[family_index(version)];
    route_table_flush(table);
    if (column == NO_COLUMN)
        return;
    struct column *told = &table->families[family_index(version)].columns[column];
    if (told->is_telling)
        told->is_complete = true;
    told->is_telling = false;
}

/* ---- who is asked ---- */

static int compare_numbers(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Of tables: the median of all that are at least half as large as the largest. */
static int64_t usual_table(const int64_t *sorted, size_t count)
{
    size_t first = 0;
    while (first < count && sorted[first] * 2 < sorted[count - 1])
        first++;
    return count ? sorted[first + (count - first) / 2] : 0;
}

/* Of those who only tell of changes: what a quarter of them exceeds. */
static int64_t usual_told(const int64_t *sorted, size_t count)
{
    return count ? sorted[count - 1 - count / 4] : 0;
}

static bool is_asked(const struct column *column)
{
    return column->peer && !column->is_retired && !column->is_telling;
}

static int64_t size_of(const struct column *column)
{
    return column->is_complete ? (int64_t)column->usual
                               : (int64_t)column->present + column->withdrawn;
}

static int64_t lacking(const struct column *column)
{
    return column->is_complete ? (int64_t)column->usual - column->present : column->withdrawn;
}

/* What is usual among those of which the whole table was seen, or not. */
static int64_t usual_size(const struct table_family *family, bool is_complete)
{
    int64_t sizes[2 * TABLE_PEERS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < family->column_count; i++)
        if (is_asked(&family->columns[i]) && family->columns[i].is_complete == is_complete)
            sizes[count++] = size_of(&family->columns[i]);
    qsort(sizes, count, sizeof *sizes, compare_numbers);
    return is_complete ? usual_table(sizes, count) : usual_told(sizes, count);
}

static bool has_full_feed(const struct column *column, const int64_t usual[2])
{
    int64_t size = size_of(column);
    return size > 0 &&
           (column->is_complete ? size * 10 >= usual[true] * 9 : size * 4 >= usual[false]);
}

/* What the middle one of those with a full feed lacks. */
static int64_t usual_lack(const struct table_family *family, const int64_t usual[2])
{
    int64_t lacks[2 * TABLE_PEERS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < family->column_count; i++)
        if (is_asked(&family->columns[i]) && has_full_feed(&family->columns[i], usual))
            lacks[count++] = lacking(&family->columns[i]);
    qsort(lacks, count, sizeof *lacks, compare_numbers);
    return count ? lacks[(count - 1) / 2] : 0;
}

static bool is_live(const struct table_family *family, const struct column *column, int64_t usual)
{
    int64_t table = column->is_complete ? column->usual : family->rows.live;
    int64_t most = table / 10 > LACKING_MIN ? table / 10 : LACKING_MIN;
    return lacking(column) - usual <= most;
}

/* True if others are asked than before. */
static bool judge_family(struct route_table *table, size_t index)
{
    struct table_family *family = &table->families[index];
    bool is_changed = false;
    const int64_t usual[2] = {usual_size(family, false), usual_size(family, true)};
    int64_t lack = usual_lack(family, usual);
    family->full_count = 0;
    for (uint32_t i = 0; i < family->column_count; i++) {
        const struct column *column = &family->columns[i];
        uint8_t bit = (uint8_t)(1U << i % CHUNK_CELLS);
        uint8_t *full = &family->full[i / CHUNK_CELLS];
        uint8_t *complete = &family->complete[i / CHUNK_CELLS];
        bool is_full =
            is_asked(column) && has_full_feed(column, usual) && is_live(family, column, lack);
        is_changed |=
            is_full != ((*full & bit) != 0) || column->is_complete != ((*complete & bit) != 0);
        *full = (uint8_t)(is_full ? *full | bit : *full & ~bit);
        *complete = (uint8_t)(column->is_complete ? *complete | bit : *complete & ~bit);
        family->full_count += is_full;
        if (is_full)
            table->peers[column->peer - 1].asked[index] = table->judged;
    }
    return is_changed;
}

/* What has come to its end by now. */
static void settle_column(struct column *column, struct utc now, bool is_decaying)
{
    if (column->is_telling && now.ns >= column->telling_until.ns) {
        column->is_telling = false;
        column->is_complete = true;
    }
    if (column->is_dumping && utc_diff(now, column->dumped) >= DUMPED_NS) {
        column->is_dumping = false;
        column->is_complete = true;
    }
    if (is_decaying && column->usual > column->present)
        column->usual -= (column->usual - column->present + DECAYS - 1) / DECAYS;
    if (column->present > column->usual)
        column->usual = column->present;
}

void route_table_judge(struct route_table *table, struct utc now)
{
    bool is_decaying = now.ns >= table->decay_at.ns;
    if (is_decaying)
        table->decay_at = utc_add(now, DECAY_NS);
    table->judged = now;
    for (size_t i = 0; i < 2; i++) {
        struct table_family *family = &table->families[i];
        for (uint32_t k = 0; k < family->column_count; k++)
            if (family->columns[k].peer && !family->columns[k].is_retired)
                settle_column(&family->columns[k], now, is_decaying);
        table->epoch += judge_family(table, i);
    }
}

unsigned route_table_full_feeds(const struct route_table *table, uint8_t family)
{
    return family_of(table, family)->full_count;
}

unsigned route_table_full_feeds_of_late(const struct route_table *table, uint8_t family)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < table->peer_count; i++) {
        struct utc asked = table->peers[i].asked[family_index(family)];
        count += utc_is_known(asked) && utc_diff(table->judged, asked) < OF_LATE_NS;
    }
    return count;
}

const struct mrt_peer *route_table_peer(const struct route_table *table, uint8_t family,
                                        uint32_t column)
{
    const struct column *of = &family_of(table, family)->columns[column];
    return of->peer && !of->is_retired ? &table->peers[of->peer - 1].name : NULL;
}

bool route_table_is_complete(const struct route_table *table, uint8_t family, uint32_t column)
{
    return family_of(table, family)->complete[column / CHUNK_CELLS] >> column % CHUNK_CELLS & 1;
}

bool route_table_is_full_feed(const struct route_table *table, uint8_t family, uint32_t column)
{
    return family_of(table, family)->full[column / CHUNK_CELLS] >> column % CHUNK_CELLS & 1;
}
