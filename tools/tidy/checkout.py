"""The files that the checks look at: what git tracks, and what it would track.

Build results and private files are left out because `.gitignore` names them. Does not read anything from git's history.
"""

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""


@dataclass(frozen=True)
class Source:
    """One text file."""

    path: str
    """Relative to the checkout, with forward slashes."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of a Python file."""
        return ast.parse(self.text, self.path)

    @property
    def lines(self) -> list[str]:
        """The text's lines, without their ends."""
        return self.text.splitlines()

    def is_python(self) -> bool:
        """Say whether the file is Python (stubs are not: they hold no code)."""
        return self.path.endswith(".py")

    def is_rust(self) -> bool:
        """Say whether the file is Rust."""
        return self.path.endswith(".rs")


def tracked_paths() -> list[str]:
    """Return the paths of the checkout's files, sorted."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # git is wherever the user put it
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = {name for name in listing.stdout.decode().split("\0") if name}
    return sorted(name for name in names if (ROOT / name).is_file())


def sources() -> list[Source]:
    """Return every text file of the checkout, sorted by path; what is not UTF-8 is data and left out."""
    found = []
    for path in tracked_paths():
        try:
            found.append(Source(path, (ROOT / path).read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found
