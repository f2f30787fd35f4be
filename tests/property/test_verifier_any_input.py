"""Whatever the verifier is given, it answers with a proof or with its own error, and never proves what is not so."""

import copy
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proof_chain import SM2, Chain, cbor, certifiers, sample_chain, sealed
from tests.sm2_signing import sm3
from yunhe.verifier import VerificationError, decode, encode, root_from_path, root_from_siblings, verify


def parts_of(chain: Chain) -> list[Any]:
    return chain.bundle(
        [4],
        1,
        chain.transaction_subject(1, 1),
        chain.receipt_subject(1, 2),
        chain.state_subject(1, "ebl", "bills", ["B-1"]),
        chain.state_subject(1, "ebl", "bills", ["none"]),
    )


NAMES = ("bank", "carrier", "port", "shipper")
CHAIN = sample_chain(certifiers(*NAMES))
CHAINS = {"Ed25519 and SHA-256": CHAIN, "SM2 and SM3": sample_chain(certifiers(*NAMES, suite=SM2), sm3)}
BUNDLE = sealed(parts_of(CHAIN))

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=70) | st.text(max_size=20)
KEYS = st.text(max_size=5) | st.integers(-(2**63), 2**63 - 1)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20)


# COD-001, COD-002
@given(VALUES)
def test_codec_round_trips_as_an_independent_decoder_reads_it(value: Any) -> None:
    data = encode(value)
    assert decode(data) == value
    assert cbor2.loads(data) == value


# COD-001
@given(VALUES, st.randoms(use_true_random=False))
def test_order_in_which_a_map_was_filled_does_not_matter(value: Any, random: Any) -> None:
    def refilled(item: Any) -> Any:
        if isinstance(item, dict):
            names = list(item)
            random.shuffle(names)
            return {name: refilled(item[name]) for name in names}
        return [refilled(each) for each in item] if isinstance(item, list) else item

    assert encode(refilled(value)) == encode(value)


# COD-001, COD-002, COD-004
@given(st.binary(max_size=60))
def test_any_bytes_decode_to_what_encodes_to_them_or_are_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except VerificationError:
        return
    assert encode(value) == data


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_as_bundle_or_genesis_are_refused(bundle: bytes, genesis: bytes) -> None:
    for given_bundle, given_genesis in ((bundle, CHAIN.genesis), (BUNDLE, genesis), (bundle, genesis)):
        with pytest.raises(VerificationError):
            verify(given_bundle, given_genesis)


@given(VALUES)
def test_any_value_as_bundle_is_refused(value: Any) -> None:
    with pytest.raises(VerificationError):
        verify(encode(value), CHAIN.genesis)


@given(st.text(max_size=200))
def test_any_text_as_trusted_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        verify(BUNDLE, CHAIN.genesis, trust=text)


def places(value: Any, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    inner = [place for index, item in enumerate(value) for place in places(item, (*path, index))] if isinstance(value, list) else []
    return [*inner, *([path] if path else [])]


PARTS = {flavour: parts_of(chain) for flavour, chain in CHAINS.items()}
PLACES = {flavour: places(parts) for flavour, parts in PARTS.items()}
EXPECTED = {flavour: verify(chain.sealed(PARTS[flavour]), chain.genesis) for flavour, chain in CHAINS.items()}


@pytest.mark.parametrize("flavour", CHAINS)
@given(st.integers(0, 10**6), st.sampled_from(["replace", "drop", "double", "swap"]), VALUES)
def test_bundle_with_any_part_changed_is_refused_or_says_the_same(flavour: str, number: int, how: str, value: Any) -> None:
    chain = CHAINS[flavour]
    parts: Any = copy.deepcopy(PARTS[flavour])
    place = PLACES[flavour][number % len(PLACES[flavour])]
    holder = parts
    for index in place[:-1]:
        holder = holder[index]
    index = place[-1]
    if how == "replace":
        holder[index] = value
    elif how == "drop":
        del holder[index]
    elif how == "double":
        holder.insert(index, holder[index])
    else:
        holder[index], holder[0] = holder[0], holder[index]
    try:
        proof = verify(chain.sealed(parts), chain.genesis)
    except VerificationError:
        return
    expected = EXPECTED[flavour]
    # A subject may be left out, repeated or moved, and any absent key stands for another absent one; nothing else can be said.
    assert (proof.network_id, proof.height, proof.time_ms, proof.certificates) == (
        expected.network_id,
        expected.height,
        expected.time_ms,
        expected.certificates,
    )
    present = [subject for subject in expected.subjects if subject.kind != "absence"]
    assert all(subject in present for subject in proof.subjects if subject.kind != "absence")


@given(st.integers(-5, 70), st.integers(-5, 70), st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_any_merkle_path_gives_a_root_or_our_error(index: int, size: int, path: list[bytes]) -> None:
    try:
        assert len(root_from_path(b"leaf", index, size, path)) == 32
    except VerificationError as error:
        assert error.rule == "COD-011"  # noqa: PT017  # whether it is raised depends on the example


@given(VALUES, st.binary(min_size=32, max_size=32))
def test_any_siblings_give_a_root_or_our_error(siblings: Any, path: bytes) -> None:
    try:
        assert len(root_from_siblings(bytes(32), path, siblings)) == 32
    except VerificationError as error:
        assert error.rule == "PRF-010"  # noqa: PT017  # whether it is raised depends on the example


@given(st.integers(0, 40), st.integers(0, 5))
def test_chain_of_any_length_verifies_at_any_height(more: int, certifier_count: int) -> None:
    chain = Chain(certifiers("carrier", *(f"o{number}" for number in range(certifier_count))))
    for number in range(more % 9):
        chain.add({f"a\0b\0\x02{number}\0".encode(): cbor({"n": number})})
    height = more * 7 % len(chain.blocks)
    subject = chain.state_subject(height, "a", "b", [str(height - 1)])
    proof = verify(sealed(chain.bundle([len(chain.blocks)], height, subject)), chain.genesis)
    assert proof.subjects[0].kind == ("record" if height else "absence")
