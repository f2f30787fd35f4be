"""Strings as they are written: escapes, and the replacement fields of f-strings, which the tokenizer does not look into.

Rules enforced: CON-009 and CON-010. An escape that Python warns of, or that asks a Unicode database, would be decided by local settings; a
replacement field could hold another whole program on one token. Specification: docs/spec/contracts.md, "The subset".
"""

import re
import tokenize
from dataclasses import dataclass
from typing import Final

from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.tokens import tokens_of
from yunhe.limits import CONTRACT_NUMBER_CHARS_MAX

_PREFIX: Final = re.compile(r"[A-Za-z]*")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_TEXT_ESCAPES: Final = frozenset("\n\\'\"ntrxuU")
_BYTES_ESCAPES: Final = frozenset("\n\\'\"ntrx")
_BRACES: Final = re.compile(r"\{\{|\}\}|\{|\}")
_FIELD: Final = re.compile(r"\{([^{}\\'\"#\n]*)\}")


@dataclass(frozen=True, slots=True)
class Inner:
    """What is inside the replacement fields of a string."""

    tokens: int = 0
    nesting: int = 0


def check_string(token: tokenize.TokenInfo, findings: Findings) -> Inner:
    """Check one string token and return what the parser will find inside it."""
    prefix = _PREFIX.match(token.string).group().lower()  # type: ignore[union-attr]  # it matches the empty text too
    quotes = 3 if token.string[len(prefix) :].startswith(('"""', "'''")) else 1
    body = token.string[len(prefix) + quotes : -quotes]
    position = (token.start[0], token.start[1] + 1)
    if "r" not in prefix:
        _check_escapes(body, _BYTES_ESCAPES if "b" in prefix else _TEXT_ESCAPES, position, findings)
    if "f" not in prefix:
        return Inner()
    inner = _fields(body)
    if inner is None:
        # CON-010
        findings.fatal(
            "CON-010",
            position,
            "a replacement field that is not a plain expression: it has quotes, braces, a backslash or an odd number",
            "give the value a name on the line before and write {name}",
        )
        return Inner()
    return inner


def _check_escapes(body: str, allowed: frozenset[str], position: tuple[int, int], findings: Findings) -> None:
    # CON-009
    for escape in _ESCAPE.finditer(body):
        character = escape.group(1)
        if character not in allowed:
            shown = f"\\{character}" if character.isascii() and character.isprintable() else "this"
            findings.fatal(
                "CON-009",
                position,
                f"{shown} is not an escape of contracts",
                "write \\\\ for a backslash, \\x.. or \\u.... for a character",
            )
            return


def _fields(body: str) -> Inner | None:
    """Return what is in the replacement fields, or None when they are not plain."""
    tokens = nesting = position = 0
    while (brace := _BRACES.search(body, position)) is not None:
        position = brace.end()
        if brace.group() in ("{{", "}}"):
            continue
        field = _FIELD.match(body, brace.start())
        if field is None:
            return None
        measured = _measure(field.group(1))
        if measured is None:
            return None
        tokens += measured.tokens
        nesting = max(nesting, measured.nesting)
        position = field.end()
    return Inner(tokens, nesting)


def _measure(expression: str) -> Inner | None:
    """Count the tokens and brackets of one replacement field."""
    tokens = depth = nesting = 0
    number_end = None
    try:
        # The parser, too, reads a field as if it stood in brackets.
        for token in tokens_of(f"({expression})"):
            runs_on = token.type in (tokenize.NAME, tokenize.NUMBER) and token.start == number_end
            number_end = token.end if token.type == tokenize.NUMBER else None
            too_long = number_end is not None and len(token.string) > CONTRACT_NUMBER_CHARS_MAX
            if runs_on or too_long or not token.string.isascii() or token.type == tokenize.ERRORTOKEN:
                return None
            tokens += 1
            depth += (token.string in ("(", "[")) - (token.string in (")", "]"))
            nesting = max(nesting, depth)
    except (tokenize.TokenError, SyntaxError):
        return None
    return Inner(tokens, nesting)
