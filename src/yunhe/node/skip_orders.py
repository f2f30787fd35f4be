"""Skip orders as files: what organisations sign one after the other, and what a node keeps until the block of one is made.

A node reads them when it is opened. Once the block is made the order is in its write set, and the file only a copy. Specification:
docs/spec/ledger.md, "Skip orders".
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from yunhe.errors import InvalidInputError, SkipOrderInvalidError
from yunhe.ledger.codec import encode
from yunhe.ledger.skip_order import SkipOrder, require_valid
from yunhe.limits import HASH_BYTES, RECORD_BYTES_MAX
from yunhe.node.folder import NodeFolder
from yunhe.node.private_files import read_bounded
from yunhe.storage import LedgerStore, files

FORMAT: Final = "yunhe-skip-order"
VERSION: Final = 1
ORDERS_FOLDER: Final = "skip-orders"

_FILE_BYTES_MAX: Final = 4 * RECORD_BYTES_MAX
_FIELDS: Final = {"format", "version", "network_id", "height", "previous", "transaction_id", "signatures"}
_SIGNATURE_FIELDS: Final = ("organisation", "member", "suite", "public_key", "signature")


def order_text(order: SkipOrder) -> str:
    """Return the file of an order."""
    value = {
        "format": FORMAT,
        "version": VERSION,
        "network_id": order.network_id.hex(),
        "height": order.height,
        "previous": order.previous.hex(),
        "transaction_id": order.transaction_id.hex(),
        "signatures": [
            {
                "organisation": s.signer.organisation,
                "member": s.signer.member,
                "suite": s.signer.suite,
                "public_key": s.signer.public_key.hex(),
                "signature": s.signature.hex(),
            }
            for s in order.signatures
        ],
    }
    return json.dumps(value, indent=2) + "\n"


def read_order(path: Path) -> SkipOrder:
    """Read an order and check its signatures; whether they count, the state says.

    Raises:
        InvalidConfigurationError: the file cannot be read.
        SkipOrderInvalidError: it is none, or a signature does not verify.
    """
    try:
        order = _order(json.loads(read_bounded(path, _FILE_BYTES_MAX)))
    except (ValueError, TypeError, KeyError, RecursionError, InvalidInputError) as error:
        reason = error.message if isinstance(error, InvalidInputError) else "it is not the JSON of one, with its fields and no others"
        raise SkipOrderInvalidError(f"{path} is no skip order: {reason}") from error
    order.check_signatures()
    return order


def _order(value: Any) -> SkipOrder:  # noqa: ANN401  # JSON
    if set(value) != _FIELDS or (value["format"], value["version"]) != (FORMAT, VERSION):
        raise ValueError
    # Read by the rules of the canonical form, so that both say the same.
    hashes = [_hex(value[name]) for name in ("network_id", "previous", "transaction_id")]
    signatures = [_signature(item) for item in value["signatures"]]
    return SkipOrder.decode(encode([VERSION, hashes[0], value["height"], hashes[1], hashes[2], signatures]))


def _signature(item: Mapping[str, Any]) -> list[Any]:
    if set(item) != set(_SIGNATURE_FIELDS):
        raise ValueError
    organisation, member, suite, public_key, signature = (item[name] for name in _SIGNATURE_FIELDS)
    return [organisation, member, suite, _hex(public_key), _hex(signature)]


def _hex(text: str) -> bytes:
    raw = bytes.fromhex(text)
    if raw.hex() != text:
        raise ValueError
    return raw


def keep_order(folder: NodeFolder, store: LedgerStore, order: SkipOrder) -> bool:
    """Keep an order for the node's next start.

    Args:
        folder: of the node, which does not run.
        store: its ledger, open.
        order: its signatures verify.

    Returns:
        Whether it is for the next block, and counts there; an order for a later block is checked when that comes.

    Raises:
        SkipOrderInvalidError: it is for another network or a block that is made, or does not count.
    """
    head = store.head()
    # LED-060
    if order.network_id != folder.genesis.network_id:
        raise SkipOrderInvalidError(f"the skip order is for the network {order.network_id.hex()}; this node's is another one")
    if order.height <= head.height:
        raise SkipOrderInvalidError(f"the skip order is for block {order.height}, which is made already; it changes nothing any more")
    is_next = order.height == head.height + 1
    if is_next:
        require_valid(order, head, head.hash(folder.genesis.chain_hash), store.reader())
    path = folder.path / ORDERS_FOLDER / f"{order.height:020d}-{order.transaction_id.hex()}.json"
    files.make_folders(path.parent)
    files.replace(path, order_text(order).encode())
    return is_next


def kept_orders(folder: Path, height: int) -> Mapping[int, Sequence[SkipOrder]]:
    """Return the orders that a node keeps for blocks above a height, by height.

    Raises:
        SkipOrderInvalidError: a file is none.
    """
    found: dict[int, list[SkipOrder]] = {}
    kept = folder / ORDERS_FOLDER
    for path in sorted(kept.glob("*.json")) if kept.is_dir() else ():
        order = read_order(path)
        if order.height > height:
            found.setdefault(order.height, []).append(order)
    return found


def new_order(network_id: bytes, height: int, previous: bytes, transaction_id: bytes) -> SkipOrder:
    """Return an order that nobody has signed.

    Raises:
        SkipOrderInvalidError: a hash is none.
    """
    if any(len(hashed) != HASH_BYTES for hashed in (network_id, previous, transaction_id)):
        raise SkipOrderInvalidError("a transaction id and a header hash have 32 bytes")
    return SkipOrder(network_id, height, previous, transaction_id)
