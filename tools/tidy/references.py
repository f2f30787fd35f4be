"""Documents, files and headings that a file refers to must exist: a reader who follows a reference must arrive.

Two forms are looked for: the path of a document anywhere in a text, and the target of a link in a Markdown file, its heading included.
Links to other hosts are not followed: no check depends on the network.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

from tools.tidy.checkout import Source

_NAMED = re.compile(r"(?<![\w./-])docs/[\w./-]+\.(?:md|json)\b")
_LINKED = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_CODE = re.compile(r"`[^`]*`")
_HEADING = re.compile(r"#{1,6} +(.+?) *#*")
_FENCE = "```"


def missing_documents(source: Source, paths: Collection[str]) -> list[str]:
    """Return every document that a file names by its path in the checkout and that is none of `paths`."""
    named = ((number, target) for number, line in enumerate(source.lines, 1) for target in _NAMED.findall(line))
    return [f"{source.path}:{number}: there is no {target}" for number, target in named if target not in paths]


def dead_links(pages: Iterable[Source], paths: Iterable[str]) -> list[str]:
    """Return the links of Markdown pages whose file, folder or heading is not there.

    Args:
        pages: Markdown files.
        paths: all files of the checkout.
    """
    pages = list(pages)
    anchors = {page.path: frozenset(_anchors(page)) for page in pages}
    files = set(paths)
    folders = {"."} | {folder for path in files for folder in _folders(path)}
    findings = []
    for page in pages:
        for number, link in _links(page):
            target, _, anchor = link.partition("#")
            path = normpath(join(dirname(page.path), unquote(target))) if target else page.path
            if path not in files | folders:
                findings.append(f"{page.path}:{number}: there is no {path}")
            elif anchor and unquote(anchor) not in anchors.get(path, ()):
                findings.append(f"{page.path}:{number}: {path} has no heading #{anchor}")
    return findings


def _folders(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path


def _links(page: Source) -> Iterator[tuple[int, str]]:
    """Yield the targets within the checkout."""
    for number, line in _prose(page):
        for target in _LINKED.findall(_CODE.sub("code", line)):
            parts = urlsplit(target)
            if not parts.scheme and not parts.netloc:
                yield number, target


def _anchors(page: Source) -> Iterator[str]:
    """Yield the names by which a page's headings can be linked to, as the forges make them."""
    seen: dict[str, int] = {}
    for _, line in _prose(page):
        heading = _HEADING.fullmatch(line)
        if heading:
            name = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            seen[name] = seen.get(name, -1) + 1
            yield f"{name}-{seen[name]}" if seen[name] else name


def _prose(page: Source) -> Iterator[tuple[int, str]]:
    """Yield the lines outside of fenced blocks."""
    inside = False
    for number, line in enumerate(page.lines, 1):
        if line.lstrip().startswith(_FENCE):
            inside = not inside
        elif not inside:
            yield number, line
