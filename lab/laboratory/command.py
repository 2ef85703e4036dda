"""The command `lab`: what a user types, and the way from there into a laboratory."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import box, plan as plans
from .box import Failed
from .scenarios import SCENARIOS

HERE = Path(__file__).resolve().parent.parent
CHECKOUT = HERE.parent
PYTHON = "/usr/bin/python3"
NEEDS = {"util-linux": "unshare nsenter setpriv", "mount": "mount", "iproute2": "ip tc", "nftables": "nft",
         "procps": "sysctl ps", "bird2": "bird birdc", "frr": "vtysh", "nsd": "nsd nsd-control", "nginx-light": "nginx",
         "opensmtpd": "smtpd", "unbound": "unbound unbound-control", "ldnsutils": "ldns-keygen ldns-signzone",
         "openssl": "openssl", "curl": "curl", "bind9-dnsutils": "dig", "bgpdump": "bgpdump", "faketime": "faketime"}
NAME, TALK = "LASTLIGHT_LAB_NAME", "LASTLIGHT_LAB_TALK"
JOBS_PER_CORE = 5   # measured: with 6, and a compiler beside them, name servers were not ready in time
TRIES = 3      # a run in which this machine stood still is repeated
INSIDE = "--inside"

EPILOG = """A laboratory lives in namespaces of its own: nothing of it is visible outside, and when its
first process ends, however it ends, all of it is gone. It needs root, and the Debian packages
that `make lab` installs. doc/lab.md tells the rest."""


def main(argv):
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if TALK in os.environ:
        talk = int(os.environ.pop(TALK))
        os.dup2(talk, 2)
        os.close(talk)
    try:
        return run(parser().parse_args(argv))
    except Failed as error:
        say(f"lab: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def say(text):
    print(text, file=sys.stderr, flush=True)


def parser():
    top = argparse.ArgumentParser(prog="lab", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
                                  description="A small real internet in which outages are made for real.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--topology", metavar="FILE", default=str(HERE / "topology.toml"),
                        help="the world to build (lab/topology.toml)")
    common.add_argument("--seed", metavar="N", type=int, default=1, help="varies delays, times and victims (1)")
    common.add_argument("--build", metavar="DIR", default=str(CHECKOUT / "build"),
                        help="where lastlight was built (build)")
    common.add_argument("--name", metavar="NAME", default="lab", help="tells several laboratories apart (lab)")
    common.add_argument("--data", metavar="DIR", default=os.environ.get("LASTLIGHT_DATA", CHECKOUT / "../shared/data"),
                        help="where kp-zones-2016 is, for realistic names ($LASTLIGHT_DATA)")
    common.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    commands.add_parser("up", parents=[common], help="build a world and leave it running")
    add = commands.add_parser("down", help="end laboratories and all that is in them")
    add.add_argument("names", nargs="*", metavar="NAME", help="all, if none is given: those of `lab run` too")
    commands.add_parser("status", help="what runs, and whether it is well")
    commands.add_parser("list", help="the scenarios")
    add = commands.add_parser("shell", help="a shell, or one command, on a node of a running laboratory")
    add.add_argument("--name", default=None, help="of the laboratory, if several run")
    add.add_argument("node", metavar="NODE")
    add.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND", help="instead of a shell")
    add = commands.add_parser("run", parents=[common], help="play scenarios with lastlight watching, and judge it")
    add.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="names from `lab list`, or none with --all")
    add.add_argument("--all", action="store_true", help="every scenario")
    add.add_argument("--jobs", metavar="N", type=int, default=1, help="so many laboratories at once (1)")
    add.add_argument("--record", metavar="FILE", help="write the observation log there (FILE.jsonl.zst), with the "
                     "MRT archive and the truth beside it; or a folder, which several scenarios need")
    add.add_argument("--keep", metavar="DIR", help="copy logs, configurations and journals there at the end")
    add.add_argument("--json", metavar="FILE", help="write the rows of the table as JSON Lines too")
    return top


def run(options):
    return {"up": up, "down": down, "status": status, "list": list_all, "shell": shell,
            "run": run_scenarios}[options.command](options)


def list_all(_):
    width = max(map(len, SCENARIOS))
    for scenario in SCENARIOS.values():
        print(f"{scenario.name:{width}}  {scenario.title}")
    return 0


# ---- what this machine must have ----

def check_needs(options):
    if os.geteuid() != 0:
        raise Failed("namespaces, TAP devices and daemons need root; run it with sudo")
    missing = [package for package, programs in NEEDS.items() if not all(map(shutil.which, programs.split()))]
    if not Path("/usr/lib/frr/bgpd").exists():
        missing.append("frr")
    if missing:
        raise Failed(f"missing Debian packages: {' '.join(missing)}; `tools/deps.sh build lab` installs them "
                     "without starting their services")
    if not Path("/dev/net/tun").exists():
        raise Failed("/dev/net/tun is missing: the kernel has no TUN/TAP (CONFIG_TUN), which the relays need")
    for path in (lastlight_of(options), tools_of(options) / "relay"):
        if not path.exists():
            raise Failed(f"{path} is not there; build it with `make`, or name its folder with --build")
    check_kernel()


def check_kernel():
    """Tries what the wires are made of, in namespaces that are gone at once."""
    tried = {"bridges (CONFIG_BRIDGE)": "ip link add name bridge0 type bridge",
             "veth pairs (CONFIG_VETH)": "ip link add name veth0 type veth peer name veth1",
             "tbf queues (CONFIG_NET_SCH_TBF)":
                 "ip link add name veth0 type veth peer name veth1; "
                 "tc qdisc add dev veth0 root tbf rate 1mbit burst 2k limit 9k",
             "nftables (CONFIG_NF_TABLES)": "nft add table ip t"}
    for what, command in tried.items():
        if subprocess.run(["unshare", "--net", "sh", "-ec", command], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode:
            raise Failed(f"this kernel lacks {what}, or does not let this user make network namespaces")


def lastlight_of(options):
    return Path(options.build) / "src/app/lastlight"


def tools_of(options):
    return Path(options.build).resolve() / "lab/tool"


def zones_of(options):
    folder = Path(options.data) / "kp-zones-2016"
    return folder if folder.is_dir() else None


# ---- into a laboratory ----

def start(options, words, name, dies_with_us):
    """Starts a laboratory in which the same command goes on; its standard output is ours to read. What
    it says to people goes to our standard error, or, where it outlives us, to the same pipe."""
    argv = [PYTHON, HERE / "lab", options.command, INSIDE, "--name", name, "--seed", options.seed, "--topology",
            options.topology, "--build", options.build, "--data", options.data]
    argv, env = box.command(argv + words, dies_with_us)
    # Past unshare, which has something to say of its own whenever its child is killed.
    read, write = os.pipe()
    talk = os.dup(2 if dies_with_us else write)
    env |= {NAME: name, TALK: str(talk)}
    process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.DEVNULL,
                               pass_fds=(talk,), start_new_session=not dies_with_us)
    os.close(write)
    os.close(talk)
    process.said = os.fdopen(read)
    return process


def up(options):
    if options.inside:
        from .session import hold
        return hold(options)
    check_needs(options)
    plans.load(options.topology)
    if find(options.name):
        raise Failed(f"a laboratory '{options.name}' runs already; `lab down {options.name}` ends it")
    child = start(options, [], options.name, dies_with_us=False)
    for line in child.said:
        if line.strip() == "ready":
            break
        say(line.rstrip())
    else:
        child.wait()
        return 1
    say(f"laboratory '{options.name}' is up: `lab status` shows it, `lab shell NODE` enters it, `lab down` ends it")
    return 0


def laboratories():
    """Those that run: {name: pid of the first process inside, as seen from outside}. Found by what
    they are, so there is no file that could be left behind or be wrong."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            argv = (entry / "cmdline").read_bytes().split(b"\0")
            if argv[0] != b"unshare" or b"--kill-child" not in argv:
                continue
            names = dict(v.split(b"=", 1) for v in (entry / "environ").read_bytes().split(b"\0") if b"=" in v)
            children = (entry / f"task/{entry.name}/children").read_text().split()
        except OSError:
            continue
        if NAME.encode() in names and children:
            found[names[NAME.encode()].decode()] = int(children[0])
    return found


def find(name):
    return laboratories().get(name)


def down(options):
    running = laboratories()
    for name in options.names or list(running):
        if name not in running:
            raise Failed(f"no laboratory '{name}' runs" + (f"; there is {', '.join(running)}" if running else ""))
        os.kill(running[name], signal.SIGKILL)
        wait_gone(running[name])
        say(f"laboratory '{name}' is gone")
    if not running:
        say("no laboratory runs: nothing to end")
    return 0


def wait_gone(pid, seconds=10):
    end = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            raise Failed(f"process {pid} does not end")
        time.sleep(0.02)


def inside_command(pid, argv):
    return ["nsenter", "--target", str(pid), "--mount", "--pid", "--net", "--", *argv]


def nodes_of(pid):
    listed = subprocess.run(inside_command(pid, ["ip", "netns"]), text=True, stdout=subprocess.PIPE).stdout
    return sorted(line.split()[0] for line in listed.splitlines())


def status(_):
    running = laboratories()
    for name, pid in running.items():
        names = nodes_of(pid)
        programs = subprocess.run(inside_command(pid, ["ps", "-e", "-o", "comm="]), text=True,
                                  stdout=subprocess.PIPE).stdout.split()
        routes = subprocess.run(inside_command(pid, ["vtysh", "--vty_socket", "/run/lab/collector", "-d", "bgpd", "-c",
                                                     "show bgp ipv4 unicast statistics"]),
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        total = next((line.split(":")[1].strip() for line in routes.splitlines() if "Total Prefixes" in line), "?")
        print(f"{name}: {len(names)} nodes, {len(programs)} processes, {total} prefixes at the collector")
        print("  nodes: " + " ".join(names))
    if not running:
        print("no laboratory runs")
    return 0


def shell(options):
    running = laboratories()
    if options.name is None and len(running) == 1:
        options.name = next(iter(running))
    pid = running.get(options.name)
    if not pid:
        raise Failed(f"name one of the running laboratories with --name: {', '.join(running)}" if running
                     else "no laboratory runs; `lab up` starts one")
    argv = options.argv or [os.environ.get("SHELL", "/bin/sh")]
    if options.node not in nodes_of(pid):
        raise Failed(f"there is no node '{options.node}'; `lab status` lists them")
    os.execvp("nsenter", inside_command(pid, ["nsenter", f"--net=/run/netns/{options.node}", "--", *argv]))


# ---- scenarios ----

def check_jobs(options):
    """More than that and they starve one another: resolvers give up, and what is judged is the load."""
    most = JOBS_PER_CORE * (os.cpu_count() or 1)
    if options.jobs > most:
        raise Failed(f"--jobs {options.jobs}: at most {most} laboratories fit on this machine's cores without "
                     "spoiling one another's timing")


def check_outputs(options, count):
    """Before minutes of work, not after: may we write where we shall?"""
    inside = [Path(options.keep)] if options.keep else []
    if options.record:
        record = Path(options.record)
        inside.append(record if is_folder(record, count) else record.parent)
    for folder in inside:
        if folder.resolve().is_relative_to("/run"):
            raise Failed(f"{folder}: a laboratory has a /run of its own, which hides this one and is gone when it "
                         "ends; name a folder elsewhere")
    for folder in inside + ([Path(options.json).parent] if options.json else []):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failed(f"{folder}: {error.strerror}; name a folder that can be written") from None
        if not os.access(folder, os.W_OK):
            raise Failed(f"{folder}: it cannot be written; name another folder")


def run_scenarios(options):
    if options.inside:
        from .session import play
        return play(options)
    names = list(SCENARIOS) if options.all else options.scenarios
    if not names:
        raise Failed("which scenario? `lab list` names them, --all plays them all")
    for name in names:
        if name not in SCENARIOS:
            raise Failed(f"there is no scenario '{name}'; `lab list` names them")
    check_needs(options)
    plans.load(options.topology)
    check_jobs(options)
    check_outputs(options, len(names))
    json_file = open_json(options.json) if options.json else None
    from .report import report
    return report(Runs(options, names).finish(), json_file)


def open_json(path):
    try:
        return open(path, "w")
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}; name a file that can be written") from None


class Runs:
    """Plays scenarios, so many at once, each in a laboratory of its own."""

    def __init__(self, options, names):
        self.options = options
        self.waiting = [(name, 1) for name in names]
        self.total = len(names)
        self.running = []       # (name, attempt, process)
        self.results = {}

    def finish(self):
        try:
            while self.waiting or self.running:
                while self.waiting and len(self.running) < max(1, self.options.jobs):
                    self.start(*self.waiting.pop(0))
                time.sleep(0.2)
                for run in [r for r in self.running if r[2].poll() is not None]:
                    self.running.remove(run)
                    self.take(*run)
        finally:
            for _, _, process in self.running:
                process.kill()
        return self.results

    def start(self, name, attempt):
        options = self.options
        words = [name]
        if options.keep:
            words += ["--keep", options.keep]
        if options.record:
            words += ["--record", record_path(options.record, name, self.total)]
        process = start(options, words, f"{options.name}-{name}-{options.seed}", dies_with_us=True)
        self.running.append((name, attempt, process))

    def take(self, name, attempt, process):
        lines = process.said.read().splitlines()
        result = json.loads(lines[-1]) if process.returncode == 0 and lines else None
        if result and result["stalled"] and attempt < TRIES:
            say(f"{name}: this machine stood still for {result['worst_stall_s']} s: once more")
            self.waiting.append((name, attempt + 1))
            return
        self.results[name] = result
        say(f"{name}: done ({len(self.results)} of {self.total})")


def record_path(path, name, total):
    return str(Path(path) / f"{name}.jsonl.zst") if is_folder(path, total) else path


def is_folder(record, total):
    """Whether --record names the folder of the recordings, or else the file of the only one."""
    return total > 1 or Path(record).is_dir()
