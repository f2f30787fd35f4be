"""Yunhe: a consortium ledger for trusted data circulation.

The packages below this one are its public face; each says in its `__all__` what may be imported. Nothing is re-exported here, so
that importing `yunhe.verifier` or `yunhe.contracts` stays cheap and needs neither the native core nor a web framework.
"""

from typing import Final

__version__: Final = "0.1.0"
