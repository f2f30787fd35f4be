"""What every list takes, and how it goes on (API-006): `limit`, `cursor`, and `next` in the answer."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query

from yunhe.errors import CursorError
from yunhe.limits import PAGE_ROWS_MAX, STATE_KEY_BYTES_MAX

_CURSOR_SCHEMA: Final = {"minLength": 1, "maxLength": 2 * STATE_KEY_BYTES_MAX, "pattern": "^[0-9a-f.]+$"}
"""What a cursor looks like; that it is of its list is checked there, so that each list refuses with the same code."""
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is asked for."""

    limit: int
    """Rows at most, from 1."""
    cursor: str | None
    """`next` of the page before; None: from the beginning."""

    def height(self, lowest: int, highest: int) -> int | None:
        """Return a cursor that is a number between two others, or None if there is none.

        Raises:
            CursorError: it is something else.
        """
        if self.cursor is None:
            return None
        if not _INTEGER.fullmatch(self.cursor) or not lowest <= int(self.cursor) <= highest:
            raise wrong_cursor()
        return int(self.cursor)


def wrong_cursor() -> CursorError:
    """Return the refusal of a cursor that is not of the list."""
    return CursorError("the cursor is not of this list: give `next` of the page before as it was, with the same filters")


def _page(
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX, description="rows at most")] = 100,
    cursor: Annotated[str | None, Query(description="`next` of the page before", json_schema_extra=_CURSOR_SCHEMA)] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


AnyPage = Annotated[PageRequest, Depends(_page)]
"""The parameters of every list."""
