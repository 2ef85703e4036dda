#!/usr/bin/env python3
"""probing.py BUILD [PART...]: what `make bench` measures of probing, beside the programs that others use for it, in turns in one run.

All packets go between two network namespaces of its own, over a pair of veth devices: `near` has the prober, `far` answers for
the 131 072 addresses of 10.64.0.0/15 and for fd64::/64. They end with this program, however it ends. Where there are two cores,
the prober has one and the far end the other, as it would have another machine. It judges nothing: on a busy machine figures
differ by a third from one run to the next, ratios by less.
"""

import http.client
import ipaddress
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "lab")]
sys.dont_write_bytecode = True

from laboratory.box import Box, Failed, RUN, command, is_inside  # noqa: E402
from laboratory.wires import veth, wait_for  # noqa: E402
from routes import row  # noqa: E402

TARGETS = int(os.environ.get("BENCH_TARGETS", "100000"))
TURNS = int(os.environ.get("BENCH_TURNS", "2"))
INTERVAL_MS = 10_000
NEAR, FAR, CONTROL, EXPORTER = "10.63.0.1", "10.63.0.2", "10.62.0.1", "10.62.0.2"
FIRST4, FIRST6 = ipaddress.ip_address("10.64.0.1"), ipaddress.ip_address("fd64::1:0:1")
SERVED = 100            # addresses that the name server listens at
FPING_MOST = 50_000     # it cannot number more than 65 536 requests in ten seconds

NGINX = """\
daemon off; user root; worker_processes 1; pid {dir}/nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{ access_log off; server {{ listen 80 backlog=4096; location / {{ return 200 "the page\\n"; }} }} }}
"""
NSD = """\
server:
{addresses}
  server-count: 1
  database: ""
  username: root
  chroot: ""
  zonesdir: "{dir}"
  zonelistfile: "{dir}/zone.list"
  xfrdfile: "{dir}/xfrd.state"
  xfrdir: "{dir}"
  pidfile: ""
  rrl-ratelimit: 0
zone:
  name: bench
  zonefile: bench.zone
"""
ZONE = """\
$ORIGIN bench.
@ 3600 SOA ns hostmaster 1 7200 900 1209600 300
@ 3600 NS ns
ns 3600 A 10.63.0.2
"""
BLACKBOX = """\
modules:
  icmp: {prober: icmp, timeout: 3s, icmp: {preferred_ip_protocol: ip4}}
  tcp: {prober: tcp, timeout: 3s, tcp: {preferred_ip_protocol: ip4}}
  http: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4}}
  dns: {prober: dns, timeout: 3s, dns: {preferred_ip_protocol: ip4, query_name: bench, query_type: SOA}}
"""


def cores():
    return sorted(os.sched_getaffinity(0))


def pinned(core, argv):
    return ["taskset", "-c", str(core), *map(str, argv)]


def ours_core():
    return cores()[0]


def far_core():
    return cores()[-1]


class Running:
    """A program in a node that is timed to its end; what it says is read from where it is a pipe."""

    def __init__(self, node, argv, seconds, out=subprocess.PIPE, err=subprocess.DEVNULL):
        self.argv, self.ends = argv, time.monotonic() + seconds
        self.popen = subprocess.Popen(["nsenter", f"--net=/run/netns/{node.name}", "--", *pinned(ours_core(), argv)],
                                      stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True)

    def finish(self):
        """(what it printed, seconds of processor time); Failed if it takes too long."""
        killer = threading.Timer(max(0, self.ends - time.monotonic()), self.popen.kill)
        killer.start()
        text = (self.popen.stdout or self.popen.stderr).read()
        _, status, usage = os.wait4(self.popen.pid, 0)
        killer.cancel()
        self.popen.returncode = os.waitstatus_to_exitcode(status)
        if self.popen.returncode < 0:
            raise Failed(f"{self.argv[0]} took too long or was ended: {self.popen.returncode}")
        return text, usage.ru_utime + usage.ru_stime


class World:
    def __init__(self, bench):
        self.bench, self.box = bench, Box()
        self.lastlight = bench.parent.parent / "src/app/lastlight"
        self.near, self.far = self.box.node("near"), self.box.node("far")
        veth(self.box, ("near", "wire"), ("far", "wire"))
        self.near.ip(f"addr add {NEAR}/30 dev wire", "addr add fd63::1/64 dev wire nodad", "link set wire up")
        self.far.ip(f"addr add {FAR}/30 dev wire", "addr add fd63::2/64 dev wire nodad", "link set wire up",
                    "route add local 10.64.0.0/15 dev lo", "route add local fd64::/64 dev lo")
        self.near.ip(f"route add 10.64.0.0/15 via {FAR}", "route add fd64::/64 via fd63::2")
        self.give_the_far_end_its_core(True)
        self.lists, self.blackbox = {}, None

    def exporter(self):
        self.blackbox = self.blackbox or Exporter(self)
        return self.blackbox

    def give_the_far_end_its_core(self, has_it):
        """What arrives there is handled by that core, or, as usual with veth, by whoever sent it."""
        if ours_core() != far_core():
            subprocess.run(["ip", "netns", "exec", "far", "sh", "-c",
                            f"echo {has_it << far_core():x} > /sys/class/net/wire/queues/rx-0/rps_cpus"], check=True)

    def go_dark(self, is_dark):
        """Whether the far end swallows what it is sent."""
        self.far.ip(f"route {'del' if is_dark else 'add'} local 10.64.0.0/15 dev lo")

    def names(self, form, count, first=FIRST4, skip=0):
        """A file of so many targets, one a line."""
        key = (form, count, first, skip)
        if key not in self.lists:
            lines = (form.format(first + i) for i in range(skip, skip + count))
            self.lists[key] = self.near.write(f"list{len(self.lists)}", "\n".join(lines) + "\n")
        return self.lists[key]

    def start_probe(self, interval_ms, rounds, *files):
        seconds = interval_ms * rounds / 1000 + 60
        return Running(self.near, [self.bench, "probe", interval_ms, rounds, *files], seconds)

    def probe(self, interval_ms, rounds, *files):
        """What our prober printed, as name -> number, with its processor time for each probe in µs."""
        text, cpu_s = self.start_probe(interval_ms, rounds, *files).finish()
        return measured(text, cpu_s)


def measured(text, cpu_s):
    values = {name: float(value) for name, value in (line.split() for line in text.splitlines())}
    if not values.get("asked"):
        raise Failed(f"the prober asked nothing: {text}")
    values["cpu_us"] = cpu_s / values["asked"] * 1e6
    return values


# ---- the peers ----

def fping_cpu(world, rounds):
    """µs for each request of one fping, for as many of the targets as it can."""
    count = min(FPING_MOST, TARGETS)
    fping = Running(world.near, ["fping", "-q", "-i", f"{INTERVAL_MS / count:.4f}", "-p", INTERVAL_MS, "-c", rounds,
                                 "-f", world.names("{}", count)],
                    INTERVAL_MS * rounds / 1000 + 60, subprocess.DEVNULL, subprocess.PIPE)
    return fping.finish()[1] / (count * rounds) * 1e6


def start_fping(world, addresses, rounds):
    return Running(world.near, ["fping", "-q", "-C", rounds, "-p", 1000, "-i", 5, "-f", addresses],
                   rounds + 60, subprocess.DEVNULL, subprocess.PIPE)


def fping_median_us(running):
    words = [word for line in running.finish()[0].splitlines() for word in line.partition(" : ")[2].split()]
    return statistics.median(float(word) * 1000 for word in words if word != "-")


class Exporter:
    """blackbox_exporter, which probes once for each HTTP request."""

    def __init__(self, world):
        world.box.node("near").ip("link add control type veth peer name control netns 1")
        subprocess.run(["ip", "addr", "add", f"{CONTROL}/30", "dev", "control"], check=True)
        subprocess.run(["ip", "link", "set", "control", "up"], check=True)
        world.near.ip(f"addr add {EXPORTER}/30 dev control", "link set control up")
        config = world.near.write("blackbox.yml", BLACKBOX)
        self.process = world.near.spawn("exporter", pinned(ours_core(), [
            "prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address={EXPORTER}:9115"]))
        wait_for(self._answers, 10, "blackbox_exporter")

    def _answers(self):
        try:
            self._ask(http.client.HTTPConnection(EXPORTER, 9115, timeout=2), "/-/healthy")
            return True
        except OSError:
            return False

    @staticmethod
    def _ask(connection, path):
        connection.request("GET", path)
        return connection.getresponse().read().decode(errors="replace")

    def _cpu_s(self):
        fields = Path(f"/proc/{self.process.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask_all(self, module, targets, seconds=10, threads=8):
        """(µs for each probe that succeeded, how many a second there were), asked as fast as it can."""
        begun, before = time.monotonic(), self._cpu_s()
        done, ends = [0] * threads, begun + seconds

        def ask(number):
            connection = http.client.HTTPConnection(EXPORTER, 9115, timeout=10)
            for target in targets[number::threads]:
                if time.monotonic() > ends:
                    break
                answer = self._ask(connection, f"/probe?module={module}&target={target}")
                done[number] += "\nprobe_success 1" in answer

        workers = [threading.Thread(target=ask, args=(i,)) for i in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if not sum(done):
            raise Failed(f"blackbox_exporter had no success with module {module}")
        return (self._cpu_s() - before) / sum(done) * 1e6, sum(done) / (time.monotonic() - begun)


def start_servers(world):
    """A web server at all addresses, and a name server at the first of them."""
    far = world.far
    for name in ("nginx", "nsd"):
        far.write(f"{name}/x", "")
    nginx = far.write("nginx/nginx.conf", NGINX.format(dir=far.dir / "nginx"))
    far.spawn("nginx", pinned(far_core(), ["nginx", "-e", "stderr", "-p", far.dir / "nginx", "-c", nginx]))
    far.write("nsd/bench.zone", ZONE)
    addresses = "\n".join(f"  ip-address: {FIRST4 + i}" for i in range(SERVED))
    nsd = far.write("nsd/nsd.conf", NSD.format(dir=far.dir / "nsd", addresses=addresses))
    far.spawn("nsd", pinned(far_core(), ["nsd", "-d", "-c", nsd]))
    time.sleep(1)
    world.box.check_alive("while the servers started")


# ---- what is measured ----

def icmp_turns(world):
    """(what our runs said, µs a ping of fping), of each the best."""
    runs, fping = [], []
    for _ in range(TURNS):
        runs.append(world.probe(INTERVAL_MS, 2, world.names("icmp:{}", TARGETS)))
        fping.append(fping_cpu(world, 2))
    return {name: min(run[name] for run in runs) for name in ("cpu_us", "late_p99_ms", "late_worst_ms")}, min(fping)


def icmp_cost(world):
    ours, b = icmp_turns(world)
    a = ours["cpu_us"]
    row(f"{TARGETS} pings every 10 s: late at the 99th percentile, worst",
        f"{ours['late_p99_ms']:.1f}, {ours['late_worst_ms']:.1f} ms", "<= 50 ms")
    row("processor time a ping / fping", f"{a:.1f} / {b:.1f} us = {a / b:.2f}", "<= 0.33")
    world.give_the_far_end_its_core(False)
    with_far, b = icmp_turns(world)
    world.give_the_far_end_its_core(True)
    row("the same, with that of the far end and the wire / fping",
        f"{with_far['cpu_us']:.1f} / {b:.1f} us = {with_far['cpu_us'] / b:.2f}")
    b = world.exporter().ask_all("icmp", [str(FIRST4 + i) for i in range(20_000)])[0]
    row("processor time a ping / blackbox_exporter", f"{a:.1f} / {b:.0f} us = {a / b:.3f}", "<= 0.1")


def icmp_variants(world):
    one = world.names("icmp:{}", 1)  # of the others no round-trip times are kept for the median
    few = world.probe(INTERVAL_MS, 2, one, world.names("icmp:{}", 999, skip=1))
    many = world.probe(INTERVAL_MS, 2, one, world.names("icmp:{}", TARGETS - 1, skip=1))
    each = (many["resident_kib"] - few["resident_kib"]) * 1024 / (TARGETS - 1000)
    row("memory a target beyond the first thousand", f"{each:.0f} bytes", "<= 400 bytes")
    six = world.probe(INTERVAL_MS, 2, world.names("icmp:{}", TARGETS, FIRST6))
    row("by IPv6: late at the 99th percentile; time a ping", f"{six['late_p99_ms']:.1f} ms; {six['cpu_us']:.1f} us", "<= 50 ms")
    world.go_dark(True)
    dark = world.probe(INTERVAL_MS, 2, world.names("icmp:{}", TARGETS))
    world.go_dark(False)
    row("all of them silent: the same", f"{dark['late_p99_ms']:.1f} ms; {dark['cpu_us']:.1f} us", "<= 50 ms")


def peak_rate(world):
    """Both on one core, far end and all. Ours is asked for far more than it can."""
    world.give_the_far_end_its_core(False)
    mac = re.search(r"link/ether (\S+)", world.far.run("ip", "link", "show", "wire")).group(1)
    empty = world.near.write("nobody", "")
    ours, theirs = [], []
    for _ in range(TURNS):
        run = world.probe(200, 20, world.names("icmp:{}", TARGETS))
        ours.append((run["asked"] / run["seconds"], 1e6 / run["cpu_us"]))
        said, cpu_s = Running(world.near, ["zmap", "-C", empty, "-b", empty, "-M", "icmp_echoscan", "-i", "wire", "-G", mac,
                                           "-S", NEAR, "-r", 0, "-c", 1, "-o", "/dev/null", "10.64.0.0/15"], 60,
                              subprocess.DEVNULL, subprocess.PIPE).finish()
        sent, rate, unit = re.findall(r"send: (\d+) done \(([\d.]+) ([KM]?)p/s avg\)", said)[-1]
        theirs.append((float(rate) * {"": 1, "K": 1e3, "M": 1e6}[unit], int(sent) / cpu_s))
    for what, number in (("peak rate, pings/s / zmap", 0), ("pings a second of processor time at that rate / zmap", 1)):
        a, b = max(one[number] for one in ours), max(one[number] for one in theirs)
        row(what, f"{a:,.0f} / {b:,.0f} = {a / b:.2f}".replace(",", " "))
    world.give_the_far_end_its_core(True)


def services(world):
    """Ours is asked for as many a second as blackbox_exporter can: with few, either spends most of its time on waking up."""
    start_servers(world)
    for what, form, module, count in (("TCP connects", "tcp:{}:80", "tcp", 1000), ("HTTP requests", "http://{}/", "http", 1000),
                                      ("DNS queries", "dns:{}/bench/SOA", "dns", SERVED)):
        theirs_form = {"tcp": "{}:80", "http": "http://{}/", "dns": "{}"}[module]
        theirs_targets = [theirs_form.format(FIRST4 + i % count) for i in range(100_000)]
        ours, theirs = [], []
        for _ in range(TURNS):
            cpu_us, rate = world.exporter().ask_all(module, theirs_targets)
            theirs.append(cpu_us)
            interval_ms = max(1, round(count / rate * 1000))
            run = world.probe(interval_ms, 10_000 // interval_ms, world.names(form, count))
            if run.get("outcome-ok", 0) < 0.99 * run["asked"]:
                raise Failed(f"{what}: only {run.get('outcome-ok', 0):.0f} of {run['asked']:.0f} were answered")
            ours.append(run["cpu_us"])
        a, b = min(ours), min(theirs)
        row(f"{what} a second of processor time / blackbox_exporter", f"{1e6 / a:.0f} / {1e6 / b:.0f} = {b / a:.1f} times",
            ">= 3 times")


def rtt_error(world):
    """With the far end on the core of whoever asks: another that sleeps has to be woken for a single packet and not for many."""
    world.give_the_far_end_its_core(False)
    timed, addresses = world.names("icmp:{}", 200), world.names("{}", 200)
    alone = []
    for _ in range(TURNS):
        theirs = fping_median_us(start_fping(world, addresses, 10))
        alone.append((world.probe(1000, 10, timed)["rtt_median_us"], theirs))
    tell_rtt("RTT, median of 200 hosts / fping", alone)
    others = world.names("icmp:{}", 50_000, skip=1000)
    busy = []
    for _ in range(TURNS):
        running = world.start_probe(INTERVAL_MS, 2, timed, others)
        theirs = fping_median_us(start_fping(world, addresses, 18))
        busy.append((measured(*running.finish())["rtt_median_us"], theirs))
    tell_rtt("RTT, the same while 50 000 others are asked", busy)
    world.give_the_far_end_its_core(True)


def tell_rtt(what, pairs):
    a, b = min(pairs, key=lambda pair: abs(pair[0] - pair[1]))
    row(what, f"{a:.0f} / {b:.0f} us: {a - b:+.0f} us", "within 20 us")


def blocks(world):
    """Whole networks, watched by the daemon with all that follows: first one, then fifty thousand, in rounds of 30 s."""
    world.far.ip("route add local 11.0.0.0/8 dev lo")
    world.near.ip(f"route add 11.0.0.0/8 via {FAR}")
    one_kib, *_ = watch_networks(world, ["11.0.0.0/24"], 10)
    many_kib, cpu_s, rounds, lost, count = watch_networks(world, ["11.0.0.0/9", "11.128.0.0/10", "11.192.0.0/14"], 100)
    row(f"{count} whole networks every 30 s, judged and kept: rounds left out or spoiled", f"{lost} of {rounds}")
    row("processor time a round; memory a network", f"{cpu_s / rounds * 1e6:.0f} us; {(many_kib - one_kib) * 1024 / count:.0f} bytes")


def watch_networks(world, prefixes, seconds):
    """(resident KiB, processor time, rounds, those that are no data, networks) of a daemon that ran so long."""
    networks = [str(net) for prefix in prefixes for net in ipaddress.ip_network(prefix).subnets(new_prefix=24)]
    known = world.near.write(f"blocks{len(networks)}/known.txt", "".join(f"{net} 0.9 1-254\n" for net in networks))
    config = world.near.write(f"blocks{len(networks)}/lastlight.yaml", f"""
vantage: {{name: near, controls: [icmp:{FAR}]}}
limits: {{rate: 100000}}
blocks: {{round: 30s, known: [{known}]}}
subjects: [{{name: far, blocks: [{", ".join(prefixes)}]}}]
""")
    running = Running(world.near, [world.lastlight, "run", "-c", config], seconds + 60, subprocess.DEVNULL, subprocess.PIPE)
    time.sleep(seconds)
    resident = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{running.popen.pid}/status").read_text()).group(1))
    running.popen.terminate()
    said, cpu_s = running.finish()
    found = re.search(r"(\d+) rounds over whole networks, [\d.]+ questions each; (\d+) left out, (\d+) spoiled", said)
    if not found:
        raise Failed(f"the daemon said nothing of its rounds: {said[-300:]}")
    rounds, missed, spoiled = map(int, found.groups())
    return resident, cpu_s, rounds, missed + spoiled, len(networks)


PARTS = {"cost": icmp_cost, "variants": icmp_variants, "peak": peak_rate, "services": services, "rtt": rtt_error, "blocks": blocks}


def main():
    bench = (Path(sys.argv[1]) / "bench/bench").resolve()
    if os.geteuid() != 0:
        row("probing", "needs root, for network namespaces: not measured")
        return 0
    if not is_inside():
        argv, env = command([sys.executable, Path(__file__).resolve(), *sys.argv[1:]], dies_with_us=True)
        return subprocess.run(argv, env=env).returncode
    row("probing", "ours / peer", "target")
    world = World(bench)
    for part in sys.argv[2:] or PARTS:
        try:
            PARTS[part](world)
        except Failed as failed:
            row(f"{part}: not measured", str(failed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
