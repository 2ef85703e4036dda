#!/usr/bin/python3
"""test_routers.py LASTLIGHT: real routers (BIRD, FRR, GoBGP) give their tables to `lastlight run`, by BGP with
and without ADD-PATH and MD5, and by BMP; then each is cut off in another way, and comes back.

What must be in the journal: all prefixes of each; a withdrawal where there was one; for a session that is
lost a peer that is down or a gap, and never a withdrawal; afterwards all prefixes again. And no router
may have heard anything from us.

Everything lives in namespaces that end with this script, however it ends. Exit 77, with a message: it cannot
run here. Routers that are not installed are left out, but for BIRD, which feeds the others."""

import errno
import json
import os
import socket
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "lab")]
sys.dont_write_bytecode = True

from laboratory.box import RUN, Box, Failed, is_inside  # noqa: E402
import routers  # noqa: E402

LIMIT_S = 100       # for all of it; it takes about 40
PREFIXES = set(routers.PREFIXES4) | set(routers.PREFIXES6)
SPEAKER = "lon-bgp"


def has_md5():
    """Whether this kernel signs TCP connections."""
    address = socket.inet_aton("10.0.0.1")
    sockaddr = socket.AF_INET.to_bytes(2, sys.byteorder) + bytes(2) + address + bytes(120)
    key = b"key"
    option = sockaddr + bytes(2) + len(key).to_bytes(2, sys.byteorder) + bytes(4) + key.ljust(80, b"\0")
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, 14, option)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                raise
            return False
    return True


class Observer:
    """lastlight, three times: by BGP and BMP, and for the other tables that BMP may tell."""

    def __init__(self, box, lastlight, peers):
        self.box, self.lastlight = box, lastlight
        self.node = box.node("observer")
        self.programs = {}
        bgp = {"listen": ":179", "asn": routers.OBSERVER_AS, "id": routers.OBSERVER[0], "hold": f"{routers.HOLD_S}s",
               "peers": [self._peer(router, n) for router in peers for n in (0, 1)]}
        self._start("lon", {"bgp": bgp, "bmp": {"listen": ":11019", "table": "pre-policy"}})
        self._start("own", {"bmp": {"listen": ":11020", "table": "loc-rib"}})
        self._start("post", {"bmp": {"listen": ":11021", "table": "post-policy"}})

    @staticmethod
    def _peer(router, n):
        peer = {"address": router.addresses[n], "asn": router.asn}
        return {**peer, "md5": router.key} if n and router.key else peer

    def _start(self, name, routes):
        config = {"journal": f"{name}.db", "vantage": name, "routes": routes,
                  "subjects": [{"name": "all", "prefixes": routers.WATCHED}]}
        path = self.node.write(f"{name}.yaml", json.dumps(config))     # which is YAML, too
        self.programs[name] = self.node.spawn(name, [self.lastlight, "run", "-c", path])

    def said(self, name="lon"):
        return self.programs[name].log.read_text()

    def journal(self, name="lon"):
        """Every observation of routes, peers and collectors, as `export` gives them."""
        path = self.node.dir / f"{name}.db"
        is_there = path.exists()
        text = self.node.run(self.lastlight, "export", "-j", path, check=False)
        if not is_there or "is still empty" in text:      # nothing was written yet
            return []
        return [json.loads(line) for line in text.splitlines() if not line.startswith('{"type":"tick"')]

    def stop(self):
        for program in self.programs.values():
            program.stop()
            if program.popen.returncode:
                raise Failed(f"{program.label} ended with status {program.popen.returncode}: {program.tail()}")


class World:
    def __init__(self, lastlight):
        self.box = Box()
        absent = routers.missing()
        self.key = routers.KEY if has_md5() else None
        self.bird, self.frr, self.gobgp = routers.plug_all(self.box)
        self.routers = [r for r in (self.bird, self.frr, self.gobgp) if r]
        for router in (self.bird, self.frr):    # GoBGP's second session is unsigned, as one must be
            if router:
                router.key = self.key
        self.observer = Observer(self.box, lastlight, self.routers)
        self.left_out = [f"without {kind.__name__}: {', '.join(names)} not installed" for kind, names in absent.items()]
        if not self.key:
            self.left_out.append("without MD5: this kernel has no CONFIG_TCP_MD5SIG")

    def start(self):
        routers.start_all(self.routers)

    def expected(self, only=None):
        """{(journal, collector, peer): how many entries its table has} of these routers or of all."""
        tables = {}
        for router in only or self.routers:
            tables["lon", SPEAKER, router.addresses[0]] = len(PREFIXES)
            tables["lon", SPEAKER, router.addresses[1]] = 2 * len(PREFIXES)
            if router is not self.bird:
                for address in self.bird.addresses:
                    tables["lon", router.name, address] = tables["post", router.name, address] = len(PREFIXES)
            if router is self.gobgp:
                tables["own", router.name, router.addresses[0]] = len(PREFIXES)
        return tables


def matching(lines, since, **members):
    return [o for o in lines if o["time"] >= since and all(o.get(k) == v for k, v in members.items())]


class Story:
    def __init__(self, world):
        self.world, self.observer = world, world.observer
        self.since = ""     # what is looked at is not older

    def mark(self):
        """What comes of what is done next is not dated earlier, whatever the routers' stamps say."""
        time.sleep(0.02)
        now = time.time_ns()
        self.since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9)) + f".{now % 10**9:09d}Z"

    def journals(self):
        return {name: self.observer.journal(name) for name in self.observer.programs}

    def await_all(self, what, seconds, find):
        """Until find(journals) has nothing more to complain of in what the journals held after so many seconds: to
        read them takes a while where the machine is busy."""
        began = time.monotonic()
        while True:
            self.world.box.check_alive(f"while waiting for {what}")
            looked = time.monotonic()
            lacks = find(self.journals())
            if not lacks:
                print(f"{what}: {time.monotonic() - began:.1f} s")
                return
            if looked - began > seconds:
                raise Failed(f"{what}: not within {seconds} s: {'; '.join(lacks)}")
            time.sleep(0.4)

    # ---- what is to be found ----

    def tables(self, expected):
        """Each peer up, and its whole table told since."""
        def find(journals):
            lacks = []
            for (journal, collector, peer), count in expected.items():
                of_peer = matching(journals[journal], self.since, collector=collector, peer=peer)
                told = [o["prefix"] for o in of_peer if o.get("op") in ("table", "announce")]
                if not matching(of_peer, self.since, state="up"):
                    lacks.append(f"{collector} does not have {peer} up")
                elif not PREFIXES <= set(told) or len(told) < count:
                    lacks.append(f"{collector} has {len(set(told))} prefixes of {peer} in {len(told)} entries")
            return lacks
        return find

    def losses(self, downs, gaps):
        """These peers down, these collectors in a gap. Where silence was noticed, it is since the last sign of life,
        which may have been somewhat before the mark; there was no such thing earlier."""
        def find(journals):
            lacks = [f"{c} does not have {p} down" for j, c, p in downs
                     if not matching(journals[j], "", collector=c, peer=p, state="down")]
            return lacks + [f"{c} has no gap" for j, c in gaps
                            if not matching(journals[j], "", type="gap", source=f"collector:{c}")]
        return find

    def no_withdrawals(self, when):
        for name, lines in self.journals().items():
            gone = matching(lines, self.since, op="withdraw")
            if gone:
                raise Failed(f"{name}: {len(gone)} withdrawals {when}, such as {gone[0]}")

    # ---- what happens ----

    def tell(self):
        world = self.world
        world.start()
        self.await_all("all tables", 25, self.tables(world.expected()))
        self.no_withdrawals("at the beginning")
        self.one_of_two_paths_goes()
        self.one_prefix_goes()
        self.all_are_cut()
        self.all_come_back()
        for router in world.routers:
            if router.heard():
                raise Failed(f"{router.name} heard {router.heard()} routes from the observer")
        self.observer.stop()
        self.the_end()

    def one_of_two_paths_goes(self):
        """With ADD-PATH the end of one path is no withdrawal."""
        self.mark()
        self.world.bird.tell("disable b4")
        def find(journals):
            told = matching(journals["lon"], self.since, collector=SPEAKER, peer=self.world.bird.addresses[1])
            count = len({o["prefix"] for o in told if o.get("op") == "announce"})
            return [] if count == routers.COUNT4 else [f"{count} prefixes of BIRD have one path left"]
        self.await_all("one of two paths withdrawn", 10, find)
        self.no_withdrawals("of prefixes that have another path")

    def one_prefix_goes(self):
        """And comes, and goes. GoBGP (3.10) tells no withdrawal, post-policy, of what it told when the station
        connected; it does of what it announced since."""
        tables = list(self.world.expected())
        self.change("one prefix withdrawn", "disable goes", ["withdraw"],
                    [key for key in tables if key[:2] != ("post", "gobgp")])
        self.change("it is back", "enable goes", ["announce", "table"], tables)     # some still tell their table
        self.change("withdrawn again", "disable goes", ["withdraw"], tables)

    def change(self, what, deed, ops, tables):
        self.mark()
        self.world.bird.tell(deed)
        def find(journals):
            told = {(j, o["collector"], o["peer"]) for j, lines in journals.items()
                    for o in matching(lines, self.since, prefix=routers.GOES) if o["op"] in ops}
            return [f"{j}: {c} does not have it of {p}" for j, c, p in tables if (j, c, p) not in told]
        self.await_all(what, 10, find)

    def all_are_cut(self):
        """FRR dies, BIRD says goodbye, GoBGP's wire breaks."""
        world = self.world
        self.mark()
        for n in (0, 1):
            world.bird.tell(f'disable observer{n} "till tomorrow"')
        if world.frr:
            world.frr.process.kill()
        if world.gobgp:
            world.gobgp.set_wire("down")
        gaps = {(journal, collector) for journal, collector, _ in world.expected()}
        downs = [key for key in world.expected() if key[1] == SPEAKER]
        self.await_all("all of them lost", 20, self.losses(downs, gaps))
        self.no_withdrawals("where sessions were lost")
        said = self.observer.said()
        for words in ('Cease, Administrative Shutdown: "till tomorrow"', "the router closed the connection",
                      "Hold Timer Expired (nothing was heard for 9 s)"):
            if words not in said and (len(world.routers) == 3 or "Cease" in words):
                raise Failed(f"people were not told: {words}")

    def all_come_back(self):
        world = self.world
        self.mark()
        for n in (0, 1):
            world.bird.tell(f"enable observer{n}")
        world.bird.tell("enable b4")
        if world.frr:
            world.frr.start([world.bird])
        if world.gobgp:
            world.gobgp.set_wire("up")
        find = self.tables(world.expected())
        def find_and_beat(journals):
            world.bird.beat()   # only when it has something to say GoBGP notices that nobody hears it
            return find(journals)
        self.await_all("all tables again", 35, find_and_beat)
        self.no_withdrawals("when they came back")

    def the_end(self):
        """Stopping is a gap of every collector, and of no peer."""
        for name, lines in self.journals().items():
            ends = {o["source"] for o in lines if o["type"] == "gap" and "stopped listening" in o.get("reason", "")}
            wanted = {f"collector:{c}" for j, c, _ in self.world.expected() if j == name}
            if ends != wanted:
                raise Failed(f"{name}: {sorted(ends)} have a gap at the end, expected {sorted(wanted)}")


def main():
    if not is_inside():
        routers.enter(__file__, LIMIT_S)
    began = time.monotonic()
    story = None
    try:
        story = Story(World(os.path.abspath(sys.argv[1])))
        story.tell()
    except Failed as failed:
        print(f"FAILED: {failed}")
        for log in sorted(RUN.glob("*/*.log")):
            print(f"---- {log.relative_to(RUN)}\n{log.read_text(errors='replace')[-3000:]}")
        sys.exit(1)
    for text in story.world.left_out:
        print(text)
    print(f"ok, in {time.monotonic() - began:.0f} s")


main()
