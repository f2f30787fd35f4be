"""`yunhe node prune`: old blocks give way to their headers."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from yunhe.cli.output import output
from yunhe.cli.progress import BlockProgress
from yunhe.errors import UsageError
from yunhe.node import NodeFolder, prune
from yunhe.node.audit import audited


def prune_node(
    folder: Annotated[Path, typer.Argument(help="The node's folder; the node must be stopped.")],
    keep_days: Annotated[int | None, typer.Option("--keep-days", min=0, help="Keep blocks of so many days before the last one.")] = None,
    keep_bytes: Annotated[int | None, typer.Option("--keep-bytes", min=0, help="Keep at most so many bytes of whole blocks.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
) -> None:
    """Prune the oldest blocks of a stopped node: headers, ids and the state stay; contents, receipts and events go for ever."""
    if keep_days is None and keep_bytes is None:
        raise UsageError("say what is to be kept: --keep-days, --keep-bytes or both")
    loaded = NodeFolder.load(folder)
    if dry_run:
        done = prune(loaded, keep_days, keep_bytes, BlockProgress("read"), dry_run=True)
    else:
        subject = {"keep_days": keep_days, "keep_bytes": keep_bytes}
        with audited(folder, "prune", subject):
            done = prune(loaded, keep_days, keep_bytes, BlockProgress("read"), dry_run=False)
    output.fields(asdict(done) | {"dry_run": dry_run})
