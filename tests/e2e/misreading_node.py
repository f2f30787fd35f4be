"""The command line of a node whose store hands back another record than was written, as a disk that lies: for it, a member is suspended.

`python -m tests.e2e.misreading_node ORGANISATION MEMBER ARGUMENTS...` runs `yunhe ARGUMENTS...`.
"""

import sys

from yunhe.cli.main import main
from yunhe.ledger.codec import decode
from yunhe.ledger.layouts import SUSPENDED, encode_record, member_key
from yunhe.limits import RECORD_BYTES_MAX
from yunhe.storage import LedgerStore


def misread(organisation: str, member: str) -> None:
    """Let the store hand back a member suspended."""
    altered = member_key(organisation, member)
    read, read_many = LedgerStore.get, LedgerStore.get_many

    def alter(key: bytes, record: bytes | None) -> bytes | None:
        if key != altered or record is None:
            return record
        fields = decode(record, RECORD_BYTES_MAX)
        assert isinstance(fields, dict)
        return encode_record(fields | {"status": SUSPENDED})  # type: ignore[arg-type]  # names, by the layout

    def get(store: LedgerStore, key: bytes) -> bytes | None:
        return alter(key, read(store, key))

    def get_many(store: LedgerStore, keys: list[bytes]) -> list[bytes | None]:
        return [alter(key, record) for key, record in zip(keys, read_many(store, keys), strict=True)]

    LedgerStore.get, LedgerStore.get_many = get, get_many  # type: ignore[method-assign]


if __name__ == "__main__":
    misread(sys.argv[1], sys.argv[2])
    sys.argv[1:] = sys.argv[3:]
    main()
