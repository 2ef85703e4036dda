"""What the country's zones and the root hold, as zone files.

The names, addresses and servers of the topology come first. Where the folder `kp-zones-2016` is there
(the output of dig that a .kp name server gave in 2016), the other real names are added to them.

Real names whose name servers the laboratory does not have keep what they led to: an address is served
by the zone itself; where none is known, the delegation stays and, as nobody answers there, fails.
"""

import ipaddress
import re
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .box import RUN, Failed

TTL = 5            # short, so that no cache hides a fault
ROOT_NAME = "ns.root-servers.example."
ROOT_TTL = 3600    # of where the root itself is
REFRESH, RETRY = 5, 1
EXPIRE = 1209600   # of a secondary's copy, as in the real zones
SERIAL = 2016091900
SIGNATURES_LAST = timedelta(days=30)

DIG_LINE = re.compile(r"([\w.-]+\.)\s+\d+\s+IN\s+(A|NS|MX|SOA)\s+(\S.*)", re.ASCII)


class Zones:
    def __init__(self, plan, data=None):
        self.plan = plan
        self.origins = plan.country["zones"]
        self.signed = plan.country.get("signed", [])
        self.servers = plan.running("dns-primary") + plan.running("dns-secondary")
        self.keys = RUN / "dns-keys"
        self.edition = 0      # raised when the zones are published anew: the serial grows with it
        self.expire = EXPIRE
        self.signatures_end = None
        self._check()
        real = read_dig_output(data) if data else []
        self.serials = {name: int(value.split()[2]) for name, kind, value in real if kind == "SOA"}
        self.records = self._records(real)

    def _check(self):
        for zone in self.signed:
            if zone not in self.origins:
                raise Failed(f"country.signed: '{zone}' is none of country.zones")
        for host in self.plan.hosts:
            for name in host.names:
                if not self.zone_of(name):
                    raise Failed(f"host {host.name}: names: '{name}' lies in none of country.zones")

    def zone_of(self, name):
        """The zone that holds a name: the longest that it ends with; None if there is none."""
        return max((o for o in self.origins if is_below(name, o)), key=len, default=None)

    def parent_of(self, origin):
        return self.zone_of(origin.partition(".")[2])

    # -- what they hold

    def _records(self, real):
        """{origin: [(name, type, value)]} without the SOA."""
        self.ns_names = {o: self._name_servers(o, real) for o in self.origins}
        records = {origin: [] for origin in self.origins}
        for origin in self.origins:
            servers = self._delegation(origin)
            records[origin] += servers
            if self.parent_of(origin):
                records[self.parent_of(origin)] += servers
        for record in self._planned() + self._kept(real):
            records[self.zone_of(record[0])].append(record)
        # A zone holds no address of a name outside of it; a record that came twice counts once.
        return {origin: list(dict.fromkeys(r for r in found if is_below(r[0], origin)))
                for origin, found in records.items()}

    def _name_servers(self, origin, real):
        """{name: address} of a zone's servers, primary first: the real names where the addresses agree."""
        address = {name: value for name, kind, value in real if kind == "A"}
        real_name = {address.get(value): value for name, kind, value in real
                     if (name, kind) == (origin, "NS")}
        return {real_name.get(s.address) or (s.names or [f"{s.name}.{origin}"])[0]: s.address
                for s in self.servers}

    def _delegation(self, origin):
        """NS records with their glue."""
        servers = self.ns_names[origin]
        return [(origin, "NS", name) for name in servers] + [(n, "A", a) for n, a in servers.items()]

    def _planned(self):
        found = [(name, "A", host.address) for host in self.plan.hosts for name in host.names]
        for host in self.plan.running("smtp"):
            found += [(mail_domain(name), "MX", f"10 {name}") for name in host.names
                      if self.zone_of(mail_domain(name))]
        return found

    def _kept(self, real):
        """Of the real records those that fit this world: in a zone of it, with an address in the country,
        and about no name that the topology gives."""
        country = [ipaddress.ip_network(p) for p in self.plan.country["prefixes"]]
        planned = self._planned()
        given = {name for name, _, _ in planned} | set(self.origins)
        address = {name: value for name, kind, value in real if kind == "A" and lies_in(value, country)}
        address.update((name, value) for name, kind, value in planned if kind == "A")
        ours = {s.address for s in self.servers}

        def fits(name, kind, value):
            if name in given or not self.zone_of(name):
                return False
            if kind == "A":
                return lies_in(value, country)
            if kind == "MX":
                return value.split()[-1] in address
            # A delegation to our own servers of a zone that they do not have would be lame.
            return (kind == "NS" and address.get(value, "") not in ours | {""} and name not in address
                    and not any(is_below(other, name) for other in given))

        return [record for record in real if fits(*record)]

    # -- the files

    def make_keys(self):
        """A key-signing and a zone-signing key for each signed zone."""
        self.keys.mkdir(parents=True, exist_ok=True)
        self.key_names = {}
        for origin in self.signed:
            make = ["ldns-keygen", "-a", "ECDSAP256SHA256", "-r", "/dev/urandom"]
            self.key_names[origin] = [_run([*make, *kind, origin], self.keys) for kind in (["-k"], [])]

    @property
    def trust_anchors(self):
        return [self.keys / f"{ksk}.key" for ksk, _ in self.key_names.values()]

    def anchors(self, origin):
        """The DS records of a signed zone's keys; none of others."""
        ksk = self.key_names.get(origin, [None])[0]
        return [" ".join((self.keys / f"{ksk}.ds").read_text().split())] if ksk else []

    def write(self, folder, empty=False):
        """Every zone as a file of its own; with `empty` they hold SOA and NS only."""
        folder.mkdir(parents=True, exist_ok=True)
        for origin in self.origins:
            path = folder / file_name(origin)
            path.write_text(self._text(origin, empty))
            if origin in self.signed:
                self._sign(origin, path)

    def serial(self, origin):
        return self.serials.get(origin, SERIAL) + self.edition

    def _text(self, origin, empty):
        servers = self.ns_names[origin]
        mname = next(iter(servers))
        serial = self.serial(origin)
        records = self.records[origin]
        if empty:
            kept = {(origin, "NS", name) for name in servers} | {(n, "A", a) for n, a in servers.items()}
            records = [r for r in records if r in kept]
        soa = f"{mname} root.{mname.partition('.')[2]} {serial} {REFRESH} {RETRY} {self.expire} {TTL}"
        return zone_text([(origin, "SOA", soa), *records])

    def _sign(self, origin, path):
        end = self.signatures_end or datetime.now(timezone.utc) + SIGNATURES_LAST
        start = datetime.now(timezone.utc) - timedelta(hours=1)
        keys = self.key_names[origin]
        with open(path, "a") as file:   # the keys themselves, with our TTL in the place of an hour's
            for key in keys:
                file.write((self.keys / f"{key}.key").read_text().replace("\tIN\t", f"\t{TTL}\tIN\t", 1))
        _run(["ldns-signzone", "-i", _stamp(start), "-e", _stamp(end), "-o", origin, "-f", path, path, *keys],
             self.keys)

    def root_text(self):
        """The root delegates the country's top zones, and holds a few names of the rest of the world."""
        itself = [(".", "SOA", f"{ROOT_NAME} root.example. {SERIAL} 1800 900 604800 {TTL}"),
                  (".", "NS", ROOT_NAME), (ROOT_NAME, "A", self.plan.root.address)]
        records = [("www.example.", "A", self.plan.controls[0].address)]
        records += [(f"{c.name}.example.", "A", c.address) for c in self.plan.controls]
        for origin in self.origins:
            if not self.parent_of(origin):
                records += self._delegation(origin)
        return zone_text(itself, ROOT_TTL) + zone_text(records)


def read_dig_output(folder):
    """[(name, type, value)] of what is well-formed in the answers kept in the folder."""
    found = {}
    for path in sorted(Path(folder).glob("*.zone")):
        for line in path.read_text(errors="replace").splitlines():
            match = DIG_LINE.fullmatch(line.strip())
            if match and _is_well_formed(*match.groups()):
                name, kind, value = match.groups()
                found[name.lower(), kind, " ".join(value.lower().split())] = None
    return list(found)


def _is_well_formed(name, kind, value):
    fields = value.split()
    is_name = re.compile(r"([a-z0-9_-]{1,63}\.)+", re.ASCII | re.IGNORECASE).fullmatch
    if not is_name(name):
        return False
    if kind == "A":
        return lies_in(value, [ipaddress.ip_network("0.0.0.0/0")])
    if kind == "NS":
        return bool(is_name(value))
    if kind == "MX":
        return len(fields) == 2 and fields[0].isdecimal() and bool(is_name(fields[1]))
    return len(fields) == 7 and all(f.isdecimal() for f in fields[2:])


def lies_in(address, networks):
    try:
        return any(ipaddress.ip_address(address) in n for n in networks)
    except ValueError:
        return False


def is_below(name, origin):
    """Whether the name is the origin or ends with it."""
    return name == origin or name.endswith("." + origin)


def mail_domain(name):
    """star.com.kp. for mail.star.com.kp."""
    return name.partition(".")[2]


def file_name(origin):
    return f"{origin}zone"


def zone_text(records, ttl=TTL):
    return "".join(f"{name}\t{ttl}\tIN\t{kind}\t{value}\n" for name, kind, value in records)


def _stamp(time):
    return time.astimezone(timezone.utc).strftime("%Y%m%d%H%M%S")


def _run(argv, cwd):
    done = subprocess.run([str(a) for a in argv], cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        raise Failed(f"{argv[0]}: {done.stdout.strip()}")
    return done.stdout.strip()
