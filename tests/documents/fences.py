"""What a document asks its reader to type, read from its fenced blocks.

| Block | Meaning |
|---|---|
| `console` | each line after `$ ` is a command (`> ` goes on with it); the lines below it are what it prints |
| `sh` | each line is a command; what it prints is not shown |
| `text`, `json` | shown, not run |
| any language after `<!-- file: NAME -->` | the reader saves it as NAME where the last command left them |
| any after `<!-- as in: PATH -->` | word for word a block of that document |
| any after `<!-- not run: WHY -->` | not run |

In what is printed, `…` stands for any text of a line, and in a line of its own for any lines.
A command ends with exit code 0, unless the next one is `echo $?`. Everything else that stands in a fence is an error, so that nothing that
readers copy goes untried.
"""

import re
from dataclasses import dataclass, field
from itertools import pairwise

_MARK = re.compile(r"<!-- (file|as in|not run): (.+?) -->")
_SHOWN = frozenset({"text", "json"})


class DocumentError(AssertionError):
    """A document's block is none that a reader's steps can be taken from."""


@dataclass(frozen=True)
class Fence:
    """One fenced block."""

    line: int
    """Of its opening fence, counted from 1."""
    language: str
    text: str
    mark: tuple[str, str] = ("", "")
    """The comment above it: its word and its argument."""


@dataclass
class Command:
    """A command with what the document shows of its output."""

    line: int
    text: str
    expected: list[str] | None = None
    """None: nothing is said of the output."""
    may_fail: bool = False


@dataclass(frozen=True)
class SavedFile:
    """A file that the reader is told to save."""

    line: int
    name: str
    text: str


@dataclass
class Steps:
    """A document's commands and files, in order, and the blocks that it says to share with other documents."""

    steps: list[Command | SavedFile] = field(default_factory=list)
    shared: list[tuple[Fence, str]] = field(default_factory=list)


def fences(text: str) -> list[Fence]:
    """Return a Markdown text's fenced blocks."""
    found: list[Fence] = []
    opened: tuple[int, str, tuple[str, str]] | None = None
    inside: list[str] = []
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        if opened is None and line.startswith("```"):
            mark = _MARK.fullmatch(before)
            opened, inside = (number, line[3:].strip(), (mark[1], mark[2]) if mark else ("", "")), []
        elif opened is not None and line == "```":
            found.append(Fence(opened[0], opened[1], "\n".join(inside) + "\n", opened[2]))
            opened = None
        elif opened is not None:
            inside.append(line)
        before = line or before
    if opened is not None:
        raise DocumentError(f"line {opened[0]}: the block is not closed")
    return found


def steps(text: str) -> Steps:
    """Return what a reader does who follows a document.

    Raises:
        DocumentError: a block does not say what it is.
    """
    found = Steps()
    for fence in fences(text):
        match fence.mark[0], fence.language:
            case "not run", _:
                pass
            case "as in", _:
                found.shared.append((fence, fence.mark[1]))
            case "file", _:
                found.steps.append(SavedFile(fence.line, fence.mark[1], fence.text))
            case "", "console":
                found.steps += _console(fence)
            case "", "sh":
                found.steps += [Command(number, line) for number, line in _lines(fence) if line]
            case "", language if language in _SHOWN:
                pass
            case _:
                raise DocumentError(f"line {fence.line}: a block of {fence.language or 'no language'} that is neither run, saved nor shown")
    commands = [step for step in found.steps if isinstance(step, Command)]
    for command, following in pairwise(commands):
        command.may_fail = following.text == "echo $?"
    return found


def matches(expected: list[str], output: str) -> bool:
    """Tell whether an output is what a document shows."""
    lines = [r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n" for line in expected]
    actual = "".join(line.rstrip() + "\n" for line in output.splitlines())
    return re.fullmatch("".join(lines), actual.rstrip("\n") + "\n" if actual.strip() else "") is not None


def _console(fence: Fence) -> list[Command]:
    commands: list[Command] = []
    for number, line in _lines(fence):
        if line.startswith("$ "):
            commands.append(Command(number, line[2:], []))
        elif not commands:
            raise DocumentError(f"line {number}: output without a command")
        elif line.startswith("> ") and commands[-1].text.endswith("\\") and not commands[-1].expected:
            commands[-1].text += "\n" + line[2:]
        else:
            assert commands[-1].expected is not None
            commands[-1].expected.append(line)
    return commands


def _lines(fence: Fence) -> list[tuple[int, str]]:
    return list(enumerate((line.rstrip() for line in fence.text.splitlines()), fence.line + 1))
