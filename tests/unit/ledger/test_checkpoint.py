"""PRF-001 and the certifier set, on the producing side."""

import base64
import hashlib

import pytest

from tests.unit.ledger.chain_in_memory import NETWORK, SUITE, key
from yunhe.crypto import SHA256, PublicKey
from yunhe.errors import InvalidKeyError, MalformedError, UnknownSuiteError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, cosign, note
from yunhe.ledger.codec import encode

CHECKPOINT = Checkpoint(NETWORK, 42, bytes([7]) * 32)


def test_checkpoint_text_is_origin_size_and_root():
    origin, size, root, end = CHECKPOINT.text().split("\n")
    assert (origin, size, end) == (f"yunhe/{NETWORK.hex()}", "42", "")
    assert base64.b64decode(root, validate=True) == CHECKPOINT.root


def test_cosignature_line_holds_key_id_time_and_signature_over_the_c2sp_message():
    """PRF-001, rebuilt from the C2SP text."""
    signed = note(CHECKPOINT, [cosign(CHECKPOINT, "port", key(3), 1_700_000_000)]).decode()
    text, line = signed.split("\n\n")
    name = f"yunhe/{NETWORK.hex()}/port"
    dash, shown_name, blob = line.rstrip("\n").split(" ")
    raw = base64.b64decode(blob, validate=True)
    public = key(3).public_key
    assert (dash, shown_name) == ("\N{EM DASH}", name)
    assert raw[:4] == hashlib.sha256(name.encode() + b"\n\x04" + public.raw).digest()[:4]
    assert int.from_bytes(raw[4:12], "big") == 1_700_000_000
    public.verify(b"cosignature/v1\ntime 1700000000\n" + text.encode() + b"\n", raw[12:])


def test_note_orders_cosignatures_by_organisation():
    """PRF-002."""
    cosignatures = [cosign(CHECKPOINT, name, key(3), 5) for name in ("port", "bank", "carrier")]
    lines = note(CHECKPOINT, cosignatures).decode().split("\n\n")[1].splitlines()
    assert [line.rsplit("/", 1)[1].split(" ")[0] for line in lines] == ["bank", "carrier", "port"]


def certifier(name: str, power: int = 1) -> Certifier:
    return Certifier(name, SUITE, key(3).public_key.raw, power)


def test_certifier_set_round_trip_and_order():
    members = CertifierSet.of([certifier("port", 2), certifier("bank")])
    assert [member.organisation for member in members.members] == ["bank", "port"]
    assert CertifierSet.decode(members.encode()) == members
    assert members.power == 3
    assert members.find("bank") == certifier("bank")
    assert members.find("ship") is None
    assert members.hash(SHA256) != CertifierSet.of([certifier("port"), certifier("bank")]).hash(SHA256)


@pytest.mark.parametrize("names", [[], ["bank", "bank"], [f"o{n}" for n in range(257)]])
def test_certifier_set_empty_double_or_too_large_is_refused(names):
    with pytest.raises(MalformedError):
        CertifierSet.of([certifier(name) for name in names])


def test_certifier_set_out_of_order_is_refused():
    raw = key(3).public_key.raw
    with pytest.raises(MalformedError):
        CertifierSet.decode(encode([["port", SUITE, raw, 1], ["bank", SUITE, raw, 1]]))


def test_certifier_with_wrong_key_suite_or_power_is_refused():
    with pytest.raises(InvalidKeyError):
        Certifier("port", SUITE, bytes(31), 1)
    with pytest.raises(UnknownSuiteError):
        Certifier("port", "rsa", bytes(32), 1)
    for power in (0, 1_000_001):
        with pytest.raises(MalformedError):
            certifier("port", power)
    assert PublicKey(SUITE, key(3).public_key.raw) == key(3).public_key
