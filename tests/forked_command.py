"""Commands of `yunhe` in processes of their own that are forked of one which has imported everything.

Importing is most of what a short command costs, and the end-to-end tests run hundreds. A forked command has its own arguments, environment,
folder and standard streams, and ends with an exit code of its own, as one that was started has. What a start itself does is held by the
tests that start commands: of the wheels, of completion, of imports on demand, and of every document.

The first process is this module, run as a program with a socket as its standard input; it ends when the tests do.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

_LENGTH_BYTES = 4
_MODULES = (
    *(f"yunhe.cli.{path.stem}" for path in sorted((Path(__file__).parents[1] / "src/yunhe/cli").glob("[a-z]*.py"))),
    "yunhe.gateway.app",
    "yunhe.gateway.server",
)


class ForkedProcess:
    """A command that runs; what tests use of `subprocess.Popen`."""

    def __init__(self, answers: socket.socket, out: int, err: int) -> None:
        self._answers = answers
        self.stdout, self.stderr = (os.fdopen(pipe, encoding="utf-8") for pipe in (out, err))
        self.pid = _receive(answers)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return the exit code when it has ended.

        Raises:
            subprocess.TimeoutExpired: it runs.
        """
        if self.returncode is None:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("yunhe", timeout)
            self.returncode = _receive(self._answers)
            self._answers.close()
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Return what it prints until it has ended.

        Raises:
            subprocess.TimeoutExpired: it runs.
        """
        texts = {}
        readers = [
            threading.Thread(target=lambda s=stream: texts.update({s: s.read()}), daemon=True) for stream in (self.stdout, self.stderr)
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader, stream in zip(readers, (self.stdout, self.stderr), strict=True):
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired("yunhe", timeout)
            stream.close()
        return texts[self.stdout], texts[self.stderr]

    def send_signal(self, number: int) -> None:
        """Send a signal to the command, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """The process of which commands are forked. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ours, theirs = socket.socketpair()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("YUNHE_")}
        with theirs:
            self._process = subprocess.Popen([sys.executable, "-m", __name__], stdin=theirs, env=environment)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Raises:
            subprocess.TimeoutExpired: it took longer, and was killed.
        """
        process = self.start(arguments, environment)
        try:
            out, err = process.communicate(timeout_s)
        finally:
            process.kill()
        return subprocess.CompletedProcess(["yunhe", *arguments], process.wait(0), out, err)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> ForkedProcess:
        """Start a command.

        Args:
            arguments: of `yunhe`.
            environment: all of it; what an interpreter reads at its start, such as `PYTHONPATH`, has no effect.
        """
        message = json.dumps([list(arguments), dict(environment), str(Path.cwd())]).encode("utf-8", "surrogateescape")
        ours, theirs = socket.socketpair()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        with theirs:
            with self._lock:
                streams = [nothing, out_end, err_end, theirs.fileno()]
                socket.send_fds(self._ours, [len(message).to_bytes(_LENGTH_BYTES)], streams)
                self._ours.sendall(message)
            for stream in (nothing, out_end, err_end):
                os.close(stream)
        return ForkedProcess(ours, out, err)


def _receive(answers: socket.socket) -> int:
    data = b""
    while len(data) < _LENGTH_BYTES:
        if not (more := answers.recv(_LENGTH_BYTES - len(data))):
            raise AssertionError("the process that commands are forked of has ended")
        data += more
    return int.from_bytes(data, signed=True)


# --- In the process that forks -----------------------------------------------------------------------------------------------------


def _serve(orders: socket.socket) -> None:
    """Fork a command for each order, until nobody can give any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        length, streams, _, _ = socket.recv_fds(orders, _LENGTH_BYTES, 4)
        if not length:
            return
        message = b""
        while len(message) < int.from_bytes(length):
            message += orders.recv(int.from_bytes(length) - len(message))
        if os.fork() == 0:
            _watch(orders, streams, *json.loads(message.decode("utf-8", "surrogateescape")))
        for stream in streams:
            os.close(stream)


def _watch(orders: socket.socket, streams: list[int], arguments: list[str], environment: dict[str, str], folder: str) -> NoReturn:
    """Run a command in a child, tell its number and then its exit code, as its parent alone learns it."""
    orders.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=streams.pop()) as answers:
        process = os.fork()
        if process == 0:
            answers.close()
            _become(streams, arguments, environment, folder)
        answers.sendall(process.to_bytes(_LENGTH_BYTES, signed=True))
        for stream in (0, 1, 2, *streams):
            with contextlib.suppress(OSError):
                os.close(stream)
        _, status = os.waitpid(process, 0)
        with contextlib.suppress(OSError):
            answers.sendall(os.waitstatus_to_exitcode(status).to_bytes(_LENGTH_BYTES, signed=True))
    os._exit(0)


def _become(streams: list[int], arguments: list[str], environment: dict[str, str], folder: str) -> NoReturn:
    """Be the command: what an interpreter sets up at its start, and then what it runs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["yunhe", *arguments]
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, encoding="utf-8", closefd=False) for number, mode in enumerate("rww"))
    code = 1
    try:
        sys.modules["yunhe.cli.main"].main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        code = 130
    except BaseException:  # noqa: BLE001  # the edge of the command's process, as in an interpreter
        sys.excepthook(*sys.exc_info())
    finally:
        # As an interpreter ends.
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    import importlib

    for module in _MODULES:
        if module != "yunhe.cli.__main__":
            importlib.import_module(module)
    with socket.socket(fileno=os.dup(0)) as given:
        _serve(given)
