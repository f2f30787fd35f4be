"""Four organisations that agree by an engine like CometBFT, in one thread, everything by chance from one seed; one of them is hostile.

The nodes are the real code: what they propose, accept and let into memory, how they judge, execute and commit, what their votes tell, how
certificates come about, what waits in the outbox. The engine is simulated at the door by which the real one comes in: it asks what the
real one could ask, in an order that the real one could have (docs/spec/cometbft.md). What goes wrong: nodes end at any question or disk
operation and start again, with blocks replayed; messages are lost and late; nodes are parted; clocks differ; votes tell what they like;
proposals are hostile; nodes catch up without having seen a proposal.

`run` raises `DisagreementError` as soon as something is not as it has to be.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from tests.simulation.consortium import (
    GAS_LIMIT,
    GENESIS,
    ORGANISATIONS,
    START_MS,
    SUITE,
    DisagreementError,
    Place,
    compare_stores,
    key,
)
from tests.simulation.crashing_disk import CrashedError, Disks, watched
from tests.simulation.hostile import NUMBER as HOSTILE
from tests.simulation.hostile import Hostile, Proposed
from tests.simulation.member import Member
from tests.simulation.simulated_process import MEMORY_ENVELOPES, Block, Vote, has_two_thirds, median_time_ms, timestamp
from yunhe import verifier
from yunhe.consensus.cometbft import pool, proposals
from yunhe.consensus.cometbft._generated import abci_pb2 as abci
from yunhe.consensus.cometbft.abci_server import CannotAnswerError
from yunhe.crypto import SHA256
from yunhe.errors import YunheError
from yunhe.ledger import transition
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, sign_transaction
from yunhe.ledger.transition import LedgerBlock
from yunhe.limits import VOTE_EXTENSION_BYTES_MAX
from yunhe.node import ProofSubjectRequest

ENVELOPES_MAX = 6
TRANSACTIONS_MAX = 14
BYTES_MAX = 1_000_000
ACTIONS = 400
LOST = 0.06
"""Part of the messages that do not arrive."""
ENDED = 0.001
"""Part of the questions at which the node that is asked ends."""
WINDOW_MS = GENESIS.parameters["validity_window_ms"]
HOUR_MS = 3_600_000
SETTLE_STEPS = 150
_ACCEPT = abci.ResponseProcessProposal.ProposalStatus.ACCEPT
_VALID = abci.ResponseVerifyVoteExtension.VerifyStatus.ACCEPT


@dataclass
class Happened:
    """What happened, so that a run that found nothing is known to have tried."""

    blocks: int = 0
    without_effect: int = 0
    rounds_lost: int = 0
    hostile: set[str] = field(default_factory=set)
    """Kinds of hostile proposals."""
    hostile_decided: set[str] = field(default_factory=set)
    ended: int = 0
    ended_at_the_disk: int = 0
    processes_begun_anew: int = 0
    caught_up: int = 0
    unseen: int = 0
    """Blocks that a node took without having seen a proposal."""
    acknowledged: int = 0
    dropped: int = 0
    early: int = 0
    settling: int = 0
    """Steps until there was rest."""


class Agreement:
    """The four nodes with their processes, and who sends transactions."""

    def __init__(self, root: Path, seed: int, *, is_hostile: bool = True) -> None:
        self.chance = random.Random(seed)
        self.now = START_MS + 1_000
        self.told = Happened()
        self.decided: list[Block] = []
        self.round = 0
        self.parted: set[int] = set()
        self.is_hostile = is_hostile
        self.is_rough = True
        """Whether messages are lost and nodes end."""
        self.hostile = Hostile(self.chance, ENVELOPES_MAX, TRANSACTIONS_MAX)
        self.sent: list[Transaction] = []
        self.placed: dict[bytes, Place] = {}
        self.dropped: dict[bytes, str] = {}
        """Transactions whose owners were told that they come to nothing, and why."""
        skews = [self.chance.randint(-3_000, 3_000) for _ in ORGANISATIONS]
        self.members = [
            Member(number, root / name, self.chance, lambda: self.now, skew)
            for number, (name, skew) in enumerate(zip(ORGANISATIONS, skews, strict=True))
        ]
        for member in self.members:
            member.on_block = self._acknowledge
            member.on_dropped = self._note_dropped
        self.disks: Disks = {member.folder: member.disk for member in self.members}

    def run(self, actions: int = ACTIONS) -> Happened:
        """Let things happen, then let everyone catch up, and compare.

        Raises:
            DisagreementError: something is not as it has to be.
        """
        choices: list[Callable[[], None]] = [self.submit] * 4 + [self.hand_over] * 5 + [self.gossip] * 8 + [self.make_rounds] * 12
        choices += [self.catch_up] * 6 + [self.heal] * 3 + [self.revive] * 6
        choices += [self.late_vote, self.part, self.restart_process, self.rest, self.arm_crash, self.kill]
        choices += [self.hostile_gossip] * 2 if self.is_hostile else []

        def body() -> None:
            for _ in range(actions):
                self.now += self.chance.choice([0, 1, 20, 200])
                self.chance.choice(choices)()
                self.hand_in_early()
            self.settle()
            self.certify()
            self.compare()

        self._with_limits(body)
        return self.told

    def run_weekend(self) -> Happened:
        """Work, then none from Friday to Monday, then work again; one node was parted from the others all the while.

        Raises:
            DisagreementError: blocks are made while nothing is to do, what is fresh is not accepted, or what is over takes effect.
        """

        def body() -> None:
            self.is_rough = False
            for _ in range(60):
                self.now += 50
                self.chance.choice([self.submit, self.hand_over, self.gossip, self.make_rounds, self.catch_up])()
            self.settle()
            alone, other = self.chance.sample(self.members, 2)
            height, over = len(self.decided), self.transaction(alone.clock() + 300_000)
            self.parted = {alone.number}
            require(len(alone.gateway.accept([over])) == 1, "what is fresh on Friday is refused")
            self._receive_own(alone)
            for _ in range(62):
                self.now += HOUR_MS
                self.make_rounds()
                votes = self._last_commit(alone)
                (proposed,) = self._propose(alone, height + 1, median_time_ms(votes.values()), votes)
                require(not proposed.envelopes, "what is over is proposed with the time of Friday")
            require(len(self.decided) == height, "blocks are made while nothing is to do")
            self.parted.clear()
            fresh = [self.transaction(other.clock() + valid_ms) for valid_ms in (30_000, WINDOW_MS)]
            require(len(other.gateway.accept(fresh)) == 2, "what is fresh on Monday is refused")
            self.settle()
            require(all(transaction.id in self.placed for transaction in fresh), "what is fresh has no effect")
            is_told = over.id not in self.placed and self.dropped.get(over.id) == "EXPIRED"
            require(is_told, "what is over has an effect, or its owner is not told")
            require(len(self.decided) - height <= 8, "more blocks are made than three transactions need")
            self.certify()
            self.compare()

        self._with_limits(body)
        return self.told

    def _with_limits(self, body: Callable[[], None]) -> None:
        """Run with limits that are reached in a small simulation."""
        with watched(self.disks), pytest.MonkeyPatch.context() as patched:
            for module in (proposals, transition):
                patched.setattr(module, "BLOCK_TRANSACTIONS_MAX", TRANSACTIONS_MAX)
            patched.setattr(proposals, "BLOCK_ENVELOPES_MAX", ENVELOPES_MAX)
            patched.setattr(pool, "ENGINE_POOL_BYTES_MAX", MEMORY_ENVELOPES * pool.ENVELOPE_BYTES_COUNTED)
            patched.setattr(pool, "ENGINE_SHARE_BYTES_MAX", MEMORY_ENVELOPES // 4 * pool.ENVELOPE_BYTES_COUNTED)
            try:
                for member in self.members:
                    self._open(member)
                body()
            finally:
                for member in self.members:
                    member.close()

    # --- What can happen ---------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """A client hands transactions to a gateway, some of them to a second one, too."""
        transactions = [self.transaction() for _ in range(self.chance.randint(1, 4))]
        if self.sent and self.chance.random() < 0.2:
            transactions.append(self.chance.choice(self.sent))
        self.sent.extend(transactions)
        for member in self.chance.sample(self.up(), min(len(self.up()), self.chance.choice([1, 1, 2]))):
            member.gateway.accept(transactions)

    def hand_over(self) -> None:
        """An outbox hands what waits to its process."""
        for member in self.some_up():
            self._receive_own(member)

    def gossip(self) -> None:
        """A process tells another one of envelopes, in any order."""
        for sender in self.some_up():
            others = [member for member in self.up() if member is not sender and self._meet(sender, member)]
            if others:
                receiver = self.chance.choice(others)
                envelopes = [envelope for envelope in sender.process.memory if not self._is_lost()]
                self.chance.shuffle(envelopes)
                for envelope in envelopes:
                    self._receive(receiver, envelope)

    def hostile_gossip(self) -> None:
        """The hostile organisation sends envelopes, to some."""
        for _ in range(self.chance.choice([1, 1, 30])):
            envelope = self.hostile.gossip(self.now)
            for member in self.up():
                if not self._is_lost():
                    self._receive(member, envelope)

    def catch_up(self) -> None:
        """A node that is behind gets the next blocks from a peer."""
        behind = [member for member in self.up() if member.process.stored < len(self.decided) and member.number not in self.parted]
        if behind:
            member = self.chance.choice(behind)
            for block in self.decided[member.process.stored :][: self.chance.randint(1, 3)]:
                self.told.caught_up += 1
                if not self._take(member, block, {}):
                    return

    def late_vote(self) -> None:
        """A vote for the last block comes late."""
        for member in self.some_up():
            if member.process.stored == len(self.decided) and self.decided:
                member.process.votes |= {number: vote for number, vote in self.decided[-1].votes.items() if not self._is_lost()}

    def part(self) -> None:
        """Some nodes cannot reach the others, nor each other."""
        self.parted = set(self.chance.sample(range(len(ORGANISATIONS)), self.chance.choice([1, 1, 2])))

    def heal(self) -> None:
        """All reach each other again."""
        self.parted.clear()

    def restart_process(self) -> None:
        """A process ends and begins anew; its node stays as it is."""
        for member in self.some_up():
            self.told.processes_begun_anew += 1
            member.process.begin_anew()
            self._shake_hands(member)

    def rest(self) -> None:
        """Nothing happens for a while."""
        self.now += self.chance.choice([5_000, 60_000])

    def arm_crash(self) -> None:
        """A node will end at one of its next disk operations."""
        for member in self.some_up():
            member.disk.operations_left = self.chance.randint(0, 20)

    def kill(self) -> None:
        """A node ends between two questions."""
        for member in self.some_up():
            self._end(member)

    def revive(self) -> None:
        """A node that ended starts again, and may end again while it opens its store."""
        down = [member for member in self.members if member.engine is None]
        if not down:
            return
        member = self.chance.choice(down)
        if self.chance.random() < 0.2:
            member.disk.operations_left = self.chance.randint(0, 6)
        try:
            self._open(member)
        except CrashedError:
            self._end(member)

    # --- How blocks are agreed on ------------------------------------------------------------------------------------

    def make_rounds(self) -> None:
        """One proposer after the other tries, until a block is decided or all have tried."""
        before = len(self.decided)
        for _ in self.members:
            self._make_round()
            if len(self.decided) > before:
                return

    def _make_round(self) -> None:
        """A proposer proposes, the others answer and vote, and the block is decided, or not."""
        height = len(self.decided) + 1
        voters = [m for m in self.up() if m.number not in self.parted and m.process.stored == height - 1]
        if not any(self._wants_block(member) for member in voters):
            return
        proposer = self.members[(height + self.round) % len(self.members)]
        self.round += 1
        if proposer not in voters or not self._wants_block(proposer):
            self.now += 500
            self.told.rounds_lost += 1
            return
        votes = self._last_commit(proposer)
        time_ms = median_time_ms(votes.values()) if votes else START_MS + 1
        made = self._propose(proposer, height, time_ms, votes)
        answers = {member.number: proposed for member in voters if (proposed := self._answer(member, height, time_ms, made)) is not None}
        for proposed in made:
            accepting = {number: proposed for number, accepted in answers.items() if accepted is proposed}
            if has_two_thirds(accepting, len(self.members)) and self._decide(height, time_ms, proposed, list(accepting)):
                return
        self.told.rounds_lost += 1
        self.now += 500

    def _propose(self, proposer: Member, height: int, time_ms: int, votes: dict[int, Vote]) -> list[Proposed]:
        request = abci.RequestPrepareProposal(
            height=height,
            time=timestamp(time_ms),
            max_tx_bytes=BYTES_MAX,
            txs=list(proposer.process.memory),
            local_last_commit={
                "votes": [{"validator": {"address": address(n)}, "vote_extension": vote.extension} for n, vote in sorted(votes.items())]
            },
        )
        answer = self._ask(proposer, prepare_proposal=request)
        if answer is None:
            return []
        envelopes = tuple(answer.prepare_proposal.txs)
        if not self.is_hostile or proposer.number != HOSTILE:
            return [Proposed("of an honest proposer", envelopes, "accepted")]
        made = self.hostile.proposals(time_ms, envelopes, self.decided)
        self.told.hostile.update(proposed.kind for proposed in made)
        return made

    def _answer(self, member: Member, height: int, time_ms: int, made: list[Proposed]) -> Proposed | None:
        """Return the proposal that a node votes for, if any."""
        if not made or self._is_lost():
            return None
        proposed = self.chance.choice(made)
        request = abci.RequestProcessProposal(height=height, time=timestamp(time_ms), txs=proposed.envelopes)
        answer = self._ask(member, process_proposal=request)
        if answer is None:
            return None
        is_accepted = answer.process_proposal.status == _ACCEPT
        if proposed.must_be == ("rejected" if is_accepted else "accepted"):
            verb = "accepts" if is_accepted else "rejects"
            raise DisagreementError(f"{member.name} {verb} a proposal: {proposed.kind}")
        return proposed if is_accepted or (self.is_hostile and member.number == HOSTILE) else None

    def _decide(self, height: int, time_ms: int, proposed: Proposed, accepting: list[int]) -> bool:
        """Let those who accepted a block vote for it; return whether there are votes enough."""
        votes: dict[int, Vote] = {}
        for number in accepting:
            member = self.members[number]
            answer = self._ask(member, extend_vote=abci.RequestExtendVote(height=height))
            if answer is None:
                continue
            vote = Vote(max(member.clock(), time_ms + 1), answer.extend_vote.vote_extension)
            if self.is_hostile and number == HOSTILE:
                vote = self.hostile.vote(vote, member.ledger.log.size)
            if self._is_valid(member, height, vote):
                votes[number] = Vote(max(vote.time_ms, time_ms + 1), vote.extension)
        self.now += self.chance.choice([5, 50])
        if not has_two_thirds(votes, len(self.members)):
            return False
        chosen = sorted(self.chance.sample(sorted(votes), self.chance.randint(3, len(votes))))
        block_hash = sha256(repr((height, time_ms, proposed.envelopes)).encode()).digest()
        commit = {number: votes[number] for number in chosen}
        block = Block(height, time_ms, proposed.envelopes, block_hash, commit, votes)
        self.decided.append(block)
        self.round = 0
        if self.is_hostile and proposed.kind in self.told.hostile:
            self.told.hostile_decided.add(proposed.kind)
        self.told.unseen += len(self.members) - len(accepting)
        for number in accepting:
            # The others of them learn of it by the next block, or catch up.
            if self.members[number].engine is not None and self.chance.random() < 0.8:
                self._take(self.members[number], block, {n: v for n, v in votes.items() if n == number or not self._is_lost()})
        return True

    def _is_valid(self, voter: Member, height: int, vote: Vote) -> bool:
        """Let the others look at a vote; all of them find it valid, or none does."""
        found = set()
        for member in self.up():
            if member is voter or self._is_lost() or member.number in self.parted:
                continue
            request = abci.RequestVerifyVoteExtension(height=height, validator_address=address(voter.number), vote_extension=vote.extension)
            answer = self._ask(member, verify_vote_extension=request)
            if answer is not None:
                found.add(answer.verify_vote_extension.status == _VALID)
        is_valid = len(vote.extension) <= VOTE_EXTENSION_BYTES_MAX
        if found - {is_valid}:
            raise DisagreementError("a vote is valid for some and for others it is not")
        return is_valid

    def _last_commit(self, member: Member) -> dict[int, Vote]:
        """Return the votes for the last block that a node's process has."""
        return self.decided[-1].commit | member.process.votes if self.decided else {}

    def _wants_block(self, member: Member) -> bool:
        height = len(self.decided) + 1
        return bool(member.process.memory) or height == 1 or self.app_hash(height - 1) != self.app_hash(height - 2)

    def app_hash(self, height: int) -> bytes | None:
        """Return what the nodes made of the block of a height; None while nobody made anything of it."""
        return self.decided[height - 1].app_hash if height > 0 else b""

    # --- What a process does with its node ---------------------------------------------------------------------------

    def _ask(self, member: Member, **request: object) -> abci.Response | None:
        """Ask a node; None when it ended, before or after it did what was asked."""
        for is_before in (True, False):
            if member.engine is None:
                return None
            if self.is_rough and self.chance.random() < ENDED:
                self._end(member)
                return None
            if is_before:
                try:
                    answer = member.engine._answer(abci.Request(**request))
                except CannotAnswerError as error:
                    failure = member.engine.failure
                    if not isinstance(failure, CrashedError):
                        raise DisagreementError(f"{member.name} halts: {failure!r}") from error
                    self.told.ended_at_the_disk += 1
                    self._end(member)
                    return None
        return answer

    def _receive(self, member: Member, envelope: bytes) -> None:
        """Let a process take an envelope, if its node lets it in."""
        process = member.process
        if envelope in process.known or len(process.memory) >= MEMORY_ENVELOPES:
            return
        answer = self._ask(member, check_tx=abci.RequestCheckTx(tx=envelope, type=abci.CheckTxType.NEW))
        if answer is not None and answer.check_tx.code == 0:
            process.known.add(envelope)
            process.memory[envelope] = None

    def _receive_own(self, member: Member) -> None:
        assert member.engine is not None
        for envelope in member.engine._outbox.waiting():
            self._receive(member, envelope)

    def _take(self, member: Member, block: Block, votes: dict[int, Vote]) -> bool:
        """Let a node take the next block; False when it ended."""
        member.process.stored = block.height
        member.process.votes = dict(votes)
        return self._finalise(member, block)

    def _finalise(self, member: Member, block: Block) -> bool:
        request = abci.RequestFinalizeBlock(height=block.height, time=timestamp(block.time_ms), txs=block.envelopes, hash=block.block_hash)
        answer = self._ask(member, finalize_block=request)
        if answer is None:
            return False
        if self.is_rough and self.chance.random() < 5 * ENDED:
            self.told.processes_begun_anew += 1
            member.process.begin_anew()
            return self._shake_hands(member)
        self._compare(member, block, answer.finalize_block.app_hash)
        if self.is_rough and self.chance.random() < 0.3:
            # Envelopes come by another connection, and wait for no commit.
            self._receive_own(member)
        if self._ask(member, commit=abci.RequestCommit()) is None:
            return False
        member.durable = block.height
        return self._recheck(member, block)

    def _compare(self, member: Member, block: Block, app_hash: bytes) -> None:
        if block.app_hash is None:
            block.app_hash = app_hash
            self.told.without_effect += app_hash == self.app_hash(block.height - 1)
        require(app_hash == block.app_hash, f"{member.name} came to another app hash at engine height {block.height}")

    def _recheck(self, member: Member, block: Block) -> bool:
        """Let a process forget what a block had, and ask about all that is left; False when the node ended."""
        process = member.process
        for envelope in block.envelopes:
            process.memory.pop(envelope, None)
            process.known.add(envelope)
        for envelope in list(process.memory):
            checked = self._ask(member, check_tx=abci.RequestCheckTx(tx=envelope, type=abci.CheckTxType.RECHECK))
            if checked is None:
                return False
            if checked.check_tx.code:
                del process.memory[envelope]
                process.known.discard(envelope)
        return True

    def _open(self, member: Member) -> None:
        """Start a node, and its process beside it."""
        member.open()
        self._shake_hands(member)

    def _shake_hands(self, member: Member) -> bool:
        """Let a process that has begun anew ask what is durable and hand over again what is not; False when the node ended."""
        answer = self._ask(member, info=abci.RequestInfo())
        if answer is None:
            return False
        durable = answer.info.last_block_height
        if durable < member.durable:
            raise DisagreementError(f"{member.name} had committed up to {member.durable}, and is back at {durable}")
        if durable > member.process.stored:
            raise DisagreementError(f"{member.name} has a block that its process does not have")
        for _ in range(0 if durable else self.chance.randint(1, 2)):
            if self._ask(member, init_chain=abci.RequestInitChain(initial_height=1)) is None:
                return False
        return all(self._finalise(member, block) for block in self.decided[durable : member.process.stored])

    def _end(self, member: Member) -> None:
        if member.engine is None and member.store is None and member.disk.image is None:
            return
        member.crash()
        self.disks[member.folder] = member.disk
        self.told.ended += 1

    # --- The end -----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Nothing more is sent, nobody ends, all reach each other: what was accepted is decided, and then there is rest.

        Raises:
            DisagreementError: there is none, or somebody waits for ever.
        """
        self.is_rough = False
        self.parted.clear()
        for member in self.members:
            member.disk.operations_left = None
            if member.engine is None:
                self._open(member)
        for _ in range(SETTLE_STEPS):
            if self.is_at_rest():
                break
            self.told.settling += 1
            self._step()
        else:
            waiting = {member.name: len(member.gateway.waiting) for member in self.members}
            memory = {member.name: len(member.process.memory) for member in self.members}
            raise DisagreementError(f"there is no rest: {waiting} wait, {memory} in memory, engine height {len(self.decided)}")
        for member in self.members:
            if member.gateway.waiting:
                raise DisagreementError(f"{len(member.gateway.waiting)} transactions wait for ever at {member.name}")

    def _step(self) -> None:
        for member in self.members:
            while member.process.stored < len(self.decided):
                self._take(member, self.decided[member.process.stored], {})
            self.late_vote()
        self.hand_in_early()
        for member in self.members:
            assert member.engine is not None
            for envelope in (*member.engine._outbox.waiting(), *(e for other in self.members for e in list(other.process.memory))):
                self._receive(member, envelope)
        self.now += 100
        self._make_round()

    def is_at_rest(self) -> bool:
        """Return whether nobody wants a block, nor will by himself."""
        return all(
            member.engine is not None
            and member.process.stored == len(self.decided)
            and not self._wants_block(member)
            and not member.engine._outbox.waiting()
            and not member.gateway.has_early
            for member in self.members
        )

    def certify(self) -> None:
        """One more transaction; then all have a certificate of more than two thirds for the last block, and prove with it.

        Raises:
            DisagreementError: one has none.
        """
        sent = self.transaction()
        while not self.members[0].gateway.accept([sent]):
            sent = self.transaction()
        self.settle()
        for member in self.members:
            height = member.ledger.head().height
            if member.certification.certified_height() < height - 1:
                raise DisagreementError(f"{member.name} has no certificate of its last block but one")
            subject = ProofSubjectRequest("receipt", self.chance.choice([i for i, place in self.placed.items() if place.height < height]))
            proof = verifier.verify(member.certification.prove([subject], None), GENESIS.to_json().encode())
            if 3 * proof.certificates[-1].power <= 2 * proof.certificates[-1].total_power:
                raise DisagreementError(f"{member.name} proves with too little power")

    def compare(self) -> None:
        """Compare all ledgers, and what owners were told with what there is."""
        compare_stores([member.ledger for member in self.members], self.placed)
        for transaction_id, code in self.dropped.items():
            if self.members[0].ledger.locate(transaction_id) is not None:
                raise DisagreementError(f"a transaction has a place whose owner was told {code}")
        self.told.blocks = self.members[0].ledger.head().height
        self.told.acknowledged = len(self.placed)
        self.told.dropped = len(self.dropped)

    # --- Parts -------------------------------------------------------------------------------------------------------

    def up(self) -> list[Member]:
        """Return the nodes that run."""
        return [member for member in self.members if member.engine is not None]

    def some_up(self) -> list[Member]:
        """Return one of them, if there is any."""
        return [self.chance.choice(found)] if (found := self.up()) else []

    def hand_in_early(self) -> None:
        """All gateways hand in again what is due."""
        for member in self.up():
            self.told.early += member.gateway.has_early
            member.gateway.hand_in_early()

    def transaction(self, valid_until_ms: int | None = None) -> Transaction:
        """Return a transaction of some member, by default valid for a short time or for all that the window allows."""
        number = self.chance.randrange(len(ORGANISATIONS))
        signing = key(number, 1)
        signer = Signer(ORGANISATIONS[number], "clerk", SUITE, signing.public_key.raw)
        account, to = self.chance.sample(ORGANISATIONS, 2)
        calls = (Call("coins", "pay", {"account": account, "to": to, "amount": self.chance.choice([1, 10, 5_000])}),)
        valid_ms = self.chance.choice([500, 1_500, 4_000, 60_000, WINDOW_MS - 10, WINDOW_MS + 2_000])
        valid_until_ms = valid_until_ms or self.now + valid_ms
        body = TransactionBody(GENESIS.network_id, (signer,), calls, valid_until_ms, GAS_LIMIT, self.chance.randbytes(16))
        return sign_transaction(body, [signing], SHA256)

    def _acknowledge(self, block: LedgerBlock) -> None:
        for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
            place = Place(block.header.height, receipt.outcome.code)
            if self.placed.setdefault(transaction.id, place) != place:
                raise DisagreementError("a transaction was acknowledged with two outcomes")

    def _note_dropped(self, transaction_id: bytes, error: YunheError) -> None:
        self.dropped[transaction_id] = error.code

    def _meet(self, one: Member, other: Member) -> bool:
        return one.number not in self.parted and other.number not in self.parted

    def _is_lost(self) -> bool:
        return self.is_rough and self.chance.random() < LOST


def address(number: int) -> bytes:
    """Return the address of an organisation's validator."""
    return bytes([number]) * 20


def require(condition: bool, otherwise: str) -> None:
    """Check something.

    Raises:
        DisagreementError: it is not so.
    """
    if not condition:
        raise DisagreementError(otherwise)
