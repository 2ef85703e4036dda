"""How a test gets into network namespaces of its own, or is skipped where it cannot; and what it expects there."""

import os
import shutil
import subprocess
import sys

from laboratory.box import Failed, command

NEEDED = ("ip", "nsenter", "unshare", "setpriv", "timeout", "mount")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def enter(script, limit_s, *tools):
    """Runs the script in namespaces of its own, for so long at most; or not at all."""
    if os.geteuid() != 0:
        skip("needs root")
    lost = [tool for tool in (*NEEDED, *tools) if not shutil.which(tool)]
    if lost:
        skip(f"needs {', '.join(lost)}")
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL).returncode:
        skip("may not make namespaces here")
    argv, env = command([sys.executable, script, *sys.argv[1:]], True)
    os.execvpe("timeout", ["timeout", "-k", "5", str(limit_s), *argv], env)


def expect(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what}: {found}, expected {wanted}")
