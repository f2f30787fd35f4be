"""What a command that founds a network is told about its genesis."""

import sys
from collections.abc import Sequence
from typing import Annotated, Final, TypeAlias

import typer

from yunhe.crypto import ED25519_SHA256, chain_hash, chain_hash_names, suite_names
from yunhe.errors import UsageError
from yunhe.ledger.genesis import THRESHOLD_KINDS, THRESHOLDS
from yunhe.node import NewNetwork
from yunhe.node.node import clock_ms

_SUITE_HELP: Final = (
    f"Signature suite allowed from the beginning ({', '.join(suite_names())}); the first is that of all keys that are made. "
    "Give it again for more."
)
_THRESHOLD_HELP: Final = (
    f"How many organisations must approve a kind of proposal, KIND=RULE: {', '.join(THRESHOLD_KINDS)}; {', '.join(THRESHOLDS)}. "
    "The majority when left out; fixed for ever. Give it again for more."
)
_CHAIN_HASH_HELP: Final = f"The ledger's hash, for ever ({', '.join(chain_hash_names())})."

ParameterOption: TypeAlias = Annotated[list[str] | None, typer.Option("--parameter", help="Parameter of the genesis, NAME=VALUE.")]
ThresholdOption: TypeAlias = Annotated[list[str] | None, typer.Option("--threshold", help=_THRESHOLD_HELP)]
SuiteOption: TypeAlias = Annotated[list[str] | None, typer.Option("--suite", help=_SUITE_HELP)]
ChainHashOption: TypeAlias = Annotated[str, typer.Option("--chain-hash", help=_CHAIN_HASH_HELP)]


def new_network(
    name: str, parameter: Sequence[str] | None, threshold: Sequence[str] | None, suite: Sequence[str] | None, hash_name: str
) -> NewNetwork:
    """Return the network that the options ask for, founded now and for the running CPython.

    Args:
        name: for people.
        parameter: `NAME=VALUE` of each.
        threshold: `KIND=RULE` of each.
        suite: those allowed from the beginning; Ed25519 when there is none.
        hash_name: of the ledger's hash.

    Raises:
        UsageError: an option has another form.
        InvalidInputError: the hash is unknown.
    """
    return NewNetwork(
        name,
        clock_ms(),
        f"{sys.version_info.major}.{sys.version_info.minor}",
        tuple(suite or (ED25519_SHA256.name,)),
        chain_hash(hash_name),
        _parameters(parameter or ()),
        _thresholds(threshold or ()),
    )


def _parameters(items: Sequence[str]) -> dict[str, int]:
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


def _thresholds(items: Sequence[str]) -> dict[str, str]:
    """Read `KIND=RULE` of each threshold.

    Raises:
        UsageError: it is something else.
    """
    for item in items:
        if "=" not in item:
            raise UsageError(f"--threshold takes KIND=RULE, such as contract=two_thirds, not {item!r}")
    return {kind: rule for kind, _, rule in (item.partition("=") for item in items)}
