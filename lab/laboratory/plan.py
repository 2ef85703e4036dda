"""The plan of a world, read from a topology file: what there is, with every address worked out.

Pure: it makes nothing. A fault in the file is told with the table and key it is in, and how to mend
it.
"""

import ipaddress
import tomllib
from dataclasses import dataclass, field

from .box import Failed

EXCHANGE = ipaddress.ip_network("198.18.0.0/24")
LINES = ipaddress.ip_network("198.18.1.0/24")
# What each table must hold; all other keys have a meaning of their own where they stand.
KEYS = {"timers": "hold_s keepalive_s retry_s bfd", "line": "delay rate queue", "root": "network", "flood": "networks",
        "country": "name title asn timezone prefixes zones signed uplinks", "collector": "name asn peers",
        "host": "name address", "transit": "name asn prefix delay", "network": "name asn prefix delay providers",
        "vantage": "name network", "control": "name network"}
SERVICES = {"dns-primary", "dns-secondary", "http", "https", "smtp"}


@dataclass
class Host:
    """One computer of the country."""
    name: str
    address: str
    names: list = field(default_factory=list)
    runs: list = field(default_factory=list)
    prefix: str = ""      # the country's prefix that holds it
    gateway: str = ""     # the first address of it


@dataclass
class Network:
    """A network at the exchange: a transit provider or one of the world's."""
    name: str
    asn: int
    prefix: str
    delay: float
    providers: list = field(default_factory=list)
    is_transit: bool = False
    exchange: str = ""    # its address on the exchange's LAN
    guests: int = 0       # hosts placed in it so far


@dataclass
class Guest:
    """A computer in one of the world's networks: a vantage, a control, the root, a flood's source."""
    name: str
    network: str
    address: str
    gateway: str


@dataclass
class Line:
    """The country's line to a transit provider."""
    name: str
    transit: str
    far: str              # the provider's address on it
    near: str             # the country's
    delay: float = 0
    rate: int = 0
    queue: int = 0
    mtu: int = 1500


@dataclass
class Plan:
    timers: dict
    country: dict
    hosts: list
    networks: list        # transits first
    lines: list
    collector: dict
    collector_address: str
    vantages: list
    controls: list
    root: Guest
    sources: list         # of floods

    def network(self, name):
        return next(n for n in self.networks if n.name == name)

    def running(self, service):
        return [h for h in self.hosts if service in h.runs]


def load(path, vary=None):
    """The plan in a file; `vary` gives other values to some of its keys: {"country.uplinks": [...]}."""
    try:
        with open(path, "rb") as file:
            doc = tomllib.load(file)
        for key, value in (vary or {}).items():
            table, name = key.split(".")
            doc[table][name] = value
        return build(doc)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise Failed(f"{path}: {error}") from None
    except Failed as error:
        raise Failed(f"{path}: {error}") from None


def _check_keys(doc):
    for table, keys in KEYS.items():
        if table not in doc:
            raise Failed(f"the table [{table}] is missing")
        for number, entry in enumerate(doc[table] if isinstance(doc[table], list) else [doc[table]], 1):
            for key in keys.split():
                if key not in entry:
                    raise Failed(f"[{table}] {entry.get('name', f'number {number}')}: the key '{key}' is missing")


def build(doc):
    _check_keys(doc)
    networks = [_network(t, True) for t in doc["transit"]] + [_network(n, False) for n in doc["network"]]
    for number, network in enumerate(networks, 1):
        network.exchange = str(EXCHANGE[number])
    by_name = {n.name: n for n in networks}
    for network in networks:
        for provider in network.providers:
            _known(by_name, provider, f"network {network.name}: providers")
    country = doc["country"]
    lines = [_line(number, _known(by_name, name, "country.uplinks"), doc["line"])
             for number, name in enumerate(country["uplinks"])]
    for peer in doc["collector"]["peers"]:
        _known(by_name, peer, "collector.peers")
    plan = Plan(timers=doc["timers"], country=country,
                hosts=[_host(h, country["prefixes"]) for h in doc["host"]],
                networks=networks, lines=lines, collector=doc["collector"],
                collector_address=str(EXCHANGE[250]),
                vantages=[_guest(by_name, v, "vantage") for v in doc["vantage"]],
                controls=[_guest(by_name, c, "control") for c in doc["control"]],
                root=_guest(by_name, {"name": "root", **doc["root"]}, "root"),
                sources=[_guest(by_name, {"name": f"source-{i}", "network": n}, "flood.networks")
                         for i, n in enumerate(doc["flood"]["networks"], 1)])
    _check(plan)
    return plan


def _known(by_name, name, where):
    if name not in by_name:
        raise Failed(f"{where}: there is no network '{name}'; known are {', '.join(by_name)}")
    return by_name[name]


def _network(table, is_transit):
    try:
        ipaddress.ip_network(table["prefix"])
    except ValueError as error:
        raise Failed(f"network {table['name']}: prefix: {error}") from None
    return Network(name=table["name"], asn=table["asn"], prefix=table["prefix"], delay=table["delay"],
                   providers=table.get("providers", []), is_transit=is_transit)


def _host(table, prefixes):
    address = ipaddress.ip_address(table["address"])
    for service in table.get("runs", []):
        if service not in SERVICES:
            raise Failed(f"host {table['name']}: runs: '{service}' is none of {', '.join(sorted(SERVICES))}")
    for prefix in map(ipaddress.ip_network, prefixes):
        if address in prefix:
            return Host(name=table["name"], address=str(address), names=table.get("names", []),
                        runs=table.get("runs", []), prefix=str(prefix), gateway=str(prefix[1]))
    raise Failed(f"host {table['name']}: {address} lies in none of country.prefixes")


def _guest(by_name, table, where):
    network = _known(by_name, table["network"], f"{where} {table.get('name', '')}")
    network.guests += 1
    link = list(ipaddress.ip_network(network.prefix).subnets(new_prefix=30))[network.guests]
    return Guest(name=table["name"], network=network.name, address=str(link[2]), gateway=str(link[1]))


def _line(number, transit, table):
    link = list(LINES.subnets(new_prefix=30))[number]
    return Line(name=f"line-{'abcdefgh'[number]}", transit=transit.name, far=str(link[1]), near=str(link[2]),
                delay=table["delay"] * (1 + number / 2), rate=table["rate"], queue=table["queue"],
                mtu=table.get("mtu", 1500))


def _check(plan):
    names = ["gw", "switch", "exchange", "relays", "collector"] + [x.name for x in (
        *plan.hosts, *plan.networks, *plan.vantages, *plan.controls, *plan.lines, plan.root, *plan.sources)]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise Failed(f"the name '{twice[0]}' is given twice; every node needs one of its own, and some have theirs")
    if len([h for h in plan.hosts if "dns-primary" in h.runs]) != 1:
        raise Failed("exactly one host must run dns-primary")
    if not plan.vantages or not plan.controls:
        raise Failed("there must be a vantage and a control")
