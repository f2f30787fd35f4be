"""`yunhe network status`: how all nodes of a network on this machine are, once or as a live table."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import count as counting
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from yunhe.cli.output import EXIT_UNAVAILABLE, output, table
from yunhe.errors import UsageError
from yunhe.network import NetworkFolder
from yunhe.network.look import NodeLook, look_at
from yunhe.node.node import clock_ms

_MIB: Final = 2**20
_COLUMNS: Final = (
    "organisation",
    "state",
    "height",
    "engine",
    "lag",
    "peers",
    "round",
    "last block",
    "mempool",
    "disk",
    "restarts",
    "reason",
)


def show_status(
    folder: Annotated[Path, typer.Argument(help="The network's folder.")],
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until it is interrupted.")] = False,
    every: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two looks of --watch.")] = 1.0,
    count: Annotated[int | None, typer.Option(min=1, help="End --watch after this many looks.")] = None,
) -> None:
    """Show how a network's nodes are. The exit code is 3 when one of them does not run."""
    if count is not None and not watch:
        raise UsageError("--count is for --watch")
    network = NetworkFolder.load(folder)
    looks: Sequence[NodeLook] = ()
    console = Console(highlight=False, emoji=False)
    try:
        if watch and console.is_terminal and not output.json:
            with Live(console=console, auto_refresh=False) as live:
                for looks in _looks(network, every, count):
                    live.update(_table(looks), refresh=True)
        else:
            for looks in _looks(network, every, count if watch else 1):
                output.line(_value(network, looks), table(_COLUMNS, [_cells(look) for look in looks]))
    except KeyboardInterrupt:
        # How a person ends it.
        pass
    if any(look.state != "running" for look in looks):
        raise typer.Exit(EXIT_UNAVAILABLE)


def _looks(network: NetworkFolder, every_s: float, count: int | None) -> Iterator[Sequence[NodeLook]]:
    for number in counting(1):
        yield look_at(network, clock_ms())
        if number == count:
            return
        time.sleep(every_s)


def _value(network: NetworkFolder, looks: Sequence[NodeLook]) -> dict[str, Any]:
    return {"network_id": network.genesis.network_id.hex(), "nodes": [asdict(look) for look in looks]}


def _table(looks: Sequence[NodeLook]) -> Table:
    shown = Table()
    for column in _COLUMNS:
        shown.add_column(column)
    for look in looks:
        shown.add_row(*_cells(look), style=None if look.state == "running" and not look.reason else "red")
    return shown


def _cells(look: NodeLook) -> list[str]:
    age = "-" if look.last_block_age_s is None else f"{_duration(look.last_block_age_s)} ago"
    numbers = [look.height, look.engine_height, look.lag, look.peers, look.round]
    return [
        look.organisation,
        look.state,
        *("-" if number is None else str(number) for number in numbers),
        age,
        "-" if look.mempool is None else str(look.mempool),
        f"{look.disk_bytes / _MIB:.1f} MiB",
        str(look.restarts),
        look.reason,
    ]


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds) // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
