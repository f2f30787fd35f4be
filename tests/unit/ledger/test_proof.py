"""Bundles as a node builds them verify, and are byte for byte those that the specification's own chain makes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.proof_chain import Certifier as Signer
from tests.proof_chain import Chain, certifiers, sample_chain, sealed, state_key
from yunhe import verifier
from yunhe.crypto import PrivateKey, PublicKey
from yunhe.crypto.hashes import SHA256
from yunhe.errors import MalformedError, ProofError, TooLargeError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, cosign
from yunhe.ledger.genesis import THRESHOLD_KINDS, FoundingMember, FoundingOrganisation, Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, SYSTEM_CONTRACTS
from yunhe.ledger.merkle import MerkleLog
from yunhe.ledger.proof import (
    CertifiedCheckpoint,
    StateSubject,
    Subject,
    build_bundle,
    certificate_sizes,
    receipt_subject,
    transaction_subject,
)
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.state_tree import StateProof, prove
from yunhe.ledger.transaction import Transaction
from yunhe.limits import PROOF_STEPS_MAX, PROOF_SUBJECTS_MAX

TIME_S = 1_700_000_000


class Producer:
    """The producing side over the blocks of a chain that was written from the specification."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.log = MerkleLog(SHA256, (Header.decode(block.header).hash(SHA256) for block in chain.blocks))

    def header_at(self, height: int) -> Header:
        return Header.decode(self.chain.blocks[height].header)

    def certified(self, size: int) -> CertifiedCheckpoint:
        members: list[Signer] = self.chain.counting(size)
        checkpoint = Checkpoint(self.chain.network_id, size, self.log.root(size))
        cosignatures = tuple(
            cosign(checkpoint, m.organisation, PrivateKey("ed25519-sha256", m.key.private_bytes_raw()), TIME_S) for m in reversed(members)
        )
        entries = CertifierSet.of([Certifier(m.organisation, "ed25519-sha256", m.public_key, m.power) for m in members])
        return CertifiedCheckpoint(checkpoint, entries, cosignatures)

    def state_subject(self, height: int, key: tuple[Any, ...]) -> StateSubject:
        state, encoded = self.chain.blocks[height].state, state_key("ebl", "bills", list(key))
        return StateSubject("ebl", "bills", key, state.get(encoded), prove(state, encoded, SHA256))

    def leaf_subjects(self, height: int, index: int) -> list[Subject]:
        block = self.chain.blocks[height]
        transactions = [Transaction.decode(transaction, SHA256) for transaction in block.transactions]
        receipts = [Receipt.decode(receipt) for receipt in block.receipts]
        return [transaction_subject(transactions, index, SHA256), receipt_subject(receipts, index, SHA256)]

    def bundle(self, sizes: Sequence[int], height: int, subjects: Sequence[Subject]) -> bytes:
        return build_bundle(self.header_at, self.log, [self.certified(size) for size in sizes], height, subjects).encode()


FOUR = Producer(sample_chain(certifiers("bank", "carrier", "port", "shipper")))


# PRF-010, PRF-013, PRF-015
@pytest.mark.parametrize("index", range(5))
def test_built_bundle_is_that_of_the_specification_and_verifies(index: int) -> None:
    subjects = [*FOUR.leaf_subjects(1, index), FOUR.state_subject(1, ("B-1",)), FOUR.state_subject(1, ("none",))]
    built = FOUR.bundle([4], 1, subjects)
    chain = FOUR.chain
    specified = [chain.state_subject(1, "ebl", "bills", ["B-1"]), chain.state_subject(1, "ebl", "bills", ["none"])]
    assert built == sealed(chain.bundle([4], 1, chain.transaction_subject(1, index), chain.receipt_subject(1, index), *specified))
    proof = verifier.verify(built, chain.genesis)
    assert [subject.kind for subject in proof.subjects] == ["transaction", "receipt", "record", "absence"]


# PRF-012, LED-041
def test_bundle_leads_over_changes_of_certifiers() -> None:
    chain = Chain(certifiers("alpha"))
    changes = []
    for height in range(1, 12):
        organisations = {3: ("alpha", "beta"), 4: ("beta",), 9: ("delta", "gamma")}.get(height)
        chain.add({}, next_set=certifiers(*organisations) if organisations else None)
        changes += [height] * (organisations is not None)
    producer = Producer(chain)
    for size in range(1, 13):
        sizes = certificate_sizes(changes, size)
        built = producer.bundle(sizes, size - 1, [producer.state_subject(size - 1, ("none",))])
        assert len(verifier.verify(built, chain.genesis).certificates) == len(sizes)
        for trusted in range(1, size + 1):
            from_trusted = producer.bundle(certificate_sizes(changes, size, trusted), 0, [producer.state_subject(0, ("none",))])
            assert verifier.verify(from_trusted, chain.genesis, trust=chain.checkpoint(trusted)).anchor == "checkpoint"


# PRF-012
@pytest.mark.parametrize(
    ("changes", "size", "trusted", "sizes"),
    [
        ([], 7, None, (7,)),
        ([3, 4, 9], 12, None, (4, 5, 10, 12)),
        ([3, 4, 9], 10, None, (4, 5, 10)),
        ([3, 4, 9], 11, None, (4, 5, 10, 11)),
        ([3, 4, 9], 4, None, (4,)),
        ([3, 4, 9], 12, 4, (4, 5, 10, 12)),
        ([3, 4, 9], 12, 7, (7, 10, 12)),
        ([3, 4, 9], 12, 12, (12,)),
        ([3, 4, 9], 12, 1, (1, 4, 5, 10, 12)),
    ],
)
def test_each_change_on_the_way_needs_its_checkpoint(changes: list[int], size: int, trusted: int | None, sizes: tuple[int, ...]) -> None:
    assert certificate_sizes(changes, size, trusted) == sizes


# PRF-012
def test_trusted_checkpoint_newer_than_the_bundle_is_refused() -> None:
    with pytest.raises(ProofError, match="cannot start"):
        certificate_sizes([], 5, 6)


def test_checkpoint_that_is_not_of_the_log_or_too_short_is_refused() -> None:
    subject = FOUR.state_subject(1, ("none",))
    with pytest.raises(ProofError, match="reaches"):
        FOUR.bundle([1], 1, [subject])
    with pytest.raises(ProofError, match="reaches"):
        FOUR.bundle([], 0, [subject])
    other = Producer(sample_chain(certifiers("bank")))
    with pytest.raises(ProofError, match="not one of this block log"):
        build_bundle(FOUR.header_at, FOUR.log, [other.certified(4)], 1, [subject])
    with pytest.raises(ProofError, match="more than 255 times"):
        build_bundle(FOUR.header_at, FOUR.log, [FOUR.certified(4)] * (PROOF_STEPS_MAX + 1), 1, [subject])


# PRF-010
@pytest.mark.parametrize("count", [0, PROOF_SUBJECTS_MAX + 1])
def test_bundle_of_no_or_too_many_subjects_is_refused(count: int) -> None:
    with pytest.raises(MalformedError):
        FOUR.bundle([4], 1, [FOUR.state_subject(1, ("none",))] * count)


# PRF-010
def test_bundle_over_the_size_limit_is_refused() -> None:
    large = StateSubject("ebl", "bills", ("B-1",), bytes(300_000), StateProof(bytes(32), (), None))
    with pytest.raises(TooLargeError):
        FOUR.bundle([4], 1, [large] * PROOF_SUBJECTS_MAX)


def ledger_genesis(signer: Signer) -> Genesis:
    key = PublicKey("ed25519-sha256", signer.public_key)
    admin = FoundingMember("admin", ("admin",), (key,))
    return Genesis(
        name="运河",
        time_ms=TIME_S * 1000,
        chain_hash=SHA256,
        python="3.11",
        protocol_version=1,
        suites=("ed25519-sha256",),
        parameters=dict(DEFAULT_PARAMETERS),
        thresholds=dict.fromkeys(THRESHOLD_KINDS, "majority"),
        organisations=(FoundingOrganisation("carrier", "Carrier", (admin,), ()),),
        certifiers=CertifierSet.of([Certifier("carrier", "ed25519-sha256", signer.public_key, 1)]),
        system_contracts={name: bytes(32) for name in SYSTEM_CONTRACTS},
    )


# LED-001, LED-002, COD-010
def test_verifier_reads_the_ledgers_own_genesis_and_header() -> None:
    (signer,) = certifiers("carrier")
    genesis = ledger_genesis(signer)
    read = verifier.read_genesis(genesis.to_json().encode())
    assert (read.network_id, read.hash_name, read.certifier_set) == (genesis.network_id, "sha256", genesis.certifiers.encode())
    header = genesis.header(bytes(32))
    log = MerkleLog(SHA256, [header.hash(SHA256)])
    checkpoint = Checkpoint(genesis.network_id, 1, log.root())
    key = PrivateKey("ed25519-sha256", signer.key.private_bytes_raw())
    certified = CertifiedCheckpoint(checkpoint, genesis.certifiers, (cosign(checkpoint, "carrier", key, TIME_S),))
    nothing = StateSubject("ebl", "bills", ("B-1",), None, prove({}, b"", SHA256))
    built = build_bundle(lambda _: header, log, [certified], 0, [nothing]).encode()
    assert verifier.verify(built, genesis.to_json().encode()).time_ms == genesis.time_ms
    with pytest.raises(verifier.VerificationError, match="PRF-010"):
        verifier.verify(built, replace(genesis, name="other").to_json().encode())
