"""What an upgrade refuses: code that could not read what is stored, and a migration that would run again (SYS-025, SYS-026).

Indexes are `yunhe.contracts.index_building`'s.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from yunhe.contracts.codes import MIGRATION_UNCHANGED, UPGRADE_LOSES_DATA
from yunhe.contracts.compatibility import Incompatibility, incompatibilities
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.interface import interface_of
from yunhe.ledger.state_keys import prefix_end, table_prefix

if TYPE_CHECKING:
    from yunhe.contracts.machine import Machine

_REMEMBERED = 64
"""Pairs of sources whose verdict is remembered."""


def require_readable(machine: "Machine", contract: str, old: str, new: str) -> None:
    """Refuse an upgrade whose new source could not read what is stored, or would migrate a second time.

    Args:
        machine: that runs the upgrade, or the question whether it can be made.
        contract: name of the contract.
        old: its source.
        new: the source that it is to have.

    Raises:
        ContractStop: it must not be made; the message names table and field.
    """
    # SYS-026
    if migrates_again(old, new):
        raise ContractStop(MIGRATION_UNCHANGED, "migrate is that of the deployed source; remove it, or write what this upgrade has to do")
    for found in unreadable(old, new):
        prefix = table_prefix(contract, found.table)
        # SYS-025: a table without rows has nothing to lose.
        if next(iter(machine.scan(prefix, prefix_end(prefix), 1, reverse=False)), None) is not None:
            raise ContractStop(UPGRADE_LOSES_DATA, f"{found}; {found.instead}")


@lru_cache(maxsize=_REMEMBERED)
def unreadable(old: str, new: str) -> tuple[Incompatibility, ...]:
    """Return what in the state of one source another one could not read; a function of both, remembered."""
    return incompatibilities(interface_of(old), interface_of(new))


@lru_cache(maxsize=_REMEMBERED)
def migrates_again(old: str, new: str) -> bool:
    """Tell whether a source has a migration that is word for word that of another one."""
    migration = interface_of(new).migration
    return migration is not None and migration == interface_of(old).migration
