"""Functions for system contracts: looking at the source of other contracts and upgrading them, looking at keys.

Only contracts that the state marks as system contracts can import from here (CON-146). Under a plain import the functions work as they are;
a node binds them to its meter, because checking is work.
"""

from collections.abc import Callable
from typing import Any

from yunhe.contracts import prices
from yunhe.contracts.calls import running_machine
from yunhe.contracts.faults import Fault
from yunhe.contracts.index_building import rebuild_indexes as rebuild
from yunhe.contracts.machine import Machine
from yunhe.contracts.upgrading import require_readable as readable
from yunhe.crypto import SHA256, ChainHash, suite, suite_names
from yunhe.crypto.hashes import TAG_CODE

__all__ = ["check_source", "code_hash", "is_public_key", "is_suite", "migrate", "rebuild_indexes", "require_readable"]


def check_source(source: str) -> str:
    """Return the identifier of the first rule that refuses a contract source, or an empty text if it can be deployed."""
    # The loader knows the SDK, of which this module is a part.
    from yunhe.contracts.loader import refused_rule  # noqa: PLC0415

    return refused_rule(str(source))


def code_hash(source: str) -> bytes:
    """Return the code hash of a source: 32 bytes, what governance votes on. Under a plain import the chain hash is SHA-256."""
    return SHA256.tagged(TAG_CODE, source.encode())


def is_suite(name: str) -> bool:
    """Tell whether this version knows a signature suite."""
    return name in suite_names()


def is_public_key(suite_name: str, public_key: bytes) -> bool:
    """Tell whether bytes can be a public key of a suite (COD-021, COD-022); of a suite that this version does not know, none can."""
    return is_suite(suite_name) and suite(suite_name).is_public_key(public_key)


def rebuild_indexes(contract: str, old: bytes, new: bytes) -> None:
    """Make the rows of a contract's indexes those of its new code; in a view, refuse what an action would refuse (SYS-024).

    Args:
        contract: name of the contract.
        old: code hash of the source that it has.
        new: code hash of the source that it is to have.
    """
    _rebuild(running_machine.get(), contract, old, new)


def require_readable(contract: str, old: bytes, new: bytes) -> None:
    """Refuse an upgrade whose new code could not read what the old one stored, or would migrate again (SYS-025, SYS-026).

    Args:
        contract: name of the contract.
        old: code hash of the source that it has.
        new: code hash of the source that it is to have.
    """
    _require_readable(running_machine.get(), contract, old, new)


def migrate(contract: str, new: bytes) -> None:
    """Run the migration of a contract's new code, if it has one (SYS-026).

    Args:
        contract: name of the contract.
        new: code hash of its source.
    """
    _migrate(running_machine.get(), contract, new)


def system_functions(machine: Machine, chain_hash: ChainHash) -> dict[str, Callable[..., Any]]:
    """Return the functions bound to a machine and a ledger's hash."""
    meter = machine.meter

    def check_source_metered(source: Any) -> str:
        meter.charge(len(_text(source)) * prices.CHECK_SOURCE_BYTE)
        machine.take_source(len(source.encode()))
        return check_source(source)

    def code_hash_metered(source: Any) -> bytes:
        meter.charge(len(_text(source)) * prices.CODE_HASH_BYTE)
        return chain_hash.tagged(TAG_CODE, source.encode())

    def is_suite_metered(name: Any) -> bool:
        return is_suite(_text(name))

    def is_public_key_metered(suite_name: Any, public_key: Any) -> bool:
        meter.charge(prices.PUBLIC_KEY)
        if not isinstance(public_key, bytes):
            raise Fault("a public key is bytes")
        return is_public_key(_text(suite_name), public_key)

    def rebuild_indexes_metered(contract: Any, old: Any, new: Any) -> None:
        _rebuild(machine, contract, old, new)

    def require_readable_metered(contract: Any, old: Any, new: Any) -> None:
        _require_readable(machine, contract, old, new)

    def migrate_metered(contract: Any, new: Any) -> None:
        _migrate(machine, contract, new)

    return {
        "check_source": check_source_metered,
        "code_hash": code_hash_metered,
        "is_public_key": is_public_key_metered,
        "is_suite": is_suite_metered,
        "migrate": migrate_metered,
        "rebuild_indexes": rebuild_indexes_metered,
        "require_readable": require_readable_metered,
    }


def _require_readable(machine: Machine, contract: Any, old: Any, new: Any) -> None:
    _check_code(contract, old, new)
    before, after = (machine.codes(str(contract), digest) for digest in (old, new))
    machine.meter.charge((len(before.source) + len(after.source)) * prices.INTERFACE_BYTE)
    readable(machine, str(contract), before.source, after.source)


def _migrate(machine: Machine, contract: Any, new: Any) -> None:
    _check_code(contract, new)
    machine.migrate(machine.codes(str(contract), new))


def _check_code(contract: Any, *digests: Any) -> None:
    if not isinstance(contract, str) or any(type(digest) is not bytes for digest in digests):
        raise Fault("an upgrade is of a contract's name and code hashes")


def _rebuild(machine: Machine, contract: Any, old: Any, new: Any) -> None:
    _check_code(contract, old, new)
    # What lay in the place of a log may be one no more, and the other way round.
    machine.forget_lengths()
    rebuild(machine, machine.codes(str(contract), old), machine.codes(str(contract), new))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Fault("a source or the name of a suite is text")
    return value
