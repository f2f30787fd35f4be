"""What an organisation can do that keeps to no rule but has keys of its own: proposals, envelopes, votes and times.

It makes everything that its keys allow. `Proposed.must_be` says what the others have to make of it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.simulation.consortium import GENESIS, ORGANISATIONS, SUITE, identity, key
from tests.simulation.simulated_process import Block, Vote
from yunhe.crypto import SHA256
from yunhe.ledger.checkpoint import Checkpoint, cosign, note
from yunhe.ledger.envelope import seal_envelope
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction, sign_transaction
from yunhe.limits import VOTE_EXTENSION_BYTES_MAX
from yunhe.node.vote_words import vote_words

NUMBER = 3
"""Which of the organisations it is."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A block that somebody proposes."""

    kind: str
    envelopes: tuple[bytes, ...]
    must_be: Literal["accepted", "rejected", "either"]
    """What every honest node has to answer."""


class Hostile:
    """The hostile organisation's part."""

    def __init__(self, chance: random.Random, envelopes_max: int, transactions_max: int) -> None:
        self._chance = chance
        self._envelopes_max = envelopes_max
        self._transactions_max = transactions_max
        self._sequence = 1_000_000

    def proposals(self, time_ms: int, real: Sequence[bytes], decided: Sequence[Block]) -> list[Proposed]:
        """Return one proposal for all, or two of which each goes to some.

        Args:
            time_ms: of the block.
            real: what an honest proposer would propose.
            decided: all blocks so far.
        """
        honest = Proposed("as others would", tuple(real), "accepted")
        before = [e for block in decided for e in block.envelopes]
        full = tuple(self.envelope(time_ms) for _ in range(self._envelopes_max + 1))
        heavy = self.envelope(time_ms, count=self._transactions_max + 1)
        choices = [
            honest,
            Proposed("what is no envelope", (*real[:1], self._chance.randbytes(40)), "rejected"),
            Proposed("signatures that do not verify", (self.unsigned(time_ms),), "rejected"),
            Proposed("in the name of another", (self.envelope(time_ms, name=0),), "rejected"),
            Proposed("for another network", (self.envelope(time_ms, network_id=bytes(32)),), "rejected"),
            Proposed("what is over", (self.envelope(time_ms, valid_ms=-1),), "rejected"),
            Proposed("what is of use in years", (self.envelope(time_ms, valid_ms=10**12),), "accepted"),
            Proposed("one twice", (full[0], full[0]), "rejected"),
            Proposed("too many envelopes", full, "rejected"),
            Proposed("too many transactions", (heavy,), "rejected"),
            Proposed("nothing", (), "accepted"),
            Proposed("of its own alone", full[:-1], "accepted"),
        ]
        if before:
            choices.append(Proposed("what a block had", (self._chance.choice(before),), "either"))
        if real:
            flipped = bytearray(real[0])
            flipped[self._chance.randrange(len(flipped))] ^= 1 << self._chance.randrange(8)
            choices.append(Proposed("what is garbled", (bytes(flipped),), "rejected"))
        if self._chance.random() < 0.2:
            return [honest, Proposed("another block at the same time", full[:1], "accepted")]
        return [self._chance.choice(choices)]

    def gossip(self, now_ms: int) -> bytes:
        """Return an envelope that it sends to somebody."""
        kind = self._chance.randrange(6)
        if kind == 0:
            return self.unsigned(now_ms)
        if kind == 1:
            return self.envelope(now_ms, valid_ms=10**12)
        if kind == 2:
            return self.envelope(now_ms, name=self._chance.randrange(NUMBER))
        if kind == 3:
            return self._chance.randbytes(60)
        return self.envelope(now_ms, count=self._chance.choice([1, 1, 4]))

    def vote(self, honest: Vote, size: int) -> Vote:
        """Return what it votes in the place of what its node would."""
        time_ms = honest.time_ms + self._chance.choice([0, 0, -3_600_000, 3_600_000])
        forged = Checkpoint(GENESIS.network_id, size, self._chance.randbytes(32))
        signed = cosign(forged, ORGANISATIONS[NUMBER], key(NUMBER, 3), time_ms // 1000)
        extension = self._chance.choice(
            [
                honest.extension,
                b"",
                self._chance.randbytes(100),
                vote_words(note(forged, [signed]), None, b""),
                vote_words(b"", self._chance.randrange(10), self._chance.randbytes(200)),
                bytes(VOTE_EXTENSION_BYTES_MAX),
                bytes(VOTE_EXTENSION_BYTES_MAX + 1),
            ]
        )
        return Vote(time_ms, extension)

    def envelope(
        self, time_ms: int, *, count: int = 1, valid_ms: int = 60_000, name: int = NUMBER, network_id: bytes = GENESIS.network_id
    ) -> bytes:
        """Return an envelope of fresh transactions, signed by its node."""
        self._sequence += 1
        encoded = [self._transaction(time_ms + valid_ms).encoded for _ in range(count)]
        return seal_envelope(network_id, identity(name), self._sequence, encoded, key(NUMBER, 2), SHA256).encoded

    def unsigned(self, time_ms: int) -> bytes:
        """Return an envelope of its node whose transactions nobody signed."""
        self._sequence += 1
        bad = assemble_transaction(self._transaction(time_ms + 60_000).body_bytes, [bytes(64)], SHA256)
        return seal_envelope(GENESIS.network_id, identity(NUMBER), self._sequence, [bad.encoded], key(NUMBER, 2), SHA256).encoded

    def _transaction(self, valid_until_ms: int) -> Transaction:
        signing = key(NUMBER, 1)
        signer = Signer(ORGANISATIONS[NUMBER], "clerk", SUITE, signing.public_key.raw)
        call = Call("coins", "pay", {"account": "port", "to": "bank", "amount": 1})
        body = TransactionBody(GENESIS.network_id, (signer,), (call,), valid_until_ms, 1_000_000, self._chance.randbytes(16))
        return sign_transaction(body, [signing], SHA256)
