/* What options.def says, for people: --help and the manual page. */
#include "app/options.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 80, OPTION_COLUMN = 26, COMMAND_COLUMN = 16 };

/* Adds text word by word, broken before COLUMNS, with further lines indented. `at` is the current
 * column. */
static void add_wrapped(struct buffer *out, const char *text, size_t at, size_t indent)
{
    bool is_first = true;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (!is_first && at + 1 + word > COLUMNS) {
            buffer_printf(out, "\n%*s", (int)indent, "");
            at = indent;
            is_first = true;
        }
        buffer_printf(out, "%s%.*s", is_first ? "" : " ", (int)word, text);
        at += word + (is_first ? 0 : 1);
        is_first = false;
        text += word;
        text += strspn(text, " ");
    }
    buffer_puts(out, "\n");
}

/* A name in the left column and its explanation in the right one. */
static void add_row(struct buffer *out, const char *left, size_t column, const char *right)
{
    size_t n = strlen(left) + 2;
    buffer_printf(out, "  %s", left);
    if (n + 2 > column) {
        buffer_printf(out, "\n%*s", (int)column, "");
    } else {
        buffer_printf(out, "%*s", (int)(column - n), "");
    }
    add_wrapped(out, right, column, column);
}

void help_overview(struct buffer *out)
{
    buffer_puts(out, "lastlight " LASTLIGHT_VERSION
                     ": which light went out first, and what does that say about why?\n\n"
                     "Usage: lastlight COMMAND [OPTION...] [ARGUMENT...]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct command_row *row = command_row((enum command)i);
        add_row(out, row->name, COMMAND_COLUMN, row->summary);
    }
    buffer_puts(out,
                "\n'lastlight help COMMAND' explains one. Exit status: 0 done, 1 failed or found,\n"
                "2 wrong usage or configuration.\n");
}

/* What is to stand behind an option: its values, unless they are so many that its help names them. */
static const char *argument_of(const struct option_row *row)
{
    return row->values && strlen(row->values) < COLUMNS / 2 ? row->values : row->argument;
}

static void add_option(struct buffer *out, const struct option_row *row)
{
    struct buffer left = {0};
    if (row->letter)
        buffer_printf(&left, "-%c, --%s", row->letter, row->name);
    else
        buffer_printf(&left, "    --%s", row->name);
    if (row->argument)
        buffer_printf(&left, "=%s", argument_of(row));
    add_row(out, left.bytes, OPTION_COLUMN, row->help);
    buffer_done(&left);
}

static void add_usage(struct buffer *out, const struct command_row *row)
{
    bool has_options = (row->options & ~(UINT64_C(1) << OPTION_HELP)) != 0;
    buffer_printf(out, "lastlight %s%s%s%s", row->name, has_options ? " [OPTION...]" : "",
                  *row->arguments ? " " : "", row->arguments);
}

void help_command(enum command command, struct buffer *out)
{
    const struct command_row *row = command_row(command);
    struct buffer title = {0};
    buffer_printf(&title, "lastlight %s: %s", row->name, row->summary);
    add_wrapped(out, title.bytes, 0, 0);
    buffer_done(&title);
    buffer_puts(out, "\nUsage: ");
    add_usage(out, row);
    buffer_puts(out, "\n\n");
    if (*row->paragraph) {
        add_wrapped(out, row->paragraph, 0, 0);
        buffer_puts(out, "\n");
    }
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command_takes(command, (enum option)i))
            add_option(out, option_row((enum option)i));
}

/* In roff a backslash and a dash have meanings of their own, as has a dot at the start of a line.
 */
static void add_roff(struct buffer *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        buffer_puts(out, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            buffer_puts(out, "\\e");
        else if (*text == '-')
            buffer_puts(out, "\\-");
        else
            buffer_add(out, text, 1);
    }
}

static void man_option(struct buffer *out, const struct option_row *row)
{
    buffer_puts(out, ".TP\n");
    if (row->letter)
        buffer_printf(out, "\\fB\\-%c\\fR, ", row->letter);
    buffer_puts(out, "\\fB\\-\\-");
    add_roff(out, row->name);
    buffer_puts(out, "\\fR");
    if (row->argument)
        buffer_printf(out, "=\\fI%s\\fR", argument_of(row));
    buffer_puts(out, "\n");
    add_roff(out, row->help);
    buffer_puts(out, "\n");
}

static void man_command(struct buffer *out, enum command command)
{
    const struct command_row *row = command_row(command);
    buffer_printf(out, ".SS lastlight %s %s\n", row->name, row->arguments);
    struct buffer text = {0};
    buffer_printf(&text, "%s.", row->summary);
    if (text.bytes[0] >= 'a' && text.bytes[0] <= 'z')
        text.bytes[0] = (char)(text.bytes[0] - 'a' + 'A');
    if (*row->paragraph)
        buffer_printf(&text, " %s", row->paragraph);
    add_roff(out, text.bytes);
    buffer_puts(out, "\n");
    buffer_done(&text);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (i != OPTION_HELP && command_takes(command, (enum option)i))
            man_option(out, option_row((enum option)i));
}

/* All keys, as they stand in a file; app/config/config.h says more, and a test reads this very text. */
const char *help_config_example(void)
{
    return "journal: lastlight.db\n"
           "contact: mailto:noc@example.net\n"
           "vantage:\n"
           "  name: lon\n"
           "  controls: [icmp:192.0.2.1, {target: \"tcp:192.0.2.7:443\", interval: 10s}]\n"
           "defaults: {interval: 30s, timeout: 3s, count: 1}\n"
           "subjects:\n"
           "  - name: kp\n"
           "    title: North Korea\n"
           "    timezone: \"+09:00\"\n"
           "    zones: [kp., {zone: com.kp., interval: 10m, resolver: 192.0.2.53}]\n"
           "    prefixes: [175.45.176.0/22]\n"
           "    asns: [131279]\n"
           "    countries: [KP]\n"
           "    targets:\n"
           "      - icmp:175.45.176.71\n"
           "      - {target: icmp:175.45.176.80, count: 3}\n"
           "      - {target: \"http://kcna.kp/\", interval: 60s, timeout: 5s, expect: 200,\n"
           "         text: \"Korean Central News\"}\n"
           "routes:\n"
           "  collector: rrc00\n"
           "  archives: [archive/2022-01]\n"
           "  bmp: {listen: \"192.0.2.9:11019\", table: pre-policy}\n"
           "  bgp:\n"
           "    listen: \"192.0.2.9:179\"\n"
           "    asn: 64512\n"
           "    id: 192.0.2.9\n"
           "    hold: 90s\n"
           "    collector: lon-bgp\n"
           "    peers: [{address: 192.0.2.1, asn: 64500, md5: \"a secret\"},\n"
           "            {address: \"2001:db8::1\", asn: 64501, md5: {file: keys/edge1}}]\n"
           "  ris_live: {hosts: [rrc06, rrc15], client: lastlight-lon}\n"
           "  whole_table: {countries: [delegated, GeoLite2-Country.mmdb]}\n";
}

static void man_config(struct buffer *out)
{
    buffer_puts(
        out,
        ".SH CONFIGURATION\nA YAML file. Only \\fBsubjects\\fR must be there. Targets "
        "are written as "
        "icmp:ADDRESS, tcp:ADDRESS:PORT, tls:HOST:PORT, dns:SERVER/NAME/TYPE (dns+tcp: by TCP "
        "alone), "
        "zone:NAME, http://HOST/PATH or https://HOST/PATH. Each "
        "is asked every \\fIinterval\\fR (1s to 1d) and given up after "
        "\\fItimeout\\fR (at most 10s, and "
        "at most the interval); \\fIcount\\fR is how many echo requests make one "
        "round; \\fIexpect\\fR is the status a page must have (else any 2xx or 3xx) and "
        "\\fItext\\fR what it must contain. \\fIzones\\fR are looked at as a whole, every five "
        "minutes: "
        "delegation, name servers, signatures. {zone: NAME, interval:, timeout:} sets the pace, "
        "\\fIvia\\fR the root servers of a network of its own, \\fItrust_anchors\\fR (DS or DNSKEY "
        "records of the zone or one above) what the signatures are checked from, else from the DS "
        "records that the parent has, and \\fIresolver\\fR the address of one that is asked "
        "whether it "
        "takes the zone. Controls are "
        "targets that have nothing to do with the subjects: if they fail, it is the "
        "observer who is offline. Routers that connect to \\fIbmp\\fR (RFC 7854) or peer with "
        "\\fIbgp\\fR (RFC 4271), "
        "which announces nothing, tell their routes live; \\fItable\\fR is pre-policy, "
        "post-policy, "
        "loc-rib, adj-rib-out or adj-rib-out-pre-policy, \\fImd5\\fR the key of TCP MD5 "
        "signatures, "
        "also as {file: PATH}. \\fIris_live\\fR listens to RIPE's route collectors as RIS Live "
        "streams them, to its \\fIhosts\\fR or (yes) to all. With \\fIwhole_table\\fR (yes) all "
        "that they tell is kept, and every five minutes the journal has how many /24s and /48s of "
        "each AS are visible, and of each country, as the registries' delegated files or a "
        "MaxMind database say. "
        "Relative paths are meant from the folder of the file.\n.PP\n.nf\n");
    const char *at = help_config_example();
    while (*at) {
        char line[128];
        size_t n = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, at);
        add_roff(out, line);
        buffer_puts(out, "\n");
        at += n + 1;
    }
    buffer_puts(out, ".fi\n");
}

void help_man(struct buffer *out)
{
    buffer_puts(
        out,
        ".TH LASTLIGHT 1 \"\" \"lastlight " LASTLIGHT_VERSION "\" \"User Commands\"\n"
        ".SH NAME\nlastlight \\- watch for internet outages and say what their order of failure "
        "says about the cause\n"
        ".SH SYNOPSIS\n.B lastlight\n.I COMMAND\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
        ".SH DESCRIPTION\n"
        "lastlight watches servers and routes from outside, keeps an exact record of the order in "
        "which "
        "they failed and came back, and says which causes that order fits and which it does not. "
        "It "
        "never says who caused an outage: that cannot be told from outside.\n"
        ".SH COMMANDS\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        man_command(out, (enum command)i);
    man_config(out);
    buffer_puts(out, ".SH EXIT STATUS\n.TP\n.B 0\nDone.\n.TP\n.B 1\nFailed, or faults were found.\n"
                     ".TP\n.B 2\nWrong usage or configuration.\n"
                     ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nIf set and not empty, text is never "
                     "coloured. Colour is "
                     "only used on a terminal.\n"
                     ".TP\n.B XDG_CACHE_HOME\nThe folder in which lastlight/ holds what was "
                     "fetched, if --cache names no other; else ~/.cache.\n"
                     ".TP\n.BR http_proxy ,\\ https_proxy ,\\ no_proxy\nBy which proxy archives "
                     "of the web are fetched.\n"
                     ".SH FILES\n.TP\n.I lastlight.yaml\nThe configuration.\n"
                     ".TP\n.I lastlight.db\nThe journal, an SQLite database; beside it lie "
                     "lastlight.db\\-wal and "
                     "lastlight.db\\-shm while it is open.\n"
                     ".TP\n.I ~/.cache/lastlight\nCopies of the archives that were fetched, as "
                     "HOST/PATH; they can be removed at any time.\n");
}
