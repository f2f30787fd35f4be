"""A chain written from the specification alone, for the tests of the verifier and of what makes bundles.

It imports nothing of Yunhe: `cbor2` encodes, `cryptography` and `tests.sm2_signing` sign, and trees are computed by their recursive
definitions. What it makes are nested lists, so that a test can put one thing wrong and leave the rest as it is.
"""

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests import sm2_signing

SUITE = "ed25519-sha256"
SM2 = "sm2-sm3"
COSIGNATURE_TYPES = {SUITE: b"\x04", SM2: b"\xffyunhe/cosignature/sm2-sm3/1"}
EM_DASH = "\N{EM DASH}"
GENESIS_TIME_MS = 1_700_000_000_000


Digest: TypeAlias = Callable[[bytes], bytes]


def cbor(value: Any) -> bytes:
    """Encode canonically."""
    return cbor2.dumps(value, canonical=True)


def sha256(data: bytes) -> bytes:
    """Hash."""
    return hashlib.sha256(data).digest()


def tagged(tag: str, data: bytes, digest: Digest = sha256) -> bytes:
    """Hash under a tag (COD-010)."""
    return digest(tag.encode() + b"\x00" + data)


def tree_root(leaves: list[bytes], digest: Digest = sha256) -> bytes:
    """RFC 6962 §2.1, as it is defined there."""
    if not leaves:
        return digest(b"")
    if len(leaves) == 1:
        return digest(b"\x00" + leaves[0])
    k = _split(len(leaves))
    return digest(b"\x01" + tree_root(leaves[:k], digest) + tree_root(leaves[k:], digest))


def tree_path(leaves: list[bytes], index: int, digest: Digest = sha256) -> list[tuple[int, bytes]]:
    """RFC 6962 §2.1.1, with 1 for each hash that stands on the left."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*tree_path(leaves[:k], index, digest), (0, tree_root(leaves[k:], digest))]
    return [*tree_path(leaves[k:], index - k, digest), (1, tree_root(leaves[:k], digest))]


def hashes(path: list[tuple[int, bytes]]) -> list[bytes]:
    """The hashes of a path."""
    return [node for _, node in path]


def sides(path: list[tuple[int, bytes]]) -> int:
    """The sides of a path, as bundles hold them."""
    return sum(side << level for level, (side, _) in enumerate(path))


def _split(count: int) -> int:
    k = 1
    while 2 * k < count:
        k *= 2
    return k


def state_root(leaves: dict[str, bytes], prefix: str = "", digest: Digest = sha256) -> bytes:
    """LED-030; leaves from path as 256 binary digits to value hash."""
    inside = {path: value for path, value in leaves.items() if path.startswith(prefix)}
    if not inside:
        return bytes(32)
    if len(inside) == 1:
        ((path, value),) = inside.items()
        return digest(b"\x02" + int(path, 2).to_bytes(32, "big") + value)
    return digest(b"\x03" + state_root(inside, prefix + "0", digest) + state_root(inside, prefix + "1", digest))


def digits(path: bytes) -> str:
    """A path as 256 binary digits."""
    return f"{int.from_bytes(path, 'big'):0256b}"


def state_siblings(leaves: dict[str, bytes], path: str, digest: Digest = sha256) -> tuple[list[Any], list[bytes] | None]:
    """(siblings, other leaf) of a path."""
    bitmap, siblings, prefix = 0, [], ""
    while len(inside := {p: v for p, v in leaves.items() if p.startswith(prefix)}) > 1:
        depth = len(prefix)
        sibling = state_root(inside, prefix + ("1" if path[depth] == "0" else "0"), digest)
        if sibling != bytes(32):
            bitmap |= 1 << 255 - depth
            siblings.append(sibling)
        prefix += path[depth]
    other = None
    for found, value in inside.items():
        if found != path:
            other = [int(found, 2).to_bytes(32, "big"), value]
    return [bitmap.to_bytes(32, "big"), siblings], other


def state_key(contract: str, table: str, key: list[Any]) -> bytes:
    """COD-060."""
    encoded = f"{contract}\0{table}\0".encode()
    for part in key:
        if isinstance(part, int):
            encoded += b"\x03" + (part + 2**63).to_bytes(8, "big")
        else:
            raw = part if isinstance(part, bytes) else part.encode()
            encoded += (b"\x01" if isinstance(part, bytes) else b"\x02") + raw.replace(b"\0", b"\0\xff") + b"\0"
    return encoded


@dataclass
class Certifier:
    """An organisation's ledger key."""

    organisation: str
    power: int = 1
    suite: str = SUITE

    @property
    def secret(self) -> bytes:
        return sha256(self.organisation.encode())

    @cached_property
    def public_key(self) -> bytes:
        if self.suite == SM2:
            return sm2_signing.public_key(int.from_bytes(self.secret, "big"))
        return Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()

    @property
    def entry(self) -> list[Any]:
        return [self.organisation, self.suite, self.public_key, self.power]

    def sign(self, message: bytes) -> bytes:
        if self.suite == SM2:
            return sm2_signing.sign(int.from_bytes(self.secret, "big"), message)
        return Ed25519PrivateKey.from_private_bytes(self.secret).sign(message)


def certifiers(*organisations: str, suite: str = SUITE) -> list[Certifier]:
    """A set of power one each, in order."""
    return [Certifier(organisation, suite=suite) for organisation in sorted(organisations)]


def certifier_set(members: list[Certifier]) -> bytes:
    """A set, encoded."""
    return cbor([member.entry for member in members])


@dataclass
class Block:
    """What stands behind a header."""

    header: bytes
    transactions: list[bytes]
    transaction_leaves: list[bytes]
    receipts: list[bytes]
    state: dict[bytes, bytes]
    next_set: list[Certifier]


class Chain:
    """A chain in memory; block 0 is the genesis."""

    def __init__(self, founders: list[Certifier], name: str = "test", digest: Digest = sha256) -> None:
        self.founders = founders
        self.digest = digest
        self.genesis_value = {
            "format": "yunhe-genesis",
            "version": 1,
            "name": name,
            "hash": digest.__name__,
            "certifiers": [
                {"organisation": m.organisation, "suite": m.suite, "public_key": m.public_key.hex(), "power": m.power} for m in founders
            ],
        }
        self.network_id = self.tagged("yunhe/genesis/1", cbor(self.genesis_value))
        self.blocks: list[Block] = []
        self.add({})

    def tagged(self, tag: str, data: bytes) -> bytes:
        return tagged(tag, data, self.digest)

    def sealed(self, parts: list[Any]) -> bytes:
        return sealed(parts, self.digest)

    @property
    def genesis(self) -> bytes:
        return json.dumps(self.genesis_value, indent=1).encode()

    @property
    def origin(self) -> str:
        return f"yunhe/{self.network_id.hex()}"

    def add(
        self,
        state: dict[bytes, bytes],
        transactions: list[bytes] | None = None,
        receipts: list[bytes] | None = None,
        next_set: list[Certifier] | None = None,
    ) -> Block:
        """Add a block after which the state is `state` (state key to encoded record)."""
        transactions, receipts = transactions or [], receipts or []
        height = len(self.blocks)
        counting = next_set or (self.blocks[-1].next_set if self.blocks else self.founders)
        leaves = [self.transaction_leaf(transaction) for transaction in transactions]
        previous = self.tagged("yunhe/header/1", self.blocks[-1].header) if self.blocks else bytes(32)
        header = cbor(
            [
                1,
                self.network_id,
                height,
                GENESIS_TIME_MS + 1000 * height,
                previous,
                tree_root(leaves, self.digest),
                tree_root(receipts, self.digest),
                state_root(self.leaves(state), digest=self.digest),
                self.tagged("yunhe/certifiers/1", certifier_set(counting)),
            ]
        )
        self.blocks.append(Block(header, transactions, leaves, receipts, dict(state), counting))
        return self.blocks[-1]

    def leaves(self, state: dict[bytes, bytes]) -> dict[str, bytes]:
        return {digits(self.tagged("yunhe/state-key/1", key)): self.tagged("yunhe/state-value/1", value) for key, value in state.items()}

    def transaction(self, signers: list[Certifier], salt: int = 0) -> bytes:
        """A transaction signed by these, who stand for members here."""
        named = [[s.organisation, "clerk", s.suite, s.public_key] for s in signers]
        calls = [["ebl", "transfer", {"bill_id": "B-1", "to": "bank"}]]
        body = cbor([1, self.network_id, named, calls, GENESIS_TIME_MS + 600_000, 1_000_000, salt.to_bytes(16, "big")])
        message = b"yunhe/sign-transaction/1\0" + self.tagged("yunhe/transaction/1", body)
        return cbor([body, [signer.sign(message) for signer in signers]])

    def transaction_leaf(self, transaction: bytes) -> bytes:
        body, signatures = cbor2.loads(transaction)
        return self.tagged("yunhe/transaction/1", body) + self.tagged("yunhe/signatures/1", cbor(signatures))

    # --- what bundles are made of ------------------------------------------------------------------------------------

    def log(self, size: int) -> list[bytes]:
        return [self.tagged("yunhe/header/1", block.header) for block in self.blocks[:size]]

    def checkpoint(self, size: int) -> str:
        return f"{self.origin}\n{size}\n{base64.b64encode(tree_root(self.log(size), self.digest)).decode()}\n"

    def line(self, text: str, signer: Certifier, time_s: int = 1_700_000_000, name: str = "") -> str:
        name = name or f"{self.origin}/{signer.organisation}"
        signature = signer.sign(f"cosignature/v1\ntime {time_s}\n{text}".encode())
        key_id = sha256(name.encode() + b"\n" + COSIGNATURE_TYPES[signer.suite] + signer.public_key)[:4]
        return f"{EM_DASH} {name} {base64.b64encode(key_id + time_s.to_bytes(8, 'big') + signature).decode()}\n"

    def note(self, size: int, signers: list[Certifier]) -> bytes:
        text = self.checkpoint(size)
        return (text + "\n" + "".join(self.line(text, signer) for signer in signers)).encode()

    def logged(self, height: int, size: int) -> list[Any]:
        return [self.blocks[height].header, hashes(tree_path(self.log(size), height, self.digest))]

    def counting(self, size: int) -> list[Certifier]:
        return self.blocks[size - 2].next_set if size > 1 else self.founders

    def step(self, size: int, signers: list[Certifier] | None = None) -> list[Any]:
        members = self.counting(size)
        before = self.logged(size - 2, size) if size > 1 else None
        return [self.note(size, members if signers is None else signers), certifier_set(members), self.logged(size - 1, size), before]

    def transaction_subject(self, height: int, index: int) -> list[Any]:
        path = tree_path(self.blocks[height].transaction_leaves, index, self.digest)
        return ["transaction", sides(path), self.blocks[height].transactions[index], hashes(path)]

    def receipt_subject(self, height: int, index: int) -> list[Any]:
        path = tree_path(self.blocks[height].receipts, index, self.digest)
        return ["receipt", sides(path), self.blocks[height].receipts[index], hashes(path)]

    def state_subject(self, height: int, contract: str, table: str, key: list[Any]) -> list[Any]:
        state = self.blocks[height].state
        encoded = state_key(contract, table, key)
        siblings, other = state_siblings(self.leaves(state), digits(self.tagged("yunhe/state-key/1", encoded)), self.digest)
        if encoded in state:
            return ["record", contract, table, key, state[encoded], siblings]
        return ["absence", contract, table, key, other, siblings]

    def bundle(self, sizes: list[int], height: int, *subjects: list[Any]) -> list[Any]:
        """All of a bundle but its checksum."""
        steps = [self.step(size) for size in sizes]
        oldest = self.digest(self.counting(sizes[0])[0].public_key)
        return copy.deepcopy(["yunhe-proof", 1, self.network_id, oldest, steps, self.logged(height, sizes[-1]), list(subjects)])


def sealed(parts: list[Any], digest: Digest = sha256) -> bytes:
    """A bundle with its checksum, encoded."""
    return cbor([*parts, tagged("yunhe/proof/1", cbor(parts), digest)])


CHECKSUM_DOCUMENT = b'{"b": 2.50, "a": "\xe8\xbf\x90\xe6\xb2\xb3"}'
CHECKSUM = hashlib.sha256('{"a":"运河","b":2.5}'.encode()).hexdigest()


def receipt(transaction_id: bytes, code: str = "OK") -> bytes:
    """A receipt with one event, or a refusal."""
    if code != "OK":
        return cbor([1, transaction_id, code, 0, 900, [], []])
    return cbor([1, transaction_id, "OK", -1, 900, [None], [["ebl", "BillIssued", {"bill_id": "B-1", "document_checksum": CHECKSUM}]]])


def sample_chain(founders: list[Certifier], digest: Digest = sha256) -> Chain:
    """A chain of four headers: block 1 has five transactions, their receipts and 40 records; blocks 2 and 3 change the state."""
    chain = Chain(founders, digest=digest)
    transactions = [chain.transaction(founders[: 1 + number % 2], number) for number in range(5)]
    ids = [chain.tagged("yunhe/transaction/1", cbor2.loads(transaction)[0]) for transaction in transactions]
    receipts = [receipt(each, "OK" if number % 2 == 0 else "NOT_HOLDER") for number, each in enumerate(ids)]
    state = {state_key("ebl", "bills", [f"B-{number}"]): cbor({"bill_id": f"B-{number}", "holder": "bank"}) for number in range(38)}
    state[state_key("ebl", "bills", ["B-1"])] = cbor({"bill_id": "B-1", "document_checksum": CHECKSUM, "holder": "bank"})
    state[state_key("grid", "readings", [b"\x00meter", -7, "A\x00"])] = cbor({"kwh": 12})
    chain.add(state, transactions, receipts)
    chain.add({}, transactions[:1], receipts[:1])
    chain.add({state_key("ebl", "bills", ["B-9"]): cbor({"bill_id": "B-9"})}, transactions[1:3], receipts[1:3])
    return chain
