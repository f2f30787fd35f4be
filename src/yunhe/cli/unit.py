"""`yunhe node unit`: a systemd unit that keeps a node running, closed as far as the node allows.

The contract worker makes namespaces, a landlock domain and a filter of system calls for itself, so the unit forbids none of these; a test
lets systemd verify the text.
"""

import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from yunhe.cli.output import EXIT_CONFIGURATION, output
from yunhe.errors import UsageError
from yunhe.node import NodeFolder

_UNIT: Final = """\
# Made by `yunhe node unit`.
[Unit]
Description=Yunhe node {name}
After=network-online.target time-sync.target
Wants=network-online.target

[Service]
Type=exec
User={user}
ExecStart={command} node start {folder}
Environment=YUNHE_LOG_FILE=-
Restart=on-failure
RestartSec=5
# What a start refuses for its configuration or its data does not mend itself.
RestartPreventExitStatus=2 {refused}
KillMode=mixed
TimeoutStopSec=60
LimitNOFILE=65536
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={folder}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=user mnt net ipc uts
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""
_REFUSED: Final = frozenset("\"'\\$%;# \t\n")
"""Characters of a path that mean something to systemd."""


def print_unit(folder: Annotated[Path, typer.Argument(help="The node's folder.")]) -> None:
    """Print a systemd unit that keeps a node running as the user that its folder belongs to."""
    loaded = NodeFolder.load(folder, os.environ)
    path = folder.resolve()
    # Of this environment, so that an upgrade in place changes what the unit starts.
    command = shutil.which("yunhe", path=str(Path(sys.executable).parent)) or shutil.which("yunhe") or ""
    for part in (str(path), command):
        if not part or set(part) & _REFUSED:
            raise UsageError(f"the path {part!r} cannot stand in a systemd unit; use one of letters, digits, '/', '-', '_' and '.'")
    text = _UNIT.format(
        name=f"{loaded.config.organisation}.{loaded.config.node}",
        user=_user(path),
        command=command,
        folder=path,
        refused=EXIT_CONFIGURATION,
    )
    output.result({"unit": text}, text.rstrip("\n"))


def _user(path: Path) -> str:
    owner = path.stat().st_uid
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)
