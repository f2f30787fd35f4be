"""Text methods say the same wherever they run: CON-126."""

import sys

import pytest

from tests.unit.contracts.metered.loaded import Metered
from yunhe.contracts.faults import Fault
from yunhe.contracts.metered.methods import WHITESPACE

CHINESE = [chr(code) for code in range(0x3000, 0xA000)]
CASED = ("upper", "lower", "isdigit", "islower", "isupper")
LETTERS = ("isalpha", "isalnum")


def told(method: str, text: str):
    return Metered(f"return s.{method}()", parameters=", s: str")(text)


@pytest.mark.parametrize("method", CASED + LETTERS)
def test_con_126_ascii_text_is_told_as_python_tells_it(method) -> None:
    for text in ("", "abc", "ABC", "aB1", "123", " ", "a b", "\x00", "\x7f", "~", *map(chr, range(128))):
        assert told(method, text) == getattr(text, method)()


def test_con_126_chinese_text_has_neither_case_nor_digits() -> None:
    # The reason why this range is let through: no character of it depends on an interpreter's tables.
    for character in CHINESE:
        assert character.upper() == character.lower() == character
        assert not any(told(character) for told in (str.isdigit, str.isdecimal, str.islower, str.isupper))


@pytest.mark.parametrize("method", CASED)
def test_con_126_chinese_text_is_taken(method) -> None:
    text = "运河A1\u3000"
    assert told(method, text) == getattr(text, method)()


@pytest.mark.parametrize("text", ["é", "ß", "Ä", "Ω", "\u0130", "\u0661", "\u00b2", "\u2fff", "\ua000", "\U0001d7d8", "aé", "运\u00e9"])
@pytest.mark.parametrize("method", CASED)
def test_con_126_other_scripts_are_a_fault(method, text) -> None:
    with pytest.raises(Fault, match="ASCII and Chinese"):
        told(method, text)


@pytest.mark.parametrize("text", ["é", "运", "\u0661", "a运"])
@pytest.mark.parametrize("method", LETTERS)
def test_con_126_letters_beyond_ascii_are_a_fault(method, text) -> None:
    with pytest.raises(Fault, match="ASCII text"):
        told(method, text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("-12", -12), (" 7\n", 7), ("+5", 5), ("1_000", 1000), ("9" * 76, int("9" * 76))])
def test_con_126_int_reads_ascii(text, number) -> None:
    assert Metered("return int(s)", parameters=", s: str")(text) == number


@pytest.mark.parametrize("text", ["\u0661", "\uff11", "\u00a05", "五", "0" * 101])
def test_con_126_int_reads_nothing_else(text) -> None:
    with pytest.raises(Fault, match="ASCII"):
        Metered("return int(s)", parameters=", s: str")(text)


def test_con_126_white_space_is_what_this_interpreter_takes_for_it() -> None:
    """`split` without a separator leaves the choice to the interpreter, so its choice must be our list."""
    assert {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()} == set(WHITESPACE)


@pytest.mark.parametrize("method", ["strip", "lstrip", "rstrip"])
def test_con_126_strip_takes_away_white_space_and_nothing_else(method) -> None:
    text = f"{WHITESPACE}运{WHITESPACE}河{WHITESPACE}"
    assert told(method, text) == getattr(text, method)()
    # Invisible, but no white space.
    assert told(method, "\u200b运\u180e\ufeff") == "\u200b运\u180e\ufeff"


def test_con_126_split_parts_at_white_space() -> None:
    assert Metered("return s.split()", parameters=", s: str")(f"a{WHITESPACE}b\u200bc") == ["a", "b\u200bc"]


NAMED = """
from yunhe.contracts import Context, Record, view

class Named(Record):
    title: str
    format: str

@view
def f(ctx: Context, s: str, n: int, xs: list[int]) -> int:
    x = CODE
    return 1
"""


@pytest.mark.parametrize("code", ["s.title", "s.format", "n.strip()", "xs.strip()", "s.append(1)"])
def test_method_of_another_type_is_a_fault(code) -> None:
    with pytest.raises(Fault, match="has no"):
        Metered("", source=NAMED.replace("CODE", code))("a", 1, [1])
