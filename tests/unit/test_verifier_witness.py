"""PRF-030: a witness's cosignature counts for one checkpoint, one name and one key, and for nothing else."""

import base64
import hashlib

import pytest

from tests.proof_chain import COSIGNATURE_TYPES, SM2, SUITE, Certifier, certifiers, sample_chain
from yunhe.ledger.checkpoint import key_line
from yunhe.verifier import VerificationError, VerifiedProof, check_witness, verify

CHAIN = sample_chain(certifiers("carrier"))
SIZE = 4
NAME = "regulator.example"


def key_of(witness: Certifier, name: str = NAME) -> str:
    """Write a key line as C2SP `signed-note` says."""
    kind = COSIGNATURE_TYPES[witness.suite]
    key_id = hashlib.sha256(name.encode() + b"\n" + kind + witness.public_key).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(kind + witness.public_key).decode()}"


def note_of(text: str, *signers: Certifier, name: str = NAME) -> str:
    return text + "\n" + "".join(CHAIN.line(text, signer, name=name) for signer in signers)


@pytest.fixture(scope="module")
def proof() -> VerifiedProof:
    return verify(CHAIN.sealed(CHAIN.bundle([SIZE], 3, CHAIN.transaction_subject(3, 0))), CHAIN.genesis)


@pytest.fixture(params=[SUITE, SM2])
def witness(request) -> Certifier:
    (made,) = certifiers("witness", suite=request.param)
    return made


def test_prf_030_witness_of_the_last_checkpoint_is_named_with_its_time(proof, witness) -> None:
    found = check_witness(proof, note_of(CHAIN.checkpoint(SIZE), witness), key_of(witness) + "\n")
    assert (found.name, found.time_s) == (NAME, 1_700_000_000)


def test_prf_030_key_line_is_that_of_c2sp(witness) -> None:
    assert key_line(NAME, witness.suite, witness.public_key) == key_of(witness)


def test_prf_030_lines_of_others_beside_it_change_nothing(proof, witness) -> None:
    (other,) = certifiers("other")
    text = CHAIN.checkpoint(SIZE)
    note = note_of(text, witness) + CHAIN.line(text, other, name="other.example") + CHAIN.line(text, other, name=NAME)
    assert check_witness(proof, note, key_of(witness)).name == NAME


def wrong_notes(witness: Certifier) -> dict[str, str]:
    (other,) = certifiers("other", suite=witness.suite)
    text = CHAIN.checkpoint(SIZE)
    origin, size, _ = text.rstrip("\n").split("\n")
    another_root = f"{origin}\n{size}\n{base64.b64encode(bytes(32)).decode()}\n"
    good = note_of(text, witness)
    return {
        "another size": note_of(CHAIN.checkpoint(SIZE - 1), witness),
        "another root": note_of(another_root, witness),
        "a root that was not signed": good.replace(text, another_root),
        "another key": note_of(text, other),
        "another name": note_of(text, witness, name="regulator.other"),
        "twice": note_of(text, witness, witness),
        "no signature": text + "\n",
        "another network": good.replace(origin, "yunhe/" + "0" * 64),
        "another time": CHAIN.line(text, witness, 1_700_000_001, name=NAME).join([text + "\n", ""])[:-3] + "A=\n",
        "nothing": "",
        "long": good + "x" * 100_000,
    }


@pytest.mark.parametrize("name", list(wrong_notes(certifiers("w")[0])))
def test_prf_030_any_other_note_is_refused(proof, witness, name) -> None:
    with pytest.raises(VerificationError):
        check_witness(proof, wrong_notes(witness)[name], key_of(witness))


def test_prf_030_other_root_is_called_another_history(proof, witness) -> None:
    with pytest.raises(VerificationError, match="another history"):
        check_witness(proof, wrong_notes(witness)["another root"], key_of(witness))


@pytest.mark.parametrize("key", ["", "a", "a+b", "a+b+c", "++", "a+00000000+BAAA", "\N{EM DASH}+x+y", "a b+49b272a1+BA=="])
def test_prf_030_text_that_is_no_key_line_is_refused(proof, witness, key) -> None:
    with pytest.raises(VerificationError):
        check_witness(proof, note_of(CHAIN.checkpoint(SIZE), witness), key)


def test_prf_030_altered_key_line_is_refused(proof, witness) -> None:
    key, note = key_of(witness), note_of(CHAIN.checkpoint(SIZE), witness)
    for place in range(len(key)):
        altered = key[:place] + ("A" if key[place] != "A" else "B") + key[place + 1 :]
        with pytest.raises(VerificationError):
            check_witness(proof, note, altered)
