#include "core/incident/steps.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void count_member(struct incidents *in, const struct member *member,
                         const struct track *track, bool is_in)
{
    struct tally *tally = tally_at(in, member->domain);
    bool is_down = is_in && track->condition == CONDITION_DOWN;
    bool is_host = member->kind == NAME_TARGET;
    struct layer_tally *layer = &tally->layers[member->layer];
    struct layer_tally *path = &tally->layers[LAYER_PATH];
    /* By the last that was known: what falls silent with its vantage makes no share larger. */
    if (track->condition == CONDITION_NO_DATA)
        return;
    layer->watched++;
    layer->is_whole = member->is_whole;
    layer->down = (uint16_t)(layer->down + is_down);
    layer->affected =
        (uint16_t)(layer->affected + (is_down || (!is_host && is_in && track_is_failing(track))));
    if (!is_host)
        return;
    tally->is_host = true;
    tally->watched++;
    tally->down = (uint16_t)(tally->down + is_down);
    if (member->layer != LAYER_PATH)
        path->watched++;
    path->is_whole = member->is_whole;
    path->affected = (uint16_t)(path->affected + (is_in && track->condition == CONDITION_DEGRADED));
}

static void sum_layer(struct extent *extent, const struct layer_tally *layer)
{
    bool is_down = layer->down && layer->down == layer->watched;
    extent->watched = (uint16_t)(extent->watched + (layer->watched > 0));
    extent->down = (uint16_t)(extent->down + is_down);
    extent->degraded = (uint16_t)(extent->degraded + (!is_down && layer->affected));
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* In how many networks the hosts lie, or those of them that are down. */
static uint32_t count_networks(const struct incidents *in, const struct watch_list *watch,
                               bool only_down)
{
    uint64_t *keys = mem_new(in->tallies.count, sizeof *keys);
    size_t n = 0;
    uint32_t networks = 0;
    for (size_t i = 0; i < in->tallies.count; i++) {
        const struct tally *tally = tally_at(in, i);
        if (tally->is_host && (!only_down || tally->down == tally->watched))
            keys[n++] = ((const struct domain *)table_at(&watch->domains, i))->network;
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++)
        networks += i == 0 || keys[i] != keys[i - 1];
    free(keys);
    return networks;
}

static void sum_hosts(const struct incidents *in, const struct watch_list *watch,
                      struct counts *counts)
{
    for (size_t i = 0; i < in->tallies.count; i++) {
        const struct tally *tally = tally_at(in, i);
        for (int layer = 0; layer < LAYER_COUNT; layer++) {
            sum_layer(&counts->extents[layer], &tally->layers[layer]);
            if (tally->layers[layer].is_whole)
                sum_layer(&counts->wholes[layer], &tally->layers[layer]);
        }
        if (!tally->is_host)
            continue;
        counts->hosts_watched++;
        counts->hosts_down += tally->down == tally->watched;
    }
    counts->networks_watched = count_networks(in, watch, false);
    counts->networks_down = count_networks(in, watch, true);
    const struct extent *routes = &counts->extents[LAYER_ROUTE];
    double hosts = counts->hosts_watched ? (double)counts->hosts_down / counts->hosts_watched : 0;
    double gone = routes->watched ? (double)routes->down / routes->watched : 0;
    counts->share = hosts > gone ? hosts : gone;
}

struct counts case_count(struct incidents *in, const struct watch_list *watch,
                         const struct case_file *file, uint32_t row)
{
    struct counts counts;
    memset(&counts, 0, sizeof counts);
    in->tallies.count = 0;
    for (size_t i = 0; i < watch->domains.count; i++)
        table_add(&in->tallies);
    for (uint32_t at = first_of(watch, file->subject); at;) {
        const struct member *member = watch_member(watch, at - 1);
        const struct track *track = track_at(&in->tracks, at - 1);
        at = member->next;
        if (!member->is_listed || member->kind == NAME_ASN)
            continue;
        bool is_in = track->slot == row + 1;
        /* A certificate that expired elsewhere in the record says nothing of whether its host lives. */
        if (!is_in && track->slot && case_at(in, track->slot - 1)->is_of_expiries)
            continue;
        count_member(in, member, track, is_in);
        counts.is_failing |= is_in && track_is_failing(track);
    }
    sum_hosts(in, watch, &counts);
    return counts;
}
