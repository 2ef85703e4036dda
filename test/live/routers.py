"""The routers of the test with real ones, and their configurations.

They hang on one switch together with the observer, whose addresses are 10.0.0.1 and 10.0.0.5. BIRD
(AS65001) has two paths to each prefix and tells them to FRR (AS65002) and GoBGP (AS65003) over two
sessions each, so that they have several, too. Each router gives its table to the observer twice: to
10.0.0.1 plainly, to 10.0.0.5 with ADD-PATH, and there BIRD and FRR sign with TCP MD5."""

import shutil
from pathlib import Path

import inside

OBSERVER = ("10.0.0.1", "10.0.0.5")
OBSERVER_AS = 64512
KEY = "s3cret/of+theirs"
HOLD_S, KEEPALIVE_S = 9, 3
FRR = "/usr/lib/frr/bgpd"

COUNT4, COUNT6 = 700, 300
PREFIXES4 = [f"100.{64 + n // 256}.{n % 256}.0/24" for n in range(COUNT4)]
PREFIXES6 = [f"2001:db8:{n + 1:x}::/48" for n in range(COUNT6)]
GOES = "100.127.0.0/24"     # beside them, and withdrawn in the course of the test
BEATS = "192.0.2.0/24"      # beside what is watched
WATCHED = ["100.64.0.0/10", "2001:db8::/32"]


class Router:
    """number: 1 for 10.0.0.11 and .12, and so on; the first address is its identifier, too."""

    def __init__(self, box, name, number, asn):
        self.box, self.name, self.number, self.asn = box, name, number, asn
        self.node = box.node(name)
        self.addresses = (f"10.0.0.{number}1", f"10.0.0.{number}2")
        self.process = None
        self.key = None         # with which the second session is signed
        self.archive = None     # an MRT file of what it hears

    def plug(self):
        """Its wire to the switch, without link-local addresses: FRR (8.4) alone, which has no zebra to tell it of its
        interfaces, ends a session that BIRD opened when the next hop of a route has one beside the global one."""
        port = f"to-{self.name}"
        self.box.node("switch").ip(f"link add {port} type veth peer name eth0 netns {self.name}",
                                   f"link set {port} master lan", f"link set {port} up")
        self.node.ip("link set eth0 addrgenmode none", "link set eth0 up",
                     f"address add fd00::{self.number}1/64 dev eth0 nodad",
                     *(f"address add {a}/24 dev eth0" for a in self.addresses))

    def set_wire(self, state):
        self.box.node("switch").ip(f"link set to-{self.name} {state}")


class Bird(Router):
    is_beating = False

    def start(self, others):
        self.node.write("bird.conf", self._config(others))
        self.process = self.node.spawn("bird", ["bird", "-f", "-c", self.node.dir / "bird.conf", "-s",
                                                self.node.dir / "bird.ctl", "-P", self.node.dir / "bird.pid"])

    def _config(self, others):
        def static(name, channel, prefixes, preference, extra="", state=""):
            routes = "".join(f" route {p} unreachable;" for p in prefixes)
            return (f"protocol static {name} {{ {state} {channel} {{ preference {preference}; "
                    f"import filter {{ {extra} accept; }}; }};{routes} }}\n")

        text = f"router id {self.addresses[0]};\nlog stderr {{ warning, error, fatal, bug }};\nprotocol device {{ }}\n"
        text += static("a4", "ipv4", PREFIXES4, 200) + static("a6", "ipv6", PREFIXES6, 200)
        text += static("goes", "ipv4", [GOES], 200) + static("beats", "ipv4", [BEATS], 200, state="disabled;")
        more = "bgp_path.prepend(65099);"
        text += static("b4", "ipv4", PREFIXES4, 100, more) + static("b6", "ipv6", PREFIXES6, 100, more)
        for n in (0, 1):
            text += self._session(f"observer{n}", n, OBSERVER[n], OBSERVER_AS, n == 1,
                                  f'password "{self.key}";' if n and self.key else "")
            for other in others:
                text += self._session(f"{other.name}{n}", n, other.addresses[n], other.asn, False,
                                      far_end=f"export filter {{ {'bgp_path.prepend(65098);' if n else ''} accept; }};")
        return text

    def _session(self, name, n, neighbor, asn, has_paths, more="", far_end="export all;"):
        channel = f"import none; {far_end} {'add paths tx;' if has_paths else ''}"
        return f"""protocol bgp {name} {{
    local {self.addresses[n]} as {self.asn}; neighbor {neighbor} as {asn}; {more}
    hold time {HOLD_S}; keepalive time {KEEPALIVE_S}; connect delay time 1; connect retry time 1; error wait time 1, 2;
    ipv4 {{ {channel} }};
    ipv6 {{ {channel} next hop address fd00::{self.number}1; }};
}}
"""

    def tell(self, command):
        return self.node.run("birdc", "-s", self.node.dir / "bird.ctl", command)

    def beat(self):
        """A route that nobody watches goes or comes: all routers have something to say."""
        self.is_beating = not self.is_beating
        self.tell(f"{'enable' if self.is_beating else 'disable'} beats")

    def heard(self):
        """How many routes it has from the observer: none, ever."""
        words = self.tell("show protocols all observer0").split()
        return sum(int(words[n - 1]) for n, word in enumerate(words) if word == "imported,")


class Frr(Router):
    def start(self, feeds):
        self.node.write("bgpd.conf", self._config(feeds))
        self.process = self.node.spawn(
            "bgpd", [FRR, "-f", self.node.dir / "bgpd.conf", "-i", self.node.dir / "bgpd.pid", "--vty_socket",
                     self.node.dir, "-M", "bmp", "-S", "-Z", "-n", "-P", "0"],
            binds={"/var/tmp": self.node.dir})      # where it would leave files

    def _config(self, feeds):
        lines = [f"hostname {self.name}", "log stdout critical", f"router bgp {self.asn}",
                 f" bgp router-id {self.addresses[0]}", " no bgp ebgp-requires-policy",
                 " no bgp default ipv4-unicast", f" timers bgp {KEEPALIVE_S} {HOLD_S}"]
        neighbors = []
        for n in (0, 1):
            neighbors += [(feed.addresses[n], feed.asn, n, True) for feed in feeds]
            neighbors.append((OBSERVER[n], OBSERVER_AS, n, False))
        for address, asn, n, _ in neighbors:
            lines += [f" neighbor {address} remote-as {asn}", f" neighbor {address} update-source {self.addresses[n]}",
                      f" neighbor {address} timers connect 1"]
        if self.key:
            lines.append(f" neighbor {OBSERVER[1]} password {self.key}")
        for family in ("ipv4", "ipv6"):
            lines.append(f" address-family {family} unicast")
            for address, _, _, is_feed in neighbors:
                lines.append(f"  neighbor {address} activate")
                if is_feed:     # what BMP tells before policy must be kept: else it tells withdrawals
                    lines.append(f"  neighbor {address} soft-reconfiguration inbound")
            lines += [f"  neighbor {OBSERVER[1]} addpath-tx-all-paths", " exit-address-family"]
        for port, table in ((11019, "pre-policy"), (11021, "post-policy")):     # it does not know Loc-RIB yet
            lines += [f" bmp targets {table}", f"  bmp monitor ipv4 unicast {table}",
                      f"  bmp monitor ipv6 unicast {table}",
                      f"  bmp connect {OBSERVER[0]} port {port} min-retry 1000 max-retry 2000", " exit"]
        lines.append("exit")
        if self.archive:
            lines.append(f"dump bgp updates {self.archive}")
        return "\n".join(lines) + "\n"

    def tell(self, command):
        return self.node.run("vtysh", "--vty_socket", self.node.dir, "-d", "bgpd", "-c", command)

    def heard(self):
        text = self.tell(f"show bgp neighbors {OBSERVER[0]} json")
        return sum(int(part.split(",")[0]) for part in text.split('"acceptedPrefixCounter":')[1:])


class GoBgp(Router):
    """What it told a BMP station after policy it remembers beyond the connection (3.10): a route that went while it
    could not tell is not told again when it is back. So nothing may keep it from telling, neither a socket
    that is full nor routes that it keeps while BIRD restarts (RFC 4724)."""
    SEND_BUFFER = "4096 2097152 4194304"    # bytes, for all that it tells while its wire is down

    def start(self, feeds):
        self.node.write("gobgpd.toml", self._config(feeds))
        self.node.run("sh", "-c", f"echo {self.SEND_BUFFER} >/proc/sys/net/ipv4/tcp_wmem")
        self.process = self.node.spawn("gobgpd", ["gobgpd", "-f", self.node.dir / "gobgpd.toml", "--api-hosts",
                                                  "127.0.0.1:50051", "-l", "warn"])

    def _config(self, feeds):
        text = f'[global.config]\n  as = {self.asn}\n  router-id = "{self.addresses[0]}"\n'
        for port, table in ((11019, "pre-policy"), (11020, "local-rib"), (11021, "post-policy")):
            text += (f'[[bmp-servers]]\n  [bmp-servers.config]\n    address = "{OBSERVER[0]}"\n    port = {port}\n'
                     f'    route-monitoring-policy = "{table}"\n    sys-name = "{self.name}"\n')
        if self.archive:
            text += f'[[mrt-dump]]\n  [mrt-dump.config]\n    dump-type = "updates"\n    file-name = "{self.archive}"\n'
        for n in (0, 1):
            for feed in feeds:
                text += self._neighbor(n, feed.addresses[n], feed.asn, True)
            text += self._neighbor(n, OBSERVER[n], OBSERVER_AS, False)
        return text

    def _neighbor(self, n, address, asn, is_feed):
        graceful = "false" if is_feed else "true"
        text = f"""[[neighbors]]
  [neighbors.config]
    neighbor-address = "{address}"
    peer-as = {asn}
  [neighbors.transport.config]
    local-address = "{self.addresses[n]}"
    passive-mode = {"true" if is_feed else "false"}
  [neighbors.timers.config]
    hold-time = {HOLD_S}
    keepalive-interval = {KEEPALIVE_S}
    connect-retry = 5
  [neighbors.graceful-restart.config]
    enabled = {graceful}
    restart-time = 20
"""
        for family in ("ipv4-unicast", "ipv6-unicast"):
            text += f'  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = "{family}"\n'
            text += f"    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = {graceful}\n"
            if n and not is_feed:
                text += "    [neighbors.afi-safis.add-paths.config]\n      send-max = 8\n"
        return text

    def tell(self, *command):
        return self.node.run("gobgp", *command)

    def heard(self):
        text = self.tell("neighbor", OBSERVER[0], "adj-in")
        return 0 if "not in table" in text.lower() or not text.strip() else len(text.splitlines()) - 1


def missing():
    """{class: what of it is not installed here}."""
    needs = {Bird: ["bird", "birdc"], Frr: [FRR, "vtysh"], GoBgp: ["gobgpd", "gobgp"]}
    modules = list(Path("/usr/lib").glob("*/frr/modules/bgpd_bmp.so"))
    found = {kind: [n for n in names if not shutil.which(n)] for kind, names in needs.items()}
    if not modules:
        found[Frr].append("bgpd_bmp.so")
    return {kind: names for kind, names in found.items() if names}


def enter(script, limit_s):
    """As inside.enter(), where BIRD is installed."""
    lost = missing().get(Bird)
    if lost:
        inside.skip(f"not installed: {', '.join(lost)}")
    inside.enter(script, limit_s)


def plug_all(box):
    """The routers on their switch with the observer: BIRD, FRR and GoBGP, None for what is not installed."""
    switch, observer, absent = box.node("switch"), box.node("observer"), missing()
    switch.ip("link add lan type bridge", "link set lan up",
              "link add to-observer type veth peer name eth0 netns observer",
              "link set to-observer master lan", "link set to-observer up")
    observer.ip("link set eth0 up", *(f"address add {a}/24 dev eth0" for a in OBSERVER))
    kinds = ((Bird, "bird", 1, 65001), (Frr, "frr", 2, 65002), (GoBgp, "gobgp", 3, 65003))
    found = [None if kind in absent else kind(box, *about) for kind, *about in kinds]
    for router in filter(None, found):
        router.plug()
    return found


def start_all(routers):
    """The first, BIRD, feeds the others."""
    routers[0].start(routers[1:])
    for router in routers[1:]:
        router.start([routers[0]])
