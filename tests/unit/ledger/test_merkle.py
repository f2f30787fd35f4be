"""RFC 6962 trees of the ledger (COD-011, LED-040) against their recursive definition, and against the verifier's half."""

import pytest

from tests.proof_chain import hashes, sides, tree_path, tree_root
from tests.vectors_file import vectors
from yunhe.crypto.hashes import SHA256
from yunhe.ledger import merkle
from yunhe.ledger.merkle import MerkleLog, inclusion_path, merkle_root, path_sides
from yunhe.verifier import VerificationError, root_from_path

REFERENCE_TREE = vectors("merkle_certificate_transparency")
LEAVES = [f"leaf {number}".encode() for number in range(70)]
SIZES = [*range(1, 20), 31, 32, 33, 63, 64, 65, 70]


@pytest.fixture(params=["native", "reference"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "reference":
        monkeypatch.setattr(merkle, "_native_root", None)
    elif merkle._native_root is None:
        pytest.skip("the native core is not installed")
    return str(request.param)


# COD-011
def test_roots_are_those_of_the_reference_tree(backend: str) -> None:
    leaves = [bytes.fromhex(leaf) for leaf in REFERENCE_TREE["leaves"]]
    assert merkle_root([], SHA256).hex() == REFERENCE_TREE["empty_root"]
    assert [merkle_root(leaves[: size + 1], SHA256).hex() for size in range(8)] == REFERENCE_TREE["roots"]


def test_root_is_the_recursive_definition_at_every_size(backend: str) -> None:
    for size in range(len(LEAVES) + 1):
        assert merkle_root(LEAVES[:size], SHA256) == tree_root(LEAVES[:size])


# LED-040
def test_log_answers_for_every_earlier_size() -> None:
    log = MerkleLog(SHA256, LEAVES)
    assert (log.size, log.root()) == (70, tree_root(LEAVES))
    for size in range(71):
        assert log.root(size) == tree_root(LEAVES[:size])
    for size in SIZES:
        for index in range(size):
            assert list(log.inclusion_path(index, size)) == hashes(tree_path(LEAVES[:size], index))


# LED-042
def test_log_extends_its_own_past() -> None:
    log = MerkleLog(SHA256, LEAVES[:10])
    assert all(log.is_extension_of(size, tree_root(LEAVES[:size])) for size in range(11))


# LED-042
def test_log_does_not_extend_a_longer_or_another_log() -> None:
    log = MerkleLog(SHA256, LEAVES[:10])
    assert not log.is_extension_of(11, tree_root(LEAVES[:11]))
    assert not log.is_extension_of(5, tree_root(LEAVES[1:6]))
    assert not log.is_extension_of(5, tree_root(LEAVES[:6]))


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (0, 71), (70, None)])
def test_leaf_outside_the_tree_has_no_path(index: int, size: int | None) -> None:
    with pytest.raises(IndexError):
        MerkleLog(SHA256, LEAVES).inclusion_path(index, size)
    with pytest.raises(IndexError):
        MerkleLog(SHA256, LEAVES).root(-1 if size is None or size <= 70 else size)


# COD-011
def test_path_leads_to_the_root_and_only_for_its_leaf_index_and_size() -> None:
    for size in SIZES:
        root = tree_root(LEAVES[:size])
        for index in range(size):
            path = inclusion_path(LEAVES[:size], index, SHA256)
            assert root_from_path(LEAVES[index], index, size, path) == root
            assert root_from_path(b"another", index, size, path) != root
            for wrong in ((*path, bytes(32)), path[:-1] if path else (bytes(32),), (*path, *path) if path else (bytes(32),)):
                with pytest.raises(VerificationError, match="COD-011"):
                    root_from_path(LEAVES[index], index, size, wrong)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (7, -1)])
def test_verifier_refuses_an_index_outside_the_tree_cod_011(index: int, size: int) -> None:
    with pytest.raises(VerificationError, match="COD-011"):
        root_from_path(b"", index, size, [])


def test_sides_are_those_of_the_recursive_definition() -> None:
    for size in SIZES:
        for index in range(size):
            assert path_sides(index, size) == sides(tree_path(LEAVES[:size], index))


def test_million_headers_take_64_bytes_each() -> None:
    log = MerkleLog(SHA256)
    for _ in range(4096):
        log.append(b"x")
    assert sum(len(level) for level in log._levels) == 32 * (2 * 4096 - 1)
