"""Workers for tests: they do on purpose what a contract that broke out of Python would do. Never shipped."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import yunhe
from yunhe.contracts.worker import main, messages
from yunhe.contracts.worker.jail import close_jail
from yunhe.contracts.worker.messages import Execute, receive_from_node

LIBC = ctypes.CDLL(None, use_errno=True)
MEMORY = []
NOBODY = 65534


def _ptrace() -> None:
    if LIBC.ptrace(16, os.getppid(), 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def _map_code() -> None:
    address = LIBC.mmap(0, 4096, 7, 0x22, -1, 0)
    if address in (-1, 0xFFFFFFFF):
        raise OSError(ctypes.get_errno(), "mmap")


def _syscall(number: int, *arguments: int) -> None:
    if LIBC.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "syscall")


ATTEMPTS = {
    "read a file": lambda: Path("/etc/passwd").read_bytes(),
    "write a file": lambda: Path("/tmp/yunhe-escape").write_text("out"),
    "list a folder": lambda: list(Path("/").iterdir()),
    "read proc": lambda: Path("/proc/self/maps").read_bytes(),
    "read the node's memory": lambda: Path(f"/proc/{os.getppid()}/mem").read_bytes(),
    "look at a file": lambda: Path("/etc/passwd").stat(),
    "open a socket": lambda: socket.create_connection(("127.0.0.1", 9)),
    "open a unix socket": lambda: socket.socket(socket.AF_UNIX).connect("/run/any"),
    "open a pipe": os.pipe,
    "duplicate the socket": lambda: os.dup(3),
    "fork": os.fork,
    "start a thread": lambda: threading.Thread(target=time.time).start(),
    "execute": lambda: os.execv(sys.executable, [sys.executable]),
    "start a process": lambda: subprocess.run(["/bin/true"], check=True),
    "signal the node": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "trace the node": _ptrace,
    "leave the namespaces": lambda: _syscall(308, 0, 0),
    "raise a limit": lambda: _syscall(160, 9, 0),
    "map memory as code": _map_code,
    "load a module": lambda: __import__("sqlite3"),
    "ask for the host name": os.uname,
    "write to standard error": lambda: os.write(2, b"x"),
}
"""What is tried, once inside the jail."""


def attempt(descriptor: int, parent: int, hash_name: str, name: str, filtered: bool = True) -> None:
    """Close the jail, say hello, and try one escape when the first block comes; say what came of it."""
    end = socket.socket(fileno=descriptor)
    protections = close_jail(descriptor, parent, filtered=filtered)
    data = protections.data() | {"system_calls": True}
    messages.send(end, messages.Hello("3.11", yunhe.__version__, data))
    receive_from_node(end)
    if name == "environment":
        came = repr(dict(os.environ))
    elif name == "files":
        came = repr([number for number in range(64) if _is_open(number)])
    elif name == "memory":
        came = _allocate()
    else:
        try:
            came = f"escaped: {ATTEMPTS[name]()!r}"
        except (OSError, ImportError, RuntimeError) as error:
            came = f"refused: {type(error).__name__}"
    messages.send(end, messages.Failed(came, corrupt=False))
    os._exit(0)


def become_ordinary() -> None:
    """Give up being root, for good, where this process is root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def attempt_as_user(descriptor: int, parent: int, hash_name: str, name: str, filtered: bool) -> None:
    """As `attempt`, in a jail that an ordinary user closes."""
    become_ordinary()
    attempt(descriptor, parent, hash_name, name, filtered)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _allocate() -> str:
    try:
        while True:
            MEMORY.append(bytes(64 * 1024 * 1024))
    except MemoryError:
        return f"refused after {len(MEMORY) * 64} MiB"


RAW = {
    "garbage": b"\x00\x00\x00\x05hello",
    "a pickle": b"\x00\x00\x00\x1dcposix\nsystem\n(S'touch x'\ntR.",
    "a huge length": b"\xff\xff\xff\xff",
    "half a message": b"\x00\x00\x10\x00abc",
    "another answer": messages.msgspec.msgpack.encode(messages.Viewed(b"\x01")),
    "deep nesting": (1_000_000).to_bytes(4, "big") + b"\x91" * 1_000_000,
    "too few outcomes": messages.msgspec.msgpack.encode(messages.Done([], [], {})),
    "writes out of order": messages.msgspec.msgpack.encode(
        messages.Done([messages.Result("OK", -1, 1, b"")], [(b"b", b""), (b"a", b"")], {})
    ),
    "a float for an outcome": messages.msgspec.msgpack.encode(messages.Done([messages.Result("OK", -1, 1, b"\x82\xfb\x00")], [], {})),
    "a key that is none": messages.msgspec.msgpack.encode(messages.Get([b"x" * 5000])),
    "too many keys": messages.msgspec.msgpack.encode(messages.Get([b"x"] * 5000)),
    "rows without end": messages.msgspec.msgpack.encode(messages.Scan(b"", b"\xff", 10**9, False)),
    "rows of no keys": messages.msgspec.msgpack.encode(messages.Scan(b"x" * 5000, b"y", 1, False)),
    "no rows": messages.msgspec.msgpack.encode(messages.Scan(b"a", b"b", 0, False)),
    "no keys": messages.msgspec.msgpack.encode(messages.Get([])),
}
"""What a worker sends that is no answer, by name."""
FRAMED = frozenset({"garbage", "a pickle", "a huge length", "half a message", "deep nesting"})
"""Those that come with a length of their own."""


def misbehave(descriptor: int, parent: int, hash_name: str, how: str, folder: str = "") -> None:
    """Run as a worker that breaks the protocol in one way when a block or view comes."""
    end = socket.socket(fileno=descriptor)
    hello: dict[str, Any] = dict.fromkeys(("files_closed", "limits", "no_new_privileges", "system_calls"), True)
    python, version = "3.11", yunhe.__version__
    if how == "unjailed":
        hello["system_calls"] = False
    elif how == "old python":
        python = "3.10"
    elif how == "old yunhe":
        version = "0.0.0"
    elif how == "no hello":
        os._exit(3)
    messages.send(end, messages.Hello(python, version, hello))
    # The first worker of a folder misbehaves; the next ones do not.
    if folder and _seen_before(folder):
        main.run(end, main.Worker(end, hash_name, 1 << 20))
    message = receive_from_node(end)
    if how == "death":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "silence":
        time.sleep(60)
    elif how == "questions without end":
        _ask_without_end(end)
    elif how in RAW:
        data = RAW[how]
        end.sendall(data if how in FRAMED else len(data).to_bytes(4, "big") + data)
    assert isinstance(message, Execute) or how == "silence"
    os._exit(0)


def _ask_without_end(end: socket.socket) -> NoReturn:
    while True:
        messages.send(end, messages.Get([b"x"]))
        receive_from_node(end)


def _seen_before(folder: str) -> bool:
    mark = Path(folder) / "seen"
    seen = mark.exists()
    mark.touch()
    return seen
