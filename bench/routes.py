#!/usr/bin/env python3
"""routes.py BUILD DATA: what `make bench` measures of routes, as ratios to peers in the same run.

The large inputs are made in a temporary folder by concatenating the real archives in DATA; each command and its peer run
in turns, and the best of TURNS counts. It judges nothing: on a busy machine figures differ by a third from one run to the
next, ratios by less. Peers that are not installed, and data that is not there, are said to be missing.
"""

import glob
import os
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

TURNS = int(os.environ.get("BENCH_TURNS", "3"))
RIB_BYTES = 500_000_000
UPDATE_BYTES = 250_000_000

# What each gzip member holds where a file has many, as if it had been compressed while it was written.
MEMBER_BYTES = 4_000_000

# The dump of a full table as 40 peers have it, of which the first megabyte was kept, so that it ends within a record.
RIB = "pyasn_rib.20140523.0600_firstMB.bz2"


def row(what, measured, target=""):
    print(f"{what:<66} {measured:>26}   {target}".rstrip(), flush=True)


def ours(command):
    """Some of the archives hold a message that is cut short, which lastlight tells and its exit status then says."""
    return f"{command} || test $? = 1"


def run_once(command):
    """Seconds on the wall."""
    start = time.monotonic()
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"bench: {command}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return time.monotonic() - start


def in_turns(*commands):
    """The best seconds of each."""
    best = [float("inf")] * len(commands)
    for _ in range(TURNS):
        for i, command in enumerate(commands):
            best[i] = min(best[i], run_once(command))
    return best


def peak_mib(command):
    """As time(1) tells it: of a child of ours the kernel would also count what we ourselves have."""
    done = subprocess.run(f"/usr/bin/time -f %M {command}", shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return int(done.stderr.split()[-1]) / 1024


def faster(what, ours, theirs, target):
    a, b = in_turns(ours, theirs)
    row(what, f"{a:.2f} / {b:.2f} s = 1:{b / a:.1f}", f">= {target} times as fast")


def at_most(what, ours, theirs, target):
    a, b = in_turns(ours, theirs)
    row(what, f"{a:.2f} / {b:.2f} s = {a / b:.2f}", f"<= {target}")


def values(command):
    """What the bench program printed, as name -> number."""
    out = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines())}


def whole_records(data):
    """Up to the end of the last MRT record that is all there."""
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at + 8)
        if at + 12 + length > len(data):
            break
        at += 12 + length
    return data[:at]


def unpacked(path):
    program = {".bz2": "bzip2", ".gz": "gzip"}[os.path.splitext(path)[1]]
    return subprocess.run([program, "-dc", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def build(target, parts, size):
    """Writes the parts one after the other, again and again, until the file has about that size."""
    with open(target, "wb") as out:
        while out.tell() < size:
            for part in parts:
                out.write(part)
    return target


def decoding(title, path, lastlight, bench, word):
    quoted = shlex.quote(path)
    faster(f"{title}: count every element / bgpdump -m", ours(f"{lastlight} bgp --count {quoted}"), f"bgpdump -m {quoted}", 50)
    at_most(f"{title}: count every element / walking the bytes", ours(f"{lastlight} bgp --count {quoted}"),
            f"{bench} read {quoted}", "1.5 (aim)")
    faster(f"{title}: print every element (-m) / bgpdump -m", ours(f"{lastlight} bgp -m {quoted}"), f"bgpdump -m {quoted}", 10)
    faster(f"{title}: of one prefix / bgpdump -m | grep", ours(f"{lastlight} bgp -m --prefix {word} {quoted}"),
           f"bgpdump -m {quoted} | grep -F '|{word}|' || true", 60)
    faster(f"{title}: of one origin / bgpdump -m | grep", ours(f"{lastlight} bgp -m --origin 36561 {quoted}"),
           f"bgpdump -m {quoted} | grep -E '[| ]36561\\|' || true", 60)
    memory = [peak_mib(f"{lastlight} bgp {option} {quoted}") for option in ("--count", "-m")]
    row(f"{title}: peak memory, count and -m", f"{memory[0]:.1f} and {memory[1]:.1f} MiB", "<= 64 MiB")


def pack_whole(pack, path, target):
    with open(path, "rb") as data, open(target, "wb") as out:
        subprocess.run(pack, stdin=data, stdout=out, check=True)


def pack_members(pack, path, target):
    """One after the other, each of a piece of the file."""
    with open(path, "rb") as data, open(target, "wb") as out:
        while piece := data.read(MEMBER_BYTES):
            out.write(subprocess.run(pack, input=piece, stdout=subprocess.PIPE, check=True).stdout)


def compressed(path, lastlight):
    quoted = shlex.quote(path)
    for suffix, make, pack, peer, target in (("gz", pack_whole, "igzip -c", "igzip -dc", 1.6),
                                             ("members.gz", pack_members, "igzip -c", "igzip -dc", 1.6),
                                             ("bz2", pack_whole, "lbzip2 -c", "lbzip2 -dc", 1.15),
                                             ("zst", pack_whole, "zstd -qc", "zstd -qdc", 1.3)):
        if not shutil.which(peer.split()[0]):
            row(f"from .{suffix}", f"{peer.split()[0]} is not installed")
            continue
        make(pack.split(), path, f"{path}.{suffix}")
        for what, options in (("count", "--count"), ("one prefix", "-m --prefix 208.65.153.0/24")):
            at_most(f"{what}, from .{suffix} / {peer}", ours(f"{lastlight} bgp {options} {quoted}.{suffix}"),
                    f"{peer} {quoted}.{suffix}", target)
        row(f"count, from .{suffix}: peak memory", f"{peak_mib(f'{lastlight} bgp --count {quoted}.{suffix}'):.1f} MiB",
            "<= 64 MiB")
        os.unlink(f"{path}.{suffix}")


def whole_table(day, lastlight, bench):
    table = values(f"{bench} table 1000000 64")
    row("whole table: 1 000 000 prefixes x 64 peers, path and origin kept", f"{table['mib']:.1f} MiB", "<= 128 MiB")
    if not day:
        return
    names = " ".join(map(shlex.quote, day))
    changes = values(f"{bench} changes {names}")
    row("whole table fed by the day's updates, route changes/s", f"{changes['rate'] / 1e6:.2f} million", ">= 5 million")
    if shutil.which("lbzip2"):
        at_most("scan of 24 February 2008, 95 files / lbzip2 -dc of them", ours(f"{lastlight} scan {names}"),
                f"lbzip2 -dc {names}", 1.3)


def main():
    build_folder, data = sys.argv[1:3]
    bench, lastlight = f"{build_folder}/bench/bench", f"{build_folder}/src/app/lastlight"
    day = sorted(glob.glob(f"{data}/routeviews-2008-02-24/*.bz2"))
    modern = sorted(glob.glob(f"{data}/ris-2022-02/*.gz"))
    dump = f"{data}/mrt-samples/{RIB}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the folder of large files goes, too
    row(f"routes, best of {TURNS}", "ours / peer", "target")
    if not shutil.which("bgpdump"):
        sys.exit("bench: bgpdump is not installed: no comparison")
    with tempfile.TemporaryDirectory(prefix="lastlight-bench-") as folder:
        if os.path.exists(dump):
            rib = build(f"{folder}/rib", [whole_records(unpacked(dump))], RIB_BYTES)
            print(f"(table dump: {os.path.getsize(rib) / 1e6:.0f} MB, part of a real one concatenated again and again)")
            decoding("table dump", rib, lastlight, bench, "208.65.152.0/22")
            compressed(rib, lastlight)
            os.unlink(rib)
        for title, files in (("updates of 2008", day), ("updates of 2022", modern)):
            if files:
                path = build(f"{folder}/updates", [whole_records(unpacked(name)) for name in files], UPDATE_BYTES)
                print(f"({title}: {os.path.getsize(path) / 1e6:.0f} MB, {len(files)} real files concatenated)")
                decoding(title, path, lastlight, bench, "208.65.153.0/24")
                if files is day:
                    compressed(path, lastlight)
                os.unlink(path)
    if not (os.path.exists(dump) or day or modern):
        print(f"(no archives in {data}: no comparison of decoding)")
    whole_table(day, lastlight, bench)


if __name__ == "__main__":
    main()
