"""A program at a terminal of its own, talked to as a person does: type a line, wait for what is shown."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from types import TracebackType

from tests.e2e.node_process import DEADLINE_S, PASSPHRASE


class Terminal:
    """The command line `yunhe` in a pseudo-terminal."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._end, other = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "yunhe.cli", *arguments],
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
            env=os.environ | {"YUNHE_KEY_PASSPHRASE": PASSPHRASE, "TERM": "dumb", "COLUMNS": "200"},
        )
        os.close(other)
        self._unread = ""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def expect(self, text: str) -> str:
        """Wait until a text is shown, and return everything before it that was not returned yet."""
        while text not in self._unread:
            assert self._read(), f"{text!r} was not shown, only:\n{self._unread}"
        before, _, self._unread = self._unread.partition(text)
        return before

    def say(self, line: str, prompt: str) -> str:
        """Type a line, and return what is shown until the next prompt."""
        os.write(self._end, line.encode() + b"\n")
        return self.expect(prompt).partition("\n")[2]

    def end(self, line: str) -> tuple[str, int]:
        """Type a last line; return what is shown until the program ends, and its exit code."""
        os.write(self._end, line.encode() + b"\n")
        while self._read():
            pass
        return self._unread, self._process.wait(DEADLINE_S)

    def _read(self) -> bool:
        deadline = time.monotonic() + DEADLINE_S
        while not select.select([self._end], [], [], max(deadline - time.monotonic(), 0))[0]:
            assert time.monotonic() < deadline, f"nothing is shown any more after:\n{self._unread}"
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:
            # What a terminal gives when the program on it has ended.
            return False
        self._unread += data.decode().replace("\r\n", "\n")
        return bool(data)
