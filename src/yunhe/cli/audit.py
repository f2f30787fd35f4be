"""`yunhe node audit`: what operators did to a node."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from yunhe.cli.output import output, table, utc
from yunhe.node import NodeFolder
from yunhe.node.audit import AuditEntry, read_audit


def show_audit(
    folder: Annotated[Path, typer.Argument(help="The node's folder; the node may be running.")],
    action: Annotated[str | None, typer.Option("--action", help="Only entries of this action, such as `token create`.")] = None,
) -> None:
    """Check the audit log and show what operators did, oldest first."""
    NodeFolder.load(folder)
    entries = [entry for entry in read_audit(folder) if action in (None, entry.action)]
    columns = ["number", "time", "actor", "action", "outcome", "subject"]
    output.result([asdict(entry) for entry in entries], table(columns, [_row(entry) for entry in entries]))


def _row(entry: AuditEntry) -> list[object]:
    subject = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in entry.subject.items())
    return [entry.number, utc(entry.time_ms), entry.actor, entry.action, entry.outcome, subject]
