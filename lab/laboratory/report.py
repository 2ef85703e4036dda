"""What `lab run` prints at its end: the table, why judgements went wrong, and the orders measured."""

from pathlib import Path

from . import judge, order
from .command import say


def report(options, results):
    """`results`: by scenario, what session.py found, or None where the run failed."""
    done = [r for r in results.values() if r]
    rows = [judge.Row(**row) for r in done for row in r["rows"]]
    rows.sort(key=lambda row: (row.scenario, row.seed))
    if options.json:
        Path(options.json).write_text(judge.rows_json(rows))
    print(judge.table(rows))
    readings = [line for r in sorted(done, key=lambda r: r["scenario"]) for line in r["readings"]]
    if readings:
        print("What was judged otherwise than it was:\n")
        print("\n".join(readings) + "\n")
    measures = [(r["scenario"], r["seed"], r["order"]) for r in done if r["order"]]
    if measures:
        print("The order that the laboratory itself measured, in seconds after the fault began:\n")
        print(order.table(sorted(measures, key=lambda m: m[:2])))
    return verdict([name for name, r in results.items() if not r], rows)


def verdict(failed, rows):
    """The exit status: 1 if a run failed, or if lastlight was wrong where it had to be right."""
    for name in failed:
        say(f"{name}: could not be played; its messages are above")
    bad = [r for r in rows if r.grade in (judge.WRONG, judge.MISSED, judge.FALSE_ALARM)]
    return 1 if failed or bad else 0
