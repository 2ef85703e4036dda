#include "app/init_config.h"

#include "sys/host.h"

#include <stdio.h>
#include <string.h>

/* More of one kind are not written: they would hide what matters, and the ASes watch their prefixes. */
enum { LISTED_MAX = 200 };

static const char *const headings[INIT_SECTIONS] = {
    [INIT_NAME_SERVERS] = "name servers",
    [INIT_MAIL] = "who takes mail",
    [INIT_PAGES] = "pages",
    [INIT_HOSTS] = "other hosts",
};

/* ---- targets ---- */

static void write_outcome(const struct init_target *target, struct buffer *out)
{
    const struct observation *result = &target->result;
    if (target->is_excluded)
        buffer_puts(out, "; excluded by the configuration");
    if (!target->was_asked)
        return;
    if (outcome_class((enum outcome)result->outcome) == OUTCOME_CLASS_GOOD)
        buffer_printf(out, "; answered in %.1f ms", (double)result->rtt_ns / NS_PER_MS);
    else
        buffer_printf(out, "; %s when it was tried", outcome_name((enum outcome)result->outcome));
}

static void write_target(const struct init_finding *finding, const struct init_target *target,
                         const char *indent, struct buffer *out)
{
    bool is_proposed = init_target_is_proposed(finding->targets, target);
    buffer_printf(out, "%s%s- \"%s\"  # %s", indent, is_proposed ? "" : "# ", target->text,
                  target->about);
    write_outcome(target, out);
    buffer_puts(out, "\n");
}

static void write_section(const struct init_finding *finding, enum init_section section,
                          const char *indent, struct buffer *out)
{
    const struct init_targets *targets = finding->targets;
    bool has_heading = false;
    for (size_t i = 0; i < targets->count; i++) {
        const struct init_target *target = &targets->list[i];
        if (target->section != section)
            continue;
        if (!has_heading && headings[section])
            buffer_printf(out, "%s# %s\n", indent, headings[section]);
        has_heading = true;
        write_target(finding, target, indent, out);
    }
}

/* A list in which all is commented out is empty, and must say so. */
static void write_list(const struct init_finding *finding, const char *name,
                       enum init_section first, enum init_section last, const char *indent,
                       struct buffer *out)
{
    const struct init_targets *targets = finding->targets;
    bool has_any = false;
    for (size_t i = 0; i < targets->count; i++)
        has_any |= targets->list[i].section >= first && targets->list[i].section <= last &&
                   init_target_is_proposed(targets, &targets->list[i]);
    buffer_printf(out, "%.*s%s:%s\n", (int)strlen(indent) - 2, indent, name, has_any ? "" : " []");
    for (enum init_section i = first; i <= last; i++)
        write_section(finding, i, indent, out);
}

/* ---- routes ---- */

static bool is_ours(const struct survey_asn *as)
{
    return as->sources & (SURVEY_ASKED_FOR | SURVEY_REGISTRY);
}

static void write_asn(const struct survey_asn *as, struct buffer *out)
{
    const char *mark = is_ours(as) || as->sources & SURVEY_ROUTES ? "" : "# ";
    buffer_printf(out, "      %s- %u  #", mark, (unsigned)as->asn);
    if (as->sources & SURVEY_ASKED_FOR)
        buffer_puts(out, " asked for");
    else if (as->sources & (SURVEY_REGISTRY | SURVEY_ROUTES))
        buffer_puts(out, " registered in the country");
    else
        buffer_puts(out, " not known to be its own, but hosts are in what it announces");
    if (as->prefixes)
        buffer_printf(out, "; originates %u prefix%s", as->prefixes, as->prefixes == 1 ? "" : "es");
    buffer_puts(out, "\n");
}

/* Who is registered and announces nothing would only be silent. */
static bool is_worth_listing(const struct survey *survey, const struct survey_asn *as)
{
    bool has_routes = false;
    for (size_t i = 0; i < survey->asn_count; i++)
        has_routes |= survey->asns[i].sources & SURVEY_ROUTES;
    return as->sources != SURVEY_REGISTRY || !has_routes;
}

static void write_asns(const struct survey *survey, struct buffer *out)
{
    size_t listed = 0, active = 0, silent = 0;
    for (size_t i = 0; i < survey->asn_count; i++)
        active += survey->asns[i].sources != SURVEY_HAS_HOST &&
                  is_worth_listing(survey, &survey->asns[i]);
    if (!survey->asn_count)
        return;
    buffer_puts(out, active ? "    asns:\n" : "    asns: []\n");
    for (size_t i = 0; i < survey->asn_count; i++) {
        const struct survey_asn *as = &survey->asns[i];
        silent += !is_worth_listing(survey, as);
        if (is_worth_listing(survey, as) && listed++ < LISTED_MAX)
            write_asn(as, out);
    }
    if (listed > LISTED_MAX)
        buffer_printf(out, "      # and %zu more, which are left out here\n", listed - LISTED_MAX);
    if (silent)
        buffer_printf(out, "      # %zu more %s registered and announce%s nothing\n", silent,
                      silent == 1 ? "is" : "are", silent == 1 ? "s" : "");
}

/* What covers a prefix watches it as well. In order of address, what covers comes first. */
static bool is_covered(const struct survey_prefix *last, const struct survey_prefix *prefix)
{
    return last && prefix_has(&last->prefix, &prefix->prefix);
}

static void write_prefix(const struct survey_prefix *prefix, struct buffer *out)
{
    char text[PREFIX_TEXT_MAX];
    bool is_own = prefix->sources != SURVEY_HAS_HOST;
    buffer_printf(out, "      %s- %s  #", is_own ? "" : "# ", prefix_format(&prefix->prefix, text));
    buffer_puts(out, prefix->sources & SURVEY_REGISTRY ? " delegated;" : "");
    if (prefix->origin)
        buffer_printf(out, " AS%u announces it, seen at %u of %u peers", (unsigned)prefix->origin,
                      prefix->peers, prefix->peers_total);
    else
        buffer_puts(out, " nobody was heard to announce just this");
    buffer_puts(out, prefix->sources & SURVEY_HAS_HOST ? "; hosts are in it\n" : "\n");
}

static void write_prefixes(const struct survey *survey, struct buffer *out)
{
    const struct survey_prefix *last = NULL;
    struct buffer lines = {0};
    size_t listed = 0, active = 0;
    for (size_t i = 0; i < survey->prefix_count; i++) {
        const struct survey_prefix *prefix = &survey->prefixes[i];
        bool is_own = prefix->sources != SURVEY_HAS_HOST;
        if (is_covered(last, prefix))
            continue;
        last = is_own ? prefix : last;
        if (listed++ >= LISTED_MAX)
            continue;
        active += is_own;
        write_prefix(prefix, &lines);
    }
    if (listed > LISTED_MAX)
        buffer_printf(&lines, "      # and %zu more, which are left out here\n",
                      listed - LISTED_MAX);
    if (listed)
        buffer_puts(out, active ? "    prefixes:\n" : "    prefixes: []\n");
    if (listed)
        buffer_puts(out, lines.bytes);
    buffer_done(&lines);
}

static void write_routes(const struct init_finding *finding, struct buffer *out)
{
    const struct survey *survey = finding->survey;
    if (!survey->asn_count && !survey->prefix_count && !finding->country.code[0])
        return;
    buffer_puts(
        out, "\n# Where routes come from: RIPE's collectors as they are streamed, a router of your "
             "own by BMP or BGP,\n# archives (see the README). rrc00 hears peers from all over "
             "the world.\nroutes:\n  ris_live: {hosts: [rrc00]}\n");
    if (!finding->country.code[0])
        return;
    buffer_puts(out,
                "  # How much of the country is visible, every five minutes: for this peers must "
                "tell their whole tables\n  # (bmp, bgp, or archives with a table dump); it takes "
                "about 150 MB.\n  # whole_table: {countries: [FILE]}  # the registries' delegated "
                "files\n");
}

/* ---- all of it ---- */

static void write_head(const struct init_finding *finding, struct buffer *out)
{
    char when[UTC_TEXT_MAX], host[HOST_NAME_TEXT_MAX];
    buffer_printf(out,
                  "# What there is to be watched of %s, as far as 'lastlight init' could find it "
                  "out at\n# %s",
                  finding->name,
                  utc_format((struct utc){finding->now.ns / NS_PER_S * NS_PER_S}, when));
    if (finding->resolver)
        buffer_printf(out, "; the resolver at %s was asked", finding->resolver);
    buffer_puts(out, ". Look it through: you know what this leaves out.\n");
    if (finding->unanswered)
        buffer_printf(out, "# %zu questions of the DNS had no answer: there may be more.\n",
                      finding->unanswered);
    if (finding->survey->refused || finding->targets->refused)
        buffer_puts(out,
                    "# There was more than could be taken in, or names that cannot be written.\n");
    if (finding->targets->count && finding->targets->list[0].was_asked &&
        !init_targets_have_answer(finding->targets))
        buffer_puts(
            out, "# Nobody answered when all this was tried, not even root servers: this machine "
                 "may have no network. So nothing\n# was left out.\n");
    buffer_puts(
        out,
        "#\n#   lastlight run --check-config   what would be watched, and every fault in this "
        "file\n"
        "#   lastlight run --dry-run        every question that would be asked, and how often\n"
        "#   lastlight run                  watch\n\n");
    buffer_printf(out, "journal: %s.db\n\n", finding->name);
    buffer_puts(out, "# Goes out with every request, so that those who are asked can ask back. "
                     "Please give one.\n"
                     "# contact: mailto:you@example.net\n\n");
    buffer_printf(out, "vantage:\n  name: \"%s\"\n", host_name(host));
    buffer_puts(out, "  # If these do not answer either, it is our own network that fails. They "
                     "should have nothing "
                     "to do with\n  # what is watched; some near you are good to have, too.\n");
}

static void write_names(const struct init_finding *finding, struct buffer *out)
{
    const struct survey *survey = finding->survey;
    if (survey->zone_count)
        buffer_puts(out, "    zones:\n");
    for (size_t i = 0; i < survey->zone_count; i++)
        buffer_printf(out, "      - \"%s\"\n", survey->zones[i]);
    if (finding->country.code[0])
        buffer_printf(out, "    # countries: [%s]  # with the whole table, see below\n",
                      finding->country.code);
}

void init_config_write(const struct init_finding *finding, struct buffer *out)
{
    write_head(finding, out);
    write_list(finding, "controls", INIT_CONTROLS, INIT_CONTROLS, "    ", out);
    buffer_puts(out, "\ndefaults: {interval: 60s}\n\nsubjects:\n");
    buffer_printf(out, "  - name: \"%s\"\n", finding->name);
    write_names(finding, out);
    write_asns(finding->survey, out);
    write_prefixes(finding->survey, out);
    write_list(finding, "targets", INIT_NAME_SERVERS, INIT_HOSTS, "      ", out);
    write_routes(finding, out);
}
