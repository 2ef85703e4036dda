"""The servers of a laboratory, real daemons every one: name servers, web servers, a mail server, the
root, and the resolvers of the vantages. Starts them, and breaks them in known ways.

    servers = Servers(box, plan, data)
    servers.prepare()                     files only; the nodes need no addresses yet
    servers.start_root()
    for host in plan.hosts: servers.start_host(host)
    servers.wait_ready()
    servers.dns_servfail(plan.running("dns-primary"))
    servers.dns_restore()

What a fault changes outlives a power cut: a host that starts again starts with the fault.
"""

import concurrent.futures
import signal
import time

from .box import Failed
from .nameservers import NameServers, ask, is_running
from .webservers import WebServers, web_names
from .zones import Zones, mail_domain

# A mail server takes mail for its own domains and throws it away. It reads a resolv.conf in which nobody
# answers at once: it looks up every client's name before it greets, and must not wait for that.
MAIL = """\
listen on {address} hostname {name}
action "local" mda "/bin/cat >/dev/null" virtual {{ "@" = nobody }}
match from any for domain {{ {domains} }} action "local"
"""
MAIL_NO_RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"


class Servers:
    def __init__(self, box, plan, data=None):
        self.box, self.plan = box, plan
        self.dns = NameServers(box, plan, Zones(plan, data))
        self.web = WebServers(box, plan)
        self.started = set()   # the names of the hosts, vantages and the root that were started

    @property
    def ca_file(self):
        return self.web.authority.file

    def prepare(self):
        self.dns.prepare()
        self.web.prepare()
        for host in self.plan.running("smtp"):
            self._prepare_mail(host)

    # -- hosts, resolvers, the root

    def start_host(self, host):
        """Everything that runs on it. Returns when it is launched, not when it is ready."""
        self.started.add(host.name)
        if "dns-primary" in host.runs or "dns-secondary" in host.runs:
            self.dns.start(host)
        if "http" in host.runs or "https" in host.runs:
            self.web.start(host)
        if "smtp" in host.runs:
            self.mail_start(host)

    def stop_host(self, host, how="kill"):
        """Everything that runs on it: "kill" at once as a power cut does, "term" in an orderly way."""
        self.started.discard(host.name)
        self.dns.stopped.discard(host.name)
        self.web.stopped.discard(host.name)
        for label in ("nsd", "nginx", "smtpd"):
            process = self.box.node(host.name).processes.get(label)
            if process:
                stop(process, how)

    def start_root(self):
        self.started.add("root")
        self.dns.start_root()

    def start_resolver(self, vantage):
        self.started.add(vantage.name)
        self.dns.start_resolver(vantage)

    def stop_resolver(self, vantage):
        self.started.discard(vantage.name)
        self.box.node(vantage.name).processes["unbound"].kill()

    def resolv_conf(self, vantage):
        """To be bound to /etc/resolv.conf of what runs at the vantage."""
        return self.dns.resolv_conf(vantage)

    # -- mail

    def _prepare_mail(self, host):
        node = self.box.node(host.name)
        names = web_names(host) or [host.name]
        domains = ", ".join(f'"{d}"' for name in names for d in (name, mail_domain(name)) if d)
        node.write("smtpd.conf", MAIL.format(address=host.address, name=names[0], domains=domains))
        node.write("resolv.conf", MAIL_NO_RESOLVER)

    def mail_start(self, host):
        node = self.box.node(host.name)
        if is_running(node, "smtpd"):
            return
        # OpenSMTPD's paths are fixed: it sees files, a /run and a spool of its own there.
        binds = {"/etc/smtpd.conf": node.dir / "smtpd.conf", "/etc/resolv.conf": node.dir / "resolv.conf"}
        folders = ("mount -t tmpfs -o mode=755 lab /run && mount -t tmpfs -o mode=755 lab /var/spool && "
                   "mkdir -m 711 /var/spool/smtpd")
        node.spawn("smtpd", ["sh", "-c", f"{folders} && exec smtpd -d"], binds=binds)

    def mail_stop(self, host):
        self.box.node(host.name).processes["smtpd"].kill()

    # -- are they ready?

    def wait_ready(self, timeout_s=15):
        """Until every server that was started answers from its own node."""
        until = time.monotonic() + timeout_s
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            late = dict.fromkeys(pool.map(lambda q: wait_for(*q, until), self._questions()))
        late.pop(None, None)
        if late:
            raise Failed("servers do not answer: " + "; ".join(late))

    def _questions(self):
        """[(node, label of the process, the question)]"""
        node, found = self.box.node, []
        for host in (h for h in self.plan.hosts if h.name in self.started):
            checks = {"dns-primary": ("nsd", self._has_zones), "dns-secondary": ("nsd", self._has_zones),
                      "http": ("nginx", self._has_page), "https": ("nginx", self._has_secure_page),
                      "smtp": ("smtpd", greets)}
            found += [(node(host.name), label, lambda n, h=host, c=check: c(n, h))
                      for label, check in (checks[service] for service in host.runs)]
        if "root" in self.started:
            root = self.plan.root.address
            found.append((node("root"), "nsd", lambda n: ask(n, root, ".", "SOA")))
        found += [(node(v.name), "unbound", lambda n: ask(n, "127.0.0.1", "www.example.", "A"))
                  for v in self.plan.vantages if v.name in self.started]
        return found

    def _has_zones(self, node, host):
        return all(ask(node, host.address, zone, "SOA") for zone in self.plan.country["zones"])

    def _has_page(self, node, host):
        return fetch(node, host, "http", 80)

    def _has_secure_page(self, node, host):
        return fetch(node, host, "https", 443, "--cacert", self.ca_file)

    # -- faults of name servers

    def dns_stop(self, host):
        self.dns.stop(host)

    def dns_start(self, host):
        self.dns.start(host)

    def dns_servfail(self, hosts):
        """They run, but have no data: SERVFAIL."""
        self.dns.set_mode(hosts, "servfail")

    def dns_lame(self, hosts):
        """They do not know the zones any more: REFUSED."""
        self.dns.set_mode(hosts, "lame")

    def dns_empty(self, hosts):
        """The zones hold SOA and NS only: NXDOMAIN for the names."""
        self.dns.set_mode(hosts, "empty")

    def dns_zone_expires(self, expire_s):
        """The primary refuses the secondaries, whose copies end `expire_s` later: SERVFAIL there."""
        self.dns.zone_expires(expire_s)

    def dns_signatures_expire(self, at):
        """The signatures of the signed zones end at that second."""
        self.dns.signatures_expire(at)

    def dns_restore(self, hosts=None):
        """Undoes all of these, on the given name servers or on all."""
        self.dns.restore(hosts)

    # -- faults of web servers

    def web_update_fails(self, host, how):
        """An update goes wrong: "error" (500), "default-page" (the distribution's), "refused" (nginx does
        not come up again) or "hang" (takes connections and does not answer)."""
        self.web.update_fails(host, how)

    def web_maintenance(self, host):
        """503 with Retry-After; no connection is dropped."""
        self.web.set_mode(host, "maintenance")

    def web_restore(self, host):
        """Undoes these, and gives a certificate that lasts."""
        self.web.restore(host)

    def certificate_expires(self, host, at):
        """A certificate that ends at that second, taken up while it serves."""
        self.web.certificate_expires(host, at)


def stop(process, how):
    if how == "kill":
        process.kill()
    else:
        process.signal(signal.SIGCONT)   # one that was made to hang would not hear it
        process.stop()


def wait_for(node, label, question, until):
    """None when it answers in time, else who does not."""
    process = node.processes[label]
    while time.monotonic() < until:
        if question(node):
            return None
        if not process.is_running:
            break
        time.sleep(0.05)
    return (f"{process.label} {'runs, but is not ready' if process.is_running else 'ended'}; "
            f"its log {process.log} says last: {process.tail(2) or 'nothing'}")


def fetch(node, host, scheme, port, *more):
    name = (web_names(host) or [host.address])[0]
    return curl(node, "--resolve", f"{name}:{port}:{host.address}", *more, f"{scheme}://{name}/")


def greets(node, host):
    return curl(node, f"smtp://{host.address}/")


def curl(node, *argv):
    try:
        node.run("curl", "-sf", "-o", "/dev/null", "--max-time", "2", *argv)
        return True
    except Failed:
        return False
