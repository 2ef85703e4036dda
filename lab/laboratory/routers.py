"""The routers of a world: BIRD in every network, FRR as the route collector.

Routes spread as between real networks (Gao and Rexford, 2001): what a customer announces is
carried to everybody, what a peer or provider announces to customers only. Local preference tells
them apart: 200 a customer's, 100 a peer's, 50 a provider's. Transit providers peer with one another, and so do
networks that have a provider in common; the others meet by their providers.
"""

from .box import Failed
from .wires import wait_for

CUSTOMER, PEER, PROVIDER, COLLECTOR = 200, 100, 50, 0
CONVERGE_S = 40
BMP_PORT = 11019
BFD = 'protocol bfd { interface "*" { interval 300 ms; multiplier 3; }; }\n'


class Routers:
    def __init__(self, box, plan):
        self.box, self.plan = box, plan
        self.announced = {}      # node: {label: prefix} announced beside its own
        self.leaks = False       # the country announces to each provider what others tell it

    # ---- building ----

    def start(self):
        for network in self.plan.networks:
            self.start_bird(network.name, self._network_config(network))
        self.start_country()
        self.start_collector()

    def start_country(self):
        self.start_bird("gw", self._country_config())

    def start_bird(self, name, config):
        node = self.box.node(name)
        node.write("bird.conf", config)
        node.spawn("bird", ["bird", "-f", "-c", node.dir / "bird.conf", "-s", node.dir / "bird.ctl",
                            "-P", node.dir / "bird.pid"])

    def _head(self, asn, router_id):
        return f"""log stderr {{ warning, error, fatal, bug }};
router id {router_id};
define MY_AS = {asn};
timeformat protocol iso long ms;
protocol device {{ scan time 1; }}
protocol kernel {{ ipv4 {{ import none; export where source = RTS_BGP || proto = "hijack"; }}; }}
"""  + (BFD if self.plan.timers["bfd"] else "")

    def _session(self, name, neighbor, asn, preference, is_open=False):
        """One BGP session. Who is no customer gets only what is ours or our customers'. The collector
        is told all, and nothing is taken from it."""
        timers = self.plan.timers
        ours = f"source = RTS_STATIC || bgp_local_pref >= {CUSTOMER}"
        export = "all" if preference in (CUSTOMER, COLLECTOR) or is_open else f"where {ours}"
        take = "none" if preference == COLLECTOR else f"filter {{ bgp_local_pref = {preference}; accept; }}"
        return f"""protocol bgp {name} {{
    local as MY_AS; neighbor {neighbor} as {asn};
    hold time {timers["hold_s"]}; keepalive time {timers["keepalive_s"]}; startup hold time {timers["hold_s"]};
    connect retry time {timers["retry_s"]}; connect delay time 1; error wait time 2, 8;
    graceful restart off; check link on;
    {"bfd on;" if timers["bfd"] else ""}
    ipv4 {{
        import {take};
        export {export}; next hop self;
    }};
}}
"""

    def _own(self, prefixes):
        """One protocol a prefix, so that each can be withdrawn alone."""
        return "".join(f'protocol static own{n} {{ ipv4; route {p} unreachable; }}\n'
                       for n, p in enumerate(prefixes))

    def _network_config(self, network):
        text = self._head(network.asn, network.exchange) + self._own([network.prefix])
        for label, prefix in self.announced.get(network.name, {}).items():
            text += f'protocol static {label} {{ ipv4; route {prefix} blackhole; }}\n'
        for other in self.plan.networks:
            preference = relation(network, other)
            if preference:
                text += self._session(symbol(other.name), other.exchange, other.asn, preference)
        for line in self.plan.lines:
            if line.transit == network.name:
                text += self._session("country", line.near, self.plan.country["asn"], CUSTOMER)
        if network.name in self.plan.collector["peers"]:
            text += self._session("collector", self.plan.collector_address, self.plan.collector["asn"],
                                  COLLECTOR)
        return text

    def _country_config(self):
        text = self._head(self.plan.country["asn"], self.plan.lines[0].near)
        text += self._own(self.plan.country["prefixes"])
        for line in self.plan.lines:
            transit = self.plan.network(line.transit)
            text += self._session(symbol(line.transit), line.far, transit.asn, PROVIDER, self.leaks)
        return text

    def start_collector(self):
        """FRR's bgpd: hears every peer's whole table, archives each update with its microsecond, and
        streams it to the first vantage by BMP. Who connects from a vantage gets a plain feed."""
        node = self.box.node("collector")
        node.ip(*(f"route add {v.address} via {self.plan.network(v.network).exchange}" for v in self.plan.vantages))
        node.write("bgpd.conf", self._collector_config(node.dir))
        node.spawn("bgpd", ["/usr/lib/frr/bgpd", "-f", node.dir / "bgpd.conf", "-i", node.dir / "bgpd.pid",
                            "--vty_socket", node.dir, "-M", "bmp", "-S", "-Z", "-n", "-P", "0", "-l",
                            self.plan.collector_address])

    def _collector_config(self, folder):
        timers, collector = self.plan.timers, self.plan.collector
        peers = [self.plan.network(name) for name in collector["peers"]]
        lines = [f"hostname {collector['name']}", "log stdout warnings",
                 f"dump bgp updates-et {folder}/updates.mrt",
                 f"dump bgp routes-mrt {folder}/table.%H%M%S.mrt 30",
                 f"router bgp {collector['asn']}",
                 f" bgp router-id {self.plan.collector_address}",
                 " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast",
                 f" timers bgp {timers['keepalive_s']} {timers['hold_s']}",
                 " neighbor feed peer-group", " neighbor feed remote-as external", " neighbor feed ebgp-multihop 8"]
        lines += [f" bgp listen range {v.address}/32 peer-group feed" for v in self.plan.vantages]
        lines += [f" neighbor {p.exchange} remote-as {p.asn}" for p in peers]
        lines += [" address-family ipv4 unicast", "  neighbor feed activate"]
        for peer in peers:     # what BMP tells before policy must be kept: else it tells withdrawals
            lines += [f"  neighbor {peer.exchange} activate",
                      f"  neighbor {peer.exchange} soft-reconfiguration inbound"]
        lines += [" exit-address-family", " bmp targets lastlight", "  bmp monitor ipv4 unicast pre-policy",
                  f"  bmp connect {self.plan.vantages[0].address} port {BMP_PORT} min-retry 1000 max-retry 2000",
                  " exit", "exit"]
        return "\n".join(lines) + "\n"

    # ---- waiting ----

    def wait_ready(self, seconds=CONVERGE_S):
        """Until the collector has the country's prefixes from every peer."""
        wanted = len(self.plan.collector["peers"])
        def has_all():
            self.box.check_alive("at once")
            return all(self.carriers(p) == wanted for p in self.plan.country["prefixes"])
        wait_for(has_all, seconds, "routing (every collector peer with every prefix)")

    def carriers(self, prefix):
        """How many of the collector's peers carry a prefix now."""
        text = self.vtysh(f"show bgp ipv4 unicast {prefix} json", check=False)
        return text.count('"peerId"')

    def vtysh(self, command, check=True):
        node = self.box.node("collector")
        return node.run("vtysh", "--vty_socket", node.dir, "-d", "bgpd", "-c", command, check=check)

    # ---- while it runs ----

    def bird(self, node, command):
        node = self.box.node(node)
        answer = node.run("birdc", "-s", node.dir / "bird.ctl", command)
        if "syntax error" in answer or "not match" in answer or "cannot" in answer.lower():
            raise Failed(f"{node.name}: birdc {command}: {answer.strip()}")
        return answer

    def withdraw(self, prefix):
        self.bird("gw", f"disable own{self.plan.country['prefixes'].index(prefix)}")

    def announce(self, prefix):
        self.bird("gw", f"enable own{self.plan.country['prefixes'].index(prefix)}")

    def also_announce(self, network, prefix):
        """Another network announces what is not its own: a hijack, from that moment on."""
        self.announced[network.name] = {"hijack": prefix}
        self._reconfigure(network.name, self._network_config(network))

    def stop_also(self, network):
        self.announced.pop(network.name, None)
        self._reconfigure(network.name, self._network_config(network))

    def leak(self, leaks):
        """The country announces to each of its providers what the others tell it."""
        self.leaks = leaks
        self._reconfigure("gw", self._country_config())

    def _reconfigure(self, name, config):
        self.box.node(name).write("bird.conf", config)
        self.bird(name, "configure")


def symbol(name):
    return name.replace("-", "_")


def relation(me, other):
    """What another network is to me: its routes' preference, or None where there is no session."""
    if other is me:
        return None
    if other.name in me.providers:
        return PROVIDER
    if me.name in other.providers:
        return CUSTOMER
    if me.is_transit and other.is_transit:
        return PEER
    return PEER if set(me.providers) & set(other.providers) else None
