#!/usr/bin/python3
"""test_trace.py LASTLIGHT: the way to a target over three routers in namespaces, as it is found by `lastlight probe
trace:...`, by ICMP, UDP and TCP: whole, with a silent router, cut off by a router that says so and by one that does not, and as a loop.

Exit 77, with a message: it cannot run here."""

import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lab")]
sys.dont_write_bytecode = True

from inside import enter, expect  # noqa: E402
from laboratory.box import Box, Failed, is_inside  # noqa: E402

LIMIT_S = 150
CHAIN = ["here", "r1", "r2", "r3", "there"]


class World:
    """10.0.N.1 and 10.0.N.2 are the ends of the Nth wire, fd00:N::1 and fd00:N::2 by IPv6."""

    def __init__(self, lastlight):
        self.box, self.lastlight = Box(), lastlight
        self.nodes = [self.box.node(name) for name in CHAIN]
        for n in range(1, len(CHAIN)):
            self._wire(n)
        for place, node in enumerate(self.nodes):
            node.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                     "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
            for n in range(1, len(CHAIN)):
                if n > place + 1:
                    node.ip(f"route add 10.0.{n}.0/24 via 10.0.{place + 1}.2",
                            f"route add fd00:{n}::/64 via fd00:{place + 1}::2")
                elif n < place:
                    node.ip(f"route add 10.0.{n}.0/24 via 10.0.{place}.1",
                            f"route add fd00:{n}::/64 via fd00:{place}::1")

    def _wire(self, n):
        near, far = self.nodes[n - 1], self.nodes[n]
        near.ip(f"link add far type veth peer name near netns {far.name}")
        for node, end, side in ((near, "far", 1), (far, "near", 2)):
            node.ip(f"link set {end} up", f"address add 10.0.{n}.{side}/24 dev {end}",
                    f"address add fd00:{n}::{side}/64 dev {end} nodad")

    def trace(self, target, kind="trace"):
        text = self.nodes[0].run(self.lastlight, "probe", "--json", "-v", f"{kind}:{target}", check=False)
        result = json.loads(text)
        return result["outcome"], result["facts"].get("path"), result


def tell(world):
    way4, way6 = [f"10.0.{n}.2" for n in range(1, 5)], [f"fd00:{n}::2" for n in range(1, 5)]
    r2, r3 = world.nodes[2], world.nodes[3]

    outcome, path, result = world.trace("10.0.4.2")
    expect("the whole way", (outcome, path, result["hops"]), ("ok", way4, 4))
    outcome, path, result = world.trace("fd00:4::2")
    expect("the whole way by IPv6", (outcome, path, result["hops"]), ("ok", way6, 4))

    there = world.nodes[4]
    for kind, target, way in (("trace+udp", "10.0.4.2", way4), ("trace+udp", "[fd00:4::2]:53", way6),
                              ("trace+tcp", "10.0.4.2:80", way4), ("trace+tcp", "[fd00:4::2]:80", way6)):
        outcome, path, result = world.trace(target, kind)
        expect(f"the whole way by {kind} to {target}", (outcome, path, result["hops"]), ("ok", way, 4))
    # All packets of a trace have the same ports, or routers that share load would send them several ways.
    r1 = world.nodes[1]
    r1.run("nft", "add table inet flows; add set inet flows ports { type inet_service; flags dynamic; };"
           "add chain inet flows in { type filter hook prerouting priority 0; };"
           "add rule inet flows in udp dport 33434 counter add @ports { udp sport };"
           "add rule inet flows in tcp dport 80 counter add @ports { tcp sport }")
    for kind, port in (("trace+udp", ""), ("trace+tcp", ":80")):
        r1.run("nft", "flush set inet flows ports")
        world.trace(f"10.0.4.2{port}", kind)
        ports = json.loads(r1.run("nft", "-j", "list set inet flows ports"))["nftables"][-1]["set"]["elem"]
        expect(f"our ports of {kind}", len(ports), 1)
    r1.run("nft", "delete table inet flows")
    there.spawn("web", [sys.executable, "-m", "http.server", "--bind", "10.0.4.2", "8080"])
    time.sleep(1)
    outcome, path, _ = world.trace("10.0.4.2:8080", "trace+tcp")
    expect("the way to a port that is open", (outcome, path), ("ok", way4))
    # A filter on the way that lets ping through is seen by who asks what is filtered.
    r3.run("nft", "add table inet faults; add chain inet faults on { type filter hook forward priority 0; };"
           "add rule inet faults on tcp dport 8080 drop")
    expect("a ping through a filter", world.trace("10.0.4.2")[:2], ("ok", way4))
    expect("a filtered port", world.trace("10.0.4.2:8080", "trace+tcp")[:2], ("timeout", way4[:3]))
    expect("another port", world.trace("10.0.4.2:81", "trace+tcp")[:2], ("ok", way4))
    r3.run("nft", "delete table inet faults")

    r2.run("nft", "add table inet quiet; add chain inet quiet out { type filter hook output priority 0; };"
           "add rule inet quiet out icmp type time-exceeded drop; add rule inet quiet out icmpv6 type time-exceeded drop")
    for target, way in (("10.0.4.2", way4), ("fd00:4::2", way6)):
        outcome, path, _ = world.trace(target)
        expect(f"a silent router to {target}", (outcome, path), ("ok", [way[0], "*", *way[2:]]))
        for kind, port in (("trace+udp", 33434), ("trace+tcp", 80)):
            outcome, path, _ = world.trace(f"[{target}]:{port}" if ":" in target else f"{target}:{port}", kind)
            expect(f"a silent router by {kind} to {target}", (outcome, path), ("ok", [way[0], "*", *way[2:]]))
    r2.run("nft", "delete table inet quiet")

    r3.ip("route replace blackhole 10.0.4.2/32")
    outcome, path, result = world.trace("10.0.4.2")
    expect("a black hole", (outcome, path, result["hops"]), ("timeout", way4[:2], 2))
    for kind, port in (("trace+udp", ""), ("trace+tcp", ":80")):
        outcome, path, result = world.trace(f"10.0.4.2{port}", kind)
        expect(f"a black hole by {kind}", (outcome, path, result["hops"]), ("timeout", way4[:2], 2))
    r3.ip("route replace prohibit 10.0.4.2/32")
    outcome, path, result = world.trace("10.0.4.2")
    expect("a router that forbids it", (outcome, path, result["icmp"]), ("prohibited", way4[:3], "3/13"))
    for kind, port in (("trace+udp", ""), ("trace+tcp", ":80")):
        outcome, path, result = world.trace(f"10.0.4.2{port}", kind)
        expect(f"a router that forbids it by {kind}", (outcome, path, result["icmp"]), ("prohibited", way4[:3], "3/13"))
    r3.ip("route replace 10.0.4.2/32 via 10.0.3.1")
    outcome, path, result = world.trace("10.0.4.2")
    expect("a loop", (outcome, path[:4]), ("ttl-exceeded", [*way4[:3], "10.0.2.2"]))
    if len(path) > 10:
        raise Failed(f"a loop was followed over {len(path)} hops")

    # Nobody is there on our own network, which our own machine says: no router was met, at no distance.
    for kind, port in (("trace", ""), ("trace+udp", ""), ("trace+tcp", ":80")):
        outcome, path, result = world.trace(f"10.0.1.77{port}", kind)
        expect(f"a silent neighbour by {kind}", (outcome, path, result.get("hops")), ("host-unreachable", None, None))


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
