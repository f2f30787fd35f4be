"""STO-016: certificates of changes of certifiers are verified whenever they are read, and none may be missing on a proof's way."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kept_store import certification
from tests.unit.storage.stored_chain import CLERK, GENESIS, NEXT_LEDGER, NODE, SUITE, TIME_MS, add_block, add_certifier_change
from yunhe.crypto import SHA256, PrivateKey
from yunhe.errors import BlockLogShortenedError, CertificateDamagedError, InvalidInputError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, Cosignature, cosign
from yunhe.ledger.codec import encode
from yunhe.ledger.header import Header
from yunhe.ledger.merkle import MerkleLog
from yunhe.ledger.proof import CertifiedCheckpoint
from yunhe.storage import Certificates, DataFolder

NETWORK = GENESIS.network_id
KEYS = {name: PrivateKey(SUITE, bytes([number]) * 32) for number, name in enumerate(("bank", "carrier", "port"), 10)}


def certifiers(**powers: int) -> CertifierSet:
    return CertifierSet.of([Certifier(name, SUITE, KEYS[name].public_key.raw, power) for name, power in powers.items()])


OLD = certifiers(bank=1, carrier=1, port=1)
NEW = certifiers(bank=5, carrier=1, port=1)
SETS = [OLD, OLD, NEW, NEW, OLD, OLD]
"""The set that each header names as next: it changes with blocks 2 and 4."""


def headers(sets: Sequence[CertifierSet]) -> list[Header]:
    """Headers that name these sets as next, and are right in nothing else."""
    zero = bytes(32)
    return [Header(NETWORK, height, height, zero, zero, zero, zero, named.hash(SHA256)) for height, named in enumerate(sets)]


HEADERS = headers(SETS)
LOG = MerkleLog(SHA256, [header.hash(SHA256) for header in HEADERS])


def certified(size: int, members: CertifierSet = OLD, signers: Sequence[str] = ("bank", "carrier", "port")) -> CertifiedCheckpoint:
    """What a set makes of the first `size` headers."""
    checkpoint = Checkpoint(NETWORK, size, LOG.root(size))
    return CertifiedCheckpoint(checkpoint, members, tuple(cosign(checkpoint, name, KEYS[name], 1000) for name in signers))


def open_folder(folder: Path, network_id: bytes = NETWORK, log: MerkleLog = LOG) -> Certificates:
    return Certificates(folder / "certificates", network_id, log, HEADERS.__getitem__)


@pytest.fixture
def kept(tmp_path: Path) -> Certificates:
    """Both certificates of the log."""
    certificates = open_folder(tmp_path)
    certificates.keep(certified(3))
    certificates.keep(certified(5, NEW))
    return certificates


def test_kept_certificates_are_read_back(tmp_path, kept):
    """STO-016 accepted."""
    again = open_folder(tmp_path)
    assert again.sizes() == (3, 5)
    assert (again.read(3), again.read(5)) == (certified(3), certified(5, NEW))
    ways = {1: (), 2: (), 3: (), 4: (3,), 5: (3,), 6: (3, 5)}
    assert {size: tuple(item.checkpoint.size for item in again.chain(size)) for size in ways} == ways


def test_folder_without_certificates_is_one_where_nothing_changed(tmp_path):
    """STO-016 accepted; nothing is made by reading."""
    certificates = open_folder(tmp_path)
    assert certificates.sizes() == ()
    assert certificates.chain(3) == ()
    assert not (tmp_path / "certificates").exists()


def test_cosignatures_are_kept_in_the_order_of_the_set(tmp_path):
    """STO-016 accepted: whatever order they came in."""
    certificates = open_folder(tmp_path)
    certificates.keep(certified(3, signers=("port", "bank", "carrier")))
    assert certificates.read(3) == certified(3)


@pytest.mark.parametrize("signers", [("bank", "carrier"), ("carrier", "port"), ("bank", "port")])
def test_more_than_two_thirds_of_the_power_are_needed(tmp_path, signers):
    """PRF-002: of three equal certifiers two are exactly two thirds and refused; bank alone has more than two thirds of the other set."""
    certificates = open_folder(tmp_path)
    certificates.keep(certified(3, signers=signers))
    with pytest.raises(CertificateDamagedError, match="that count"):
        certificates.read(3)
    certificates.keep(certified(5, NEW, ("bank",)))
    assert certificates.read(5) == certified(5, NEW, ("bank",))


def by_another(size: int) -> CertifiedCheckpoint:
    """A cosignature by a key that is in no set."""
    real = certified(size)
    return replace(real, cosignatures=(*real.cosignatures[:2], cosign(real.checkpoint, "port", CLERK, 1000)))


def forged(size: int, change: Callable[[Cosignature], Cosignature]) -> CertifiedCheckpoint:
    real = certified(size)
    return replace(real, cosignatures=(change(real.cosignatures[0]), *real.cosignatures[1:]))


WRONG: dict[str, tuple[CertifiedCheckpoint, str]] = {
    "another root": (replace(certified(3), checkpoint=Checkpoint(NETWORK, 3, bytes(32))), "does not certify"),
    "another set": (certified(3, NEW), "another certifier set"),
    "another signature": (forged(3, lambda c: replace(c, signature=bytes(64))), "does not verify"),
    "another time": (forged(3, lambda c: replace(c, time_s=c.time_s + 1)), "does not verify"),
    "another key": (by_another(3), "that count"),
    "a certifier twice": (replace(certified(3), cosignatures=certified(3).cosignatures[:1] * 3), "that count"),
    "no cosignature": (replace(certified(3), cosignatures=()), "that count"),
    "a checkpoint without a header before its last": (certified(1), "does not certify"),
}


@pytest.mark.parametrize(("wrong", "named"), WRONG.values(), ids=WRONG)
def test_certificate_that_does_not_certify_this_log_is_refused(tmp_path, wrong, named):
    """STO-016 refused, whoever wrote it."""
    certificates = open_folder(tmp_path)
    certificates.keep(wrong)
    with pytest.raises(CertificateDamagedError, match=named):
        certificates.read(wrong.checkpoint.size)


def test_certificate_of_another_network_or_size_is_refused(tmp_path, kept):
    """STO-016 refused."""
    with pytest.raises(CertificateDamagedError, match="network or size"):
        open_folder(tmp_path, bytes(32)).read(3)
    path = tmp_path / "certificates" / f"{3:020}.certificate"
    path.replace(path.with_name(f"{4:020}.certificate"))
    with pytest.raises(CertificateDamagedError, match="network or size"):
        kept.read(4)


def test_certificate_of_a_longer_log_is_refused(tmp_path, kept):
    """STO-007 refused: the log was rolled back."""
    shorter = MerkleLog(SHA256, [header.hash(SHA256) for header in HEADERS[:4]])
    with pytest.raises(BlockLogShortenedError, match="only 4"):
        open_folder(tmp_path, log=shorter).read(5)


def test_certificates_of_all_changes_lead_to_every_size(kept):
    """STO-016 accepted."""
    assert [kept.first_gap(size) for size in range(1, 7)] == [None] * 6


@pytest.mark.parametrize(("missing", "gaps"), [(3, {3: None, 4: 4, 5: 5, 6: 5}), (5, {4: None, 5: None, 6: 6})])
def test_missing_certificate_is_a_gap_for_the_sizes_above_its_change(tmp_path, kept, missing, gaps):
    """STO-016 refused above the change, accepted below it."""
    (tmp_path / "certificates" / f"{missing:020}.certificate").unlink()
    assert {size: kept.first_gap(size) for size in gaps} == gaps
    with pytest.raises(CertificateDamagedError, match="missing"):
        kept.read(missing)


def test_missing_certificates_are_no_gap_for_the_set_that_the_genesis_names(tmp_path):
    """STO-016 accepted: the last set is the first one again, so nothing has to lead to it."""
    certificates = open_folder(tmp_path)
    assert {size: certificates.first_gap(size) for size in (3, 4, 5, 6)} == {3: None, 4: 4, 5: 5, 6: None}


def test_file_that_is_no_certificate_is_refused(tmp_path, kept):
    """STO-016 refused; files of other names are nobody's."""
    path = tmp_path / "certificates" / f"{3:020}.certificate"
    for content in (b"", b"\xff", encode(5), encode(["yunhe-certificate", 2, NETWORK, 3, bytes(32), b"", []]), bytes(2 * 1024 * 1024)):
        path.write_bytes(content)
        with pytest.raises(CertificateDamagedError):
            kept.read(3)
    for name in ("notes.certificate", "3.certificate", f"{4:020}.certificate.new"):
        (tmp_path / "certificates" / name).write_bytes(b"x")
    assert kept.sizes() == (3, 5)


@pytest.mark.parametrize("left", [None, b"", b"damaged"], ids=["missing", "empty", "damaged"])
def test_certificate_of_the_last_block_is_made_again_at_the_start(open_store, folder, left):
    """STO-016: a crash between the commit of a change and its certificate; accepted while the set that counts still signs."""
    store, stored = open_store(), DataFolder(folder)
    add_block(store, 1)
    certification(store, stored, NODE).committed(add_certifier_change(store, 2))
    path = stored.certificates / f"{3:020}.certificate"
    made = path.read_bytes()
    if left is None:
        path.unlink()
    else:
        path.write_bytes(left)
    certification(store, stored, NODE)
    assert path.read_bytes() == made
    assert made.count(encode(TIME_MS // 1000)) == 1
    assert made.count(NEXT_LEDGER.public_key.raw) == 0


def test_certificate_of_another_node_is_kept(tmp_path, kept):
    """CER-005 accepted: the next one after each size, until there is none."""
    lacking = open_folder(tmp_path / "lacking")
    for size, found in ((0, 3), (3, 5)):
        assert lacking.adopt(kept.after(size))
        assert lacking.sizes()[-1] == found
    assert kept.after(5) is None
    assert (lacking.read(3), lacking.read(5)) == (certified(3), certified(5, NEW))


def test_certificate_of_another_node_that_does_not_belong_here_is_not_kept(tmp_path, kept):
    """CER-005 refused: altered, of no change, of a set that did not count, of a longer log."""
    lacking = open_folder(tmp_path / "lacking")
    shorter = open_folder(tmp_path / "lacking", log=MerkleLog(SHA256, [header.hash(SHA256) for header in HEADERS[:2]]))
    other = open_folder(tmp_path / "other")
    other.keep(certified(4, NEW))
    assert not lacking.adopt(other.after(0))
    other.keep(certified(3, NEW))
    wrong_set = (tmp_path / "other/certificates/00000000000000000003.certificate").read_bytes()
    for bad in (wrong_set, kept.after(0)[:-1] + b"\xff"):
        with pytest.raises(CertificateDamagedError):
            lacking.adopt(bad)
    with pytest.raises(BlockLogShortenedError):
        shorter.adopt(kept.after(0))
    with pytest.raises(InvalidInputError):
        lacking.adopt(b"none")
    assert lacking.sizes() == ()
