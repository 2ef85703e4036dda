"""Where a laboratory lives: one process tree in its own mount, pid and network namespaces.

Whoever ends the first process of the tree, even by SIGKILL, ends all of it: the kernel then takes
every process, every network namespace and every file in the private /run away by itself. Nothing
of a laboratory is ever visible outside, so nothing can be left behind, and several run side by
side without knowing of one another.

    command([...])          outside: how to start a laboratory whose first process runs that
    box = Box()             inside: mounts the private /run
    node = box.node("gw")   a network namespace with its loopback up
    node.run("ip", "link")  runs in it and waits; raises Failed with what the command said
    node.spawn("bird", ["bird", "-f"])   runs in it until stopped
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

RUN = Path("/run/lab")


class Failed(Exception):
    """Something of ours went wrong; the text says what, and what to do about it."""


def command(argv, dies_with_us):
    """(argv, environment) that run `argv` as the first process of a laboratory. With dies_with_us it
    ends when the thread that started it does, however that dies; without, it lives on."""
    env = {**os.environ, "LASTLIGHT_LAB": "1",
           "LASTLIGHT_LAB_OUTSIDE": str(os.stat("/proc/self/ns/net").st_ino)}
    leash = ["setpriv", "--pdeathsig", "KILL"] if dies_with_us else []
    return leash + ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                    *map(str, argv)], env


def is_inside():
    """Whether this process is in a laboratory of its own, by the kernel's word."""
    outside = os.environ.get("LASTLIGHT_LAB_OUTSIDE", "")
    return os.getpid() == 1 and outside != "" and int(outside) != os.stat("/proc/self/ns/net").st_ino


class Process:
    """One program that runs until it is stopped. Its output is in `log`."""

    def __init__(self, label, popen, log):
        self.label, self.popen, self.log = label, popen, log
        self.was_to_end = False     # stopped on purpose, or its work is done

    @property
    def is_running(self):
        return self.popen.poll() is None

    def kill(self):
        """At once, as a power cut does."""
        self.stop(signal.SIGKILL)

    def stop(self, how=signal.SIGTERM, wait_s=10):
        """Asks it to end, waits, and insists when it does not."""
        if not self.is_running:
            return
        self.was_to_end = True
        try:
            os.killpg(self.popen.pid, how)
            self.popen.wait(wait_s)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(wait_s)

    def wait(self, wait_s):
        """For one that ends when its work is done. Failed, with its last words, if it does not or cannot."""
        try:
            status = self.popen.wait(wait_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.label} still runs after {wait_s} s: {self.tail()}") from None
        if status:
            raise Failed(f"{self.label} ended with status {status}: {self.tail()}")
        self.was_to_end = True

    def signal(self, how):
        if self.is_running:
            os.killpg(self.popen.pid, how)

    def tail(self, lines=5):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return " | ".join(text.strip().splitlines()[-lines:])


class Node:
    """A computer or router: a network namespace, and what runs in it."""

    def __init__(self, box, name):
        self.box, self.name = box, name
        self.dir = RUN / name
        self.processes = {}

    def _inside(self, argv, binds):
        argv = [str(a) for a in argv]
        enter_net = ["nsenter", f"--net=/run/netns/{self.name}", "--"]
        if not binds:
            return enter_net + argv
        mounts = " && ".join(f"mount --bind '{src}' '{dst}'" for dst, src in binds.items())
        return enter_net + ["unshare", "--mount", "--", "sh", "-c", f'{mounts} && exec "$@"', "sh"] + argv

    def run(self, *argv, input=None, check=True, timeout=20, binds=None):
        """Runs a command to its end and returns what it printed."""
        done = subprocess.run(self._inside(argv, binds), input=input, text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and done.returncode:
            raise Failed(f"{self.name}: {' '.join(map(str, argv))}: {done.stdout.strip()}")
        return done.stdout

    def ip(self, *commands):
        """Several `ip` commands in one go: node.ip("link set lo up", "addr add ... dev eth0")."""
        self.run("ip", "-batch", "-", input="\n".join(commands) + "\n")

    def spawn(self, label, argv, binds=None, env=None, cwd=None):
        """Starts a program; `label` names it among those of this node. `binds` are files or
        folders that this program alone sees in the place of others: {seen as: what it is}."""
        self.dir.mkdir(parents=True, exist_ok=True)
        log = self.dir / f"{label}.log"
        with open(log, "ab") as out:
            popen = subprocess.Popen(self._inside(argv, binds), stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=subprocess.STDOUT, start_new_session=True,
                                     cwd=cwd or self.dir, env={**os.environ, **(env or {})})
        self.processes[label] = Process(f"{self.name}/{label}", popen, log)
        self.box.spawned.append(self.processes[label])
        return self.processes[label]

    def write(self, name, text):
        """A file in this node's private folder; its path."""
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class Box:
    """The inside of a laboratory."""

    def __init__(self):
        if not is_inside():
            raise Failed("not in a laboratory of its own; start it with `lab up` or `lab run`")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "lab", "/run"], check=True)
        RUN.mkdir(parents=True)
        self.nodes = {}
        self.spawned = []       # every process there ever was: one that died may have a successor by now
        self.stalls = StallWatch()
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    def node(self, name):
        """The node of that name, made if it is not there yet."""
        if name not in self.nodes:
            subprocess.run(["ip", "netns", "add", name], check=True)
            self.nodes[name] = Node(self, name)
            self.nodes[name].dir.mkdir(parents=True, exist_ok=True)
            self.nodes[name].ip("link set lo up")
        return self.nodes[name]

    def dead(self):
        """Programs that ended by themselves and should not have: {label: last words}."""
        return {p.label: p.tail() for p in self.spawned if not p.is_running and not p.was_to_end}

    def check_alive(self, when):
        dead = self.dead()
        if dead:
            raise Failed(f"ended by itself {when}: "
                         + "; ".join(f"{label}: {words or 'without a word'}" for label, words in dead.items()))

    def keep(self, folder):
        """Copies the private folder (logs, configurations, journals) to the outside, in the place of
        what an earlier try left there."""
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir(parents=True)
        done = subprocess.run(["cp", "-r", "--no-preserve=ownership", f"{RUN}/.", str(folder)], text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, errors="replace")
        if done.returncode:
            raise Failed(f"{folder}: not everything could be copied there: {done.stderr.strip()}")


class StallWatch(threading.Thread):
    """Notices when this machine stood still. Times measured over a stall are worth nothing, and a
    run that had one is repeated."""

    STEP_S, LIMIT_S = 0.02, 0.2

    def __init__(self):
        super().__init__(daemon=True)
        self.worst_s = 0.0
        self.start()

    def run(self):
        before = time.monotonic()
        while True:
            time.sleep(self.STEP_S)
            now = time.monotonic()
            self.worst_s = max(self.worst_s, now - before - self.STEP_S)
            before = now

    def restart(self):
        self.worst_s = 0.0

    @property
    def had_one(self):
        return self.worst_s > self.LIMIT_S
