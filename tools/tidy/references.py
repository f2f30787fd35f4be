"""Documents that a file names must exist: a reader who follows a reference must arrive.

Two forms are looked for: the path of a document anywhere in a text, and the target of a link between Markdown files.
"""

import re
from collections.abc import Collection
from posixpath import dirname, join, normpath

from tools.tidy.checkout import Source

_NAMED = re.compile(r"(?<![\w./-])docs/[\w./-]+\.(?:md|json)\b")
_LINKED = re.compile(r"\]\(([\w./-]+)(?:#[\w-]*)?\)")


def missing_documents(source: Source, paths: Collection[str]) -> list[str]:
    """Return every document that a file names or links to and that is none of `paths`; a link may lead to a folder."""
    findings = []
    for number, line in enumerate(source.lines, 1):
        targets = set(_NAMED.findall(line))
        if source.path.endswith(".md"):
            targets |= {normpath(join(dirname(source.path), target)) for target in _LINKED.findall(line)}
        missing = [target for target in sorted(targets) if not any(path == target or path.startswith(f"{target}/") for path in paths)]
        findings += [f"{source.path}:{number}: there is no {target}" for target in missing]
    return findings
