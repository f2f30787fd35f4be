"""The requirement lists and their locks agree with one another and with pyproject.toml.

Does not resolve anything: a lock is out of date when a name in its list is missing from it, or when two locks name two versions.
"""

import re
from collections.abc import Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def listed(text: str) -> set[str]:
    """Return the requirements of a list, normalised; comments and inclusions of other lists are left out."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {str(Requirement(line)) for line in lines if line and not line.startswith("-")}


def pinned(text: str) -> dict[str, str]:
    """Return the versions that a lock pins, by distribution."""
    return {canonicalize_name(name): version for name, version in _PIN.findall(text)}


def unhashed(text: str) -> list[str]:
    """Return the pins of a lock that carry no hash."""
    entries = re.split(r"\n(?=\S)", text)
    return [entry.split()[0] for entry in entries if _PIN.match(entry) and "--hash=sha256:" not in entry]


def disagreements(lists: Mapping[str, str], locks: Mapping[str, str]) -> list[str]:
    """Return names of a list that its lock lacks, and versions on which two locks differ.

    Args:
        lists: text of each list, by stem.
        locks: text of each lock, by stem.
    """
    findings = []
    for stem, text in lists.items():
        names = {canonicalize_name(Requirement(line).name) for line in listed(text)}
        lock = pinned(locks[stem]) if stem in locks else {}
        findings += [f"requirements/{stem}.txt lacks {name}: run `make lock`" for name in sorted(names - lock.keys())]
    versions: dict[str, tuple[str, str]] = {}
    for stem, text in locks.items():
        for name, version in pinned(text).items():
            first, other = versions.setdefault(name, (version, stem))
            if first != version:
                findings.append(f"{name} is {first} in requirements/{other}.txt and {version} in requirements/{stem}.txt")
    return findings
