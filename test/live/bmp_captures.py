#!/usr/bin/python3
"""bmp_captures.py LASTLIGHT [FOLDER]: what real routers (FRR, GoBGP) say over BMP, kept as its bytes come in, is
what `lastlight bgp` makes of it.

BIRD tells them a few prefixes, takes one back, ends its sessions and begins them again; then they are stopped. Each
capture must decode without a fault, must hold all that happened, and, of what was heard before any policy, the same
routes as the router's own MRT archive of the same messages. With FOLDER some of them are left there, for
test/golden/bmp.

Everything lives in namespaces that end with this script. Exit 77, with a message: it cannot run here."""

import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "lab")]
sys.dont_write_bytecode = True

from laboratory.box import RUN, Box, Failed, is_inside  # noqa: E402
import inside  # noqa: E402
import routers  # noqa: E402

LIMIT_S = 110
TABLES = {11019: "pre-policy", 11020: "loc-rib", 11021: "post-policy"}
KEPT = ("frr-pre-policy.bmp", "gobgp-pre-policy.bmp", "gobgp-loc-rib.bmp")
NAMES = {"10.0.0.21": "frr", "10.0.0.31": "gobgp"}


def capture(folder):
    """In the observer's namespace: what comes in at each port goes into a file of its sender's name."""
    def take(connection, path):
        with open(path, "ab", buffering=0) as out:
            while received := connection.recv(65536):
                out.write(received)

    def listen(port, table):
        with socket.create_server(("10.0.0.1", port)) as server:
            while True:
                connection, (address, _) = server.accept()
                path = os.path.join(folder, f"{NAMES[address]}-{table}.bmp")
                threading.Thread(target=take, args=(connection, path), daemon=True).start()

    for port, table in TABLES.items():
        threading.Thread(target=listen, args=(port, table)).start()


class Story:
    def __init__(self, lastlight):
        routers.PREFIXES4, routers.PREFIXES6 = routers.PREFIXES4[:3], routers.PREFIXES6[:2]
        self.lastlight = lastlight
        self.box = Box()
        self.bird, *rest = routers.plug_all(self.box)
        self.routers = [r for r in rest if r]
        self.observer = self.box.node("observer")
        for router in self.routers:
            router.archive = router.node.dir / "heard.mrt"
        self.observer.spawn("capture", [sys.executable, __file__, "--capture", self.observer.dir])

    def captures(self, table):
        return [self.observer.dir / f"{r.name}-{table}.bmp" for r in self.routers
                if table != "loc-rib" or r.name == "gobgp"]

    def read(self, path, *options):
        """Its elements. While it is being written it may end within a message."""
        text = self.observer.run(self.lastlight, "bgp", *options, path, check=False)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def wait(self, what, of, find, **members):
        """Until each capture of the table has so many elements with these members as find() says of its file."""
        began = time.monotonic()
        while True:
            self.box.check_alive(f"while waiting for {what}")
            lacks = []
            for path in self.captures(of):
                found = [e for e in self.read(path) if all(e.get(k) == v for k, v in members.items())] if path.exists() else []
                if not find(found):
                    lacks.append(f"{path.name} has {len(found)}")
            if not lacks:
                print(f"{what}: {time.monotonic() - began:.1f} s")
                return
            if time.monotonic() - began > 30:
                raise Failed(f"{what}: not within 30 s: {', '.join(lacks)}")
            time.sleep(0.3)

    def tell(self):
        routers.start_all([self.bird, *self.routers])
        prefixes = {*routers.PREFIXES4, *routers.PREFIXES6, routers.GOES}
        for table in TABLES.values():
            self.wait(f"all prefixes of {table}", table, lambda es: {e["prefix"] for e in es} == prefixes,
                      type="announce", table=table)
        self.bird.tell("disable goes")
        self.wait("one withdrawn", "pre-policy", lambda es: len({e["peer"] for e in es}) == 2,
                  type="withdraw", prefix=routers.GOES)
        for state in ("disable", "enable"):
            for router in self.routers:
                self.bird.tell(f"{state} {router.name}0")
            to = "idle" if state == "disable" else "established"
            self.wait(f"a session {to}", "pre-policy", lambda es, more=len(to) > 4: len(es) >= (3 if more else 1),
                      type="state", to=to)
        time.sleep(2)       # what follows a session's beginning
        for router in self.routers:
            router.process.stop()
        time.sleep(0.5)
        for table in TABLES.values():
            for path in self.captures(table):
                self.check(path)

    def check(self, path):
        counts = json.loads(self.observer.run(self.lastlight, "bgp", "--count", "--json", path))
        if counts["bad"] or counts["faulty"]:
            raise Failed(f"{path.name}: {counts}")
        print(f"{path.name}: {path.stat().st_size} bytes, {counts['announce']} announced, {counts['withdraw']} withdrawn")
        router = path.name.split("-")[0]
        if not path.name.endswith("-pre-policy.bmp"):
            return
        heard = self.routes(self.observer.box.node(router).dir / "heard.mrt")
        # FRR (8.4) writes its own AS in front, as if it passed the routes on.
        told = {(peer, asn, prefix, aspath.removeprefix("65002 "), *rest)
                for peer, asn, prefix, aspath, *rest in self.routes(path)}
        if heard != told:
            raise Failed(f"{router} heard, and does not tell: {sorted(heard - told)}; tells, and did not hear: "
                         f"{sorted(told - heard)}")

    def routes(self, path):
        """What was announced, as a set: a router that is asked again tells again."""
        members = ("peer", "peer_asn", "prefix", "path", "origin", "next_hop")
        return {tuple(str(e.get(m)) for m in members) for e in self.read(path, "--type", "announce")}


def main():
    if sys.argv[1:2] == ["--capture"]:
        capture(sys.argv[2])
        return
    if not is_inside():
        routers.enter(__file__, LIMIT_S)
    lastlight, folder = os.path.abspath(sys.argv[1]), (sys.argv[2:] or [None])[0]
    try:
        story = Story(lastlight)
        if not story.routers:
            inside.skip("neither FRR nor GoBGP is installed")
        story.tell()
        for name in KEPT if folder else ():
            Path(folder, name).write_bytes((story.observer.dir / name).read_bytes())
    except Failed as failed:
        print(f"FAILED: {failed}")
        for log in sorted(RUN.glob("*/*.log")):
            print(f"---- {log.relative_to(RUN)}\n{log.read_text(errors='replace')[-3000:]}")
        sys.exit(1)
    print("ok")


main()
