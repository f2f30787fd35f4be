"""The reference of the state tree (LED-030, LED-031) against a second one that is written from the definition alone."""

import hashlib
import random

import pytest

from tests.proof_chain import digits, state_siblings, tagged
from tests.proof_chain import state_root as definition
from yunhe.crypto.hashes import SHA256
from yunhe.errors import ProofError
from yunhe.ledger.state_tree import EMPTY, StateProof, leaf_hash, prove, root_from_proof, state_path, state_root, state_value_hash


def records(count: int) -> dict[bytes, bytes]:
    return {f"ebl\0bills\0\x02{number}\0".encode(): f"record {number}".encode() for number in range(count)}


def defined(state: dict[bytes, bytes]) -> dict[str, bytes]:
    return {digits(tagged("yunhe/state-key/1", key)): tagged("yunhe/state-value/1", record) for key, record in state.items()}


def key_at(prefix: str) -> bytes:
    """A key whose path begins with these binary digits."""
    return next(key for number in range(10_000) if digits(tagged("yunhe/state-key/1", key := str(number).encode())).startswith(prefix))


# LED-030
@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 100])
def test_root_is_the_definition(count: int) -> None:
    assert state_root(records(count), SHA256) == definition(defined(records(count)))


# LED-030, COD-012
def test_root_of_nothing_one_and_two() -> None:
    assert state_root({}, SHA256) == bytes(32)
    path, value = state_path(b"k", SHA256), state_value_hash(b"v", SHA256)
    assert state_root({b"k": b"v"}, SHA256) == hashlib.sha256(b"\x02" + path + value).digest()
    low, high = key_at("0"), key_at("1")
    leaves = [leaf_hash(state_path(key, SHA256), state_value_hash(b"v", SHA256), SHA256) for key in (low, high)]
    assert state_root({high: b"v", low: b"v"}, SHA256) == hashlib.sha256(b"\x03" + leaves[0] + leaves[1]).digest()


# LED-030
def test_root_keeps_the_levels_on_which_two_leaves_go_together() -> None:
    together = {key_at("0110"): b"v", key_at("0111"): b"v"}
    leaves = [leaf_hash(path, state_value_hash(b"v", SHA256), SHA256) for path in sorted(state_path(key, SHA256) for key in together)]
    node = hashlib.sha256(b"\x03" + leaves[0] + leaves[1]).digest()
    for left in (False, False, True):
        node = hashlib.sha256(b"\x03" + (node + EMPTY if left else EMPTY + node)).digest()
    assert state_root(together, SHA256) == node


# LED-030
def test_root_depends_on_the_records_alone() -> None:
    items = list(records(50).items())
    random.Random(1).shuffle(items)
    assert state_root(dict(items), SHA256) == state_root(records(50), SHA256)
    assert state_root(dict(items[:-1]), SHA256) != state_root(records(50), SHA256)


# LED-031, PRF-014
@pytest.mark.parametrize("count", [0, 1, 2, 3, 17, 100])
def test_every_record_is_proven_present_and_every_other_key_absent(count: int) -> None:
    state = records(count)
    root = state_root(state, SHA256)
    for key, record in state.items():
        proof = prove(state, key, SHA256)
        assert proof.other is None
        assert root_from_proof(key, record, proof, SHA256) == root
        assert root_from_proof(key, record + b"!", proof, SHA256) != root
        assert root_from_proof(key, None, proof, SHA256) != root
    others = 0
    for number in range(count, count + 40):
        key = f"ebl\0bills\0\x02{number}\0".encode()
        proof = prove(state, key, SHA256)
        others += proof.other is not None
        assert root_from_proof(key, None, proof, SHA256) == root
        assert root_from_proof(key, b"forged", proof, SHA256) != root
    assert (others > 0) == (count > 0)


def test_proof_is_the_definitions() -> None:
    state = records(30)
    for key in [*state, b"none", b"neither"]:
        siblings, other = state_siblings(defined(state), digits(tagged("yunhe/state-key/1", key)))
        proof = prove(state, key, SHA256)
        assert [proof.bitmap, list(proof.siblings)] == siblings
        assert (list(proof.other) if proof.other else None) == other


# PRF-014, LED-031
def test_absence_by_a_leaf_that_is_the_record_or_stands_elsewhere_is_refused() -> None:
    state = records(30)
    key, record = next(iter(state.items()))
    proof = prove(state, key, SHA256)
    leaf = (state_path(key, SHA256), state_value_hash(record, SHA256))
    itself = StateProof(proof.bitmap, proof.siblings, leaf)
    with pytest.raises(ProofError, match="PRF-014"):
        root_from_proof(key, None, itself, SHA256)
    elsewhere = key_at("1" if digits(leaf[0])[0] == "0" else "0")
    with pytest.raises(ProofError, match="PRF-014"):
        root_from_proof(elsewhere, None, itself, SHA256)


# PRF-010
@pytest.mark.parametrize(
    "proof",
    [
        StateProof(b"\x80" + bytes(31), (), None),
        StateProof(bytes(32), (b"\x01" * 32,), None),
        StateProof(b"\x80" + bytes(31), (EMPTY,), None),
        StateProof(b"\x80" + bytes(31), (b"\x01" * 31,), None),
        StateProof(b"\x80" + bytes(30), (b"\x01" * 32,), None),
    ],
)
def test_siblings_that_are_not_in_their_one_form_are_refused(proof: StateProof) -> None:
    with pytest.raises(ProofError, match="PRF-010"):
        root_from_proof(b"key", b"record", proof, SHA256)
