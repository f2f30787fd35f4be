"""`yunhe node status`: how a node is, once or as a live table."""

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import count as counting
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from yunhe.cli.connection import Connection, FolderOption, NodeOption, TokenOption
from yunhe.cli.output import EXIT_UNAVAILABLE, output, utc
from yunhe.errors import UsageError
from yunhe.node.node import clock_ms
from yunhe.sdk import Client

_GIB: Final = 2**30


def show_status(
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until it is interrupted.")] = False,
    every: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two looks of --watch.")] = 1.0,
    count: Annotated[int | None, typer.Option(min=1, help="End --watch after this many looks.")] = None,
) -> None:
    """Show how a node is. The exit code is 3 when it does not run."""
    if count is not None and not watch:
        raise UsageError("--count is for --watch")
    with Connection(folder, node, token_file).open() as client:
        if watch:
            value = _watch(_looks(client, every, count))
        else:
            value = client.status()
            output.fields(value)
    if value.get("status") != "running":
        raise typer.Exit(EXIT_UNAVAILABLE)


def _looks(client: Client, every_s: float, count: int | None) -> Iterator[dict[str, Any]]:
    """Yield the status again and again, with the rates since the look before."""
    last: dict[str, Any] | None = None
    last_s = 0.0
    for number in counting(1):
        value, now_s = client.status(), time.monotonic()
        yield value | {"per_second": _rates(last, value, now_s - last_s) if last is not None else {}}
        if number == count:
            return
        last, last_s = value, now_s
        time.sleep(every_s)


def _rates(before: Mapping[str, Any], now: Mapping[str, Any], took_s: float) -> dict[str, float]:
    """Return blocks and transactions a second; none when the node was started again meanwhile."""
    if before["started_ms"] != now["started_ms"]:
        return {}
    rates = {name: (number - before["transactions"][name]) / took_s for name, number in now["transactions"].items()}
    return {name: round(rate, 1) for name, rate in ({"blocks": (now["height"] - before["height"]) / took_s} | rates).items()}


def _watch(looks: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Show each look and return the last; at a terminal in one place."""
    value: dict[str, Any] = {}
    console = Console(highlight=False, emoji=False)
    try:
        if output.json or not console.is_terminal:
            for value in looks:
                output.line(value, "\n".join(f"{name:<13} {text}".rstrip() for name, text in _rows(value)) + "\n")
        else:
            with Live(console=console, auto_refresh=False) as live:
                for value in looks:
                    live.update(_table(value), refresh=True)
    except KeyboardInterrupt:
        # How a person ends it.
        pass
    return value


def _table(value: Mapping[str, Any]) -> Table:
    shown = Table(title=f"{value['organisation']}.{value['node']}", title_justify="left", show_header=False)
    for name, text in _rows(value):
        shown.add_row(name, text, style="red" if name == "reason" else None)
    return shown


def _rows(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "status", f"{value['status']}, {'ready' if value['ready'] else 'not ready'}"
    if value["unready"]:
        yield "reason", value["unready"]
    yield "height", f"{value['height']}"
    yield "last block", utc(value["time_ms"])
    yield "waiting", f"{value['waiting']}"
    for name, number in value["transactions"].items():
        rate = value["per_second"].get(name)
        yield name, f"{number}" if rate is None else f"{number:<10} {rate}/s"
    if "blocks" in value["per_second"]:
        yield "blocks", f"{value['per_second']['blocks']}/s"
    yield "restarts", ", ".join(f"{name} {number}" for name, number in value["worker_restarts"].items())
    yield "disk free", f"{value['disk_free_bytes'] / _GIB:.1f} GiB"
    yield "up", f"{timedelta(seconds=max(clock_ms() - value['started_ms'], 0) // 1000)}"
