"""The first look at a contract's source: bytes and characters, before anything takes it for Python.

Rules enforced: CON-001 to CON-003. What passes is UTF-8 text of a bounded size in which nothing is invisible, so that what a reviewer
sees is what runs. The tables of characters are our own, because an interpreter's change with its version. Specification:
docs/spec/contracts.md.
"""

import re
from itertools import islice
from typing import Final

from yunhe.contracts.checker.findings import Findings
from yunhe.limits import CONTRACT_SOURCE_BYTES_MAX

_INVISIBLE: Final = (
    (0x7F, 0xA0),  # delete, C1 controls, no-break space
    (0xAD, 0xAD),  # soft hyphen
    (0x34F, 0x34F),  # combining grapheme joiner
    (0x61C, 0x61C),  # Arabic letter mark
    (0x70F, 0x70F),  # Syriac abbreviation mark
    (0x115F, 0x1160),  # Hangul fillers
    (0x1680, 0x1680),  # Ogham space
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian separators
    (0x2000, 0x200F),  # spaces of a width, zero-width characters, directional marks
    (0x2028, 0x202F),  # line and paragraph separators, bidirectional embeddings and overrides
    (0x205F, 0x206F),  # invisible operators, bidirectional isolates
    (0x2800, 0x2800),  # Braille pattern without dots
    (0x3164, 0x3164),  # Hangul filler
    (0xD800, 0xF8FF),  # surrogates, private use
    (0xFDD0, 0xFDEF),  # no characters
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFF0, 0xFFFF),  # annotations, replacement, no characters
    (0x13430, 0x1345F),  # hieroglyph format controls
    (0x1BCA0, 0x1BCA3),  # shorthand format controls
    (0x1D159, 0x1D159),  # musical null note head
    (0x1D173, 0x1D17A),  # musical format controls
    (0xE0000, 0x10FFFF),  # tags, variation selectors, private use
)
_REFUSED: Final = re.compile("[\x00-\x09\x0b-\x1f" + "".join(f"{chr(low)}-{chr(high)}" for low, high in _INVISIBLE) + "]")
_ENCODING: Final = re.compile(r"\s*#.*coding[:=]")
_CHARACTERS_SHOWN: Final = 10
"""Refused characters that are listed."""
_NAMES: Final = {
    "\t": ("a tab", "indent with four spaces; write \\t in a string"),
    "\r": ("a carriage return", "end lines with a line feed alone"),
    "\f": ("a form feed", "leave it out"),
    "\x00": ("a null character", "leave it out; write \\x00 in a string"),
    "\ufeff": ("a byte order mark", "save the file as UTF-8 without it"),
}


def read_source(source: str | bytes, findings: Findings) -> str | None:
    """Return the source as text, or None when it cannot be looked at any further."""
    text = _decoded(source, findings)
    if text is None:
        return None
    findings.read(text)
    _check_characters(text, findings)
    _check_encoding_declaration(text, findings)
    return None if findings.stop else text


def _decoded(source: str | bytes, findings: Findings) -> str | None:
    # CON-001
    try:
        raw = source.encode() if isinstance(source, str) else bytes(source)
        size = len(raw)
        text = raw.decode()
    except UnicodeDecodeError as error:
        _not_text(error.object[: error.start].decode(), findings)
        return None
    except UnicodeEncodeError as error:
        _not_text(error.object[: error.start], findings)
        return None
    if size > CONTRACT_SOURCE_BYTES_MAX:
        findings.fatal(
            "CON-001",
            (0, 0),
            f"the source has more than {CONTRACT_SOURCE_BYTES_MAX} bytes",
            "divide it into contracts that call one another",
        )
        return None
    return text


def _not_text(before: str, findings: Findings) -> None:
    position = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    findings.fatal("CON-001", position, "the source is not UTF-8 from here on", "save the file as UTF-8")


def _check_characters(text: str, findings: Findings) -> None:
    # CON-002
    for found in islice(_REFUSED.finditer(text), _CHARACTERS_SHOWN):
        character = found.group()
        start = text.rfind("\n", 0, found.start()) + 1
        position = (text.count("\n", 0, start) + 1, found.start() - start + 1)
        name, instead = _NAMES.get(
            character, (f"the invisible character U+{ord(character):04X}", f"leave it out; write \\u{ord(character):04x} in a string")
        )
        findings.fatal("CON-002", position, f"{name} in the source", instead)


def _check_encoding_declaration(text: str, findings: Findings) -> None:
    # CON-003
    for index, line in enumerate(text.split("\n", 2)[:2]):
        if _ENCODING.match(line):
            findings.fatal("CON-003", (index + 1, 1), "an encoding declaration", "leave it out: contracts are UTF-8")
