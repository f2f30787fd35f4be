"""Bundles as a node builds them verify, and are byte for byte those that the specification's own chain makes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.proof_chain import SM2, Chain, certifiers, sample_chain, state_key
from tests.proof_chain import Certifier as Signer
from tests.sm2_signing import sm3
from yunhe import verifier
from yunhe.crypto import PrivateKey, PublicKey, chain_hash
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
        self.hash = chain_hash(chain.digest.__name__)
        self.log = MerkleLog(self.hash, (Header.decode(block.header).hash(self.hash) for block in chain.blocks))

    def header_at(self, height: int) -> Header:
        return Header.decode(self.chain.blocks[height].header)

    def certified(self, size: int) -> CertifiedCheckpoint:
        members: list[Signer] = self.chain.counting(size)
        checkpoint = Checkpoint(self.chain.network_id, size, self.log.root(size))
        cosignatures = tuple(cosign(checkpoint, m.organisation, PrivateKey(m.suite, m.secret), TIME_S) for m in reversed(members))
        entries = CertifierSet.of([Certifier(m.organisation, m.suite, m.public_key, m.power) for m in members])
        return CertifiedCheckpoint(checkpoint, entries, cosignatures)

    def state_subject(self, height: int, key: tuple[Any, ...]) -> StateSubject:
        state, encoded = self.chain.blocks[height].state, state_key("ebl", "bills", list(key))
        return StateSubject("ebl", "bills", key, state.get(encoded), prove(state, encoded, self.hash))

    def leaf_subjects(self, height: int, index: int) -> list[Subject]:
        block = self.chain.blocks[height]
        transactions = [Transaction.decode(transaction, self.hash) for transaction in block.transactions]
        receipts = [Receipt.decode(receipt) for receipt in block.receipts]
        return [transaction_subject(transactions, index, self.hash), receipt_subject(receipts, index, self.hash)]

    def bundle(self, sizes: Sequence[int], height: int, subjects: Sequence[Subject]) -> bytes:
        return build_bundle(self.header_at, self.log, [self.certified(size) for size in sizes], height, subjects).encode()


NAMES = ("bank", "carrier", "port", "shipper")
FOUR = Producer(sample_chain(certifiers(*NAMES)))
PRODUCERS = {
    "Ed25519 and SHA-256": FOUR,
    "Ed25519 and SM3": Producer(sample_chain(certifiers(*NAMES), sm3)),
    "SM2 and SM3": Producer(sample_chain(certifiers(*NAMES, suite=SM2), sm3)),
}


# PRF-003, PRF-010, PRF-013, PRF-015
@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("flavour", PRODUCERS)
def test_built_bundle_is_that_of_the_specification_and_verifies(index: int, flavour: str) -> None:
    producer, chain = PRODUCERS[flavour], PRODUCERS[flavour].chain
    subjects = [*producer.leaf_subjects(1, index), producer.state_subject(1, ("B-1",)), producer.state_subject(1, ("none",))]
    built = producer.bundle([4], 1, subjects)
    specified = [chain.state_subject(1, "ebl", "bills", ["B-1"]), chain.state_subject(1, "ebl", "bills", ["none"])]
    parts = chain.bundle([4], 1, chain.transaction_subject(1, index), chain.receipt_subject(1, index), *specified)
    if flavour.startswith("SM2"):
        # Its signatures differ from one time to the next, and nothing else does.
        parts[4][0][0] = verifier.decode(built)[4][0][0]  # type: ignore[index]
    assert built == chain.sealed(parts)
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


def ledger_genesis(signer: Signer, hash_name: str) -> Genesis:
    key = PublicKey(signer.suite, signer.public_key)
    admin = FoundingMember("admin", ("admin",), (key,))
    return Genesis(
        name="运河",
        time_ms=TIME_S * 1000,
        chain_hash=chain_hash(hash_name),
        python="3.11",
        protocol_version=1,
        suites=(signer.suite,),
        parameters=dict(DEFAULT_PARAMETERS),
        thresholds=dict.fromkeys(THRESHOLD_KINDS, "majority"),
        organisations=(FoundingOrganisation("carrier", "Carrier", (admin,), ()),),
        certifiers=CertifierSet.of([Certifier("carrier", signer.suite, signer.public_key, 1)]),
        system_contracts={name: bytes(32) for name in SYSTEM_CONTRACTS},
    )


# LED-001, LED-002, COD-010
@pytest.mark.parametrize(("suite", "hash_name"), [("ed25519-sha256", "sha256"), ("ed25519-sha256", "sm3"), (SM2, "sha256"), (SM2, "sm3")])
def test_verifier_reads_the_ledgers_own_genesis_and_header(suite: str, hash_name: str) -> None:
    (signer,) = certifiers("carrier", suite=suite)
    genesis, own_hash = ledger_genesis(signer, hash_name), chain_hash(hash_name)
    read = verifier.read_genesis(genesis.to_json().encode())
    assert (read.network_id, read.hash_name, read.certifier_set) == (genesis.network_id, hash_name, genesis.certifiers.encode())
    header = genesis.header(bytes(32))
    log = MerkleLog(own_hash, [header.hash(own_hash)])
    checkpoint = Checkpoint(genesis.network_id, 1, log.root())
    key = PrivateKey(suite, signer.secret)
    certified = CertifiedCheckpoint(checkpoint, genesis.certifiers, (cosign(checkpoint, "carrier", key, TIME_S),))
    nothing = StateSubject("ebl", "bills", ("B-1",), None, prove({}, b"", own_hash))
    built = build_bundle(lambda _: header, log, [certified], 0, [nothing]).encode()
    assert verifier.verify(built, genesis.to_json().encode()).time_ms == genesis.time_ms
    with pytest.raises(verifier.VerificationError, match="PRF-010"):
        verifier.verify(built, replace(genesis, name="other").to_json().encode())
