"""JSON of callers, which means one thing only: what a lenient reader would guess at is refused by name.

A name that stands twice is read differently by different programs, so a proxy and a node could see two requests in one. The ledger has no
fractions, and no number of more digits than its integers.
"""

import json
import re
from typing import Any, Final, NoReturn

from yunhe.errors import MalformedError, NameRepeatedError

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_SHOWN_CHARS: Final = 40
"""How much of what is wrong a refusal repeats."""


def read_json(text: bytes | str, what: str) -> Any:  # noqa: ANN401  # any JSON
    """Return the value that a JSON text has.

    Args:
        text: UTF-8.
        what: what it is, for the refusal.

    Raises:
        NameRepeatedError: an object has a name twice.
        MalformedError: it is no JSON, or has a number that is no integer of at most 19 digits in its one form, or text that is not Unicode.
    """
    # API-040
    try:
        value = json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_fraction,
        )
        # An escape can name half a character, which no answer could repeat.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise MalformedError(f"{what} has text that is not Unicode; send UTF-8") from error
    except ValueError as error:
        raise MalformedError(f"{what} is not JSON: {error}") from error
    except RecursionError as error:
        raise MalformedError(f"{what} nests too deeply") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NameRepeatedError(f"the name {_shown(json.dumps(twice))} stands twice in one JSON object; send it once")
    return found


def _integer(digits: str) -> int:
    if not _INTEGER.fullmatch(digits):
        raise MalformedError(f"the number {_shown(digits)} is no integer of at most 19 digits, or not in its only form")
    return int(digits)


def _fraction(digits: str) -> NoReturn:
    raise MalformedError(f"the number {_shown(digits)} is no integer; there are no others here")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
