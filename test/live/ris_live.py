#!/usr/bin/env python3
"""ris_live.py LASTLIGHT: lastlight listens to real routers, as if they were RIPE's.

Two BIRDs on loopback hold a session; what the second hears goes into an MRT file, which ris_relay.py
serves as RIS Live. Routes go and come, the session breaks, the stream breaks: what the journal holds of
it is looked at. Skipped (77) where there is no BIRD. No privileges are needed.

The whole table is kept as well. Bins end every five minutes: so that one does soon, all that runs here has
a clock that is ahead, by libfaketime where it is installed. Else no bin is waited for, nor where lastlight is
built with a sanitizer: preloaded before that, libfaketime can hold a program up before it begins.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 30
BIN = 300
# From the start until a bin ends: longer than all before it takes.
LEAD = 45
# The one of two that locks: lastlight reads the clock from several threads.
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

ROUTER = """
router id 10.0.0.{me};
log "{folder}/{name}.log" all;
{mrtdump}
protocol device {{ }}
protocol static own {{ ipv4; {routes} }}
protocol bgp session {{
  local 127.0.0.{me} port {port} as 6501{me};
  neighbor 127.0.0.{other} port {other_port} as 6501{other};
  strict bind yes; multihop 4; hold time 9;
  connect retry time 1; connect delay time 1; error wait time 1, 2;
  {dump}
  ipv4 {{ import all; export all; }};
}}
"""


def find(program):
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")


def is_sanitized(program):
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


def clock_ahead(lastlight):
    """What to set for a clock at which a bin ends in LEAD seconds."""
    if not os.path.exists(FAKETIME) or is_sanitized(lastlight):
        return {}
    ahead = (BIN - LEAD - time.time()) % BIN
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": "+%.3f" % ahead, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class World:
    def __init__(self, lastlight, folder):
        self.lastlight, self.folder = lastlight, folder
        self.children = []
        self.clock = clock_ahead(lastlight)
        self.ports = {me: free_port("127.0.0.%d" % me) for me in (1, 2)}
        self.relay_port = free_port("127.0.0.1")

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, name, *command, clock=True):
        with open(self.path(name + ".out"), "ab") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     env=dict(os.environ, **(self.clock if clock else {})))
        self.children.append(child)
        return child

    def stop(self, child):
        child.terminate()
        child.wait(timeout=PATIENCE)
        self.children.remove(child)

    def stop_all(self):
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def start_router(self, me, routes, is_collector):
        other = 3 - me
        name = "bird%d" % me
        with open(self.path(name + ".conf"), "w") as file:
            file.write(ROUTER.format(
                me=me, other=other, folder=self.folder, name=name, port=self.ports[me], other_port=self.ports[other],
                routes=" ".join("route %s unreachable;" % route for route in routes),
                mrtdump='mrtdump "%s";' % self.path("updates.mrt") if is_collector else "",
                dump="mrtdump { states, messages };" if is_collector else ""))
        return self.start(name, find("bird"), "-f", "-c", self.path(name + ".conf"), "-s", self.path(name + ".ctl"),
                          "-P", self.path(name + ".pid"))

    def tell_router(self, me, *words):
        return subprocess.run([find("birdc"), "-s", self.path("bird%d.ctl" % me), *words], check=True,
                              stdout=subprocess.PIPE, timeout=PATIENCE).stdout.decode()

    def start_relay(self):
        return self.start("relay", sys.executable, os.path.join(HERE, "ris_relay.py"), self.path("updates.mrt"),
                          "--port", str(self.relay_port), clock=False)  # it looks at no clock

    def start_lastlight(self):
        with open(self.path("lastlight.yaml"), "w") as file:
            file.write("journal: live.db\nvantage: {name: test}\n"
                       "subjects: [{name: net, prefixes: [198.51.100.0/24]}]\n"
                       "routes: {ris_live: {url: \"http://127.0.0.1:%d/v1/stream/\", hosts: [rrc99]},\n"
                       "         whole_table: yes}\n" % self.relay_port)
        return self.start("lastlight", self.lastlight, "run", "-c", self.path("lastlight.yaml"))

    def said(self):
        with open(self.path("lastlight.out")) as file:
            return file.read()

    def journal(self):
        if not os.path.exists(self.path("live.db")):
            return []
        lines = subprocess.run([self.lastlight, "export", "-j", self.path("live.db")], check=True, timeout=PATIENCE,
                               stdout=subprocess.PIPE).stdout.decode().splitlines()
        return [json.loads(line) for line in lines]

    def bins(self):
        """Of IPv4: "all 2 of 2, 1 of 1 peers"."""
        return ["%s %d of %d, %d of %d peers" % (line.get("asn", "all"), line["seen"], line["known"],
                                                 line["peers_up"], line["peers_total"])
                for line in self.journal() if line["type"] == "bin" and line["family"] == 4]

    def story(self):
        """What the collector told, in order: "start", "heard", "announce 198.51.100.0/24"."""
        told = []
        for line in self.journal():
            if line["type"] == "route":
                told.append("%s %s" % (line["op"], line["prefix"]))
            elif line["type"] == "peer":
                told.append(line["state"])
            elif line.get("source") == "collector:rrc99":
                told.append(line["type"])
        return told

    def await_(self, what, is_there, patience=PATIENCE):
        limit = time.monotonic() + patience
        while not is_there():
            for child in self.children:
                assert child.poll() is None, "%s ended" % (child.args,)
            if time.monotonic() > limit:
                raise AssertionError("%s did not come; said: %s told: %s" % (what, self.said(), self.story()))
            time.sleep(0.1)

    def expect(self, *words):
        self.await_(" ".join(words), lambda: self.story()[-len(words):] == list(words))


def play(world):
    world.start_router(1, ["198.51.100.0/24", "203.0.113.0/24"], False)
    world.start_router(2, [], True)
    relay = world.start_relay()
    lastlight = world.start_lastlight()
    world.await_("a connection", lambda: "RIS Live (rrc99): connected" in world.said())

    # The session was there, or came: either way what is withdrawn and announced now is told.
    world.await_("a route", lambda: "198.51.100.0/24" in world.tell_router(2, "show", "route"))
    world.tell_router(1, "disable", "own")
    world.await_("a withdrawal", lambda: world.story()[-1:] == ["withdraw 198.51.100.0/24"])
    world.tell_router(1, "enable", "own")
    world.expect("withdraw 198.51.100.0/24", "announce 198.51.100.0/24")
    assert not any("203.0.113.0/24" in word for word in world.story()), "a route that nobody watches"

    # A session that ends and begins anew tells its table.
    world.tell_router(1, "restart", "session")
    world.expect("down", "up", "announce 198.51.100.0/24")

    # The stream is lost and comes back: a gap, and the peer is heard again without a table.
    world.stop(relay)
    world.expect("gap")
    assert "RIS Live (rrc99): connection lost: " in world.said()
    relay = world.start_relay()
    world.expect("gap", "start", "heard")
    world.tell_router(1, "disable", "own")
    world.expect("heard", "withdraw 198.51.100.0/24")

    # In the whole table are both of its routes, of which one is watched.
    world.tell_router(1, "enable", "own")
    world.expect("withdraw 198.51.100.0/24", "announce 198.51.100.0/24")
    if world.clock:
        told = {"all 2 of 2, 1 of 1 peers", "65011 2 of 2, 1 of 1 peers"}
        world.await_("a bin", lambda: told <= set(world.bins()), BIN + PATIENCE)

    # All is told when it stops.
    world.stop(lastlight)
    assert world.story()[-1] == "gap", world.story()
    print(" ".join(world.story()))
    print(world.said())


def main():
    if not find("bird") or not find("birdc"):
        print("there is no BIRD here")
        return 77
    with tempfile.TemporaryDirectory(prefix="lastlight-ris-") as folder:
        world = World(os.path.abspath(sys.argv[1]), folder)
        try:
            play(world)
        finally:
            world.stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
