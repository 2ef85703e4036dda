"""What `lab run` prints at its end: the table, why judgements went wrong, and the orders measured."""

from . import judge, order
from .command import say


def report(results, json_file):
    """`results`: by scenario, what session.py found, or None where the run failed. `json_file`: open, or None."""
    done = [r for r in results.values() if r]
    rows = [judge.Row(**row) for r in done for row in r["rows"]]
    rows.sort(key=lambda row: (row.scenario, row.seed))
    print(judge.table(rows))
    readings = [line for r in sorted(done, key=lambda r: r["scenario"]) for line in r["readings"]]
    if readings:
        print("What was judged otherwise than it was:\n")
        print("\n".join(readings) + "\n")
    measures = [(r["scenario"], r["seed"], r["order"]) for r in done if r["order"]]
    if measures:
        print("The order that the laboratory itself measured, in seconds after the fault began:\n")
        print(order.table(sorted(measures, key=lambda m: m[:2])))
    # After the table: a full disk must not take that away.
    is_written = json_file is None or write(json_file, judge.rows_json(rows))
    return status(results, rows) if is_written else 1


def write(file, text):
    try:
        with file:
            file.write(text)
        return True
    except OSError as error:
        say(f"{file.name}: {error.strerror}")
        return False


def status(results, rows):
    """The exit status: 1 if a run or something of it failed, could not be judged, or if lastlight was wrong where
    it had to be right."""
    failed = {name: "could not be played; its messages are above" if r is None else r["error"]
              for name, r in results.items() if r is None or r["error"]}
    for name, words in failed.items():
        say(f"{name}: {words}")
    bad = [r for r in rows if r.grade not in (judge.RIGHT, judge.IN_SET) or r.false_incidents]
    return 1 if failed or bad else 0
