"""The filter of system calls: a worker computes, manages its memory, reads and writes its socket, and ends. Nothing else.

A classic BPF program (seccomp mode 2) for x86-64, assembled here because it is sixty instructions and a library would bring a compiler
for it. A system call that is not listed ends the process, it does not fail: a contract's outcome must never depend on what a machine
refuses. Rule: CON-082.
"""

import ctypes
import platform
import struct
from typing import Final

_LOAD: Final = 0x20
_JUMP_EQUAL: Final = 0x15
_JUMP_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000

# Offsets in struct seccomp_data.
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_FIRST_ARGUMENT: Final = 16
_THIRD_ARGUMENT: Final = 32

_X86_64: Final = 0xC000003E
_PROT_EXEC: Final = 4

_ANYWHERE: Final = {
    "munmap": 11,
    "brk": 12,
    "rt_sigaction": 13,
    "rt_sigprocmask": 14,
    "rt_sigreturn": 15,
    "sched_yield": 24,
    "mremap": 25,
    "madvise": 28,
    "getpid": 39,
    "exit": 60,
    "sigaltstack": 131,
    "gettid": 186,
    "futex": 202,
    "restart_syscall": 219,
    "clock_gettime": 228,
    "exit_group": 231,
    "getrandom": 318,
    "membarrier": 324,
}
"""System calls that touch nothing outside of the process."""
_ON_SOCKET: Final = {"read": 0, "write": 1, "close": 3, "sendto": 44, "recvfrom": 45}
"""System calls on a descriptor, of which the worker has one."""
_NOT_EXECUTABLE: Final = {"mmap": 9, "mprotect": 10}
"""System calls that give memory, which must not become code."""

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def filter_program(descriptor: int) -> list[tuple[int, int, int, int]]:
    """Return the program for a worker whose socket is `descriptor`, as (code, jump if true, jump if false, operand)."""
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _KILL),
        # A number of the 32-bit interface has another bit set and is therefore none of these.
        (_LOAD, 0, 0, _NUMBER),
    ]
    for number in _ANYWHERE.values():
        program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for number in _ON_SOCKET.values():
        program += [
            (_JUMP_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (_JUMP_EQUAL, 0, 1, descriptor),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _KILL),
        ]
    for number in _NOT_EXECUTABLE.values():
        program += [
            (_JUMP_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _THIRD_ARGUMENT),
            (_JUMP_ANY_BIT, 1, 0, _PROT_EXEC),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _KILL),
        ]
    return [*program, (_RETURN, 0, 0, _KILL)]


def install_filter(libc: ctypes.CDLL, descriptor: int) -> bool:
    """Install the filter, for good; return whether the kernel took it."""
    if platform.machine() != "x86_64":
        return False
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in filter_program(descriptor))
    instructions = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(instructions))
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)
