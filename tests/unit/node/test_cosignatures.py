"""What nodes of several organisations tell each other with their votes, and what becomes of it; no block is made here."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.node.consortium_nodes import code, make_folders, run_nodes
from yunhe.crypto import PrivateKey
from yunhe.errors import CertificatePendingError, MalformedError, NotACertifierError
from yunhe.ledger.checkpoint import Checkpoint, cosign, note, read_note
from yunhe.ledger.codec import encode
from yunhe.limits import VOTE_EXTENSION_BYTES_MAX
from yunhe.node import Node, NodeFolder, ProofSubjectRequest
from yunhe.node.vote_words import read_vote_words, vote_words
from yunhe.verifier import verify

NAMES = ("bank", "carrier", "customs", "port")
STRANGER = PrivateKey("ed25519-sha256", bytes([9]) * 32)
VOTER = bytes(20)
PORT_ADMIN = ProofSubjectRequest.of_record("registry", "members", ("port", "admin"))
ADMIN = ProofSubjectRequest.of_record("registry", "members", ("bank", "admin"))


def with_nodes(path: Path, body: Callable[[list[Node]], None]) -> None:
    """Open the nodes of a network; their engines are not started, so there is the genesis alone."""
    folders, _ = make_folders(path, NAMES)

    async def run() -> None:
        nodes = [Node(folder) for folder in folders]
        try:
            body(nodes)
        finally:
            await asyncio.gather(*(node.stop() for node in nodes))

    asyncio.run(run())


def test_three_of_four_votes_make_a_certificate_and_two_do_not(tmp_path: Path) -> None:
    """CER-001, CER-002 accepted; CER-003 refused, then accepted."""

    def body(nodes: list[Node]) -> None:
        own = nodes[0].certification
        for other in nodes[1:3]:
            with pytest.raises(CertificatePendingError):
                own.prove([ADMIN], None)
            own.receive_extension(other.certification.extend_vote(), VOTER)
        assert own.certified_height() == 0
        proof = verify(own.prove([ADMIN], None), nodes[0].genesis.to_json().encode())
        assert proof.certificates[-1].organisations == NAMES[:3]
        own.receive_extension(nodes[3].certification.extend_vote(), VOTER)
        assert len(read_note(own.newest_note(), nodes[0].network_id)[1]) == 4

    with_nodes(tmp_path / "network", body)


def test_vote_carries_nothing_when_the_key_does_not_count(tmp_path: Path) -> None:
    """CER-001 refused."""
    folders, _ = make_folders(tmp_path / "network", NAMES)
    folder = folders[0]
    (folder.path / "keys/ledger.pem").write_bytes(STRANGER.to_pem((folder.path / "secrets/passphrase").read_bytes().strip()))

    async def run() -> None:
        node = Node(folder)
        try:
            assert node.certification.extend_vote() == b""
        finally:
            await node.stop()

    asyncio.run(run())


def test_what_does_not_count_is_passed_over(tmp_path: Path) -> None:
    """CER-002 refused."""

    def body(nodes: list[Node]) -> None:
        own, told = nodes[0].certification, nodes[1].certification.extend_vote()
        words = read_vote_words(told)
        checkpoint, _ = read_note(words[0], nodes[0].network_id)
        other_root = Checkpoint(checkpoint.network_id, 1, bytes(32))
        later = Checkpoint(checkpoint.network_id, 2, checkpoint.root)
        _, key = nodes[1].folder.load_keys()
        notes = [
            b"no note",
            words[0].replace(b"\n\n", b"\n"),
            words[0][:-20] + b"AAAA" + words[0][-16:],
            note(checkpoint, [cosign(checkpoint, "carrier", STRANGER, 1)]),
            note(checkpoint, [cosign(checkpoint, "bank", key, 1)]),
            note(other_root, [cosign(other_root, "carrier", key, 1)]),
            note(later, [cosign(later, "carrier", key, 1)]),
            note(Checkpoint(bytes(32), 1, checkpoint.root), [cosign(checkpoint, "carrier", key, 1)]),
        ]
        useless = [vote_words(one, None, b"") for one in notes] + [vote_words(b"", 2**60, b"none"), encode([1, 2]), words[0]]
        for one in [b"\xff", bytes(VOTE_EXTENSION_BYTES_MAX), *useless]:
            own.receive_extension(one, VOTER)
        assert len(read_note(own.newest_note(), nodes[0].network_id)[1]) == 1
        for _ in range(2):
            own.receive_extension(told, VOTER)
        assert len(read_note(own.newest_note(), nodes[0].network_id)[1]) == 2

    with_nodes(tmp_path / "network", body)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"yunhe/x\n1\nAA==\n\n", b"yunhe/x\n0\n" + b"A" * 43 + b"=\n\n", b"a\nb\nc\nd\n\n"])
def test_note_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_note(data, bytes(32))


@pytest.mark.parametrize("time_s", [2**63, 2**64 - 1])
def test_cosignature_of_a_time_that_is_none_is_refused(time_s: int) -> None:
    """PRF-001: one certifier that signs such a time must not get it into what others keep."""
    checkpoint = Checkpoint(bytes(32), 1, bytes(32))
    with pytest.raises(MalformedError):
        read_note(note(checkpoint, [cosign(checkpoint, "bank", PrivateKey.generate(), time_s)]), bytes(32))


def test_certificate_of_a_change_that_a_node_lacks_comes_with_the_votes(tmp_path: Path) -> None:
    """CER-005 accepted; refused before, and when it is altered."""
    (folder,), (admin,) = make_folders(tmp_path / "network", ("port",))
    ledger_key = folder.load_keys()[1].public_key

    async def change(nodes: list[Node]) -> None:
        certifier = {"organisation": "port", "suite": ledger_key.suite, "public_key": ledger_key.raw}
        for power in (2, 3):
            assert await code(nodes[0], admin.call(nodes[0], power, "propose_certifier", "governance", **certifier, power=power)) == "OK"
        assert await code(nodes[0], admin.call(nodes[0], 4)) == "ACTION_NOT_FOUND"

    run_nodes([folder], change)
    copy = tmp_path / "copy"
    shutil.copytree(folder.path, copy, ignore=shutil.ignore_patterns("*.sock"))
    for kept in (copy / "store/certificates").glob("0*.certificate"):
        kept.unlink()

    async def exchange() -> None:
        whole, lacking = Node(NodeFolder.load(folder.path)), Node(NodeFolder.load(copy))
        try:
            for missing in (2, 1, 0):
                assert len(list((copy / "store/certificates").glob("0*.certificate"))) == 2 - missing
                if missing:
                    with pytest.raises(NotACertifierError):
                        lacking.certification.prove([PORT_ADMIN], None)
                whole.certification.receive_extension(lacking.certification.extend_vote(), VOTER)
                note, _, certificate = read_vote_words(whole.certification.extend_vote())
                assert bool(certificate) is (missing > 0)
                lacking.certification.receive_extension(vote_words(note, None, certificate[:-1] + b"\xff"), VOTER)
                lacking.certification.receive_extension(vote_words(note, None, certificate), VOTER)
            # Who asks again and again keeps nobody from an answer.
            for asked, voter in [(5, b"hog"), (0, b"honest"), *[(number, b"hog") for number in range(2, 40)]]:
                whole.certification.receive_extension(vote_words(b"", asked, b""), voter)
            answers = [read_vote_words(whole.certification.extend_vote())[2] for _ in range(3)]
            assert [bool(answer) for answer in answers] == [False, True, False]
            proof = verify(lacking.certification.prove([PORT_ADMIN], None), folder.genesis.to_json().encode())
            assert [step.total_power for step in proof.certificates] == [1, 2, 3]
        finally:
            await whole.stop()
            await lacking.stop()

    asyncio.run(exchange())
