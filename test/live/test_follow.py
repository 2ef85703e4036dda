#!/usr/bin/python3
"""test_follow.py LASTLIGHT: four hosts behind two routers in namespaces that go dark in four ways at once, and come back:
the route to one is removed, the port of one is dropped by a filter, of one it is rejected, and of one the process is
stopped. All are asked every 30 s. What `lastlight run` journals must say how each failed and in which stage, when to
within seconds of each other, and where the way to it ended.

Exit 77, with a message: it cannot run here."""

import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lab")]
sys.dont_write_bytecode = True

from inside import enter, expect  # noqa: E402
from laboratory.box import Box, Failed, is_inside  # noqa: E402

LIMIT_S = 200
CHAIN = ["here", "r1", "r2", "there"]
INTERVAL_S, TIMEOUT_S = 30, 2
UNROUTED, DROPPED, REJECTED, STOPPED, WELL = (f"10.0.3.{n}" for n in (11, 12, 13, 14, 15))
# Of the first of them that is asked within a fault, when the others must be known to fail, too, and to be back.
KNOWN_S, BACK_S = 8, 34


def moment(text):
    whole, _, part = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + float("0." + (part or "0"))


class World:
    """10.0.N.1 and 10.0.N.2 are the ends of the Nth wire; the hosts are addresses of the last computer."""

    def __init__(self, lastlight):
        self.box, self.lastlight = Box(), lastlight
        self.nodes = [self.box.node(name) for name in CHAIN]
        for n in range(1, len(CHAIN)):
            near, far = self.nodes[n - 1], self.nodes[n]
            near.ip(f"link add far type veth peer name near netns {far.name}")
            for node, end, side in ((near, "far", 1), (far, "near", 2)):
                node.ip(f"link set {end} up", f"address add 10.0.{n}.{side}/24 dev {end}")
        for place, node in enumerate(self.nodes):
            node.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0")
            for n in range(1, len(CHAIN)):
                if n > place + 1:
                    node.ip(f"route add 10.0.{n}.0/24 via 10.0.{place + 1}.2")
                elif n < place:
                    node.ip(f"route add 10.0.{n}.0/24 via 10.0.{place}.1")
        self.here, _, self.r2, self.there = self.nodes
        for address in (UNROUTED, DROPPED, REJECTED, STOPPED, WELL):
            self.there.ip(f"address add {address}/24 dev near")
            self.serve(address)

    def serve(self, address):
        self.there.spawn(address, [sys.executable, "-m", "http.server", "--bind", address, "80"])

    def fail(self):
        self.r2.ip(f"route add blackhole {UNROUTED}/32")
        self.there.run("nft", "add table inet faults; add chain inet faults in { type filter hook input priority 0; };"
                       f"add rule inet faults in ip daddr {DROPPED} tcp dport 80 drop;"
                       f"add rule inet faults in ip daddr {REJECTED} tcp dport 80 reject with icmpx admin-prohibited")
        self.there.processes[STOPPED].stop()

    def mend(self):
        self.r2.ip(f"route del blackhole {UNROUTED}/32")
        self.there.run("nft", "delete table inet faults")
        self.serve(STOPPED)

    def watch(self):
        targets = [f"\"tcp:{a}:80\"" for a in (UNROUTED, DROPPED, REJECTED, STOPPED, WELL)]
        config = self.here.write("lastlight.yaml", f"""
vantage: {{name: lon, controls: ["icmp:10.0.1.2", "icmp:10.0.2.1"]}}
defaults: {{interval: {INTERVAL_S}s, timeout: {TIMEOUT_S}s}}
allow: [10.0.0.0/8]
subjects: [{{name: isle, targets: [{", ".join(targets)}, "icmp:{UNROUTED}"]}}]
""")
        return self.here.spawn("lastlight", [self.lastlight, "run", "-c", config])

    def seen(self):
        """Every result, by target, in order of time; but what the vantage asks itself."""
        text = self.here.run(self.lastlight, "export", "-j", self.here.dir / "lastlight.db", check=False)
        results = {}
        for line in (json.loads(line) for line in text.splitlines() if line.startswith("{")):
            if line["type"] == "probe" and not line["target"].startswith("self:"):
                line["at"] = moment(line["time"])
                results.setdefault(line["target"], []).append(line)
        return results

    def why(self):
        return self.here.run(self.lastlight, "why", "1", "-j", self.here.dir / "lastlight.db", check=False)


def wait_until(when, what, limit_s):
    end = time.monotonic() + limit_s
    while not when():
        if time.monotonic() > end:
            raise Failed(f"{what} did not come within {limit_s} s")
        time.sleep(1)


def first(results, outcome, after):
    return next((r for r in results if r["outcome"] == outcome and r["at"] > after), None)


def tell(world):
    daemon = world.watch()
    faults = {UNROUTED: ("timeout", "connect"), DROPPED: ("timeout", "connect"),
              REJECTED: ("prohibited", "connect"), STOPPED: ("refused", "connect")}
    # The journal is written every second. All are well at first.
    wait_until(lambda: len(world.seen()) >= 8, "a first answer of each", INTERVAL_S + 5)
    world.fail()
    failed = time.time()

    def is_dark(address):
        return first(world.seen().get(f"tcp:{address}:80", []), faults[address][0], failed)

    wait_until(lambda: all(is_dark(a) for a in faults), "the failure of all", INTERVAL_S + 10)
    time.sleep(60)  # dark for long enough to be told
    world.mend()
    mended = time.time()
    wait_until(lambda: all(first(world.seen()[f"tcp:{a}:80"], "ok", mended) for a in faults), "the return of all",
               INTERVAL_S + 10)
    time.sleep(17)  # until it is judged
    daemon.stop()
    seen = world.seen()

    bad = {a: first(seen[f"tcp:{a}:80"], faults[a][0], failed) for a in faults}
    good = {a: first(seen[f"tcp:{a}:80"], "ok", mended) for a in faults}
    earliest = min(r["at"] for r in bad.values())
    for address, (outcome, stage) in faults.items():
        expect(f"how {address} failed", (bad[address]["outcome"], bad[address].get("stage")), (outcome, stage))
        print(f"{address}: {outcome} in {stage}, {bad[address]['at'] - failed:.1f} s after it began and "
              f"{bad[address]['at'] - earliest:.1f} s after the first; back after {good[address]['at'] - mended:.1f} s")
        if bad[address]["at"] - earliest > KNOWN_S:
            raise Failed(f"{address} was not asked when the first went dark")
        if good[address]["at"] - mended > BACK_S:
            raise Failed(f"the return of {address} was seen late")
        lasts = [r["at"] for r in seen[f"tcp:{address}:80"] if r["at"] > failed and r["outcome"] == outcome]
        if good[address]["at"] - max(lasts) > BACK_S:
            raise Failed(f"the return of {address} is not known to within seconds")
    expect("one that was well", {r["outcome"] for r in seen[f"tcp:{WELL}:80"]}, {"ok"})
    if not [r for r in seen[f"tcp:{WELL}:80"] if r.get("for")]:
        raise Failed("the neighbour that was well was not asked")
    if len([r for r in seen["icmp:10.0.1.2"] if r.get("for")]) < 3:
        raise Failed("the controls were not asked")

    traces = seen.get(f"trace:{UNROUTED}", [])
    expect("the traces to the host without a route", [(t["outcome"], t.get("address"), t["hops"]) for t in traces],
           [("timeout", "10.0.1.2", 1), ("ok", UNROUTED, 3)])
    expect("whose", {t["for"].split(":")[1] for t in traces}, {UNROUTED})
    expect("the trace to the host with a filter", [t["outcome"] for t in seen[f"trace:{DROPPED}"]], ["ok", "ok"])
    extra = sum(1 for results in seen.values() for r in results if r.get("for"))
    print(f"{extra} questions out of turn")
    why = world.why()
    for wanted in (f"towards {UNROUTED} from lon: no answer in time; the last to answer was 10.0.1.2, 1 hop away.",
                   f"towards {DROPPED} from lon: it answered, 3 hops away."):
        if wanted not in " ".join(why.split()):
            raise Failed(f"why does not say '{wanted}':\n{why}")


def main():
    if not is_inside():
        enter(__file__, LIMIT_S, "nft")
    try:
        tell(World(os.path.abspath(sys.argv[1])))
    except Failed as failed:
        print(f"FAILED: {failed}")
        sys.exit(1)
    print("ok")


main()
