"""What no file of the project may say: paths of one machine, hosts of registries, names without an idea, promises without a condition.

A file name such as `helpers` says that nobody knew what the file is about. A lock or a manifest that names a registry's host cannot be
used behind a mirror.
"""

import re
from pathlib import PurePosixPath

from tools.tidy.checkout import Source

# Written in pieces, so that this file does not find itself.
_MACHINE = re.compile(
    "|".join(["/" + name + "/" for name in ("work", "root", "Users", "farm")] + ["/home" + "/[a-z]", r"\.\./" + "shared"])
)
_HOSTS = re.compile("|".join(re.escape(name + "." + end) for name, end in (
    ("pypi", "org"), ("pythonhosted", "org"), ("crates", "io/api"), ("index.crates", "io"), ("static.crates", "io"),
    ("npmjs", "org"), ("proxy.golang", "org"), ("sum.golang", "org"),
)))  # fmt: skip
_EMPTY_NAMES = frozenset({"util", "utils", "common", "helper", "helpers", "misc"})
_LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b(.*)")


def machine_paths(source: Source) -> list[str]:
    """Return the lines that name a path of the machine where they were written."""
    return _matches(source, _MACHINE, "names a path of one machine")


def registry_hosts(source: Source) -> list[str]:
    """Return the lines that name a package registry's host; a mirror is the user's choice."""
    return _matches(source, _HOSTS, "names a registry's host")


def empty_names(path: str) -> list[str]:
    """Return the path if a part of it is a name without an idea."""
    parts = [part.partition(".")[0].lower() for part in PurePosixPath(path).parts]
    words = {word for part in parts for word in (part, part.removeprefix("test_"))}
    return [f"{path}: name the idea"] if words & _EMPTY_NAMES else []


def open_promises(source: Source) -> list[str]:
    """Return each note of work left that does not name what it waits for (`until …`, `when …`, `waits for …`)."""
    findings = []
    for number, line in enumerate(source.lines, 1):
        match = _LATER.search(line)
        if match and not re.search(r"\b(until|when|waits for)\b", match.group(2)):
            findings.append(f"{source.path}:{number}: {match.group(1)} that does not say what it waits for")
    return findings


def _matches(source: Source, pattern: re.Pattern[str], what: str) -> list[str]:
    return [f"{source.path}:{number}: {what}" for number, line in enumerate(source.lines, 1) if pattern.search(line)]
