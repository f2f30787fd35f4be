"""Scalars of the contract API besides the built-in ones: organisations and choices.

Both are text with a type of its own: they compare, order, print and encode as the text that they hold. They carry no state that a contract
could change.
"""

import re
from enum import EnumType, StrEnum
from typing import Any, Final

from yunhe.limits import NAME_CHARS_MAX

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class Org(str):
    """An organisation of the consortium, by its name."""

    __slots__ = ()

    def __new__(cls, name: str) -> "Org":
        """Check the form of the name (COD-032); whether the organisation is enrolled is the registry's to say.

        Raises:
            ValueError: it is no name.
        """
        if type(name) is cls:
            return name
        if len(name) > NAME_CHARS_MAX or not _NAME.fullmatch(name):
            raise ValueError("an organisation's name is a-z, 0-9 and _, beginning with a letter")
        return str.__new__(cls, name)


class _ChoiceType(EnumType):
    """Closes a Choice class once it is made: neither the class nor its members can be given attributes."""

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        super().__setattr__("_closed", True)

    def __setattr__(cls, name: str, value: Any) -> None:
        if "_closed" in cls.__dict__:
            raise AttributeError(f"{cls.__name__} is closed: {name} cannot be set")
        super().__setattr__(name, value)


class Choice(StrEnum, metaclass=_ChoiceType):
    """Base of a closed list of named texts; a field of this type holds one of them.

    ```python
    class Status(Choice):
        ISSUED = "issued"
        SURRENDERED = "surrendered"
    ```
    """

    def __setattr__(self, name: str, value: Any) -> None:
        # The enum machinery sets its own, underscored attributes while it makes a member.
        if not name.startswith("_"):
            raise AttributeError(f"a {type(self).__name__} cannot be changed")
        super().__setattr__(name, value)
