"""The token scan: bounds what the parser gets to see, so that none of its own limits, which are local, is ever reached.

Rules enforced: CON-004 to CON-008, and CON-011 as far as tokens tell. Token, bracket and branch counts are the parser's work and depth;
what passes here parses in the same way on every machine with the same version of Python. Strings are looked into by `literals`.
Specification: docs/spec/contracts.md, "The subset".
"""

import tokenize
from typing import Final

from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.literals import check_string
from yunhe.contracts.checker.tokens import tokens_of
from yunhe.limits import (
    CONTRACT_BLOCKS_MAX,
    CONTRACT_ELIF_MAX,
    CONTRACT_LINE_TOKENS_MAX,
    CONTRACT_NESTING_MAX,
    CONTRACT_NUMBER_CHARS_MAX,
    CONTRACT_TOKENS_MAX,
    NAME_CHARS_MAX,
)

_CLOSES: Final = {")": "(", "]": "[", "}": "{"}
_LAYOUT: Final = (tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER)


def scan_tokens(text: str, findings: Findings) -> None:
    """Scan the source; `findings.stop` says afterwards whether it is safe to parse."""
    scan = _Scan(findings)
    try:
        for token in tokens_of(text):
            scan.take(token)
            if scan.full:
                return
    except (tokenize.TokenError, SyntaxError) as error:
        # CON-011
        line = _line_of(error)
        findings.fatal("CON-011", (line, 1), f"line {line} is not valid Python 3.11", "close every bracket and string; indent evenly")


def _line_of(error: tokenize.TokenError | SyntaxError) -> int:
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    position: tuple[int, int] = error.args[1]
    return position[0]


class _Scan:
    """What is known of the tokens so far."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._count = 0
        self._line_count = 0
        self._line_refused = False
        self._brackets: list[str] = []
        self._elifs = [0]
        """`elif` branches of the `if` that runs at each indentation level."""
        self._previous = tokenize.TokenInfo(tokenize.NEWLINE, "", (0, 0), (0, 0), "")
        self.full = False
        """Whether the scan need not go on."""

    def take(self, token: tokenize.TokenInfo) -> None:
        """Look at the next token."""
        self._check_joined(token)
        if token.type == tokenize.INDENT:
            self._elifs.append(0)
            self._check_nesting(token)
        elif token.type == tokenize.DEDENT:
            self._elifs.pop()
        elif token.type == tokenize.NEWLINE:
            self._line_count = 0
            self._line_refused = False
        elif token.type not in _LAYOUT:
            self._take_visible(token)
        self._previous = token

    def _take_visible(self, token: tokenize.TokenInfo) -> None:
        self._check_branch(token)
        if token.type == tokenize.NAME:
            self._check_name(token)
        elif token.type == tokenize.NUMBER:
            self._check_number(token)
        elif token.type == tokenize.STRING:
            inner = check_string(token, self._findings)
            self._count_tokens(inner.tokens, token)
            self._check_nesting(token, inner.nesting)
        elif token.type == tokenize.OP:
            self._check_bracket(token)
        elif token.type == tokenize.ERRORTOKEN:
            # CON-011
            self._invalid(token)
        self._count_tokens(1, token)

    def _invalid(self, token: tokenize.TokenInfo) -> None:
        line = token.start[0]
        self._findings.fatal(
            "CON-011", _position(token), f"line {line} is not valid Python 3.11", "look for a character or quote that does not belong here"
        )
        self.full = True

    def _count_tokens(self, count: int, token: tokenize.TokenInfo) -> None:
        # CON-004
        self._count += count
        self._line_count += count
        if self._count > CONTRACT_TOKENS_MAX:
            self._findings.fatal(
                "CON-004", _position(token), f"more than {CONTRACT_TOKENS_MAX} tokens", "divide it into contracts that call one another"
            )
            self.full = True
        if self._line_count > CONTRACT_LINE_TOKENS_MAX and not self._line_refused:
            self._findings.fatal(
                "CON-004",
                _position(token),
                f"more than {CONTRACT_LINE_TOKENS_MAX} tokens in one statement",
                "divide it into several statements",
            )
            self._line_refused = True

    def _check_bracket(self, token: tokenize.TokenInfo) -> None:
        if token.string in ("(", "[", "{"):
            self._brackets.append(token.string)
            self._check_nesting(token)
        elif token.string in _CLOSES and (not self._brackets or self._brackets.pop() != _CLOSES[token.string]):
            # CON-011
            self._invalid(token)

    def _check_nesting(self, token: tokenize.TokenInfo, inner: int = 0) -> None:
        # CON-005
        blocks = len(self._elifs) - 1
        if blocks > CONTRACT_BLOCKS_MAX:
            self._findings.fatal(
                "CON-005",
                _position(token),
                f"blocks nested more than {CONTRACT_BLOCKS_MAX} levels",
                "move the inner blocks into a function",
            )
        elif blocks + len(self._brackets) + inner > CONTRACT_NESTING_MAX:
            self._findings.fatal(
                "CON-005",
                _position(token),
                f"nested more than {CONTRACT_NESTING_MAX} levels",
                "give the inner part a name on a line before",
            )

    def _check_branch(self, token: tokenize.TokenInfo) -> None:
        if self._previous.type not in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, *_LAYOUT) or self._brackets:
            return
        # CON-005
        if token.string == "elif":
            self._elifs[-1] += 1
            if self._elifs[-1] > CONTRACT_ELIF_MAX:
                self._findings.fatal(
                    "CON-005", _position(token), f"more than {CONTRACT_ELIF_MAX} elif branches", "look the value up in a constant dict"
                )
        else:
            self._elifs[-1] = 0

    def _check_joined(self, token: tokenize.TokenInfo) -> None:
        # CON-006
        previous = self._previous
        ends_line = previous.type in (tokenize.NEWLINE, tokenize.NL)
        if token.start[0] > previous.end[0] + ends_line and token.type != tokenize.ENDMARKER:
            self._findings.at("CON-006", (previous.end[0] + ends_line, 1), "a backslash joins lines", "put the expression in brackets")

    def _check_name(self, token: tokenize.TokenInfo) -> None:
        # CON-007
        name = token.string
        if not name.isascii():
            self._findings.fatal("CON-007", _position(token), "a name that is not ASCII", "use a-z, A-Z, 0-9 and _ in names")
        elif name.startswith("_"):
            self._findings.at("CON-007", _position(token), f"the name {_shown(name)} begins with an underscore", "leave the underscore out")
        elif len(name) > NAME_CHARS_MAX:
            self._findings.at("CON-007", _position(token), f"a name of {len(name)} characters", f"use at most {NAME_CHARS_MAX}")
        self._check_apart(token)

    def _check_number(self, token: tokenize.TokenInfo) -> None:
        # CON-008
        if len(token.string) > CONTRACT_NUMBER_CHARS_MAX:
            self._findings.fatal(
                "CON-008", _position(token), f"a number of {len(token.string)} characters", "integers of contracts are below 2**255"
            )
        self._check_apart(token)

    def _check_apart(self, token: tokenize.TokenInfo) -> None:
        # CON-008
        if self._previous.type == tokenize.NUMBER and self._previous.end == token.start:
            self._findings.fatal(
                "CON-008", _position(token), "a number runs into what follows", "put a space between them; write octal numbers as 0o17"
            )


def _position(token: tokenize.TokenInfo) -> tuple[int, int]:
    return token.start[0], token.start[1] + 1


def _shown(name: str) -> str:
    return name if len(name) <= NAME_CHARS_MAX else name[:NAME_CHARS_MAX] + "..."
