#!/usr/bin/python3
"""test_resets.py LASTLIGHT: who refuses a TCP connection, the host itself or a router in its name; told from the TTL of the
reset. And what is told of one that stands, and of one that is not answered.

Exit 77, with a message: it cannot run here."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lab")]
sys.dont_write_bytecode = True

from inside import enter, expect  # noqa: E402
from laboratory.box import RUN, Box, Failed, is_inside  # noqa: E402

LIMIT_S = 60
LISTEN = ("import socket,sys,time\n"
          "s=[socket.create_server(('::',p),family=socket.AF_INET6,dualstack_ipv6=True) for p in (80,8080)]\n"
          "time.sleep(60)\n")


class World:
    """here (10.1.0.1, fd01::1) - router - there (10.2.0.2, fd02::2), whose packets arrive with a TTL of 63."""

    def __init__(self, lastlight):
        self.box = Box()
        self.lastlight = RUN / "lastlight"
        shutil.copy(lastlight, self.lastlight)
        self.here, self.router, self.there = (self.box.node(name) for name in ("here", "router", "there"))
        self.here.ip("link add out type veth peer name in netns router")
        self.router.ip("link add out type veth peer name in netns there")
        self.router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.router.ip("link set in up", "address add 10.1.0.2/24 dev in", "address add fd01::2/64 dev in nodad",
                       "link set out up", "address add 10.2.0.1/24 dev out", "address add fd02::1/64 dev out nodad")
        self.there.ip("link set in up", "address add 10.2.0.2/24 dev in", "address add fd02::2/64 dev in nodad",
                      "route add default via 10.2.0.1", "route add default via fd02::1")
        self.here.ip("link set out up", "address add 10.1.0.1/24 dev out", "address add fd01::1/64 dev out nodad",
                     "route add default via 10.1.0.2", "route add default via fd01::2")
        self.there.spawn("listen", [sys.executable, "-c", LISTEN])
        time.sleep(0.5)

    def probe(self, target, *who):
        text = self.here.run(*who, self.lastlight, "probe", "--json", "-v", target, check=False)
        return json.loads(text.strip().splitlines()[-1])


def tell(world):
    unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--"]
    for host, bracketed in (("10.2.0.2", "10.2.0.2"), ("fd02::2", "[fd02::2]")):
        result = world.probe(f"tcp:{bracketed}:81")
        expect(f"a port of {host} that is closed", (result["outcome"], result["facts"]["rst_ttl"],
                                                    result["facts"]["host_ttl"]), ("refused", 63, 63))
        result = world.probe(f"tcp:{bracketed}:80")
        expect(f"a port of {host} that is open", (result["outcome"], result["facts"]["host_ttl"],
                                                  result["facts"]["syn_retransmits"]), ("ok", 63, 0))
        if not 0 < result["facts"]["handshake_rtt_us"] < 1e6:
            raise Failed(f"a handshake of {result['facts']['handshake_rtt_us']} us")

    world.router.run("nft", "add table inet forge; add chain inet forge way { type filter hook forward priority 0; };"
                     "add rule inet forge way tcp dport 80 reject with tcp reset;"
                     "add rule inet forge way tcp dport 82 drop")
    for host, bracketed in (("10.2.0.2", "10.2.0.2"), ("fd02::2", "[fd02::2]")):
        result = world.probe(f"tcp:{bracketed}:80")
        expect(f"a reset in the name of {host}", (result["outcome"], result["facts"]["rst_ttl"],
                                                  result["facts"]["host_ttl"]), ("refused", 64, 63))
        said = "RST with TTL 64, but the host's packets arrive with 63"
        if not any(said in step for step in result["steps"]):
            raise Failed(f"not told: {said}: {result['steps']}")
    world.router.run("nft", "add table inet cut; add chain inet cut way { type filter hook forward priority 0; };"
                     "add rule inet cut way tcp dport 8080 tcp flags & (psh | ack) == psh | ack reject with tcp reset")
    result = world.probe("http://10.2.0.2:8080/")
    expect("a page that is cut off on the way", (result["outcome"], result["facts"]["rst_ttl"],
                                                 result["facts"]["host_ttl"]), ("reset", 64, 63))
    result = world.probe("tcp:10.2.0.2:82")
    expect("a port that is dropped on the way", (result["outcome"], result["facts"]["syn_retransmits"] >= 1),
           ("timeout", True))
    result = world.probe("tcp:10.2.0.2:80", *unprivileged)
    expect("a reset without CAP_NET_RAW", (result["outcome"], "rst_ttl" in result["facts"]), ("refused", False))
    if not any("needs CAP_NET_RAW" in step for step in result["steps"]):
        raise Failed(f"not told why the TTL is not known: {result['steps']}")


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
