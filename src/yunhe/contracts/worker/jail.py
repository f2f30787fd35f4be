"""The jail of a contract worker: closed by the worker itself, from the inside, before it sees a contract.

Layers, each of which holds if the others fail: no open file but the socket, limits, no privileges and no way to gain any, namespaces
without network and mounts, no file system (landlock), a filter of system calls that ends the process. What the kernel or the rights of
the user do not give is reported, not passed over (CON-083). The security of a node against a contract that breaks out of Python rests on
this module, not on the subset. Linux only. Rules: CON-080 to CON-083. Specification: docs/spec/contracts.md, "Worker".
"""

import ctypes
import os
import resource
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from yunhe.contracts.worker.jail_filter import install_filter
from yunhe.errors import ConfigurationError, JailIncompleteError
from yunhe.limits import LIVE_MEMORY_BYTES_MAX, WORKER_MEMORY_BYTES

_MEMORY_FACTOR: Final = 4
_NOBODY: Final = 65534

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITIES: Final = 64

_CLONE_NEWNS: Final = 0x00020000
_CLONE_NEWUTS: Final = 0x04000000
_CLONE_NEWIPC: Final = 0x08000000
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_NAMESPACES: Final = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWNET

_SYS_CAPSET: Final = 126
_SYS_LANDLOCK_CREATE_RULESET: Final = 444
_SYS_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_VERSION: Final = 1
_LANDLOCK_FILES: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Rights over files that each version of landlock knows; later ones know these too."""
_LANDLOCK_NETWORK: Final = 3
_LANDLOCK_NETWORK_SINCE: Final = 4
_LANDLOCK_SCOPES: Final = 3
_LANDLOCK_SCOPES_SINCE: Final = 6


@dataclass(frozen=True, slots=True)
class Protections:
    """Which protections of a worker are on."""

    files_closed: bool
    """It has no open file but its socket, and can open none."""
    limits: bool
    """Memory, files and processes are limited."""
    no_new_privileges: bool
    """Nothing that it starts can have more rights than it has."""
    unprivileged: bool
    """It has no capabilities and is not root."""
    namespaces: bool
    """It has a network, mounts, inter-process communication and host name of its own, with nothing in them."""
    landlock: bool
    """It has no access to the file system."""
    system_calls: bool
    """System calls are filtered."""
    ends_with_node: bool
    """It is killed when the node's process ends."""

    def data(self) -> dict[str, bool]:
        """Return them as plain data."""
        return asdict(self)

    @staticmethod
    def missing(protections: dict[str, bool]) -> list[str]:
        """Return those that a node insists on and does not have."""
        return [name for name in _REQUIRED if not protections.get(name, False)]


_REQUIRED: Final = ("files_closed", "limits", "no_new_privileges", "system_calls")
"""What every supported kernel gives to every user (CON-083)."""


def check_memory(worker_bytes: int = WORKER_MEMORY_BYTES) -> None:
    """Check that a worker has room for what gas allows.

    Raises:
        ConfigurationError: it has less than four times `LIVE_MEMORY_BYTES_MAX`.
    """
    # CON-080
    if worker_bytes < _MEMORY_FACTOR * LIVE_MEMORY_BYTES_MAX:
        raise ConfigurationError(
            f"a contract worker needs at least {_MEMORY_FACTOR} times LIVE_MEMORY_BYTES_MAX of memory, not {worker_bytes} bytes"
        )


def require_protections(protections: dict[str, bool]) -> None:
    """Check that a worker's jail is closed as far as a node insists on.

    Raises:
        JailIncompleteError: it is not.
    """
    # CON-083
    missing = Protections.missing(protections)
    if missing:
        raise JailIncompleteError(f"the contract worker's jail lacks {', '.join(missing)}: run the node on Linux x86-64 with seccomp")


def close_jail(descriptor: int, parent: int, memory_bytes: int = WORKER_MEMORY_BYTES, *, filtered: bool = True) -> Protections:
    """Close the jail around this process, for good.

    Args:
        descriptor: the only file that stays open.
        parent: process that this one must not outlive.
        memory_bytes: address space.
        filtered: whether system calls are filtered; without it tests see what the other layers hold.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    os.environ.clear()
    _close_files(descriptor)
    namespaces = _enter_namespaces(libc)
    # CON-081
    no_new_privileges = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    unprivileged = _drop_privileges(libc)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # After the change of user, which would undo it; and checked, because the node may have ended before.
    ends_with_node = libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
    if os.getppid() != parent:
        os._exit(0)
    landlock = _restrict_files(libc)
    limits = _limit(memory_bytes)
    # CON-082
    system_calls = filtered and install_filter(libc, descriptor)
    return Protections(
        files_closed=True,
        limits=limits,
        no_new_privileges=no_new_privileges,
        unprivileged=unprivileged,
        namespaces=namespaces,
        landlock=landlock,
        system_calls=system_calls,
        ends_with_node=ends_with_node,
    )


def _close_files(descriptor: int) -> None:
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(0, descriptor)
    os.closerange(descriptor + 1, max(descriptor + 1, min(highest, 1 << 20)))


def _enter_namespaces(libc: ctypes.CDLL) -> bool:
    # An ordinary user gets namespaces inside one of its own, where the kernel's settings allow that.
    flags = _NAMESPACES if os.geteuid() == 0 else _NAMESPACES | _CLONE_NEWUSER
    return bool(libc.unshare(flags) == 0)


def _drop_privileges(libc: ctypes.CDLL) -> bool:
    for capability in range(_CAPABILITIES):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    if os.geteuid() == 0:
        with suppress(OSError):
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    # Version 3 of the header: two sets of three words, all zero.
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    dropped = libc.syscall(_SYS_CAPSET, header, (ctypes.c_uint32 * 6)()) == 0
    return dropped and os.geteuid() != 0


def _restrict_files(libc: ctypes.CDLL) -> bool:
    version = libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    handled = [_LANDLOCK_FILES[min(version, max(_LANDLOCK_FILES))]]
    if version >= _LANDLOCK_NETWORK_SINCE:
        handled.append(_LANDLOCK_NETWORK)
    if version >= _LANDLOCK_SCOPES_SINCE:
        handled.append(_LANDLOCK_SCOPES)
    attributes = (ctypes.c_uint64 * len(handled))(*handled)
    # The rule set has no rules: everything that it handles is refused.
    rules = libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, attributes, ctypes.sizeof(attributes), 0)
    if rules < 0:
        return False
    restricted = bool(libc.syscall(_SYS_LANDLOCK_RESTRICT_SELF, rules, 0) == 0)
    os.close(rules)
    return restricted


def _limit(memory_bytes: int) -> bool:
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for limit, value in limits.items():
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            return False
    return True
