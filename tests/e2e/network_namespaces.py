"""Machines that are none: each a network namespace with its own address, joined by one cable, on this machine.

They are held by one process each, and go with it. Making them takes the rights of root; a test that needs them is left out where
they are not to be had, and says why.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.node_process import DEADLINE_S

NETWORK = "10.231.77"
TOOLS = ("ip", "mount", "nsenter", "unshare")


class Machine:
    """One namespace, with a home folder and names of its own for the others."""

    def __init__(self, home: Path, number: int, names: dict[str, int]) -> None:
        """Make it.

        Args:
            home: folder in which commands are typed; must exist.
            number: last part of its address.
            names: last part of the address of each machine, by name.
        """
        self.home = home
        self.environment = dict(os.environ)
        self._number = number
        # A process that waits until its standard input ends, with ours.
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", "echo made; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "made\n"
        hosts = home.with_suffix(".hosts")
        hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{NETWORK}.{last} {name}\n" for name, last in names.items()))
        self.require(f"mount --bind {hosts} /etc/hosts; ip link set lo up")

    def connect(self, other: "Machine") -> None:
        """Lay the cable."""
        self.require(f"ip link add eth1 type veth peer name eth1 netns {other._holder.pid}")
        for machine in (self, other):
            machine.require(f"ip address add {NETWORK}.{machine._number}/24 dev eth1; ip link set eth1 up")

    def require(self, script: str) -> str:
        """Run a script of the shell in it, which must succeed, and return what it prints."""
        into = ["nsenter", "--target", str(self._holder.pid), "--net", "--mount", f"--wdns={self.home}"]
        done = subprocess.run(
            [*into, "bash", "-euo", "pipefail", "-c", script],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * DEADLINE_S,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def close(self) -> None:
        """Let it go."""
        self._holder.communicate(timeout=DEADLINE_S)


def require_namespaces() -> None:
    """Leave a test out where namespaces cannot be made."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"network namespaces take {', '.join(missing)} of util-linux and iproute2")
    probed = subprocess.run(
        ["unshare", "--net", "--mount", "ip", "link", "add", "yh0", "type", "veth"], capture_output=True, text=True, check=False
    )
    if probed.returncode:
        pytest.skip(f"network namespaces cannot be made here: {probed.stderr.strip()}")
