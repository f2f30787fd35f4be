"""The contracts that every ledger has from genesis, written with the contract API, and the state that they begin with.

The contracts themselves (`registry.py`, `governance.py`, `lifecycle.py`) are never imported by the node; it stores their sources in the
genesis state and loads them from there like anyone's.
"""

from yunhe.contracts.system_contracts.genesis import genesis_writes, system_code_hashes, system_source

__all__ = ["genesis_writes", "system_code_hashes", "system_source"]
