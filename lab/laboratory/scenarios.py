"""What can be made to happen. Each scenario is a story of a minute or two, told in the words of
world.py; `with` a fault around its deeds it says what is really broken, from when until when, and what
that must and must not be taken for.

To add one: write a function under @scenario and try it with `lab run NAME`. The causes are the names
of src/model/causes.def; where several cannot be told apart from outside, all of them are right.
"""

import datetime
import ipaddress
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from .truth import now, text_of
from .world import halves

SCENARIOS = {}
TWO_UPLINKS = {"country.uplinks": ["transit-a", "transit-b"]}
PHYSICAL = ["site-power", "cable"]


@dataclass
class Scenario:
    name: str
    title: str
    play: object
    vary: dict = field(default_factory=dict)    # keys of the topology that are different here
    clock: list = field(default_factory=list)   # vantages (by number) whose clock will be set
    local: str = ""                             # the country's time of day when it begins; any, if not said
    before_s: float = 30                        # of calm, for what is usual to be learned
    after_s: float = 38                         # and for the end to be seen: ten rounds and a little


def scenario(title, **more):
    def add(play):
        name = play.__name__.replace("_", "-")
        SCENARIOS[name] = Scenario(name, title, play, **more)
        return play
    return add


@contextmanager
def fault(world, name, causes, wrong=(), is_back=True, bites_s=0, **more):
    """What the deeds within break is broken from now on, and whole when they are done and (is_back)
    the witness gets an answer from every host. bites_s: it may take so long until it is felt."""
    line = world.truth.begin(name, causes, wrong, **more)
    if bites_s:
        line["began_latest"] = text_of(now() + datetime.timedelta(seconds=bites_s))
    yield line
    world.truth.over(line)
    if is_back:
        back = text_of(world.wait_until_back())
        line["ended_latest"] = max(line["ended"], back)


def wait_until(moment):
    time.sleep(max(0, (moment - now()).total_seconds()))


@contextmanager
def quiet(world, name, because, **more):
    line = world.truth.begin_quiet(name, because, **more)
    yield line
    world.truth.over(line)


# ---- nothing ----

@scenario("Nothing happens at all, for five minutes", after_s=20)
def calm(world):
    with quiet(world, "calm", "nothing was done"):
        world.wait(250)


# ---- overload ----

@scenario("Traffic slightly above the line's rate: slower and lossy, never dark")
def stress_weak(world):
    with fault(world, "stress-weak", ["network-stress"], ["directed", "site-power", "cable"], bites_s=12):
        world.flood((5, 0.7), (40, 1.08))
        world.end_flood()


@scenario("Traffic rises to many times the line's rate until the routing session dies, then relief")
def stress(world):
    with fault(world, "stress", ["network-stress"], ["directed", "site-power", "cable"], bites_s=12):
        world.flood((8, 0.7), (world.random.randint(9, 12), 1.4), (world.random.randint(26, 32), 25))
        world.end_flood()


@scenario("Overload in waves: the country comes back and goes again")
def stress_waves(world):
    with fault(world, "stress-waves", ["network-stress"], ["directed", "site-power", "cable"], bites_s=8):
        world.flood((8, 1.5), (20, 40), (6, 0.3), (8, 1.5), (22, 40))
        world.end_flood()


# ---- power ----

@scenario("The site loses power; router first, then hosts come back one after the other")
def power_cut(world):
    with fault(world, "power", PHYSICAL, ["network-stress", "directed", "dns", "server"]):
        world.power_off(is_silent=False)
        world.wait(22, 28)
        world.power_on()


@scenario("The same, but the provider does not see the light go out and waits for its hold time")
def power_cut_silent(world):
    with fault(world, "power", PHYSICAL, ["network-stress", "directed", "dns", "server"]):
        world.power_off(is_silent=True)
        world.wait(24, 30)
        world.power_on()


@scenario("The site loses power; its router lives on a battery for a while")
def power_battery(world):
    with fault(world, "power", ["site-power", "grid-power"], ["network-stress", "directed", "dns", "cable"]):
        world.power_off(is_silent=False, battery_s=8)
        world.wait(16, 20)
        world.power_on()


# ---- lines ----

@scenario("The country's only line is cut; both ends lose carrier")
def cable_cut(world):
    with fault(world, "cable", PHYSICAL + ["upstream"], ["network-stress", "dns", "server"]):
        world.cut(world.line(), is_silent=False)
        world.wait(26, 32)
        world.mend(world.line())


@scenario("The country's only line breaks silently, in the middle")
def cable_cut_silent(world):
    with fault(world, "cable", PHYSICAL + ["upstream"], ["network-stress", "dns", "server"]):
        world.cut(world.line(), is_silent=True)
        world.wait(26, 32)
        world.mend(world.line())


@scenario("One of two lines breaks silently; after the hold time all goes by the other, longer way",
          vary=TWO_UPLINKS)
def cable_cut_dual(world):
    with fault(world, "cable-dual", ["cable", "upstream"], ["network-stress", "dns", "server", "site-power"],
               incidents=False, is_back=False) as line:
        world.cut(world.line(), is_silent=True)
        back = world.wait_until_back()      # by the other line: what follows nobody feels
        world.wait(26, 30)
        world.mend(world.line())
    world.truth.over(line, back)


@scenario("A provider ends its service; all goes by the other one", vary=TWO_UPLINKS)
def upstream_change(world):
    with fault(world, "upstream", ["upstream", "cable"], ["network-stress", "dns", "server", "site-power"],
               incidents=False):
        world.provider_drops(world.line())
        world.wait(30, 34)
        world.provider_returns(world.line())


@scenario("The only provider shuts its session, and opens it again", after_s=75)
def upstream_off(world):
    with fault(world, "upstream", ["upstream", "own-config", "directed", *PHYSICAL],
               ["network-stress", "dns", "server"]):
        world.provider_drops(world.line())
        world.wait(26, 32)
        world.provider_returns(world.line())


@scenario("The line comes and goes: four seconds down, eight up")
def flapping(world):
    with fault(world, "flapping", ["cable", "upstream", "own-config"], ["directed", "dns", "server"]):
        for _ in range(4):
            world.cut(world.line(), is_silent=False)
            world.wait(4)
            world.mend(world.line())
            world.wait(8)


# ---- routes ----

@scenario("Own mistake: the name servers' prefix goes first, then all; hosts live on")
def own_config(world):
    prefixes = world.plan.country["prefixes"]
    first = world.name_servers()[0].prefix
    others = [p for p in prefixes if p != first]
    with fault(world, "own-config", ["own-config"], ["network-stress", "site-power", "cable", "dns"]):
        world.withdraw(first)
        world.wait(9, 11)
        for prefix in others:
            world.withdraw(prefix)
        world.wait(18, 22)
        for prefix in prefixes:
            world.announce(prefix)


@scenario("Own mistake: everything that is heard is announced to both providers", vary=TWO_UPLINKS, after_s=75)
def route_leak(world):
    world.start_transit(1.3, 50)
    world.wait(4)
    with fault(world, "leak", ["own-config", "hijack", "network-stress"], ["site-power", "dns", "server"],
               bites_s=10, incidents=False):
        world.leak(True)
        world.wait(28, 32)
        world.leak(False)
    world.end_flood()


@scenario("Prefixes are withdrawn in order, three seconds apart, and announced again together",
          local="06:00")
def directed(world):
    prefixes = world.plan.country["prefixes"]
    with fault(world, "directed", ["directed", "own-config", "maintenance"],
               ["network-stress", "site-power", "cable", "dns"]):
        for prefix in prefixes:
            world.withdraw(prefix)
            world.wait(3)
        world.wait(18, 22)
        for prefix in prefixes:
            world.announce(prefix)


@scenario("Another network announces a more specific prefix", after_s=75)
def hijack_specific(world):
    network = world.any_of(n for n in world.plan.networks if not n.is_transit)
    host = world.any_of(h for h in world.plan.hosts if not h.runs)
    address = ipaddress.ip_address(host.address)
    half = next(p for p in halves(host.prefix) if address in ipaddress.ip_network(p))
    with fault(world, "hijack", ["hijack"], ["network-stress", "site-power", "cable", "dns", "server"]):
        world.hijack(network, half)
        world.wait(26, 32)
        world.end_hijack(network, half)


@scenario("Another network announces the very same prefix", after_s=75)
def hijack_origin(world):
    network = world.plan.networks[-1]
    host = world.any_of(h for h in world.plan.hosts if not h.runs)
    with fault(world, "hijack", ["hijack"], ["network-stress", "site-power", "cable", "dns", "server"]):
        world.hijack(network, host.prefix)
        world.wait(26, 32)
        world.end_hijack(network, host.prefix)


# ---- dropped with routes intact ----

@scenario("The border router drops everything; BGP is untouched")
def null_route(world):
    prefixes = world.plan.country["prefixes"]
    with fault(world, "null-route", ["directed", "filtering", "own-config"],
               ["network-stress", "dns", "server", "single-host", "observer"]):
        world.null_route(prefixes)
        world.wait(28, 32)
        world.end_null_route(prefixes)


@scenario("A filter drops the web's ports; ping and names go on")
def filter_drop(world):
    with fault(world, "filter", ["filtering"], ["site-power", "cable", "dns", "certificate"]):
        world.filter("tcp dport { 80, 443 } drop", "TCP to ports 80 and 443 is dropped")
        world.wait(28, 32)
        world.end_filter()


@scenario("A filter resets connections to the web's ports")
def filter_reset(world):
    with fault(world, "filter", ["filtering"], ["site-power", "cable", "dns", "certificate"]):
        world.filter("tcp dport { 80, 443 } reject with tcp reset", "TCP to ports 80 and 443 is reset")
        world.wait(28, 32)
        world.end_filter()


@scenario("A filter drops the traffic of one vantage only")
def filter_vantage(world):
    vantage = world.any_of(world.plan.vantages)
    with fault(world, "filter", ["filtering"], ["site-power", "cable", "dns", "server", "network-stress"]):
        world.filter(f"ip saddr {vantage.address} drop", f"everything from vantage {vantage.name} is dropped")
        world.wait(28, 32)
        world.end_filter()


# ---- names ----

@scenario("Both name servers' software stops")
def dns_stopped(world):
    with fault(world, "dns", ["dns", "server"], ["network-stress", "site-power", "cable", "directed"], is_back=False):
        world.act("the name servers' software stops")
        for host in world.name_servers():
            world.servers.dns_stop(host)
        world.wait(26, 30)
        world.act("the name servers' software runs again")
        for host in world.name_servers():
            world.servers.dns_start(host)


def wrong_names(world, break_them, words):
    with fault(world, "dns", ["dns"], ["network-stress", "site-power", "cable", "directed", "filtering"],
               is_back=False):
        world.act(words)
        break_them(world.name_servers())
        world.wait(26, 30)
        world.act("the name servers are as before")
        world.servers.dns_restore(world.name_servers())


@scenario("The name servers run, and have no data: SERVFAIL")
def dns_servfail(world):
    wrong_names(world, world.servers.dns_servfail, "the name servers lose their zones' data (SERVFAIL)")


@scenario("The name servers no longer know the zones: lame")
def dns_lame(world):
    wrong_names(world, world.servers.dns_lame, "the zones are taken from the name servers' configuration (lame)")


@scenario("The zones lose their records: names no longer exist")
def dns_emptied(world):
    wrong_names(world, world.servers.dns_empty, "the zones are published without their records")


@scenario("The secondary's copy of the zones expires, since the primary gives it no more")
def dns_zone_expired(world):
    with fault(world, "dns", ["dns", "server"], ["network-stress", "site-power", "cable", "directed", "filtering"],
               is_back=False, bites_s=12):
        world.act("the primary gives the secondary nothing any more; its copy expires in 8 s")
        world.servers.dns_zone_expires(8)
        world.wait(34, 38)
        world.act("the primary answers the secondary again")
        world.servers.dns_restore()


@scenario("The signatures of a signed zone expire at an exact second")
def dns_signatures(world):
    expires = (now() + datetime.timedelta(seconds=8)).replace(microsecond=0)
    world.act(f"the zone is signed until {text_of(expires)}")
    world.servers.dns_signatures_expire(expires)
    wait_until(expires)
    with fault(world, "dnssec", ["dns"], ["network-stress", "site-power", "cable", "directed", "filtering"],
               is_back=False, bites_s=7):
        world.act("the signatures are expired")
        world.wait(26, 30)
        world.act("the zone is signed anew")
        world.servers.dns_restore()


# ---- services ----

@scenario("A certificate expires at an exact second")
def certificate(world):
    host = world.any_of(h for h in world.plan.hosts if "https" in h.runs)
    expires = (now() + datetime.timedelta(seconds=8)).replace(microsecond=0)
    world.act(f"{host.name} has a certificate until {text_of(expires)}")
    world.servers.certificate_expires(host, expires)
    wait_until(expires)
    with fault(world, "certificate", ["certificate"], ["network-stress", "site-power", "cable", "dns", "directed"],
               is_back=False, bites_s=1):
        world.act(f"the certificate of {host.name} is expired")
        world.wait(26, 30)
        world.act(f"{host.name} has a new certificate")
        world.servers.web_restore(host)


def update(world, hosts, how, words, causes=("server",)):
    wrong = {"network-stress", "site-power", "cable", "dns", "directed"} - set(causes)
    with fault(world, "update", causes, sorted(wrong), is_back=False):
        world.act(f"{words}: {', '.join(h.name for h in hosts)}")
        for host in hosts:
            world.servers.web_update_fails(host, how)
        world.wait(26, 30)
        world.act("the update is rolled back")
        for host in hosts:
            world.servers.web_restore(host)


@scenario("A botched update: every web server answers with an error")
def update_error(world):
    update(world, world.web_hosts(), "error", "web servers answer with 500 after an update")


@scenario("A botched update: every web server shows its distribution's default page")
def update_default_page(world):
    update(world, world.web_hosts(), "default-page", "web servers show the default page after an update")


@scenario("A botched update: no web server starts any more")
def update_refused(world):
    update(world, world.web_hosts(), "refused", "web servers do not start after an update")


@scenario("A botched update: every web server takes connections and never answers")
def update_hang(world):
    # Accepted and then silent is also what a server looks like that has more to do than it can.
    update(world, world.web_hosts(), "hang", "web servers hang after an update", ("server", "network-stress"))


@scenario("One host loses power; its neighbours do not")
def one_host(world):
    host = world.any_of(h for h in world.plan.hosts if "dns-primary" not in h.runs)
    with fault(world, "one-host", ["single-host"], ["network-stress", "cable", "site-power", "directed", "dns"]):
        world.host_off(host)
        world.wait(26, 32)
        world.host_on(host)


@scenario("Planned maintenance: the web is drained, says 503 with Retry-After, and is back", local="02:30")
def maintenance(world):
    hosts = world.web_hosts()
    with fault(world, "maintenance", ["maintenance", "server"], ["network-stress", "site-power", "cable", "dns",
                                                                "directed"], is_back=False):
        world.act("the web servers go into maintenance, one after the other")
        for host in hosts:
            world.servers.web_maintenance(host)
            world.wait(1.5)
        world.wait(22, 26)
        world.act("the web servers are back")
        for host in hosts:
            world.servers.web_restore(host)
            world.wait(1)


# ---- two at once ----

@scenario("Two faults at once: a host dies, and a certificate expires elsewhere")
def two_faults(world):
    web = world.any_of(h for h in world.plan.hosts if "https" in h.runs)
    host = world.any_of(world.silent_hosts())
    expires = (now() + datetime.timedelta(seconds=12)).replace(microsecond=0)
    world.servers.certificate_expires(web, expires)
    with fault(world, "one-host", ["single-host"], ["network-stress", "cable", "site-power", "directed", "dns"]):
        world.host_off(host)
        wait_until(expires)
        with fault(world, "certificate", ["certificate"], ["network-stress", "cable", "site-power", "directed"],
                   is_back=False, bites_s=1):
            world.act(f"the certificate of {web.name} is expired")
            world.wait(24, 28)
            world.act(f"{web.name} has a new certificate")
            world.servers.web_restore(web)
        world.host_on(host)


# ---- not an outage: the observer's own troubles ----

@scenario("The collector loses the session with one of its peers", after_s=60)
def peer_lost(world):
    peer = world.plan.network(world.any_of(world.plan.collector["peers"]))
    with quiet(world, "peer-lost", "a collector that hears one peer less tells nothing of the country"):
        world.peer_drops(peer)
        world.wait(24, 28)
        world.peer_returns(peer)
        world.wait(8)


@scenario("A vantage loses its own uplink")
def uplink_lost(world):
    vantage, is_silent = world.any_of(world.plan.vantages), world.random.random() < 0.5
    with quiet(world, "uplink-lost", "the vantage was cut off, not the country", notice=vantage.name):
        world.uplink_off(vantage, is_silent)
        world.wait(24, 28)
        world.uplink_on(vantage, is_silent)


@scenario("A vantage's resolver stops, or hangs")
def resolver_broken(world):
    vantage, is_hung = world.any_of(world.plan.vantages), world.random.random() < 0.5
    with quiet(world, "resolver-broken", "the vantage could not look up names; the country's servers were well"):
        world.resolver_off(vantage, is_hung)
        world.wait(24, 28)
        world.resolver_on(vantage, is_hung)


@scenario("A vantage's clock is set forward by 40 s, and back", clock=[1])
def clock_step(world):
    vantage = world.plan.vantages[1]
    with quiet(world, "clock-step", "the clock of the vantage was wrong"):
        world.act(f"the clock of vantage {vantage.name} is set forward by 40 s")
        world.watch.step_clock(vantage.name, 40)
        world.wait(20, 24)
        world.act(f"the clock of vantage {vantage.name} is right again")
        world.watch.step_clock(vantage.name, -40)
        world.wait(20)
