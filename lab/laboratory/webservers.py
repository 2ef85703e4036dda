"""The web servers: one nginx on each host that runs http or https, with all names of that host.

A host's mode says what its configuration makes of a request: normal, error, default-page or
maintenance. A running nginx takes up another one without dropping a connection.
"""

import os
import signal
from pathlib import Path

from . import pages
from .box import RUN, Failed
from .certificates import Authority
from .nameservers import is_running

SERVER = """\
daemon off;
user root;
worker_processes 1;
pid {dir}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  default_type text/html;
  charset utf-8;
  client_body_temp_path {dir}/tmp;
  proxy_temp_path {dir}/tmp;
  fastcgi_temp_path {dir}/tmp;
  scgi_temp_path {dir}/tmp;
  uwsgi_temp_path {dir}/tmp;
{sites}}}
"""

SITE = """\
  server {{
    {listen}
    server_name {names};
    root {root};
    {answer}
  }}
"""

ANSWERS = {
    "normal": "index index.html;",
    "default-page": "index index.html;",
    "error": "location / { return 500; }",
    "maintenance": ("add_header Retry-After 3600 always; error_page 503 /maintenance.html; "
                    "location / { return 503; } location = /maintenance.html { internal; }"),
}
UPDATES = ("error", "default-page", "refused", "hang")
WELCOME_PAGES = [Path("/var/www/html/index.nginx-debian.html"), Path("/usr/share/nginx/html/index.html")]


class WebServers:
    def __init__(self, box, plan):
        self.box = box
        self.authority = Authority()
        self.hosts = [h for h in plan.hosts if {"http", "https"} & set(h.runs)]
        self.modes = {host.name: "normal" for host in self.hosts}
        self.expiring = set()  # hosts whose certificate was made to end early
        self.stopped = set()   # by a failed update: restore() starts these, and none that lost its power

    def prepare(self):
        self.authority.prepare()
        welcome = next((p.read_text() for p in WELCOME_PAGES if p.exists()), pages.WELCOME)
        (RUN / "welcome").mkdir(parents=True, exist_ok=True)
        (RUN / "welcome/index.html").write_text(welcome)
        for host in self.hosts:
            node = self.box.node(host.name)
            for site in sites(host):
                node.write(f"pages/{site}/index.html", pages.front_page(site))
                node.write(f"pages/{site}/maintenance.html", pages.maintenance_page(site))
            self._write(host)
            self._certify(host)

    def _certify(self, host, ends=None):
        if "https" in host.runs:
            self.authority.issue(host.name, web_names(host), host.address, ends)

    def _write(self, host):
        node, mode = self.box.node(host.name), self.modes[host.name]
        text = ""
        for site, names in sites(host).items():
            root = RUN / "welcome" if mode == "default-page" else node.dir / "pages" / site
            text += SITE.format(listen=self._listen(host, is_first=not text), names=" ".join(names),
                                root=root, answer=ANSWERS[mode])
        node.write("nginx.conf", SERVER.format(dir=node.dir, sites=text))

    def _listen(self, host, is_first):
        default = " default_server" if is_first else ""
        lines = [f"listen {host.address}:80{default};"] if "http" in host.runs else []
        if "https" in host.runs:
            stem = self.authority.dir / host.name
            lines += [f"listen {host.address}:443 ssl{default};", f"ssl_certificate {stem}.pem;",
                      f"ssl_certificate_key {stem}.key;"]
        return "\n    ".join(lines)

    def start(self, host):
        self.stopped.discard(host.name)
        node = self.box.node(host.name)
        if not is_running(node, "nginx"):
            node.spawn("nginx", ["nginx", *self._files(node)])

    def _files(self, node):
        return ["-e", "stderr", "-p", node.dir, "-c", node.dir / "nginx.conf"]

    def _apply(self, host):
        """Has the running server take up its mode and its certificate, as `nginx -s reload` does."""
        self._write(host)
        node = self.box.node(host.name)
        if is_running(node, "nginx"):
            # A running server that cannot read its configuration goes on with the old one, and only its log says so.
            node.run("nginx", "-t", "-q", *self._files(node))
            os.kill(node.processes["nginx"].popen.pid, signal.SIGHUP)

    # -- faults

    def update_fails(self, host, how):
        if how not in UPDATES:
            raise Failed(f"a failed update of a web server is one of {', '.join(UPDATES)}, not '{how}'")
        if how == "refused":
            self.stopped.add(host.name)
            self._process(host).kill()
        elif how == "hang":   # the kernel still takes connections, and nobody answers on them
            self._process(host).signal(signal.SIGSTOP)
        else:
            self.set_mode(host, how)

    def set_mode(self, host, mode):
        self.modes[host.name] = mode
        self._apply(host)

    def certificate_expires(self, host, at):
        if "https" not in host.runs:
            raise Failed(f"host {host.name} has no certificate: add \"https\" to what it runs")
        self.expiring.add(host.name)
        self._certify(host, at)
        self._apply(host)

    def restore(self, host):
        if host.name in self.expiring:
            self.expiring.discard(host.name)
            self._certify(host)
        self._process(host).signal(signal.SIGCONT)
        self.set_mode(host, "normal")
        if host.name in self.stopped:
            self.start(host)

    def _process(self, host):
        return self.box.node(host.name).processes["nginx"]


def web_names(host):
    return [name.rstrip(".") for name in host.names]


def sites(host):
    """{site: the names it goes by}: a name and that name with www before it are one site."""
    found = {}
    for name in web_names(host) or [host.address]:
        found.setdefault(name.removeprefix("www."), []).append(name)
    return found
