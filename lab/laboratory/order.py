"""The order in which things failed, as the laboratory itself measured it: the witness's pings against
the withdrawals in the collector's archive (read by bgpdump, so that nothing of lastlight is in it)."""

import subprocess
from datetime import datetime

from .box import Failed


def seconds_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def route_changes(archive, prefixes):
    """(time, 'A' or 'W', prefix, peer) of the country's prefixes, in order of time."""
    done = subprocess.run(["bgpdump", "-m", str(archive)], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"bgpdump {archive}: status {done.returncode}: {done.stderr.strip()}")
    changes = []
    for line in done.stdout.splitlines():
        parts = line.split("|")
        if len(parts) > 5 and parts[2] in "AW" and parts[5] in prefixes:
            changes.append((float(parts[1]), parts[2], parts[5], parts[3]))
    return sorted(changes)


def measure(pings, changes, began, ended):
    """Seconds after `began`; None for what never happened. `ended`: the end of the run."""
    within = [p for p in pings if began <= p["at"] <= ended]
    lost = [p["at"] for p in within if p["rtt"] is None]
    withdrawn = [c for c in changes if c[1] == "W" and began <= c[0] <= ended]
    announced = [c for c in changes if c[1] == "A" and began <= c[0] <= ended]
    usual = median([p["rtt"] for p in pings if p["rtt"] and p["at"] < began])
    slow = [p["at"] for p in within if p["rtt"] and usual and p["rtt"] > 1.5 * usual]
    return {"first_slow": after(slow[:1], began),
            "first_loss": after(lost[:1], began),
            "half_lost": after(half_lost(within), began),
            "first_withdrawal": after([c[0] for c in withdrawn[:1]], began),
            "last_withdrawal": after([c[0] for c in withdrawn[-1:]], began),
            "withdrawals": len(withdrawn),
            "last_announcement": after([c[0] for c in announced[-1:]], began),
            "last_loss": after(lost[-1:], began),
            "worst_rtt_ms": round(1000 * max((p["rtt"] for p in within if p["rtt"]), default=0)),
            "usual_rtt_ms": round(1000 * usual) if usual else None}


def half_lost(pings, window_s=1.0):
    """When more than half of all pings asked within a second were lost, first."""
    start = 0
    for end, ping in enumerate(pings):
        while pings[start]["at"] < ping["at"] - window_s:
            start += 1
        run = pings[start:end + 1]
        if len(run) >= 8 and sum(p["rtt"] is None for p in run) * 2 > len(run):
            return [run[0]["at"]]
    return []


def median(values):
    values = sorted(values)
    return values[len(values) // 2] if values else None


def after(times, began):
    return round(times[0] - began, 3) if times else None


COLUMNS = [("first_slow", "slow"), ("first_loss", "loss"), ("half_lost", "half lost"),
           ("first_withdrawal", "1st withdr."), ("last_withdrawal", "last withdr."),
           ("last_announcement", "last announ."), ("last_loss", "last loss"), ("usual_rtt_ms", "RTT ms"),
           ("worst_rtt_ms", "worst RTT")]


def table(measures):
    """[(scenario, seed, measure)] -> text: seconds after each fault began."""
    rows = [["scenario", "seed"] + [title for _, title in COLUMNS]]
    for scenario, seed, found in measures:
        rows.append([scenario, str(seed)] + [cell(found[key]) for key, _ in COLUMNS])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                               for i, (text, width) in enumerate(zip(row, widths))) for row in rows)


def cell(value):
    return "-" if value is None else f"{value:g}" if isinstance(value, int) else f"{value:.2f}"
