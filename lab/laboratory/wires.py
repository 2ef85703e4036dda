"""The wires of a world: every computer and every link of a plan, made of network namespaces.

    exchange         a switch in the middle of the world; each network reaches it over a relay, which
                     gives the network its distance
    line-a ...       the country's lines: a namespace in the middle with a slow queue and a relay, so
                     that a line can overflow, break silently or break with loss of carrier
    gw, switch       the country's border router, and the switch that its hosts hang on
    west, east, ...  guests: one computer each in a network of the world
"""

import ipaddress
import random
import socket
import time

from .box import Failed, RUN

RELAY_READY_S = 5


class Wires:
    def __init__(self, box, plan, tools, seed):
        self.box, self.plan, self.tools = box, plan, tools
        self.random = random.Random(f"wires {seed}")
        self.control = RUN / "relay.sock"
        self.links = []         # (name, tap A, tap B, delay in µs) of the relay

    # ---- building ----

    def build(self):
        for network in self.plan.networks:
            self._router(network.name)
        for name in ("gw", "exchange", "switch", "collector"):
            self._router(name)
        self._start_relay()
        self._build_exchange()
        for line in self.plan.lines:
            self._build_line(line)
        for guest in self.guests():
            self._build_guest(guest)
        self._build_country()

    def guests(self):
        plan = self.plan
        return [*plan.vantages, *plan.controls, plan.root, *plan.sources]

    def _router(self, name):
        node = self.box.node(name)
        quiet(node)
        node.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        return node

    def _delay_us(self, ms):
        """A network's distance differs a little from seed to seed."""
        return int(ms * 1000 * self.random.uniform(0.85, 1.15))

    def _start_relay(self):
        """One relay process holds all links that have a length."""
        for number, network in enumerate(self.plan.networks):
            self.links.append((network.name, f"xa{number}", f"xb{number}", self._delay_us(network.delay)))
        for number, line in enumerate(self.plan.lines):
            self.links.append((line.name, f"la{number}", f"lb{number}", self._delay_us(line.delay)))
        relays = self.box.node("relays")
        relay = relays.spawn("relay", [self.tools / "relay", "--control", self.control,
                                       *(":".join(map(str, link)) for link in self.links)])
        wait_for(lambda: "ready" in relay.tail() or not relay.is_running, RELAY_READY_S, "the relay")
        if not relay.is_running:
            raise Failed(f"the relay ended: {relay.tail()}; does this kernel have /dev/net/tun?")

    def _take_tap(self, tap, node, name):
        self.box.node("relays").ip(f"link set {tap} netns {node}")
        self.box.node(node).ip(f"link set {tap} name {name}")

    def _build_exchange(self):
        exchange = self.box.node("exchange")
        exchange.ip("link add lan type bridge forward_delay 0", "link set lan up")
        for number, network in enumerate(self.plan.networks):
            _, near, far, _ = self.links[number]
            self._take_tap(near, "exchange", f"port{number}")
            exchange.ip(f"link set port{number} master lan up")
            self._take_tap(far, network.name, "ix")
            self.box.node(network.name).ip(f"addr add {network.exchange}/24 dev ix", "link set ix up")
        veth(self.box, ("exchange", "collector"), ("collector", "ix"))
        exchange.ip("link set collector master lan up")
        self.box.node("collector").ip(f"addr add {self.plan.collector_address}/24 dev ix", "link set ix up")

    def _build_line(self, line):
        """near and far are the two ends of the line; what leaves for either waits in a slow queue."""
        middle = self.box.node(line.name)
        quiet(middle)
        _, near_tap, far_tap, _ = next(link for link in self.links if link[0] == line.name)
        self._take_tap(near_tap, line.name, "in")
        self._take_tap(far_tap, line.name, "out")
        veth(self.box, (line.transit, line.name), (line.name, "provider"))
        veth(self.box, ("gw", line.name), (line.name, "country"))
        middle.ip("link add near type bridge forward_delay 0", "link add far type bridge forward_delay 0",
                  "link set provider master near up", "link set in master near up",
                  "link set out master far up", "link set country master far up",
                  "link set near up", "link set far up")
        for device in ("in", "provider"):
            self._slow(middle, device, line)
        self.box.node(line.transit).ip(f"addr add {line.far}/30 dev {line.name}", f"link set {line.name} up")
        self.box.node("gw").ip(f"addr add {line.near}/30 dev {line.name}", f"link set {line.name} up")

    def _slow(self, middle, device, line):
        """A line's rate, and a queue counted in packets: one counted in bytes spares small packets,
        so that pings would survive an overload that kills everything else."""
        middle.run("tc", "qdisc", "add", "dev", device, "root", "handle", "1:", "tbf", "rate",
                   f"{line.rate}kbit", "burst", str(max(line.mtu + 100, line.rate * 1000 // 8 // 50)),
                   "limit", "1000000")
        middle.run("tc", "qdisc", "add", "dev", device, "parent", "1:1", "handle", "10:", "pfifo",
                   "limit", str(line.queue))

    def _build_guest(self, guest):
        node = self.box.node(guest.name)
        quiet(node)
        veth(self.box, (guest.network, guest.name), (guest.name, "eth0"))
        self.box.node(guest.network).ip(f"addr add {guest.gateway}/30 dev {guest.name}",
                                        f"link set {guest.name} up")
        node.ip(f"addr add {guest.address}/30 dev eth0", "link set eth0 up",
                f"route add default via {guest.gateway}")

    def _build_country(self):
        switch, gw = self.box.node("switch"), self.box.node("gw")
        for number, prefix in enumerate(self.plan.country["prefixes"]):
            switch.ip(f"link add lan{number} type bridge forward_delay 0", f"link set lan{number} up")
            veth(self.box, ("gw", f"lan{number}"), ("switch", f"gw{number}"))
            switch.ip(f"link set gw{number} master lan{number} up")
            gateway = first_address(prefix)
            gw.ip(f"addr add {gateway} dev lan{number}", f"link set lan{number} up")
        for host in self.plan.hosts:
            self._build_host(host)

    def _build_host(self, host):
        node = self.box.node(host.name)
        quiet(node)
        lan = self.plan.country["prefixes"].index(host.prefix)
        veth(self.box, ("switch", host.name), (host.name, "eth0"))
        self.box.node("switch").ip(f"link set {host.name} master lan{lan} up")
        node.ip(f"addr add {host.address}/{host.prefix.split('/')[1]} dev eth0")
        self.plug(host)

    # ---- while it runs ----

    def plug(self, host):
        self.box.node(host.name).ip("link set eth0 up", f"route replace default via {host.gateway}")

    def relay(self, command):
        """One command to the relay, such as `set line-a 40000 0`."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(2)
            line.connect(str(self.control))
            line.sendall(command.encode() + b"\n")
            answer = line.recv(65536).decode().strip()
        if answer.startswith("error"):
            raise Failed(f"relay: {command}: {answer}")
        return answer

    def cut(self, line, is_silent):
        """Breaks a line. Silent: both ends keep their carrier and learn nothing. Else both lose it."""
        if is_silent:
            self.relay(f"pause {line.name}")
        else:
            self.box.node(line.name).ip("link set provider down", "link set country down")

    def mend(self, line):
        self.relay(f"resume {line.name}")
        self.box.node(line.name).ip("link set provider up", "link set country up")


def first_address(prefix):
    network = ipaddress.ip_network(prefix)
    return f"{network[1]}/{network.prefixlen}"


def quiet(node):
    """No IPv6 chatter; packets that come and go by different ways are let through; and on the
    exchange's LAN no router tells another to go around it."""
    node.run("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1",
             "net.ipv6.conf.default.disable_ipv6=1", "net.ipv4.conf.all.rp_filter=0",
             "net.ipv4.conf.default.rp_filter=0", "net.ipv4.conf.all.send_redirects=0",
             "net.ipv4.conf.default.send_redirects=0")


def veth(box, a, b):
    """A cable between two nodes: (node, name of the device there), twice."""
    box.node(a[0]), box.node(b[0])
    box.node(a[0]).ip(f"link add {a[1]} type veth peer name {b[1]} netns {b[0]}")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"{what} was not ready within {seconds} s")
        time.sleep(0.05)
