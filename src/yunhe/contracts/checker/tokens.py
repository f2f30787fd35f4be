"""The tokens of a text in memory, as Python's tokenizer tells them.

A line ends with a line feed and with nothing else, whatever further characters other parts of Python end lines at.
"""

import re
import tokenize
from collections.abc import Iterator
from typing import Final

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


def tokens_of(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens.

    Raises:
        tokenize.TokenError: a bracket or string is left open.
        SyntaxError: the indentation is uneven.
    """
    return tokenize.generate_tokens(iter(_LINE.findall(text)).__next__)
