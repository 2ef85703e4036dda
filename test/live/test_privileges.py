#!/usr/bin/python3
"""test_privileges.py LASTLIGHT: what the program needs to be allowed, what it says where it is not, and what it keeps.

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
NOBODY = 65534
DAC_OVERRIDE, NET_BIND_SERVICE, NET_RAW = 1, 10, 13
CONFIG = """journal: {journal}
vantage: {{name: here, controls: [icmp:127.0.0.2]}}
subjects:
  - name: own
    targets: [icmp:127.0.0.1, {{target: "tcp:127.0.0.1:9", interval: 1s}}]
defaults: {{interval: 1s, timeout: 1s}}
"""


class World:
    def __init__(self, lastlight):
        self.node = Box().node("here")
        self.folder = RUN / "nobody"
        self.folder.mkdir(parents=True)
        os.chown(self.folder, NOBODY, NOBODY)
        self.lastlight = RUN / "lastlight"      # where nobody may go
        shutil.copy(lastlight, self.lastlight)
        self.config = self.folder / "lastlight.yaml"
        self.config.write_text(CONFIG.format(journal=self.folder / "lastlight.db"))

    def unprivileged(self, *capabilities):
        """The words that begin a command line of somebody who has these capabilities and no other."""
        caps = "".join(f",+{name}" for name in capabilities)
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps=-all{caps}",
                f"--ambient-caps=-all{caps}", f"--bounding-set=-all{caps}", "--"]

    def everybody_may_ping(self, may):
        self.node.run("sysctl", "-qw", f"net.ipv4.ping_group_range={'0 2147483647' if may else '1 0'}")

    def probe(self, *who):
        """(outcome, complaints)"""
        text = self.node.run(*who, self.lastlight, "probe", "--json", "icmp:127.0.0.1", check=False)
        lines = text.strip().splitlines()
        return json.loads(lines[-1])["outcome"], lines[:-1]

    def run(self, *who):
        """Starts `lastlight run`; (the capabilities of all its threads, as sets of bits; what it said)."""
        argv = [*who, self.lastlight, "run", "-c", self.config]
        process = self.node.spawn(f"run{len(self.node.processes)}", argv)
        until = time.monotonic() + 20
        while "watching" not in (process.log.read_text() if process.log.exists() else ""):
            if time.monotonic() > until or not process.is_running:
                raise Failed(f"it does not run: {process.tail()}")
            time.sleep(0.05)
        time.sleep(1.5)                         # for a turn, and for threads that begin late
        found = capabilities(process.popen.pid)
        process.stop()
        for left in self.folder.glob("lastlight.db*"):
            left.unlink()
        return found, process.log.read_text()


def capabilities(pid):
    """Of the program's threads, each different set once. `pid` may be of who waits for it."""
    while True:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            break
        pid = int(children[0])
    found = set()
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    if len(tasks) < 2:
        raise Failed("the program has but one thread: what is looked at is not the program")
    for task in tasks:
        status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            bits = int(status[kind], 16)
            found.add((kind, tuple(bit for bit in range(64) if bits >> bit & 1)))
    return {bits for _, bits in found}


def tell(world):
    raw = world.unprivileged("net_raw")
    nothing = world.unprivileged()

    world.everybody_may_ping(False)
    outcome, said = world.probe(*nothing)
    expect("a ping that nobody allows", outcome, "self")
    expect("complaints about it", len(said), 1)
    for word in ("not permitted", "cannot be pinged", "ping_group_range", "cap_net_raw"):
        if word not in said[0]:
            raise Failed(f"the complaint names no {word}: {said[0]}")
    expect("a ping with CAP_NET_RAW alone", world.probe(*raw), ("ok", []))
    expect("a ping as root", world.probe(), ("ok", []))

    found, said = world.run(*nothing)
    expect("capabilities without any", found, {()})
    expect("complaints of a daemon that may not ping", said.count("cannot be pinged"), 1)
    expect("complaints of a daemon without raw sockets", said.count("raw sockets are not permitted"), 1)
    found, said = world.run(*raw)
    expect("capabilities after CAP_NET_RAW", found, {()})
    expect("complaints with CAP_NET_RAW", said.count("permitted"), 0)
    found, _ = world.run(*world.unprivileged("net_raw", "net_bind_service"))
    expect("capabilities of one that may also listen below 1024", found - {()}, {(NET_BIND_SERVICE,)})
    found, _ = world.run()
    expect("capabilities after root's", found - {()}, {(DAC_OVERRIDE, NET_BIND_SERVICE)})

    world.everybody_may_ping(True)
    expect("a ping that everybody may send", world.probe(*nothing), ("ok", []))


def main():
    if not is_inside():
        enter(__file__, LIMIT_S, "sysctl")
    try:
        tell(World(os.path.abspath(sys.argv[1])))
    except Failed as failed:
        print(f"FAILED: {failed}")
        sys.exit(1)
    print("ok")


main()
