"""`yunhe doctor`: what is wrong with a node's folder and machine, and what to do."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from yunhe.cli.output import EXIT_CONFIGURATION, output
from yunhe.errors import NodeNotRunningError
from yunhe.node.doctor import diagnose
from yunhe.node.finding import FAULT, WARNING, Finding
from yunhe.sdk.local_node import read_run_file


def doctor(
    folder: Annotated[Path, typer.Argument(help="The node's folder; the node may be running.")],
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as faults.")] = False,
) -> None:
    """Check a node's configuration, keys, clock, disk, port, file modes, engine, worker and versions. A fault makes the exit code 4."""
    try:
        read_run_file(folder)
        is_running = True
    except NodeNotRunningError:
        is_running = False
    findings = diagnose(folder, os.environ, is_running=is_running)
    output.result([asdict(finding) for finding in findings], "\n".join(_shown(finding) for finding in findings))
    bad = {FAULT, WARNING} if strict else {FAULT}
    if any(finding.verdict in bad for finding in findings):
        raise typer.Exit(EXIT_CONFIGURATION)


def _shown(finding: Finding) -> str:
    text = f"{finding.verdict:<8} {finding.check:<14} {finding.found}"
    return text + (f"\n{'':<24}do: {finding.advice}" if finding.advice else "")
