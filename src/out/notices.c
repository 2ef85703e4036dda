#include "out/notices.h"

#include "out/words.h"

/* Sources that stopped together stand close together: so far on is looked for them. */
enum { TWINS_WITHIN = 32 };

/* The moment by which it had happened at the latest. */
static int64_t latest(const struct interval *at)
{
    return utc_is_known(at->first_after) ? at->first_after.ns : at->last_before.ns;
}

bool notice_is_within(const struct notice *notice, const struct incident *incident)
{
    int64_t begin = incident->began.last_before.ns, end = latest(&incident->ended);
    if (incident->is_open || !end)
        end = incident->judged.ns;
    int64_t notice_end = notice->is_open ? INT64_MAX : latest(&notice->ended);
    return latest(&notice->began) <= end && notice_end >= begin;
}

static bool is_same(const struct interval *a, const struct interval *b)
{
    return a->last_before.ns == b->last_before.ns && a->first_after.ns == b->first_after.ns;
}

static bool is_twin(const struct notice *a, const struct notice *b)
{
    return a->kind == NOTICE_SOURCE_GAP && b->kind == NOTICE_SOURCE_GAP &&
           a->is_open == b->is_open && is_same(&a->began, &b->began) &&
           is_same(&a->ended, &b->ended);
}

bool notices_is_told(const struct notice_list *notices, size_t at)
{
    for (size_t i = at > TWINS_WITHIN ? at - TWINS_WITHIN : 0; i < at; i++)
        if (is_twin(&notices->list[i], &notices->list[at]))
            return true;
    return false;
}

/* "vantage lon, vantage tyo and collector rrc00 saw nothing: ..." */
static const char *blind_words(struct arena *arena, const struct registry *registry,
                               const struct notice_list *notices, size_t at)
{
    const char *names[TWINS_WITHIN + 1];
    size_t count = 0;
    for (size_t i = at; i < notices->count && i - at <= TWINS_WITHIN; i++) {
        uint32_t source = notices->list[i].source;
        if (i != at && !is_twin(&notices->list[at], &notices->list[i]))
            continue;
        bool is_collector = source && registry_kind(registry, source) == NAME_COLLECTOR;
        names[count++] = arena_printf(arena, "%s %s", is_collector ? "collector" : "vantage",
                                      registry_text(registry, source));
    }
    const char *verb = !notices->list[at].is_open ? "saw" : count > 1 ? "see" : "sees";
    return arena_printf(arena, "%s %s nothing: that is no data, not an outage",
                        words_list(arena, names, count), verb);
}

static const char *unwell_words(struct arena *arena, const char *source,
                                const struct notice *notice)
{
    const char *controls = words_count(arena, notice->m, "control target", "control targets");
    if (!notice->n)
        return arena_printf(arena,
                            notice->is_open
                                ? "vantage %s is not well: what it sees counts as no data"
                                : "vantage %s was not well: what it saw counted as no data",
                            source);
    if (notice->is_open)
        return arena_printf(arena,
                            "vantage %s is not well: %u of %s %s not answer; what it sees counts "
                            "as no data",
                            source, notice->n, controls, notice->n == 1 ? "does" : "do");
    return arena_printf(arena,
                        "vantage %s was not well: %u of %s did not answer; what it saw counted as "
                        "no data",
                        source, notice->n, controls);
}

static const char *fault_words(struct arena *arena, const struct registry *registry,
                               const struct notice *notice)
{
    int check = registry_own_check(registry, notice->target);
    if (check < 0)
        return notice_kind_name((enum notice_kind)notice->kind);
    return arena_printf(
        arena, notice->is_open ? "vantage %s finds: %s (%s)" : "vantage %s found: %s (%s)",
        registry_text(registry, notice->source), own_check_phrase((enum own_check)check),
        registry_text(registry, notice->target));
}

static const char *what_words(struct arena *arena, const struct registry *registry,
                              const struct notice_list *notices, size_t at)
{
    const struct notice *notice = &notices->list[at];
    const char *source = registry_text(registry, notice->source);
    const char *target = registry_text(registry, notice->target);
    switch (notice->kind) {
    case NOTICE_VANTAGE_UNWELL:
        return unwell_words(arena, source, notice);
    case NOTICE_SOURCE_GAP:
        return blind_words(arena, registry, notices, at);
    case NOTICE_PEER_LOST:
        return arena_printf(arena,
                            notice->is_open
                                ? "collector %s has lost its peer %s, which is not counted"
                                : "collector %s lost its peer %s, which was not counted",
                            source, target);
    case NOTICE_SERIES_SILENT:
        return arena_printf(arena,
                            notice->is_open ? "target %s is no longer asked by %s: no data"
                                            : "target %s was not asked by %s: no data",
                            target, source);
    case NOTICE_OWN_FAULT:
        return fault_words(arena, registry, notice);
    default:
        return notice_kind_name((enum notice_kind)notice->kind);
    }
}

const char *notices_words(struct arena *arena, const struct registry *registry,
                          const struct notice_list *notices, size_t at)
{
    const struct notice *notice = &notices->list[at];
    const char *what = what_words(arena, registry, notices, at);
    const char *began = words_interval(arena, &notice->began, (struct utc){0});
    struct interval ended = notice->ended;
    if (notice->is_open)
        return arena_printf(arena, "%s (began %s; not over)", what, began);
    /* It cannot have ended before it began: of an end that reaches back there only its last moment
     * tells something. */
    if (ended.last_before.ns < notice->began.first_after.ns && utc_is_known(ended.first_after))
        ended.last_before = (struct utc){0};
    return arena_printf(arena, "%s (began %s; ended %s)", what, began,
                        words_interval(arena, &ended, notice->began.first_after));
}
