#include "source/probe/prober_inside.h"

#include "base/hash.h"
#include "base/mem.h"
#include "source/probe/dns.h"
#include "source/zone/zone.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

/* NULL if it wants none. */
static struct wishes *wishes_of(const struct probe_plan *plan)
{
    if (!plan->zone && !plan->expect_text && !plan->expect_status && !plan->redirects &&
        !plan->family && !plan->all_addresses)
        return NULL;
    struct wishes *wishes = mem_new(1, sizeof *wishes);
    *wishes = (struct wishes){.zone = zone_settings_copy(plan->zone),
                              .expect_text = mem_copy(plan->expect_text),
                              .expect_status = (int16_t)plan->expect_status,
                              .redirects = (uint8_t)plan->redirects,
                              .family = plan->family,
                              .all_addresses = plan->all_addresses};
    return wishes;
}

static void wishes_free(struct wishes *wishes)
{
    if (!wishes)
        return;
    zone_settings_free(wishes->zone);
    free(wishes->expect_text);
    free(wishes);
}

/* The last of those retired takes its place. */
static void leave_retired(const struct asked *asked)
{
    struct prober *prober = asked->prober;
    struct asked *last = prober->retired[--prober->retired_count];
    prober->retired[asked->retired_at] = last;
    last->retired_at = asked->retired_at;
}

void asked_free(struct asked *asked)
{
    agenda_drop(asked->prober->agenda, &asked->turn);
    follow_leave(asked);
    if (asked->is_retired)
        leave_retired(asked);
    wishes_free(asked->wishes);
    if (asked->recollection && asked->recollection->engine.state)
        asked->recollection->engine.release(asked->recollection->engine.state);
    free(asked->recollection);
    free(asked);
}

static int compare_entries(const void *a, const void *b)
{
    uint32_t x = (*(struct asked *const *)a)->id, y = (*(struct asked *const *)b)->id;
    return (x > y) - (x < y);
}

static enum err check_times(const struct probe_plan *plan, struct why *why)
{
    if (plan->interval_ns <= 0 || plan->timeout_ns <= 0 || plan->count < 1)
        return why_set(why, ERR_CONFIG, "target '%.200s' needs an interval, a timeout and a count",
                       plan->target);
    if (plan->timeout_ns > plan->interval_ns)
        return why_set(why, ERR_CONFIG, "target '%.200s' has a timeout longer than its interval",
                       plan->target);
    if (plan->interval_ns / plan->count < NS_PER_MS)
        return why_set(why, ERR_CONFIG,
                       "target '%.200s' would be asked more than 1000 times a second",
                       plan->target);
    return ERR_OK;
}

bool prober_pings(const char *target)
{
    return strncmp(target, "icmp:", 5) == 0 || strncmp(target, "trace:", 6) == 0;
}

/* Nobody in particular answers for 0.0.0.0/8, ::, a multicast group or the broadcast address. */
static bool is_of_one_host(const struct addr *addr)
{
    static const struct addr any = {.family = 6};
    const uint8_t *bytes = addr->bytes;
    if (addr->family == 4)
        return bytes[0] != 0 && (bytes[0] & 0xf0U) != 0xe0 &&
               memcmp(bytes, "\xff\xff\xff\xff", 4) != 0;
    return !addr->family || (bytes[0] != 0xff && addr_compare(addr, &any) != 0);
}

static enum err check_redirects(const struct probe_plan *plan, const struct target *target,
                                struct why *why)
{
    bool is_page = target->kind == TARGET_HTTP || target->kind == TARGET_HTTPS;
    if (plan->redirects && !is_page)
        return why_set(why, ERR_CONFIG, "target '%.200s' is no page that could redirect",
                       plan->target);
    if (plan->redirects > PROBER_REDIRECTS_MAX)
        return why_set(why, ERR_CONFIG, "target '%.200s' follows %u redirects; expected at most %d",
                       plan->target, plan->redirects, PROBER_REDIRECTS_MAX);
    return ERR_OK;
}

static enum err check_text(const struct probe_plan *plan, const struct target *target,
                           struct why *why)
{
    if (!plan->expect_text)
        return ERR_OK;
    if (target->kind != TARGET_HTTP && target->kind != TARGET_HTTPS)
        return why_set(why, ERR_CONFIG, "target '%.200s' is no page that could contain a text",
                       plan->target);
    size_t n = strlen(plan->expect_text);
    if (n < 1 || n > PROBER_TEXT_MAX)
        return why_set(why, ERR_CONFIG, "target '%.200s' has a text of %zu bytes; expected 1 to %d",
                       plan->target, n, PROBER_TEXT_MAX);
    return ERR_OK;
}

enum err prober_check(const struct probe_plan *plan, struct why *why)
{
    struct target target;
    enum err err = target_parse(plan->target, strlen(plan->target), &target, why);
    if (!err)
        err = check_times(plan, why);
    if (err)
        return err;
    if (target.kind == TARGET_SELF && !plan->is_control)
        return why_set(why, ERR_CONFIG, "target '%.200s' tells of the vantage, and of no subject",
                       plan->target);
    if (target.kind == TARGET_BLOCK)
        return why_set(why, ERR_UNSUPPORTED,
                       "'%.200s' is a whole network, which is not asked like a target; write it "
                       "under 'blocks:' of a subject",
                       plan->target);
    if (!is_of_one_host(&target.addr))
        return why_set(why, ERR_CONFIG, "target '%.200s' is not the address of one host",
                       plan->target);
    if (target.kind == TARGET_DNS && !dns_can_ask(&target, plan->target))
        return why_set(why, ERR_CONFIG, "target '%.200s' has no valid name or record type",
                       plan->target);
    if (target.kind == TARGET_ZONE && zone_check(&target, plan->target, plan->zone, why))
        return ERR_CONFIG;
    err = check_redirects(plan, &target, why);
    return err ? err : check_text(plan, &target, why);
}

struct asked *asked_new(struct prober *prober, const struct probe_plan *plan)
{
    struct registry *registry = prober->sink.registry;
    enum name_kind kind = plan->is_control ? NAME_CONTROL : NAME_TARGET;
    uint32_t id = registry_intern(registry, kind, plan->target, strlen(plan->target));
    if (!id)
        return NULL;
    struct asked *asked = mem_new(1, sizeof *asked);
    asked->prober = prober;
    asked->is_control = plan->is_control;
    asked->id = id;
    asked->target = registry_target(registry, id);
    asked->timeout_ns = plan->timeout_ns;
    asked->step_ns = plan->interval_ns / (asked->target->kind == TARGET_ICMP ? plan->count : 1);
    asked->wishes = wishes_of(plan);
    asked->turn = (struct agenda_entry){.fire = asked_on_turn, .context = asked};
    return asked;
}

static void start(struct asked *asked)
{
    struct prober *prober = asked->prober;
    if (prober->is_draining)
        return;
    if (prober->at_once) {
        agenda_set_now(prober->agenda, &asked->turn);
        return;
    }
    struct mono due = clock_mono();
    const char *text = asked_text(asked);
    uint64_t chance = hash_bytes(text, strlen(text), prober->seed);
    due.ns += (int64_t)(chance % (uint64_t)asked->step_ns);
    agenda_set(prober->agenda, &asked->turn, due);
}

void asked_retire(struct asked *asked)
{
    struct prober *prober = asked->prober;
    agenda_drop(prober->agenda, &asked->turn);
    follow_leave(asked);
    prober->retired = mem_grow(prober->retired, &prober->retired_capacity,
                               prober->retired_count + 1, sizeof *prober->retired);
    asked->is_retired = true;
    asked->retired_at = (uint32_t)prober->retired_count;
    prober->retired[prober->retired_count++] = asked;
    if (!asked->outstanding)
        asked_free(asked);
}

/* An old entry goes on in place of a new one. Its time table is moved only if it is another one. */
static void carry_on(struct asked *old, struct asked *replacement)
{
    bool is_moved = old->step_ns != replacement->step_ns;
    struct wishes *before = old->wishes;
    old->timeout_ns = replacement->timeout_ns;
    old->step_ns = replacement->step_ns;
    old->wishes = replacement->wishes;
    replacement->wishes = before;
    asked_free(replacement);
    if (is_moved)
        start(old);
}

static enum err check_entry(const struct prober *prober, const struct probe_plan *plan,
                            struct why *why)
{
    struct target target;
    enum err err = prober_check(plan, why);
    if (err || !prober->options)
        return err;
    target_parse(plan->target, strlen(plan->target), &target, NULL);
    if (target.addr.family &&
        manners_judge(prober->options, &target.addr, true) == MANNERS_EXCLUDED)
        return why_set(why, ERR_CONFIG, "target '%.200s' is excluded", plan->target);
    return ERR_OK;
}

static enum err check_plan(const struct prober *prober, const struct probe_plan *plan, size_t count,
                           struct why *why)
{
    enum err err = ERR_OK;
    if (count > PROBER_TARGETS_MAX)
        return why_set(why, ERR_LIMIT, "%zu targets are more than the %d that are allowed", count,
                       PROBER_TARGETS_MAX);
    for (size_t i = 0; i < count && !err; i++)
        err = check_entry(prober, &plan[i], why);
    return err;
}

/* NULL if there is no room for all of them in the registry. */
static struct asked **sorted_plan(struct prober *prober, const struct probe_plan *plan,
                                  size_t *count)
{
    struct asked **entries = mem_new(*count, sizeof *entries);
    size_t n = 0, kept = 0;
    while (n < *count && (entries[n] = asked_new(prober, &plan[n])))
        n++;
    if (n < *count) {
        while (n)
            asked_free(entries[--n]);
        free(entries);
        return NULL;
    }
    qsort(entries, n, sizeof(struct asked *), compare_entries);
    for (size_t i = 0; i < n; i++) {
        if (kept && entries[kept - 1]->id == entries[i]->id)
            asked_free(entries[i]);
        else
            entries[kept++] = entries[i];
    }
    *count = kept;
    return entries;
}

enum err prober_set_plan(struct prober *prober, const struct probe_plan *plan, size_t count,
                         struct why *why)
{
    enum err err = check_plan(prober, plan, count, why);
    if (err)
        return err;
    struct asked **entries = sorted_plan(prober, plan, &count);
    if (!entries)
        return why_set(why, ERR_LIMIT, "the registry is full: no room for %zu targets", count);
    size_t old = 0;
    for (size_t i = 0; i < count; i++) {
        while (old < prober->count && prober->plan[old]->id < entries[i]->id)
            asked_retire(prober->plan[old++]);
        if (old < prober->count && prober->plan[old]->id == entries[i]->id) {
            carry_on(prober->plan[old], entries[i]);
            entries[i] = prober->plan[old++];
        } else {
            follow_join(entries[i]);
            start(entries[i]);
        }
    }
    while (old < prober->count)
        asked_retire(prober->plan[old++]);
    free(prober->plan);
    prober->plan = entries;
    prober->count = count;
    follow_plan(prober);
    return ERR_OK;
}
