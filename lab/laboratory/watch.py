"""lastlight, watching the world of the laboratory as a user would run it, from every vantage.

    watch = Watch(box, plan, lastlight, resolv_conf, ca_file, anchors, clock=["west"])
    watch.start()
    ...                                    # the world is broken and mended
    watch.stop()
    findings = watch.collect()             # for judge.py
    watch.record("power-cut-3.jsonl.zst", {"title": "Laboratory: power-cut, seed 3"}, truth_path)

Each vantage has a journal of its own, and the first one alone hears the routes. What all of them saw
is joined into one record, which is judged as a whole: that is what the truth is held against. The
live daemons tell how long it took until somebody knew.
"""

import json
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

from .box import RUN, Failed
from .routers import BMP_PORT
from .judge import Episode, Evidence, Findings, Incident, Interval, Layer, Notice, Told, Verdict, seconds

LABEL = "lastlight"
# The one of two that locks: lastlight reads the clock from two threads.
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
START_S, DRAIN_S = 10, 15
OPENS = re.compile(r"lastlight: incident (\d+) on \S+, since ")

# ---- what is watched ----

PING = {"interval": "1s", "timeout": "900ms"}
ASK = {"interval": "2s", "timeout": "1500ms"}   # names and services
LOOK = {"interval": "5s", "timeout": "4s"}      # at zones as a whole


def targets(plan):
    """Everything of the country that is asked, in the order of the plan."""
    servers = plan.running("dns-primary") + plan.running("dns-secondary")
    found = [_target(f"icmp:{h.address}", PING) for h in plan.hosts]
    found += [_target(f"dns:{h.address}/{zone}/SOA", ASK) for h in servers for zone in plan.country["zones"]]
    for host in plan.hosts:
        found += _services(host)
    return found


def _target(text, pace):
    return {"target": text, **pace}


def _services(host):
    name = host.names[0].rstrip(".") if host.names else host.address
    # A page of status 200 that does not name its site is not the site's.
    found = [{**_target(f"{scheme}://{name}/", ASK), "text": f"<h1>{name}"} for scheme in ("http", "https")
             if scheme in host.runs]
    if "https" in host.runs:
        found.append(_target(f"tls:{name}:443", ASK))
    if "smtp" in host.runs:   # as far as the handshake: lastlight does not speak SMTP yet
        found.append(_target(f"tcp:{host.address}:25", ASK))
    return found


def zones(plan, anchors):
    """The country's zones, found from the root of this world on, and as the vantage's own resolver takes them."""
    found = []
    for zone in plan.country["zones"]:
        look = {"zone": zone, **LOOK, "via": [plan.root.address], "resolver": "127.0.0.1"}
        found.append({**look, "trust_anchors": anchors(zone)} if anchors(zone) else look)
    return found


def configuration(plan, vantage, hears_routes, anchors):
    """lastlight.yaml of a vantage. JSON is YAML too; a line each is enough to read it."""
    country = plan.country
    subject = {"name": country["name"], "title": country["title"], "timezone": country["timezone"],
               "zones": zones(plan, anchors), "prefixes": country["prefixes"], "asns": [country["asn"]]}
    controls = [_target(f"icmp:{c.address}", PING) for c in plan.controls]
    lines = ["journal: lastlight.db", f"vantage: {_flow({'name': vantage.name, 'controls': controls})}"]
    if hears_routes:
        routes = {"collector": plan.collector["name"], "bmp": f"{vantage.address}:{BMP_PORT}"}
        lines.append(f"routes: {_flow(routes)}")
    lines += ["subjects:", *(f"  {'- ' if key == 'name' else '  '}{key}: {_flow(value)}"
                             for key, value in subject.items())]
    lines += ["    targets:", *(f"      - {_flow(target)}" for target in targets(plan))]
    return "\n".join(lines) + "\n"


def _flow(value):
    return json.dumps(value, ensure_ascii=False)


# ---- what the live daemons say ----


class Listener(threading.Thread):
    """Follows the logs of the daemons and stamps each line with the time at which it was there."""

    STEP_S = 0.02

    def __init__(self, logs):
        super().__init__(daemon=True)
        self.logs = logs                       # by vantage
        self.read = {name: 0 for name in logs}  # bytes so far
        self.told = []
        self.lock = threading.Lock()
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(self.STEP_S):
            self.look()

    def look(self):
        with self.lock:
            for vantage, log in self.logs.items():
                if log.exists() and log.stat().st_size > self.read[vantage]:
                    self._take(vantage, log)

    def _take(self, vantage, log):
        now = time.time()
        with open(log, "rb") as file:
            file.seek(self.read[vantage])
            text = file.read()
        whole = text[:text.rfind(b"\n") + 1]   # the rest of the line is still to come
        self.read[vantage] += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            opens = OPENS.match(line)
            self.told.append(Told(now, vantage, line, int(opens[1]) if opens else None))

    def said(self, vantage, text):
        self.look()
        return any(t.vantage == vantage and text in t.line for t in self.told)

    def end(self):
        self.is_over.set()
        self.join()
        self.look()


# ---- the watch ----


class Watch:
    """`anchors`: gives the trust anchors of a zone, if it is signed. `resolv_conf`: gives the file that a vantage's programs see as /etc/resolv.conf. `ca_file`: the
    authority that the country's certificates are signed by. `clock`: names of vantages whose clock
    will be stepped. `hears_routes`: whether a collector will speak BMP to the first vantage."""

    def __init__(self, box, plan, lastlight, resolv_conf, ca_file, anchors, clock=None, hears_routes=True):
        self.plan, self.resolv_conf, self.ca_file = plan, resolv_conf, ca_file
        self.anchors = anchors
        self.lastlight = Path(lastlight).absolute()
        self.hears_routes = hears_routes
        self.nodes = {v.name: box.node(v.name) for v in plan.vantages}
        self.clock_offset = {name: 0.0 for name in clock or []}
        self.listener = Listener({name: node.dir / f"{LABEL}.log" for name, node in self.nodes.items()})
        self._check_given()

    def _check_given(self):
        if not os.access(self.lastlight, os.X_OK):
            raise Failed(f"{self.lastlight}: there is no such program; build it with `make`")
        strangers = set(self.clock_offset) - set(self.nodes)
        if strangers:
            raise Failed(f"clock: there is no vantage '{min(strangers)}'; known are {', '.join(self.nodes)}")
        if self.clock_offset and not FAKETIME.exists():
            raise Failed(f"{FAKETIME} is not there, so no clock can be stepped; install the package faketime")

    def start(self):
        for number, vantage in enumerate(self.plan.vantages):
            text = configuration(self.plan, vantage, self.hears_routes and number == 0, self.anchors)
            self._check_config(self.nodes[vantage.name].write("lastlight.yaml", text))
        for name in self.clock_offset:
            self._write_clock(name)
        self.listener.start()
        for name in self.nodes:
            self._spawn(name)
        for name in self.nodes:
            self._wait_for(name)

    def _check_config(self, path):
        ask(self.lastlight, "run", "--check-config", "-c", path)

    def _spawn(self, name):
        # By `env` and not by the environment of the whole command: the shell and mount that bind
        # resolv.conf have no need of a false clock.
        given = {"SSL_CERT_FILE": str(self.ca_file)} if self.ca_file else {}
        if name in self.clock_offset:
            given |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self._clock_file(name)),
                      "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.nodes[name].spawn(
            LABEL, ["env", *(f"{key}={value}" for key, value in given.items()), self.lastlight, "run", "-c",
                    self.nodes[name].dir / "lastlight.yaml"],
            binds={"/etc/resolv.conf": self.resolv_conf(name)})

    def _wait_for(self, name):
        """Until it has said that it watches."""
        until = time.monotonic() + START_S
        while not self.listener.said(name, " from vantage "):
            process = self.nodes[name].processes[LABEL]
            if not process.is_running or time.monotonic() > until:
                raise Failed(f"lastlight at {name} does not start watching: {process.tail()}")
            time.sleep(0.05)

    def stop(self):
        for name in self.nodes:
            self._end(name)
        self.listener.end()

    def _end(self, name):
        process = self.nodes[name].processes[LABEL]
        if not process.is_running:
            raise Failed(f"lastlight at {name} ended by itself, with status {process.popen.returncode}: "
                         f"{process.tail()}")
        process.stop(wait_s=DRAIN_S)
        if process.popen.returncode:
            raise Failed(f"lastlight at {name} did not end as it should, status {process.popen.returncode}: "
                         f"{process.tail()}")

    # ---- clocks ----

    def step_clock(self, name, by_s):
        """Sets the clock of a vantage forward, or back if < 0, from where it is now."""
        if name not in self.clock_offset:
            raise Failed(f"the clock of {name} cannot be stepped; name it in Watch(clock=...)")
        self.clock_offset[name] += by_s
        self._write_clock(name)

    def _clock_file(self, name):
        return self.nodes[name].dir / "clock"

    def _write_clock(self, name):
        """In one go: the program reads it each time it asks what time it is."""
        fresh = self.nodes[name].write("clock.new", f"{self.clock_offset[name]:+.3f}\n")
        fresh.rename(self._clock_file(name))

    # ---- what came of it ----

    def collect(self):
        """After stop(): joins what the vantages saw and has it judged as one."""
        logs, live = [], {}
        for name, node in self.nodes.items():
            live[name] = read_journal(self.lastlight, node.dir / "lastlight.db")[0]
            logs.append(node.dir / f"{name}.jsonl")
            ask(self.lastlight, "export", "-j", node.dir / "lastlight.db", "-o", logs[-1])
        said = replay(self.lastlight, self._joint(), logs)
        incidents, notices = read_journal(self.lastlight, self._joint())
        return Findings(incidents, notices, list(self.listener.told), live, said)

    def _joint(self):
        return RUN / "joint.db"

    def record(self, path, meta, truth=None):
        """After collect(): the joint record as an observation log, with the title and whatever else
        `meta` says of it in its first line, and beside it the truth, PATH with .truth.jsonl for its
        ending."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        plain, again = RUN / "record.jsonl", RUN / "record.db"
        ask(self.lastlight, "export", "-j", self._joint(), "-o", plain)
        plain.write_text(with_meta(plain.read_text(), meta))
        # By way of a journal: lastlight keeps what it does not know, and packs by the file's ending.
        replay(self.lastlight, again, [plain])
        ask(self.lastlight, "export", "-j", again, "-o", path)
        if truth:
            shutil.copyfile(truth, beside(path, ".truth.jsonl"))


def beside(path, ending):
    """Where what belongs to a recording lies: PATH with another ending for .jsonl, .jsonl.gz or .jsonl.zst."""
    stem = path.name.removesuffix(".gz").removesuffix(".zst").removesuffix(".jsonl")
    return path.with_name(stem + ending)


def with_meta(log, meta):
    """The log with what its first line tells of the whole. It is a recording: packets did go."""
    taken = {"type", "version", "time", "subject", "reconstruction"} & set(meta)
    if taken or "title" not in meta:
        raise Failed(f"the meta line of a record: '{min(taken)}' is not ours to say" if taken
                     else "the meta line of a record has no title")
    first, _, rest = log.partition("\n")
    line = json.loads(first)
    subject = line.pop("subject")
    line |= {"recording": "laboratory", **meta, "subject": subject}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" + rest


# ---- asking lastlight ----


def ask(lastlight, *arguments):
    """What it prints; Failed with what it says if it fails."""
    done = subprocess.run([lastlight, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"lastlight {arguments[0]}: status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def replay(lastlight, journal, logs):
    """Into a fresh journal. Returns what it had to say; what it could not read is a failure."""
    for old in journal.parent.glob(f"{journal.name}*"):
        old.unlink()
    done = subprocess.run([lastlight, "replay", "-j", journal, *logs], stdin=subprocess.DEVNULL, text=True,
                          timeout=300, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"lastlight replay: status {done.returncode}: {done.stderr.strip()}")
    return done.stderr.splitlines()


def read_journal(lastlight, journal):
    """(incidents, notices) of a journal."""
    incidents, notices = [], []
    for line in map(json.loads, ask(lastlight, "incidents", "--json", "-j", journal).splitlines()):
        if line["type"] == "incident":
            incidents.append(read_incident(_why(lastlight, journal, line["incident"])))
        elif line["type"] == "notice":
            notices.append(_notice(line))
    return incidents, notices


def _why(lastlight, journal, number):
    """The report is `why` with the revisions besides; of those the first tells when it opened."""
    return json.loads(ask(lastlight, "report", number, "-f", "json", "-j", journal))


def read_incident(why):
    state = why["state"]
    return Incident(
        number=state["incident"], subject=state["subject"], began=_interval(state["began"]),
        ended=_ended(state), is_open=state["is_open"],
        opened=min((seconds(r["judged"]) for r in why["revisions"]), default=None),
        episodes=[Episode(_interval(e["began"]), _ended(e)) for e in why["episodes"]],
        layers=[Layer(l["layer"], l["watched"], l["down"], l["degraded"]) for l in state["layers"]],
        verdict=_verdict(why.get("verdict")), summary=why["summary"])


def _verdict(verdict):
    if not verdict:
        return None
    causes = verdict["causes"]
    return Verdict(
        call=verdict["call"], confidence=verdict["confidence"], is_provisional=verdict["is_provisional"],
        posterior={c["cause"]: c["probability"] for c in causes},
        likely_set=[c["cause"] for c in causes if c["in_80_percent_set"]],
        evidence=[Evidence(e["evidence"], e["truth"], e["sentence"], e["weights"])
                  for e in verdict["evidence"] if e["truth"] != "unknown"],
        less_because={c["cause"]: c["less_because"] for c in causes if c["less_because"]})


def _notice(line):
    return Notice(kind=line["kind"], source=line["source"], target=line["target"], is_open=line["is_open"],
                  n=line["n"], m=line["m"], began=_interval(line["began"]), ended=_ended(line))


def _interval(value):
    return Interval(None, None) if value is None else Interval(seconds(value["not_before"]),
                                                               seconds(value["not_after"]))


def _ended(entry):
    return None if entry["is_open"] else _interval(entry["ended"])
