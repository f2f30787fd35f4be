"""What a node verifies of an envelope, in which order, how often, and who pays when it was for nothing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.storage.stored_chain import GENESIS, IDENTITY, NODE, TIME_MS, ItemsExecutor, genesis_writes, make_transaction
from yunhe.crypto import SHA256, PrivateKey
from yunhe.errors import InvalidSignatureError, NotPermittedError, QuotaExceededError, WrongNetworkError, YunheError
from yunhe.ledger import admission
from yunhe.ledger.admission import open_envelope
from yunhe.ledger.envelope import NodeIdentity, seal_envelope
from yunhe.ledger.transaction import assemble_transaction
from yunhe.limits import (
    BLOCK_BYTES_MAX,
    ENGINE_POOL_BYTES_MAX,
    ENVELOPE_SHARE_TRANSACTION_BYTES,
    ENVELOPE_TRANSACTIONS_MAX,
    OPENED_ENVELOPES_BYTES_MAX,
    WASTED_BURST,
    WASTED_RATE,
)
from yunhe.node.application import LedgerApplication
from yunhe.node.metrics import Metrics
from yunhe.node.opened import OpenedEnvelopes, WastedWork, weight
from yunhe.storage import LedgerStore

STRANGER = PrivateKey.generate()


class Counted:
    """How many signatures were verified."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.signatures = 0
        real = admission.invalid_signatures

        def count(items):
            self.signatures += len(items)
            return real(items)

        monkeypatch.setattr(admission, "invalid_signatures", count)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerApplication]:
    with LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes()) as store:
        yield LedgerApplication(store, ItemsExecutor(), SHA256, lambda _: None, lambda _: None, Metrics())


def sealed(
    *numbers: int, network_id: bytes = GENESIS.network_id, identity: NodeIdentity = IDENTITY, key: PrivateKey = NODE, sequence: int = 1
) -> bytes:
    encoded = [make_transaction(number).encoded for number in numbers]
    return seal_envelope(network_id, identity, sequence, encoded, key, SHA256).encoded


def unsigned(count: int, sequence: int = 1) -> bytes:
    """An enrolled node's envelope of transactions whose signatures do not verify."""
    bad = assemble_transaction(make_transaction(1).body_bytes, [bytes(64)], SHA256).encoded
    return seal_envelope(GENESIS.network_id, IDENTITY, sequence, [bad] * count, NODE, SHA256).encoded


REFUSED = {
    "a node that is not enrolled": (
        sealed(1, identity=replace(IDENTITY, public_key=STRANGER.public_key.raw), key=STRANGER),
        NotPermittedError,
        0,
    ),
    "another network": (sealed(1, network_id=bytes(32)), WrongNetworkError, 0),
    "a name that is not the signer's": (sealed(1, key=STRANGER), InvalidSignatureError, 1),
}


@pytest.mark.parametrize(("envelope", "error", "signatures"), REFUSED.values(), ids=REFUSED)
def test_envelope_that_anyone_could_send_costs_no_signature_inside(
    ledger: LedgerApplication, counted: Counted, envelope: bytes, error: type[YunheError], signatures: int
) -> None:
    """COD-041 refused: what is cheap comes first."""
    with pytest.raises(error):
        ledger.judge(envelope, TIME_MS + 1)
    assert counted.signatures == signatures


def test_envelope_is_verified_once(ledger: LedgerApplication, counted: Counted) -> None:
    envelope = sealed(1, 2, 3)
    for _ in range(5):
        assert ledger.judge(envelope, TIME_MS + 1) == ledger.admit(envelope, TIME_MS + 1)
    assert counted.signatures == 4


def test_sender_of_what_does_not_verify_pays_by_waiting(ledger: LedgerApplication, counted: Counted) -> None:
    """ABC-022 refused: a proposal is judged all the same; who sends what verifies is not asked to wait."""
    holds = ENVELOPE_TRANSACTIONS_MAX
    for sequence in range(WASTED_BURST // holds + 1):
        with pytest.raises(InvalidSignatureError):
            ledger.admit(unsigned(holds, sequence), TIME_MS + 1)
    before = counted.signatures
    with pytest.raises(QuotaExceededError):
        ledger.admit(unsigned(holds, 99), TIME_MS + 1)
    assert counted.signatures == before
    assert ledger.judge(sealed(1), TIME_MS + 1).sender == "carrier"


def test_debt_is_one_organisations_and_is_over_after_a_while() -> None:
    """ABC-022 accepted."""
    now_s = 5.0
    wasted = WastedWork(lambda: now_s)
    wasted.charge("hog", "hog/node1", WASTED_BURST - 1)
    wasted.require_credit("hog")
    wasted.charge("hog", "hog/node2", 1 + WASTED_RATE)
    wasted.require_credit("port")
    with pytest.raises(QuotaExceededError):
        wasted.require_credit("hog")
    now_s += 1.5
    wasted.require_credit("hog")


def test_all_that_the_engine_asks_about_again_is_remembered() -> None:
    """ABC-021: what its memory and one block beside it can hold; else each block would have all signatures verified anew."""
    assert OPENED_ENVELOPES_BYTES_MAX >= ENGINE_POOL_BYTES_MAX + BLOCK_BYTES_MAX
    opened = OpenedEnvelopes(SHA256)
    # The smallest transactions count most for their bytes.
    one = open_envelope(seal_envelope(GENESIS.network_id, IDENTITY, 1, [b"\x00"] * 1024, NODE, SHA256).encoded, SHA256)
    assert weight(one) == 1024 * ENVELOPE_SHARE_TRANSACTION_BYTES
    fitting = OPENED_ENVELOPES_BYTES_MAX // weight(one)
    envelopes = [replace(one, envelope=replace(one.envelope, encoded=number.to_bytes(4, "big"))) for number in range(fitting + 1)]
    for envelope in envelopes[:fitting]:
        opened.remember(envelope)
    assert all(opened.find(envelope.envelope.encoded) is envelope for envelope in envelopes[:fitting])
    opened.remember(envelopes[fitting])
    assert opened.find(envelopes[0].envelope.encoded) is None
    assert opened.find(envelopes[1].envelope.encoded) is envelopes[1]
