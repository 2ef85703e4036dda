"""The laboratory's certificate authority. It gives certificates that end at any given second."""

import subprocess
from datetime import datetime, timedelta, timezone

from .box import RUN, Failed

CONFIG = """\
[ca]
default_ca = lab
[lab]
dir = {dir}
database = $dir/index.txt
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""

LASTS = timedelta(days=90)


class Authority:
    def __init__(self):
        self.dir = RUN / "ca"
        self.file = self.dir / "ca.pem"

    def prepare(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / "openssl.cnf").write_text(CONFIG.format(dir=self.dir))
        (self.dir / "index.txt").write_text("")
        self._make_key("ca.key")
        self._openssl("req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", "-days", "365", "-config",
                      "openssl.cnf", "-extensions", "authority", "-subj", "/CN=Laboratory Root CA")

    def issue(self, label, names, address, ends=None):
        """A certificate for the names and the address; its file and its key's. An earlier one of the
        same label is replaced."""
        key, request, fresh, file = (f"{label}.{e}" for e in ("key", "csr", "new", "pem"))
        if not (self.dir / key).exists():
            self._make_key(key)
            self._openssl("req", "-new", "-key", key, "-out", request, "-config", "openssl.cnf",
                          "-subj", f"/CN={names[0] if names else address}")
        alternatives = ",".join([*(f"DNS:{n}" for n in names), f"IP:{address}"])
        extensions = f"subjectAltName = {alternatives}\nextendedKeyUsage = serverAuth\n"
        (self.dir / f"{label}.ext").write_text(extensions)
        now = datetime.now(timezone.utc)
        ends = ends or now + LASTS
        self._openssl("ca", "-batch", "-notext", "-config", "openssl.cnf", "-in", request, "-out", fresh,
                      "-extfile", f"{label}.ext", "-startdate", _stamp(min(now, ends) - timedelta(days=1)),
                      "-enddate", _stamp(ends))
        (self.dir / fresh).replace(self.dir / file)   # in one step, as nginx may be reading it
        return self.dir / file, self.dir / key

    def _make_key(self, name):
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name)

    def _openssl(self, *argv):
        done = subprocess.run(["openssl", *argv], cwd=self.dir, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Failed(f"openssl {argv[0]}: {done.stdout.strip()}")


def _stamp(time):
    return time.astimezone(timezone.utc).strftime("%Y%m%d%H%M%SZ")
