"""The name servers: NSD on the country's hosts and at the root, Unbound at the vantages.

Each server's mode says what its configuration makes of the zones. A change of mode is taken up by the
running server within some hundredths of a second; one that starts later starts in it.

    normal    the primary has the zones as files, a secondary by transfer
    no-xfr    a primary that answers everyone but its secondaries
    servfail  the zone files are broken
    lame      there are no zones
    empty     the zones hold SOA and NS only
"""

import os
import time

from .box import RUN, Failed
from .zones import EXPIRE, ROOT_NAME, file_name

SERVER = """\
server:
  ip-address: {address}
  server-count: 1
  database: ""
  username: root
  chroot: ""
  zonesdir: "{dir}"
  zonelistfile: "{dir}/zone.list"
  xfrdfile: "{dir}/xfrd.state"
  xfrdir: "{dir}"
  pidfile: ""
  verbosity: 1
  rrl-ratelimit: 0         # a limit of answers would look like loss
  xfrd-reload-timeout: 0   # what was transferred is served at once
  zonefiles-write: 1       # and is there again after a power cut
remote-control:
  control-enable: yes
  control-interface: {dir}/nsd.ctl
"""

RESOLVER = """\
server:
  interface: 127.0.0.1
  do-ip6: no
  num-threads: 1
  username: ""
  chroot: ""
  pidfile: ""
  directory: "{dir}"
  use-syslog: no
  log-time-ascii: yes
  msg-cache-size: 1m
  rrset-cache-size: 1m
  outgoing-range: 256
  root-hints: "{dir}/root.hints"
  module-config: "validator iterator"
  val-log-level: 1
  val-sig-skew-min: 0      # signatures end when they say so
  val-sig-skew-max: 0
  val-bogus-ttl: 1
  trust-anchor-signaling: no
  cache-max-negative-ttl: 5
  serve-expired: no
  infra-host-ttl: 5        # a server that did not answer is asked again soon
  infra-cache-max-rtt: 2000
  infra-keep-probing: yes
  target-fetch-policy: "0 0 0 0 0"
{anchors}
remote-control:
  control-enable: yes
  control-interface: {dir}/unbound.ctl
  control-use-cert: no
"""


class NameServers:
    def __init__(self, box, plan, zones):
        self.box, self.plan, self.zones = box, plan, zones
        self.primary, *self.secondaries = zones.servers
        self.modes = {host.name: "normal" for host in zones.servers}
        self.stopped = set()   # by dns_stop, so that restore() starts them and none that lost its power

    # -- running them

    def prepare(self):
        self.zones.make_keys()
        self.zones.write(RUN / self.primary.name / "zones")
        for host in self.zones.servers:
            self._write(host)
        root = self.box.node("root")
        root.write("root.zone", self.zones.root_text())
        root.write("nsd.conf", SERVER.format(address=self.plan.root.address, dir=root.dir)
                   + _zone(".", root.dir / "root.zone"))
        for vantage in self.plan.vantages:
            self._prepare_resolver(self.box.node(vantage.name))

    def _prepare_resolver(self, node):
        anchors = "".join(f'  trust-anchor-file: "{a}"\n' for a in self.zones.trust_anchors)
        hints = f". 3600000 NS {ROOT_NAME}\n{ROOT_NAME} 3600000 A {self.plan.root.address}\n"
        node.write("root.hints", hints)
        node.write("unbound.conf", RESOLVER.format(dir=node.dir, anchors=anchors))
        node.write("resolv.conf", "nameserver 127.0.0.1\n")

    def start(self, host):
        self.stopped.discard(host.name)
        start_nsd(self.box.node(host.name))

    def start_root(self):
        start_nsd(self.box.node("root"))

    def start_resolver(self, vantage):
        node = self.box.node(vantage.name)
        if not is_running(node, "unbound"):
            node.spawn("unbound", ["unbound", "-d", "-c", node.dir / "unbound.conf"])

    def stop(self, host):
        self.stopped.add(host.name)
        self.box.node(host.name).processes["nsd"].kill()

    def resolv_conf(self, vantage):
        return RUN / vantage.name / "resolv.conf"

    # -- their configuration

    def _write(self, host):
        """What NSD reads on this host in its present mode."""
        node = self.box.node(host.name)
        node.write("nsd.conf", SERVER.format(address=host.address, dir=node.dir)
                   + "".join(self._zones(host, node)))

    def _zones(self, host, node):
        mode = self.modes[host.name]
        if mode == "lame":
            return []
        if mode == "servfail":
            # An update with a mistake in it: NSD then has the zone, but nothing in it.
            broken = node.write("broken.zone", "@ 5 IN SOA this line is not complete\n")
            return [_zone(origin, broken) for origin in self.zones.origins]
        folder = node.dir / ("empty" if mode == "empty" else "zones")
        links = self._links(host) if mode == "normal" else []
        return [_zone(origin, folder / file_name(origin), links) for origin in self.zones.origins]

    def _links(self, host):
        """Who transfers the zones to whom."""
        if host.name != self.primary.name:
            return [f"{what}: {self.primary.address} NOKEY" for what in ("allow-notify", "request-xfr")]
        return [f"{what}: {s.address} NOKEY" for s in self.secondaries for what in ("notify", "provide-xfr")]

    def _publish(self):
        """The primary's zone files, with the next serial."""
        self.zones.edition += 1
        self.zones.write(RUN / self.primary.name / "zones")

    def _apply(self, host):
        """Has the running server take up its mode."""
        self._write(host)
        node = self.box.node(host.name)
        if is_running(node, "nsd"):
            for command in ("reconfig", "reload"):
                control_nsd(node, command)

    # -- faults

    def set_mode(self, hosts, mode):
        if mode == "empty":
            self.zones.edition += 1
        for host in hosts:
            if mode == "empty":
                self.zones.write(RUN / host.name / "empty", empty=True)
            self.modes[host.name] = mode
            self._apply(host)

    def zone_expires(self, expire_s):
        self.zones.expire = expire_s
        self._publish()
        self._apply(self.primary)
        self._wait_for_transfer()
        self.set_mode([self.primary], "no-xfr")

    def signatures_expire(self, at):
        if not self.zones.signed:
            raise Failed("no zone is signed: name one in country.signed")
        self.zones.signatures_end = at
        self._publish()
        self._apply(self.primary)

    def restore(self, hosts=None):
        """The zones as they were, under a higher serial, and each of the hosts in its normal mode."""
        hosts = hosts or self.zones.servers
        had_expired = self.zones.signatures_end is not None and self.primary in hosts
        if self.primary in hosts:
            self.zones.expire, self.zones.signatures_end = EXPIRE, None
        for host in sorted(hosts, key=lambda h: h.name != self.primary.name):
            self.modes[host.name] = "normal"
            if host.name == self.primary.name:
                self._publish()
            else:
                _touch(RUN / host.name / "zones")
            self._apply(host)
            if host.name in self.stopped:
                self.start(host)
        if had_expired and is_running(self.box.node(self.primary.name), "nsd"):
            self._wait_for_transfer()
            self._forget_bogus_keys()

    def _forget_bogus_keys(self):
        """Unbound believes for a minute that the keys of a zone are bogus, whatever it is configured to
        do: too long for a scenario. So the operator of each resolver flushes that, as many would."""
        for vantage in self.plan.vantages:
            node = self.box.node(vantage.name)
            if is_running(node, "unbound"):
                node.run("unbound-control", "-c", node.dir / "unbound.conf", "flush_bogus")

    def _wait_for_transfer(self, timeout_s=5):
        """Until every secondary that runs has the primary's zones."""
        until = time.monotonic() + timeout_s
        for host in self.secondaries:
            node = self.box.node(host.name)
            while is_running(node, "nsd") and self._serials(node, host) != self._expected():
                if time.monotonic() > until:
                    raise Failed(f"{host.name} did not transfer the zones within {timeout_s} s; "
                                 f"see {node.dir}/nsd.log and whether it reaches {self.primary.address}")
                time.sleep(0.05)

    def _serials(self, node, host):
        return [ask(node, host.address, origin, "SOA").split()[2:3] for origin in self.zones.origins]

    def _expected(self):
        return [[str(self.zones.serial(origin))] for origin in self.zones.origins]


def start_nsd(node):
    if not is_running(node, "nsd"):
        node.spawn("nsd", ["nsd", "-d", "-c", node.dir / "nsd.conf"])


def control_nsd(node, command, timeout_s=2):
    """Tries again for a while: one that was just started does not listen yet."""
    until = time.monotonic() + timeout_s
    while True:
        try:
            return node.run("nsd-control", "-c", node.dir / "nsd.conf", command)
        except Failed:
            if time.monotonic() > until or not is_running(node, "nsd"):
                raise
            time.sleep(0.02)


def is_running(node, label):
    return label in node.processes and node.processes[label].is_running


def ask(node, server, name, kind):
    """What a server answers to a node, in short; empty without an answer."""
    said = node.run("dig", "+short", "+time=1", "+tries=1", f"@{server}", name, kind, check=False)
    return "" if said.startswith(";") else said.strip()


def _zone(origin, file, links=()):
    return "".join([f'zone:\n  name: "{origin}"\n  zonefile: "{file}"\n', *(f"  {link}\n" for link in links)])


def _touch(folder):
    """NSD reads a file again only if it is newer than what it read of it before."""
    for path in folder.glob("*zone"):
        os.utime(path)
