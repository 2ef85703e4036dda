#!/usr/bin/python3
"""test_blocks.py LASTLIGHT: whole networks behind a router in namespaces, probed in rounds of a few seconds: one of which
all addresses answer, one of which some do at a time, one of which too few do, one that is learned by a census, and one
that nothing happens to. They are cut off by silence and by a router that says so, our own line is cut, and the daemon is
killed: what is told, when, and of whom.

Exit 77, with a message: it cannot run here."""

import json
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lab")]
sys.dont_write_bytecode = True

from inside import enter, expect  # noqa: E402
from laboratory.box import Box, Failed, is_inside  # noqa: E402

LIMIT_S = 240
ROUND_S = 4
JUDGED_AFTER_S = 15     # LATENESS_NS: what is seen is judged so much later
FULL, SPARSE, FEW, LEARNED, QUIET = (f"10.9.{n}.0/24" for n in range(1, 6))
ADDED = "10.9.6.0/24"
NEVER = "10.9.1.77"     # excluded

CONFIG = f"""
journal: watch.db
vantage: {{name: here, controls: [{{target: "icmp:10.0.1.2", interval: 1s}}, {{target: "icmp:10.0.1.3", interval: 1s}}]}}
blocks: {{round: {ROUND_S}s, timeout: 200ms, known: [known.txt]}}
exclude: [{NEVER}]
subjects:
  - name: far
    blocks: [{FULL}, {SPARSE}, {FEW}, {LEARNED}, {QUIET}]
"""
KNOWN = f"""# what an earlier census may have found
{FULL} 0.99 1-254
{SPARSE} 0.75 1-254
{FEW} 10/1000 1-10
{LEARNED} 800/1000 1-200
{QUIET} 0.99 1-254
"""
# Of SPARSE a quarter of all questions is lost; of FEW ten addresses answer.
FILTER = f"""
add table inet far
add counter inet far never
add chain inet far in {{ type filter hook prerouting priority -300; }}
add chain inet far cut
add rule inet far in ip daddr {NEVER} counter name never
add rule inet far in jump cut
add rule inet far in ip daddr {SPARSE} numgen random mod 100 < 25 drop
add rule inet far in ip daddr {FEW} ip daddr != 10.9.3.1-10.9.3.10 drop
"""


def stamp(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class World:
    def __init__(self, lastlight):
        self.box, self.lastlight = Box(), lastlight
        self.here, self.there = self.box.node("here"), self.box.node("there")
        self.here.ip("link add far type veth peer name near netns there")
        self.here.ip("link set far up", "address add 10.0.1.1/24 dev far", "route add 10.9.0.0/16 via 10.0.1.2")
        self.there.ip("link set near up", "address add 10.0.1.2/24 dev near", "address add 10.0.1.3/24 dev near",
                      *(f"route add local {network} dev lo" for network in (FULL, SPARSE, FEW, LEARNED, QUIET, ADDED)))
        self.there.run("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0")
        self.there.run("nft", "-f", "-", input=FILTER)
        self.here.write("lastlight.yaml", CONFIG)
        self.here.write("known.txt", KNOWN)

    def start(self):
        self.daemon = self.here.spawn("lastlight", [self.lastlight, "run"])

    def cut(self, verdict, *networks):
        """From now on: dropped, or answered so by the router."""
        rules = [f"add rule inet far cut ip daddr {network} {verdict}" for network in networks]
        self.there.run("nft", "-f", "-", input="\n".join(["flush chain inet far cut", *rules]) + "\n")
        return time.time()

    def ask(self, *argv):
        text = self.here.run(self.lastlight, *argv, "-j", self.here.dir / "watch.db", check=False)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def rounds(self, network):
        return [o for o in self.ask("export") if o.get("target") == f"block:{network}"
                and o.get("outcome")]

    def series(self):
        return {s["target"].removeprefix("block:"): s for s in self.ask("status", "--json")
                if str(s.get("target", "")).startswith("block:")}

    def events(self):
        return [line for line in self.ask("incidents", "--json") if line["type"] == "incident"]

    def wait_for(self, what, limit_s, is_so):
        until = time.time() + limit_s
        while not is_so():
            if time.time() > until:
                raise Failed(f"{what}: not within {limit_s:.0f} s; {self.daemon.tail()}")
            time.sleep(0.5)
            self.box.check_alive(f"while waiting for: {what}")
        return time.time()

    def condition(self, network):
        return self.series().get(network, {}).get("condition")


def tell_down(world):
    """Two networks fall silent at once; one of them with a router that says so."""
    cut = world.cut("drop", FULL)
    world.wait_for("a silent network is told", 2.5 * ROUND_S + JUDGED_AFTER_S + 4,
                   lambda: world.condition(FULL) == "down")
    since = world.series()[FULL]["since"]
    if not cut - 1.5 * ROUND_S <= stamp(since["not_before"]) <= cut <= stamp(since["not_after"]) <= cut + 1.5 * ROUND_S:
        raise Failed(f"cut at {cut}, and told to be since {since}")
    dark = [o for o in world.rounds(FULL) if stamp(o["time"]) > cut + ROUND_S]
    expect("how a silent network ends", {o["outcome"] for o in dark}, {"timeout"})
    incidents = [i for i in world.ask("incidents", "--json") if i["type"] == "incident"]
    expect("incidents", len(incidents), 1)

    cut = time.time()
    world.there.run("nft", "-f", "-", input="add rule inet far cut ip daddr "
                    f"{{ {SPARSE}, {LEARNED} }} fib daddr type local reject with icmp net-unreachable\n")
    world.wait_for("networks that a router says are gone are told", 2.5 * ROUND_S + JUDGED_AFTER_S + 4,
                   lambda: {world.condition(SPARSE), world.condition(LEARNED)} == {"down"})
    said = [o for o in world.rounds(LEARNED) if stamp(o["time"]) > cut + ROUND_S]
    expect("how a network ends of which a router speaks", {(o["outcome"], o.get("icmp")) for o in said},
           {("net-unreachable", "3/0")})
    expect("the network that nothing happened to", world.condition(QUIET), "up")


def tell_up(world):
    world.cut("drop")
    world.wait_for("all are back that answer every question", 2.5 * ROUND_S + JUDGED_AFTER_S + 4,
                   lambda: {world.condition(n) for n in (FULL, LEARNED, QUIET)} == {"up"})
    # Of SPARSE some questions are lost, and one that is down is asked only once or twice a round: in three to five of them.
    world.wait_for("the network that some answers come from is back", 3.5 * ROUND_S,
                   lambda: world.condition(SPARSE) == "up")


def tell_own_line(world):
    """What the controls say is ours is nobody's outage."""
    before = len(world.events())
    world.here.ip("link set far down")
    time.sleep(3 * ROUND_S)
    world.here.ip("link set far up", "route replace 10.9.0.0/16 via 10.0.1.2")
    world.wait_for("our own line is back", 3 * ROUND_S + JUDGED_AFTER_S + 6,
                   lambda: {world.condition(n) for n in (FULL, SPARSE, LEARNED, QUIET)} == {"up"})
    expect("events of a line of our own", len(world.events()) - before, 0)


def tell_reload(world):
    """A network comes into the plan, and is known."""
    known, config = world.here.dir / "known.txt", world.here.dir / "lastlight.yaml"
    known.write_text(known.read_text() + f"{ADDED} 0.99 1-254\n")
    config.write_text(CONFIG.replace(f"{QUIET}]", f"{QUIET}, {ADDED}]"))
    world.daemon.signal(signal.SIGHUP)
    world.wait_for("a network that is new is asked", 2 * ROUND_S + 4, lambda: len(world.rounds(ADDED)) >= 1)
    config.write_text(CONFIG)
    world.daemon.signal(signal.SIGHUP)
    time.sleep(1)
    before = len(world.rounds(ADDED))
    time.sleep(2 * ROUND_S)
    expect("rounds of a network that is not watched any more", len(world.rounds(ADDED)), before)


def tell_restart(world):
    """What was learned is there again, and the census of nobody begins anew."""
    world.daemon.stop(signal.SIGTERM)
    lines = (world.here.dir / "watch.db.blocks").read_text().splitlines()[1:]
    expect("what is kept", [line.split()[0] for line in lines], [FULL, SPARSE, FEW, LEARNED, QUIET])
    learned = {line.split()[0]: line.split()[1:3] for line in lines}
    expect("who ever answered of the few", learned[FEW][1], "1-10")
    if "77" in [n for n in learned[FULL][1].replace("-", ",").split(",")] or "78-254" not in learned[FULL][1]:
        raise Failed(f"an excluded address is kept: {learned[FULL][1]}")
    if not 0.5 < float(learned[SPARSE][0]) < 0.9:
        raise Failed(f"availability of {SPARSE}: {learned[SPARSE][0]}")
    (world.here.dir / "known.txt").write_text("")
    stopped = time.time()
    world.start()
    world.wait_for("the networks are judged again", 2 * ROUND_S + JUDGED_AFTER_S + 6,
                   lambda: all([o for o in world.rounds(n) if stamp(o["time"]) > stopped and o["outcome"] == "ok"]
                               for n in (FULL, SPARSE, LEARNED, QUIET)))
    world.daemon.kill()


def tell(world):
    world.start()
    world.wait_for("networks are judged, one of them after its census", 4 * ROUND_S + JUDGED_AFTER_S + 6,
                   lambda: {world.condition(n) for n in (FULL, SPARSE, LEARNED, QUIET)} == {"up"})
    tell_down(world)
    tell_up(world)
    tell_own_line(world)
    tell_reload(world)
    tell_restart(world)
    expect("rounds of a network with too few to judge it by", world.rounds(FEW), [])
    most = max(o.get("probes", 0) for n in (FULL, SPARSE, QUIET) for o in world.rounds(n))
    if not 4 <= most <= 15:
        raise Failed(f"a round took {most} questions")
    counter = world.there.run("nft", "list", "counter", "inet", "far", "never")
    if "packets 0 " not in counter:
        raise Failed(f"an excluded address was asked: {counter}")


def main():
    if not is_inside():
        enter(__file__, LIMIT_S, "nft")
    world = World(os.path.abspath(sys.argv[1]))
    try:
        tell(world)
    except Failed as failed:
        print(f"FAILED: {failed}")
        print(world.daemon.tail(20))
        for what in world.ask("incidents", "--json") + [o for n in (FULL, SPARSE) for o in world.rounds(n)[-12:]]:
            print(what)
        sys.exit(1)
    print("ok")


main()
