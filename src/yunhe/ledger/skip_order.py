"""Skip orders: how organisations pass a transaction that no node can execute (LED-060 to LED-063).

A block whose execution fails for local reasons on every node halts the ledger (LED-024), and no vote could be counted any more. So
members sign an order outside of it: in the block after this one, this transaction is not run. Signed by more than two thirds of the
organisations it lets every node go on; it is in the block's write set for ever, so that whoever runs the block again finds it, and checks
it as the nodes did.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from yunhe.crypto import PrivateKey, PublicKey, SignedItem, invalid_signatures
from yunhe.crypto.hashes import TAG_SKIP_ORDER
from yunhe.errors import InvalidInputError, NotPermittedError, SkipOrderInvalidError
from yunhe.ledger.codec import Value, as_array, as_bytes, as_hash, as_int, as_name, as_text, decode, encode
from yunhe.ledger.enrolment import authorise
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import StateReader, Write
from yunhe.ledger.layouts import ACTIVE, ORGANISATIONS_PREFIX, SKIPS_PREFIX, encode_record, skip_key
from yunhe.ledger.state_keys import prefix_end
from yunhe.ledger.transaction import Signer
from yunhe.limits import ORGANISATIONS_MAX, RECORD_BYTES_MAX, SKIP_ORDER_SIGNATURES_MAX

ADMIN: Final = "admin"
"""Role of those who may sign an order for their organisation."""
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class OrderSignature:
    """An organisation's signature on an order, by one of its admins."""

    signer: Signer
    signature: bytes


@dataclass(frozen=True, slots=True)
class SkipOrder:
    """What is to be skipped, and who says so."""

    network_id: bytes
    height: int
    """Of the ledger block that is to be made without the transaction's effect."""
    previous: bytes
    """Hash of the header below: the order is for one history, whose state says who may sign."""
    transaction_id: bytes
    signatures: tuple[OrderSignature, ...] = ()
    """In order of organisation, each once."""

    def message(self, signer: Signer) -> bytes:
        """Return what an organisation's admin signs: the order, and for whom it speaks, since two organisations may enrol one key."""
        subject: list[Value] = [_VERSION, self.network_id, self.height, self.previous, self.transaction_id]
        return TAG_SKIP_ORDER + b"\x00" + encode([*subject, signer.organisation, signer.member])

    def signed(self, signer: Signer, key: PrivateKey) -> "SkipOrder":
        """Return the order with one more signature, which takes the place of an earlier one of the same organisation."""
        others = [s for s in self.signatures if s.signer.organisation != signer.organisation]
        added = [*others, OrderSignature(signer, key.sign(self.message(signer)))]
        return replace(self, signatures=tuple(sorted(added, key=lambda s: s.signer.organisation)))

    def encode(self) -> bytes:
        """Return the canonical order, as it stands in the state."""
        signatures: list[Value] = [
            [s.signer.organisation, s.signer.member, s.signer.suite, s.signer.public_key, s.signature] for s in self.signatures
        ]
        return encode([_VERSION, self.network_id, self.height, self.previous, self.transaction_id, signatures])

    @classmethod
    def decode(cls, data: bytes) -> "SkipOrder":
        """Take an order apart.

        Raises:
            SkipOrderInvalidError: it is none of this version.
        """
        try:
            version, network_id, height, previous, transaction_id, items = as_array(decode(data, RECORD_BYTES_MAX), "a skip order", 6)
            signatures = tuple(_signature(item) for item in as_array(items, "signatures", length_max=SKIP_ORDER_SIGNATURES_MAX))
            order = cls(
                as_hash(network_id, "network id"),
                as_int(height, "height", 1),
                as_hash(previous, "the hash of the header below"),
                as_hash(transaction_id, "transaction id"),
                signatures,
            )
            is_known = as_int(version, "version") == _VERSION
        except InvalidInputError as error:
            raise SkipOrderInvalidError(f"these bytes are no skip order: {error.message}") from error
        if not is_known:
            raise SkipOrderInvalidError(f"the skip order is of another version than {_VERSION}; make it with this release")
        return order

    def check_signatures(self) -> None:
        """Check what can be checked without a state: that every signature is by another organisation, in order, and verifies.

        Raises:
            SkipOrderInvalidError: one is not.
        """
        organisations = [s.signer.organisation for s in self.signatures]
        # LED-061
        if organisations != sorted(set(organisations)):
            raise SkipOrderInvalidError("a skip order has one signature of each organisation, in order of their names; sign it anew")
        items = [SignedItem(s.signer.suite, s.signer.public_key, self.message(s.signer), s.signature) for s in self.signatures]
        for index in invalid_signatures(items):
            raise SkipOrderInvalidError(
                f"the signature of {self.signatures[index].signer.name} on the skip order does not verify; sign it anew"
            )


def require_valid(order: SkipOrder, previous: Header, previous_hash: bytes, state: StateReader) -> None:
    """Check that an order counts for the block after a header.

    Args:
        order: what was handed in, or stands in a write set.
        previous: the header.
        previous_hash: of it.
        state: after it.

    Raises:
        SkipOrderInvalidError: it is for another block, or not signed by enough; the message says what is wrong.
    """
    # LED-060
    if (order.network_id, order.height, order.previous) != (previous.network_id, previous.height + 1, previous_hash):
        raise SkipOrderInvalidError(
            f"the skip order is for block {order.height} of another network or history, and the next block is {previous.height + 1}; "
            "sign one for that"
        )
    order.check_signatures()
    # LED-061
    for signature in order.signatures:
        try:
            (enrolled,) = authorise(state, (signature.signer,))
        except NotPermittedError as error:
            raise SkipOrderInvalidError(f"a signature on the skip order does not count: {error.message}") from error
        if ADMIN not in enrolled.roles:
            raise SkipOrderInvalidError(f"{signature.signer.name} is no admin, and does not speak for its organisation")
    active = _count_active(state)
    if 3 * len(order.signatures) <= 2 * active:
        raise SkipOrderInvalidError(
            f"the skip order is signed by {len(order.signatures)} of {active} organisations; more than two thirds are needed"
        )


def skip_writes(orders: Sequence[SkipOrder], transactions: Collection[bytes]) -> tuple[Write, ...]:
    """Return what a block writes for the orders whose transactions it has, ascending by key."""
    # LED-062
    writes: dict[bytes, bytes | None] = {}
    for order in orders:
        if order.transaction_id in transactions:
            fields: dict[str, Value] = {"height": order.height, "transaction_id": order.transaction_id, "order": order.encode()}
            writes[skip_key(order.height, order.transaction_id)] = encode_record(fields)
    return tuple(sorted(writes.items()))


def orders_in(writes: Sequence[Write]) -> tuple[SkipOrder, ...]:
    """Return the orders that a block's write set holds, not checked.

    Raises:
        SkipOrderInvalidError: a record holds none.
    """
    orders = []
    for key, stored in writes:
        if key.startswith(SKIPS_PREFIX) and stored is not None:
            match decode(stored, RECORD_BYTES_MAX):
                case {"order": bytes(order)}:
                    orders.append(SkipOrder.decode(order))
                case _:
                    raise SkipOrderInvalidError("a record of a skipped transaction holds no order")
    return tuple(orders)


def _count_active(state: StateReader) -> int:
    rows = state.scan(ORGANISATIONS_PREFIX, prefix_end(ORGANISATIONS_PREFIX), ORGANISATIONS_MAX)
    count = 0
    for _, stored in rows:
        match decode(stored, RECORD_BYTES_MAX):
            case {"status": str(status)}:
                count += status == ACTIVE
    return count


def _signature(item: Value) -> OrderSignature:
    organisation, member, suite, public_key, signature = as_array(item, "a signature", 5)
    key = PublicKey(as_text(suite, "suite"), as_bytes(public_key, "public key"))
    signer = Signer(as_name(organisation, "organisation"), as_name(member, "member"), key.suite, key.raw)
    return OrderSignature(signer, as_bytes(signature, "signature"))
