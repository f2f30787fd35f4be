"""Proof bundles: what verifies, and that nothing else does (PRF-001 to PRF-017)."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import cbor2
import pytest

from tests.proof_chain import (
    COSIGNATURE_TYPES,
    SM2,
    SUITE,
    Certifier,
    Chain,
    Digest,
    cbor,
    certifier_set,
    certifiers,
    sample_chain,
    sealed,
    sha256,
)
from tests.sm2_signing import sm3
from yunhe import verifier
from yunhe.verifier import VerificationError, verify

ONE = sample_chain(certifiers("carrier"))
FOUR = sample_chain(certifiers("bank", "carrier", "port", "shipper"))
NATIONAL = sample_chain(certifiers("bank", "carrier", "port", "shipper", suite=SM2), sm3)
MIXED = sample_chain([Certifier("bank"), Certifier("carrier", suite=SM2), Certifier("port"), Certifier("shipper", suite=SM2)])
CHAINS = {
    "one certifier": ONE,
    "four certifiers": FOUR,
    "four certifiers with SM2 and SM3": NATIONAL,
    "four certifiers with either suite": MIXED,
    "one certifier with SM2": sample_chain(certifiers("carrier", suite=SM2)),
    "one certifier with SM3": sample_chain(certifiers("carrier"), sm3),
}
KEY = ["B-1"]


def refused(bundle: Any, chain: Chain, trust: str | None = None) -> VerificationError:
    with pytest.raises(VerificationError) as refusal:
        verify(bundle if isinstance(bundle, bytes) else chain.sealed(bundle), chain.genesis, trust=trust)
    return refusal.value


def changing_chain() -> Chain:
    """Sets change twice: {a} certifies to header 2, which names {a, b, c}; header 4 names {d}, which certifies from size 6."""
    chain = Chain(certifiers("alpha"))
    state = {b"never\0read\0\x02x\0": b"\xa0"}
    chain.add(state)
    chain.add(state, next_set=certifiers("alpha", "beta", "gamma"))
    chain.add(state)
    chain.add(state, next_set=certifiers("delta"))
    chain.add(state)
    chain.add(state)
    return chain


CHANGING = changing_chain()
ABSENT = CHANGING.state_subject(6, "ebl", "bills", KEY)

# --- accepted ---------------------------------------------------------------------------------------------------------------------


# PRF-001, PRF-002, PRF-003, PRF-011, PRF-013, LED-040, COD-010, COD-011, COD-020, COD-022, COD-032
@pytest.mark.parametrize("name", CHAINS)
def test_every_kind_of_subject_verifies(name: str) -> None:
    chain = CHAINS[name]
    subjects = [chain.transaction_subject(1, index) for index in range(5)] + [chain.receipt_subject(1, index) for index in range(5)]
    subjects += [chain.state_subject(1, "ebl", "bills", [f"B-{number}"]) for number in (1, 37, 38, 39)]
    subjects.append(chain.state_subject(1, "grid", "readings", [b"\x00meter", -7, "A\x00"]))
    proof = verify(chain.sealed(chain.bundle([4], 1, *subjects)), chain.genesis)
    assert proof.hash_name == chain.genesis_value["hash"]
    assert (proof.network_id, proof.height, proof.time_ms, proof.anchor) == (chain.network_id, 1, 1_700_000_001_000, "genesis")
    assert [subject.kind for subject in proof.subjects] == ["transaction"] * 5 + ["receipt"] * 5 + ["record"] * 2 + ["absence"] * 2 + [
        "record"
    ]
    transaction, receipt, record, absence = proof.subjects[1], proof.subjects[5], proof.subjects[10], proof.subjects[12]
    assert transaction.fields["calls"] == [{"contract": "ebl", "action": "transfer", "arguments": {"bill_id": "B-1", "to": "bank"}}]
    assert transaction.fields["signers"][0]["organisation"] == chain.founders[0].organisation
    assert (receipt.fields["code"], receipt.fields["transaction_id"]) == ("OK", proof.subjects[0].fields["id"])
    assert record.fields["record"]["holder"] == "bank"
    assert absence.fields == {"contract": "ebl", "table": "bills", "key": ["B-38"]}
    assert proof.subjects[14].fields["key"] == [b"\x00meter", -7, "A\x00"]


# PRF-016
def test_certificate_names_organisations_power_and_times() -> None:
    bundle = FOUR.bundle([4], 2, FOUR.state_subject(2, "ebl", "bills", KEY))
    bundle[4][0][0] = FOUR.note(4, [FOUR.founders[0], FOUR.founders[2], FOUR.founders[3]])
    (certificate,) = verify(sealed(bundle), FOUR.genesis).certificates
    assert certificate.organisations == ("bank", "port", "shipper")
    assert (certificate.size, certificate.power, certificate.certifiers, certificate.total_power) == (4, 3, 4, 4)
    assert certificate.times_s == (1_700_000_000,) * 3


# PRF-014
def test_absence_verifies_in_an_empty_state_beside_one_record_and_among_many() -> None:
    for height in (0, 1, 2, 3):
        proof = verify(sealed(FOUR.bundle([4], height, FOUR.state_subject(height, "ebl", "bills", ["none"]))), FOUR.genesis)
        assert proof.subjects[0].kind == "absence"
    assert FOUR.state_subject(2, "ebl", "bills", ["none"])[4] is None
    assert FOUR.state_subject(3, "ebl", "bills", ["none"])[4] is not None


# PRF-011
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_log_of_every_size_verifies(size: int) -> None:
    for height in range(size):
        proof = verify(sealed(ONE.bundle([size], height, ONE.state_subject(height, "ebl", "bills", ["none"]))), ONE.genesis)
        assert (proof.height, proof.certificates[0].size) == (height, size)


# PRF-012, LED-041
def test_certifier_sets_are_followed_from_genesis_to_the_last() -> None:
    proof = verify(sealed(CHANGING.bundle([3, 5, 7], 6, ABSENT)), CHANGING.genesis)
    assert [each.organisations for each in proof.certificates] == [("alpha",), ("alpha", "beta", "gamma"), ("delta",)]
    # PRF-015
    assert proof.oldest_key == sha256(Certifier("alpha").public_key)
    assert verify(sealed(CHANGING.bundle([2, 3, 4, 5, 6, 7], 6, ABSENT)), CHANGING.genesis).height == 6


# PRF-012
@pytest.mark.parametrize("sizes", [[5, 7], [7], [6, 7], [4, 5, 7]])
def test_bundle_starts_from_a_trusted_checkpoint(sizes: list[int]) -> None:
    bundle = sealed(CHANGING.bundle(sizes, 6, ABSENT))
    text = CHANGING.checkpoint(sizes[0])
    proof = verify(bundle, CHANGING.genesis, trust=text)
    assert (proof.anchor, len(proof.certificates)) == ("checkpoint", len(sizes))
    # Whoever names a checkpoint vouches for it: signature lines after it are allowed and not looked at.
    assert verify(bundle, CHANGING.genesis, trust=text + "\n— somebody else AAAA\n") == proof
    with pytest.raises(VerificationError, match="PRF-012"):
        verify(bundle, CHANGING.genesis)


# --- every byte counts ------------------------------------------------------------------------------------------------------------


def sample_bundles() -> dict[str, tuple[bytes, bytes]]:
    subjects = [ONE.transaction_subject(1, 4), ONE.receipt_subject(1, 2), ONE.state_subject(1, "ebl", "bills", KEY)]
    absences = [FOUR.state_subject(3, "ebl", "bills", ["none"]), FOUR.state_subject(3, "grid", "readings", [b"x", 1, "y"])]
    return {
        "a transaction, a receipt and a record": (sealed(ONE.bundle([4], 1, *subjects)), ONE.genesis),
        "absences under four certifiers": (sealed(FOUR.bundle([4], 3, *absences)), FOUR.genesis),
        "an absence over two changes of certifiers": (sealed(CHANGING.bundle([3, 5, 7], 6, ABSENT)), CHANGING.genesis),
        "a transaction and a record with SM2 and SM3": (
            NATIONAL.sealed(NATIONAL.bundle([4], 1, NATIONAL.transaction_subject(1, 1), NATIONAL.state_subject(1, "ebl", "bills", KEY))),
            NATIONAL.genesis,
        ),
        "the first header alone": (sealed(ONE.bundle([1], 0, ONE.state_subject(0, "ebl", "bills", KEY))), ONE.genesis),
    }


SAMPLES = sample_bundles()


def verifies(bundle: bytes, genesis: bytes) -> bool:
    try:
        return verify(bundle, genesis) is not None
    except VerificationError:
        return False


# PRF-010
@pytest.mark.parametrize("name", SAMPLES)
def test_any_flipped_bit_is_refused(name: str) -> None:
    bundle, genesis = SAMPLES[name]
    assert verifies(bundle, genesis)
    for position in range(len(bundle)):
        # All eight bits of the smallest, which is quick; of the others one bit of each byte.
        for bit in range(8) if len(bundle) < 1000 else [position % 8]:
            changed = bytearray(bundle)
            changed[position] ^= 1 << bit
            assert not verifies(bytes(changed), genesis), (position, bit)


# PRF-010
@pytest.mark.parametrize(("suite", "digest", "step"), [(SUITE, sha256, 1), (SM2, sm3, 3)])
def test_any_flipped_bit_is_refused_when_the_checksum_is_made_to_fit(suite: str, digest: Digest, step: int) -> None:
    # The checksum is no secret. What it covers must have one form by itself, so here it is made anew for each change.
    chain = Chain(certifiers("carrier", suite=suite), digest=digest)
    for number in range(3):
        chain.add({b"a\0b\0\x02c\0": b"\xa0"}, [chain.transaction(chain.founders, number)], [cbor([1, bytes(32), "BAD", 0, 1, [], []])])
    parts = chain.bundle([3], 2, chain.transaction_subject(2, 0), chain.receipt_subject(2, 0), chain.state_subject(2, "a", "b", ["c"]))
    encoded = cbor(parts)
    assert verifies(chain.sealed(parts), chain.genesis)
    # Signatures of SM2 take their time, so not every byte's turn comes there.
    for position in range(0, len(encoded), step):
        changed = bytearray(encoded)
        changed[position] ^= 1 << position % 8
        try:
            altered = verifier.decode(bytes(changed))
        except VerificationError:
            continue
        assert not isinstance(altered, list) or not verifies(chain.sealed(altered), chain.genesis), position


# PRF-010, PRF-014
def test_altered_key_of_an_absence_is_refused_only_by_the_checksum_because_the_other_key_is_absent_too() -> None:
    parts = CHANGING.bundle([3, 5, 7], 6, ABSENT)
    good = sealed(parts)
    parts[6][0][3] = ["B-2"]
    assert verify(sealed(parts), CHANGING.genesis).subjects[0].fields["key"] == ["B-2"]
    assert refused(cbor([*parts, verifier.decode(good)[-1]]), CHANGING).rule == "PRF-010"  # type: ignore[index]


# PRF-010
def test_any_shortened_or_lengthened_bundle_is_refused() -> None:
    bundle, genesis = SAMPLES["the first header alone"]
    for end in range(len(bundle)):
        with pytest.raises(VerificationError):
            verify(bundle[:end], genesis)
    for more in (b"\0", b"\xf6", bundle):
        with pytest.raises(VerificationError):
            verify(bundle + more, genesis)


# --- refused ----------------------------------------------------------------------------------------------------------------------

Change = Callable[[list[Any]], object]


def put(*path: int) -> Callable[[Any], Change]:
    """Return a change that sets what is at a path."""

    def to(value: Any) -> Change:
        def change(bundle: list[Any]) -> None:
            inner = bundle
            for index in path[:-1]:
                inner = inner[index]
            inner[path[-1]] = value(inner[path[-1]]) if callable(value) else value

        return change

    return to


def text(change: Callable[[str], str]) -> Change:
    """Return a change of the first step's note."""
    return put(4, 0, 0)(lambda note: change(note.decode()).encode())


def swap_lines(note: str) -> str:
    head, _, lines = note.partition("\n\n")
    first, second, *rest = lines.split("\n")
    return "\n".join([head, "", second, first, *rest])


def double_line(note: str) -> str:
    head, _, lines = note.partition("\n\n")
    first, *rest = lines.split("\n")
    return "\n".join([head, "", first, first, *rest])


def signed_again(chain: Chain, checkpoint: str) -> bytes:
    """A note over another text, with valid signatures of all four."""
    return (checkpoint + "\n" + "".join(chain.line(checkpoint, signer) for signer in chain.founders)).encode()


def set_unused_bits(note: str) -> str:
    *lines, last, end = note.split("\n")
    assert last.endswith("A==") or last.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "\n".join([*lines, last[:-3] + alphabet[alphabet.index(last[-3]) | 1] + "==", end])


def header_with(index: int, value: Any) -> Change:
    """Return a change of the proven header that keeps everything else."""

    def change(bundle: list[Any]) -> None:
        parts = cbor2.loads(bundle[5][0])
        parts[index] = value
        bundle[5][0] = cbor(parts)

    return change


def bad_forms(four: Chain) -> dict[str, dict[str, Change]]:
    """Forms that a bundle of four certifiers must not have."""
    other_network = Chain([*four.founders[:3], Certifier("shipper", 2, four.founders[0].suite)], digest=four.digest)
    text_ = four.checkpoint(4)
    root_line = text_.split("\n")[2]
    return {
        "PRF-010": {
            "another marker": put(0)("yunhe-proofs"),
            "another version": put(1)(2),
            "a truth value as version": put(1)(True),
            "a network id cut short": put(2)(four.network_id[:31]),
            "another network's id": put(2)(other_network.network_id),
            "no steps": put(4)([]),
            "257 steps": put(4)(lambda steps: steps * 257),
            "no subjects": put(6)([]),
            "17 subjects": put(6)(lambda subjects: subjects[:1] * 17),
            "a field more": lambda bundle: bundle.append(None),
            "an unknown subject": put(6, 0, 0)("block"),
            "a subject that is none": put(6, 0)(None),
            "sides beyond the path": put(6, 0, 1)(lambda sides: sides | 1 << 3),
            "negative sides": put(6, 0, 1)(-1),
            "sides of 63 bits": put(6, 0, 1)(2**62),
            "a truth value as sides": put(6, 0, 1)(False),
            "a path with a hash cut short": put(6, 0, 3, 0)(bytes(31)),
            "an empty sibling spelled out": lambda bundle: spell_out_empty(bundle[6][2][5]),
            "a bit for a sibling that is not given": put(6, 2, 5, 0)(lambda bits: bits[:31] + b"\x01"),
            "a sibling without a bit": put(6, 2, 5, 1)(lambda siblings: [*siblings, bytes(31) + b"\x01"]),
            "a bitmap cut short": put(6, 2, 5, 0)(lambda bits: bits[:31]),
            "a record where an absence shows a leaf": put(6, 3, 4)(b"\xa0"),
            "a leaf where a record shows its bytes": put(6, 2, 4)([bytes(32), bytes(32)]),
            "nothing where a record shows its bytes": put(6, 2, 4)(None),
            "unused bits set in the base64 of a cosignature": text(set_unused_bits),
            "unused bits set in the base64 of a root": put(4, 0, 0)(
                signed_again(four, text_.replace(root_line, root_line[:-2] + chr(ord(root_line[-2]) + 1) + "="))
            ),
            "a header of another version": header_with(0, 2),
            "a header of negative height": header_with(2, -1),
            "a header of negative time": header_with(3, -1),
            "a header with a field more": put(5, 0)(lambda header: cbor([*cbor2.loads(header), 0])),
        },
    }


def bad_notes(four: Chain) -> dict[str, dict[str, Change]]:
    """Checkpoints and cosignatures that do not count."""
    other_network = Chain([*four.founders[:3], Certifier("shipper", 2, four.founders[0].suite)], digest=four.digest)
    stranger = Certifier("stranger", suite=four.founders[0].suite)
    text_ = four.checkpoint(4)
    root_line = text_.split("\n")[2]
    return {
        "PRF-001": {
            "a line without its dash": text(lambda note: note.replace("\N{EM DASH} ", "- ", 1)),
            "a line with two spaces": text(lambda note: note.replace("\N{EM DASH} ", "\N{EM DASH}  ", 1)),
            "an empty line among the lines": text(lambda note: note + "\n"),
            "no line feed at the end": text(lambda note: note[:-1]),
            "carriage returns": text(lambda note: note.replace("\n", "\r\n")),
            "an extension line, signed": put(4, 0, 0)(signed_again(four, text_ + "extension\n")),
            "a size with a leading zero, signed": put(4, 0, 0)(signed_again(four, text_.replace("\n4\n", "\n04\n"))),
            "a size with a sign, signed": put(4, 0, 0)(signed_again(four, text_.replace("\n4\n", "\n+4\n"))),
            "a size in digits of another script, signed": put(4, 0, 0)(signed_again(four, text_.replace("\n4\n", "\n\uff14\n"))),
            "a size of 5000 digits, signed": put(4, 0, 0)(signed_again(four, text_.replace("\n4\n", "\n" + "4" * 5000 + "\n"))),
            "a size of 2^63, signed": put(4, 0, 0)(signed_again(four, text_.replace("\n4\n", f"\n{2**63}\n"))),
            "a log of no headers, signed": put(4, 0, 0)(signed_again(four, text_.replace("\n4\n", "\n0\n"))),
            "a root cut short, signed": put(4, 0, 0)(signed_again(four, text_.replace(root_line, "AAAA"))),
            "a root that is not base64, signed": put(4, 0, 0)(signed_again(four, text_.replace(root_line, "*" * 44))),
            "another network's origin, signed": put(4, 0, 0)(signed_again(four, text_.replace(four.origin, other_network.origin))),
            "a note that is not UTF-8": put(4, 0, 0)(lambda note: b"\xff" + note),
            "a cosignature of another text": put(4, 0, 0)(
                (text_ + "\n" + "".join(four.line(four.checkpoint(3), s) for s in four.founders)).encode()
            ),
            "a cosignature by another key": put(4, 0, 0)((text_ + "\n" + four.line(text_, stranger, name=f"{four.origin}/bank")).encode()),
            "a cosignature whose time was altered": text(lambda note: alter_line(note, 5)),
            "a cosignature whose key id was altered": text(lambda note: alter_line(note, 0)),
        },
        "PRF-002": {
            "no cosignatures": put(4, 0, 0)((text_ + "\n").encode()),
            "half of the certifiers": put(4, 0, 0)(four.note(4, four.founders[:2])),
            "a line twice": text(double_line),
            "lines in another order": text(swap_lines),
            "a line by a stranger beside the four": put(4, 0, 0)(four.note(4, [*four.founders, stranger])),
            "a line under a name of another network": put(4, 0, 0)(
                (text_ + "\n" + four.line(text_, four.founders[0], name=f"{other_network.origin}/bank")).encode()
            ),
            "a line under the name of the log": put(4, 0, 0)(
                (text_ + "\n" + four.line(text_, four.founders[0], name=four.origin)).encode()
            ),
        },
    }


def bad_logs(four: Chain) -> dict[str, dict[str, Change]]:
    """Headers and certifier sets that are not those of the log."""
    stranger = Certifier("stranger", suite=four.founders[0].suite)
    text_ = four.checkpoint(4)
    root_line = text_.split("\n")[2]
    return {
        "PRF-011": {
            "another header as the last one": put(4, 0, 2)(lambda _: four.logged(2, 4)),
            "another header as the one before": put(4, 0, 3)(lambda _: four.logged(1, 4)),
            "a header that is not in the log": header_with(3, 1),
            "a checkpoint of a log that does not have the header": put(4, 0)(lambda _: four.step(3)),
            "a checkpoint of another root": put(4, 0, 0)(
                signed_again(four, text_.replace(root_line, base64.b64encode(bytes(32)).decode()))
            ),
        },
        "PRF-012": {
            "certifiers that are not those of the genesis": put(4, 0, 1)(certifier_set([stranger])),
            "a certifier less": put(4, 0, 1)(certifier_set(four.founders[:3])),
            "a certifier of more power": put(4, 0, 1)(certifier_set([Certifier("bank", 9), *four.founders[1:]])),
        },
        "PRF-015": {
            "another oldest key": put(3)(bytes(32)),
            "the key of a younger certifier": put(3)(four.digest(four.founders[1].public_key)),
        },
        "COD-011": {
            "a log path too long": put(5, 1)(lambda path: [*path, bytes(32)]),
            "a log path too short": put(5, 1)(lambda path: path[:-1]),
            "a height beyond the log": header_with(2, 4),
            "a height of 63 bits": header_with(2, 2**63 - 1),
        },
    }


def bad_subjects(four: Chain) -> dict[str, dict[str, Change]]:
    """Subjects that the header does not hold."""
    other_network = Chain([*four.founders[:3], Certifier("shipper", 2, four.founders[0].suite)], digest=four.digest)
    return {
        "PRF-013": {
            "the header of another block": put(5)(lambda _: four.logged(2, 4)),
            "a header of another network": header_with(1, other_network.network_id),
            "a transaction of another block's position": put(6, 0, 1)(lambda sides: sides ^ 1),
            "another receipt": put(6, 1, 2)(four.blocks[1].receipts[2]),
            "a receipt in place of a transaction's leaf": put(6, 1, 2)(four.blocks[1].transaction_leaves[0]),
            "a record of another value": put(6, 2, 4)(cbor({"bill_id": "B-1", "holder": "thief"})),
            "a record under another key": put(6, 2, 3)(["B-2"]),
            "a record of another table": put(6, 2, 2)("notes"),
            "a key component of another type": put(6, 2, 3)([b"B-1"]),
            "an absence where another sibling is given": put(6, 3, 5, 1, 0)(bytes(32)[:31] + b"\x01"),
            "an absence in a place that is not empty": lambda bundle: bundle[6].__setitem__(3, absence_of_present(four)),
        },
        "PRF-014": {
            "an absence shown by the record itself": lambda bundle: bundle[6].__setitem__(3, absence_by_itself(four)),
            "an absence shown by a leaf elsewhere": lambda bundle: bundle[6].__setitem__(3, absence_by_leaf_elsewhere(four)),
        },
        "COD-060": {"a list as a key component": put(6, 2, 3)([["B-1"]]), "a truth value as a key component": put(6, 2, 3)([True])},
        "COD-061": {
            "a key without components": put(6, 2, 3)([]),
            "a key of a component too many": put(6, 2, 3)(["a"] * (verifier.KEY_COMPONENTS_MAX + 1)),
            "a key of more than 512 bytes": put(6, 2, 3)(["a" * 512]),
        },
        "COD-002": {"a record that is not CBOR of ours": put(6, 2, 4)(cbor2.dumps({"weight": 0.5}))},
        "COD-005": {
            "a record that is no map": put(6, 2, 4)(b"\x80"),
            "a record with a field that is no name": put(6, 2, 4)(cbor({"Bill Id": 1})),
            "a record with integer keys": put(6, 2, 4)(cbor({1: 1})),
        },
    }


def bad_bundles(four: Chain) -> dict[str, dict[str, Change]]:
    """Changes of a bundle of four certifiers that verifies, by the rule that refuses it."""
    return bad_forms(four) | bad_notes(four) | bad_logs(four) | bad_subjects(four)


TWO_THIRDS = [Certifier("a", 2), Certifier("b", 1)]
FLAVOURS = {"Ed25519 and SHA-256": FOUR, "SM2 and SM3": NATIONAL}
BAD_BUNDLES = {name: bad_bundles(chain) for name, chain in FLAVOURS.items()}


def spell_out_empty(siblings: list[Any]) -> None:
    bits = int.from_bytes(siblings[0], "big")
    depth = 256 - (bits & -bits).bit_length() + 1
    empty = next((level for level in range(depth) if not bits >> 255 - level & 1), depth)
    siblings[0] = (bits | 1 << 255 - empty).to_bytes(32, "big")
    siblings[1].insert(empty, bytes(32))


def alter_line(note: str, position: int) -> str:
    head, _, lines = note.partition("\n\n")
    dash, name, encoded = lines.split("\n")[0].split(" ")
    blob = bytearray(base64.b64decode(encoded))
    blob[position] ^= 1
    return f"{head}\n\n{dash} {name} {base64.b64encode(blob).decode()}\n"


def absence_of_present(four: Chain) -> list[Any]:
    kind, contract, table, key, _record, siblings = four.state_subject(1, "ebl", "bills", KEY)
    assert kind == "record"
    return ["absence", contract, table, key, None, siblings]


def absence_by_itself(four: Chain) -> list[Any]:
    _kind, contract, table, key, record, siblings = four.state_subject(1, "ebl", "bills", KEY)
    path = four.tagged("yunhe/state-key/1", b"ebl\0bills\0\x02B-1\0")
    return ["absence", contract, table, key, [path, four.tagged("yunhe/state-value/1", record)], siblings]


def absence_by_leaf_elsewhere(four: Chain) -> list[Any]:
    """The siblings lead to another record's leaf, which shares fewer bits with the key than the siblings are deep."""
    _kind, contract, table, _key, record, siblings = four.state_subject(1, "ebl", "bills", KEY)
    path = four.tagged("yunhe/state-key/1", b"ebl\0bills\0\x02B-1\0")
    for number in range(100, 200):
        other = four.tagged("yunhe/state-key/1", f"ebl\0bills\0\x02B-{number}\0".encode())
        if (other[0] ^ path[0]) & 0x80:
            return ["absence", contract, table, [f"B-{number}"], [path, four.tagged("yunhe/state-value/1", record)], siblings]
    raise AssertionError("no key parts at the first bit")


def well_formed(four: Chain) -> list[Any]:
    subjects = [four.transaction_subject(1, 1), four.receipt_subject(1, 1), four.state_subject(1, "ebl", "bills", KEY)]
    return four.bundle([4], 1, *subjects, four.state_subject(1, "ebl", "bills", ["none"]))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_bundle_that_the_changes_begin_with_verifies(flavour: str) -> None:
    chain = FLAVOURS[flavour]
    assert verify(chain.sealed(well_formed(chain)), chain.genesis)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(("rule", "case"), [(rule, case) for rule, cases in BAD_BUNDLES["SM2 and SM3"].items() for case in cases])
def test_changed_bundle_is_refused_by_its_rule(rule: str, case: str, flavour: str) -> None:
    chain = FLAVOURS[flavour]
    bundle = well_formed(chain)
    BAD_BUNDLES[flavour][rule][case](bundle)
    error = refused(bundle, chain)
    assert error.rule == rule, error
    assert str(error) == f"{rule}: {error.message}"


# PRF-003
def test_cosignature_with_the_key_id_of_the_other_suite_is_refused() -> None:
    for chain, kind, rule in (
        (NATIONAL, b"\x04", "PRF-001"),
        (NATIONAL, COSIGNATURE_TYPES[SM2], ""),
        (FOUR, COSIGNATURE_TYPES[SM2], "PRF-001"),
    ):
        bundle = chain.bundle([4], 1, chain.state_subject(1, "ebl", "bills", KEY))
        head, _, lines = bundle[4][0][0].decode().partition("\n\n")
        dash, name, encoded = lines.split("\n")[0].split(" ")
        key_id = sha256(name.encode() + b"\n" + kind + chain.founders[0].public_key)[:4]
        line = f"{dash} {name} {base64.b64encode(key_id + base64.b64decode(encoded)[4:]).decode()}"
        bundle[4][0][0] = "\n".join([head, "", line, *lines.split("\n")[1:]]).encode()
        if rule:
            assert refused(bundle, chain).rule == rule
        else:
            assert verify(chain.sealed(bundle), chain.genesis)


# PRF-002
@pytest.mark.parametrize(("signers", "enough"), [("a", False), ("b", False), ("ab", True)])
def test_exactly_two_thirds_of_the_power_is_not_enough(signers: str, enough: bool) -> None:
    chain = Chain(TWO_THIRDS)
    bundle = chain.bundle([1], 0, chain.state_subject(0, "ebl", "bills", KEY))
    bundle[4][0][0] = chain.note(1, [member for member in TWO_THIRDS if member.organisation in signers])
    if enough:
        assert verify(sealed(bundle), chain.genesis).certificates[0].power == 3
    else:
        assert refused(bundle, chain).rule == "PRF-002"


# PRF-001
def test_cosignature_time_beyond_63_bits_is_refused() -> None:
    bundle = ONE.bundle([4], 1, ONE.state_subject(1, "ebl", "bills", KEY))
    for time_s, fine in ((0, True), (2**63 - 1, True), (2**63, False)):
        bundle[4][0][0] = (ONE.checkpoint(4) + "\n" + ONE.line(ONE.checkpoint(4), ONE.founders[0], time_s)).encode()
        if fine:
            proof = verify(sealed(bundle), ONE.genesis)
            assert f"{1000 * time_s} ms" in verifier.describe(proof) or time_s == 0
        else:
            assert refused(bundle, ONE).rule == "PRF-001"


# PRF-012
def test_chain_of_sets_with_a_link_missing_twisted_or_backwards_is_refused() -> None:
    for sizes in ([3, 7], [5, 7], [7], [3, 5, 5], [5, 3, 7], [3, 3, 5, 7], [4, 7]):
        assert refused(CHANGING.bundle(sizes, 6 if sizes[-1] == 7 else 4, ABSENT), CHANGING).rule in ("PRF-012", "PRF-013")
    twisted = CHANGING.bundle([3, 5, 7], 6, ABSENT)
    twisted[4][1], twisted[4][2] = twisted[4][2], twisted[4][1]
    assert refused(twisted, CHANGING).rule == "PRF-012"


# PRF-011, PRF-012
def test_set_that_was_named_cannot_certify_before_or_after_its_time() -> None:
    # {delta} is named by header 4, so it certifies from size 6; here it signs size 5, which {alpha, beta, gamma} certify.
    bundle = CHANGING.bundle([3, 5], 4, CHANGING.state_subject(4, "ebl", "bills", KEY))
    delta = certifiers("delta")
    bundle[4][1][0], bundle[4][1][1] = CHANGING.note(5, delta), certifier_set(delta)
    assert refused(bundle, CHANGING).rule == "PRF-012"
    # {alpha} certifies to size 3; here it signs size 7 as well.
    bundle = CHANGING.bundle([7], 6, ABSENT)
    alpha = certifiers("alpha")
    bundle[4][0][0], bundle[4][0][1], bundle[3] = CHANGING.note(7, alpha), certifier_set(alpha), sha256(alpha[0].public_key)
    assert refused(bundle, CHANGING).rule == "PRF-011"


# PRF-011
def test_first_checkpoint_has_no_header_before_and_every_other_has_one() -> None:
    first = ONE.bundle([1], 0, ONE.state_subject(0, "ebl", "bills", KEY))
    first[4][0][3] = ONE.logged(0, 1)
    assert refused(first, ONE).rule == "PRF-011"
    second = ONE.bundle([2], 1, ONE.state_subject(1, "ebl", "bills", KEY))
    second[4][0][3] = None
    assert refused(second, ONE).rule == "PRF-010"


BAD_SETS = {
    "nobody": [],
    "257 certifiers": certifiers(*(f"o{number:03}" for number in range(257))),
    "unsorted": [Certifier("b"), Certifier("a")],
    "an organisation twice": [Certifier("a"), Certifier("a", 2)],
    "no power": [Certifier("a", 0), Certifier("b")],
    "negative power": [Certifier("a", -5), Certifier("b")],
    "power over the limit": [Certifier("a", 1_000_001)],
    "power of 63 bits": [Certifier("a", 2**63 - 1)],
    "a name that is none": [Certifier("A b")],
    "a name with a line feed": [Certifier("a\n")],
}


# PRF-011, LED-001, COD-032
@pytest.mark.parametrize("case", BAD_SETS)
def test_malformed_certifier_set_is_refused_in_a_step_and_in_a_genesis(case: str) -> None:
    chain = Chain(BAD_SETS[case])
    subject = chain.state_subject(0, "ebl", "bills", KEY)
    bundle = ["yunhe-proof", 1, chain.network_id, bytes(32), [chain.step(1)], chain.logged(0, 1), [subject]]
    assert refused(bundle, chain).rule in ("PRF-010", "PRF-011")
    good = ONE.bundle([4], 0, ONE.state_subject(0, "ebl", "bills", KEY))
    good[4][0][1] = certifier_set(BAD_SETS[case])
    assert refused(good, ONE).rule in ("PRF-010", "PRF-011")


def test_unknown_suite_of_a_certifier_is_refused() -> None:
    bundle = ONE.bundle([4], 0, ONE.state_subject(0, "ebl", "bills", KEY))
    bundle[4][0][1] = certifier_set(ONE.founders).replace(SUITE.encode(), b"ed25519-sha257")
    assert refused(bundle, ONE).rule == "PRF-011"


# --- subjects that the roots do hold, and that are wrong all the same ---------------------------------------------------------------


def with_transaction(transaction: bytes) -> tuple[Chain, list[Any]]:
    chain = Chain(certifiers("carrier"), "another")
    chain.add({}, [transaction], [b"\x80"])
    return chain, chain.bundle([2], 1, chain.transaction_subject(1, 0))


# PRF-017, COD-020
def test_transaction_that_its_signers_did_not_sign_is_refused_though_it_is_in_the_block() -> None:
    source = Chain(certifiers("carrier"), "another")
    body, signatures = cbor2.loads(source.transaction(source.founders))
    cases = {
        "a foreign signature": [body, [bytes(64)]],
        "no signature": [body, []],
        "a signature more": [body, signatures * 2],
        "a signature that is no bytes": [body, ["x"]],
        "a signature of another transaction": [body, cbor2.loads(source.transaction(source.founders, 1))[1]],
    }
    for case, parts in cases.items():
        chain, bundle = with_transaction(cbor(parts))
        assert refused(bundle, chain).rule == "PRF-017", case
    chain, bundle = with_transaction(cbor([body, signatures]))
    assert verify(sealed(bundle), chain.genesis)


# PRF-017
def test_transaction_of_another_network_is_refused() -> None:
    chain, bundle = with_transaction(ONE.transaction(ONE.founders))
    assert refused(bundle, chain).rule == "PRF-017"


# PRF-017
@pytest.mark.parametrize(
    ("index", "value"), [(0, 2), (2, []), (3, []), (3, [["ebl", "transfer", {}]] * 17), (2, [["carrier", "clerk", SUITE, bytes(32)]] * 17)]
)
def test_malformed_transaction_body_is_refused(index: int, value: Any) -> None:
    parts = cbor2.loads(cbor2.loads(ONE.transaction(ONE.founders))[0])
    parts[1], parts[index] = Chain(certifiers("carrier"), "another").network_id, value
    chain, bundle = with_transaction(cbor([cbor(parts), [bytes(64)] * max(1, len(parts[2]))]))
    assert refused(bundle, chain).rule == "PRF-017"


# COD-050
@pytest.mark.parametrize(
    ("receipt", "rule"),
    [
        ([2, bytes(32), "OK", -1, 1, [1], []], "COD-050"),
        ([1, bytes(32), "NOT_HOLDER", 0, 1, [1], []], "COD-050"),
        ([1, bytes(32), "NOT_HOLDER", 0, 1, [], [["ebl", "Issued", {}]]], "COD-050"),
        ([1, bytes(32), "OK", -1, 1, [1], [["ebl", "Issued"]]], "PRF-010"),
        ([1, bytes(32), "OK", -1, 1, [1], [["ebl", "Issued", {"": 1}]]], "COD-005"),
        ([1, bytes(31), "OK", -1, 1, [1], []], "PRF-010"),
    ],
)
def test_malformed_receipt_is_refused_though_it_is_in_the_block(receipt: list[Any], rule: str) -> None:
    chain = Chain(certifiers("carrier"))
    chain.add({}, [], [cbor(receipt), cbor([1, bytes(32), "NOT_HOLDER", 0, 1, [], []])])
    assert refused(chain.bundle([2], 1, chain.receipt_subject(1, 0)), chain).rule == rule
    assert verify(sealed(chain.bundle([2], 1, chain.receipt_subject(1, 1))), chain.genesis)


# COD-011, COD-012
def test_inner_node_is_not_taken_for_a_leaf() -> None:
    path = FOUR.transaction_subject(1, 0)[3]
    own = FOUR.blocks[1].transaction_leaves[0]
    node = sha256(b"\x00" + own) + path[0]
    forged = ["receipt", 0, node, path[1:]]
    bundle = FOUR.bundle([4], 1, forged)
    assert refused(bundle, FOUR).rule == "PRF-013"


# PRF-010
def test_index_that_the_root_does_not_hold_is_nowhere_in_a_bundle() -> None:
    # Leaf 4 of 5 and leaf 1 of 2 have paths of the same shape, and the root of a tree does not tell them apart: a bundle that stated
    # index and size could be altered without being refused. So it states only the sides, and each of them is decided by the root.
    subject = FOUR.transaction_subject(1, 4)
    assert (subject[1], len(subject[3])) == (1, 1)
    for sides_ in range(8):
        changed = copy.deepcopy(FOUR.bundle([4], 1, subject))
        changed[6][0][1] = sides_
        if sides_ == 1:
            assert verify(sealed(changed), FOUR.genesis)
        else:
            refused(changed, FOUR)


# --- genesis and trusted checkpoint -----------------------------------------------------------------------------------------------


def genesis_of(chain: Chain, **changes: Any) -> bytes:
    return json.dumps({**chain.genesis_value, **changes}).encode()


GENESES = {
    "nothing": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "another format": genesis_of(ONE, format="genesis"),
    "another version": genesis_of(ONE, version=2),
    "another hash": genesis_of(ONE, hash="md5"),
    "a hash that is no text": genesis_of(ONE, hash=["sha256"]),
    "no certifiers": genesis_of(ONE, certifiers=[]),
    "certifiers that are no list": genesis_of(ONE, certifiers="carrier"),
    "a certifier that is no object": genesis_of(ONE, certifiers=["carrier"]),
    "a certifier with a field more": genesis_of(ONE, certifiers=[{**ONE.genesis_value["certifiers"][0], "weight": 1}]),
    "an upper-case key": genesis_of(ONE, certifiers=[{**ONE.genesis_value["certifiers"][0], "public_key": "AB" * 32}]),
    "a key that is no text": genesis_of(ONE, certifiers=[{**ONE.genesis_value["certifiers"][0], "public_key": 7}]),
    "a power that is a truth value": genesis_of(ONE, certifiers=[{**ONE.genesis_value["certifiers"][0], "power": True}]),
    "a float": genesis_of(ONE, gas=1.0),
    "a null": genesis_of(ONE, more={"a": [None]}),
    "an integer beyond 64 bits": genesis_of(ONE, gas=2**63),
    "an integer of 5000 digits": ONE.genesis[:-1] + b',"gas":' + b"7" * 5000 + b"}",
    "a duplicate name": ONE.genesis[:-1] + b',"name":"test"}',
    "a lone surrogate": ONE.genesis[:-1] + b',"x":"\\ud800"}',
    "nested too deep": ONE.genesis[:-1] + b',"x":' + b"[" * 17 + b"]" * 17 + b"}",
    "nested without end": b"[" * 500_000,
    "too many bytes": ONE.genesis + b" " * verifier.GENESIS_BYTES_MAX,
    "not UTF-8": b"\xff" + ONE.genesis,
}


# LED-001
@pytest.mark.parametrize("case", GENESES)
def test_malformed_genesis_is_refused(case: str) -> None:
    bundle = sealed(ONE.bundle([4], 0, ONE.state_subject(0, "ebl", "bills", KEY)))
    with pytest.raises(VerificationError) as refusal:
        verify(bundle, GENESES[case])
    assert refusal.value.rule in ("LED-001", "COD-002", "COD-003", "PRF-010", "PRF-011")


# LED-001: refused by a node as well, which must not know of a ledger that a verifier does not, or the other way round.
def test_truth_value_as_version_of_the_genesis_is_refused() -> None:
    with pytest.raises(VerificationError, match="LED-001"):
        verifier.read_genesis(genesis_of(ONE, version=True))


# LED-001
def test_layout_and_order_of_the_genesis_do_not_matter_and_content_does() -> None:
    bundle = sealed(ONE.bundle([4], 0, ONE.state_subject(0, "ebl", "bills", KEY)))
    assert verify(bundle, json.dumps(dict(reversed(ONE.genesis_value.items()))).encode())
    with pytest.raises(VerificationError, match="PRF-010: the bundle is of network"):
        verify(bundle, genesis_of(ONE, name="other"))


TRUSTED = {
    "nothing": "",
    "another root": CHANGING.checkpoint(5).replace(CHANGING.checkpoint(5).split("\n")[2], base64.b64encode(bytes(32)).decode()),
    "another size": CHANGING.checkpoint(4),
    "another network": ONE.checkpoint(4),
    "an extension line": CHANGING.checkpoint(5) + "extension\n",
    "no line feed at the end": CHANGING.checkpoint(5)[:-1],
    "carriage returns": CHANGING.checkpoint(5).replace("\n", "\r\n"),
    "a byte order mark": "\ufeff" + CHANGING.checkpoint(5),
    "a lone surrogate": "\ud800" + CHANGING.checkpoint(5),
    "too long": CHANGING.checkpoint(5) + "\n" + "x" * verifier.CHECKPOINT_BYTES_MAX + "\n",
}


# PRF-012
@pytest.mark.parametrize("case", TRUSTED)
def test_other_or_malformed_trusted_checkpoint_is_refused(case: str) -> None:
    error = refused(CHANGING.bundle([5, 7], 6, ABSENT), CHANGING, TRUSTED[case])
    assert error.rule in ("PRF-001", "PRF-012")


# PRF-010
def test_bundle_over_the_size_limit_is_refused_before_it_is_read() -> None:
    assert refused(b"\x5a\x7f" + bytes(verifier.PROOF_BYTES_MAX), ONE).rule == "PRF-010"
