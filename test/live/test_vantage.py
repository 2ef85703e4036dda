#!/usr/bin/python3
"""test_vantage.py LASTLIGHT: what a vantage finds of itself, with real links: its link goes down, its gateway dies, its
clock is compared with servers by NTP. It has no controls, and still takes none of that for somebody's outage; and then
somebody's outage comes, and is told.

Exit 77, with a message: it cannot run here."""

import json
import os
import socket
import struct
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lab")]
sys.dont_write_bytecode = True

from inside import enter, expect  # noqa: E402
from laboratory.box import Box, Failed, is_inside  # noqa: E402

LIMIT_S = 150
CONFIG = """journal: {journal}
vantage: {{name: here}}
defaults: {{interval: 1s, timeout: 500ms}}
subjects:
  - name: far
    targets: [icmp:10.2.0.2, icmp:10.2.0.3, {{target: "tcp:10.2.0.2:9", interval: 1s}}]
"""
CLOCKS = "vantage: {{name: here, controls: [icmp:10.2.0.2], ntp: [{servers}]}}\nsubjects: [{{name: far, targets: [icmp:10.2.0.3]}}]\n"
EPOCH_S = 2208988800


def serve_ntp(address, mode, log):
    """An NTP server, as a program of its own: `mode` is by how many seconds it is ahead, or a kiss. Each request is a
    line in the log."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 123))
    while True:
        request, client = server.recvfrom(512)
        with open(log, "a", encoding="ascii") as out:
            out.write("asked\n")
        cookie, is_kiss = request[40:48], mode.isalpha()
        ahead = 0 if is_kiss else float(mode)
        stamp = int((time.time() + ahead + EPOCH_S) * 2**32)
        head = struct.pack(">BBbbII4s", 0xe4 if is_kiss else 0x24, 0 if is_kiss else 2, 6, -20, 0, 0,
                           mode.encode() if is_kiss else b"\xc0\x00\x02\x01")
        server.sendto(head + bytes(8) + cookie + struct.pack(">QQ", stamp, stamp), client)


class World:
    """here (10.1.0.1) - gateway (10.1.0.2, 10.2.0.1) - there (10.2.0.2 and on)."""

    def __init__(self, lastlight):
        self.box, self.lastlight = Box(), lastlight
        self.here, self.gateway, self.there = (self.box.node(name) for name in ("here", "gateway", "there"))
        self.here.ip("link add out type veth peer name in netns gateway")
        self.gateway.ip("link add out type veth peer name in netns there")
        self.gateway.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.gateway.ip("link set in up", "address add 10.1.0.2/24 dev in", "link set out up",
                        "address add 10.2.0.1/24 dev out")
        self.there.ip("link set in up", *(f"address add 10.2.0.{n}/24 dev in" for n in range(2, 8)),
                      "route add default via 10.2.0.1")
        self.connect()
        self.journal = self.here.dir / "lastlight.db"
        self.config = self.here.write("lastlight.yaml", CONFIG.format(journal=self.journal))

    def connect(self):
        self.here.ip("link set out up", "address replace 10.1.0.1/24 dev out", "route replace default via 10.1.0.2")

    def ask(self, *argv):
        text = self.here.run(self.lastlight, *argv, "--journal", self.journal, "--json")
        return [json.loads(line) for line in text.splitlines()]

    def await_notices(self, kind, target, is_open, count, what, wait_s=45):
        """Until there are so many: conclusions come LATENESS after what they are drawn from."""
        until = time.monotonic() + wait_s
        while True:
            found = [n for n in self.ask("incidents") if n["type"] == "notice" and n["kind"] == kind and
                     n["target"] == target and n["is_open"] == is_open]
            if len(found) == count:
                return
            if time.monotonic() > until or len(found) > count:
                raise Failed(f"{what}: expected {count} such notices of {target}: {self.ask('incidents')}")
            time.sleep(0.5)

    def incidents(self):
        return [i for i in self.ask("incidents") if i["type"] == "incident"]

    def clock(self, servers, rounds=1):
        """What self:clock finds with these servers ({address: mode}), and how often each was asked."""
        config = self.here.write("clocks.yaml", CLOCKS.format(servers=", ".join(servers)))
        processes, logs = [], {}
        for address, mode in servers.items():
            logs[address] = self.there.dir / f"asked-{address}"
            logs[address].write_text("")
            processes.append(self.there.spawn(f"ntp-{address}-{mode}", [
                sys.executable, __file__, "serve-ntp", address, mode, logs[address]]))
        time.sleep(0.5)
        text = self.here.run(self.lastlight, "probe", "-c", config, "--json", "-v", "-n", rounds, "self:clock", check=False)
        for process in processes:
            process.stop()
        results = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return results[-1], {address: log.read_text().count("asked") for address, log in logs.items()}


def tell_clock(world):
    right, count = world.clock({"10.2.0.2": "0", "10.2.0.3": "0", "10.2.0.4": "0"})
    expect("a right clock", right["outcome"], "ok")
    expect("requests", count, {"10.2.0.2": 1, "10.2.0.3": 1, "10.2.0.4": 1})
    if abs(right["facts"]["clock_offset_us"]) > 100000:
        raise Failed(f"a right clock is told to be {right['facts']['clock_offset_us']} us behind")

    wrong, _ = world.clock({"10.2.0.2": "5", "10.2.0.3": "5", "10.2.0.4": "5"})
    expect("a clock that is 5 s behind", wrong["outcome"], "self")
    if not 4.9e6 < wrong["facts"]["clock_offset_us"] < 5.1e6 or not 4.9e9 < wrong["value"] < 5.1e9:
        raise Failed(f"the offset of a clock that is 5 s behind: {wrong}")
    liar, _ = world.clock({"10.2.0.2": "0", "10.2.0.3": "-700", "10.2.0.4": "0"})
    expect("a server that lies", liar["outcome"], "ok")

    denied, count = world.clock({"10.2.0.5": "DENY", "10.2.0.6": "RATE"}, rounds=3)
    expect("servers that send us away, asked", count, {"10.2.0.5": 1, "10.2.0.6": 1})
    if "clock_offset_us" in denied["facts"]:
        raise Failed(f"a kiss was taken for a time: {denied}")


def tell_uplink(world):
    run = world.here.spawn("run", [world.lastlight, "run", "-c", world.config])
    time.sleep(12)

    world.here.ip("link set out down")
    time.sleep(12)
    world.connect()
    world.await_notices("own-fault", "self:link", False, 1, "after the link came back")
    world.await_notices("own-fault", "self:gateway", False, 1, "after the link came back")

    world.gateway.run("nft", "add table netdev dead; add chain netdev dead in "
                      "{ type filter hook ingress device in priority 0; policy drop; }")
    world.await_notices("own-fault", "self:gateway", True, 1, "after the gateway died")
    world.gateway.run("nft", "delete table netdev dead")
    world.await_notices("own-fault", "self:gateway", False, 2, "after the gateway came back")
    world.await_notices("vantage-unwell", None, False, 2, "of a vantage that was cut off twice")
    expect("incidents while it was cut off itself", world.incidents(), [])
    status = world.here.run(world.lastlight, "status", "--journal", world.journal)
    if "Vantage here of itself:" not in status or "link up" not in status:
        raise Failed(f"status does not tell of the vantage itself: {status}")

    world.there.ip("link set in down")
    until = time.monotonic() + 45
    while not world.incidents() and time.monotonic() < until:
        time.sleep(0.5)
    expect("incidents of an outage that is none of ours", [i["subject"] for i in world.incidents()], ["far"])
    run.stop()


def main():
    if sys.argv[1] == "serve-ntp":
        serve_ntp(*sys.argv[2:])
    if not is_inside():
        enter(__file__, LIMIT_S, "nft")
    try:
        world = World(os.path.abspath(sys.argv[1]))
        tell_clock(world)
        tell_uplink(world)
    except Failed as failed:
        print(f"FAILED: {failed}")
        sys.exit(1)
    print("ok")


main()
