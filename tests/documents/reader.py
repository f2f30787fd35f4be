"""A reader who types what a document says, in one shell from its first command to its last, with nothing but a home and a toolchain."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.documents.fences import Command, SavedFile, Steps, matches

TIMEOUT_S = 240
PORT = "8440"
"""The port that documents show; every reader here gets one of their own."""
_BOUNDARY = "--- a step of the document ends ---"
_TOOLCHAIN = {"CARGO_HOME": ".cargo", "RUSTUP_HOME": ".rustup", "GOMODCACHE": "go/pkg/mod", "GOCACHE": ".cache/go-build"}
"""Folders of Rust and Go with what they have, below the home of who runs the tests."""
_KEPT_VARIABLES = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "PIP_INDEX_URL", "PIP_CONFIG_FILE")


class Reader:
    """One reader with an empty home."""

    def __init__(self, home: Path, start: Path, timeout_s: int = TIMEOUT_S) -> None:
        """Make a reader.

        Args:
            home: the home folder.
            start: where the first command is typed.
            timeout_s: for all of a document.
        """
        self._home = home
        self._start = start
        self._timeout_s = timeout_s
        self._port = _free_port()

    def follow(self, steps: Steps) -> list[str]:
        """Take all steps and return what went otherwise than the document says; empty when nothing did."""
        try:
            done = subprocess.run(
                ["/bin/bash", "--norc", "-c", self._script(steps.steps)],
                cwd=self._start,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=self._timeout_s,
            )
        finally:
            left = self._end_nodes()
        outputs = done.stdout.split(_BOUNDARY + "\n")
        found = self._differences(steps.steps, outputs)
        if done.returncode != 0:
            taken = max(len(outputs) - 2, 0)
            found.append(f"line {steps.steps[taken].line}: exit code {done.returncode} after\n{_indented(outputs[taken].splitlines())}")
        return found + left

    def _script(self, steps: Iterable[Command | SavedFile]) -> str:
        lines = ["status=0"]
        for step in steps:
            if isinstance(step, SavedFile):
                lines.append(f"printf %s {shlex.quote(self._with_own_port(step.text))} > {shlex.quote(step.name)} || exit")
            else:
                # `$?` is what the command before left, as it would be at a prompt.
                lines.append(f"(exit $status); eval {shlex.quote(self._with_own_port(step.text))} </dev/null; status=$?")
            lines.append(f"echo {shlex.quote(_BOUNDARY)}")
            if isinstance(step, Command) and not step.may_fail:
                lines.append("[ $status = 0 ] || exit $status")
        return "\n".join(lines)

    def _differences(self, steps: list[Command | SavedFile], outputs: list[str]) -> list[str]:
        """Compare what was printed, step by step."""
        found = []
        for step, output in zip(steps, outputs, strict=False):
            expected = step.expected if isinstance(step, Command) else None
            if expected is not None and not matches([self._with_own_port(line) for line in expected], output):
                found.append(f"line {step.line}: shown is\n{_indented(expected)}\nbut it prints\n{_indented(output.splitlines())}")
        return found

    def _with_own_port(self, text: str) -> str:
        return text.replace(PORT, str(self._port))

    def _environment(self) -> dict[str, str]:
        """Return the reader's environment: nothing of ours is on the path, so that the document must put it there."""
        ours = Path(sys.executable).parent
        path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != ours)
        toolchain = {name: os.environ.get(name, str(Path.home() / folder)) for name, folder in _TOOLCHAIN.items()}
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        return {"HOME": str(self._home), "PATH": path, "YUNHE_PORT": str(self._port), **toolchain, **kept}

    def _end_nodes(self) -> list[str]:
        """End the nodes that the document left running, and say so: a reader would have to wonder how."""
        found = []
        for run_file in self._home.rglob("run/node.json"):
            os.kill(json.loads(run_file.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)
            found.append(f"a node was left running in {run_file.parent.parent}")
        return found


def _free_port() -> int:
    """Return a port that nothing listens on, below those that the system gives out by itself."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no port is free")


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)
