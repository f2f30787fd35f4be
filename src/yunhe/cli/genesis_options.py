"""What a command that founds a network is told about its genesis."""

from collections.abc import Sequence
from typing import Final

from yunhe.crypto import chain_hash_names, suite_names
from yunhe.errors import UsageError
from yunhe.ledger.genesis import THRESHOLD_KINDS, THRESHOLDS

SUITE_HELP: Final = (
    f"Signature suite allowed from the beginning ({', '.join(suite_names())}); the first is that of all keys that are made. "
    "Give it again for more."
)
THRESHOLD_HELP: Final = (
    f"How many organisations must approve a kind of proposal, KIND=RULE: {', '.join(THRESHOLD_KINDS)}; {', '.join(THRESHOLDS)}. "
    "The majority when left out; fixed for ever. Give it again for more."
)
CHAIN_HASH_HELP: Final = f"The ledger's hash, for ever ({', '.join(chain_hash_names())})."


def parameters_of_genesis(items: Sequence[str]) -> dict[str, int]:
    """Read `NAME=VALUE` of each parameter.

    Raises:
        UsageError: it is something else.
    """
    parameters = {}
    for item in items:
        name, _, value = item.partition("=")
        if not value.isascii() or not value.isdigit():
            raise UsageError(f"--parameter takes NAME=VALUE with a whole number, not {item!r}")
        parameters[name] = int(value)
    return parameters


def thresholds_of_genesis(items: Sequence[str]) -> dict[str, str]:
    """Read `KIND=RULE` of each threshold.

    Raises:
        UsageError: it is something else.
    """
    for item in items:
        if "=" not in item:
            raise UsageError(f"--threshold takes KIND=RULE, such as contract=two_thirds, not {item!r}")
    return {kind: rule for kind, _, rule in (item.partition("=") for item in items)}
