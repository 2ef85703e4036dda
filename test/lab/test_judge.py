"""Of judge.py: tables of cases for the grades, the intervals, the delays and the figures."""

import contextlib
import io
import json
import math
import sys
import unittest
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lab"))

from laboratory import judge as j          # noqa: E402
from laboratory import report              # noqa: E402
from laboratory.box import Failed          # noqa: E402
from laboratory.truth import Truth         # noqa: E402

BEGAN, ENDED = 1000.0, 1060.0
# Sums to 1. Each case names the causes it needs likely; the rest share what is left.
CAUSES = ["network-stress", "site-power", "cable", "directed", "own-config", "unknown"]


def verdict(likely, call=None, likely_set=None):
    """`likely`: {cause: probability}, the likeliest first."""
    rest = [c for c in CAUSES if c not in likely]
    left = (1 - sum(likely.values())) / len(rest)
    return j.Verdict(call=call, confidence="moderate", is_provisional=False,
                     posterior={**likely, **{c: left for c in rest}},
                     likely_set=list(likely) if likely_set is None else likely_set)


def incident(number=1, began=(999.5, 1000.5), ended=(1059.5, 1060.5), says=None, **more):
    return j.Incident(number=number, subject="kp", began=j.Interval(*began),
                      ended=j.Interval(*ended) if ended else None, is_open=ended is None,
                      verdict=says or verdict({"network-stress": 0.9}, "network-stress"), **more)


def fault(name="stress", began=BEGAN, ended=ENDED, causes=("network-stress",), **more):
    given = dict(began_latest=began, ended_latest=ended, forbidden=["directed"], is_undetermined=False,
                 is_to_be_seen=True)
    return j.Fault(name=name, began=began, ended=ended, causes=list(causes), **{**given, **more})


def run(faults=(), incidents=(), quiets=(), **more):
    is_stalled = more.pop("is_stalled", False)
    truth = j.Truth("scene", 3, list(faults), list(quiets))
    return j.judge(truth, j.Findings(list(incidents), **more), is_stalled)


def utc(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"


POWER = ("site-power", "cable")
# what it is, the fault, the verdict (None: no incident), the grade, what the reason says
GRADES = [
    ("called", {}, verdict({"network-stress": 0.9}, "network-stress"), j.RIGHT, ""),
    ("leads without a call", {}, verdict({"network-stress": 0.4, "cable": 0.3}), j.RIGHT, "no call"),
    ("one of two is called", {"causes": POWER}, verdict({"cable": 0.7}, "cable"), j.RIGHT, ""),
    ("second in the set", {}, verdict({"cable": 0.5, "network-stress": 0.3}), j.IN_SET, "number 2"),
    ("another is called, right one in the set", {}, verdict({"cable": 0.6, "network-stress": 0.3}, "cable"),
     j.IN_SET, "called cable"),
    ("another is called", {}, verdict({"cable": 0.9}, "cable"), j.WRONG, "called cable; right cause has 2%"),
    ("another leads", {}, verdict({"cable": 0.45, "site-power": 0.4}), j.WRONG, "no call, cable leads"),
    ("forbidden is called", {}, verdict({"directed": 0.6, "network-stress": 0.3}, "directed"), j.WRONG,
     "must not"),
    ("forbidden leads, right one in the set", {}, verdict({"directed": 0.45, "network-stress": 0.4}),
     j.IN_SET, "must not"),
    ("forbidden leads", {}, verdict({"directed": 0.8}), j.WRONG, "must not"),
    ("unknown leads", {}, verdict({"unknown": 0.9}), j.WRONG, "unknown leads"),
    ("no call where none is right", {"causes": (), "is_undetermined": True}, verdict({"cable": 0.4}), j.RIGHT,
     "as it should be"),
    ("a call where none is right", {"causes": (), "is_undetermined": True}, verdict({"cable": 0.9}, "cable"),
     j.WRONG, "cannot be told"),
    ("forbidden leads where none is right", {"causes": (), "is_undetermined": True},
     verdict({"directed": 0.4}), j.WRONG, "must not"),
    ("no call, though the right one could be told", {"causes": POWER, "is_undetermined": True},
     verdict({"own-config": 0.4}), j.RIGHT, "as it should be"),
    ("the right one is called where none is asked for", {"causes": POWER, "is_undetermined": True},
     verdict({"cable": 0.9}, "cable"), j.RIGHT, ""),
    ("no incident", {}, None, j.MISSED, "no incident"),
    ("no incident, and none is asked for", {"is_to_be_seen": False}, None, j.RIGHT, "nothing"),
]


class Grades(unittest.TestCase):
    def test_each(self):
        for name, given, says, grade, reason in GRADES:
            with self.subTest(name):
                row, = run([fault(**given)], [incident(says=says)] if says else [])
                self.assertEqual(row.grade, grade)
                self.assertIn(reason, row.reason)
                self.assertEqual(row.incident, 1 if says else None)

    def test_without_a_verdict(self):
        bare = incident()
        bare.verdict = None
        row, = run([fault()], [bare])
        self.assertEqual((row.grade, row.is_in_set, row.leader), (j.WRONG, None, None))

    def test_stalled(self):
        rows = run([fault(), fault("second", 2000, 2010)], [incident()], is_stalled=True)
        self.assertEqual([r.grade for r in rows], [j.NOT_JUDGED] * 2)

    def test_cause_nobody_knows(self):
        for given in ({"causes": ["stress"]}, {"forbidden": ["stress"]}):
            with self.subTest(given), self.assertRaisesRegex(Failed, "'stress'"):
                run([fault(**given)], [incident()])


class Incidents(unittest.TestCase):
    def test_none_of_nothing(self):
        row, = run()
        self.assertEqual((row.grade, row.fault, row.false_incidents), (j.RIGHT, "", []))

    def test_false_alarm(self):
        quiet = j.Quiet("collector-peer", 990, 1010, "", None)
        for quiets, reason in (([], "incident 1 tells of no fault"),
                               ([quiet], "incident 1 tells of collector-peer")):
            row, = run([], [incident()], quiets)
            self.assertEqual((row.grade, row.false_incidents, row.reason), (j.FALSE_ALARM, [1], reason))

    def test_before_and_after_the_fault(self):
        for began, ended, grade in (((996, 998), (998, 999.9), j.MISSED), ((996, 998), (998, 1000), j.RIGHT),
                                    ((1060, 1061), (1070, 1071), j.RIGHT), ((1060.1, 1061), None, j.MISSED)):
            with self.subTest(began=began, ended=ended):
                row, = run([fault()], [incident(began=began, ended=ended)])
                self.assertEqual(row.grade, grade)
                self.assertEqual(row.false_incidents, [1] if grade == j.MISSED else [])

    def test_began_too_early(self):
        for began, grade in (((900, 994.9), j.MISSED), ((900, 995), j.RIGHT), ((900, None), j.RIGHT)):
            with self.subTest(began=began):
                row, = run([fault()], [incident(began=began)])
                self.assertEqual((row.grade, row.false_incidents), (grade, [1] if grade == j.MISSED else []))
        row, = run([fault()], [incident(began=(900, 910))])
        self.assertIn("incident 1 began 90 s before stress", row.reason)
        # One that began with an earlier fault tells of the later one too; one that began before both, of neither.
        both = [fault(), fault("later", 1030, 1050)]
        self.assertEqual([r.incident for r in run(both, [incident()])], [1, 1])
        self.assertEqual([r.incident for r in run(both, [incident(began=(900, 910))])], [None, None])
        over = [fault(ended=1010, ended_latest=1010), fault("later", 1030, 1050)]
        self.assertEqual([r.incident for r in run(over, [incident(began=(1012, 1014))])], [None, None])

    def test_live_alarms(self):
        def live(vantage, **more):
            return {"east": [], "west": [], vantage: [incident(4, **more)]}
        row, = run(live=live("west"))
        self.assertEqual((row.grade, row.false_incidents, row.false_live), (j.FALSE_ALARM, [], [["west", 4]]))
        self.assertEqual(row.reason, "live at west: incident 4 tells of no fault")
        quiet = j.Quiet("uplink-lost", 990, 1010, "", "west")
        row, = run(quiets=[quiet], live=live("east"))
        self.assertEqual((row.grade, row.reason),
                         (j.FALSE_ALARM, "live at east: incident 4 tells of uplink-lost; no notice about west"))
        self.assertEqual(run([fault()], [incident()], live=live("west"))[0].false_live, [])
        self.assertIn("0 false incidents in 1 runs, and 1 live at single vantages", j.table([row]))
        text = "\n".join(j.reading(row, j.Findings([], live=live("east"))))
        self.assertIn("live at east:\n  incident 4", text)
        truth = j.Truth("scene", 3, began=1100, ended=1200)      # it was over before the run, or began after it
        for began, ended, grade in (((999, 1000), (1060, 1099), j.RIGHT), ((999, 1000), (1060, 1100), j.FALSE_ALARM),
                                    ((1201, 1202), None, j.RIGHT)):
            row, = j.judge(truth, j.Findings([], live=live("west", began=began, ended=ended)))
            self.assertEqual(row.grade, grade)

    def test_second_for_one_fault(self):
        later = [incident(1, began=(1030, 1031)), incident(3, began=(1050, 1051))]
        row, = run([fault()], [later[0], incident(2), later[1]])
        self.assertEqual((row.grade, row.incident, row.false_incidents), (j.RIGHT, 2, [1, 3]))
        self.assertIn("incident 3 is a second one for stress", row.reason)

    def test_two_faults(self):
        second = fault("cut", 1100, 1130, POWER)
        cut = incident(2, (1099, 1101), (1129, 1131), verdict({"cable": 0.8}, "cable"))
        rows = run([fault(), second], [cut, incident()])
        self.assertEqual([(r.fault, r.incident, r.grade, r.false_incidents) for r in rows],
                         [("stress", 1, j.RIGHT, []), ("cut", 2, j.RIGHT, [])])
        self.assertEqual([r.is_first for r in rows], [True, False])
        self.assertEqual([r.grade for r in run([fault(), second], [incident()])], [j.RIGHT, j.MISSED])

    def test_two_faults_at_once(self):
        cut = incident(1, says=verdict({"cable": 0.8}, "cable"))
        rows = run([fault(), fault("cut", causes=POWER)], [cut, incident(2)])
        self.assertEqual([(r.incident, r.grade, r.false_incidents) for r in rows],
                         [(2, j.RIGHT, []), (1, j.RIGHT, [])])
        # the nearest in time, whatever it is taken for; and none is left over
        late = incident(2, began=(1003, 1004))
        rows = run([fault(), fault("cut", causes=POWER)], [cut, late])
        self.assertEqual([(r.incident, r.false_incidents) for r in rows], [(2, []), (1, [])])
        row, = run([fault()], [cut, late])
        self.assertEqual((row.incident, row.false_incidents), (1, [2]))

    def test_two_faults_told_as_one(self):
        parts = [j.Episode(j.Interval(999, 1001), j.Interval(1059, 1061)),
                 j.Episode(j.Interval(1102, 1103), j.Interval(1125, 1126))]
        both = incident(ended=(1125, 1126), episodes=parts)
        first, second = run([fault(), fault("again", 1100, 1130)], [both])
        self.assertEqual((first.start_error, first.end_error), (0, 0))
        self.assertEqual((second.start_error, second.end_error), (2, -4))
        self.assertEqual((second.incident, first.false_incidents), (1, []))
        alone = run([fault()], [both])[0]       # then it is told as too long
        self.assertEqual(alone.end_error, 65)
        # The one dies before the other and is mended after it.
        within = run([fault(), fault("within", 1020, 1050)], [incident(opened=1022.0)])
        self.assertEqual([(r.start_error, r.end_error, r.data_delay) for r in within],
                         [(0, 0, 22), (None, None, None)])
        beside = run([fault(), fault("later", 1020, 1080)], [incident(ended=(1079, 1081))])
        self.assertEqual([(r.start_error, r.end_error) for r in beside], [(0, None), (None, 0)])
        apart = run([fault(), fault("cut", 1100, 1130)], [both, incident(2, (1100, 1100), (1130, 1130))])
        self.assertEqual([row.end_error for row in apart], [65, 0])

    def test_quiet_with_notice(self):
        quiet = j.Quiet("clock", 990, 1010, "", "vantage west")
        def notice(source, began, ended):
            return j.Notice("source-gap", source, None, False, 0, 0, j.Interval(began, began),
                            j.Interval(ended, ended))
        for notices, is_there in (([], False), ([notice("east", 995, 999)], False),
                                  ([notice("west", 900, 989)], False), ([notice("west", 1011, 1012)], False),
                                  ([notice("west", 1010, 1012)], True)):
            row, = run(quiets=[quiet], notices=notices)
            self.assertEqual(row.grade, j.RIGHT if is_there else j.MISSED)
            self.assertEqual("no notice about vantage west" in row.reason, not is_there)


class Times(unittest.TestCase):
    def test_distance(self):
        for interval, began, latest, expected in (
                ((999, 1001), 1000, 1000, 0), ((1000, 1001), 1000, 1000, 0), ((999, 1000), 1000, 1000, 0),
                ((1002, 1003), 1000, 1000, 2), ((990, 997), 1000, 1000, -3),
                ((1002, 1003), 1000, 1002, 0), ((1005, 1006), 1000, 1002, 3), ((1001, 1001.5), 1000, 1002, 0),
                ((None, 1001), 1000, 1000, 0), ((None, 998), 1000, 1000, -2), ((1003, None), 1000, 1000, 3),
                ((999, None), 1000, 1000, 0), ((None, None), 1000, 1000, None)):
            with self.subTest(interval=interval, latest=latest):
                self.assertEqual(j.distance(j.Interval(*interval), began, latest), expected)

    def test_errors_of_a_row(self):
        row, = run([fault(began_latest=1004)], [incident(began=(1006, 1007), ended=(1050, 1055))])
        self.assertEqual((row.start_error, row.end_error), (2, -5))
        for given, told in (({"ended": math.inf, "ended_latest": math.inf}, (1050, 1055)), ({}, None)):
            row, = run([fault(**given)], [incident(ended=told)])
            self.assertIsNone(row.end_error)

    def test_delays(self):
        def told(time, vantage, opens):
            return j.Told(time, vantage, "", opens)
        live = {"west": [incident(1, (900, 901), (905, 906)), incident(2)], "east": [incident(1)]}
        lines = [told(915, "west", 1), told(1019, "east", None), told(1022, "west", 2),
                 told(1020.5, "east", 1)]
        row, = run([fault()], [incident(opened=1003.0)], told=lines, live=live)
        self.assertEqual((row.live_delay, row.data_delay), (20.5, 3))
        row, = run([fault(began=1003)], [incident(opened=1004.0)], told=lines, live=live)   # there before
        self.assertEqual((row.live_delay, row.data_delay), (None, None))
        row, = run([fault(began=1002.5)], [incident(opened=1004.0)], told=lines, live=live)
        self.assertEqual((row.live_delay, row.data_delay), (18, 1.5))
        row, = run([fault()], [incident(opened=999.0)], told=lines[:2], live=live)
        self.assertEqual((row.live_delay, row.data_delay), (None, None))


class Figures(unittest.TestCase):
    def test_brier(self):
        sure = {"cable": 1.0, "site-power": 0.0}
        for posterior, causes, expected in ((sure, ["cable"], 0), (sure, ["site-power"], 2),
                                            (sure, ["cable", "site-power"], 0.5),
                                            ({"cable": 0.5, "site-power": 0.5}, ["cable", "site-power"], 0)):
            self.assertAlmostEqual(j.brier(posterior, causes), expected)

    def rows(self):
        wrong = incident(says=verdict({"cable": 0.9}, "cable"), began=(1003, 1004), opened=1010.0)
        return [*run([fault()], [incident(opened=1002.0), incident(7)]), *run([fault()], [wrong]),
                *run([fault()], []), *run([], [incident()]), *run(),
                *run([fault(causes=(), is_undetermined=True)], [incident(says=verdict({"cable": 0.4}))]),
                *run([fault()], [incident()], is_stalled=True)]

    def two_faults(self):
        return run([fault(), fault("cut", 1100, 1130, is_to_be_seen=False)], [incident()])

    def test_summary(self):
        s = j.summary(self.rows())
        expected = {"runs": 6, "not_judged": 1, "faults": 4, "detected": 3, "judged": 6, "right": 3,
                    "with_set": 2, "in_set": 1, "false_incidents": 2, "mean_set_size": 1,
                    "data_delay": {"n": 2, "median": 6, "worst": 10},
                    "start_error": {"n": 3, "median": 0, "worst": 3}, "live_delay": None}
        self.assertEqual({key: s[key] for key in expected}, expected)
        right, wrong = 0.1 ** 2 + 5 * 0.02 ** 2, 0.98 ** 2 + 0.9 ** 2 + 4 * 0.02 ** 2
        self.assertAlmostEqual(s["brier"], (right + wrong) / 2)

    def test_summary_of_two_faults(self):
        s = j.summary(self.two_faults())
        self.assertEqual((s["runs"], s["judged"], s["faults"], s["detected"]), (1, 2, 1, 1))

    def test_summary_of_nothing(self):
        self.assertEqual(j.summary([])["runs"], 0)
        self.assertIn("0 of 0 right", j.table([]))

    def test_table(self):
        long = run([fault("x" * 200, causes=CAUSES[:5])], [])
        lines = j.table(self.rows() + long).splitlines()
        self.assertLessEqual(max(map(len, lines)), j.WIDTH)
        at = lines[0].index("grade")
        self.assertEqual([line[at:].split("  ")[0] for line in lines[1:9]],
                         [j.RIGHT, j.WRONG, j.MISSED, j.FALSE_ALARM, j.RIGHT, j.RIGHT, j.NOT_JUDGED,
                          j.MISSED])
        for words in ("3 of 5 faults detected", "3 of 7 right", "2 false incidents in 7 runs",
                      "1 of 2 in the 80 % set, which holds 1.0 causes"):
            self.assertIn(words, "\n".join(lines))

    def test_json(self):
        lines = [json.loads(line) for line in j.rows_json(self.rows()).splitlines()]
        self.assertEqual([line["type"] for line in lines], ["row"] * 7 + ["summary"])
        self.assertEqual((lines[1]["grade"], lines[1]["likely_set"]), (j.WRONG, ["cable"]))


class Status(unittest.TestCase):
    def test_of_rows(self):
        second = [incident(1), incident(2, (1030, 1031))]
        in_set = verdict({"cable": 0.5, "network-stress": 0.3})
        quiet = j.Quiet("clock", 990, 1010, "", "vantage west")
        for name, rows, expected in (
                ("right", run([fault()], [incident()]), 0), ("in set", run([fault()], [incident(says=in_set)]), 0),
                ("missed", run([fault()]), 1), ("no notice", run(quiets=[quiet]), 1),
                ("false alarm", run([], [incident()]), 1), ("right, with a false one", run([fault()], second), 1),
                ("not judged", run([fault()], [incident()], is_stalled=True), 1)):
            with self.subTest(name):
                self.assertEqual(report.status({"scene": {"error": ""}}, rows), expected)

    def test_of_results(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(report.status({"a": None}, run()), 1)
            self.assertEqual(report.status({"b": {"error": "the disk is full"}}, run()), 1)
        self.assertIn("a: could not be played", said.getvalue())
        self.assertIn("b: the disk is full", said.getvalue())


class Readings(unittest.TestCase):
    def test_tells_for_and_against(self):
        says = verdict({"cable": 0.5, "site-power": 0.3, "unknown": 0.1}, None, ["cable", "site-power"])
        says.evidence = [
            j.Evidence("routes-lost", "present", "All routes went.", {"cable": 0.7, "network-stress": -0.2}),
            j.Evidence("one-step", "present", "All at once.", {"cable": 0.9, "network-stress": -0.8})]
        says.less_because = {"network-stress": "it came at once"}
        bad = incident(says=says)
        text = "\n".join(j.reading(run([fault()], [bad])[0], j.Findings([bad])))
        self.assertIn("Truth: network-stress", text)
        self.assertLess(text.index("cable 50%"), text.index("site-power 30%"))
        self.assertLess(text.index("+0.90  All at once."), text.index("+0.70  All routes went."))
        self.assertIn("against network-stress (3%): it came at once\n    -0.80  All at once.", text)
        text = "\n".join(j.reading(run([fault(causes=["cable"])], [bad])[0], j.Findings([bad])))
        self.assertIn("cable 50% (right)", text)
        self.assertNotIn("against", text)


class Truths(unittest.TestCase):
    RUN = {"type": "run", "time": utc(0), "scenario": "s", "seed": 4}

    def read(self, *entries):
        return j.read_truth("".join(json.dumps(entry) + "\n" for entry in entries))

    def test_all_of_it(self):
        truth = self.read(self.RUN, {"type": "action", "what": "x"},
                          {"type": "fault", "name": "f", "began": utc(1000), "began_latest": utc(1005.25),
                           "ended": utc(1060), "causes": ["cable"], "not": ["directed"]},
                          {"type": "fault", "name": "g", "began": utc(1100), "ended": None, "causes": [],
                           "undetermined": True, "incidents": False},
                          {"type": "quiet", "name": "q", "began": utc(1), "ended": utc(2), "because": "b",
                           "notice": "vantage west"}, {"type": "end", "time": utc(1200)})
        self.assertEqual((truth.scenario, truth.seed, truth.began, truth.ended), ("s", 4, 0, 1200))
        first = j.Fault("f", 1000, 1005.25, 1060, 1060, ["cable"], ["directed"], False, True)
        last = j.Fault("g", 1100, 1100, math.inf, math.inf, [], [], True, False)
        self.assertEqual(truth.faults, [first, last])
        self.assertEqual(truth.quiets, [j.Quiet("q", 1, 2, "b", "vantage west")])

    def test_faults_of_the_file(self):
        fault = {"type": "fault", "name": "f", "began": utc(1), "ended": utc(2)}
        for entries, says in (((), "no line of type run"), ((self.RUN, fault), "line 2"),
                              ((self.RUN, {**fault, "causes": []}), "nothing could be right"),
                              ((self.RUN, {**fault, "causes": ["cable"], "began": "noon"}), "line 2"),
                              ((self.RUN, {**fault, "causes": ["cable"], "began": utc(3)}), "before it began"),
                              (({**fault, "causes": ["cable"]},), "line 1")):
            with self.subTest(entries=entries), self.assertRaisesRegex(Failed, says):
                self.read(*entries)

    def test_is_over_before_it_began(self):
        truth = Truth("s", 4, "title", lambda text: None)
        line = truth.begin("f", ["cable"])
        with self.assertRaisesRegex(Failed, "f: it would have ended at 1970"):
            truth.over(line, datetime.fromtimestamp(0, timezone.utc))
        truth.over(line)
        self.assertGreaterEqual(line["ended"], line["began"])


if __name__ == "__main__":
    unittest.main()
