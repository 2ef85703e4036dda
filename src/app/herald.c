#include "app/herald.h"

#include "app/command.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* One byte each; beyond this, incidents are only in the journal. */
enum { INCIDENTS_MAX = 1024 * 1024 };
enum { TOLD_NOTHING, TOLD_OPEN, TOLD_OVER };

void herald_init(struct herald *herald, const struct registry *registry)
{
    *herald = (struct herald){.registry = registry};
}

void herald_done(struct herald *herald)
{
    free(herald->incidents);
    *herald = (struct herald){0};
}

static uint8_t *told(struct herald *herald, uint32_t id)
{
    if (id >= herald->known) {
        herald->incidents = mem_grow(herald->incidents, &herald->capacity, id + 1, 1);
        memset(herald->incidents + herald->known, TOLD_NOTHING, id + 1 - herald->known);
        herald->known = id + 1;
    }
    return &herald->incidents[id];
}

static void add_incident(struct herald *herald, const struct incident *incident, struct buffer *out)
{
    char text[UTC_TEXT_MAX];
    const char *subject = registry_text(herald->registry, incident->subject);
    if (incident->id >= INCIDENTS_MAX)
        return;
    uint8_t *last = told(herald, incident->id);
    uint8_t now = incident->is_open ? TOLD_OPEN : TOLD_OVER;
    /* One that was open before this run began has been told by the run before. */
    bool is_news = *last != now && (*last || now == TOLD_OVER || incident->revision == 1);
    *last = now;
    if (!is_news)
        return;
    if (now == TOLD_OVER)
        buffer_printf(out, "incident %u on %s is over, by %s", incident->id, subject,
                      utc_format(incident->ended.first_after, text));
    else
        buffer_printf(
            out, "incident %u on %s, since %s at the latest; 'lastlight why %u' says more",
            incident->id, subject, utc_format(incident->began.first_after, text), incident->id);
}

static void add_fault(const struct herald *herald, const struct notice *notice, struct buffer *out)
{
    int check = registry_own_check(herald->registry, notice->target);
    const char *source = registry_text(herald->registry, notice->source);
    if (check >= 0 && notice->is_open)
        buffer_printf(out, "vantage %s: %s", source, own_check_phrase((enum own_check)check));
    else if (check >= 0)
        buffer_printf(out, "vantage %s: %s is well again", source,
                      registry_text(herald->registry, notice->target));
}

static void add_notice(struct herald *herald, const struct notice *notice, struct buffer *out)
{
    const char *source = registry_text(herald->registry, notice->source);
    bool is_told = notice->id == herald->notice.id && notice->is_open == herald->notice.is_open;
    bool is_fault = notice->kind == NOTICE_OWN_FAULT;
    if ((notice->kind != NOTICE_VANTAGE_UNWELL && !is_fault) || is_told)
        return;
    herald->notice = *notice;
    if (is_fault)
        add_fault(herald, notice, out);
    else if (notice->is_open && !notice->n)
        buffer_printf(out, "vantage %s is not well: what it sees counts as no data", source);
    else if (notice->is_open)
        buffer_printf(out,
                      "vantage %s is not well: %u of %u controls do not answer; what it sees "
                      "counts as no data",
                      source, notice->n, notice->m);
    else
        buffer_printf(out, "vantage %s is well again", source);
}

void herald_line(struct herald *herald, const struct conclusion *conclusion, struct buffer *out)
{
    if (conclusion->kind == CONCLUSION_INCIDENT)
        add_incident(herald, &conclusion->incident, out);
    else if (conclusion->kind == CONCLUSION_NOTICE)
        add_notice(herald, &conclusion->notice, out);
}

void herald_hear(void *context, const struct conclusion *conclusion)
{
    struct buffer line = {0};
    herald_line(context, conclusion, &line);
    if (line.size)
        command_say("%s", line.bytes);
    buffer_done(&line);
}
