"""What goes on inside a laboratory: a world is built, and then held, or a scenario is played in it
with lastlight watching."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from . import judge, order, plan as plans
from .box import RUN, Box, Failed
from .command import lastlight_of, say, tools_of, zones_of
from .scenarios import SCENARIOS
from .truth import Truth, now
from .watch import Watch, beside
from .world import World

BUILD_S = 4     # about what building a world takes


def build(options, vary, tell):
    """A world with some keys of its topology different."""
    plan = plans.load(options.topology, vary)
    world = World(Box(), plan, tools_of(options), options.seed, zones_of(options))
    world.build(tell)
    return world


def hold(options):
    """`lab up`: a world that stands until it is ended."""
    build(options, {}, lambda text: say(f"{options.name}: {text}"))
    print("ready", flush=True)
    devnull = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(devnull, stream)
    while True:
        try:
            os.wait()       # as the first process we inherit the orphans
        except ChildProcessError:
            time.sleep(1)


def play(options):
    """`lab run`, for one scenario: prints its result as one JSON object."""
    scenario = SCENARIOS[options.scenarios[0]]
    began = time.monotonic()

    def tell(text):
        say(f"{scenario.name} {time.monotonic() - began:6.1f} s  {text}")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    vary = {**scenario.vary, "country.timezone": timezone(scenario, options.seed)}
    world = build(options, vary, tell)
    try:
        result = Session(options, scenario, world, tell).play()
    finally:
        if options.keep:
            keep(world.box, Path(options.keep) / f"{scenario.name}-{options.seed}", tell)
    print(json.dumps(result), flush=True)
    return 0


def keep(box, folder, tell):
    """A copy that fails is told, and does not take the result away."""
    try:
        box.keep(folder)
    except (OSError, Failed) as error:
        tell(f"--keep: {error}")


def timezone(scenario, seed):
    """The country's difference to UTC that makes it the scenario's time of day there when its faults
    begin; any, by the seed, where the scenario does not say. Else what the hour tells of a cause
    would depend on when the laboratory is run."""
    hours, minutes = map(int, scenario.local.split(":")) if scenario.local else (0, random.Random(
        f"{scenario.name} {seed}").randrange(24 * 60))
    begins = now() + timedelta(seconds=BUILD_S + scenario.before_s)
    utc = begins.hour * 60 + begins.minute + (begins.second >= 30)
    offset = (hours * 60 + minutes - utc + 12 * 60) % (24 * 60) - 12 * 60
    return f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"


class Session:
    def __init__(self, options, scenario, world, tell):
        self.options, self.scenario, self.world, self.tell = options, scenario, world, tell

    def play(self):
        scenario, world = self.scenario, self.world
        clock = [world.plan.vantages[n].name for n in scenario.clock]
        vantages = {v.name: v for v in world.plan.vantages}
        world.watch = Watch(world.box, world.plan, lastlight_of(self.options).resolve(),
                            lambda name: world.servers.resolv_conf(vantages[name]), world.servers.ca_file,
                            world.servers.dns.zones.anchors, clock)
        self.tell("lastlight watches from " + ", ".join(v.name for v in world.plan.vantages))
        world.watch.start()
        time.sleep(scenario.before_s)
        world.box.stalls.restart()
        world.truth = Truth(scenario.name, self.options.seed, scenario.title, self.tell)
        scenario.play(world)
        self.tell(f"waiting {scenario.after_s:g} s for lastlight to see the end of it")
        time.sleep(scenario.after_s)
        world.truth.end()
        stalled = world.box.stalls.had_one
        world.box.check_alive("during the run")
        world.watch.stop()
        return self.result(stalled)

    def result(self, stalled):
        self.tell("lastlight's journals are joined and judged")
        found = self.world.watch.collect()
        rows = judge.judge(judge.read_truth(self.world.truth.text()), found, stalled)
        errors = []
        measured = attempt(self.measure, errors)
        if self.options.record:
            attempt(self.record, errors)
        wrong = [row for row in rows if row.grade != judge.RIGHT or row.false_incidents]
        return {"scenario": self.scenario.name, "seed": self.options.seed, "stalled": stalled,
                "worst_stall_s": round(self.world.box.stalls.worst_s, 3), "rows": [asdict(row) for row in rows],
                "readings": [line for row in wrong for line in judge.reading(row, found)], "order": measured,
                "error": "; ".join(errors)}

    def measure(self):
        """What the laboratory itself saw of the first fault."""
        fault = next((line for line in self.world.truth.lines if line["type"] == "fault"), None)
        archive = self.world.box.node("collector").dir / "updates.mrt"
        if not fault:
            return None
        changes = order.route_changes(archive, self.world.plan.country["prefixes"])
        return order.measure(self.world.witnessed(), changes, order.seconds_of(fault["began"]), now().timestamp())

    def record(self):
        """The observation log, with the collector's archive and the truth beside it."""
        path = Path(self.options.record)
        title = f"Laboratory: {self.scenario.title} (scenario {self.scenario.name}, seed {self.options.seed})"
        truth = RUN / "truth.jsonl"
        truth.write_text(self.world.truth.text())
        self.world.watch.record(path, {"title": title}, truth)
        archive = self.world.box.node("collector").dir / "updates.mrt"
        with open(beside(path, ".mrt.gz"), "wb") as out:
            subprocess.run(["gzip", "-9nc", archive], stdout=out, check=True)


def attempt(deed, errors):
    """What it returns. Where it fails the judgement stands all the same: that is what minutes were spent on."""
    try:
        return deed()
    except (OSError, Failed, subprocess.SubprocessError) as error:
        errors.append(str(error))
        return None
