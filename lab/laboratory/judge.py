"""Holds what lastlight concluded against the truth of a run, and writes the table of it.

Pure: values in, values out; no file, no clock, no program. Times are seconds since 1970. An onset is
an interval, as lastlight tells it: it did not begin before `first`, and had begun by `last`.

    rows = judge(read_truth(text), findings)     a Row for each fault of the run; one if it had none
    print(table(rows))                           of any number of runs
    print(*reading(row, findings), sep="\n")     why a judgement went wrong
"""

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from datetime import datetime

from .box import Failed

# ---- what lastlight concluded ----


@dataclass
class Interval:
    first: float | None   # None: not known
    last: float | None


@dataclass
class Evidence:
    name: str
    truth: str            # present, absent or unknown
    sentence: str
    weights: dict         # by cause, > 0 speaks for it


@dataclass
class Verdict:
    call: str | None      # None: no call
    confidence: str
    is_provisional: bool
    posterior: dict       # by cause, the likeliest first
    likely_set: list      # the causes that hold 80 %
    evidence: list = field(default_factory=list)      # whatever is known to be so or not so
    less_because: dict = field(default_factory=dict)  # by cause

    @property
    def leader(self):
        return next(iter(self.posterior))


@dataclass
class Layer:
    name: str
    watched: int
    down: int             # at the worst moment
    degraded: int


@dataclass
class Episode:
    began: Interval
    ended: Interval | None


@dataclass
class Incident:
    number: int
    subject: str
    began: Interval
    ended: Interval | None             # None: it is open
    is_open: bool
    opened: float | None = None        # time in the data of its first revision
    episodes: list = field(default_factory=list)
    layers: list = field(default_factory=list)
    verdict: Verdict | None = None
    summary: str = ""


@dataclass
class Notice:
    """What lastlight says of the observer itself."""
    kind: str
    source: str
    target: str | None
    is_open: bool
    n: int
    m: int
    began: Interval
    ended: Interval | None


@dataclass
class Told:
    """A line of the live daemon, stamped with the time of the laboratory's clock when it appeared."""
    time: float
    vantage: str
    line: str
    opens: int | None     # the incident that it says has opened


@dataclass
class Findings:
    incidents: list                                  # of the joint record
    notices: list = field(default_factory=list)
    told: list = field(default_factory=list)
    live: dict = field(default_factory=dict)         # by vantage, the incidents of its own journal
    complaints: list = field(default_factory=list)   # what replaying the joint record said


# ---- the truth ----


@dataclass
class Fault:
    name: str
    began: float
    began_latest: float    # later than `began` if the fault bites by and by
    ended: float           # inf: it lasted to the end
    ended_latest: float
    causes: list           # each a right reading
    forbidden: list        # must not be called, nor lead
    is_undetermined: bool  # no call is right
    is_to_be_seen: bool    # an incident must come of it


@dataclass
class Quiet:
    """Something that was done and must not become an incident."""
    name: str
    began: float
    ended: float
    because: str
    notice: str | None     # what a notice must come of it about, such as "vantage west"


@dataclass
class Truth:
    scenario: str
    seed: int
    faults: list = field(default_factory=list)
    quiets: list = field(default_factory=list)
    began: float = -math.inf     # of the run
    ended: float = math.inf


def seconds(text):
    """2026-01-02T03:04:05.678Z as seconds since 1970; None stays None."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


def read_truth(text):
    truth = None
    for number, line in enumerate(text.splitlines(), 1):
        try:
            entry = json.loads(line)
            if entry["type"] == "run":
                truth = Truth(entry["scenario"], entry["seed"], began=seconds(entry["time"]))
            elif entry["type"] == "fault":
                truth.faults.append(_fault(entry))
            elif entry["type"] == "quiet":
                truth.quiets.append(_quiet(entry))
            elif entry["type"] == "end":
                truth.ended = seconds(entry["time"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Failed(f"truth, line {number}: {error!r}; expected a run first, then its faults, with "
                         "the members that judge.py describes") from None
    if truth is None:
        raise Failed("the truth holds no line of type run; was the run cut off before it began?")
    return truth


def _fault(entry):
    began = seconds(entry["began"])
    ended = seconds(entry.get("ended")) or math.inf
    if not entry["causes"] and not entry.get("undetermined"):
        raise ValueError("a fault needs causes, or undetermined: nothing could be right")
    if ended < began:
        raise ValueError("a fault that ended before it began")
    return Fault(name=entry["name"], began=began, began_latest=seconds(entry.get("began_latest")) or began,
                 ended=ended, ended_latest=seconds(entry.get("ended_latest")) or ended,
                 causes=entry["causes"], forbidden=entry.get("not", []),
                 is_undetermined=entry.get("undetermined", False), is_to_be_seen=entry.get("incidents", True))


def _quiet(entry):
    return Quiet(name=entry["name"], began=seconds(entry["began"]),
                 ended=seconds(entry.get("ended")) or math.inf, because=entry.get("because", ""),
                 notice=entry.get("notice"))


# ---- the one against the other ----

RIGHT, IN_SET, WRONG = "right", "in set", "wrong"
MISSED, FALSE_ALARM, NOT_JUDGED = "missed", "false alarm", "not judged"


@dataclass
class Row:
    """A fault of a run, or a run without any."""
    scenario: str
    seed: int
    fault: str                           # "" if the run had none
    causes: list                         # right readings
    is_undetermined: bool = False
    is_to_be_seen: bool = False
    is_first: bool = True                # of its run; what is counted by run stands in this one
    incident: int | None = None          # the one that tells of it: it was detected
    live_delay: float | None = None      # from its true begin to the first line of a live daemon
    data_delay: float | None = None      # the same to the first revision of the joint record
    start_error: float | None = None     # > 0: told later than it was
    end_error: float | None = None
    leader: str | None = None
    probability: float | None = None
    call: str | None = None
    likely_set: list = field(default_factory=list)
    is_in_set: bool | None = None        # None: there is no right cause to be in it, or no verdict
    brier: float | None = None
    false_incidents: list = field(default_factory=list)   # their numbers in the joint record; of the run
    false_live: list = field(default_factory=list)        # [vantage, number in its own journal]; of a run without fault
    grade: str = ""
    reason: str = ""


def judge(truth, findings, is_stalled=False):
    """The rows of one run. `is_stalled`: the machine stood still while it ran."""
    found = _pair(truth.faults, findings.incidents)
    rows = [_row(truth, fault, incident, findings, found) for fault, incident in found]
    if not rows:
        rows = [Row(truth.scenario, truth.seed, "", [], grade=RIGHT, reason="no incident, as it should be")]
    for row in rows[1:]:
        row.is_first = False
    _blame(rows[0], truth, findings, found)
    if is_stalled:
        for row in rows:
            row.grade, row.reason = NOT_JUDGED, "the machine stood still: run it again"
    return rows


def _row(truth, fault, incident, findings, found):
    row = Row(truth.scenario, truth.seed, fault.name, fault.causes, fault.is_undetermined,
              fault.is_to_be_seen, live_delay=_live_delay(fault, findings))
    if incident and incident.verdict:
        _check_causes(fault, incident.verdict)
    row.grade, row.reason = _grade(fault, incident)
    if incident is None:
        return row
    others = [f for f, i in found if i is incident and f is not fault]
    began, ended = _span(incident, fault, others)
    row.incident = incident.number
    if _may_tell_of(incident, fault):
        row.data_delay = _after(fault.began, [incident.opened])
    if began:
        row.start_error = distance(began, fault.began, fault.began_latest)
    if ended and fault.ended < math.inf:
        row.end_error = distance(ended, fault.ended, fault.ended_latest)
    if incident.verdict:
        _take_verdict(row, incident.verdict)
    return row


def _check_causes(fault, verdict):
    """A cause that is written wrong would make every verdict wrong, or none."""
    for cause in (*fault.causes, *fault.forbidden):
        if cause not in verdict.posterior:
            raise Failed(f"fault {fault.name}: the truth names the cause '{cause}', which lastlight does not "
                         f"weigh; expected one of {', '.join(verdict.posterior)}")


def _take_verdict(row, verdict):
    row.leader, row.call = verdict.leader, verdict.call
    row.probability = verdict.posterior[verdict.leader]
    row.likely_set = verdict.likely_set
    if row.causes:
        row.is_in_set = any(cause in verdict.likely_set for cause in row.causes)
        row.brier = brier(verdict.posterior, row.causes)


def brier(posterior, causes):
    """0 is best and 2 is worst. Right causes share the truth evenly."""
    return sum((p - (cause in causes) / len(causes)) ** 2 for cause, p in posterior.items())


def distance(interval, began, latest):
    """From the truth, which lies within [began, latest], to the nearer end of the interval that was
    told; 0 if they meet, < 0 if the interval is too early. None if nothing is known of it."""
    if interval.first is None and interval.last is None:
        return None
    if interval.first is not None and interval.first > latest:
        return interval.first - latest
    if interval.last is not None and interval.last < began:
        return interval.last - began
    return 0.0


def overlaps(incident, began, ended):
    first = incident.began.first if incident.began.first is not None else incident.began.last
    last = incident.ended.last if incident.ended else None
    return (first is None or first <= ended) and (last is None or last >= began)


# So much before its fault an incident may be told to have begun: a probe's interval and time-out, and route times
# that are known to a second. What began earlier began without it.
EARLY_S = 5


def _pair(faults, incidents):
    """[(fault, its incident or None)]. Of those that may tell of it a fault has the one that began nearest
    to it. Faults at the same time have one each, as long as there are enough; else they share."""
    pairs = sorted((_misfit(fault, incident), number, incident.number)
                   for number, fault in enumerate(faults) for incident in incidents
                   if _tells_of(incident, fault, faults))
    taken = {}
    for may_share in (False, True):
        for _, fault, incident in pairs:
            if fault not in taken and (may_share or incident not in taken.values()):
                taken[fault] = incident
    by_number = {incident.number: incident for incident in incidents}
    return [(fault, by_number.get(taken.get(number))) for number, fault in enumerate(faults)]


def _tells_of(incident, fault, faults):
    """It was there during the fault, and began with it or, where several faults are told as one, with an
    earlier one."""
    def is_during(some):
        return overlaps(incident, some.began, some.ended_latest)
    return is_during(fault) and any(is_during(f) and not _is_early(incident, f) for f in faults
                                    if f.began <= fault.began)


def _is_early(incident, fault):
    return incident.began.last is not None and incident.began.last < fault.began - EARLY_S


def _misfit(fault, incident):
    """How badly an incident fits a fault: by its begin, and of two at one time by its causes."""
    far = abs(distance(incident.began, fault.began, fault.began_latest) or 0)
    likely = incident.verdict.likely_set if incident.verdict else []
    return far, not any(cause in likely for cause in fault.causes)


def _span(incident, fault, others):
    """(began, ended) as told of this fault, None where that is not told. Where lastlight tells of
    several faults as one incident, each has its own episodes of it; and of those that share an
    episode, it began with the first and ended with the last."""
    if not others:
        return incident.began, incident.ended
    own = [e for e in incident.episodes if overlaps(e, fault.began, fault.ended_latest)]
    own = own or [Episode(incident.began, incident.ended)]
    began, ended = own[0].began, own[-1].ended
    for other in others:
        if other.began < fault.began and overlaps(own[0], other.began, other.ended_latest):
            began = None
        if other.ended > fault.ended and overlaps(own[-1], other.began, other.ended_latest):
            ended = None
    return began, ended


# A probe that was on its way when the fault began fails, and is told with the time it was sent.
ON_ITS_WAY_S = 2


def _may_tell_of(incident, fault):
    """False if it was there before the fault, so that its opening tells of something else."""
    return (overlaps(incident, fault.began, fault.ended_latest)
            and (incident.began.last is None or incident.began.last >= fault.began - ON_ITS_WAY_S))


def _after(began, times):
    """How long after `began` the earliest of these times is that is not before it."""
    return min((t - began for t in times if t is not None and t >= began), default=None)


def _live_delay(fault, findings):
    def tells_of_it(told):
        incident = next((i for i in findings.live.get(told.vantage, []) if i.number == told.opens), None)
        return incident is not None and _may_tell_of(incident, fault)
    return _after(fault.began, [t.time for t in findings.told if tells_of_it(t)])


def _grade(fault, incident):
    if incident is None:
        return (MISSED, "no incident") if fault.is_to_be_seen else (RIGHT, "nothing to be seen, nothing told")
    verdict = incident.verdict
    if verdict is None:
        return WRONG, f"incident {incident.number} has no verdict"
    leader, call = verdict.leader, verdict.call
    if call in fault.forbidden:
        return WRONG, f"called {call}, which it must not"
    if leader in fault.causes:
        return RIGHT, "" if call else "right cause leads, no call"
    if fault.is_undetermined and not call and leader not in fault.forbidden:
        return RIGHT, "no call, as it should be"
    leads = f"called {call}" if call else f"no call, {leader} leads"
    if leader in fault.forbidden:
        leads += ", which it must not"
    ranks = [rank for rank, cause in enumerate(verdict.likely_set, 1) if cause in fault.causes]
    if ranks:
        return IN_SET, f"{leads}; right cause is number {ranks[0]}"
    if not fault.causes:
        return WRONG, f"{leads}; it cannot be told from outside"
    best = max(verdict.posterior.get(cause, 0) for cause in fault.causes)
    return WRONG, f"{leads}; right cause has {best:.0%}"


def _blame(row, truth, findings, found):
    """What counts against the run as a whole: incidents that tell of no fault, or of one that another
    tells of already; in a run without a fault those of a single vantage too, which its users would have
    been told of; and notices that did not come."""
    used = {incident.number for _, incident in found if incident}
    false = [i for i in findings.incidents if i.number not in used]
    false_live = [] if truth.faults else _live_alarms(truth, findings)
    row.false_incidents = [i.number for i in false]
    row.false_live = [[vantage, i.number] for vantage, i in false_live]
    silent = [f"no notice about {quiet.notice}" for quiet in truth.quiets
              if quiet.notice and not _is_noticed(quiet, findings)]
    if not truth.faults and (false or false_live):
        row.grade, row.reason = FALSE_ALARM, ""
    elif not truth.faults and silent:
        row.grade, row.reason = MISSED, ""
    remarks = [_false_words(i, truth) for i in false]
    remarks += [f"live at {vantage}: {_false_words(i, truth)}" for vantage, i in false_live]
    row.reason = "; ".join(filter(None, [row.reason, *remarks, *silent]))


def _live_alarms(truth, findings):
    """[(vantage, incident)] of the vantages' own journals."""
    return [(vantage, incident) for vantage, incidents in findings.live.items() for incident in incidents
            if overlaps(incident, truth.began, truth.ended)]


def _false_words(incident, truth):
    fault = next((f for f in truth.faults if overlaps(incident, f.began, f.ended_latest)), None)
    if fault and not _tells_of(incident, fault, truth.faults):
        return f"incident {incident.number} began {fault.began - incident.began.last:.0f} s before {fault.name}"
    if fault:
        return f"incident {incident.number} is a second one for {fault.name}"
    quiet = next((q for q in truth.quiets if overlaps(incident, q.began, q.ended)), None)
    return f"incident {incident.number} tells of {quiet.name if quiet else 'no fault'}"


def _is_noticed(quiet, findings):
    name = quiet.notice.split()[-1]
    return any(name in (notice.source, notice.target) and overlaps(notice, quiet.began, quiet.ended)
               for notice in findings.notices)


# ---- the table ----

WIDTH = 150
HEADS = ("run", "seed", "truth", "live", "data", "start", "end", "leads", "p", "call", "in set", "false",
         "grade", "reason")
RIGHT_ALIGNED = {"seed", "live", "data", "start", "end", "p", "false"}
# So that the reason has room; the other names are short enough.
SHORT = {"network-stress": "stress", "certificate": "cert", "single-host": "host", "maintenance": "maint"}
CELL = {"run": 30, "truth": 22}   # at most


def table(rows):
    cells = [HEADS, *map(_cells, rows)]
    widths = [min(max(len(row[i]) for row in cells), CELL.get(head, WIDTH)) for i, head in enumerate(HEADS)]
    widths[-1] = max(WIDTH - sum(widths[:-1]) - 2 * (len(HEADS) - 1), 8)
    lines = ["  ".join(_fit(text, width, head) for text, width, head in zip(row, widths, HEADS)).rstrip()
             for row in cells]
    return "\n".join([*lines, "", *_summary_words(summary(rows))]) + "\n"


def _fit(text, width, head):
    text = text if len(text) <= width else text[:width - 1] + "…"
    return text.rjust(width) if head in RIGHT_ALIGNED else text.ljust(width)


def _cells(row):
    name = row.scenario if row.fault in ("", row.scenario) else f"{row.scenario}: {row.fault}"
    is_in = "" if row.is_in_set is None else f"{'yes' if row.is_in_set else 'no'} of {len(row.likely_set)}"
    probability = "" if row.probability is None else f"{row.probability:.0%}"
    called = ("called" if row.call else "no call") if row.leader else ""
    return (name, str(row.seed), _truth_cell(row), _s(row.live_delay), _s(row.data_delay),
            _s(row.start_error, "+"), _s(row.end_error, "+"), _short(row.leader), probability, called, is_in,
            str(len(row.false_incidents) or ""), row.grade, row.reason)


def _truth_cell(row):
    causes = "/".join(map(_short, row.causes))
    if row.is_undetermined:
        return f"undetermined {causes}".rstrip()
    return causes if row.fault else "no fault"


def _short(cause):
    return SHORT.get(cause, cause or "")


def _s(value, sign=""):
    if value is None:
        return "-"
    return "0" if value == 0 else f"{value:{sign}.1f}"


def summary(rows):
    """Figures of all runs; those that were not judged count nowhere."""
    judged = [r for r in rows if r.grade != NOT_JUDGED]
    runs = [r for r in judged if r.is_first]
    faults = [r for r in judged if r.fault and r.is_to_be_seen]
    with_set = [r for r in judged if r.is_in_set is not None]
    sets = [len(r.likely_set) for r in judged if r.likely_set]
    return {
        "runs": len(runs), "not_judged": len(rows) - len(judged),
        "faults": len(faults), "detected": sum(r.incident is not None for r in faults),
        "judged": len(judged), "right": sum(r.grade == RIGHT for r in judged),
        "with_set": len(with_set), "in_set": sum(r.is_in_set for r in with_set),
        "mean_set_size": statistics.fmean(sets) if sets else None,
        "false_incidents": sum(len(r.false_incidents) for r in runs),
        "false_live": sum(len(r.false_live) for r in runs),
        "brier": statistics.fmean(r.brier for r in with_set) if with_set else None,
        "live_delay": _spread([r.live_delay for r in judged]),
        "data_delay": _spread([r.data_delay for r in judged]),
        "start_error": _spread([r.start_error for r in judged]),
        "end_error": _spread([r.end_error for r in judged])}


def _spread(values):
    """Of signed distances, how far and not which way."""
    sizes = [abs(v) for v in values if v is not None]
    return {"n": len(sizes), "median": statistics.median(sizes), "worst": max(sizes)} if sizes else None


def _summary_words(s):
    def spread(name):
        value = s[name]
        return (f"median {value['median']:.1f} s, worst {value['worst']:.1f} s, of {value['n']}" if value
                else "none to tell")
    words = [f"{s['detected']} of {s['faults']} faults detected",
             f"{s['right']} of {s['judged']} right",
             f"{s['in_set']} of {s['with_set']} in the 80 % set" +
             (f", which holds {s['mean_set_size']:.1f} causes on average" if s["mean_set_size"] else ""),
             f"{s['false_incidents']} false incidents in {s['runs']} runs" +
             (f", and {s['false_live']} live at single vantages" if s["false_live"] else "")]
    if s["brier"] is not None:
        words.append(f"Brier score {s['brier']:.3f} over {s['with_set']} verdicts (0 best, 2 worst)")
    words += [f"detection delay, live: {spread('live_delay')}",
              f"detection delay, in the data: {spread('data_delay')}",
              f"error of the start: {spread('start_error')}", f"error of the end: {spread('end_error')}"]
    if s["not_judged"]:
        words.append(f"{s['not_judged']} not judged, since the machine stood still")
    return words


def rows_json(rows):
    """JSON Lines: the rows, then the summary."""
    lines = [{"type": "row", **asdict(row)} for row in rows] + [{"type": "summary", **summary(rows)}]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


# ---- why it went wrong ----

CAUSES_READ, EVIDENCE_READ = 3, 3


def reading(row, findings):
    """A few lines: what truth says, lastlight's first causes, and what spoke for and against."""
    truth = " or ".join(row.causes) or ("undetermined" if row.is_undetermined else "no fault")
    lines = [f"{row.scenario}, seed {row.seed}{': ' + row.fault if row.fault else ''}: {row.grade}"
             f"{' (' + row.reason + ')' if row.reason else ''}. Truth: {truth}."]
    wanted = ([row.incident] if row.incident is not None else []) + row.false_incidents
    for incident in findings.incidents:
        if incident.number in wanted:
            lines += _incident_lines(incident, row.causes if incident.number == row.incident else [])
    for vantage, number in row.false_live:
        lines += [f"  live at {vantage}:", *(line for incident in findings.live[vantage] if incident.number == number
                                        for line in _incident_lines(incident, []))]
    return lines


def _incident_lines(incident, causes):
    lines = [f"  incident {incident.number}: {incident.summary}".rstrip(": ")]
    verdict = incident.verdict
    if verdict is None:
        return lines
    for cause in list(verdict.posterior)[:CAUSES_READ]:
        lines.append(f"  {cause} {verdict.posterior[cause]:.0%}{_is_right(cause, causes)}")
        lines += _evidence_lines(verdict, cause, 1)
    for cause in causes if verdict.leader not in causes else []:
        lines.append(f"  against {cause} ({verdict.posterior[cause]:.0%})"
                     + (f": {verdict.less_because[cause]}" if verdict.less_because.get(cause) else ""))
        lines += _evidence_lines(verdict, cause, -1)
    return lines


def _is_right(cause, causes):
    return " (right)" if cause in causes else ""


def _evidence_lines(verdict, cause, sign):
    strong = sorted((e for e in verdict.evidence if sign * e.weights.get(cause, 0) >= 0.05),
                    key=lambda e: (-sign * e.weights[cause], e.name))
    return [f"    {e.weights[cause]:+.2f}  {e.sentence} [{e.name} {e.truth}]" for e in strong[:EVIDENCE_READ]]
