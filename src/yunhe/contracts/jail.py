"""The jail of the contract worker: what the process gives up before it sees a contract (CON-081 to CON-083).

In order: an own network, mounts, ipc, host name and the user `nobody`, where the process is root; no new privileges; no file at all
(Landlock); limits on memory, files and processes; a list of allowed system calls (seccomp), everything else is refused. Each step is
recorded, because an ordinary user and an older kernel cannot have all of them; without limits, no-new-privileges and the system-call list
no contract runs. There is no way back. Source: Linux man-pages prctl(2), seccomp(2), landlock(7), unshare(2). Specification:
docs/spec/contracts.md, "Worker".
"""

import ctypes
import os
import platform
import resource
import signal
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from yunhe.errors import JailIncompleteError
from yunhe.limits import LIVE_MEMORY_BYTES_MAX, WORKER_MEMORY_BYTES

_NOBODY: Final = 65534
_MEMORY_FACTOR: Final = 4
"""The worker's memory is at least this many times what gas lets a transaction hold."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_CLONE_NEWNS: Final = 0x00020000
_CLONE_NEWUTS: Final = 0x04000000
_CLONE_NEWIPC: Final = 0x08000000
_CLONE_NEWNET: Final = 0x40000000

_SYS_LANDLOCK_CREATE_RULESET: Final = 444
_SYS_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_CREATE_RULESET_VERSION: Final = 1
_LANDLOCK_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""File rights that a version of Landlock handles: so many lowest bits; later versions those of the last."""

_AUDIT_ARCH_X86_64: Final = 0xC000003E
_X32_BIT: Final = 0x40000000
_RET_ALLOW: Final = 0x7FFF0000
_RET_KILL_PROCESS: Final = 0x80000000
_RET_EPERM: Final = 0x00050001
_BPF_LOAD: Final = 0x20
_BPF_JUMP_EQUAL: Final = 0x15
_BPF_JUMP_AT_LEAST: Final = 0x35
_BPF_RETURN: Final = 0x06

_ALLOWED_CALLS: Final = {
    "read": 0,
    "write": 1,
    "close": 3,
    "poll": 7,
    "mmap": 9,
    "mprotect": 10,
    "munmap": 11,
    "brk": 12,
    "rt_sigaction": 13,
    "rt_sigprocmask": 14,
    "rt_sigreturn": 15,
    "sched_yield": 24,
    "mremap": 25,
    "madvise": 28,
    "getpid": 39,
    "sendto": 44,
    "recvfrom": 45,
    "exit": 60,
    "sigaltstack": 131,
    "gettid": 186,
    "futex": 202,
    "restart_syscall": 219,
    "clock_gettime": 228,
    "exit_group": 231,
    "getrandom": 318,
}
"""System calls of x86-64 that an interpreter with one open socket needs."""


@dataclass(frozen=True, slots=True)
class Protections:
    """Which parts of the jail are closed."""

    limits: bool
    """Memory, files, processes and core dumps are limited."""
    own_network: bool
    """A network of its own, without a way out; needs root."""
    own_mounts: bool
    """Mounts, ipc and host name of its own; needs root."""
    own_user: bool
    """Runs as nobody; needs root."""
    no_new_privileges: bool
    no_files: bool
    """Landlock refuses every file."""
    system_calls: bool
    """Only the listed system calls."""

    def data(self) -> dict[str, bool]:
        """Return the protections by name."""
        return asdict(self)


def close_jail(descriptor: int, parent: int) -> Protections:
    """Give up everything but computing and one socket.

    Args:
        descriptor: the socket to the node, which stays open.
        parent: process id of the node; the worker dies with it.

    Raises:
        JailIncompleteError: a protection without which no contract may run cannot be had.
    """
    # CON-083
    if WORKER_MEMORY_BYTES < _MEMORY_FACTOR * LIVE_MEMORY_BYTES_MAX:
        raise JailIncompleteError("WORKER_MEMORY_BYTES must be at least four times LIVE_MEMORY_BYTES_MAX")
    if platform.machine() != "x86_64":
        raise JailIncompleteError(f"the list of system calls is for x86-64; this is {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    _die_with(parent, libc)
    _close_others(descriptor)
    os.environ.clear()
    is_root = os.geteuid() == 0
    own_network = is_root and _unshare(libc, _CLONE_NEWNET)
    own_mounts = is_root and _unshare(libc, _CLONE_NEWNS | _CLONE_NEWIPC | _CLONE_NEWUTS)
    own_user = is_root and _become_nobody()
    if own_user:
        # A change of user resets it.
        _die_with(parent, libc)
    no_new_privileges = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    no_files = no_new_privileges and _refuse_files(libc)
    # A Landlock rule set is a descriptor for a moment, so the limit of no new descriptors comes after it.
    limits = _tried(_set_limits)
    system_calls = no_new_privileges and _refuse_calls(libc)
    protections = Protections(limits, own_network, own_mounts, own_user, no_new_privileges, no_files, system_calls)
    # CON-083
    if not (limits and no_new_privileges and system_calls):
        missing = [name for name, closed in protections.data().items() if not closed]
        raise JailIncompleteError(
            f"contracts cannot be jailed here: {', '.join(missing)} cannot be had; run the node on Linux with seccomp"
        )
    return protections


def _die_with(parent: int, libc: ctypes.CDLL) -> None:
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        # The node ended before its end could be noticed.
        os._exit(0)


def _close_others(descriptor: int) -> None:
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, min(highest, 1 << 16))


def _unshare(libc: ctypes.CDLL, flags: int) -> bool:
    return bool(libc.unshare(flags) == 0)


def _become_nobody() -> bool:
    def change() -> None:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)

    return _tried(change)


def _set_limits() -> None:
    for kind, amount in (
        (resource.RLIMIT_AS, WORKER_MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(kind, (amount, amount))


def _tried(step: Callable[[], None]) -> bool:
    try:
        step()
    except (OSError, ValueError):
        return False
    return True


def _refuse_files(libc: ctypes.CDLL) -> bool:
    """Restrict the process by a Landlock rule set that allows nothing."""
    version = libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_CREATE_RULESET_VERSION)
    if version < 1:
        return False
    rights = (1 << _LANDLOCK_RIGHTS[min(version, max(_LANDLOCK_RIGHTS))]) - 1
    attributes = ctypes.create_string_buffer(struct.pack("<Q", rights), 8)
    ruleset = libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, attributes, 8, 0)
    if ruleset < 0:
        return False
    restricted = bool(libc.syscall(_SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)
    os.close(ruleset)
    return restricted


def _refuse_calls(libc: ctypes.CDLL) -> bool:
    """Install the system-call list: what is not on it fails with EPERM; another architecture ends the process."""
    program = [
        (_BPF_LOAD, 0, 0, 4),
        (_BPF_JUMP_EQUAL, 1, 0, _AUDIT_ARCH_X86_64),
        (_BPF_RETURN, 0, 0, _RET_KILL_PROCESS),
        (_BPF_LOAD, 0, 0, 0),
        (_BPF_JUMP_AT_LEAST, 0, 1, _X32_BIT),
        (_BPF_RETURN, 0, 0, _RET_KILL_PROCESS),
    ]
    for number in sorted(_ALLOWED_CALLS.values()):
        program += [(_BPF_JUMP_EQUAL, 0, 1, number), (_BPF_RETURN, 0, 0, _RET_ALLOW)]
    program.append((_BPF_RETURN, 0, 0, _RET_EPERM))
    instructions = b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
    code = ctypes.create_string_buffer(instructions, len(instructions))
    header = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(program), ctypes.addressof(code)), 16)
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) == 0)
