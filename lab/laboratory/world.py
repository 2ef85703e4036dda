"""A whole world: built from a plan, watched by its witness and by lastlight, and everything that can
be done to it. Each deed is carried out for real and written down in the truth as it is done.

A scenario (scenarios.py) is a few lines in these words.
"""

import datetime
import ipaddress
import json
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .box import Failed
from .routers import Routers
from .servers import Servers
from .wires import Wires

WITNESS = Path(__file__).with_name("witness.py")
# This long everything must answer before it counts as back. A lost ping is known to be lost only when the witness's
# time-out of 2 s and up to two of its periods of 0.25 s are over, and LOOK_BACK_S is in it too: with less, what broke
# a moment ago would count as back before its first loss was seen.
BACK_S = 4
LOOK_BACK_S = 1
RETURN_MAX_S = 60
FLOOD_MAX_S = 310


class World:
    def __init__(self, box, plan, tools, seed, data=None):
        self.box, self.plan, self.tools = box, plan, tools
        self.random = random.Random(f"world {seed}")
        self.wires = Wires(box, plan, tools, seed)
        self.routers = Routers(box, plan)
        self.servers = Servers(box, plan, data)
        self.truth = None
        self.floods = []

    def build(self, tell):
        tell("wires: networks, lines, hosts")
        self.wires.build()
        tell("servers: zones, keys, certificates")
        self.servers.prepare()
        tell("routers and servers start")
        self.routers.start()
        for host in self.plan.hosts:
            self.servers.start_host(host)
        self.servers.start_root()
        for vantage in self.plan.vantages:
            self.servers.start_resolver(vantage)
        tell("waiting for routes and servers")
        self.routers.wait_ready()
        self.servers.wait_ready()
        self.start_witness()

    # ---- the witness ----

    def start_witness(self):
        vantage = self.box.node(self.plan.vantages[0].name)
        self.seen = vantage.dir / "witness.jsonl"
        vantage.spawn("witness", [sys.executable, WITNESS, self.seen, *(h.address for h in self.plan.hosts)])

    def witnessed(self, since=0.0):
        """What the witness saw of pings asked since then: dicts with at, address, rtt."""
        with open(self.seen) as lines:
            seen = [json.loads(line) for line in lines if line.endswith("\n")]
        return sorted((s for s in seen if s["at"] >= since), key=lambda s: s["at"])

    def wait_until_back(self):
        """Until every host has answered for BACK_S; when that began. Gives up after a minute."""
        wanted = {h.address for h in self.plan.hosts}
        began = time.time()
        while time.time() < began + RETURN_MAX_S:
            time.sleep(0.25)
            since = self._well_since(wanted, began - LOOK_BACK_S)
            if since and time.time() - since > BACK_S:
                return datetime.datetime.fromtimestamp(since, datetime.timezone.utc)
        raise Failed("not all hosts came back within a minute after the fault was mended")

    def _well_since(self, wanted, since):
        first_good, last_bad = {}, since
        for seen in self.witnessed(since):
            if seen["address"] not in wanted:
                continue
            if seen["rtt"] is None:
                last_bad = max(last_bad, seen["at"])
                first_good.pop(seen["address"], None)
            else:
                first_good.setdefault(seen["address"], seen["at"])
        return max(last_bad, *first_good.values()) if len(first_good) == len(wanted) else None

    # ---- words for scenarios ----

    def act(self, what):
        self.truth.act(what)

    def wait(self, low, high=None):
        """Seconds; a span is drawn from by the seed."""
        time.sleep(self.random.uniform(low, high) if high else low)

    def any_of(self, things):
        return self.random.choice(list(things))

    def web_hosts(self):
        return self.plan.running("http")

    def name_servers(self):
        return self.plan.running("dns-primary") + self.plan.running("dns-secondary")

    def silent_hosts(self):
        return [h for h in self.plan.hosts if not h.runs]

    def line(self):
        return self.plan.lines[0]

    # ---- overload ----

    def flood(self, *steps):
        """(seconds, multiple of the line's rate) after one another, from every source at once."""
        share = self.line().rate * 1000 / len(self.plan.sources)
        text = ",".join(f"{seconds}:{int(times * share)}" for seconds, times in steps)
        self.act("flood towards the country begins: " +
                 ", ".join(f"{times:g} x the line for {seconds} s" for seconds, times in steps))
        targets = ",".join(h.address for h in self.plan.hosts)
        for source in self.plan.sources:
            self.floods.append(self.box.node(source.name).spawn(
                "flood", [self.tools / "flood", "--to", targets, "--steps", text, "--size", "1400"]))

    def start_transit(self, times, seconds):
        """Traffic between two networks of the world that has nothing to do with the country, unless
        its routes are made to lead there."""
        one, other = self.plan.sources[:2]
        rate = int(times * self.line().rate * 1000)
        self.act(f"{one.network} sends {times:g} x the country's line to {other.network}, by their providers")
        self.floods.append(self.box.node(one.name).spawn(
            "transit", [self.tools / "flood", "--to", other.address, "--rate", rate, "--seconds", seconds,
                        "--size", "1400"]))

    def end_flood(self):
        for flood in self.floods:
            flood.wait(FLOOD_MAX_S)
        self.floods.clear()
        self.act("flood is over")

    # ---- power ----

    def power_off(self, is_silent, battery_s=0):
        """The site goes dark. The router loses power at the same instant, or after its battery; its
        provider sees the light go out, or does not."""
        hosts = self.plan.hosts
        self.act("power of the site fails" + (", router on battery" if battery_s else ""))
        together(lambda: self.box.node("switch").ip(*(f"link set {h.name} down" for h in hosts)),
                 *([] if battery_s else [lambda: self._router_off(is_silent)]))
        for host in hosts:
            self.servers.stop_host(host)
        if battery_s:
            time.sleep(battery_s)
            self.act("the router's battery is empty")
            self._router_off(is_silent)

    def _router_off(self, is_silent):
        gw, lines = self.box.node("gw"), self.plan.lines
        lans = range(len(self.plan.country["prefixes"]))
        # Links first: a process that is killed still says goodbye by TCP, which a dead machine does not.
        gw.ip(*(f"link set {line.name} down" for line in lines), *(f"link set lan{n} down" for n in lans))
        gw.processes["bird"].kill()
        if not is_silent:
            for line in lines:
                self.box.node(line.name).ip("link set provider down")

    def power_on(self, low=0.8, high=2.4):
        """Back as machines come back: the router first, then hosts one after the other, and on each
        its services a little later."""
        self.act("power is back: the router starts")
        gw = self.box.node("gw")
        gw.ip(*(f"link set lan{n} up" for n in range(len(self.plan.country["prefixes"]))),
              *(f"link set {line.name} up" for line in self.plan.lines))
        for line in self.plan.lines:
            self.box.node(line.name).ip("link set provider up")
        self.routers.start_country()
        hosts = list(self.plan.hosts)
        self.random.shuffle(hosts)
        for host in hosts:
            self.wait(low, high)
            self.host_on(host)

    def host_off(self, host):
        self.act(f"host {host.name} ({host.address}) loses power")
        self.box.node("switch").ip(f"link set {host.name} down")
        self.servers.stop_host(host)

    def host_on(self, host):
        self.act(f"host {host.name} ({host.address}) is back")
        self.box.node("switch").ip(f"link set {host.name} up")
        self.wires.plug(host)
        self.servers.start_host(host)

    # ---- lines ----

    def cut(self, line, is_silent):
        self.act(f"{line.name} is cut" + (", silently" if is_silent else ", both ends lose carrier"))
        self.wires.cut(line, is_silent)

    def mend(self, line):
        self.act(f"{line.name} is mended")
        self.wires.mend(line)

    # ---- routes ----

    def withdraw(self, prefix):
        self.act(f"the country withdraws {prefix}")
        self.routers.withdraw(prefix)

    def announce(self, prefix):
        self.act(f"the country announces {prefix}")
        self.routers.announce(prefix)

    def provider_drops(self, line):
        self.act(f"{line.transit} shuts its session with the country")
        self.routers.bird(line.transit, "disable country")

    def provider_returns(self, line):
        self.act(f"{line.transit} opens its session with the country again")
        self.routers.bird(line.transit, "enable country")

    def hijack(self, network, prefix):
        self.act(f"{network.name} (AS{network.asn}) announces {prefix}")
        self.routers.also_announce(network, prefix)

    def end_hijack(self, network, prefix):
        self.act(f"{network.name} (AS{network.asn}) withdraws {prefix}")
        self.routers.stop_also(network)

    def leak(self, leaks):
        self.act("the country announces everything it hears to its providers" if leaks else
                 "the country announces its own prefixes only")
        self.routers.leak(leaks)

    def peer_drops(self, network):
        self.act(f"the collector's session with {network.name} ends")
        self.routers.bird(network.name, "disable collector")

    def peer_returns(self, network):
        self.act(f"the collector's session with {network.name} is back")
        self.routers.bird(network.name, "enable collector")

    # ---- filters at the country's border ----

    def null_route(self, prefixes):
        """Routes stay announced; what arrives is dropped. Two halves, since the interface's own route
        to the whole would win."""
        self.act(f"the border router drops what is for {', '.join(prefixes)}; BGP goes on")
        gw = self.box.node("gw")
        gw.ip(*(f"route add blackhole {half}" for p in prefixes for half in halves(p)))

    def end_null_route(self, prefixes):
        self.act("the border router forwards again")
        self.box.node("gw").ip(*(f"route del blackhole {half}" for p in prefixes for half in halves(p)))

    def filter(self, rule, words):
        """An nftables rule for what the border router forwards."""
        self.act(f"filter at the border: {words}")
        self.box.node("gw").run("nft", "-f", "-", input=f"""table ip border {{
    chain forward {{ type filter hook forward priority 0; {rule}; }}
}}
""")

    def end_filter(self):
        self.act("the filter is removed")
        self.box.node("gw").run("nft", "delete", "table", "ip", "border")

    # ---- the observer's own troubles ----

    def uplink_off(self, vantage, is_silent):
        self.act(f"vantage {vantage.name} loses its uplink" + (", silently" if is_silent else ""))
        node = self.box.node(vantage.network)
        if is_silent:
            node.run("nft", "-f", "-", input=f"""table ip uplink {{
    chain forward {{ type filter hook forward priority 0;
        iifname "{vantage.name}" drop; oifname "{vantage.name}" drop; }}
}}
""")
        else:
            node.ip(f"link set {vantage.name} down")

    def uplink_on(self, vantage, is_silent):
        self.act(f"vantage {vantage.name} has its uplink again")
        node = self.box.node(vantage.network)
        if is_silent:
            node.run("nft", "delete", "table", "ip", "uplink")
        else:
            node.ip(f"link set {vantage.name} up")
            self.box.node(vantage.name).ip(f"route replace default via {vantage.gateway}")

    def resolver_off(self, vantage, is_hung):
        """It is gone, so that who asks is refused; or it hangs, and nobody gets an answer."""
        self.act(f"the resolver of vantage {vantage.name} {'hangs' if is_hung else 'stops'}")
        if is_hung:
            self.box.node(vantage.name).processes["unbound"].signal(signal.SIGSTOP)
        else:
            self.servers.stop_resolver(vantage)

    def resolver_on(self, vantage, is_hung):
        self.act(f"the resolver of vantage {vantage.name} works again")
        if is_hung:
            self.box.node(vantage.name).processes["unbound"].signal(signal.SIGCONT)
        else:
            self.servers.start_resolver(vantage)


def halves(prefix):
    return [str(half) for half in ipaddress.ip_network(prefix).subnets()]


def together(*deeds):
    """Starts them all at once and waits for all."""
    with ThreadPoolExecutor(len(deeds)) as pool:
        for done in [pool.submit(deed) for deed in deeds]:
            done.result()
