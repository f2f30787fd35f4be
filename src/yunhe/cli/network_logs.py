"""`yunhe network logs`: what the nodes of a network on this machine logged, and log."""

import time
from collections import deque
from pathlib import Path
from typing import Annotated, Final

import typer

from yunhe.cli.output import output
from yunhe.network import LocalNode, NetworkFolder
from yunhe.node import NodeFolder
from yunhe.node.engine_home import ENGINE_LOG

_POLL_S: Final = 0.2
_PIECE_BYTES: Final = 64 * 1024


class _LogFile:
    """One log that is read as it grows."""

    def __init__(self, node: LocalNode, path: Path, width: int) -> None:
        self._node = node
        self._path = path
        self._width = width
        self._offset = 0
        self._part = b""

    def last(self, count: int) -> list[str]:
        """Return the last lines, and go on behind them."""
        return list(deque(self._new(), maxlen=count))

    def show(self, lines: list[str]) -> None:
        """Print lines with whose they are."""
        for line in lines:
            output.line({"organisation": self._node.organisation, "line": line}, f"{self._node.organisation:<{self._width}}  {line}")

    def new(self) -> list[str]:
        """Return the lines that came since."""
        return list(self._new())

    def _new(self) -> "deque[str]":
        lines: deque[str] = deque()
        try:
            size = self._path.stat().st_size
            # A log that was turned over begins anew.
            self._offset = self._offset if size >= self._offset else 0
            with self._path.open("rb") as file:
                file.seek(self._offset)
                while piece := file.read(_PIECE_BYTES):
                    self._offset += len(piece)
                    *whole, self._part = (self._part + piece).split(b"\n")
                    lines.extend(line.decode("utf-8", "backslashreplace") for line in whole)
        except FileNotFoundError:
            # A node that never ran has no log.
            return lines
        return lines


def show_logs(
    folder: Annotated[Path, typer.Argument(help="The network's folder.")],
    organisation: Annotated[str | None, typer.Argument(help="The organisation whose node's log is shown; all when left out.")] = None,
    *,
    lines: Annotated[int, typer.Option(min=0, max=100_000, help="The last lines of each log.")] = 20,
    engine: Annotated[bool, typer.Option("--engine", help="The engines' logs instead of the nodes'.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until it is interrupted.")] = False,
) -> None:
    """Show the nodes' logs, each line with whose it is."""
    network = NetworkFolder.load(folder)
    nodes = network.nodes if organisation is None else (network.node(organisation),)
    width = max(len(node.organisation) for node in nodes)
    logs = [_LogFile(node, _path(node, engine=engine), width) for node in nodes]
    for log in logs:
        log.show(log.last(lines))
    try:
        while follow:
            for log in logs:
                log.show(log.new())
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        # How a person ends it.
        pass


def _path(node: LocalNode, *, engine: bool) -> Path:
    if engine:
        return node.folder / ENGINE_LOG
    # A node of a network has a log file, or says all on the standard error that nobody keeps.
    return NodeFolder.load(node.folder).log_path or node.folder / "log" / "start-errors.txt"
